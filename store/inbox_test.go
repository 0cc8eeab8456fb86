package store_test

import (
	"testing"

	"kanal/models"
	"kanal/store"
	"kanal/store/sample"
	"kanal/store/storetest"
)

// filled gives a database with a sample in it.
func filled(t testing.TB, s *store.Store, conversations int) *sample.World {
	t.Helper()
	err := s.InTx(t.Context(), func(tx *store.Tx) error {
		return tx.InsertQueue(t.Context(), &models.Queue{Name: "Default queue", IsDefault: true, Version: 1, CreatedAt: tx.Now()})
	})
	if err != nil {
		t.Fatal(err)
	}
	w, err := sample.Fill(t.Context(), s, sample.Options{Conversations: conversations, Agents: 2})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestInboxOfASample(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, _ *storetest.Clock) {
		w := filled(t, s, 600) // 120 with two agents, 120 in the queue
		agent := models.Viewer{User: w.Agents[0].ID, Role: models.Agent}
		counts, err := s.InboxCounts(t.Context(), agent)
		if want := (models.InboxCounts{Mine: 60, Queue: 120, All: 240, Unread: 60}); err != nil || counts != want {
			t.Fatalf("%+v, %v, want %+v", counts, err, want)
		}
		for view, want := range map[models.InboxView]int{models.ViewMine: 60, models.ViewQueue: 120, models.ViewAll: 240} {
			if got := walk(t, s, agent, view); got != want {
				t.Errorf("%s: %d rows on its pages, want %d", view, got, want)
			}
		}
		first := w.Conversations[w.Owned(0)[0]]
		page, err := s.Messages(t.Context(), first, 0)
		if err != nil || len(page) != store.ThreadPage+1 || page[len(page)-1].Seq != first.Seq {
			t.Fatalf("%d messages, %v", len(page), err)
		}
		if older, err := s.Messages(t.Context(), first, page[1].Seq); err != nil || len(older) != int(first.Seq)-store.ThreadPage {
			t.Fatalf("%d older messages, %v", len(older), err)
		}
	})
}

// walk goes through the pages of a list and counts its rows; none may come twice.
func walk(t *testing.T, s *store.Store, v models.Viewer, view models.InboxView) int {
	t.Helper()
	seen := map[models.ConversationID]bool{}
	f := store.InboxFilter{View: view}
	for {
		rows, err := s.Conversations(t.Context(), v, f)
		if err != nil {
			t.Fatal(err)
		}
		more := len(rows) > store.InboxPage
		if more {
			rows = rows[:store.InboxPage]
		}
		for _, r := range rows {
			if seen[r.ID] {
				t.Fatalf("%s: conversation %d comes twice", view, r.ID)
			}
			seen[r.ID] = true
		}
		if !more {
			return len(seen)
		}
		at := store.CursorOf(view, rows[len(rows)-1])
		f.After = &at
	}
}

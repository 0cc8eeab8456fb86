package store_test

import (
	"strings"
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
		if err != nil || len(page) != store.ThreadPage+1 || page[len(page)-1].Seq != float64(first.Seq) {
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

// The queue holds conversations in which ours was the last word, as after their agent has gone: after all others, on
// every page, and taken last.
func TestQueueWithAnsweredConversations(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, _ *storetest.Clock) {
		ctx := t.Context()
		w := filled(t, s, 600) // 120 in the queue
		agent := models.Viewer{User: w.Agents[0].ID, Role: models.Agent}
		if err := s.Exec(ctx, "UPDATE conversations SET unanswered_at = NULL WHERE state = 'open' AND id % 2 = 0"); err != nil {
			t.Fatal(err)
		}
		if got := walk(t, s, agent, models.ViewQueue); got != 120 {
			t.Fatalf("%d rows on the pages, want 120", got)
		}
		rows, err := s.Conversations(ctx, agent, store.InboxFilter{View: models.ViewQueue, Rows: 200})
		if err != nil || len(rows) != 120 {
			t.Fatal(len(rows), err)
		}
		for i, r := range rows {
			if (r.UnansweredAt == nil) != (i >= 60) {
				t.Fatalf("row %d: unanswered since %v", i, r.UnansweredAt)
			}
		}
		first, err := s.FirstInQueue(ctx, agent)
		if err != nil || first != rows[0].ID {
			t.Errorf("first %d, %v, want %d", first, err, rows[0].ID)
		}
		var taken models.Conversation
		err = s.InTx(ctx, func(tx *store.Tx) (err error) {
			taken, err = tx.LockNextInQueue(ctx, agent)
			return err
		})
		if err != nil || taken.ID != rows[0].ID {
			t.Errorf("taken %d, %v, want %d", taken.ID, err, rows[0].ID)
		}
	})
}

// A page of the queue is read from an index that is sorted like it, a later one from where it begins.
func TestQueueIsReadInOrder(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, _ *storetest.Clock) {
		ctx := t.Context()
		w := filled(t, s, 3000)
		if err := s.Exec(ctx, "ANALYZE"); err != nil {
			t.Fatal(err)
		}
		everyone := models.Viewer{User: w.Agents[0].ID, Role: models.Supervisor}
		rows, err := s.Conversations(ctx, everyone, store.InboxFilter{View: models.ViewQueue})
		if err != nil || len(rows) <= store.InboxPage {
			t.Fatal(len(rows), err)
		}
		at := store.CursorOf(models.ViewQueue, rows[store.InboxPage-1])
		for _, after := range []*store.InboxCursor{nil, &at} {
			plan, err := s.QueuePlan(ctx, everyone, after)
			looksUp := strings.Contains(plan, "SEARCH") || strings.Contains(plan, "Index Cond")
			sorts := strings.Contains(plan, "Sort") || strings.Contains(plan, "TEMP B-TREE")
			if err != nil || !strings.Contains(plan, "conversations_waiting") || sorts || looksUp != (after != nil) {
				t.Errorf("after %v: %v\n%s", after, err, plan)
			}
		}
	})
}

package store_test

import (
	"testing"

	"kanal/models"
	"kanal/store"
	"kanal/store/storetest"
)

// benchConversations is how large the database is in which the inbox is read.
const benchConversations = 5000

// BenchmarkInbox reads what the inbox shows, as an agent: each list with its first page, the counts, a page of a thread.
func BenchmarkInbox(b *testing.B) {
	for _, d := range storetest.Dialects {
		b.Run(string(d), func(b *testing.B) {
			s := storetest.Open(b, d, nil)
			w := filled(b, s, benchConversations)
			agent := models.Viewer{User: w.Agents[0].ID, Role: models.Agent}
			for _, view := range []models.InboxView{models.ViewMine, models.ViewQueue, models.ViewAll} {
				b.Run(string(view), func(b *testing.B) {
					for b.Loop() {
						if rows, err := s.Conversations(b.Context(), agent, store.InboxFilter{View: view}); err != nil || len(rows) != store.InboxPage+1 {
							b.Fatal(len(rows), err)
						}
					}
				})
			}
			b.Run("counts", func(b *testing.B) {
				for b.Loop() {
					if _, err := s.InboxCounts(b.Context(), agent); err != nil {
						b.Fatal(err)
					}
				}
			})
			long := w.Conversations[w.Owned(0)[0]]
			b.Run("thread", func(b *testing.B) {
				for b.Loop() {
					if ms, err := s.Messages(b.Context(), long, 0); err != nil || len(ms) != store.ThreadPage+1 {
						b.Fatal(len(ms), err)
					}
				}
			})
		})
	}
}

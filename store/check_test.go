package store_test

import (
	"strings"
	"testing"
	"time"

	"kanal/models"
	"kanal/store"
	"kanal/store/storetest"
)

// What the connection check asks about the last day reads the last day, not all that an account has ever had.
func TestNewestIsReadByTime(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		ctx := t.Context()
		c, now := filled(t, s, 10).Conversations[0], clock.Now()
		for _, sql := range []string{
			`INSERT INTO provider_events (id, account_id, kind, sid, status, error_code, form, received_at)
			WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
			SELECT 1000000 + i, 1, CASE WHEN i % 2 = 0 THEN 'status' ELSE 'poll' END, 'SM' || i, 'sent', 0, '', '2026-11-01 00:00:00+00:00' FROM n`,
			"ANALYZE provider_events",
		} {
			if err := s.Exec(ctx, sql); err != nil {
				t.Fatal(err)
			}
		}
		sid := "SMnewest"
		err := s.InTx(ctx, func(tx *store.Tx) error {
			m := models.Message{AccountID: c.AccountID, ConversationID: c.ID, Seq: 1 << 20, Rev: 1 << 20, Direction: models.Out, Kind: models.KindText, ProviderSID: &sid, State: models.Sent, CreatedAt: now.Add(-10 * time.Second), UpdatedAt: now}
			if err := tx.InsertMessages(ctx, []models.Message{m}); err != nil {
				return err
			}
			var es []models.ProviderEvent
			for kind, at := range map[string]time.Time{models.EventKindStatus: now.Add(-time.Minute), models.EventKindPoll: now} {
				es = append(es, models.ProviderEvent{AccountID: c.AccountID, Kind: kind, SID: sid, Status: "sent", ReceivedAt: at})
			}
			return tx.InsertProviderEvents(ctx, es)
		})
		if err != nil {
			t.Fatal(err)
		}
		since := now.Add(-24 * time.Hour)
		for _, tt := range []struct {
			index string
			read  func(store.Reader) (time.Time, error)
			want  time.Time
		}{
			{"provider_events_received", func(r store.Reader) (time.Time, error) { return r.NewestReport(ctx, c.AccountID, since) }, now.Add(-time.Minute)},
			{"provider_events_received", func(r store.Reader) (time.Time, error) { return r.NewestReport(ctx, c.AccountID, now) }, time.Time{}},
			{"provider_events_received", func(r store.Reader) (time.Time, error) { return r.NewestReport(ctx, c.AccountID+1, since) }, time.Time{}},
			{"messages_created", func(r store.Reader) (time.Time, error) { return r.NewestSent(ctx, c.AccountID, since, now) }, now.Add(-10 * time.Second)},
			{"messages_created", func(r store.Reader) (time.Time, error) {
				return r.NewestSent(ctx, c.AccountID, now.Add(-20*time.Second), now.Add(-10*time.Second))
			}, time.Time{}},
		} {
			var at time.Time
			plan, err := s.PlanOf(ctx, func(r store.Reader) (err error) { at, err = tt.read(r); return err })
			if err != nil || !at.Equal(tt.want) || !strings.Contains(plan, tt.index) || strings.Contains(plan, "B-TREE") {
				t.Errorf("%s, want %s: %v\n%s", at, tt.want, err, plan)
			}
		}
	})
}

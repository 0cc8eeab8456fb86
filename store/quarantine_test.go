package store_test

import (
	"context"
	"strings"
	"testing"

	"kanal/models"
	"kanal/store"
	"kanal/store/storetest"
)

// Counting what waits in quarantine, which every page of the administrator's does, does not read what is done.
func TestCountingQuarantineReadsOnlyWhatWaits(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, _ *storetest.Clock) {
		ctx := context.Background()
		err := s.InTx(ctx, func(tx *store.Tx) error {
			return tx.Insert(ctx, &models.Account{ID: 1, Name: "A", Channel: models.ChannelWhatsApp, SID: "AC1", HookKey: "k", State: models.AccountActive, Step: models.StepCallback, Version: 1})
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, sql := range []string{
			`INSERT INTO quarantines (id, account_id, kind, reason, form, received_at, replayed_at)
			WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
			SELECT i, 1, 'inbound', CASE WHEN i % 2 = 0 THEN 'a' ELSE 'b' END, '', CURRENT_TIMESTAMP, CASE WHEN i > 3 THEN CURRENT_TIMESTAMP END FROM n`,
			"ANALYZE quarantines",
		} {
			if err := s.Exec(ctx, sql); err != nil {
				t.Fatal(err)
			}
		}
		counts, err := s.CountQuarantine(ctx)
		if err != nil || counts["a"] != 1 || counts["b"] != 2 {
			t.Errorf("%v %v", counts, err)
		}
		plan, err := s.PlanOf(ctx, func(r store.Reader) error { _, err := r.CountQuarantine(ctx); return err })
		if err != nil || !strings.Contains(plan, "quarantines_waiting") {
			t.Errorf("%s %v", plan, err)
		}
	})
}

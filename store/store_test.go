package store_test

import (
	"context"
	"errors"
	"testing"

	"kanal/models"
	"kanal/store"
	"kanal/store/storetest"
)

var ctx = context.Background()

func TestOpenAndMigrate(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, _ *storetest.Clock) {
		if err := s.CheckMigrated(ctx); err != nil {
			t.Fatal(err)
		}
		if err := s.Migrate(ctx); err != nil {
			t.Fatal("a second time:", err)
		}
		if err := s.CheckKey(ctx); err != nil {
			t.Fatal(err)
		}
	})
}

func TestJobAndRowsShareACommit(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, _ *storetest.Clock) {
		boom := errors.New("boom")
		for _, fail := range []bool{true, false} {
			err := s.InTx(ctx, func(tx *store.Tx) error {
				if err := tx.SetSetting(ctx, "x", "1"); err != nil {
					return err
				}
				if err := tx.Enqueue(ctx, models.SendConversation{Conversation: 7}); err != nil {
					return err
				}
				if fail {
					return boom
				}
				return nil
			})
			if fail != errors.Is(err, boom) {
				t.Fatal(err)
			}
			n, err := s.CountJobs(ctx)
			if err != nil {
				t.Fatal(err)
			}
			_, missing := s.Setting(ctx, "x")
			if want := map[bool]int{true: 0, false: 1}[fail]; n != want || fail != errors.Is(missing, models.ErrNotFound) {
				t.Fatalf("failed %v: %d jobs, setting %v", fail, n, missing)
			}
		}
	})
}

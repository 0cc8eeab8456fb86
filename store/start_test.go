package store_test

import (
	"context"
	"testing"

	"kanal/models"
	"kanal/store"
	"kanal/store/storetest"
)

func TestProgress(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, _ *storetest.Clock) {
		ctx := context.Background()
		insert := func(rows ...any) {
			t.Helper()
			err := s.InTx(ctx, func(tx *store.Tx) error {
				for _, row := range rows {
					if err := tx.Insert(ctx, row); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		progress := func() models.Progress {
			t.Helper()
			p, err := s.Progress(ctx)
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
		now := s.Now()
		if p := progress(); p != (models.Progress{}) {
			t.Errorf("nothing: %+v", p)
		}
		q := models.Queue{Name: "Q", IsDefault: true, Version: 1, CreatedAt: now}
		admin := models.User{Name: "A", Email: "a@x", Role: models.Administrator, Version: 1, CreatedAt: now, UpdatedAt: now}
		agent := models.User{Name: "B", Email: "b@x", Role: models.Agent, Version: 1, CreatedAt: now, UpdatedAt: now}
		gone := models.User{Name: "C", Email: "c@x", Role: models.Agent, DeactivatedAt: &now, Version: 1, CreatedAt: now, UpdatedAt: now}
		draft := models.Account{Name: "Draft", HookKey: "d", State: models.AccountDraft, Version: 1, CreatedAt: now, UpdatedAt: now}
		insert(&q, &admin, &agent, &gone, &draft)
		member := func(u models.UserID) {
			t.Helper()
			if err := s.InTx(ctx, func(tx *store.Tx) error { return tx.SetQueueMember(ctx, q.ID, u, true) }); err != nil {
				t.Fatal(err)
			}
		}
		member(admin.ID)
		member(gone.ID)
		if p := progress(); p.Accounts != 0 || p.Credentials || p.AccountDraft == nil || p.Team != 1 || p.Colleagues != 0 {
			t.Errorf("a draft: %+v", p)
		}
		member(agent.ID)
		a := models.Account{Name: "A", HookKey: "a", SID: "AC1", TokenSealed: "x", State: models.AccountActive, Version: 1, CreatedAt: now, UpdatedAt: now}
		w := models.Workstream{Name: "W", Distribution: models.Pick, QueueID: q.ID, Version: 1, CreatedAt: now, UpdatedAt: now}
		insert(&a, &w)
		n := models.Number{AccountID: a.ID, Name: "N", Address: "+4721000040", Version: 1, CreatedAt: now, UpdatedAt: now}
		insert(&n)
		p := progress()
		if p.Accounts != 1 || !p.Credentials || p.Silent == nil || p.Silent.ID != a.ID || p.FirstMessage || p.Colleagues != 1 {
			t.Errorf("an account: %+v", p)
		}
		if p.Workstreams != 1 || p.Workstream == nil || p.Claimed != 0 || p.ChannelStep != models.ChannelNone {
			t.Errorf("a workstream: %+v", p)
		}
		err := s.InTx(ctx, func(tx *store.Tx) error {
			n.WorkstreamID = &w.ID
			if err := tx.SaveNumber(ctx, &n); err != nil {
				return err
			}
			return tx.MarkFirstMessage(ctx, a.ID, now)
		})
		if err != nil {
			t.Fatal(err)
		}
		if p := progress(); !p.FirstMessage || p.Silent != nil || p.Workstream != nil || p.Claimed != 1 || p.Answered {
			t.Errorf("a message: %+v", p)
		}
	})
}

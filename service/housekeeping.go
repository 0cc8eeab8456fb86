package service

import (
	"context"
	"time"

	"kanal/models"
	"kanal/store"
)

// Housekeeping picks up sendings whose process has died, closes wrap-ups that are over, and removes what is older than
// its retention. It runs every few seconds on one instance, and at start.
func (s *Service) Housekeeping(ctx context.Context) error {
	if err := s.Recover(ctx); err != nil {
		return err
	}
	now := s.store.Now()
	overdue, err := s.store.OverdueWrapUps(ctx, now.Add(-models.WrapUpTime))
	if err != nil {
		return err
	}
	for _, id := range overdue {
		if err := s.CloseWrapUp(ctx, id); err != nil {
			return err
		}
	}
	org, err := s.store.Organisation(ctx)
	if err != nil {
		return err
	}
	return s.store.InTx(ctx, func(tx *store.Tx) error {
		if err := tx.RemoveExpiredLoginSessions(ctx); err != nil {
			return err
		}
		_, err := tx.RemoveOld(ctx, now.Add(-time.Duration(org.RetentionDays)*24*time.Hour))
		return err
	})
}

// Recover looks at the conversations with an attempt whose lease has ended: each goes on from where its process died.
func (s *Service) Recover(ctx context.Context) error {
	var now time.Time
	err := s.store.InTx(ctx, func(tx *store.Tx) (err error) {
		now, err = tx.DatabaseNow(ctx)
		return err
	})
	if err != nil {
		return err
	}
	ids, err := s.store.ExpiredLeases(ctx, now)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := s.SendConversation(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

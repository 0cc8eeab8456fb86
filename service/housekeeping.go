package service

import (
	"context"
	"errors"
	"slices"
	"time"

	"kanal/models"
	"kanal/store"
)

// leftBehind is how long a message waits to be sent, or to be looked for, before it counts as forgotten: all that
// holds one back on purpose is shorter, or is a time that its attempt names.
const leftBehind = 5 * time.Minute

// Housekeeping picks up sendings whose process has died, closes wrap-ups that are over, brings late conversations into
// their workstream, sees to files, and removes what is older than its retention. It runs every few seconds on one instance, and at
// start. What fails for one does not stop the others.
func (s *Service) Housekeeping(ctx context.Context) error {
	return errors.Join(s.Recover(ctx), s.resumeMended(ctx), s.matchReports(ctx), s.sendOverdue(ctx), s.closeOverdue(ctx), s.adoptLate(ctx), s.keepFiles(ctx), s.removeOld(ctx))
}

// sendOverdue sends scheduled messages whose job is gone.
func (s *Service) sendOverdue(ctx context.Context) error {
	ids, err := s.store.OverdueScheduled(ctx, s.store.Now().Add(-leftBehind))
	if err != nil {
		return err
	}
	for _, id := range ids {
		err = errors.Join(err, s.SendScheduled(ctx, id))
	}
	return err
}

func (s *Service) closeOverdue(ctx context.Context) error {
	overdue, err := s.store.OverdueWrapUps(ctx, s.store.Now().Add(-models.WrapUpTime))
	if err != nil {
		return err
	}
	for _, id := range overdue {
		err = errors.Join(err, s.CloseWrapUp(ctx, id))
	}
	return err
}

// adoptLate brings into a workstream what began at its number while the wizard was finished: a message that was being
// taken in then may have begun a conversation by the directory of before.
func (s *Service) adoptLate(ctx context.Context) error {
	numbers, err := s.store.NumbersClaimedSince(ctx, s.store.Now().Add(-leftBehind))
	if err != nil {
		return err
	}
	for _, n := range numbers {
		err = errors.Join(err, s.store.InTx(ctx, func(tx *store.Tx) error {
			n, err := tx.LockNumber(ctx, n.ID)
			if err != nil || n.WorkstreamID == nil { // taken out, or removed, since it was looked for
				return ignoreMissing(err)
			}
			w, err := tx.Workstream(ctx, *n.WorkstreamID)
			if err != nil {
				return err
			}
			return adopt(ctx, tx, n, w)
		}))
	}
	return err
}

func (s *Service) removeOld(ctx context.Context) error {
	now := s.store.Now()
	org, err := s.store.Organisation(ctx)
	if err != nil {
		return err
	}
	return s.store.InTx(ctx, func(tx *store.Tx) error {
		if err := tx.RemoveExpiredLoginSessions(ctx); err != nil {
			return err
		}
		if err := tx.RemoveOldViewings(ctx, now.Add(-models.ViewingLasts)); err != nil {
			return err
		}
		if err := tx.ForgetOldTokens(ctx); err != nil {
			return err
		}
		_, err := tx.RemoveOld(ctx, now.Add(-time.Duration(org.RetentionDays)*24*time.Hour))
		return err
	})
}

// Recover looks at the conversations with an attempt whose lease has ended: each goes on from where its process died.
// It also picks up messages whose job was given up after too many failures, so that none stays on its way for ever.
func (s *Service) Recover(ctx context.Context) error {
	var now time.Time
	err := s.store.InTx(ctx, func(tx *store.Tx) (err error) {
		now, err = tx.DatabaseNow(ctx)
		return err
	})
	if err != nil {
		return err
	}
	expired, err := s.store.ExpiredLeases(ctx, now)
	waiting, err2 := s.store.LeftQueued(ctx, now, now.Add(-leftBehind))
	if err := errors.Join(err, err2); err != nil {
		return err
	}
	for _, id := range slices.Concat(expired, waiting) {
		err = errors.Join(err, s.SendConversation(ctx, id))
	}
	uncertain, err2 := s.store.LeftUncertain(ctx, now.Add(-leftBehind))
	if err2 != nil {
		return errors.Join(err, err2)
	}
	for _, id := range uncertain {
		err = errors.Join(err, s.SettleMessage(ctx, id))
	}
	return err
}

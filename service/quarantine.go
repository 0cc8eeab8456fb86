package service

import (
	"context"
	"errors"
	"net/url"

	"kanal/models"
	"kanal/store"
)

// ReplayQuarantined takes a call in quarantine in as when it came, at the time at which it was received. The first result
// is the key of the sentence that says why it still cannot be taken in; then it stays. What was taken in before changes
// nothing. ErrNotFound; any other error means that nothing was tried, and that the same may go well later.
func (s *Service) ReplayQuarantined(ctx context.Context, v models.Viewer, id models.QuarantineID) (string, error) {
	row, err := s.store.QuarantinedCall(ctx, id)
	if err != nil || row.ReplayedAt != nil {
		return "", err
	}
	call, err := s.quarantined(ctx, row.Quarantine)
	if err != nil {
		return "", err
	}
	var problem string
	err = guarded(func() (err error) {
		problem, err = s.takeCall(ctx, HookKind(row.Kind), call)
		return err
	})
	if errors.Is(err, errPanic) {
		s.log.Error("a call in quarantine cannot be taken in", "id", id, "err", err)
		problem, err = models.QuarantineFailed, nil
	}
	if err != nil {
		return "", err
	}
	return problem, s.store.InTx(ctx, func(tx *store.Tx) error {
		if done, err := tx.SaveReplay(ctx, id, v.User, problem); err != nil || !done {
			return err
		}
		return tx.Audit(ctx, v, store.QuarantineReplayed, id.Row(), map[string]any{"kind": row.Kind, "problem": problem})
	})
}

// quarantined makes a call of what quarantine keeps.
func (s *Service) quarantined(ctx context.Context, q models.Quarantine) (Call, error) {
	a, err := s.directory.account(q.AccountID)
	if errors.Is(err, models.ErrNotFound) { // another instance may have made it a moment ago
		a, err = s.store.Account(ctx, q.AccountID)
	}
	if err != nil {
		return Call{}, err
	}
	form, err := url.ParseQuery(q.Form)
	if err != nil {
		return Call{}, models.Wrap(err, "read quarantined form")
	}
	return Call{Account: a, Form: form, Query: q.Query, ReceivedAt: q.ReceivedAt, again: true}, nil
}

// maxReplays bounds how many calls one press of a button replays.
const maxReplays = 500

// ReplayAllQuarantined takes in the calls that wait for one reason, in the order in which they came, and gives how many
// still cannot be taken in: they stay with their problem. An error ends it; what is taken in stays so.
func (s *Service) ReplayAllQuarantined(ctx context.Context, v models.Viewer, reason string) (int, error) {
	failed, last := 0, models.QuarantineID(0)
	for tried := 0; tried < maxReplays; {
		ids, err := s.store.WaitingQuarantine(ctx, reason, last)
		if err != nil || len(ids) == 0 {
			return failed, err
		}
		for _, id := range ids {
			problem, err := s.ReplayQuarantined(ctx, v, id)
			if err != nil && !errors.Is(err, models.ErrNotFound) { // its account was deleted a moment ago
				return failed, err
			}
			if problem != "" {
				failed++
			}
			last = id
			tried++
		}
	}
	return failed, nil
}

// DiscardQuarantined notes that a call in quarantine is not wanted. It is kept, as long as any, and can still be
// replayed. ErrNotFound.
func (s *Service) DiscardQuarantined(ctx context.Context, v models.Viewer, id models.QuarantineID) error {
	return s.store.InTx(ctx, func(tx *store.Tx) error {
		q, err := tx.QuarantinedCall(ctx, id)
		if err != nil {
			return err
		}
		if done, err := tx.DiscardQuarantine(ctx, id); err != nil || !done {
			return err
		}
		return tx.Audit(ctx, v, "quarantine.discarded", id.Row(), map[string]any{"kind": q.Kind, "reason": q.Reason})
	})
}

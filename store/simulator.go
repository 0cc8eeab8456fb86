package store

import (
	"context"
	"time"

	"gorm.io/gorm/clause"

	"kanal/models"
)

// AdvanceClock moves the clock of the simulated accounts with a SID ahead, a finished one and drafts alike, and gives
// them, the finished one first. ErrNotFound when there is none.
func (tx *Tx) AdvanceClock(ctx context.Context, sid string, d time.Duration) ([]models.Account, error) {
	var as []models.Account
	err := tx.q(ctx).Clauses(clause.Locking{Strength: "UPDATE"}).Where("simulated AND sid = ?", sid).
		Order("CASE WHEN state = 'draft' THEN 1 ELSE 0 END, id").Find(&as).Error
	if err != nil || len(as) == 0 {
		return nil, orMissing(failed(err, "lock simulated accounts"))
	}
	var ahead time.Duration
	for _, a := range as {
		ahead = max(ahead, a.ClockAhead)
	}
	ahead += d
	err = tx.q(ctx).Model(&models.Account{}).Where("simulated AND sid = ?", sid).Update("clock_ahead", ahead).Error
	for i := range as {
		as[i].ClockAhead = ahead
	}
	return as, failed(err, "advance clock")
}

// WrapUpsOf gives the conversations of an account that are in wrap-up.
func (r Reader) WrapUpsOf(ctx context.Context, account models.AccountID) ([]models.Conversation, error) {
	var cs []models.Conversation
	err := r.q(ctx).Where("account_id = ? AND state = ?", account, models.WrapUp).Order("id").Find(&cs).Error
	return cs, failed(err, "read wrap-ups")
}

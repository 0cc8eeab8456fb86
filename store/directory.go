package store

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"kanal/models"
)

// Directory is what every webhook needs to know.
type Directory struct {
	Accounts     []models.Account
	Numbers      []models.Number
	Workstreams  []models.Workstream
	Automated    []models.AutomatedMessage
	DefaultQueue models.QueueID
}

// Directory reads all accounts, numbers, workstreams and automated messages: they are few.
func (r Reader) Directory(ctx context.Context) (Directory, error) {
	var d Directory
	for _, into := range []any{&d.Accounts, &d.Numbers, &d.Workstreams, &d.Automated} {
		if err := r.q(ctx).Find(into).Error; err != nil {
			return d, failed(err, "read directory")
		}
	}
	var err error
	if d.DefaultQueue, err = r.DefaultQueue(ctx); errors.Is(err, models.ErrNotFound) {
		err = nil // before the setup
	}
	return d, err
}

// HasHookKey tells whether an account has this webhook key.
func (r Reader) HasHookKey(ctx context.Context, key string) (bool, error) {
	var n int64
	err := r.q(ctx).Model(&models.Account{}).Where("hook_key = ?", key).Count(&n).Error
	return n > 0, failed(err, "look for webhook key")
}

// DefaultQueue gives the default queue. ErrNotFound before the setup.
func (r Reader) DefaultQueue(ctx context.Context) (models.QueueID, error) {
	var q models.Queue
	err := r.q(ctx).Where("is_default").Take(&q).Error
	return q.ID, failed(err, "read default queue")
}

// MarkFirstMessage notes the first signed message of an account, once.
func (tx *Tx) MarkFirstMessage(ctx context.Context, id models.AccountID, at time.Time) error {
	err := tx.q(ctx).Model(&models.Account{}).Where("id = ? AND first_message_at IS NULL", id).
		Update("first_message_at", at).Error
	return failed(err, "note first message")
}

// MarkSignatureFail notes that n more calls to the account's address had a wrong signature, with the address over which
// the newest was checked and the one at which it came.
func (tx *Tx) MarkSignatureFail(ctx context.Context, id models.AccountID, n int, expected, seen string) error {
	err := tx.q(ctx).Model(&models.Account{}).Where("id = ?", id).UpdateColumns(map[string]any{ // nobody has changed the account
		"last_signature_fail": tx.Now(), "signature_fails": gorm.Expr("signature_fails + ?", n), "signature_expected": expected, "signature_seen": seen,
	}).Error
	return failed(err, "note signature failure")
}

// ClearSignatureFails notes that a call had the right signature. The result tells whether any had a wrong one since the
// last.
func (tx *Tx) ClearSignatureFails(ctx context.Context, id models.AccountID) (bool, error) {
	res := tx.q(ctx).Model(&models.Account{}).Where("id = ? AND signature_fails > 0", id).UpdateColumn("signature_fails", 0)
	return res.RowsAffected > 0, failed(res.Error, "note right signature")
}

// ConversationByID gives a conversation as it is, for jobs. ErrNotFound.
func (r Reader) ConversationByID(ctx context.Context, id models.ConversationID) (models.Conversation, error) {
	var c models.Conversation
	err := r.q(ctx).Where("id = ?", id).Take(&c).Error
	return c, failed(err, "read conversation")
}

// AttemptBySID gives the account's attempt that is bound to a provider sid. ErrNotFound.
func (r Reader) AttemptBySID(ctx context.Context, account models.AccountID, sid string) (models.SendAttempt, error) {
	var a models.SendAttempt
	err := r.q(ctx).Where("account_id = ? AND sid = ?", account, sid).Take(&a).Error
	return a, failed(err, "read attempt by sid")
}

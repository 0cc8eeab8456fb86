package store

import (
	"context"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"kanal/models"
)

// InsertNumber inserts a number and sets its id. ErrNumberAddress when the account has it already.
func (tx *Tx) InsertNumber(ctx context.Context, n *models.Number) error {
	return accountError(tx.q(ctx).Create(n).Error, "insert number")
}

var numberColumns = []string{
	"name", "address", "workstream_id", "language", "files", "customer_files", "agent_files", "known_sender", "sender_sid", "version",
	"updated_at", "claimed_at", "pace",
}

// SaveNumber writes what changes in a number. ErrStale, ErrNumberAddress.
func (tx *Tx) SaveNumber(ctx context.Context, n *models.Number) error {
	was := n.Version
	n.Version++
	n.UpdatedAt = tx.Now()
	res := tx.q(ctx).Model(&models.Number{}).Where("id = ? AND version = ?", n.ID, was).Select(numberColumns).Updates(n)
	if res.Error != nil {
		return accountError(res.Error, "save number")
	}
	return changed(res, "save number")
}

// SetSender keeps the SID of a number's sender at Twilio, and that Twilio knows it; "" says that Twilio does not list the
// number as a sender.
func (tx *Tx) SetSender(ctx context.Context, id models.NumberID, sid string) error {
	res := tx.q(ctx).Model(&models.Number{}).Where("id = ?", id).Updates(map[string]any{"sender_sid": sid, "known_sender": sid != ""})
	return failed(res.Error, "save sender")
}

// Number gives a number. ErrNotFound.
func (r Reader) Number(ctx context.Context, id models.NumberID) (models.Number, error) {
	var n models.Number
	err := r.q(ctx).Where("id = ?", id).Take(&n).Error
	return n, failed(err, "read number")
}

// LockNumber gives a number, locked until the transaction ends. ErrNotFound.
func (tx *Tx) LockNumber(ctx context.Context, id models.NumberID) (models.Number, error) {
	var n models.Number
	err := tx.q(ctx).Clauses(clause.Locking{Strength: "UPDATE"}).Where("id = ?", id).Take(&n).Error
	return n, failed(err, "lock number")
}

// Pace is how fast a number may send: one message each Every, in the long run. A sender that has rested may go AtOnce
// ahead of that; below zero the asker waits longer than others.
type Pace struct{ Every, AtOnce time.Duration }

// TakeTurn lets one message of a number go out now and puts the next turn off, whoever asks. When it is too early it gives
// the time to ask again, else the zero time.
func (tx *Tx) TakeTurn(ctx context.Context, id models.NumberID, now time.Time, p Pace) (time.Time, error) {
	n, err := tx.LockNumber(ctx, id)
	if err != nil {
		return time.Time{}, err
	}
	next := now
	if n.NextSendAt != nil && n.NextSendAt.Add(-p.AtOnce).After(now) {
		return n.NextSendAt.Add(-p.AtOnce), nil
	}
	if n.NextSendAt != nil && n.NextSendAt.After(now) {
		next = *n.NextSendAt
	}
	res := tx.q(ctx).Model(&models.Number{}).Where("id = ?", id).UpdateColumn("next_send_at", next.Add(p.Every))
	return time.Time{}, changed(res, "take turn")
}

// DeleteNumber deletes a number of an account that nothing uses. ErrNotFound, ErrInUse.
func (tx *Tx) DeleteNumber(ctx context.Context, account models.AccountID, id models.NumberID) error {
	n, err := tx.LockNumber(ctx, id) // a workstream may be claiming it
	if err != nil || n.AccountID != account {
		return orMissing(err)
	}
	var used int64
	if err := tx.q(ctx).Model(&models.Conversation{}).Where("account_id = ? AND number_id = ?", account, id).Count(&used).Error; err != nil {
		return failed(err, "look for uses")
	}
	if used > 0 || n.WorkstreamID != nil {
		return ErrInUse
	}
	return failed(tx.q(ctx).Where("id = ?", id).Delete(&models.Number{}).Error, "delete number")
}

const numberRow = `numbers.*, accounts.name AS account_name, accounts.state AS account_state, accounts.simulated,
	coalesce(workstreams.name, '') AS workstream_name,
	(SELECT count(*) FROM conversations WHERE conversations.account_id = numbers.account_id
		AND conversations.number_id = numbers.id AND conversations.state <> 'closed') AS conversations,
	EXISTS (SELECT 1 FROM conversations WHERE conversations.account_id = numbers.account_id
		AND conversations.number_id = numbers.id) AS used`

func (r Reader) numberRows(ctx context.Context) *gorm.DB {
	return r.q(ctx).Model(&models.Number{}).Select(numberRow).Joins("JOIN accounts ON accounts.id = numbers.account_id").
		Joins("LEFT JOIN workstreams ON workstreams.id = numbers.workstream_id").Order("numbers.name, numbers.id")
}

// NumbersOf gives the numbers of an account.
func (r Reader) NumbersOf(ctx context.Context, account models.AccountID) ([]models.NumberRow, error) {
	var rows []models.NumberRow
	err := r.numberRows(ctx).Where("numbers.account_id = ?", account).Find(&rows).Error
	return rows, failed(err, "read numbers")
}

// NumberOf gives a number of an account. ErrNotFound, also for a number of another one.
func (r Reader) NumberOf(ctx context.Context, account models.AccountID, id models.NumberID) (models.NumberRow, error) {
	var row models.NumberRow
	err := r.numberRows(ctx).Where("numbers.account_id = ? AND numbers.id = ?", account, id).Take(&row).Error
	return row, failed(err, "read number")
}

// NumbersIn gives the numbers that a workstream has claimed.
func (r Reader) NumbersIn(ctx context.Context, w models.WorkstreamID) ([]models.NumberRow, error) {
	var rows []models.NumberRow
	err := r.numberRows(ctx).Where("numbers.workstream_id = ?", w).Find(&rows).Error
	return rows, failed(err, "read numbers")
}

// NumberIn gives a number that the workstream has claimed. ErrNotFound.
func (r Reader) NumberIn(ctx context.Context, w models.WorkstreamID, id models.NumberID) (models.NumberRow, error) {
	var row models.NumberRow
	err := r.numberRows(ctx).Where("numbers.id = ? AND numbers.workstream_id = ?", id, w).Take(&row).Error
	return row, failed(err, "read number")
}

// NumbersClaimedSince gives the numbers that a workstream has claimed since the time.
func (r Reader) NumbersClaimedSince(ctx context.Context, since time.Time) ([]models.Number, error) {
	var ns []models.Number
	err := r.q(ctx).Where("workstream_id IS NOT NULL AND claimed_at > ?", since).Order("id").Find(&ns).Error
	return ns, failed(err, "read numbers")
}

// FinishedNumbers gives the numbers of all finished accounts.
func (r Reader) FinishedNumbers(ctx context.Context) ([]models.NumberRow, error) {
	var rows []models.NumberRow
	err := r.numberRows(ctx).Where("accounts.state <> ?", models.AccountDraft).Find(&rows).Error
	return rows, failed(err, "read numbers")
}

// AutomatedMessage gives a number's message for a trigger; the zero value when there is none.
func (r Reader) AutomatedMessage(ctx context.Context, n models.NumberID, t models.Trigger) (models.AutomatedMessage, error) {
	var ms []models.AutomatedMessage
	err := r.q(ctx).Where(map[string]any{"number_id": n, "trigger": t}).Limit(1).Find(&ms).Error
	if err != nil || len(ms) == 0 {
		return models.AutomatedMessage{NumberID: n, Trigger: t}, failed(err, "read automated message")
	}
	return ms[0], nil
}

// SaveAutomatedMessage writes a number's message for a trigger.
func (tx *Tx) SaveAutomatedMessage(ctx context.Context, m models.AutomatedMessage) error {
	m.UpdatedAt = tx.Now()
	if m.ID == 0 {
		return failed(tx.q(ctx).Create(&m).Error, "insert automated message")
	}
	res := tx.q(ctx).Model(&models.AutomatedMessage{}).Where("id = ?", m.ID).
		Updates(map[string]any{"active": m.Active, "text": m.Text, "updated_at": m.UpdatedAt})
	return changed(res, "save automated message")
}

// DeleteAutomatedMessages removes all automated messages of a number.
func (tx *Tx) DeleteAutomatedMessages(ctx context.Context, n models.NumberID) error {
	return failed(tx.q(ctx).Where("number_id = ?", n).Delete(&models.AutomatedMessage{}).Error, "remove automated messages")
}

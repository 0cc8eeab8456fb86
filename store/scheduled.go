package store

import (
	"context"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"kanal/models"
)

// InsertScheduled inserts a scheduled message and sets its id.
func (tx *Tx) InsertScheduled(ctx context.Context, m *models.ScheduledMessage) error {
	return failed(tx.q(ctx).Create(m).Error, "insert scheduled message")
}

var scheduledColumns = []string{"state", "problem", "body", "content_variables", "due_at", "message_id", "finished_at"}

// SaveScheduled writes what changes in a scheduled message. Guarded by the state it had: ErrStale when another was faster.
func (tx *Tx) SaveScheduled(ctx context.Context, m models.ScheduledMessage, was models.ScheduledState) error {
	res := tx.q(ctx).Model(&models.ScheduledMessage{}).Where("id = ? AND state = ?", m.ID, was).Select(scheduledColumns).Updates(&m)
	return changed(res, "save scheduled message")
}

// LockScheduled gives a scheduled message, locked. ErrNotFound when there is none.
func (tx *Tx) LockScheduled(ctx context.Context, id models.ScheduledID) (models.ScheduledMessage, error) {
	var m models.ScheduledMessage
	err := tx.q(ctx).Clauses(clause.Locking{Strength: "UPDATE"}).Where("id = ?", id).Take(&m).Error
	return m, failed(err, "lock scheduled message")
}

// ScheduledMessage gives a scheduled message. ErrNotFound when there is none.
func (r Reader) ScheduledMessage(ctx context.Context, id models.ScheduledID) (models.ScheduledMessage, error) {
	var m models.ScheduledMessage
	err := r.scheduled(ctx).Where("scheduled_messages.id = ?", id).Take(&m).Error
	return m, failed(err, "read scheduled message")
}

func (r Reader) scheduled(ctx context.Context) *gorm.DB {
	return r.q(ctx).Model(&models.ScheduledMessage{}).Select("scheduled_messages.*, users.name AS user_name").
		Joins("JOIN users ON users.id = scheduled_messages.user_id")
}

// ScheduledFor gives a scheduled message of a conversation that the viewer may see. ErrNotFound when there is none or the
// viewer may not see it.
func (r Reader) ScheduledFor(ctx context.Context, v models.Viewer, id models.ScheduledID) (models.ScheduledMessage, error) {
	m, err := r.ScheduledMessage(ctx, id)
	if err != nil {
		return m, err
	}
	if _, err := r.VisibleConversation(ctx, v, m.ConversationID); err != nil {
		return models.ScheduledMessage{}, err
	}
	return m, nil
}

// ScheduledByKey gives the scheduled message that a user has posted with a key. ErrNotFound when there is none.
func (r Reader) ScheduledByKey(ctx context.Context, c models.Conversation, user models.UserID, key string) (models.ScheduledMessage, error) {
	var m models.ScheduledMessage
	err := r.q(ctx).Where("account_id = ? AND conversation_id = ? AND user_id = ? AND client_key = ?", c.AccountID, c.ID, user, key).Take(&m).Error
	return m, failed(err, "read scheduled message by key")
}

// maxScheduled is how many scheduled messages of one conversation are shown.
const maxScheduled = 50

// Scheduled gives the messages of a conversation that wait for their time, and those that could not be sent and that
// nobody has put away, by their times.
func (r Reader) Scheduled(ctx context.Context, c models.Conversation) ([]models.ScheduledMessage, error) {
	var ms []models.ScheduledMessage
	err := r.scheduled(ctx).Where("scheduled_messages.account_id = ? AND scheduled_messages.conversation_id = ? AND scheduled_messages.state IN ?",
		c.AccountID, c.ID, []models.ScheduledState{models.ScheduledWaiting, models.ScheduledFailed}).
		Order("scheduled_messages.due_at, scheduled_messages.id").Limit(maxScheduled).Find(&ms).Error
	return ms, failed(err, "read scheduled messages")
}

// waitingScheduled is the condition of the partial index, word for word.
const waitingScheduled = "state = 'waiting'"

// OverdueScheduled gives the messages that should have been sent before a time.
func (r Reader) OverdueScheduled(ctx context.Context, before time.Time) ([]models.ScheduledID, error) {
	var ids []models.ScheduledID
	err := r.q(ctx).Model(&models.ScheduledMessage{}).Where(waitingScheduled+" AND due_at < ?", before).
		Order("due_at").Limit(500).Pluck("id", &ids).Error
	return ids, failed(err, "read overdue scheduled messages")
}

// WaitingScheduled gives the messages of an account that wait for their time.
func (r Reader) WaitingScheduled(ctx context.Context, account models.AccountID) ([]models.ScheduledMessage, error) {
	var ms []models.ScheduledMessage
	err := r.q(ctx).Where(waitingScheduled+" AND account_id = ?", account).Order("id").Find(&ms).Error
	return ms, failed(err, "read scheduled messages of account")
}

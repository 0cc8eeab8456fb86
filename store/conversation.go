package store

import (
	"context"
	"slices"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"kanal/models"
)

// ConversationKey is what at most one conversation that is not closed exists for.
type ConversationKey struct {
	Account models.AccountID
	Number  models.NumberID
	Contact models.ContactID
}

func keyOfConversation(c models.Conversation) ConversationKey {
	return ConversationKey{c.AccountID, c.NumberID, c.ContactID}
}

func compareConversationKeys(a, b ConversationKey) int {
	if a.Contact != b.Contact {
		return int(a.Contact - b.Contact)
	}
	if a.Number != b.Number {
		return int(a.Number - b.Number)
	}
	return int(a.Account - b.Account)
}

// OpenConversations gives the conversation that is not closed for each key, locked until the transaction ends. For the
// keys that have none it inserts what fresh gives; one without a message yet (Seq 0) was made by this transaction. None of
// the customers may be blocked.
func (tx *Tx) OpenConversations(ctx context.Context, keys []ConversationKey, fresh func(ConversationKey) models.Conversation) (map[ConversationKey]*models.Conversation, error) {
	keys = slices.Clone(keys)
	slices.SortFunc(keys, compareConversationKeys)
	keys = slices.Compact(keys)
	found, err := tx.lockOpen(ctx, keys)
	if err != nil {
		return nil, err
	}
	missing := slices.DeleteFunc(keys, func(k ConversationKey) bool { return found[k] != nil })
	if len(missing) == 0 {
		return found, nil
	}
	rows := make([]models.Conversation, len(missing))
	for i, k := range missing {
		rows[i] = fresh(k)
	}
	// Another transaction may be faster; ids are not read from here, they would be of the wrong rows.
	if err := tx.q(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&rows).Error; err != nil {
		return nil, failed(err, "insert conversations")
	}
	made, err := tx.lockOpen(ctx, missing)
	if err != nil {
		return nil, err
	}
	for _, k := range missing {
		if made[k] == nil {
			return nil, errRetry // the faster one has closed it already
		}
		found[k] = made[k]
	}
	return found, tx.notBlockedSince(ctx, missing)
}

// notBlockedSince asks for the transaction again when one of these customers is blocked. The caller has seen that nobody
// has blocked them, but on PostgreSQL the insert of the conversation may have waited for who did.
func (tx *Tx) notBlockedSince(ctx context.Context, keys []ConversationKey) error {
	if tx.Dialect() != Postgres {
		return nil
	}
	contacts := make([]models.ContactID, len(keys))
	for i, k := range keys {
		contacts[i] = k.Contact
	}
	blocked, err := tx.Blocked(ctx, contacts)
	if err == nil && len(blocked) > 0 {
		err = errRetry
	}
	return err
}

func (tx *Tx) lockOpen(ctx context.Context, keys []ConversationKey) (map[ConversationKey]*models.Conversation, error) {
	contacts := make([]models.ContactID, len(keys))
	for i, k := range keys {
		contacts[i] = k.Contact
	}
	var rows []models.Conversation
	err := tx.q(ctx).Clauses(clause.Locking{Strength: "UPDATE"}).
		Where("contact_id IN ? AND state <> ?", contacts, models.Closed).Order("id").Find(&rows).Error
	if err != nil {
		return nil, failed(err, "lock conversations")
	}
	found := map[ConversationKey]*models.Conversation{}
	for i := range rows {
		if k := keyOfConversation(rows[i]); slices.Contains(keys, k) {
			found[k] = &rows[i]
		}
	}
	return found, nil
}

// conversationColumns are what changes in a conversation after it was made.
var conversationColumns = []string{
	"workstream_id", "queue_id", "state", "user_id", "address", "seq", "rev", "unread", "last_message_at",
	"last_inbound_at", "last_direction", "last_preview", "last_state", "unanswered_at", "assigned_at", "resolved_at",
	"closed_at", "version", "updated_at",
}

// SaveConversations writes conversations that this transaction has locked, in one statement.
func (tx *Tx) SaveConversations(ctx context.Context, cs ...models.Conversation) error {
	if len(cs) == 0 {
		return nil
	}
	for i := range cs {
		if cs[i].ID == 0 {
			return models.ErrNotFound
		}
		cs[i].Version++
		cs[i].UpdatedAt = tx.Now()
	}
	slices.SortFunc(cs, func(a, b models.Conversation) int { return int(a.ID - b.ID) })
	if len(cs) == 1 {
		err := tx.q(ctx).Model(&models.Conversation{}).Where("id = ? AND version = ?", cs[0].ID, cs[0].Version-1).
			Select(conversationColumns).Updates(&cs[0])
		return changed(err, "save conversation")
	}
	on := clause.OnConflict{DoUpdates: clause.AssignmentColumns(conversationColumns)}
	if tx.Dialect() == Postgres {
		on.Columns = []clause.Column{{Name: "account_id"}, {Name: "id"}}
	}
	return failed(tx.q(ctx).Clauses(on).Create(&cs).Error, "save conversations")
}

// LockConversation gives a conversation, locked until the transaction ends. ErrNotFound when there is none.
func (tx *Tx) LockConversation(ctx context.Context, id models.ConversationID) (models.Conversation, error) {
	var c models.Conversation
	err := tx.q(ctx).Clauses(clause.Locking{Strength: "UPDATE"}).Where("id = ?", id).Take(&c).Error
	return c, failed(err, "lock conversation")
}

// LockVisibleConversation is LockConversation for a person: ErrNotFound too when the viewer may not see it.
func (tx *Tx) LockVisibleConversation(ctx context.Context, v models.Viewer, id models.ConversationID) (models.Conversation, error) {
	var c models.Conversation
	err := visible(tx.q(ctx), v).Clauses(clause.Locking{Strength: "UPDATE"}).Where("conversations.id = ?", id).Take(&c).Error
	return c, failed(err, "lock conversation")
}

// visible limits a query on conversations to what the viewer may see.
func visible(db *gorm.DB, v models.Viewer) *gorm.DB {
	if v.Role.SeesAll() {
		return db
	}
	return db.Where("(conversations.user_id = ? OR conversations.queue_id IN (SELECT queue_id FROM queue_members WHERE user_id = ?))", v.User, v.User)
}

// LockNextInQueue gives the open conversation that has waited longest in the viewer's queues, locked. ErrNotFound when
// the queues are empty. Two who ask at once on PostgreSQL get different ones.
func (tx *Tx) LockNextInQueue(ctx context.Context, v models.Viewer) (models.Conversation, error) {
	var c models.Conversation
	err := visible(tx.q(ctx), v).Clauses(clause.Locking{Strength: "UPDATE", Options: "SKIP LOCKED"}).
		Where("state = ?", models.Open).Order(waitingSince + ", id").Limit(1).Take(&c).Error
	return c, failed(err, "lock next conversation")
}

// ConversationsOf locks and gives the conversations that are not closed and that a user has.
func (tx *Tx) ConversationsOf(ctx context.Context, user models.UserID) ([]models.Conversation, error) {
	var cs []models.Conversation
	err := tx.q(ctx).Clauses(clause.Locking{Strength: "UPDATE"}).
		Where("user_id = ? AND state <> ?", user, models.Closed).Order("id").Find(&cs).Error
	return cs, failed(err, "lock conversations of user")
}

// StartAgentSession notes that a user got a conversation; a session of the conversation that is not ended ends first.
func (tx *Tx) StartAgentSession(ctx context.Context, c models.Conversation, user models.UserID, now time.Time) error {
	if err := tx.EndAgentSession(ctx, c, models.EndedReassigned, now); err != nil {
		return err
	}
	s := models.AgentSession{AccountID: c.AccountID, ConversationID: c.ID, UserID: user, StartedAt: now}
	return failed(tx.q(ctx).Create(&s).Error, "insert agent session")
}

// EndAgentSession ends the conversation's open agent session, if there is one.
func (tx *Tx) EndAgentSession(ctx context.Context, c models.Conversation, reason string, now time.Time) error {
	err := tx.q(ctx).Model(&models.AgentSession{}).
		Where("account_id = ? AND conversation_id = ? AND ended_at IS NULL", c.AccountID, c.ID).
		Updates(map[string]any{"ended_at": now, "reason": reason}).Error
	return failed(err, "end agent session")
}

// OverdueWrapUps gives the conversations that have been in wrap-up since the time or longer.
func (r Reader) OverdueWrapUps(ctx context.Context, before time.Time) ([]models.ConversationID, error) {
	var ids []models.ConversationID
	err := r.q(ctx).Model(&models.Conversation{}).Where("state = ? AND resolved_at <= ?", models.WrapUp, before).
		Order("resolved_at").Limit(500).Pluck("id", &ids).Error
	return ids, failed(err, "read overdue wrap-ups")
}

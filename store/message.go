package store

import (
	"cmp"
	"context"
	"slices"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"kanal/models"
)

// ThreadPage is the number of messages of one page of a thread.
const ThreadPage = 50

// KnownSIDs gives those of an account's message sids that are already kept.
func (r Reader) KnownSIDs(ctx context.Context, account models.AccountID, sids []string) (map[string]bool, error) {
	var rows []string
	err := r.q(ctx).Model(&models.Message{}).Where("account_id = ? AND provider_sid IN ?", account, sids).Pluck("provider_sid", &rows).Error
	if err != nil {
		return nil, failed(err, "read message sids")
	}
	known := make(map[string]bool, len(rows))
	for _, s := range rows {
		known[s] = true
	}
	return known, nil
}

// MessageIDs gives those of an account's messages that Twilio knows by the sids, also by that of an attempt before the
// newest.
func (r Reader) MessageIDs(ctx context.Context, account models.AccountID, sids []string) (map[string]models.MessageID, error) {
	known := make(map[string]models.MessageID, len(sids))
	if len(sids) == 0 {
		return known, nil
	}
	var rows []struct {
		SID string `gorm:"column:sid"`
		ID  models.MessageID
	}
	attempts := r.q(ctx).Model(&models.SendAttempt{}).Select("sid, message_id AS id").Where("account_id = ? AND sid IN ?", account, sids)
	messages := r.q(ctx).Model(&models.Message{}).Select("provider_sid AS sid, id").Where("account_id = ? AND provider_sid IN ?", account, sids)
	err := r.q(ctx).Raw("? UNION ?", messages, attempts).Scan(&rows).Error
	if err != nil {
		return nil, failed(err, "read messages by sid")
	}
	for _, row := range rows {
		known[row.SID] = row.ID
	}
	return known, nil
}

// InsertMessages inserts messages in one statement and sets their ids. ErrDuplicateMessage when the account already
// has one of the provider sids, and only then.
func (tx *Tx) InsertMessages(ctx context.Context, ms []models.Message) error {
	if len(ms) == 0 {
		return nil
	}
	err := tx.q(ctx).Create(&ms).Error
	if isUnique(err, "messages_provider_sid") {
		return ErrDuplicateMessage
	}
	return failed(err, "insert messages")
}

// Place says where a message that comes late belongs: behind all that were kept before At, and, where Behind is the sid of
// a message of the customer's in the same conversation, between that one and the customer's next.
type Place struct {
	At     time.Time
	Behind string
}

// Gap gives the seqs between which a message belongs: 0 after it when it is the last.
func (tx *Tx) Gap(ctx context.Context, c models.Conversation, p Place) (after, before float64, err error) {
	all := func() *gorm.DB {
		return tx.q(ctx).Model(&models.Message{}).Where("account_id = ? AND conversation_id = ?", c.AccountID, c.ID)
	}
	first := func(db *gorm.DB, order string) (float64, error) {
		var seqs []float64
		err := db.Order(order).Limit(1).Pluck("seq", &seqs).Error
		if err != nil || len(seqs) == 0 {
			return 0, failed(err, "read place in conversation")
		}
		return seqs[0], nil
	}
	var from, to float64
	if p.Behind != "" {
		if from, err = first(all().Where("provider_sid = ?", p.Behind), "seq"); err != nil {
			return 0, 0, err
		}
	}
	if from > 0 {
		if to, err = first(all().Where("seq > ? AND direction = ?", from, models.In), "seq"); err != nil {
			return 0, 0, err
		}
	}
	old := all().Where("seq > ? AND created_at <= ?", from, p.At)
	if to > 0 {
		old = old.Where("seq < ?", to)
	}
	if after, err = first(old, "seq DESC"); err != nil {
		return 0, 0, err
	}
	after = max(after, from)
	before, err = first(all().Where("seq > ?", after), "seq")
	return after, before, err
}

// Told gives those of some conversations in which an automated message has gone out already.
func (r Reader) Told(ctx context.Context, accounts []models.AccountID, ids []models.ConversationID, why models.Trigger) (map[models.ConversationID]bool, error) {
	told := map[models.ConversationID]bool{}
	if len(ids) == 0 {
		return told, nil
	}
	var found []models.ConversationID
	err := r.q(ctx).Model(&models.Message{}).Distinct("conversation_id").
		Where("account_id IN ? AND conversation_id IN ? AND \"trigger\" = ?", accounts, ids, why).Pluck("conversation_id", &found).Error
	if err != nil {
		return nil, failed(err, "read automated messages")
	}
	for _, id := range found {
		told[id] = true
	}
	return told, nil
}

// ErrDuplicateMessage says that a message with this provider sid is already kept.
var ErrDuplicateMessage = models.E(models.KindConflict, "message.duplicate")

// userBefore is who wrote the message before this one, system lines left out.
const userBefore = `(SELECT b.user_id FROM messages b WHERE b.account_id = messages.account_id AND b.conversation_id = messages.conversation_id
	AND b.seq < messages.seq AND b.direction <> 'system' ORDER BY b.seq DESC LIMIT 1) AS user_before`

func (r Reader) messages(ctx context.Context, c models.Conversation) *gorm.DB {
	return r.q(ctx).Model(&models.Message{}).Select("messages.*, coalesce(users.name, '') AS user_name, "+userBefore).
		Joins("LEFT JOIN users ON users.id = messages.user_id").
		Where("messages.account_id = ? AND messages.conversation_id = ?", c.AccountID, c.ID)
}

// Messages gives a page of a conversation's messages in the order on screen: the newest, or those before a seq. It
// gives at most ThreadPage+1: one more than a page means that there are older ones.
func (r Reader) Messages(ctx context.Context, c models.Conversation, before float64) ([]models.Message, error) {
	db := r.messages(ctx, c).Order("messages.seq DESC").Limit(ThreadPage + 1)
	if before > 0 {
		db = db.Where("messages.seq < ?", before)
	}
	var ms []models.Message
	if err := db.Find(&ms).Error; err != nil {
		return nil, failed(err, "read messages")
	}
	for i, j := 0, len(ms)-1; i < j; i, j = i+1, j-1 {
		ms[i], ms[j] = ms[j], ms[i]
	}
	return ms, nil
}

// ChangesPage is the number of changed messages that are read at once.
const ChangesPage = 200

// MessagesSince gives what has changed in a conversation after a rev, in the order on screen: the oldest changes, at
// most ChangesPage. more tells that there are others, after rev to.
func (r Reader) MessagesSince(ctx context.Context, c models.Conversation, rev int64) (ms []models.Message, to int64, more bool, err error) {
	err = r.messages(ctx, c).Where("messages.rev > ?", rev).Order("messages.rev").Limit(ChangesPage).Find(&ms).Error
	to, more = c.Rev, len(ms) == ChangesPage
	if more {
		to = ms[len(ms)-1].Rev
	}
	slices.SortFunc(ms, func(a, b models.Message) int { return cmp.Compare(a.Seq, b.Seq) })
	return ms, to, more, failed(err, "read changed messages")
}

// Message gives one message. ErrNotFound when there is none.
func (r Reader) Message(ctx context.Context, id models.MessageID) (models.Message, error) {
	var m models.Message
	err := r.q(ctx).Select("messages.*, coalesce(users.name, '') AS user_name").
		Joins("LEFT JOIN users ON users.id = messages.user_id").Where("messages.id = ?", id).Take(&m).Error
	return m, failed(err, "read message")
}

// LastSaid gives the newest message of a conversation that is no line of the system, 0 when there is none: the one that
// the list shows.
func (r Reader) LastSaid(ctx context.Context, c models.Conversation) (models.MessageID, error) {
	var ids []models.MessageID
	err := r.q(ctx).Model(&models.Message{}).Where("account_id = ? AND conversation_id = ? AND direction <> ?", c.AccountID, c.ID, models.System).
		Order("seq DESC").Limit(1).Pluck("id", &ids).Error
	if err != nil || len(ids) == 0 {
		return 0, failed(err, "read last message")
	}
	return ids[0], nil
}

// MessageBySID gives the account's message with a provider sid. ErrNotFound when there is none.
func (r Reader) MessageBySID(ctx context.Context, account models.AccountID, sid string) (models.Message, error) {
	var m models.Message
	err := r.q(ctx).Where("account_id = ? AND provider_sid = ?", account, sid).Take(&m).Error
	return m, failed(err, "read message by sid")
}

// MessageByClientKey gives the message that a user has posted with a key. ErrNotFound when there is none.
func (r Reader) MessageByClientKey(ctx context.Context, c models.Conversation, user models.UserID, key string) (models.Message, error) {
	var m models.Message
	err := r.messages(ctx, c).Where("messages.user_id = ? AND messages.client_key = ?", user, key).Take(&m).Error
	return m, failed(err, "read message by key")
}

// HasWritten tells whether a user has written in a conversation after a time.
func (r Reader) HasWritten(ctx context.Context, c models.Conversation, user models.UserID, since time.Time) (bool, error) {
	var ids []models.MessageID
	err := r.q(ctx).Model(&models.Message{}).
		Where("account_id = ? AND conversation_id = ? AND direction = ? AND user_id = ? AND created_at > ?", c.AccountID, c.ID, models.Out, user, since).
		Limit(1).Pluck("id", &ids).Error
	return len(ids) > 0, failed(err, "read messages of user")
}

// FirstUnsent gives the conversation's messages that are not yet with Twilio, the oldest first, at most limit. What is to
// be sent again later than now is not among them.
func (r Reader) FirstUnsent(ctx context.Context, c models.Conversation, now time.Time, limit int) ([]models.Message, error) {
	var ms []models.Message
	err := r.q(ctx).Where("account_id = ? AND conversation_id = ? AND state IN ?", c.AccountID, c.ID,
		[]models.MessageState{models.Queued, models.Sending, models.Uncertain}).
		Where("retry_at IS NULL OR retry_at <= ?", now).
		Order("seq").Limit(limit).Find(&ms).Error
	return ms, failed(err, "read unsent messages")
}

var messageColumns = []string{
	"rev", "provider_sid", "state", "error_code", "attempt", "sent_at", "delivered_at", "read_at", "updated_at",
	"poll_at", "polls", "retry_at",
}

// SaveMessage writes what changes in a message. Guarded by the state it had: KindConflict when another was faster.
func (tx *Tx) SaveMessage(ctx context.Context, m models.Message, was models.MessageState) error {
	m.UpdatedAt = tx.Now()
	res := tx.q(ctx).Model(&models.Message{}).Where("id = ? AND state = ?", m.ID, was).
		Select(messageColumns).Updates(&m)
	return changed(res, "save message")
}

// DuePolls gives the messages about which Twilio is to be asked, the longest due first, at most limit.
func (r Reader) DuePolls(ctx context.Context, now time.Time, limit int) ([]models.Message, error) {
	var ms []models.Message
	err := r.q(ctx).Where("poll_at <= ?", now).Order("poll_at, id").Limit(limit).Find(&ms).Error
	return ms, failed(err, "read due polls")
}

// SetPoll writes when Twilio is asked next about a message that stands as it was read.
func (tx *Tx) SetPoll(ctx context.Context, m models.Message, at *time.Time) error {
	return failed(tx.stillAs(ctx, m).UpdateColumn("poll_at", at).Error, "set poll")
}

// CountPoll counts an asking and writes when the next one is, unless the message has changed.
func (tx *Tx) CountPoll(ctx context.Context, m models.Message, at *time.Time) error {
	return failed(tx.stillAs(ctx, m).UpdateColumns(map[string]any{"poll_at": at, "polls": m.Polls + 1}).Error, "count poll")
}

func (tx *Tx) stillAs(ctx context.Context, m models.Message) *gorm.DB {
	return tx.q(ctx).Model(&models.Message{}).Where("account_id = ? AND id = ? AND rev = ? AND polls = ?", m.AccountID, m.ID, m.Rev, m.Polls)
}

// SaveDetails writes what has become known of a message beside its text, with its new rev.
func (tx *Tx) SaveDetails(ctx context.Context, m models.Message) error {
	m.UpdatedAt, m.SearchText = tx.Now(), m.Searchable()
	res := tx.q(ctx).Model(&models.Message{}).Where("account_id = ? AND id = ?", m.AccountID, m.ID).
		Select("rev", "details", "search_text", "updated_at").Updates(&m)
	return changed(res, "save details")
}

// ServiceWindow gives the service window of a contact and number; the zero value when the customer has never written.
func (r Reader) ServiceWindow(ctx context.Context, k ConversationKey) (models.ServiceWindow, error) {
	var ws []models.ServiceWindow
	err := r.q(ctx).Where("account_id = ? AND number_id = ? AND contact_id = ?", k.Account, k.Number, k.Contact).Limit(1).Find(&ws).Error
	if err != nil || len(ws) == 0 {
		return models.ServiceWindow{AccountID: k.Account, NumberID: k.Number, ContactID: k.Contact}, failed(err, "read service window")
	}
	return ws[0], nil
}

// CloseServiceWindow writes the closing time of a window that WhatsApp has closed. A window that the customer has opened
// anew since it was read stays as it is.
func (tx *Tx) CloseServiceWindow(ctx context.Context, w models.ServiceWindow) error {
	err := tx.q(ctx).Model(&models.ServiceWindow{}).
		Where("account_id = ? AND number_id = ? AND contact_id = ? AND last_inbound_at <= ?", w.AccountID, w.NumberID, w.ContactID, w.LastInboundAt).
		Update("closes_at", w.ClosesAt).Error
	return failed(err, "close service window")
}

// ExtendServiceWindows writes windows that customers have opened; none gets shorter. Keys must not repeat.
func (tx *Tx) ExtendServiceWindows(ctx context.Context, ws []models.ServiceWindow) error {
	if len(ws) == 0 {
		return nil
	}
	later := func(col string) clause.Expr {
		return gorm.Expr("CASE WHEN excluded." + col + " > service_windows." + col + " THEN excluded." + col + " ELSE service_windows." + col + " END")
	}
	on := clause.OnConflict{
		Columns:   []clause.Column{{Name: "account_id"}, {Name: "number_id"}, {Name: "contact_id"}},
		DoUpdates: clause.Assignments(map[string]any{"closes_at": later("closes_at"), "last_inbound_at": later("last_inbound_at")}),
	}
	return failed(tx.q(ctx).Clauses(on).Create(&ws).Error, "extend service windows")
}

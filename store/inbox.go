package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"kanal/models"
)

// InboxPage is the number of rows of one page of the inbox.
const InboxPage = 50

// countBound is the most a count on a tab counts: beyond it people read "many".
const countBound = 1000

// InboxFilter says which conversations a list shows. After is the last row of the page before. Rows is the number of
// rows, 0 for InboxPage.
type InboxFilter struct {
	View  models.InboxView
	After *InboxCursor
	Rows  int
}

// InboxCursor is a place in a list: the time by which it is sorted and the id.
type InboxCursor struct {
	At time.Time
	ID models.ConversationID
}

// answered is the time by which the queue sorts a conversation in which nobody waits for an answer: after all others.
// The engines do not agree on where NULL stands, and a page could not begin after it.
var answered = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

// waitingSince is the time by which the queue is sorted, word for word as in its indexes.
const waitingSince = "coalesce(conversations.unanswered_at, '9999-12-31 00:00:00+00:00')"

// CursorOf gives the place of a row in a view.
func CursorOf(view models.InboxView, row models.ConversationRow) InboxCursor {
	switch {
	case view != models.ViewQueue:
		return InboxCursor{At: row.LastMessageAt, ID: row.ID}
	case row.UnansweredAt == nil:
		return InboxCursor{At: answered, ID: row.ID}
	}
	return InboxCursor{At: *row.UnansweredAt, ID: row.ID}
}

const conversationRow = `conversations.*,
	CASE WHEN contacts.name <> '' THEN contacts.name ELSE contacts.profile_name END AS contact_name,
	coalesce(users.name, '') AS agent_name, coalesce(workstreams.name, '') AS workstream_name, queues.name AS queue_name,
	numbers.name AS number_name, numbers.address AS number_address, coalesce(drafts.body, '') AS draft,
	accounts.simulated, accounts.clock_ahead,
	service_windows.closes_at AS window_closes_at, service_windows.last_inbound_at AS window_inbound,
	contacts.language AS contact_language, contacts.blocked_at,
	consents.given AS consent_given, consents.source AS consent_source, consents.note AS consent_note, consents.at AS consent_at,
	EXISTS (SELECT 1 FROM scheduled_messages WHERE scheduled_messages.account_id = conversations.account_id AND
		scheduled_messages.conversation_id = conversations.id AND scheduled_messages.state = 'failed') AS later_failed`

// storedFiles adds how many files are here; lists do without.
const storedFiles = `, (SELECT count(*) FROM files WHERE files.account_id = conversations.account_id AND
	files.conversation_id = conversations.id AND files.message_id IS NOT NULL AND files.state = ?) AS files`

// conversationRows adds what lists show to conversations that of has chosen. They are chosen, sorted and cut before
// anything is joined to them.
func (r Reader) conversationRows(ctx context.Context, v models.Viewer, of *gorm.DB) *gorm.DB {
	return r.q(ctx).Table("(?) AS conversations", of).Select(conversationRow).
		Joins("JOIN contacts ON contacts.id = conversations.contact_id").
		Joins("JOIN queues ON queues.id = conversations.queue_id").
		Joins("JOIN numbers ON numbers.id = conversations.number_id").
		Joins("JOIN accounts ON accounts.id = conversations.account_id").
		Joins("LEFT JOIN users ON users.id = conversations.user_id").
		Joins("LEFT JOIN workstreams ON workstreams.id = conversations.workstream_id").
		Joins("LEFT JOIN drafts ON drafts.account_id = conversations.account_id AND drafts.conversation_id = conversations.id AND drafts.user_id = ?", v.User).
		Joins("LEFT JOIN consents ON consents.id = (SELECT max(c.id) FROM consents c WHERE c.account_id = conversations.account_id AND c.contact_id = conversations.contact_id AND c.scope = ?)", models.ConsentAll).
		Joins("LEFT JOIN service_windows ON service_windows.account_id = conversations.account_id AND service_windows.number_id = conversations.number_id AND service_windows.contact_id = conversations.contact_id")
}

// visibleConversations are those that the viewer may see.
func (r Reader) visibleConversations(ctx context.Context, v models.Viewer) *gorm.DB {
	return visible(r.q(ctx).Model(&models.Conversation{}), v)
}

// Conversation gives one conversation as the viewer sees it. ErrNotFound when there is none or the viewer may not see it.
func (r Reader) Conversation(ctx context.Context, v models.Viewer, id models.ConversationID) (models.ConversationRow, error) {
	var row models.ConversationRow
	rows := r.conversationRows(ctx, v, r.visibleConversations(ctx, v).Where("conversations.id = ?", id))
	err := rows.Select(conversationRow+storedFiles, models.FileStored).Take(&row).Error
	return row, failed(err, "read conversation")
}

// Conversations gives one page of a list of the inbox: Queue with the longest unanswered first and the answered last, the
// others with the newest first. It gives at most one row more than was asked for: then there is another page.
func (r Reader) Conversations(ctx context.Context, v models.Viewer, f InboxFilter) ([]models.ConversationRow, error) {
	page, order := r.inboxPage(ctx, v, f)
	var rows []models.ConversationRow
	return rows, failed(r.conversationRows(ctx, v, page).Order(order).Find(&rows).Error, "read conversations")
}

// inboxPage chooses the conversations of a page, and gives their order.
func (r Reader) inboxPage(ctx context.Context, v models.Viewer, f InboxFilter) (page *gorm.DB, order string) {
	if f.Rows == 0 {
		f.Rows = InboxPage
	}
	order, after := "conversations.last_message_at DESC, conversations.id DESC", "(conversations.last_message_at, conversations.id) < (?, ?)"
	if f.View == models.ViewQueue {
		order, after = waitingSince+", conversations.id", "("+waitingSince+", conversations.id) > (?, ?)"
	}
	page = inView(r.visibleConversations(ctx, v), v, f.View).Order(order).Limit(f.Rows + 1)
	if f.After == nil {
		return page, order
	}
	if f.View == models.ViewQueue { // SQLite does not look up two values together in an index with an expression
		page = page.Where(waitingSince+" >= ?", f.After.At)
	}
	return page.Where(after, f.After.At, f.After.ID), order
}

func inView(db *gorm.DB, v models.Viewer, view models.InboxView) *gorm.DB {
	switch view {
	case models.ViewQueue:
		return db.Where("conversations.state = ?", models.Open)
	case models.ViewMine:
		return db.Where("conversations.user_id = ? AND conversations.state <> ?", v.User, models.Closed)
	}
	return db.Where("conversations.state <> ?", models.Closed)
}

// InboxCounts counts the conversations of each view, each up to a thousand.
func (r Reader) InboxCounts(ctx context.Context, v models.Viewer) (models.InboxCounts, error) {
	var out models.InboxCounts
	count := func(db *gorm.DB, into *int) error {
		some := visible(db.Model(&models.Conversation{}), v).Select("1").Limit(countBound)
		return failed(r.q(ctx).Table("(?) AS counted", some).Select("count(*)").Scan(into).Error, "count conversations")
	}
	views := []struct {
		view models.InboxView
		into *int
	}{{models.ViewMine, &out.Mine}, {models.ViewQueue, &out.Queue}, {models.ViewAll, &out.All}}
	for _, w := range views {
		if err := count(inView(r.q(ctx), v, w.view), w.into); err != nil {
			return out, err
		}
	}
	return out, count(inView(r.q(ctx), v, models.ViewMine).Where("unread > 0"), &out.Unread)
}

// FirstInQueue gives the conversation that "Take next" would give the viewer now, 0 when nothing waits.
func (r Reader) FirstInQueue(ctx context.Context, v models.Viewer) (models.ConversationID, error) {
	var ids []models.ConversationID
	err := visible(r.q(ctx).Model(&models.Conversation{}), v).Where("state = ?", models.Open).
		Order(waitingSince+", id").Limit(1).Pluck("id", &ids).Error
	if err != nil || len(ids) == 0 {
		return 0, failed(err, "read the first in the queue")
	}
	return ids[0], nil
}

// EarlierConversations gives the contact's other conversations, the newest first, at most limit.
func (r Reader) EarlierConversations(ctx context.Context, v models.Viewer, of models.ConversationRow, limit int) ([]models.ConversationRow, error) {
	var rows []models.ConversationRow
	page := r.visibleConversations(ctx, v).Where("conversations.contact_id = ? AND conversations.id <> ?", of.ContactID, of.ID).
		Order("conversations.id DESC").Limit(limit)
	err := r.conversationRows(ctx, v, page).Order("conversations.id DESC").Find(&rows).Error
	return rows, failed(err, "read earlier conversations")
}

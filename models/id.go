package models

import "strconv"

// Ids are typed, so that no id of one kind is taken for another. Zero means "none" and is refused where an id is read.
type (
	// UserID names a person who signs in.
	UserID int64
	// QueueID names a queue.
	QueueID int64
	// AccountID names a messaging account.
	AccountID int64
	// NumberID names a WhatsApp number.
	NumberID int64
	// WorkstreamID names a workstream.
	WorkstreamID int64
	// ContactID names a customer.
	ContactID int64
	// ConversationID names a conversation.
	ConversationID int64
	// MessageID names a message.
	MessageID int64
	// AttemptID names one try to send a message.
	AttemptID int64
	// TemplateID names a message template.
	TemplateID int64
	// FileID names a file of a conversation.
	FileID int64
	// ScheduledID names a message that is to be sent later.
	ScheduledID int64
	// QuarantineID names a call that could not be taken in.
	QuarantineID int64
	// AlertID names an alert of Twilio's.
	AlertID int64
)

// Row names the account's row: in the audit log, and for its secrets, which open in no other.
func (id AccountID) Row() string { return "accounts/" + strconv.FormatInt(int64(id), 10) }

// Row names the call's row in the audit log.
func (id QuarantineID) Row() string { return "quarantines/" + strconv.FormatInt(int64(id), 10) }

// ParseID reads an id from a path or a form. ErrNotFound for anything but a positive decimal number in its usual
// form, so that "+7", "007" and "0" name nothing.
func ParseID[T ~int64](s string) (T, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n <= 0 || strconv.FormatInt(n, 10) != s {
		return 0, ErrNotFound
	}
	return T(n), nil
}

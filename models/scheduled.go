package models

import (
	"encoding/json"
	"time"
)

// ScheduledState is where a scheduled message stands.
type ScheduledState string

// The states of a scheduled message.
const (
	ScheduledWaiting  ScheduledState = "waiting"
	ScheduledSent     ScheduledState = "sent" // it became a message
	ScheduledCanceled ScheduledState = "canceled"
	ScheduledFailed   ScheduledState = "failed" // it could not become one: Problem says why
)

// MaxSchedule is how far ahead a message may be scheduled.
const MaxSchedule = 90 * 24 * time.Hour

// ScheduledMessage is a message that an agent wants sent at a time.
type ScheduledMessage struct {
	ID               ScheduledID
	AccountID        AccountID
	ConversationID   ConversationID
	UserID           UserID
	UserName         string `gorm:"->"` // read only
	ClientKey        string
	State            ScheduledState
	Problem          string
	Body             string // of a template: what the customer would read
	TemplateID       *TemplateID
	ContentSID       string `gorm:"column:content_sid"` // of a template that is no row: the sandbox's own
	TemplateName     string // "" for a text and files
	ContentVariables string // the values, as JSON
	DueAt            time.Time
	MessageID        *MessageID
	CreatedAt        time.Time
	FinishedAt       *time.Time
}

// Values are those of the template's variables.
func (m ScheduledMessage) Values() map[string]string {
	values := map[string]string{}
	_ = json.Unmarshal([]byte(m.ContentVariables), &values) // strings only; "" is none
	return values
}

// ChangedBy tells whether somebody may change the message: its writer, who has its conversation, and supervisors.
func (m ScheduledMessage) ChangedBy(v Viewer, c Conversation) bool {
	return m.UserID == v.User || v.Role.SeesAll() || c.UserID != nil && *c.UserID == v.User
}

// Open tells whether the message can still be sent: it waits, or could not be sent and nobody has put it away.
func (m ScheduledMessage) Open() bool {
	return m.State == ScheduledWaiting || m.State == ScheduledFailed
}

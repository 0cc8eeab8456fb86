package models

import "time"

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
	Body             string
	TemplateID       *TemplateID
	ContentVariables string
	DueAt            time.Time
	MessageID        *MessageID
	CreatedAt        time.Time
	FinishedAt       *time.Time
}

package models

import "time"

// ConsentScope is what a consent is about.
type ConsentScope string

// Scopes of consent: all messages that the customer has not asked for, or marketing only.
const (
	ConsentAll       ConsentScope = "all"
	ConsentMarketing ConsentScope = "marketing"
)

// Consent is one moment at which a customer agreed to messages or opted out. The newest one of a scope holds.
type Consent struct {
	ID        int64
	AccountID AccountID
	ContactID ContactID
	Scope     ConsentScope
	Given     bool   // false: opted out
	Source    string // who or what said so: agent, stop_word, start_word, twilio …
	Note      string
	UserID    *UserID
	MessageID *MessageID
	At        time.Time
}

package models

import "time"

// Quarantine keeps a call that was signed but could not be taken in, until an administrator looks at it.
type Quarantine struct {
	ID          QuarantineID
	AccountID   AccountID
	Kind        string // inbound or status
	Reason      string // key of the sentence
	Form        string
	Query       string // of the call's address, as it came: of a report it names our message
	ReceivedAt  time.Time
	ReplayedAt  *time.Time
	TriedAt     *time.Time // the newest replay
	TriedBy     *UserID
	Problem     string // key of the sentence that says why the newest replay failed
	DiscardedAt *time.Time
}

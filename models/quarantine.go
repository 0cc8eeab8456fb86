package models

import "time"

// Quarantine keeps a call that was signed but could not be taken in, until an administrator looks at it.
type Quarantine struct {
	ID          QuarantineID
	AccountID   AccountID
	Kind        string // the last part of the address: inbound, status, fallback or debug
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

// Why a call is in quarantine: keys of sentences.
const (
	QuarantineUnreadable    = "quarantine.unreadable"
	QuarantineOtherAccount  = "quarantine.other_account"
	QuarantineUnknownNumber = "quarantine.unknown_number"
	QuarantineFailed        = "quarantine.failed"
)

// QuarantineReasons lists why calls are in quarantine.
func QuarantineReasons() []string {
	return []string{QuarantineUnknownNumber, QuarantineUnreadable, QuarantineOtherAccount, QuarantineFailed}
}

// Waits tells whether an administrator has still to look at the call.
func (q Quarantine) Waits() bool { return q.ReplayedAt == nil && q.DiscardedAt == nil }

// Why is the reason that holds now: of the newest replay, else of when the call came.
func (q Quarantine) Why() string {
	if q.Problem != "" {
		return q.Problem
	}
	return q.Reason
}

// QuarantineRow is a call in quarantine as the list shows it.
type QuarantineRow struct {
	Quarantine
	AccountName string
	TriedByName string
	Tries       int
}

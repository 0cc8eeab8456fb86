package models

import "time"

// AccountState is where a messaging account stands.
type AccountState string

// The states of a messaging account.
const (
	AccountDraft  AccountState = "draft"  // the wizard is not finished
	AccountActive AccountState = "active" // finished
)

// CheckState is what Twilio last said about an account's SID and token.
type CheckState string

// The results of asking Twilio for the account.
const (
	CheckNone        CheckState = ""            // not asked: saved without check
	CheckOK          CheckState = "ok"          // Twilio accepted SID and token
	CheckRejected    CheckState = "rejected"    // 401
	CheckSuspended   CheckState = "suspended"   // the account is suspended or closed
	CheckUnreachable CheckState = "unreachable" // no answer
)

// Account is a messaging account: a Twilio account from which WhatsApp messages come and go.
type Account struct {
	ID                AccountID
	Name              string
	Channel           string // ChannelWhatsApp, "" in a draft that has not chosen
	SID               string `gorm:"column:sid"` // AC…, "" in a draft
	TokenSealed       string
	TokenLast4        string
	NextTokenSealed   string // during a rotation both tokens sign
	NextTokenLast4    string
	NextTokenAt       *time.Time // when the next token was put beside the current one
	OldTokenSealed    string     // after a rotation: it checks signatures until OldTokenUntil
	OldTokenUntil     *time.Time
	HookKey           string // the unguessable part of its webhook URLs
	State             AccountState
	Step              AccountStep // the furthest step the draft has completed
	CheckState        CheckState
	CheckedAt         *time.Time
	FirstMessageAt    *time.Time // the first signed inbound message: the callback works
	LastSignatureFail *time.Time
	SignatureFails    int           // since the last right signature
	SignatureExpected string        // the address over which the last wrong signature was checked
	SignatureSeen     string        // the address at which that call came
	StoppedAt         *time.Time    // Twilio did not accept SID and token: nothing is sent until that is mended
	StoppedCode       int           // Twilio's
	CaughtUpAt        *time.Time    // what Twilio took in for us up to this time is here
	Simulated         bool          // the built-in simulator minted its SID
	ClockAhead        time.Duration // how far a simulated account's clock runs ahead
	RemoveFiles       bool          // files are removed at Twilio once they are safe here
	HideTyping        bool          // customers do not see that somebody is answering
	CreatedBy         UserID
	Version           int
	CreatedAt         time.Time
	UpdatedAt         time.Time
	FinishedAt        *time.Time
}

// ChannelWhatsApp is the only channel of this release.
const ChannelWhatsApp = "whatsapp"

// Now gives the time as this account's rows see it: a simulated account's clock may have been moved ahead.
func (a Account) Now(now time.Time) time.Time { return now.Add(a.ClockAhead) }

// AccountStep is a step of the wizard New account, in order.
type AccountStep int

// The steps of the wizard New account. StepNone is a draft that has completed nothing.
const (
	StepNone AccountStep = iota
	StepChannelDetails
	StepAccountDetails
	StepNumbers
	StepCallback
)

// AccountSteps lists the steps in order with the last part of their paths.
func AccountSteps() []string {
	return []string{"channel-details", "account-details", "numbers", "callback"}
}

// ParseAccountStep reads the last part of a step's path. ErrNotFound for any other text.
func ParseAccountStep(s string) (AccountStep, error) {
	for i, name := range AccountSteps() {
		if name == s {
			return AccountStep(i + 1), nil
		}
	}
	return StepNone, ErrNotFound
}

// Path gives the last part of the step's path.
func (s AccountStep) Path() string {
	if s < StepChannelDetails || s > StepCallback {
		return AccountSteps()[0]
	}
	return AccountSteps()[s-1]
}

// Open tells whether a draft may open the step: every step before it is complete. A finished account opens all.
func (a Account) Open(step AccountStep) bool {
	return a.State == AccountActive || step <= a.Step+1
}

// Furthest gives the furthest step that may be opened.
func (a Account) Furthest() AccountStep {
	if a.State == AccountActive {
		return StepCallback
	}
	return min(a.Step+1, StepCallback)
}

// AccountRow is an account as the list shows it.
type AccountRow struct {
	Account
	Numbers     int
	OwnNumbers  int    // that are not the sandbox's
	Workstreams string // names, comma separated
	InUse       bool   // a workstream or a conversation uses one of its numbers
}

// OldTokenLasts is how long after a rotation the old token still checks signatures: for calls that Twilio had signed and
// was trying again.
const OldTokenLasts = 5 * time.Minute

// WithoutNextToken gives the account after a rotation was given up.
func (a Account) WithoutNextToken() Account {
	a.NextTokenSealed, a.NextTokenLast4, a.NextTokenAt = "", "", nil
	return a
}

// Promoted gives the account after its next token has become the current one.
func (a Account) Promoted(now time.Time) Account {
	until := now.Add(OldTokenLasts)
	a.OldTokenSealed, a.OldTokenUntil = a.TokenSealed, &until
	a.TokenSealed, a.TokenLast4 = a.NextTokenSealed, a.NextTokenLast4
	return a.WithoutNextToken()
}

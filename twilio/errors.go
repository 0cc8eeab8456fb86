package twilio

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Outcome says what a failed request means for the thing it asked for.
type Outcome int

// The outcomes of a failed request.
const (
	// Unknown: the request went out and its answer is lost or is a 5xx. What it asked for may have happened.
	Unknown Outcome = iota
	// NotProcessed: it never reached Twilio, or Twilio says that it did nothing (429). It may be sent again.
	NotProcessed
	// Rejected: Twilio refused it for good.
	Rejected
)

// Error is a failed request. It never holds the body, an address or a secret.
type Error struct {
	Outcome    Outcome
	Status     int // HTTP; 0 without an answer
	Code       int // Twilio's; 0 when there is none
	RequestID  string
	RetryAfter time.Duration
	Cause      error
}

// Error says what is known.
func (e *Error) Error() string {
	if e.Status == 0 {
		return fmt.Sprintf("twilio: no answer: %v", e.Cause)
	}
	return fmt.Sprintf("twilio: http %d, code %d, request %s", e.Status, e.Code, e.RequestID)
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// AsError gives the Error in err; anything else is an unknown outcome.
func AsError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Outcome: Unknown, Cause: err}
}

// Unauthorized tells whether Twilio did not accept SID and token.
func (e *Error) Unauthorized() bool { return e.Status == 401 && e.Code != CodeSuspended }

// Suspended tells whether Twilio has suspended or closed the account.
func (e *Error) Suspended() bool { return e.Code == CodeSuspended }

// Codes that Kanal treats in a way of its own.
const (
	CodeOutsideWindow = 63016
	CodeNotJoined     = 63015 // the sandbox only
	CodeOptedOut      = 21610 // the customer wrote STOP, and Twilio took it
	CodeBlocked       = 63014 // the customer blocks the sender
	CodeNoMarketing   = 63033 // the customer has opted out of marketing
	CodeNoMarketing2  = 63050 // the same, said by another part of WhatsApp
	CodeTooMany       = 20429
	CodeUnauthorized  = 20003
	CodeSuspended     = 20005
	CodeContentSID    = 21655
	CodeContentValues = 21656
	CodeRejected      = 63040 // of a template
	CodePaused        = 63041
	CodeDisabled      = 63042
	// CodeNoAnswer is ours: Twilio was not reached at all.
	CodeNoAnswer = 1
	// CodeNoFile is ours: the file of the message is gone.
	CodeNoFile = 2

	CodeBadMediaURL  = 21620 // it is no address, or not one that can be fetched
	CodeMediaFetch   = 63019 // the file was not fetched in time, or not at all
	CodeMediaInvalid = 63021 // WhatsApp does not take such a file
	CodeMediaSize    = 63034 // the file is too large
)

// Advice says what a person can do about a message that failed.
type Advice string

// What to do about a failed message.
const (
	AdviceRetry Advice = "retry" // send it again
	AdviceAdmin Advice = "admin" // an administrator has to mend something
	// AdviceTemplate: send a template instead, or another one.
	AdviceTemplate Advice = "template"
	AdviceNone     Advice = "none"
)

// known are the codes that have a sentence of their own (errors of the Message resource and of WhatsApp); the sentence's
// key is "twilio.code.N".
var known = map[int]Advice{
	CodeNoAnswer: AdviceRetry, CodeUnauthorized: AdviceAdmin, CodeSuspended: AdviceAdmin, CodeTooMany: AdviceRetry,
	CodeNoFile: AdviceNone, CodeBadMediaURL: AdviceAdmin, CodeMediaSize: AdviceNone,
	21211: AdviceNone, 21408: AdviceAdmin, CodeOptedOut: AdviceNone, 21617: AdviceNone, 30008: AdviceRetry,
	63001: AdviceAdmin, 63003: AdviceNone, 63005: AdviceNone, 63007: AdviceAdmin, 63010: AdviceRetry, 63012: AdviceRetry,
	63013: AdviceNone, CodeBlocked: AdviceNone, CodeNotJoined: AdviceNone, CodeOutsideWindow: AdviceTemplate, 63018: AdviceRetry,
	63019: AdviceRetry, 63020: AdviceAdmin, 63021: AdviceNone, 63024: AdviceNone, 63032: AdviceNone, 63038: AdviceNone,
	63049: AdviceNone, 63051: AdviceAdmin,
	CodeNoMarketing: AdviceNone, CodeNoMarketing2: AdviceNone,
	// Of channels, of services, of Twilio itself, and of carriers.
	11751: AdviceNone, 20404: AdviceAdmin, 20500: AdviceRetry, 20503: AdviceRetry, 21602: AdviceNone,
	21603: AdviceAdmin, 21604: AdviceNone, 21606: AdviceAdmin, 21623: AdviceNone, 21701: AdviceAdmin,
	21703: AdviceAdmin, 21704: AdviceAdmin, 21705: AdviceAdmin, 21910: AdviceAdmin, 30001: AdviceRetry,
	30003: AdviceRetry, 30004: AdviceNone, 30005: AdviceNone, 30006: AdviceNone, 30007: AdviceNone,
	30036: AdviceRetry, 30409: AdviceNone, 63002: AdviceAdmin, 63006: AdviceNone, 63008: AdviceAdmin,
	63009: AdviceRetry, 63011: AdviceRetry, 63017: AdviceRetry, 63022: AdviceAdmin, 63023: AdviceRetry,
	63025: AdviceNone, 63031: AdviceAdmin, 63037: AdviceRetry,
	// Of templates.
	CodeContentSID: AdviceAdmin, CodeContentValues: AdviceTemplate, 63027: AdviceTemplate, 63028: AdviceTemplate, 63029: AdviceNone,
	63030: AdviceAdmin, CodeRejected: AdviceTemplate, CodePaused: AdviceTemplate, CodeDisabled: AdviceTemplate,
}

// temporary are the codes of problems inside WhatsApp or Twilio, or of a limit on sending, that pass by themselves.
var temporary = []int{30001, 30036, 63009, 63010, 63011, 63012, 63018, 63023}

// Temporary tells whether a message that was not delivered because of a code can be sent again in a while.
func Temporary(code int) bool { return slices.Contains(temporary, code) }

// AdviceFor gives what to do about a code, and whether the code has a sentence of its own. An unknown code may be
// tried again.
func AdviceFor(code int) (Advice, bool) {
	if a, ok := known[code]; ok {
		return a, true
	}
	return AdviceRetry, false
}

// KnownCodes lists the codes that have a sentence of their own.
func KnownCodes() []int {
	codes := make([]int, 0, len(known))
	for c := range known {
		codes = append(codes, c)
	}
	return codes
}

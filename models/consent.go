package models

import (
	"strconv"
	"time"
)

// ConsentScope is what a consent is about.
type ConsentScope string

// Scopes of consent: all messages that the customer has not asked for, or marketing only.
const (
	ConsentAll       ConsentScope = "all"
	ConsentMarketing ConsentScope = "marketing"
)

// Who or what said that a customer agreed or opted out.
const (
	SourceAgent     = "agent"      // a person recorded it; the note says how the customer said so
	SourceStopWord  = "stop_word"  // the customer wrote a stop word
	SourceStartWord = "start_word" // the customer wrote a start word
	SourceTwilio    = "twilio"     // Twilio or WhatsApp said so; the note is the code, or the word of OptOutType
)

// Consent is one moment at which a customer agreed to messages or opted out. The newest one of a scope holds.
type Consent struct {
	ID        int64
	AccountID AccountID
	ContactID ContactID
	Scope     ConsentScope
	Given     bool   // false: opted out
	Source    string // SourceAgent and the like
	Note      string
	UserID    *UserID
	UserName  string `gorm:"->"` // read only: who recorded it
	MessageID *MessageID
	At        time.Time
}

// noteBlocked is the note of an opt-out that came with 63014: the customer blocks our number in WhatsApp.
const noteBlocked = "63014"

// ByTwilio tells whether Twilio itself refuses every message until the customer writes a start word.
func (c Consent) ByTwilio() bool {
	return !c.Given && c.Scope == ConsentAll && c.Source == SourceTwilio && c.Note != noteBlocked
}

// ConsentState is what holds of a customer and a messaging account: the newest consent of each scope, nil for a scope
// of which nothing was ever said.
type ConsentState struct {
	All       *Consent
	Marketing *Consent
}

// ConsentStateOf gives what holds after these consents, the oldest first.
func ConsentStateOf(cs ...Consent) ConsentState {
	var s ConsentState
	for _, c := range cs {
		s = s.With(c)
	}
	return s
}

// With gives what holds after one more consent.
func (s ConsentState) With(c Consent) ConsentState {
	if c.Scope == ConsentMarketing {
		s.Marketing = &c
	} else {
		s.All = &c
	}
	return s
}

// OptedOut tells whether the customer has opted out of all messages.
func (s ConsentState) OptedOut() bool { return s.All != nil && !s.All.Given }

// OptedIn tells whether the customer has agreed to messages of a template category. Consent to all messages covers
// marketing, consent to marketing nothing else.
func (s ConsentState) OptedIn(category string) bool {
	if s.OptedOut() {
		return false
	}
	if category == CategoryMarketing && s.Marketing != nil {
		return s.Marketing.Given
	}
	return s.All != nil && s.All.Given
}

// ConsentRefusal is why a customer may not get a message, "" when nothing forbids it. Each is a key of a sentence.
type ConsentRefusal string

// Why a customer may not get a message.
const (
	ConsentAllows      ConsentRefusal = ""
	RefusedOptedOut    ConsentRefusal = "consent.opted_out"
	RefusedNoMarketing ConsentRefusal = "consent.no_marketing"
	RefusedNoOptIn     ConsentRefusal = "consent.no_opt_in"
)

// Template tells whether the customer may get a template of a category now. Who has opted out gets none that starts
// outside of what the customer asks for; who has not agreed to anything gets one only as an answer, in the open window;
// marketing needs more: never after an opt-out of either scope.
func (s ConsentState) Template(category string, w ServiceWindow, now time.Time) ConsentRefusal {
	marketing := category == CategoryMarketing
	switch {
	case s.OptedOut() && (marketing || !s.asked(w, now)):
		return RefusedOptedOut
	case s.Reply(w) != ConsentAllows:
		return RefusedOptedOut
	case marketing && s.Marketing != nil && !s.Marketing.Given:
		return RefusedNoMarketing
	case !w.IsOpen(now) && !s.OptedIn(category):
		return RefusedNoOptIn
	}
	return ConsentAllows
}

// asked tells whether the customer has written since the opt-out and waits for an answer.
func (s ConsentState) asked(w ServiceWindow, now time.Time) bool {
	return w.IsOpen(now) && w.LastInboundAt.After(s.All.At)
}

// Reply tells whether the customer may get free text in the open window: not when Twilio would refuse it, and not when
// the customer blocks us and has not written since. Who opted out by a word and then writes is answered.
func (s ConsentState) Reply(w ServiceWindow) ConsentRefusal {
	if !s.OptedOut() || s.All.Source != SourceTwilio {
		return ConsentAllows
	}
	if s.All.ByTwilio() || !w.LastInboundAt.After(s.All.At) {
		return RefusedOptedOut
	}
	return ConsentAllows
}

// Says tells whether a refusal with one of Twilio's codes is known already.
func (s ConsentState) Says(scope ConsentScope, code int, w ServiceWindow) bool {
	if scope == ConsentMarketing {
		return s.Marketing != nil && !s.Marketing.Given
	}
	note := strconv.Itoa(code)
	return s.OptedOut() && (s.All.ByTwilio() || note == noteBlocked && s.Reply(w) != ConsentAllows)
}

// Undone tells whether the customer has undone, by a start word, what a refusal of a message sent at a time says.
func (s ConsentState) Undone(sent time.Time) bool {
	return s.All != nil && s.All.Given && s.All.Source != SourceAgent && s.All.At.After(sent)
}

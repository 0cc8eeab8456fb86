package simulator

import (
	"net/url"
	"slices"
	"time"
)

// Entry is one thing that passed between Twilio and the center: a create, or one attempt of a webhook. At is by the
// account's clock.
type Entry struct {
	N        int64 // rises with every entry of the account
	At       time.Time
	What     string // create, inbound or status
	SID      string
	URL      string // of a webhook
	Token    string // the idempotency token of a webhook: the same on all attempts of one event
	Status   int    // of the answer; 0 without one
	Code     int    // of Twilio's refusal of a create
	Fault    Fault
	Params   url.Values
	Answer   string // the body of the answer, shortened
	Forged   bool   // the signature was wrong on purpose
	Duration time.Duration
}

// maxAnswer bounds what the ledger keeps of a body.
const maxAnswer = 2000

// Entry gives one entry of an account's ledger, and whether it is still there.
func (s *Simulator) Entry(sid string, n int64) (Entry, bool) {
	for _, e := range s.Ledger(sid) {
		if e.N == n {
			return e, true
		}
	}
	return Entry{}, false
}

// maxLedger bounds the ledger of an account; the oldest entries leave.
const maxLedger = 20000

// note is called with the lock held.
func (a *account) note(e Entry) {
	if len(a.ledger) >= maxLedger {
		a.ledger = slices.Delete(a.ledger, 0, maxLedger/4)
	}
	a.noted++
	e.N = a.noted
	a.ledger = append(a.ledger, e)
}

// Ledger gives what passed, the oldest first.
func (s *Simulator) Ledger(sid string) []Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.account(sid); a != nil {
		return slices.Clone(a.ledger)
	}
	return nil
}

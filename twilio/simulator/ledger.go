package simulator

import (
	"net/url"
	"slices"
	"sort"
	"time"
)

// Entry is one thing that passed between Twilio and the center: a create, refused or not, or one attempt of a webhook,
// also one that was lost on its way. At is by the account's clock.
type Entry struct {
	N        int64 // rises with every entry of the account
	At       time.Time
	What     string // create, typing, inbound, status, fallback or debugger
	SID      string // of the message; of a create only when it made one
	URL      string // of a webhook
	Token    string // the idempotency token of a webhook: the same on all attempts of one event
	Try      int    // of a webhook: which attempt, from 1; 0 when it was lost on its way
	Status   int    // of the answer; 0 without one
	Code     int    // of Twilio's refusal of a create
	Faults   []Fault
	Params   url.Values
	Answer   string // the body of the answer, shortened
	Duration time.Duration
}

// Met tells whether a fault happened to it.
func (e Entry) Met(f Fault) bool { return slices.Contains(e.Faults, f) }

// maxAnswer bounds what the ledger keeps of a body.
const maxAnswer = 2000

// defaultLedger bounds the ledger of an account when nothing else is asked for; the oldest entries leave.
const defaultLedger = 20000

// note is called with the lock held.
func (s *Simulator) note(a *account, e Entry) {
	limit := s.o.Ledger
	if limit == 0 {
		limit = defaultLedger
	}
	if len(a.ledger) >= limit {
		a.ledger = slices.Delete(a.ledger, 0, max(limit/4, 1))
	}
	a.noted++
	e.N = a.noted
	a.ledger = append(a.ledger, e)
}

// Entry gives one entry of an account's ledger, and whether it is still there.
func (s *Simulator) Entry(sid string, n int64) (Entry, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.account(sid)
	if a == nil {
		return Entry{}, false
	}
	i := sort.Search(len(a.ledger), func(i int) bool { return a.ledger[i].N >= n })
	if i == len(a.ledger) || a.ledger[i].N != n {
		return Entry{}, false
	}
	return a.ledger[i], true
}

// Ledger gives what passed, the oldest first.
func (s *Simulator) Ledger(sid string) []Entry { return s.Newest(sid, 0) }

// Newest gives the last n entries of the ledger, the oldest first; all for 0.
func (s *Simulator) Newest(sid string, n int) []Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.account(sid)
	if a == nil {
		return nil
	}
	from := 0
	if n > 0 {
		from = max(0, len(a.ledger)-n)
	}
	return slices.Clone(a.ledger[from:])
}

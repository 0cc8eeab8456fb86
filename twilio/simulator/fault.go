package simulator

import "slices"

// Fault is something that goes wrong with one create, one webhook, one message or one file. Faults come by hand (Fail,
// Write) or by chance (SetChaos); what each does is the same.
type Fault string

// The faults of a create. Those of the first row are answered before anything is made.
const (
	FaultTooMany     Fault = "429"          // not processed
	FaultTooManyWait Fault = "429_wait"     // the same, and Twilio says when to come again
	FaultHTML        Fault = "500"          // a page of an edge, nothing processed
	FaultRejected    Fault = "21211"        // refused for good
	FaultDown        Fault = "down"         // the connection is reset before anything is processed
	FaultUnauth      Fault = "unauthorized" // SID and token are not accepted

	FaultCommitHang Fault = "commit_hang" // processed, then no answer until the client gives up
	FaultCommitDrop Fault = "commit_drop" // processed, then the connection is cut
	FaultCommitSlow Fault = "commit_slow" // processed and called back before the answer comes
	FaultSlow       Fault = "slow"        // processed, and the first byte of the answer comes late
)

// The faults of a webhook.
const (
	FaultInboundLost  Fault = "inbound_lost"  // no attempt reaches the center, nor its fallback: only a listing has the message
	FaultInboundTwice Fault = "inbound_twice" // posted twice at the same time
	FaultStatusLost   Fault = "status_lost"   // no attempt reaches the center
	FaultStatusLate   Fault = "status_late"   // comes late; those after it do not wait
	FaultStatusTwice  Fault = "status_twice"  // posted twice at the same time
	FaultStatusSwap   Fault = "status_swap"   // comes after the next one
	FaultForged       Fault = "forged"        // before it comes a forgery, with a signature that is wrong
	FaultOldToken     Fault = "old_token"     // signed with the token that the account had before
	FaultFields       Fault = "fields"        // has fields that nobody knows
	FaultWord         Fault = "word"          // a message of an unknown type; before a status, one of an unknown word
)

// The faults of what becomes of a message, and of a file that a customer sends.
const (
	FaultReadFirst Fault = "read_first" // read is told before delivered
	FaultFailsLate Fault = "fails_late" // sent, then failed
	FaultTemporary Fault = "temporary"  // sent, then not delivered because of a problem that passes; by hand only
	FaultLateFile  Fault = "late_file"  // not there (404) for a while after the message
)

// The events that faults happen to.
const (
	onCreate  = "create"
	onInbound = "inbound"
	onStatus  = "status"
	onLife    = "life"
	onFile    = "file"
)

// suits says which events a fault happens to.
var suits = map[Fault][]string{
	FaultTooMany: {onCreate}, FaultTooManyWait: {onCreate}, FaultHTML: {onCreate}, FaultRejected: {onCreate}, FaultDown: {onCreate},
	FaultUnauth: {onCreate}, FaultCommitHang: {onCreate}, FaultCommitDrop: {onCreate}, FaultCommitSlow: {onCreate}, FaultSlow: {onCreate},
	FaultInboundLost: {onInbound}, FaultInboundTwice: {onInbound}, FaultForged: {onInbound, onStatus}, FaultOldToken: {onInbound, onStatus},
	FaultFields: {onInbound, onStatus}, FaultWord: {onInbound, onStatus}, FaultStatusLost: {onStatus}, FaultStatusLate: {onStatus},
	FaultStatusTwice: {onStatus}, FaultStatusSwap: {onStatus}, FaultReadFirst: {onLife}, FaultFailsLate: {onLife}, FaultTemporary: {onLife}, FaultLateFile: {onFile},
}

// Fail makes the next events of an account go wrong, one each: a fault waits for the next event that it can happen to.
func (s *Simulator) Fail(sid string, faults ...Fault) bool {
	return s.with(sid, func(a *account) { a.faults = append(a.faults, faults...) })
}

// faultsOf gives what goes wrong with an event: what was asked for by hand, else what chance says.
func (a *account) faultsOf(event, key string) []Fault {
	i := slices.IndexFunc(a.faults, func(f Fault) bool { return slices.Contains(suits[f], event) })
	if i < 0 {
		return a.Chaos.decide(event, key)
	}
	f := a.faults[i]
	a.faults = slices.Delete(a.faults, i, i+1)
	return []Fault{f}
}

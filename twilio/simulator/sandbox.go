package simulator

import (
	"strings"
	"time"

	"kanal/twilio"
)

// JoinCode is what a phone has to send to the simulated sandbox after "join".
const JoinCode = "blue-otter"

// sandbox tells whether a number is the shared sandbox.
func sandbox(number string) bool { return number == twilio.SandboxNumber }

// joins takes what only the sandbox itself reads: "join" with the code, and "stop". It answers the customer as the
// sandbox does and tells whether the message goes no further, as one from a phone that is no member does.
func (a *account) joins(w Write, now time.Time) bool {
	if !sandbox(w.Number) {
		return false
	}
	says := ""
	switch word := strings.ToLower(strings.TrimSpace(w.Body)); {
	case word == "join "+JoinCode:
		if a.Joined == nil {
			a.Joined = map[twilio.Address]time.Time{}
		}
		a.Joined[w.Customer] = a.now(now)
		says = "You are all set! The sandbox can now send/receive messages from " + twilio.PhoneAddress(w.Number).Phone() + ". Reply stop to leave the sandbox any time."
	case word == "stop":
		delete(a.Joined, w.Customer)
		says = "You have left the sandbox."
	case !a.member(w.Customer, now):
		says = "Your number is not connected to a sandbox. Send join and the code first."
	default:
		return false
	}
	a.add(&Message{
		SID: id("SM"), AccountSID: a.SID, From: "whatsapp:" + w.Number, To: string(w.Customer), Body: says, Direction: "outbound-reply",
		Status: "delivered", Kind: "text", Created: a.now(now), Updated: a.now(now),
	})
	return true
}

// member tells whether a phone has joined the sandbox and its membership has not run out.
func (a *account) member(customer twilio.Address, now time.Time) bool {
	at, ok := a.Joined[customer]
	return ok && a.now(now).Sub(at) < twilio.SandboxMembership
}

// TooFast gives the creates of an account that came sooner after the one before than the sandbox takes them. Twilio would
// have kept them waiting and dropped what waits too long.
func (s *Simulator) TooFast(sid string) (out []Entry) {
	last := time.Time{}
	for _, e := range s.Ledger(sid) {
		if e.What != "create" || e.SID == "" || !sandbox(twilio.Address(e.Params.Get("From")).Phone()) {
			continue
		}
		if !last.IsZero() && e.At.Sub(last) < twilio.SandboxPace {
			out = append(out, e)
		}
		last = e.At
	}
	return out
}

package simulator

import (
	"net/url"
	"strings"
	"time"

	"kanal/twilio"
)

// The words that Twilio's Advanced Opt-Out takes as such (https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out).
var optOutWords = map[string]string{
	"STOP": "STOP", "STOPALL": "STOP", "UNSUBSCRIBE": "STOP", "CANCEL": "STOP", "END": "STOP", "QUIT": "STOP", "START": "START", "UNSTOP": "START",
}

// SetAdvancedOptOut switches Twilio's own handling of stop words on or off. While it is on a stop word is answered by
// Twilio, and messages to the customer are refused (21610) until a start word.
func (s *Simulator) SetAdvancedOptOut(sid string, on bool) bool {
	return s.with(sid, func(a *account) {
		a.AdvancedOptOut = on
		for _, c := range a.Customers {
			c.OptedOut = c.OptedOut && on
		}
	})
}

// SetBlocks lets a customer block the account's numbers in WhatsApp, or end that: what is sent to them does not arrive
// (63014). False when there is no such customer.
func (s *Simulator) SetBlocks(sid string, customer twilio.Address, on bool) bool {
	found := false
	return s.with(sid, func(a *account) {
		if c := a.customer(customer); c != nil {
			c.Blocks, found = on, true
		}
	}) && found
}

// takesWord does what Advanced Opt-Out does with a customer's message: it marks the form, remembers the wish and answers.
func (a *account) takesWord(c *Customer, form url.Values, now time.Time) {
	if kind := form.Get("OptOutType"); kind != "" {
		c.OptedOut = kind == "STOP"
		return
	}
	kind := optOutWords[strings.ToUpper(strings.TrimSpace(form.Get("Body")))]
	if !a.AdvancedOptOut || kind == "" {
		return
	}
	form.Set("OptOutType", kind)
	c.OptedOut = kind == "STOP"
	text := "You have successfully been re-subscribed to messages from this number. Reply STOP to unsubscribe."
	if c.OptedOut {
		text = "You have successfully been unsubscribed. You will not receive any more messages from this number. Reply START to resubscribe."
	}
	a.say(form, text, now)
}

// meet gives a phone to somebody whom the center writes to first.
func (a *account) meet(to twilio.Address) {
	if to.Phone() != "" && a.customer(to) == nil {
		a.Customers = append(a.Customers, &Customer{Address: to})
	}
}

package simulator

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"kanal/twilio"
)

// windowLength is WhatsApp's: free text reaches a customer for 24 hours after their last message.
const windowLength = 24 * time.Hour

// deliver runs a message through its life and calls back. What WhatsApp does not deliver fails whatever the outcome is.
func (s *Simulator) deliver(sid, message string, o Outcome) {
	step := o.Step
	if step == 0 {
		step = DefaultStep
	}
	code := s.undelivered(sid, message)
	if code == 0 {
		code = s.fetch(sid, message)
	}
	life := lifeOf(o.Final)
	if code != 0 {
		o.Code, life = code, lifeOf("undelivered")
	}
	var faults []Fault
	s.look(sid, func(a *account) {
		if m := a.message(message); m != nil {
			faults = a.faultsOf(onLife, m.Key)
		}
	})
	o, life = turned(o, life, faults)
	var held *call // what comes after the next one
	for _, status := range life {
		select {
		case <-time.After(step):
		case <-s.ctx.Done():
			return
		}
		c, ok := s.advance(sid, message, status, o.Code)
		if !ok {
			continue
		}
		c.faults = append(c.faults, faults...)
		if held == nil && c.met(FaultStatusSwap) {
			held = &c
			continue
		}
		s.callBack(sid, c)
		if held != nil {
			s.callBack(sid, *held)
			held = nil
		}
	}
	if held != nil {
		s.callBack(sid, *held)
	}
}

// turned gives another life to a message whose life goes wrong. One that fails anyway fails as it would.
func turned(o Outcome, life []string, faults []Fault) (Outcome, []string) {
	switch {
	case len(life) == 0 || failed(life[len(life)-1]):
	case slices.Contains(faults, FaultFailsLate):
		o.Code = 63024
		return o, []string{"sent", "failed"}
	case slices.Contains(faults, FaultTemporary):
		o.Code = 63012
		return o, lifeOf("undelivered")
	case slices.Contains(faults, FaultReadFirst) && len(life) == 3:
		return o, []string{life[0], life[2], life[1]}
	}
	return o, life
}

func lifeOf(final string) []string {
	switch final {
	case "none":
		return nil
	case "sent":
		return []string{"sent"}
	case "delivered":
		return []string{"sent", "delivered"}
	case "failed":
		return []string{"failed"}
	case "undelivered":
		return []string{"sent", "undelivered"}
	}
	return []string{"sent", "delivered", "read"}
}

// lastInbound gives a customer's last message to a sender; nil when there is none.
func (a *account) lastInbound(customer, sender string) *Message {
	for _, m := range slices.Backward(a.indexed().lines[line{customer, sender}]) {
		if m.Direction == "inbound" {
			return m
		}
	}
	return nil
}

// Window gives how long a customer's service window stays open, 0 when it is closed, and whether the customer has
// written at all.
func (s *Simulator) Window(sid string, customer twilio.Address, number string) (left time.Duration, written bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.account(sid)
	if a == nil {
		return 0, false
	}
	last := a.lastInbound(string(customer), "whatsapp:"+number)
	if last == nil {
		return 0, false
	}
	return max(windowLength-a.now(s.o.Now()).Sub(last.Created), 0), true
}

// Report sends a callback with a status, as often as it is called and in any order. The message itself only moves forward.
// A message that was reset is reported no more.
func (s *Simulator) Report(sid, message, status string, code int) {
	if c, ok := s.advance(sid, message, status, code); ok {
		s.callBack(sid, c)
	}
}

// order is how far a status is; failed and undelivered end a message that was not delivered.
var order = map[string]int{"queued": 1, "sent": 2, "delivered": 3, "read": 4}

// advance moves a message on and gives the callback to make; false when there is none to make.
func (s *Simulator) advance(sid, message, status string, code int) (c call, ok bool) {
	s.with(sid, func(a *account) {
		m := a.message(message)
		if m == nil {
			return
		}
		if !failed(m.Status) && (order[status] > order[m.Status] || failed(status) && order[m.Status] < order["delivered"]) {
			m.Status, m.Updated = status, a.now(s.o.Now())
			if failed(status) {
				m.ErrorCode = code
			}
		}
		c = call{what: onStatus, address: m.Callback, form: a.report(m, status, code), message: message}
		if x := a.sender(twilio.Address(m.From).Phone()); c.address == "" && x != nil {
			c.address = x.StatusURL
		}
		if ok = c.address != ""; ok {
			c.faults = a.faultsOf(onStatus, m.Key+" "+status)
		}
	})
	return c, ok
}

// callBack makes a status callback; one that is late does not keep those after it waiting.
func (s *Simulator) callBack(sid string, c call) {
	if !c.met(FaultStatusLate) {
		s.tell(sid, c)
		return
	}
	late := DefaultLate
	s.look(sid, func(a *account) { late = a.Chaos.late() })
	s.run(func() {
		select {
		case <-time.After(late):
			s.tell(sid, c)
		case <-s.ctx.Done():
		}
	})
}

func failed(status string) bool { return status == "failed" || status == "undelivered" }

// report makes the form of a status callback.
func (a *account) report(m *Message, status string, code int) url.Values {
	form := url.Values{
		"MessageSid": {m.SID}, "SmsSid": {m.SID}, "AccountSid": {a.SID}, "From": {m.From}, "To": {m.To}, "MessageStatus": {status},
		"SmsStatus": {status}, "ApiVersion": {"2010-04-01"}, "ChannelPrefix": {"whatsapp"}, "StructuredMessage": {strconv.FormatBool(m.ContentSID != "")},
	}
	if s := a.sender(twilio.Address(m.From).Phone()); s != nil {
		form.Set("ChannelInstallSid", s.SID)
	}
	if phone := twilio.Address(m.To).Phone(); phone != "" {
		form.Set("ChannelToAddress", phone[:len(phone)-4]+"XXXX")
	}
	if c := a.customer(twilio.Address(m.To)); c != nil && c.BSUID != "" {
		form.Set("ExternalUserId", "whatsapp:"+c.BSUID)
	}
	switch {
	case failed(status):
		form.Set("ErrorCode", strconv.Itoa(code))
		form.Set("EventType", strings.ToUpper(status))
	case status == "delivered" || status == "read":
		form.Set("EventType", strings.ToUpper(status))
	}
	return form
}

package simulator

import (
	"net/url"
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
	if code != 0 {
		o = Outcome{Final: "undelivered", Code: code}
	}
	for _, status := range lifeOf(o.Final) {
		select {
		case <-time.After(step):
		case <-s.ctx.Done():
			return
		}
		s.Report(sid, message, status, o.Code)
	}
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
	var last *Message
	for _, m := range a.Messages {
		if m.Direction == "inbound" && m.From == customer && m.To == sender {
			last = m
		}
	}
	return last
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

// Report sets a message's status and sends the callback, as often as it is called and in any order. A message that was
// reset is reported no more.
func (s *Simulator) Report(sid, message, status string, code int) {
	s.mu.Lock()
	a := s.account(sid)
	if a == nil || a.message(message) == nil {
		s.mu.Unlock()
		return
	}
	m := a.message(message)
	m.Status, m.Updated = status, a.now(s.o.Now())
	if failed(status) {
		m.ErrorCode = code
	}
	form, callback, token := a.report(m, code), m.Callback, a.Token
	s.changed()
	s.mu.Unlock()
	if callback != "" {
		s.post(sid, "status", call{address: callback, form: form, token: token, message: message})
	}
}

func failed(status string) bool { return status == "failed" || status == "undelivered" }

// report makes the form of a status callback.
func (a *account) report(m *Message, code int) url.Values {
	form := url.Values{
		"MessageSid": {m.SID}, "SmsSid": {m.SID}, "AccountSid": {a.SID}, "From": {m.From}, "To": {m.To}, "MessageStatus": {m.Status},
		"SmsStatus": {m.Status}, "ApiVersion": {"2010-04-01"}, "ChannelPrefix": {"whatsapp"}, "StructuredMessage": {strconv.FormatBool(m.ContentSID != "")},
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
	case failed(m.Status):
		form.Set("ErrorCode", strconv.Itoa(code))
		form.Set("EventType", strings.ToUpper(m.Status))
	case m.Status == "delivered" || m.Status == "read":
		form.Set("EventType", strings.ToUpper(m.Status))
	}
	return form
}

package simulator

import (
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
	"time"

	"kanal/twilio"
)

// content finds a template of the account, or for the sandbox one of the sandbox's own; nil for none.
func (a *account) content(sid, from string, now time.Time) *Content {
	if sandbox(twilio.Address(from).Phone()) {
		return sandboxContent(sid)
	}
	c := a.contentBySID(sid)
	if c != nil {
		a.settle(c, now)
	}
	return c
}

// values reads the variables of a message; false when Twilio would not take them (21656).
func values(raw string) (map[string]string, bool) {
	if raw == "" {
		return nil, true
	}
	var vs map[string]string
	if json.Unmarshal([]byte(raw), &vs) != nil {
		return nil, false
	}
	for _, v := range vs {
		if strings.TrimSpace(v) == "" || strings.ContainsAny(v, "\n\r\t") || strings.Contains(v, "    ") {
			return nil, false
		}
	}
	return vs, true
}

// refuseContent checks the template of a create; 0 when there is none or nothing is wrong with it.
func (a *account) refuseContent(form url.Values, now time.Time) (int, string) {
	sid := form.Get("ContentSid")
	if sid == "" {
		return 0, ""
	}
	if a.content(sid, form.Get("From"), now) == nil {
		return twilio.CodeContentSID, "The ContentSid is invalid"
	}
	if _, ok := values(form.Get("ContentVariables")); !ok {
		return twilio.CodeContentValues, "The ContentVariables parameter is invalid"
	}
	return 0, ""
}

var slot = regexp.MustCompile(`\{\{([0-9A-Za-z_]+)\}\}`)

// filled gives the template as the customer reads it; nil for a message without one.
func (a *account) filled(form url.Values, now time.Time) *Shown {
	c := a.content(form.Get("ContentSid"), form.Get("From"), now)
	if c == nil {
		return nil
	}
	vs, _ := values(form.Get("ContentVariables"))
	if vs == nil {
		vs = map[string]string{}
	}
	out := c.shown(vs)
	return &out
}

// stopped are the codes of templates that WhatsApp has stopped.
var stopped = map[string]int{"rejected": twilio.CodeRejected, "paused": twilio.CodePaused, "disabled": twilio.CodeDisabled}

// undelivered gives the code with which WhatsApp does not deliver a message whatever the outcome is; 0 when it may.
func (s *Simulator) undelivered(sid, message string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.account(sid)
	m := a.message(message)
	if m == nil {
		return twilio.CodeOutsideWindow
	}
	now := s.o.Now()
	if sandbox(twilio.Address(m.From).Phone()) && !a.member(twilio.Address(m.To), now) {
		return twilio.CodeNotJoined
	}
	if c := a.customer(twilio.Address(m.To)); c != nil && c.Blocks {
		return twilio.CodeBlocked
	}
	c := a.content(m.ContentSID, m.From, now)
	switch {
	case c != nil && stopped[c.Approval.Status] != 0:
		return stopped[c.Approval.Status]
	case c != nil && c.Approval.Status == "approved" || a.windowOpen(m, now):
		return 0
	}
	return twilio.CodeOutsideWindow
}

func (a *account) windowOpen(m *Message, now time.Time) bool {
	last := a.lastInbound(m.To, m.From)
	return last != nil && a.now(now).Sub(last.Created) < windowLength
}

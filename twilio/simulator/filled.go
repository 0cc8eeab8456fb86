package simulator

import (
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
	"time"

	"kanal/twilio"
)

// content is a template as a message uses it.
type content struct {
	body     string
	samples  map[string]string // what stands for a variable that is not given
	approved bool
}

// content finds a template of the account, or one of the sandbox's own for the sandbox.
func (a *account) content(sid, from string) (content, bool) {
	if sandbox(twilio.Address(from).Phone()) {
		for _, c := range twilio.SandboxContents() {
			if c.SID == sid {
				return content{body: c.Body, samples: c.Variables, approved: true}, true
			}
		}
	}
	return content{}, false
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
func (a *account) refuseContent(form url.Values) (int, string) {
	sid := form.Get("ContentSid")
	if sid == "" {
		return 0, ""
	}
	if _, ok := a.content(sid, form.Get("From")); !ok {
		return twilio.CodeContentSID, "The ContentSid is invalid"
	}
	if _, ok := values(form.Get("ContentVariables")); !ok {
		return twilio.CodeContentValues, "The ContentVariables parameter is invalid"
	}
	return 0, ""
}

var slot = regexp.MustCompile(`\{\{([0-9A-Za-z_]+)\}\}`)

// filled gives the text that the customer reads.
func (a *account) filled(form url.Values) string {
	c, ok := a.content(form.Get("ContentSid"), form.Get("From"))
	if !ok {
		return form.Get("Body")
	}
	vs, _ := values(form.Get("ContentVariables"))
	return slot.ReplaceAllStringFunc(c.body, func(s string) string {
		key := s[2 : len(s)-2]
		if v, ok := vs[key]; ok {
			return v
		}
		return c.samples[key]
	})
}

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
	if c, ok := a.content(m.ContentSID, m.From); ok && c.approved || a.windowOpen(m, now) {
		return 0
	}
	return twilio.CodeOutsideWindow
}

func (a *account) windowOpen(m *Message, now time.Time) bool {
	last := a.lastInbound(m.To, m.From)
	return last != nil && a.now(now).Sub(last.Created) < windowLength
}

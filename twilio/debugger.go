package twilio

import (
	"encoding/json"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// DebugEvent is what Twilio's debugger says went wrong (https://www.twilio.com/docs/usage/troubleshooting/debugging-event-webhooks).
type DebugEvent struct {
	SID         string // NO…
	AccountSID  string
	ParentSID   string // of a subaccount's event
	Warning     bool
	Code        int
	ResourceSID string
	Text        string // what the debugger says of it
	URL         string // of the webhook that it is about
	At          time.Time
}

var debugPattern = regexp.MustCompile(`^NO[0-9a-fA-F]{32}$`)

// ParseDebug reads the form of a call of Twilio's debugger. Only what every event has must be there. ErrUnreadable.
func ParseDebug(form url.Values) (DebugEvent, error) {
	ev := DebugEvent{
		SID: form.Get("Sid"), AccountSID: form.Get("AccountSid"), ParentSID: form.Get("ParentAccountSid"),
		Warning: !strings.EqualFold(form.Get("Level"), "error"),
	}
	var p struct {
		Resource string          `json:"resource_sid"`
		Code     json.RawMessage `json:"error_code"` // a number, or one in quotes
		More     json.RawMessage `json:"more_info"`
		Webhook  json.RawMessage `json:"webhook"`
	}
	if !readable(form) || !debugPattern.MatchString(ev.SID) || json.Unmarshal([]byte(form.Get("Payload")), &p) != nil {
		return DebugEvent{}, ErrUnreadable
	}
	code, err := strconv.ParseInt(strings.Trim(string(p.Code), `"`), 10, 32)
	if err != nil || code <= 0 {
		return DebugEvent{}, ErrUnreadable
	}
	ev.Code, ev.ResourceSID = int(code), cut(p.Resource)
	ev.Text, ev.URL = debugText(p.More, p.Webhook)
	if at, err := time.Parse(time.RFC3339, first(form, "Timestamp", "TimeStamp")); err == nil {
		ev.At = at.UTC()
	}
	return ev, nil
}

// debugText reads the parts that not every event has, and that are not the same for all.
func debugText(more, webhook json.RawMessage) (text, address string) {
	var info map[string]any
	if json.Unmarshal(more, &info) == nil {
		for _, name := range []string{"Msg", "msg", "message"} {
			if s, ok := info[name].(string); ok && text == "" {
				text = s
			}
		}
		address, _ = info["url"].(string)
	}
	var hook struct {
		Request struct {
			URL string `json:"url"`
		} `json:"request"`
	}
	if json.Unmarshal(webhook, &hook) == nil && hook.Request.URL != "" {
		address = hook.Request.URL
	}
	return cut(text), cut(address)
}

// FallbackError reads why Twilio calls the fallback address: the code, and the address that it did not get through to.
func FallbackError(form url.Values) (code int, address string) {
	if n, err := strconv.ParseInt(form.Get("ErrorCode"), 10, 32); err == nil && n > 0 {
		code = int(n)
	}
	if address = form.Get("ErrorUrl"); !isText(address) {
		address = ""
	}
	return code, cut(address)
}

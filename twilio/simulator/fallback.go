package simulator

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// The webhooks that Twilio makes when another one has failed.
const (
	toFallback = "fallback"
	toDebugger = "debugger"
)

// The codes of what can be wrong with a webhook (https://www.twilio.com/docs/api/errors).
const (
	codeRetrieval    = 11200 // it was answered with an error, or not in time
	codeConnection   = 11205
	codeTwiML        = 12100 // the answer is not to be read
	codeTwiMLWarning = 12200 // it has words that Twilio does not know; the rest counts
	codeContentType  = 12300
)

// complain does what Twilio does when no attempt at a webhook succeeded: for an incoming message it calls the fallback
// address, and for any it tells the debugger.
func (s *Simulator) complain(sid string, c call, last attempt) {
	if last.code == 0 {
		last.code = codeRetrieval
		if last.silent == "ct" {
			last.code = codeConnection
		}
	}
	address := ""
	s.look(sid, func(a *account) {
		if x := a.sender(strings.TrimPrefix(c.form.Get("To"), "whatsapp:")); c.what == onInbound && x != nil {
			_, address, _ = a.hooksFor(x)
		}
	})
	if address != "" {
		failed, _, _ := strings.Cut(c.address, "#")
		s.post(sid, call{
			what: toFallback, address: address, message: c.message, faults: c.passedOn(),
			form: changed(c.form, "ErrorCode", strconv.Itoa(last.code), "ErrorUrl", failed),
		})
	}
	s.debug(sid, c, last)
}

// debug tells the account's debugger webhook what is wrong with another one
// (https://www.twilio.com/docs/usage/troubleshooting/debugging-event-webhooks).
func (s *Simulator) debug(sid string, c call, last attempt) {
	address, form := "", url.Values{}
	s.look(sid, func(a *account) {
		address = a.DebugURL
		form = url.Values{
			"Sid": {id("NO")}, "AccountSid": {a.SID}, "ParentAccountSid": {""}, "PayloadType": {"application/json"}, "Level": {level(last.code)},
			"Timestamp": {a.now(s.o.Now()).Format("2006-01-02T15:04:05.000Z")}, "Payload": {payload(c, last)},
		}
	})
	if address != "" {
		s.post(sid, call{what: toDebugger, address: address, message: c.message, faults: c.passedOn(), form: form})
	}
}

func level(code int) string {
	if code == codeTwiMLWarning {
		return "WARNING"
	}
	return "ERROR"
}

// payload is what the debugger tells of a webhook.
func payload(c call, last attempt) string {
	address, _, _ := strings.Cut(c.address, "#")
	code, parameters := strconv.Itoa(last.code), map[string]string{}
	for name := range c.form {
		parameters[name] = c.form.Get(name)
	}
	info := map[string]any{
		"Msg": http.StatusText(last.status), "ErrorCode": code, "LogLevel": level(last.code), "url": address, "sourceComponent": "14100",
		"EmailNotification": "false",
	}
	response := map[string]any{"status_code": nil, "headers": map[string]string{}, "body": nil}
	if last.status != 0 {
		headers := map[string]string{}
		for name := range last.header {
			headers[name] = last.header.Get(name)
		}
		info["httpResponse"] = strconv.Itoa(last.status)
		response = map[string]any{"status_code": last.status, "headers": headers, "body": last.body}
	}
	return asJSON(map[string]any{
		"resource_sid": c.message, "service_sid": nil, "error_code": code, "more_info": info,
		"webhook": map[string]any{
			"type":     "application/json",
			"request":  map[string]any{"url": address, "method": http.MethodPost, "headers": map[string]string{}, "parameters": parameters},
			"response": response,
		},
	})
}

func asJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(b)
}

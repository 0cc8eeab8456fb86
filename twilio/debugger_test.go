package twilio

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"
)

const debugSID = "NO0123456789abcdef0123456789abcdef"

func debugForm(payload string) url.Values {
	return url.Values{
		"Sid": {debugSID}, "AccountSid": {"AC1"}, "Timestamp": {"2026-11-28T20:00:00.123Z"}, "Level": {"ERROR"},
		"PayloadType": {"application/json"}, "Payload": {payload},
	}
}

func TestParseDebug(t *testing.T) {
	ev, err := ParseDebug(debugForm(`{"resource_sid":"SM1","error_code":"11200","more_info":{"Msg":"Bad Gateway"},"webhook":{"request":{"url":"https://x/in"}},"new":1}`))
	want := DebugEvent{
		SID: debugSID, AccountSID: "AC1", Code: 11200, ResourceSID: "SM1", Text: "Bad Gateway", URL: "https://x/in",
		At: time.Date(2026, 11, 28, 20, 0, 0, 123e6, time.UTC),
	}
	if err != nil || ev != want {
		t.Errorf("%+v %v", ev, err)
	}
	for name, payload := range map[string]string{
		"a number":     `{"error_code":63041}`,
		"text for map": `{"error_code":"63041","more_info":"text","webhook":[]}`,
		"null":         `{"error_code":"63041","resource_sid":null,"more_info":null,"webhook":null}`,
	} {
		form := debugForm(payload)
		form.Set("Level", "Warning")
		form.Set("Timestamp", "yesterday")
		if ev, err := ParseDebug(form); err != nil || ev.Code != 63041 || !ev.Warning || !ev.At.IsZero() {
			t.Errorf("%s: %+v %v", name, ev, err)
		}
	}
	for name, change := range map[string]func(url.Values){
		"no sid":      func(f url.Values) { f.Del("Sid") },
		"another sid": func(f url.Values) { f.Set("Sid", "SM0123456789abcdef0123456789abcdef") },
		"no payload":  func(f url.Values) { f.Del("Payload") },
		"no json":     func(f url.Values) { f.Set("Payload", "{") },
		"no code":     func(f url.Values) { f.Set("Payload", `{"error_code":"none"}`) },
		"no text":     func(f url.Values) { f.Set("Level", "\xff") },
	} {
		form := debugForm(`{"error_code":"11200"}`)
		change(form)
		if _, err := ParseDebug(form); !errors.Is(err, ErrUnreadable) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFallbackError(t *testing.T) {
	code, address := FallbackError(url.Values{"ErrorCode": {"11205"}, "ErrorUrl": {"https://x/in" + strings.Repeat("y", 2000)}})
	if code != 11205 || len(address) != maxText {
		t.Errorf("%d %d", code, len(address))
	}
	if code, address = FallbackError(url.Values{"ErrorCode": {"-1"}, "ErrorUrl": {"\x00"}}); code != 0 || address != "" {
		t.Errorf("%d %q", code, address)
	}
}

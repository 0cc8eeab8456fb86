package twilio

import (
	"encoding/json"
	"net/url"
	"os"
	"strings"
	"testing"
)

func examples(t testing.TB, prefix string) map[string]url.Values {
	t.Helper()
	b, err := os.ReadFile("testdata/payloads.json")
	if err != nil {
		t.Fatal(err)
	}
	var raw []struct {
		Kind   string         `json:"kind"`
		Params map[string]any `json:"params"`
	}
	if err := json.Unmarshal(b, &raw); err != nil {
		t.Fatal(err)
	}
	out := map[string]url.Values{}
	for _, e := range raw {
		if !strings.HasPrefix(e.Kind, prefix) {
			continue
		}
		out[e.Kind] = url.Values{}
		for k, v := range e.Params {
			s, _ := v.(string)
			out[e.Kind].Set(k, s)
		}
	}
	return out
}

func TestParseInboundShapes(t *testing.T) {
	want := map[string]Kind{
		"inbound_text": Text, "inbound_text_pre2026": Text, "inbound_text_minimal_2020": Text, "inbound_text_bsuid_only": Text,
		"inbound_via_messaging_service": Text, "inbound_multiline_whitespace": Text, "inbound_image": Image, "inbound_audio": Audio,
		"inbound_video": Video, "inbound_document": Document, "inbound_sticker": Sticker, "inbound_contact": Contacts,
		"inbound_location_pin": Location, "inbound_location_place": Location, "inbound_reply_quote": Text, "inbound_forwarded": Text,
		"inbound_frequently_forwarded": Text, "inbound_template_button": Button, "inbound_session_button": Button,
		"inbound_list_pick": ListReply, "inbound_flow_completed": FlowReply, "inbound_ctwa_ad": Text, "inbound_call_permission": Button,
		"inbound_reaction_guess": Unsupported, "inbound_unknown_params": Unsupported, "inbound_stop_word": Text,
		"inbound_stop_advanced_optout": Text, "inbound_fallback": Text,
	}
	all := examples(t, "inbound_")
	if len(all) != 29 {
		t.Fatalf("%d shapes, want 29", len(all))
	}
	for name, form := range all {
		in, err := ParseInbound(form)
		if name == "inbound_sandbox_join" { // the sandbox consumes it: it has no sid and is never posted
			if err == nil {
				t.Error("a form without a sid is a message")
			}
			continue
		}
		if err != nil || in.Kind != want[name] || in.Body != form.Get("Body") || in.RawType != form.Get("MessageType") {
			t.Errorf("%s: kind %q, want %q; %v", name, in.Kind, want[name], err)
		}
		if in.From.Phone() == "" && in.From.BSUID() == "" {
			t.Errorf("%s: nobody sent it", name)
		}
		if n := form.Get("NumMedia"); n == "1" && (len(in.Media) != 1 || in.Media[0].URL == "") {
			t.Errorf("%s: no media", name)
		}
	}
}

func TestKindWithoutMessageType(t *testing.T) {
	base := examples(t, "inbound_text_minimal_2020")["inbound_text_minimal_2020"]
	for want, more := range map[Kind]map[string]string{
		Text: {}, Button: {"ButtonText": "Yes"}, Location: {"Latitude": "59.9"},
		Image:    {"NumMedia": "1", "MediaUrl0": "https://x", "MediaContentType0": "image/png"},
		Contacts: {"NumMedia": "1", "MediaUrl0": "https://x", "MediaContentType0": "text/vcard"},
		Document: {"NumMedia": "1", "MediaUrl0": "https://x", "MediaContentType0": "application/pdf"},
	} {
		form := url.Values{}
		for k := range base {
			form.Set(k, base.Get(k))
		}
		for k, v := range more {
			form.Set(k, v)
		}
		if in, err := ParseInbound(form); err != nil || in.Kind != want {
			t.Errorf("%v: %q, want %q; %v", more, in.Kind, want, err)
		}
	}
}

func TestParseInboundHiddenNumber(t *testing.T) {
	in, err := ParseInbound(examples(t, "inbound_text_bsuid_only")["inbound_text_bsuid_only"])
	if err != nil || in.From.Phone() != "" || in.From.BSUID() != "MX.1A2B3C4D5E6F7G8H9I0J" {
		t.Errorf("%+v %v", in, err)
	}
}

func TestParseInboundRefuses(t *testing.T) {
	good := examples(t, "inbound_text")["inbound_text"]
	for name, change := range map[string]func(url.Values){
		"no sid":      func(v url.Values) { v.Del("MessageSid"); v.Del("SmsSid"); v.Del("SmsMessageSid") },
		"bad sid":     func(v url.Values) { v.Set("MessageSid", "SM'; DROP TABLE") },
		"no sender":   func(v url.Values) { v.Del("From") },
		"sms":         func(v url.Values) { v.Set("From", "+4790000000") },
		"no receiver": func(v url.Values) { v.Del("To") },
		"not utf-8":   func(v url.Values) { v.Set("Body", "a\xff") },
		"nul":         func(v url.Values) { v.Set("Body", "a\x00b") },
		"nul in name": func(v url.Values) { v.Set("X\x00", "b") },
	} {
		form := url.Values{}
		for k, v := range good {
			form[k] = append([]string(nil), v...)
		}
		change(form)
		if _, err := ParseInbound(form); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestParseStatusShapes(t *testing.T) {
	for name, form := range examples(t, "status_") {
		ev, err := ParseStatus(form)
		if err != nil || ev.Status != form.Get("MessageStatus") {
			t.Errorf("%s: %+v %v", name, ev, err)
		}
		if strings.HasPrefix(name, "status_failed_") && ev.ErrorCode == 0 {
			t.Errorf("%s: no code", name)
		}
	}
	if _, err := ParseStatus(url.Values{"MessageSid": {"SM1"}, "MessageStatus": {"sent"}}); err == nil {
		t.Error("a bad sid is accepted")
	}
}

func TestTextLength(t *testing.T) {
	for s, want := range map[string]int{"": 0, "abc": 3, "æøå": 3, "👍": 2, "a👍": 3} {
		if got := TextLength(s); got != want {
			t.Errorf("%q: %d, want %d", s, got, want)
		}
	}
}

// No form breaks the reading of a webhook, and what is read is what a database keeps and a page shows.
func FuzzInbound(f *testing.F) {
	for _, prefix := range []string{"inbound_", "status_"} {
		for _, form := range examples(f, prefix) {
			f.Add(form.Encode())
		}
	}
	f.Fuzz(func(t *testing.T, s string) {
		form, err := url.ParseQuery(s)
		if err != nil {
			return
		}
		if ev, err := ParseStatus(form); err == nil && (ev.MessageSID == "" || ev.Status == "") {
			t.Errorf("%q: %+v", s, ev)
		}
		in, err := ParseInbound(form)
		if err != nil {
			return
		}
		if in.MessageSID == "" || in.Kind == "" || in.To.Phone() == "" || in.From.Phone() == "" && in.From.BSUID() == "" {
			t.Errorf("%q: %+v", s, in)
		}
		if (in.Kind == Button || in.Kind == ListReply) != (in.Choice != nil) || len(in.Flow) > maxAnswers || len(in.Media) > 10 {
			t.Errorf("%q: %s %+v %d %d", s, in.Kind, in.Choice, len(in.Flow), len(in.Media))
		}
		if b, err := json.Marshal(in); err != nil || strings.Contains(string(b), `\u0000`) {
			t.Errorf("%q: %s, %v", s, b, err)
		}
	})
}

package models

import (
	"reflect"
	"slices"
	"testing"
	"time"
)

func TestParseTemplate(t *testing.T) {
	for _, tt := range []struct {
		in        string
		variables []string
	}{
		{"", nil},
		{"Hei!", nil},
		{"Hei {{1}}! Ordre {{2}} er klar.", []string{"1", "2"}},
		{"{{2}} og {{1}} og {{2}}", []string{"1", "2"}},
		{"{{10}} {{9}}", []string{"9", "10"}},
		{"{{name}} {{1}} {{order_no}}", []string{"1", "name", "order_no"}},
		{"{{ 1 }}", nil},
		{"{{}}", nil},
		{"{{1}", nil},
		{"{{{1}}}", []string{"1"}},
		{"{{abcdefghijklmnop}}", []string{"abcdefghijklmnop"}},
		{"{{abcdefghijklmnopq}}", nil},
		{"{{æ}}", nil},
	} {
		if got := TemplateVariables(tt.in); !slices.Equal(got, tt.variables) {
			t.Errorf("%q: %v", tt.in, got)
		}
	}
	if got := RenderTemplate("Hei {{1}}, {{2}}{{1}}", map[string]string{"1": "{{2}}", "": "x"}); got != "Hei {{2}}, {{2}}{{2}}" {
		t.Errorf("a value is not a template: %q", got)
	}
}

func FuzzTemplate(f *testing.F) {
	for _, s := range []string{"Hei {{1}}!", "{{1}}{{2}}", "{{{{1}}}}", "{{name}} {{", "}}{{1", "\xff{{1}}", "*{{1}}* _x_"} {
		f.Add(s, `{"twilio/text":{"body":"`+s+`"}}`)
	}
	f.Add("", `{"twilio/card":{"title":"a","media":["x"],"actions":[{"type":"URL","url":"{{1}}"}]},"x":1}`)
	f.Add("", `{"twilio/location":{"latitude":"NaN"},"twilio/list-picker":{"items":[{"item":1}]}}`)
	f.Fuzz(func(t *testing.T, s, types string) {
		if got := RenderTemplate(s, nil); got != s {
			t.Errorf("%q became %q", s, got)
		}
		values, want, joined := map[string]string{}, 0, ""
		for _, p := range ParseTemplate(s) {
			joined += p.Text
			if want += len(p.Text); p.Variable != "" {
				values[p.Variable] = "\x00"
				want += 1 - len(p.Text)
			}
		}
		if filled := RenderTemplate(s, values); joined != s || len(filled) != want {
			t.Errorf("%q has the parts %q and became %q", s, joined, filled)
		}
		c := ReadContent([]byte(types))
		if again := c.Render(nil); !reflect.DeepEqual(again, c) {
			t.Errorf("%+v became %+v", c, again)
		}
		_ = c.Variables()
		_ = c.InWindow()
	})
}

func TestReadContent(t *testing.T) {
	for name, tt := range map[string]struct {
		types string
		want  Content
	}{
		"text": {`{"twilio/text":{"body":"Hei {{1}}"}}`, Content{Kind: KindOfText, Body: "Hei {{1}}"}},
		"the richest of two": {
			`{"twilio/text":{"body":"x"},"twilio/quick-reply":{"body":"Ja?","actions":[{"title":"Ja","id":"yes"}]}}`,
			Content{Kind: KindOfQuickReply, Body: "Ja?", Actions: []Action{{Kind: ActionQuickReply, Title: "Ja", Value: "yes"}}},
		},
		"media": {`{"twilio/media":{"body":"Se","media":["https://a.example/{{1}}"]}}`, Content{Kind: KindOfMedia, Body: "Se", Media: []string{"https://a.example/{{1}}"}}},
		"call to action": {
			`{"twilio/call-to-action":{"body":"b","actions":[{"type":"URL","title":"Se","url":"https://a.example/{{1}}"},{"type":"PHONE_NUMBER","title":"Ring","phone":"+4721000040"},{"type":"COPY_CODE","title":"Kode","code":"X1"}]}}`,
			Content{Kind: KindOfCallToAction, Body: "b", Actions: []Action{
				{ActionURL, "Se", "https://a.example/{{1}}"}, {ActionPhoneNumber, "Ring", "+4721000040"}, {ActionCopyCode, "Kode", "X1"},
			}},
		},
		"list": {
			`{"twilio/list-picker":{"body":"Velg","button":"Tider","items":[{"item":"9","id":"a","description":"d"}]}}`,
			Content{Kind: KindOfListPicker, Body: "Velg", Button: "Tider", Items: []Choice{{ID: "a", Title: "9", Description: "d"}}},
		},
		"card of WhatsApp": {
			`{"whatsapp/card":{"body":"b","header_text":"h","footer":"f","media":["https://a.example/x.png"]}}`,
			Content{Kind: KindOfCard, Header: "h", Body: "b", Footer: "f", Media: []string{"https://a.example/x.png"}},
		},
		"card of Twilio": {`{"twilio/card":{"title":"t","subtitle":"s"}}`, Content{Kind: "twilio/card", Body: "t", Footer: "s"}},
		"carousel": {
			`{"twilio/carousel":{"body":"b","cards":[{"title":"t","body":"c","media":"m"}]}}`,
			Content{Kind: "twilio/carousel", Body: "b", Cards: []Content{{Kind: "twilio/carousel", Header: "t", Body: "c", Media: []string{"m"}}}},
		},
		"code": {
			`{"whatsapp/authentication":{"add_security_recommendation":true,"code_expiration_minutes":5,"actions":[{"type":"COPY_CODE","copy_code_text":"Copy"}]}}`,
			Content{
				Kind: "whatsapp/authentication", Body: "{{1}} is your verification code. For your security, do not share this code.",
				Footer: "This code expires in 5 minutes.", Actions: []Action{{Kind: ActionCopyCode, Title: "Copy"}},
			},
		},
		"place":   {`{"twilio/location":{"latitude":"59.9","longitude":10.7,"label":"{{1}}"}}`, Content{Kind: "twilio/location", Place: &Place{Latitude: 59.9, Longitude: 10.7, Label: "{{1}}"}}},
		"unknown": {`{"twilio/new":{"body":"b"},"number":3}`, Content{Kind: "twilio/new", Body: "b"}},
		"nothing": {`[]`, Content{}},
		"broken":  {`{`, Content{}},
	} {
		if got := ReadContent([]byte(tt.types)); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestVariablesOfContent(t *testing.T) {
	c := ReadContent([]byte(`{"whatsapp/card":{"body":"b {{2}}","header_text":"{{1}}","footer":"{{5}}","media":["https://x/{{3}}"],"actions":[{"type":"URL","title":"t","url":"https://x/{{4}}"}]}}`))
	if got := c.Variables(); !slices.Equal(got, []string{"1", "2", "3", "4", "5"}) {
		t.Error(got)
	}
	filled := c.Render(map[string]string{"1": "a", "2": "b", "3": "c", "4": "d", "5": "e"})
	if filled.Header != "a" || filled.Body != "b b" || filled.Media[0] != "https://x/c" || filled.Actions[0].Value != "https://x/d" || filled.Footer != "e" {
		t.Errorf("%+v", filled)
	}
}

func TestTemplateUsable(t *testing.T) {
	gone := time.Now()
	text, quick := `{"twilio/text":{"body":"b"}}`, `{"twilio/quick-reply":{"body":"b","actions":[{"title":"1"},{"title":"2"},{"title":"3"},{"title":"4"}]}}`
	for name, tt := range map[string]struct {
		t            Template
		open, closed bool
	}{
		"approved":                  {Template{ContentSID: "HX", Types: text, Status: TemplateApproved}, true, true},
		"approved, removed":         {Template{ContentSID: "HX", Types: text, Status: TemplateApproved, RemovedAt: &gone}, false, false},
		"typed":                     {Template{Body: "b"}, true, false},
		"typed, not asked about":    {Template{Body: "b", ContentSID: "HX"}, true, false},
		"unsubmitted":               {Template{ContentSID: "HX", Types: text, Status: TemplateUnsubmitted}, true, false},
		"unsubmitted, four buttons": {Template{ContentSID: "HX", Types: quick, Status: TemplateUnsubmitted}, false, false},
		"approved, four buttons":    {Template{ContentSID: "HX", Types: quick, Status: TemplateApproved}, true, true},
		"pending":                   {Template{ContentSID: "HX", Types: text, Status: TemplatePending}, false, false},
		"rejected":                  {Template{ContentSID: "HX", Types: text, Status: TemplateRejected}, false, false},
		"paused":                    {Template{ContentSID: "HX", Types: text, Status: TemplatePaused}, false, false},
		"another word":              {Template{ContentSID: "HX", Types: text, Status: "in_appeal"}, false, false},
	} {
		tt.t.Index()
		if tt.t.Usable(true) != tt.open || tt.t.Usable(false) != tt.closed {
			t.Errorf("%s: open %v, closed %v", name, tt.t.Usable(true), tt.t.Usable(false))
		}
	}
}

func TestInWindow(t *testing.T) {
	for types, want := range map[string]bool{
		`{"twilio/media":{"media":["x"]}}`:                                                         true,
		`{"twilio/list-picker":{"body":"b"}}`:                                                      true,
		`{"twilio/call-to-action":{"body":"b","actions":[{"type":"URL"}]}}`:                        false,
		`{"whatsapp/card":{"body":"b","actions":[{"type":"URL"}]}}`:                                true,
		`{"whatsapp/card":{"body":"b","actions":[{"type":"URL"},{"type":"URL"}]}}`:                 false,
		`{"whatsapp/card":{"body":"b","actions":[{"type":"PHONE_NUMBER"}]}}`:                       false,
		`{"whatsapp/card":{"body":"b","actions":[{"type":"QUICK_REPLY"},{"type":"URL"}]}}`:         false,
		`{"whatsapp/card":{"body":"b","actions":[{"type":"QUICK_REPLY"},{"type":"QUICK_REPLY"}]}}`: true,
		`{"whatsapp/authentication":{"actions":[]}}`:                                               false,
		`{"twilio/carousel":{"body":"b"}}`:                                                         false,
	} {
		if got := ReadContent([]byte(types)).InWindow(); got != want {
			t.Errorf("%s: %v", types, got)
		}
	}
}

func TestTemplateSyncEnds(t *testing.T) {
	now := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	for name, tt := range map[string]struct {
		s               TemplateSync
		running, cutOff bool
	}{
		"never":    {TemplateSync{}, false, false},
		"running":  {TemplateSync{StartedAt: now.Add(-time.Hour), UpdatedAt: now.Add(-time.Minute)}, true, false},
		"cut off":  {TemplateSync{StartedAt: now.Add(-time.Hour), UpdatedAt: now.Add(-6 * time.Minute)}, false, true},
		"finished": {TemplateSync{StartedAt: now.Add(-time.Hour), UpdatedAt: now, FinishedAt: &now}, false, false},
	} {
		if tt.s.Running(now) != tt.running || tt.s.CutOff(now) != tt.cutOff {
			t.Errorf("%s: %v %v", name, tt.s.Running(now), tt.s.CutOff(now))
		}
	}
}

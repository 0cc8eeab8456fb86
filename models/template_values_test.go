package models

import (
	"errors"
	"strings"
	"testing"
)

const cardTypes = `{"whatsapp/card": {"body": "Ordre {{1}} er klar", "header_text": "Til {{2}}", "actions": [
	{"type": "URL", "title": "Spor pakken", "url": "https://example.com/spor/{{3}}"}]}}`

func TestCheckValues(t *testing.T) {
	approved := Template{Kind: KindOfText, ContentSID: "HX1", Status: TemplateApproved, Body: "Hei {{1}}, ordre {{order_no}} er klar"}
	typed := Template{Body: "Hei {{1}}"}
	call := Template{
		Kind: KindOfCallToAction, ContentSID: "HX3", Status: TemplateApproved,
		Types: `{"twilio/call-to-action": {"body": "Hei {{1}}", "actions": []}}`,
	}
	card := Template{Kind: KindOfCard, ContentSID: "HX2", Status: TemplateApproved, Types: cardTypes}
	session := Template{Kind: KindOfText, ContentSID: "HX4", Status: TemplateUnsubmitted, Body: "{{1}}"}
	for _, tt := range []struct {
		name   string
		t      Template
		values map[string]string
		want   string
	}{
		{"good", approved, map[string]string{"1": "Kari", "order_no": "48213"}, ""},
		{"one that is not asked for", approved, map[string]string{"1": "Kari", "order_no": "48213", "2": ""}, ""},
		{"no variables", Template{Body: "Hei"}, nil, ""},
		{"none", approved, nil, "v-1: pick.value_empty, v-order_no: pick.value_empty_named"},
		{"empty", approved, map[string]string{"1": "", "order_no": "x"}, "v-1: pick.value_empty"},
		{"spaces only", approved, map[string]string{"1": " \t", "order_no": "x"}, "v-1: pick.value_empty"},
		{"new line", approved, map[string]string{"1": "Kari\nNordli", "order_no": "x"}, "v-1: pick.value_lines"},
		{"tab", approved, map[string]string{"1": "Kari\tNordli", "order_no": "x"}, "v-1: pick.value_lines"},
		{"three spaces", approved, map[string]string{"1": "Kari   Nordli", "order_no": "x"}, ""},
		{"four spaces", approved, map[string]string{"1": "Kari    Nordli", "order_no": "x"}, "v-1: pick.value_spaces"},
		{"not text", approved, map[string]string{"1": "\xff", "order_no": "x"}, "v-1: pick.value_unreadable"},
		{"NUL", approved, map[string]string{"1": "a\x00b", "order_no": "x"}, "v-1: pick.value_unreadable"},
		{"too long a value", typed, map[string]string{"1": strings.Repeat("x", 1601)}, "v-1: pick.value_long"},
		{"room of a message", typed, map[string]string{"1": strings.Repeat("x", 1596)}, ""},
		{"over the room of a message", typed, map[string]string{"1": strings.Repeat("x", 1597)}, ": pick.body_long"},
		{"in UTF-16 units", session, map[string]string{"1": strings.Repeat("😀", 801)}, "v-1: pick.value_long"},
		{"unapproved text", session, map[string]string{"1": strings.Repeat("x", 1600)}, ""},
		{"over what is approved", approved, map[string]string{"1": strings.Repeat("x", 1002), "order_no": "1234"}, ": pick.body_long"},
		{"call to action", call, map[string]string{"1": strings.Repeat("x", 637)}, ": pick.body_long"},
		{"card", card, map[string]string{"1": "1", "2": "2", "3": "A-1/b?c=d"}, ""},
		{"header", card, map[string]string{"1": "1", "2": strings.Repeat("x", 57), "3": "a"}, ": pick.header_long"},
		{"address with a space", card, map[string]string{"1": "1", "2": "2", "3": "a b"}, "v-3: pick.value_address"},
		{"address that cannot be one", card, map[string]string{"1": "1", "2": "2", "3": "%zz"}, "v-3: pick.value_address"},
	} {
		got := ""
		if err := tt.t.CheckValues(tt.values); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestValuesStayWithinTheApprovedPlace(t *testing.T) {
	t1 := Template{Kind: KindOfMedia, ContentSID: "HX1", Types: `{"twilio/media": {"body": "x", "media": ["https://files.example.com{{1}}"]}}`}
	for value, bad := range map[string]bool{"/a.pdf": false, ".evil.example/a.pdf": true, "@evil.example/": true} {
		if err := t1.CheckValues(map[string]string{"1": value}); (err != nil) != bad {
			t.Errorf("%s: %v", value, err)
		}
	}
}

func TestFieldsOfATemplate(t *testing.T) {
	for body, want := range map[string][]Meaning{
		"Hei {{1}}! Ordre {{2}}":          {MeansFirstName, MeansNothing},
		"Hei {{1}}, {{2}}":                {MeansFirstName, MeansNothing},
		"Dear {{1}}, your code":           {MeansFirstName},
		"Hei igjen {{1}}":                 {MeansNothing},
		"Vi sier hei til deg, hei {{1}}":  {MeansNothing},
		"Takk.\nHei {{1}}":                {MeansFirstName},
		"{{customer_name}} / {{telefon}}": {MeansName, MeansPhone},
		"{{First_Name}} from {{agent}}":   {MeansFirstName, MeansAgent},
		"nothing":                         {},
	} {
		fields := Template{Body: body, Samples: `{"1": "Ola"}`}.Fields()
		if len(fields) != len(want) {
			t.Errorf("%s: %+v", body, fields)
			continue
		}
		for i, f := range fields {
			if f.Meaning != want[i] || (f.Name == "1") != (f.Sample == "Ola") {
				t.Errorf("%s: %+v, want %s", body, f, want[i])
			}
		}
	}
}

// A variable is called what people call it: that says what it means, and an empty one is named so.
func TestFieldsHaveNames(t *testing.T) {
	x := Template{Body: "Hei {{1}}, ordre {{2}} fra {{agent}}."}
	x.NameFields(map[string]string{"1": "Ordrenummer", "2": "First name", "7": "nobody", "agent": ""})
	fields := x.Fields()
	if len(fields) != 3 || fields[0].Label != "Ordrenummer" || fields[0].Meaning != MeansNothing || fields[1].Meaning != MeansFirstName || fields[2].Label != "" || fields[2].Meaning != MeansAgent {
		t.Errorf("%+v", fields)
	}
	if x.FieldNames != `{"1":"Ordrenummer","2":"First name"}` {
		t.Error(x.FieldNames)
	}
	var f FieldErrors
	if err := x.CheckValues(map[string]string{"2": "a", "agent": "b"}); !errors.As(err, &f) || f[0].Key != "pick.value_empty_named" || f[0].Args[1] != "Ordrenummer" {
		t.Error(err)
	}
	if x.NameFields(nil); x.FieldNames != "" || len(x.NamesOfFields()) != 0 {
		t.Error(x.FieldNames)
	}
}

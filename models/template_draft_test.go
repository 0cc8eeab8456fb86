package models

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

// good are drafts without a problem, one of each kind.
func good(kind string) TemplateDraft {
	d := TemplateDraft{
		Name: "order_ready", Language: "nb", Category: "UTILITY", Kind: kind, Body: "Hei {{1}}, ordre {{2}} er klar til henting.",
		Samples: map[string]string{"1": "Ana", "2": "4711"},
	}
	switch kind {
	case KindOfMedia:
		d.Media = "https://example.com/{{3}}.png"
		d.Samples["3"] = "kart"
	case KindOfQuickReply:
		d.Buttons = []Action{{ActionQuickReply, "Ja", ""}, {ActionQuickReply, "Nei", ""}}
	case KindOfCallToAction:
		d.Buttons = []Action{{ActionURL, "Følg", "https://example.com/sporing/{{3}}"}, {ActionPhoneNumber, "Ring", "+4721000040"}, {ActionCopyCode, "Kode", "VAAR20"}}
		d.Samples["3"] = "4711"
	case KindOfCard:
		d.Header, d.Footer = "Klar", "Svar STOPP for å slippe"
		d.Buttons = []Action{{ActionQuickReply, "Ja, jeg kommer og henter", ""}, {ActionURL, "Kart", "https://example.com"}}
	case KindOfListPicker:
		d.Category, d.ListButton = "", "Velg"
		d.Items = []Choice{{Title: "Formiddag", Description: "8–12"}, {Title: "Ettermiddag"}}
	}
	return d
}

func TestGoodTemplates(t *testing.T) {
	for _, kind := range TemplateKinds() {
		d := good(kind)
		if f := d.Check(); len(f) > 0 {
			t.Errorf("%s: %v", kind, f)
		}
		// What is sent to Twilio is what the preview shows.
		got, want := ReadContent(d.Types()), d.Content()
		for i := range want.Actions {
			if want.Actions[i].Kind == ActionQuickReply {
				want.Actions[i].Value = want.Actions[i].Title
			}
		}
		for i := range got.Items {
			got.Items[i].ID = ""
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, want %+v", kind, got, want)
		}
		if !json.Valid(d.Types()) {
			t.Errorf("%s: %s", kind, d.Types())
		}
	}
}

func TestTemplateRules(t *testing.T) {
	long := strings.Repeat("å", 2000)
	body := func(s string, more ...string) func(*TemplateDraft) {
		return func(d *TemplateDraft) {
			d.Body = s
			for _, n := range more {
				d.Samples[n] = "x"
			}
		}
	}
	button := func(a ...Action) func(*TemplateDraft) { return func(d *TemplateDraft) { d.Buttons = a } }
	link := func(s string) func(*TemplateDraft) { return button(Action{ActionURL, "Se", s}) }
	many := make([]Action, 11)
	for i := range many {
		many[i] = Action{ActionQuickReply, strings.Repeat("x", i+1), ""}
	}
	for _, tt := range []struct {
		name, kind string
		change     func(*TemplateDraft)
		want       string
	}{
		{"no name", KindOfText, func(d *TemplateDraft) { d.Name = "" }, "name: template.name_empty"},
		{"capitals", KindOfText, func(d *TemplateDraft) { d.Name = "Order ready" }, "name: template.name_signs"},
		{"long name", KindOfText, func(d *TemplateDraft) { d.Name = strings.Repeat("a", 513) }, "name: template.name_long"},
		{"no language", KindOfText, func(d *TemplateDraft) { d.Language = "tlh" }, "language: template.language_none"},
		{"no category", KindOfText, func(d *TemplateDraft) { d.Category = "" }, "category: template.category_none"},
		{"no text", KindOfText, body(" \n"), "body: template.body_empty"},
		{"long text", KindOfText, body(strings.Repeat("å", 1025)), "body: template.text_long"},
		{"longest text", KindOfText, body(strings.Repeat("å", 1024)), ""},
		{"long call to action", KindOfCallToAction, body(strings.Repeat("å", 641)), "body: template.text_long"},
		{"eleven emojis", KindOfText, body("Hei " + strings.Repeat("😀", 11)), "body: template.emojis"},
		{"ten emojis", KindOfText, body("Hei " + strings.Repeat("👍🏽", 8) + "👩‍👩‍👧🇳🇴"), ""},
		{"link to WhatsApp", KindOfText, body("Skriv til https://WA.me/4740000142 nå"), "body: template.wa_me"},
		{"begins with one", KindOfText, body("{{1}} er klar til henting nå"), "body: template.starts_with_variable"},
		{"ends with one", KindOfText, body("Nå kan du hente ordre {{1}}."), "body: template.ends_with_variable"},
		{"two beside each other", KindOfText, body("Hei du, {{1}} {{2}} er klar til henting nå, kom gjerne."), "body: template.adjacent"},
		{"two joined", KindOfText, body("Hei du, {{1}}{{2}} er klar til henting nå, kom gjerne."), "body: template.adjacent"},
		{"too few words", KindOfText, body("Hei {{1}} og hei"), ""},
		{"fewer words", KindOfText, body("Hei {{1}} hei"), "body: template.few_words"},
		{"a gap", KindOfText, body("Hei {{1}}, her er {{3}} til deg fra oss.", "3"), "body: template.gap"},
		{"not from one", KindOfText, body("Hei {{0}}, her er alt til deg fra oss.", "0"), "body: template.gap"},
		{"a name", KindOfText, body("Hei {{name}}, her er alt til deg fra oss.", "name"), "body: template.gap"},
		{"no sample", KindOfText, func(d *TemplateDraft) { d.Samples["2"] = " " }, "sample-2: template.sample_empty"},
		{"sample of two lines", KindOfText, func(d *TemplateDraft) { d.Samples["2"] = "a\nb" }, "sample-2: template.sample_signs"},
		{"sample with a gap", KindOfText, func(d *TemplateDraft) { d.Samples["2"] = "a    b" }, "sample-2: template.sample_signs"},
		{"long sample", KindOfText, func(d *TemplateDraft) { d.Samples["2"] = long }, "sample-2: template.text_long"},
		{"no file", KindOfMedia, func(d *TemplateDraft) { d.Media = "" }, "media: template.media_empty"},
		{"file without https", KindOfMedia, func(d *TemplateDraft) { d.Media = "http://example.com/a.png" }, "media: template.media_address"},
		{"file of a variable", KindOfMedia, func(d *TemplateDraft) { d.Media = "https://{{3}}/a.png" }, "media: template.media_domain"},
		{"file and header", KindOfCard, func(d *TemplateDraft) { d.Media = "https://example.com/a.png" }, "media: template.header_or_media"},
		{"long header", KindOfCard, func(d *TemplateDraft) { d.Header = strings.Repeat("x", 61) }, "header: template.text_long"},
		{"long footer", KindOfCard, func(d *TemplateDraft) { d.Footer = strings.Repeat("x", 61) }, "footer: template.text_long"},
		{"footer with a variable", KindOfCard, func(d *TemplateDraft) { d.Footer, d.Samples["3"] = "{{3}}", "x" }, "footer: template.footer_variable"},
		{"no button", KindOfQuickReply, button(), "button-1-title: template.button_none"},
		{"eleven buttons", KindOfQuickReply, button(many...), "button-1-title: template.buttons_many"},
		{"button without title", KindOfQuickReply, button(Action{ActionQuickReply, " ", ""}), "button-1-title: template.button_title_empty"},
		{"long title", KindOfQuickReply, button(Action{ActionQuickReply, strings.Repeat("x", 21), ""}), "button-1-title: template.text_long"},
		{"long title of a card", KindOfCard, button(Action{ActionQuickReply, strings.Repeat("x", 26), ""}), "button-1-title: template.text_long"},
		{"variable in a title", KindOfQuickReply, button(Action{ActionQuickReply, "Ja {{1}}", ""}), "button-1-title: template.button_title_plain"},
		{"two alike", KindOfQuickReply, button(Action{ActionQuickReply, "Ja", ""}, Action{ActionQuickReply, "JA", ""}), "button-2-title: template.button_twice"},
		{"link among replies", KindOfQuickReply, link("https://example.com"), "button-1-kind: template.button_kind"},
		{"reply among calls", KindOfCallToAction, button(Action{ActionQuickReply, "Ja", ""}), "button-1-kind: template.button_kind"},
		{"unknown button", KindOfCard, button(Action{"VOICE_CALL", "Ja", ""}), "button-1-kind: template.button_kind"},
		{"three links", KindOfCallToAction, button(Action{ActionURL, "a", "https://a.example"}, Action{ActionURL, "b", "https://b.example"}, Action{ActionURL, "c", "https://c.example"}), "button-3-title: template.links_many"},
		{"two numbers", KindOfCallToAction, button(Action{ActionPhoneNumber, "a", "+4721000040"}, Action{ActionPhoneNumber, "b", "+4721000041"}), "button-2-title: template.phones_many"},
		{"two codes", KindOfCallToAction, button(Action{ActionCopyCode, "a", "A"}, Action{ActionCopyCode, "b", "B"}), "button-2-title: template.codes_many"},
		{"no link", KindOfCallToAction, link(""), "button-1-value: template.link_empty"},
		{"link of a script", KindOfCallToAction, link("javascript:alert(1)"), "button-1-value: template.link_address"},
		{"link to WhatsApp by button", KindOfCallToAction, link("https://wa.me/4740000142"), "button-1-value: template.wa_me"},
		{"variable within", KindOfCallToAction, func(d *TemplateDraft) { link("https://example.com/{{3}}/x")(d); d.Samples["3"] = "x" }, "button-1-value: template.link_variable"},
		{"variable after no slash", KindOfCallToAction, func(d *TemplateDraft) { link("https://example.com/?id={{3}}")(d); d.Samples["3"] = "x" }, "button-1-value: template.link_variable"},
		{"variable as domain", KindOfCallToAction, func(d *TemplateDraft) { link("https://{{3}}")(d); d.Samples["3"] = "x" }, "button-1-value: template.link_variable"},
		{"two variables", KindOfCallToAction, func(d *TemplateDraft) {
			link("https://example.com/{{3}}/{{4}}")(d)
			d.Samples["3"], d.Samples["4"] = "x", "y"
		}, "button-1-value: template.link_variable"},
		{"bad number", KindOfCallToAction, button(Action{ActionPhoneNumber, "Ring", "21 00 00 40"}), "button-1-value: template.phone_bad"},
		{"long code", KindOfCallToAction, button(Action{ActionCopyCode, "Kode", "1234567890123456"}), "button-1-value: template.code_bad"},
		{"list without button", KindOfListPicker, func(d *TemplateDraft) { d.ListButton = "" }, "list_button: template.list_button_empty"},
		{"list with a long button", KindOfListPicker, func(d *TemplateDraft) { d.ListButton = strings.Repeat("x", 21) }, "list_button: template.text_long"},
		{"empty list", KindOfListPicker, func(d *TemplateDraft) { d.Items = nil }, "item-1-title: template.item_none"},
		{"long list", KindOfListPicker, func(d *TemplateDraft) {
			d.Items = nil
			for i := range 11 {
				d.Items = append(d.Items, Choice{Title: strings.Repeat("x", i+1)})
			}
		}, "item-1-title: template.items_many"},
		{"row without title", KindOfListPicker, func(d *TemplateDraft) { d.Items[0].Title = "" }, "item-1-title: template.item_title_empty"},
		{"long row", KindOfListPicker, func(d *TemplateDraft) { d.Items[1].Title = strings.Repeat("x", 25) }, "item-2-title: template.text_long"},
		{"rows alike", KindOfListPicker, func(d *TemplateDraft) { d.Items[1].Title = "formiddag" }, "item-2-title: template.item_twice"},
		{"long description", KindOfListPicker, func(d *TemplateDraft) { d.Items[1].Description = strings.Repeat("x", 73) }, "item-2-description: template.text_long"},
		{"a list may begin with one", KindOfListPicker, body("{{1}}"), ""},
	} {
		d := good(tt.kind)
		tt.change(&d)
		if got := strings.TrimPrefix(d.Check().Error(), ", "); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestTypedTemplateRules(t *testing.T) {
	for want, change := range map[string]func(*Template){
		"":                                 func(*Template) {},
		"name: template.name_empty":        func(t *Template) { t.Name = "" },
		"name: template.name_long":         func(t *Template) { t.Name = strings.Repeat("å", 101) },
		"language: template.language_none": func(t *Template) { t.Language = "" },
		"body: template.body_paste":        func(t *Template) { t.Body = " " },
		"body: template.text_long":         func(t *Template) { t.Body = strings.Repeat("å", 1025) },
		"body: template.gap":               func(t *Template) { t.Body = "{{1}} og {{3}}" },
		"content_sid: template.sid_format": func(t *Template) { t.ContentSID = "HX123" },
		"field-2: template.text_long":      func(t *Template) { t.NameFields(map[string]string{"2": strings.Repeat("å", 41)}) },
	} {
		x := Template{Name: "Pakke på vei", Language: "nb", Body: "{{1}} er {{2}}, {{name}}", ContentSID: "HX0123456789abcdef0123456789ABCDEF"}
		change(&x)
		if got := CheckTypedTemplate(x).Error(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

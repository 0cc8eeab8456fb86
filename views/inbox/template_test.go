package inbox

import (
	"strings"
	"testing"
	"time"

	"kanal/models"
	"kanal/views/components"
	"kanal/views/i18n"
	"kanal/views/viewtest"
)

var morning = time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)

// rowClosing is a conversation whose reply window closes in a while; nil: the customer has never written.
func rowClosing(in *time.Duration) models.ConversationRow {
	user := models.UserID(1)
	r := models.ConversationRow{
		Conversation: models.Conversation{ID: 7, AccountID: 1, ContactID: 4, State: models.Active, UserID: &user, Address: "whatsapp:+4740000142"},
		ContactName:  "Kari Nordli",
	}
	if in != nil {
		closes := morning.Add(*in)
		wrote := closes.Add(-models.ServiceWindowLength)
		r.WindowClosesAt, r.WindowInbound = &closes, &wrote
	}
	return r
}

// Every state of the reply window in the composer's place and in the list.
func TestEveryStateOfTheWindow(t *testing.T) {
	in := func(d time.Duration) *time.Duration { return &d }
	for _, tt := range []struct {
		state  models.WindowState
		closes *time.Duration
		form   map[i18n.Lang][]string
		list   map[i18n.Lang]string
	}{
		{
			models.WindowNever, nil,
			map[i18n.Lang][]string{i18n.NB: {"Kunden har ikke skrevet ennå", "Start med en mal.", "Velg mal"}, i18n.EN: {"The customer has not written yet", "Start with a template.", "Choose template"}},
			map[i18n.Lang]string{i18n.NB: "Bare mal", i18n.EN: "Template only"},
		},
		{
			models.WindowOpen, in(22*time.Hour + 4*time.Minute),
			map[i18n.Lang][]string{i18n.NB: {"win--ok", "Svarvindu:", "22 t 4 min"}, i18n.EN: {"win--ok", "Reply window:", "22 h 4 min"}}, nil,
		},
		{
			models.WindowSoon, in(3*time.Hour + 59*time.Minute),
			map[i18n.Lang][]string{i18n.NB: {"win--w", "Svarvindu:", "3 t 59 min"}, i18n.EN: {"win--w", "Reply window:", "3 h 59 min"}},
			map[i18n.Lang]string{i18n.NB: "3 t 59 min", i18n.EN: "3 h 59 min"},
		},
		{
			models.WindowLast, in(42 * time.Minute),
			map[i18n.Lang][]string{i18n.NB: {"win--e", "Lukkes om", "42 min"}, i18n.EN: {"win--e", "Closes in", "42 min"}},
			map[i18n.Lang]string{i18n.NB: "42 min", i18n.EN: "42 min"},
		},
		{
			models.WindowClosed, in(0),
			map[i18n.Lang][]string{i18n.NB: {"Svarvinduet er lukket", "Velg mal"}, i18n.EN: {"The reply window is closed", "Choose template"}},
			map[i18n.Lang]string{i18n.NB: "Bare mal", i18n.EN: "Template only"},
		},
	} {
		row := rowClosing(tt.closes)
		row.LastDirection = models.System // such as who has started the conversation
		viewtest.Each(t, ComposerPane(Composer{Row: row, Viewer: models.Viewer{User: 1}, Now: morning}), func(t *testing.T, lang i18n.Lang, page string) {
			for _, s := range tt.form[lang] {
				if !strings.Contains(page, s) {
					t.Errorf("%s: no %q in the composer's place", tt.state, s)
				}
			}
		})
		viewtest.Each(t, ListPane(List{Part: Part{View: models.ViewMine}, Rows: []models.ConversationRow{row}, Now: morning}), func(t *testing.T, lang i18n.Lang, page string) {
			if !strings.Contains(page, `data-window="`+string(tt.state)+`"`) || !strings.Contains(page, tt.list[lang]) || strings.Contains(page, "conv__m") != (tt.list != nil) {
				t.Errorf("%s: %q: %s", tt.state, tt.list[lang], page)
			}
		})
	}
}

// Who has never written and got something has not answered; of what did not go out nothing is said, and a template is
// still the first thing. The page hears of the change.
func TestComposerBeforeTheFirstAnswer(t *testing.T) {
	row := rowClosing(nil)
	row.LastDirection, row.LastPreview = models.System, "conversation.started_by"
	before := Version(row, morning)
	row.LastDirection, row.LastState, row.LastPreview = models.Out, models.Queued, "Hei"
	if Version(row, morning) == before {
		t.Error("the page hears nothing")
	}
	for state, want := range map[models.MessageState]map[i18n.Lang]string{
		models.Queued:      {i18n.NB: "Kunden har ikke svart ennå", i18n.EN: "The customer has not answered yet"},
		models.Read:        {i18n.NB: "Når Kari svarer, kan du skrive fritt i 24 timer.", i18n.EN: "When Kari answers, you can write freely for 24 hours."},
		models.Undelivered: {i18n.NB: "Start med en mal.", i18n.EN: "Start with a template."},
	} {
		row.LastState = state
		viewtest.Each(t, ComposerPane(Composer{Row: row, Viewer: models.Viewer{User: 1}, Now: morning}), func(t *testing.T, lang i18n.Lang, page string) {
			if !strings.Contains(page, want[lang]) || !strings.Contains(page, "/templates") || strings.Contains(page, "Start ") != (state == models.Undelivered) {
				t.Errorf("%s: %s", state, page)
			}
		})
	}
}

// The picker without anything to choose, with nothing that matches, and with one that may not be sent.
func TestPickerStates(t *testing.T) {
	chosen := models.Template{ID: 3, Name: "Takk", Language: "nb", Body: "Hei {{1}}, {{2}}", ContentSID: "HX1"}
	english, unknown := chosen, chosen
	english.Language, unknown.Language = "en_GB", ""
	row := rowClosing(nil)
	for name, tt := range map[string]struct {
		p            Picker
		with, absent string
	}{
		"nothing":       {Picker{Row: row}, "Ingen godkjente maler.", `id="tp-form"`},
		"to add one":    {Picker{Row: row, Admin: true}, `href="/admin/templates"`, `id="tp-form"`},
		"one waits":     {Picker{Row: row, Waiting: 1}, "1 venter på godkjenning", `id="tp-form"`},
		"no match":      {Picker{Row: row, Query: "<x>"}, "Ingen treff på «&lt;x&gt;»", "Send mal<"},
		"no consent":    {Picker{Row: row, Chosen: &chosen, Refusal: models.RefusedNoOptIn}, "Registrer samtykke", "Send mal<"},
		"opted out":     {Picker{Row: row, Chosen: &chosen, Refusal: models.RefusedOptedOut}, "Kunden har reservert seg", "Registrer samtykke"},
		"stopped":       {Picker{Row: row, Chosen: &chosen, Stopped: true, Errors: components.Errors{}.With("", "stoppet")}, "stoppet", "Send mal<"},
		"known":         {Picker{Row: row, Chosen: &chosen}, `value="Kari"`, ">[Fornavn]<"},
		"typed":         {Picker{Row: row, Chosen: &chosen, Values: map[string]string{"1": "<b>"}}, ">&lt;b&gt;</span>", "<b></span>"},
		"its language":  {Picker{Row: row, Chosen: &english}, `<div lang="en-GB">`, `lang="en_GB"`},
		"no language":   {Picker{Row: row, Chosen: &unknown}, `data-empty="[Fornavn]"`, `lang=""`},
		"what is empty": {Picker{Row: row, Chosen: &chosen, Values: map[string]string{"1": " "}}, ">[Fornavn]<", `value="Kari"`},
	} {
		page := viewtest.Render(t, i18n.NB, PickerDialog(tt.p))
		viewtest.Check(t, page)
		if !strings.Contains(page, tt.with) || strings.Contains(page, tt.absent) {
			t.Errorf("%s: %q or %q: %s", name, tt.with, tt.absent, page)
		}
	}
}

// The preview looks as the customer sees it; a file is named, with the way to it, and never fetched into the page.
func TestPickerPreview(t *testing.T) {
	card := func(types string) *models.Template {
		return &models.Template{ID: 3, Name: "kort", Language: "nb", ContentSID: "HX1", Kind: "x", Types: types}
	}
	const out = ` target="_blank" rel="noopener noreferrer nofollow" dir="ltr">`
	for name, tt := range map[string]struct {
		types string
		want  []string
	}{
		"formats":  {`{"twilio/text":{"body":"Hei *{{1}}*, _takk_ <b>"}}`, []string{`Hei <strong><span class="var" data-var="v-1"`, "</span></strong>, <em>takk</em> &lt;b&gt;"}},
		"picture":  {`{"twilio/media":{"body":"b","media":["https://cdn.example/a/Salg%20nå.PNG?x=1"]}}`, []string{"Bilde: ", `<a href="https://cdn.example/a/Salg%20nå.PNG?x=1"` + out + "Salg nå.PNG</a>"}},
		"film":     {`{"twilio/media":{"media":["https://cdn.example/f.mp4"]}}`, []string{"Video: ", out + "f.mp4</a>"}},
		"document": {`{"twilio/media":{"media":["https://cdn.example/"]}}`, []string{"Dokument: ", out + "cdn.example</a>"}},
		"variable": {`{"twilio/media":{"media":["https://cdn.example/{{1}}.pdf"]}}`, []string{`<span dir="ltr">https://cdn.example/<span class="var" data-var="v-1"`}},
		"no link":  {`{"twilio/media":{"media":["javascript:alert(1)"]}}`, []string{`<span dir="ltr">javascript:alert(1)</span>`}},
		"hidden":   {`{"twilio/media":{"media":["https://bank.no@evil.example/a.png"]}}`, []string{`<span dir="ltr">https://bank.no@evil.example/a.png</span>`}},
		"list":     {`{"twilio/list-picker":{"body":"b","button":"Velg","items":[{"item":"Oslo","description":"nå {{1}}"}]}}`, []string{"Velg</li>", "Oslo", `nå <span class="var"`}},
		"cards":    {`{"twilio/carousel":{"body":"b","cards":[{"title":"En","body":"*x*","media":["https://c.example/1.jpg"],"actions":[{"type":"URL","title":"Kjøp"}]}]}}`, []string{"<strong>x</strong>", out + "1.jpg</a>", "Kjøp</li>"}},
		"place":    {`{"twilio/location":{"latitude":59,"longitude":10,"label":"Kontoret","address":"Storgata {{1}}"}}`, []string{"Kontoret Storgata <span"}},
	} {
		page := viewtest.Render(t, i18n.NB, PickerDialog(Picker{Row: rowClosing(nil), Chosen: card(tt.types)}))
		viewtest.Check(t, page)
		for _, s := range tt.want {
			if !strings.Contains(page, s) {
				t.Errorf("%s: no %s in %s", name, s, page)
			}
		}
		if strings.Contains(page, "<img") || strings.Contains(page, "<video") {
			t.Errorf("%s: something is fetched: %s", name, page)
		}
	}
	sent := models.Message{Kind: models.KindTemplate, Details: models.Details{Template: "t", Media: []string{"https://c.example/1.jpg", "https://c.example/{{1}}"}}}
	page := viewtest.Render(t, i18n.EN, templateTop(sent))
	if !strings.Contains(page, "Image: ") && !strings.Contains(page, "Picture: ") || !strings.Contains(page, out+"1.jpg</a>") || !strings.Contains(page, "https://c.example/{{1}}") {
		t.Error(page)
	}
}

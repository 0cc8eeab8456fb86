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

// The picker without anything to choose, with nothing that matches, and with one that may not be sent.
func TestPickerStates(t *testing.T) {
	chosen := models.Template{ID: 3, Name: "Takk", Language: "nb", Body: "Hei {{1}}, {{2}}", ContentSID: "HX1"}
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
		"what is empty": {Picker{Row: row, Chosen: &chosen, Values: map[string]string{"1": " "}}, ">[Fornavn]<", `value="Kari"`},
	} {
		page := viewtest.Render(t, i18n.NB, PickerDialog(tt.p))
		viewtest.Check(t, page)
		if !strings.Contains(page, tt.with) || strings.Contains(page, tt.absent) {
			t.Errorf("%s: %q or %q: %s", name, tt.with, tt.absent, page)
		}
	}
}

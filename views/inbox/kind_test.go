package inbox

import (
	"strings"
	"testing"
	"time"

	"kanal/models"
	"kanal/views/i18n"
	"kanal/views/viewtest"
)

func threadOf(ms ...models.Message) Thread {
	t := Thread{
		Row: models.ConversationRow{Conversation: models.Conversation{ID: 7, Seq: 200}, ContactName: "Kari Nordli"}, Messages: ms,
		Viewer: models.Viewer{User: 3, Role: models.Agent}, Now: time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC),
		Advice: func(int) (string, bool) { return "none", false },
	}
	for i := range t.Messages {
		m := &t.Messages[i]
		if m.ID == 0 {
			m.ID, m.Seq = models.MessageID(100+i), float64(100+i)
		}
		if m.ConversationID = 7; m.Direction == "" {
			m.Direction, m.State = models.In, models.Received
		}
	}
	return t
}

// Each kind shows what it brings, and nothing that a customer wrote is more than text.
func TestKinds(t *testing.T) {
	const evil = `<img src=x onerror=alert(1)>`
	for _, tt := range []struct {
		what   string
		m      models.Message
		want   map[i18n.Lang][]string
		absent []string
	}{
		{
			what: "contact cards",
			m: models.Message{Kind: models.KindContacts, Details: models.Details{Cards: []models.Card{
				{Name: "Ola " + evil, Org: "Example AS", Phones: []string{"+4740000199"}, Emails: []string{"ola@example.com"}}, {Name: "Firm", Org: "Firm"},
			}}},
			want: map[i18n.Lang][]string{
				i18n.NB: {"Kontaktkort: ", "Ola &lt;img", "Example AS", `id="card-100-0-0">+4740000199`, `data-copy="card-100-0-0"`, "Kopier", "ola@example.com", "Firm"},
				i18n.EN: {"Contact card: ", "Copy"},
			},
			absent: []string{"not shown", "<small dir=\"auto\">Firm"},
		},
		{
			what: "cards that have not been fetched", m: models.Message{Kind: models.KindContacts},
			want: map[i18n.Lang][]string{i18n.NB: {"Kontaktkort"}, i18n.EN: {"Contact card"}},
		},
		{
			what: "a place without coordinates", m: models.Message{Kind: models.KindLocation},
			want:   map[i18n.Lang][]string{i18n.NB: {"Stedet kunne ikke leses."}, i18n.EN: {"The place could not be read."}},
			absent: []string{"openstreetmap"},
		},
		{
			what: "a place",
			m:    models.Message{Kind: models.KindLocation, Details: models.Details{Place: &models.Place{Latitude: -0.5, Longitude: 10, Label: evil, Address: evil}}},
			want: map[i18n.Lang][]string{i18n.NB: {"-0.5, 10", `href="https://www.openstreetmap.org/?mlat=-0.5&amp;mlon=10#map=16/-0.5/10"`, `rel="noopener noreferrer nofollow"`, "Åpne i kart"}},
		},
		{
			what: "a list",
			m:    models.Message{Kind: models.KindListReply, Body: "Row", Details: models.Details{Choice: &models.Choice{ID: "r", Title: "Row", Description: evil}}},
			want: map[i18n.Lang][]string{i18n.NB: {"Valgte fra listen", "Row"}, i18n.EN: {"Chose from the list"}},
		},
		{
			what: "a button with more text", m: models.Message{Kind: models.KindButton, Body: "More *words*", Details: models.Details{Choice: &models.Choice{ID: "only_an_id"}}},
			want: map[i18n.Lang][]string{i18n.NB: {"only_an_id", "More <strong>words</strong>"}},
		},
		{
			what: "we may call", m: models.Message{Kind: models.KindButton, Body: callPermission, Details: models.Details{Choice: &models.Choice{ID: "ACCEPTED", Title: callPermission}}},
			want:   map[i18n.Lang][]string{i18n.NB: {"Tillater at vi ringer"}, i18n.EN: {"Allows us to call"}},
			absent: []string{callPermission},
		},
		{
			what: "an answer about calls that is not known",
			m:    models.Message{Kind: models.KindButton, Details: models.Details{Choice: &models.Choice{ID: "LATER", Title: callPermission}}},
			want: map[i18n.Lang][]string{i18n.NB: {"Svar på om vi kan ringe"}},
		},
		{
			what: "a flow",
			m: models.Message{Kind: models.KindFlowReply, Details: models.Details{Flow: []models.Answer{
				{Name: "screen_0_Pick_a_day_1", Value: "2_Next_week"}, {Name: "full_name", Value: "Kari_N " + evil},
			}}},
			want: map[i18n.Lang][]string{i18n.NB: {"Svar på skjema", ">Pick a day</dt>", ">Next week</dd>", ">full name</dt>", ">Kari_N &lt;img"}},
		},
		{
			what: "an empty flow", m: models.Message{Kind: models.KindFlowReply},
			want: map[i18n.Lang][]string{i18n.NB: {"Skjemaet var uten svar."}, i18n.EN: {"The form had no answers."}},
		},
		{
			what: "an ad with an address that is no link",
			m:    models.Message{Kind: models.KindText, Body: "Hi", Details: models.Details{Referral: &models.Referral{Headline: evil, URL: "javascript:alert(1)"}}},
			want: map[i18n.Lang][]string{i18n.NB: {"Kom fra en annonse", "Hi"}, i18n.EN: {"Came from an ad"}}, absent: []string{"javascript:", "Åpne"},
		},
		{
			what: "unknown", m: models.Message{Kind: models.KindUnsupported, RawKind: "order<b>", Body: "x"},
			want: map[i18n.Lang][]string{i18n.NB: {"Meldingstypen støttes ikke ennå", "order&lt;b&gt;", "x"}, i18n.EN: {"Message type not supported yet"}},
		},
		{
			what: "nothing at all", m: models.Message{Kind: models.KindText, Body: " \n"},
			want:   map[i18n.Lang][]string{i18n.NB: {`<span class="bub__kind">Melding uten innhold</span>`}, i18n.EN: {"Message without content"}},
			absent: []string{"bub__t"},
		},
		{
			what: "a button that says nothing", m: models.Message{Kind: models.KindButton},
			want: map[i18n.Lang][]string{i18n.EN: {"Message without content"}},
		},
		{
			what: "an ad without a text", m: models.Message{Kind: models.KindText, Details: models.Details{Referral: &models.Referral{Headline: "Sale"}}},
			want: map[i18n.Lang][]string{i18n.EN: {"Sale"}}, absent: []string{"without content"},
		},
		{
			what: "a cancelled message", m: models.Message{Kind: models.KindText, Body: "x", Direction: models.Out, State: models.Canceled},
			want: map[i18n.Lang][]string{i18n.NB: {"Avbrutt"}}, absent: []string{"kode"},
		},
	} {
		t.Run(tt.what, func(t *testing.T) {
			viewtest.Each(t, Messages(threadOf(tt.m)), func(t *testing.T, lang i18n.Lang, page string) {
				for _, s := range tt.want[lang] {
					if !strings.Contains(page, s) {
						t.Errorf("no %q in %s", s, page)
					}
				}
				for _, s := range append(tt.absent, "<img") {
					if strings.Contains(page, s) {
						t.Errorf("%q in %s", s, page)
					}
				}
			})
		})
	}
}

// A quote names who wrote, says what, and leads to the message: on the page, on the newest page, on the page of the
// thread that has it, or in the conversation of another day.
func TestQuotes(t *testing.T) {
	me, other := models.UserID(3), models.UserID(4)
	key := "abc"
	answers := func(q models.Message) Thread {
		m := models.Message{ID: 1, Seq: 199, Kind: models.KindText, Body: "Yes", QuotedID: &q.ID}
		th := threadOf(m)
		if q.ConversationID == 0 {
			q.ConversationID = 7
		}
		th.Quotes = map[models.MessageID]models.Message{1: q}
		return th
	}
	out := models.Message{ID: 2, Seq: 198, Direction: models.Out, State: models.Read, Kind: models.KindText, Body: "*Shall* we?\nNow", UserID: &me}
	onPage := answers(out)
	onPage.Messages = append(onPage.Messages, out)
	onPage.Messages[1].ConversationID = 7
	for _, tt := range []struct {
		what string
		th   Thread
		want []string
	}{
		{"on the page", onPage, []string{`href="#m-198"`, "<bdi>Du</bdi>", "Shall we? Now"}},
		{"on the newest page", answers(out), []string{`href="/inbox/7#m-198"`}},
		{"on an older page", answers(models.Message{ID: 2, Seq: 5, Direction: models.Out, Kind: models.KindText, Body: "x", UserID: &other, UserName: "Mads", ClientKey: &key}),
			[]string{`href="/inbox/7?before=25#m-abc"`, `data-quote="m-abc"`, "<bdi>Mads</bdi>"}},
		{"in another conversation", answers(models.Message{ID: 2, Seq: 3, ConversationID: 6, Direction: models.In, Kind: models.KindImage}),
			[]string{`href="/inbox/6?before=23#m-3"`, "<bdi>Kari Nordli</bdi>", "#image", "Bilde"}},
		{"not known", threadOf(models.Message{Kind: models.KindText, Body: "Yes", Details: models.Details{QuotedSID: "SM1"}}), []string{"Svar på en eldre melding"}},
	} {
		page := viewtest.Render(t, i18n.NB, Messages(tt.th))
		for _, s := range tt.want {
			if !strings.Contains(page, s) {
				t.Errorf("%s: no %q in %s", tt.what, s, page)
			}
		}
	}
	long := viewtest.Render(t, i18n.NB, Messages(answers(models.Message{ID: 2, Seq: 198, Kind: models.KindText, Body: strings.Repeat("å", 500)})))
	if !strings.Contains(long, strings.Repeat("å", 160)+"…") {
		t.Errorf("a long quote is not cut: %s", long)
	}
}

// The list shows what a message is, and its words.
func TestPreviews(t *testing.T) {
	for in, want := range map[string][2]string{
		"*Hei*\n_du_": {"Hei du", ""}, "": {"", ""},
		"\x1fimage\x1f": {"Bilde", "image"}, "\x1fimage": {"Bilde", "image"}, "\x1fimage\x1flook": {"look", "image"},
		"\x1faudio\x1f": {"Lyd", "mic"}, "\x1flocation\x1fOperaen": {"Operaen", "pin"}, "\x1fbutton\x1fJa": {"Ja", "tap"},
		"\x1funsupported\x1forder": {"Meldingstypen støttes ikke ennå", "info"}, "\x1fbutton\x1f" + callPermission: {"Svar på om vi kan ringe", "tap"},
		"\x1fnew_kind\x1f": {"Meldingstypen støttes ikke ennå", "info"},
	} {
		row := models.ConversationRow{Conversation: models.Conversation{LastPreview: in}}
		if got := [2]string{preview(viewtest.Context(i18n.NB), row), previewIcon(row)}; got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

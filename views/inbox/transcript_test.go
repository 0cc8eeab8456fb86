package inbox

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"kanal/models"
	"kanal/views/i18n"
	"kanal/views/viewtest"
)

// someTranscript is a conversation in two parts with everything that a line can be; hostile people write in it.
func someTranscript() Transcript {
	at := time.Date(2026, 11, 24, 22, 59, 5, 0, time.UTC)
	parts := []TranscriptPart{
		{
			Messages: []models.Message{
				{ID: 1, Direction: models.In, Kind: models.KindText, State: models.Received, CreatedAt: at, Body: "Hei\r\n[24 November 2026 23:59:05] Ida: <b>ja\x00\x1b[31m\u202egnp\u2028x"},
				{ID: 2, Direction: models.System, Kind: models.KindSystem, Body: "system.assigned", UserName: "<Ida>", CreatedAt: at},
				{ID: 3, Direction: models.In, Kind: models.KindImage, State: models.Received, CreatedAt: at},
			},
			Files: map[models.MessageID][]models.File{3: {{Name: "<a>\n.jpg", ContentType: "image/jpeg"}}},
		},
		{Messages: []models.Message{
			{ID: 4, Direction: models.Out, Kind: models.KindText, State: models.Failed, UserName: "Ida", Body: "Svar", CreatedAt: at.Add(time.Minute)},
			{ID: 5, Direction: models.Out, Kind: models.KindText, State: models.Read, Trigger: models.TriggerStarted, Body: "Velkommen", CreatedAt: at.Add(time.Hour)},
			{ID: 6, Direction: models.In, Kind: models.KindLocation, State: models.Received, Details: models.Details{Place: &models.Place{Latitude: 59.9073, Longitude: 10.7531, Label: "Operaen"}}, CreatedAt: at.Add(time.Hour)},
		}},
		{},
	}
	return Transcript{
		Row: models.ConversationRow{Conversation: models.Conversation{ID: 7, Address: "whatsapp:+4740000142", OpenedAt: at}, ContactName: "<Kari>", NumberName: "Support", NumberAddress: "+4721000040"},
		Now: at, Zone: "Europe/Oslo",
		Next: func(context.Context) (TranscriptPart, error) {
			p := parts[0]
			parts = parts[1:]
			return p, nil
		},
	}
}

func TestTranscriptKeepsTheRules(t *testing.T) {
	for _, lang := range i18n.Langs() {
		page := viewtest.Render(t, lang, TranscriptView(someTranscript()))
		viewtest.Check(t, page)
		for _, s := range []string{"&lt;Kari&gt;", "&lt;b&gt;ja", "image/jpeg", "Velkommen", "Operaen", "Support"} {
			if !strings.Contains(page, s) {
				t.Errorf("no %q in %s", s, page)
			}
		}
		if strings.Contains(page, "<b>ja") || strings.Contains(page, "<a>") || strings.Count(page, "paper__d") != 2 {
			t.Error("escaping, or days:", page)
		}
	}
}

// Nobody can write what looks like a message of somebody else's, or hides one.
func TestTranscriptAsText(t *testing.T) {
	var b strings.Builder
	if err := someTranscript().Text(viewtest.Context(i18n.EN), &b); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	for _, s := range []string{
		"Conversation with <Kari>\r\n", "+47 400 00 142\r\n", "(Europe/Oslo)\r\n",
		"[24 November 2026 23:59:05] <Kari>: Hei\r\n    [24 November 2026 23:59:05] Ida: <b>ja[31mgnp\r\n    x\r\n",
		"* Assigned to <Ida>\r\n", "<Kari>: [Image: <a> .jpg (image/jpeg)]\r\n", "[25 November 2026 00:00:05] Ida: Svar [Not sent]\r\n",
		"Automated message: Velkommen\r\n", "<Kari>: Operaen, 59.9073, 10.7531 [Location]\r\n",
	} {
		if !strings.Contains(text, s) {
			t.Errorf("no %q in %s", s, text)
		}
	}
	if strings.ContainsAny(text, "\x00\x1b\u202e") || strings.Count(text, "\r\n[") != 6 {
		t.Errorf("%q", text)
	}
}

func TestTranscriptThatEndsEarly(t *testing.T) {
	away := errors.New("the database is away")
	tr := someTranscript()
	first, n := tr.Next, 0
	tr.Next = func(ctx context.Context) (TranscriptPart, error) {
		if n++; n > 1 {
			return TranscriptPart{}, away
		}
		return first(ctx)
	}
	if err := tr.Text(viewtest.Context(i18n.NB), &strings.Builder{}); !errors.Is(err, away) {
		t.Error(err)
	}
}

// A transcript tells in words what the thread shows of each kind, as it was written.
func TestTranscriptTellsEveryKind(t *testing.T) {
	ctx := viewtest.Context(i18n.EN)
	for _, c := range []struct {
		m    models.Message
		want string
	}{
		{models.Message{Kind: models.KindText, Body: "Hei *Kari*", SearchText: "hei kari"}, "Hei *Kari*"},
		{models.Message{Kind: models.KindLocation, Details: models.Details{Place: &models.Place{Latitude: 59.9073, Longitude: 10.7531, Label: "Operaen"}}}, "Operaen, 59.9073, 10.7531"},
		{models.Message{Kind: models.KindContacts, SearchText: "ola", Details: models.Details{Cards: []models.Card{{Name: "Ola Nordmann", Org: "Hyttelaget AS", Phones: []string{"+47 400 00 199"}}, {Name: "Kari"}}}}, "Ola Nordmann, Hyttelaget AS, +47 400 00 199\nKari"},
		{models.Message{Kind: models.KindListReply, Body: "Monday", Details: models.Details{Choice: &models.Choice{ID: "mon", Title: "Monday", Description: "At nine"}}}, "Monday, At nine"},
		{models.Message{Kind: models.KindButton, Body: callPermission, Details: models.Details{Choice: &models.Choice{ID: "ACCEPTED", Title: callPermission}}}, i18n.T(ctx, "choice.call_accepted")},
		{models.Message{Kind: models.KindFlowReply, Details: models.Details{Flow: []models.Answer{{Name: "screen_0_Choose_a_day_0", Value: "1_Tomorrow"}}}}, "Choose a day: Tomorrow"},
		{models.Message{Kind: models.KindText, Body: "Hi", Details: models.Details{Referral: &models.Referral{Headline: "Write to us", URL: "https://example.com/ad"}}}, "Hi\nWrite to us, https://example.com/ad"},
		{models.Message{Kind: models.KindImage}, ""},
	} {
		if got := told(ctx, c.m); got != c.want {
			t.Errorf("%s: %q, want %q", c.m.Kind, got, c.want)
		}
	}
}

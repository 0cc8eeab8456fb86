package inbox

import (
	"strings"
	"testing"
	"time"

	"kanal/models"
	"kanal/views/i18n"
	"kanal/views/viewtest"
)

func TestReportKeepsTheRules(t *testing.T) {
	at := time.Date(2026, 11, 24, 9, 0, 5, 0, time.UTC)
	sid := "SM000000000000000000000000000000a1"
	known := func(code int) (string, bool) { return "none", code == 63016 || code == 1 }
	thread := Thread{Row: models.ConversationRow{ContactName: "<Kari>"}, Advice: known, Now: at}
	full := Report{
		Thread: thread, Template: "<Levering>",
		Message: models.Message{
			ID: 7, ConversationID: 3, Direction: models.Out, Kind: models.KindTemplate, UserName: "<Ida>", State: models.Undelivered, ErrorCode: 63016,
			CreatedAt: at, SentAt: &at, DeliveredAt: &at, ReadAt: &at, ProviderSID: &sid, ContentSID: "HX00",
		},
		Attempts: []models.SendAttempt{
			{N: 1, State: models.AttemptNotProcessed, HTTPStatus: 429, ErrorCode: 20429, StartedAt: at, Address: "whatsapp:+4740000142"},
			{N: 2, State: models.AttemptAccepted, SID: &sid, StartedAt: at, Address: "whatsapp:+4740000142"},
		},
		Events: []models.ProviderEvent{
			{Status: "sent", ReceivedAt: at, Form: "To=whatsapp%3A%2B4740000142"}, {Status: "<undelivered>", ErrorCode: 63016, ReceivedAt: at},
		},
		Files: []models.File{{Name: "<a>.pdf", ContentType: "application/pdf"}},
	}
	viewtest.Each(t, ReportDialog(full), func(t *testing.T, _ i18n.Lang, page string) {
		for _, s := range []string{"10:00:05", sid, "HX00", `href="https://www.twilio.com/docs/api/errors/63016"`, "errors/20429", "HTTP 429", "&lt;undelivered&gt;", "application/pdf"} {
			if !strings.Contains(page, s) {
				t.Errorf("no %q in %s", s, page)
			}
		}
		for _, s := range []string{"<Ida>", "<Levering>", "<a>", "40000142", "400 00 142"} {
			if strings.Contains(page, s) {
				t.Errorf("%q in %s", s, page)
			}
		}
	})
	for _, m := range []models.Message{
		{ID: 1, Direction: models.Out, State: models.Queued, Kind: models.KindText, Trigger: models.TriggerStarted},
		{ID: 1, Direction: models.In, State: models.Received, Kind: models.KindUnsupported, RawKind: "<new>"},
		{ID: 1, Direction: models.Out, State: models.Failed, ErrorCode: 1, Kind: models.KindText},
	} {
		viewtest.Each(t, ReportDialog(Report{Thread: thread, Message: m}), func(t *testing.T, _ i18n.Lang, page string) {
			if strings.Contains(page, "docs/api/errors") {
				t.Error("a code of our own leads to Twilio:", page)
			}
		})
	}
}

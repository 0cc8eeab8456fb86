package inbox

import (
	"strings"
	"testing"
	"time"

	"kanal/models"
	"kanal/views/i18n"
	"kanal/views/viewtest"
)

// The sign of our last message in the list: how far it has come, and that it has not.
func TestTicks(t *testing.T) {
	for state, want := range map[models.MessageState][2]string{
		models.Queued: {"clock", "ic--s"}, models.Sending: {"clock", "ic--s"}, models.Uncertain: {"clock", "ic--s"},
		models.Accepted: {"tick", "ic--s"}, models.Sent: {"tick", "ic--s"}, models.Delivered: {"ticks", "ic--s"}, models.Read: {"ticks", "ic--s is-read"},
		models.Failed: {"alert", "ic--s c-e"}, models.Undelivered: {"alert", "ic--s c-e"}, models.Canceled: {"alert", "ic--s c-e"},
	} {
		if got := [2]string{tick(state), rowTick(state)}; got != want {
			t.Errorf("%s: %v, want %v", state, got, want)
		}
	}
}

// A text in the list is read in its own direction, and turns nothing around that stands beside it.
func TestListTextsHaveTheirDirection(t *testing.T) {
	row := models.ConversationRow{ContactName: "مريم", Conversation: models.Conversation{LastPreview: "مرحبا abc", LastDirection: models.In}}
	page := func(r models.ConversationRow) string {
		return viewtest.Render(t, i18n.NB, ListPane(List{Part: Part{View: models.ViewMine}, Rows: []models.ConversationRow{r}}))
	}
	if got := page(row); !strings.Contains(got, `<span dir="auto">مرحبا abc</span>`) || !strings.Contains(got, "<bdi>مريم</bdi>") {
		t.Error(got)
	}
	empty := models.ConversationRow{Conversation: models.Conversation{LastDirection: models.In}}
	if got := page(empty); !strings.Contains(got, `<span dir="auto">Melding uten innhold</span>`) {
		t.Error(got)
	}
	row.Draft = "שלום"
	if got := page(row); !strings.Contains(got, "<bdi>שלום</bdi>") {
		t.Error(got)
	}
}

// A message that waits to be sent again says why, and when: its time is by the clock of its account, shown in the zone of the
// page.
func TestBubbleThatWaitsForItsNextAttempt(t *testing.T) {
	at := time.Date(2026, 11, 24, 14, 5, 0, 0, time.UTC)
	m := models.Message{Direction: models.Out, State: models.Queued, ErrorCode: 63012, Attempt: 1, RetryAt: &at, CreatedAt: at}
	thread := Thread{Row: models.ConversationRow{ClockAhead: time.Hour}, Advice: func(int) (string, bool) { return "retry", true }}
	got := viewtest.Render(t, i18n.EN, message(thread, m))
	for _, want := range []string{"WhatsApp has a temporary problem.", "Trying again at 15:05."} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in %s", want, got)
		}
	}
	if strings.Contains(got, "/retry") {
		t.Error("it is offered to send by hand what goes by itself")
	}
	// Twilio did not take the attempt, or the account is stopped.
	thread.Now = at.Add(time.Minute)
	if got := viewtest.Render(t, i18n.EN, message(thread, m)); strings.Contains(got, "15:05.") || !strings.Contains(got, "It waits to be sent again.") {
		t.Error("the time is over, and it is still said:", got)
	}
	m.RetryAt = nil
	if got := viewtest.Render(t, i18n.EN, message(thread, m)); strings.Contains(got, "fail") {
		t.Error("a message that is simply queued looks as if it had failed:", got)
	}
}

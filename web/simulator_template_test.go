package web

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"kanal/models"
	"kanal/service"
	"kanal/store"
	"kanal/twilio/simulator"
)

// A template stands on the phone with its buttons, outside of the window too, and a tap is the answer that WhatsApp makes
// of it.
func TestTemplateOnSimulatedPhone(t *testing.T) {
	t.Parallel()
	d := newTeam(t, store.SQLite)
	b := d.signedIn(d.user(models.Administrator, "boss@kanal.test"))
	d.until("the templates come", func() bool { return len(d.templatesOf(1)) == 9 })
	id := d.has(d.ida, d.says("Kari", "Hei"))
	d.agreed(viewerOf(d.ida), id)
	d.ahead(25 * time.Hour)
	m := d.templatesOf(1)["timepaminnelse"]
	_, err := d.service.Reply(t.Context(), viewerOf(d.ida), service.Reply{
		Conversation: id, Key: newClientKey(), Template: &service.TemplateUse{Template: m.ID, Values: map[string]string{"1": "Kari", "2": "onsdag", "3": "9.15"}},
	})
	d.must(err)
	at := "/simulator?account=" + d.sid + "&number=%2B" + d.number[1:] + "&customer=" + url.QueryEscape(string(d.phone("Kari")))
	var last simulator.Message
	d.until("it is on the phone", func() bool {
		all := d.sim.Thread(d.sid, d.phone("Kari"), d.number)
		last = all[len(all)-1]
		return last.Direction != "inbound" && last.Arrived()
	})
	b.get(at).want(http.StatusOK, "onsdag kl. 9.15", "Ja, jeg kommer", "Jeg trenger ny tid")
	place := []string{"account", d.sid, "number", d.number, "customer", string(d.phone("Kari"))}
	tap := func(message, what string) *answer {
		return b.post("/simulator/taps", append([]string{"message", message, "tap", what}, place...)...)
	}
	for _, wrong := range [][2]string{{"SM1", "a0"}, {last.SID, "a2"}, {last.SID, "a-1"}, {last.SID, ""}, {last.SID, "i0"}} {
		tap(wrong[0], wrong[1]).want(http.StatusNotFound)
	}
	tap(last.SID, "a1").want(http.StatusSeeOther)
	row, err := d.store.Conversation(t.Context(), viewerOf(d.ida), id)
	d.must(err)
	ms, err := d.store.Messages(t.Context(), row.Conversation, 0)
	d.must(err)
	if is := ms[len(ms)-1]; is.Kind != models.KindButton || is.Body != "Jeg trenger ny tid" {
		t.Errorf("%+v", is)
	}

	decide := func(content, status string) *answer {
		return b.post("/simulator/templates", append([]string{"content", content, "status", status}, place...)...)
	}
	decide(m.ContentSID, "paused").want(http.StatusSeeOther)
	decide(m.ContentSID, "sold").want(http.StatusBadRequest)
	decide("HX1", "paused").want(http.StatusNotFound)
	b.post("/admin/templates/fetch", "account", "1").want(http.StatusSeeOther)
	d.until("the center knows", func() bool { return d.templatesOf(1)["timepaminnelse"].Status == models.TemplatePaused })
	b.get("/admin/templates").want(http.StatusOK, "Paused", "LOW_QUALITY")
}

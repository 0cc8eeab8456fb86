package web

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"kanal/models"
	"kanal/store"
	"kanal/store/storetest"
	"kanal/views/check"
)

// testMessage fills in the form of a message to oneself; with send it confirms it.
func (d *team) testMessage(b *browser, to, key string, send bool) *answer {
	d.t.Helper()
	n, err := d.store.NumbersToStart(d.t.Context(), models.Viewer{Role: models.Administrator})
	d.must(err)
	action := "next"
	if send {
		action = "send"
	}
	return b.post(check.MessageURL, "to", to, "number", number(n[0].ID), "client_key", key, "action", action)
}

func (d *team) conversations() int {
	d.t.Helper()
	rows, err := d.store.Conversations(d.t.Context(), models.Viewer{Role: models.Administrator}, store.InboxFilter{View: models.ViewAll})
	d.must(err)
	return len(rows)
}

// A message to oneself is confirmed, is sent once, as a template outside of the reply window and as words inside of it, and
// is not sent when nothing may be.
func TestMessageToOneself(t *testing.T) {
	for _, dialect := range storetest.Dialects {
		t.Run(string(dialect), func(t *testing.T) {
			d := newTeam(t, dialect)
			boss := d.signedIn(d.user(models.Administrator, "boss@kanal.test"))
			d.signedIn(d.ida).get(check.MessageURL).want(http.StatusForbidden)
			d.testMessage(d.signedIn(d.ida), "+4740000155", "k1", true).want(http.StatusForbidden)
			boss.get(check.MessageURL).want(http.StatusOK, "never to a customer", "Your own phone number")
			d.testMessage(boss, "", "", false).want(http.StatusUnprocessableEntity, "Enter your phone number")
			d.testMessage(boss, d.number, "", true).want(http.StatusUnprocessableEntity, "This is our own number")
			boss.post(check.MessageURL, "to", "+4740000155", "number", "99", "action", "send").want(http.StatusUnprocessableEntity, "Choose a number")
			d.testMessage(boss, "400 00 155", "", false).want(http.StatusOK, "It must be your own phone", `value="+4740000155"`, `name="client_key"`)
			boss.post(check.MessageURL, "to", "+4740000155", "action", "change").want(http.StatusOK, `value="+4740000155"`, "Your own phone number")
			if n := d.conversations() + d.creates(); n != 0 {
				t.Fatalf("%d conversations and messages before it was confirmed", n)
			}

			// Outside of the window a template goes out; the same form again changes nothing.
			at := d.testMessage(boss, "+4740000155", "k1", true)
			id := d.newest("whatsapp:+4740000155")
			at.to(thread(id))
			d.testMessage(boss, "+4740000155", "k1", true).to(thread(id))
			if m := d.waitFor(id, models.Read); m.Kind != models.KindTemplate || strings.Contains(m.Body, "{{") {
				t.Errorf("%s %q", m.Kind, m.Body)
			}
			boss.get(thread(id)).want(http.StatusOK, "on its way")
			if n := d.creates(); n != 1 {
				t.Errorf("%d messages", n)
			}

			// Inside of it the words do.
			d.says("Boss", "Hei")
			own := strings.TrimPrefix(string(d.phone("Boss")), "whatsapp:")
			d.testMessage(boss, own, "k2", true).to(thread(d.newest(d.phone("Boss"))))
			if m := d.waitFor(d.newest(d.phone("Boss")), models.Read); m.Body != "Test message from Kanal: sending works." {
				t.Errorf("%q", m.Body)
			}
			d.has(d.mads, d.says("Mads", "Hei"))
			d.testMessage(boss, strings.TrimPrefix(string(d.phone("Mads")), "whatsapp:"), "k3", true).want(http.StatusConflict, "Mads Berg")

			// Without a template nothing may be sent, and nothing is left of the try.
			d.must(d.store.InTx(t.Context(), func(tx *store.Tx) error {
				_, err := tx.RemoveUnsyncedTemplates(t.Context(), d.account.ID, time.Now().Add(time.Hour))
				return err
			}))
			before := d.conversations()
			d.testMessage(boss, "+4740000156", "k4", true).want(http.StatusUnprocessableEntity, "Write to the number from the phone first")
			if n := d.conversations(); n != before || d.creates() != 2 {
				t.Errorf("%d conversations, %d before, and %d messages", n, before, d.creates())
			}
		})
	}
}

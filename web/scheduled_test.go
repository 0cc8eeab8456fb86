package web

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"kanal/models"
	"kanal/store"
)

// onlyLater gives the one scheduled message of a conversation.
func (d *team) onlyLater(id models.ConversationID) models.ScheduledMessage {
	d.t.Helper()
	row, err := d.store.Conversation(d.t.Context(), models.Viewer{Role: models.Administrator}, id)
	d.must(err)
	ms, err := d.store.Scheduled(d.t.Context(), row.Conversation)
	d.must(err)
	if len(ms) != 1 {
		d.t.Fatalf("%d scheduled messages", len(ms))
	}
	return ms[0]
}

// Without script: what is typed goes through every page and is never lost.
func TestLaterWithoutScript(t *testing.T) {
	eachDatabase(t, func(_ *testing.T, d *team) {
		id := d.has(d.ida, d.says("Kari Nordli", "Hei"))
		ida, mads := d.signedIn(d.ida), d.signedIn(d.mads)
		ida.get(thread(id)).want(http.StatusOK, `formaction="`+thread(id)+`/later/new"`)
		ida.post(thread(id)+"/later/new", "body", "Hei <igjen>").want(http.StatusOK, "<!doctype", "Hei &lt;igjen&gt;</textarea>", `type="date"`, "Time zone:")
		schedule := func(in time.Duration, more ...string) *answer {
			at := time.Now().Add(in)
			form := append([]string{"client_key", "k1", "later_body", "Hei <igjen>", "date", at.Format("2006-01-02"), "clock", at.Format("15:04")}, more...)
			return ida.post(thread(id)+"/later", form...)
		}
		schedule(-time.Hour).want(http.StatusUnprocessableEntity, "The time has passed", "Hei &lt;igjen&gt;</textarea>", `name="client_key" value="k1"`)
		at := time.Now().Add(30 * time.Hour).Format("2006-01-02 15:04")
		schedule(30*time.Hour).want(http.StatusUnprocessableEntity, "The reply window is closed then. Choose a template", "Schedule anyway", `name="anyway" value="`+at+`"`)
		schedule(29*time.Hour, "anyway", at).want(http.StatusUnprocessableEntity, "The reply window is closed then.") // another time than was said
		schedule(30*time.Hour, "anyway", at).to(thread(id))
		ida.get(thread(id)).want(http.StatusOK, "The message is scheduled", "To be sent later", "Hei &lt;igjen&gt;").without("Hei &lt;igjen&gt;</textarea>")
		m := d.onlyLater(id)
		at1 := fmt.Sprintf("/later/%d", m.ID)
		mads.get(thread(id)).want(http.StatusOK, "Hei &lt;igjen&gt;", "Ida Holm").without(at1 + "/send")
		for _, refused := range []*answer{mads.get(at1), mads.post(at1, "date", m.DueAt.Format("2006-01-02"), "clock", "12:00"), mads.post(at1 + "/cancel")} {
			refused.want(http.StatusForbidden, "Only who wrote the message").without("later-form")
		}
		d.signedIn(d.user(models.Supervisor, "sup@kanal.test")).get(at1).want(http.StatusOK, "Change the scheduled message")
		ida.get(at1).want(http.StatusOK, "Change the scheduled message", m.DueAt.Format("2006-01-02"))
		ida.post(at1, "date", "x", "clock", "").want(http.StatusUnprocessableEntity, "Choose a date and a time", "Hei &lt;igjen&gt;")
		soon := time.Now().Add(2 * time.Hour)
		ida.post(at1, "date", soon.Format("2006-01-02"), "clock", soon.Format("15:04")).to(thread(id))
		ida.post(at1 + "/send").to(thread(id))
		d.waitFor(id, models.Read)
		ida.get(at1).want(http.StatusConflict)
		ida.get(thread(id)).want(http.StatusOK, "Hei &lt;igjen&gt;").without("To be sent later")
		for _, path := range []string{"/later/0", "/later/999", "/later/x", "/inbox/999/later/new"} {
			ida.get(path).want(http.StatusNotFound)
		}
		ida.get(thread(id) + "/later").to(thread(id))
	})
}

func TestLaterIsNotForStrangers(t *testing.T) {
	t.Parallel()
	d := newTeam(t, store.SQLite)
	id := d.has(d.ida, d.says("Kari Nordli", "Hei"))
	at := time.Now().Add(time.Hour)
	d.signedIn(d.ida).post(thread(id)+"/later", "client_key", "k1", "later_body", "hemmelig", "date", at.Format("2006-01-02"), "clock", at.Format("15:04")).to(thread(id))
	m := d.onlyLater(id)
	d.must(d.store.InTx(t.Context(), func(tx *store.Tx) error {
		q, err := tx.DefaultQueue(t.Context())
		if err != nil {
			return err
		}
		return tx.SetQueueMember(t.Context(), q, d.mads.ID, false)
	}))
	mads, path := d.signedIn(d.mads), fmt.Sprintf("/later/%d", m.ID)
	mads.get(path).want(http.StatusNotFound).without("hemmelig")
	for _, what := range []string{"", "/send", "/cancel"} {
		mads.post(path+what, "date", at.Format("2006-01-02"), "clock", at.Format("15:04")).want(http.StatusNotFound)
	}
	mads.post(thread(id)+"/later", "client_key", "k2", "later_body", "x").want(http.StatusNotFound)
}

// In the browser: the text goes into the dialog, the list appears in every open thread, and the message goes at its time.
func TestLaterInTheBrowser(t *testing.T) { eachPair(t, laterInTheBrowser) }

func laterInTheBrowser(d *team) {
	id := d.has(d.ida, d.says("Kari Nordli", "Hei"))
	ida, mads := d.at(d.ida, thread(id)), d.at(d.mads, thread(id))
	ida.expect("status of 422")
	types(ida, "Vi sees i morgen")
	ida.click("#send-later")
	ida.wait("document.querySelector('dialog[open] #later_body')?.value === 'Vi sees i morgen'")
	ida.js("document.getElementById('date').value = ''")
	ida.click("#later-form .btn--p")
	ida.see(d.text("scheduled.no_time"))
	ida.picture("later-dialog")
	at := time.Now().Add(2 * time.Hour)
	ida.js("document.getElementById('date').value = '" + at.Format("2006-01-02") + "'; document.getElementById('clock').value = '" + at.Format("15:04") + "'")
	ida.click("#later-form .btn--p")
	ida.wait("!document.querySelector('dialog[open]') && document.readyState === 'complete' && document.querySelector('#later li')?.innerText.includes('Vi sees i morgen')")
	ida.wait("document.getElementById('body').value === '' && !document.querySelector('#list .draft')")
	mads.wait("document.querySelector('#later li')?.innerText.includes('Ida Holm')")
	ida.picture("later")
	ida.size(390, 844)
	ida.picture("later-phone")
	ida.narrow()
	ida.size(1440, 900)
	d.ahead(3 * time.Hour)
	for _, b := range []*seat{ida, mads} {
		b.wait(bubbles + " === 'Hei|Vi sees i morgen' && !document.querySelector('#later li')")
	}
	d.waitFor(id, models.Read)
	if d.creates() != 1 {
		d.t.Errorf("%d messages at Twilio", d.creates())
	}
}

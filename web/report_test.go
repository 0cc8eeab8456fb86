package web

import (
	"fmt"
	"net/http"
	"testing"

	"kanal/models"
	"kanal/store"
)

// All that Twilio has said about a message, for those who may see its conversation.
func TestMessageDetails(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *team) {
		d.outcome("undelivered", 63024)
		id := d.has(d.ida, d.says("Kari Nordli", "Hei"))
		ida := d.signedIn(d.ida)
		ida.post(thread(id)+"/messages", "body", "Svar", "client_key", "k1").to(thread(id))
		m := d.waitFor(id, models.Undelivered)
		at := fmt.Sprintf("/messages/%d/details", m.ID)
		ida.get(thread(id)).want(http.StatusOK, `href="`+at+`"`)
		ida.get(at).want(http.StatusOK, "<!doctype", "Message details", *m.ProviderSID, "Attempt 1", "sent", "undelivered", "docs/api/errors/63024",
			"The number cannot receive WhatsApp.").without(string(d.phone("Kari Nordli")), "AccountSid")
		ida.htmx("partial").get(at).want(http.StatusOK, "Message details").without("<!doctype")
		ida.htmx("partial").get(thread(id)+"/messages?since=0").want(http.StatusOK, at)

		row, err := d.store.Conversation(t.Context(), viewerOf(d.ida), id)
		d.must(err)
		ms, err := d.store.Messages(t.Context(), row.Conversation, 0)
		d.must(err)
		ida.get(fmt.Sprintf("/messages/%d/details", ms[0].ID)).want(http.StatusOK, "Kari Nordli", "Received")
		ida.get(fmt.Sprintf("/messages/%d/details", ms[1].ID)).want(http.StatusNotFound) // a line of Kanal's own
		d.must(d.store.InTx(t.Context(), func(tx *store.Tx) error {
			q, err := tx.DefaultQueue(t.Context())
			if err != nil {
				return err
			}
			return tx.SetQueueMember(t.Context(), q, d.mads.ID, false)
		}))
		mads := d.signedIn(d.mads)
		for _, path := range []string{at, "/messages/0/details", "/messages/99999/details", "/messages/x/details"} {
			mads.get(path).want(http.StatusNotFound).without("63024")
		}
	})
}

package web

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"kanal/models"
	"kanal/store"
)

// What a page says of itself: to the others who look, and to the customer's phone.
func TestViewing(t *testing.T) {
	t.Parallel()
	d := newTeam(t, store.SQLite)
	id := d.has(d.ida, d.says("Kari Nordli", "Hei"))
	ida, mads := d.signedIn(d.ida), d.signedIn(d.mads)
	ida.post(thread(id)+"/viewing").want(http.StatusOK, `id="viewers"`).without("Mads")
	mads.post(thread(id)+"/viewing", "typing", "on").want(http.StatusOK, "Ida is viewing")
	ida.post(thread(id)+"/viewing").want(http.StatusOK, "Mads is typing …")
	ida.get(thread(id)).want(http.StatusOK, "Mads is typing …")
	for end := time.Now().Add(patience); !d.sim.Typing(d.sid, d.phone("Kari Nordli"), d.number); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the phone never shows it")
		}
	}
	admin := d.signedIn(d.user(models.Administrator, "admin@kanal.test"))
	phone := admin.get("/simulator?account=" + d.sid + "&customer=" + url.QueryEscape(string(d.phone("Kari Nordli"))))
	phone.want(http.StatusOK, "typing …", "is-read", "POST Indicators/Typing.json")
	mads.post(thread(id)+"/viewing", "leaves", "on").want(http.StatusOK)
	ida.post(thread(id) + "/viewing").want(http.StatusOK).without("Mads")
	ida.post("/inbox/0/viewing").want(http.StatusNotFound)
	ida.post("/inbox/999/viewing").want(http.StatusNotFound)
}

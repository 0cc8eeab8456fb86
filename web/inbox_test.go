package web

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"kanal/models"
	"kanal/store"
	"kanal/store/storetest"
)

// eachDatabase runs a test of what the database matters for.
func eachDatabase(t *testing.T, f func(t *testing.T, d *team)) {
	t.Parallel()
	for _, dialect := range storetest.Dialects {
		t.Run(string(dialect), func(t *testing.T) {
			t.Parallel()
			f(t, newTeam(t, dialect))
		})
	}
}

// Every list on both databases, with its counts.
func TestInboxLists(t *testing.T) {
	eachDatabase(t, func(_ *testing.T, d *team) {
		mine := d.has(d.ida, d.says("Kari Nordli", "[hei] fra Kari"))
		d.says("Jonas Bakke", "Hallo")
		b := d.signedIn(d.ida)
		b.get("/inbox?view=mine").want(http.StatusOK, "Kari Nordli", "[hei] fra Kari").without("Jonas Bakke")
		b.get("/inbox?view=queue").want(http.StatusOK, "Jonas Bakke").without("Kari Nordli")
		b.get("/inbox?view=all&rows=9999&after=nonsense").want(http.StatusOK, "Jonas Bakke", "Kari Nordli")
		part := b.htmx("partial").get("/inbox/list?view=queue").want(http.StatusOK, "Jonas Bakke", `id="rail-unread"`)
		part.without("<title>") // the title is that of the open conversation
		b.htmx("partial").get(thread(mine)+"/messages?since=0").want(http.StatusOK, "fra Kari", "Assigned to")
		b.get(thread(mine)).want(http.StatusOK, "1 new message")
		b.htmx("partial").get(thread(mine) + "/messages?since=0").without("new message") // marked where the thread was opened, once
	})
}

// "Assign to me" of two at once: the second learns who was faster, and may then take it over knowingly.
func TestInboxAssignRace(t *testing.T) {
	eachDatabase(t, func(_ *testing.T, d *team) {
		id := d.says("Kari Nordli", "Hei")
		ida := d.signedIn(d.ida)
		errs := make(chan error, 2)
		var both sync.WaitGroup
		for _, u := range []models.User{d.mads, d.user(models.Agent, "tor@kanal.test")} {
			both.Go(func() { errs <- d.service.TakeOver(t.Context(), viewerOf(u), id, 0) })
		}
		both.Wait()
		if a, b := <-errs, <-errs; (a == nil) == (b == nil) || models.KindOf(errors.Join(a, b)) != models.KindConflict {
			t.Fatalf("one of two gets it: %v, %v", a, b)
		}
		row, err := d.store.Conversation(t.Context(), viewerOf(d.mads), id)
		d.must(err)
		owner, err := d.store.User(t.Context(), *row.UserID)
		d.must(err)
		ida.htmx("partial").post(thread(id)+"/assign", "from", "0").want(http.StatusConflict, owner.FirstName()+" took the conversation first.")
		ida.post(thread(id)+"/assign", "from", number(owner.ID)).to(thread(id))
		ida.get(thread(id)).want(http.StatusOK, "The conversation is yours", "Resolve")
	})
}

// Without script everything is a page and a form.
func TestInboxWithoutScript(t *testing.T) {
	t.Parallel()
	d := newTeam(t, store.SQLite)
	id := d.says("Kari Nordli", "Hei")
	b := d.signedIn(d.ida)
	b.get("/inbox?view=queue").want(http.StatusOK, "Kari Nordli", `name="first" value="`+number(id)+`"`)
	b.post("/inbox/next", "first", number(id)).to(thread(id))
	b.get(thread(id)).want(http.StatusOK, "Hei", `name="client_key"`)
	b.post(thread(id)+"/messages", "body", "Svar", "client_key", "k1").to(thread(id))
	b.post(thread(id)+"/messages", "body", "", "client_key", "k2").want(http.StatusUnprocessableEntity, "Write a message")
	long := strings.Repeat("x", models.MaxMessageLength+1)
	b.post(thread(id)+"/messages", "body", long, "client_key", "k3").want(http.StatusUnprocessableEntity, "1601 characters", long)
	b.post(thread(id) + "/resolve").to(thread(id))
	b.get(thread(id)).want(http.StatusOK, "Svar", "The conversation is resolved", "Resolved", `form="form-reopen">Undo</button>`, `id="form-reopen"`)
	b.get(thread(id)).want(http.StatusOK).without(`form="form-reopen"`) // it was confirmed once
	b.post(thread(id) + "/reopen").to(thread(id))
	b.htmx("partial").post(thread(id) + "/resolve").to(thread(id))
	b.htmx("partial").get(thread(id)).want(http.StatusOK, `hx-swap-oob="innerHTML:#toasts"`, `form="form-reopen">Undo</button>`)
	b.post(thread(id) + "/reopen").to(thread(id))
	d.ahead(25 * time.Hour)
	b.post(thread(id)+"/messages", "body", "For sent", "client_key", "k4").want(http.StatusUnprocessableEntity, "The reply window is closed", "For sent")
}

package web

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"kanal/models"
	"kanal/store"
	"kanal/store/storetest"
	"kanal/twilio"
	"kanal/twilio/simulator"
)

func (d *team) tokenPath() string { return "/admin/accounts/" + number(d.account.ID) + "/token" }

// rotate presses one of the buttons of the page.
func (d *team) rotate(admin *browser, pairs ...string) *answer {
	d.t.Helper()
	v := admin.get(d.tokenPath()).want(http.StatusOK).version()
	return admin.post(d.tokenPath(), append([]string{"version", v}, pairs...)...)
}

// While the token is rotated customers write and an agent answers: every message comes in at its first try, and every
// answer goes out once.
func TestRotationLosesNothing(t *testing.T) {
	for _, dialect := range storetest.Dialects {
		t.Run(string(dialect), func(t *testing.T) {
			d := newTeam(t, dialect)
			admin := d.signedIn(d.user(models.Administrator, "boss@kanal.test"))
			agent := d.signedIn(d.ida)
			conversation := d.says("Kari Nordli", "Hei")
			agent.post(thread(conversation)+"/assign", "from", "0").want(http.StatusSeeOther)
			before, _ := d.sim.Account(d.sid)

			stop, some := make(chan struct{}), make(chan struct{}, 10000)
			var writing sync.WaitGroup
			wrote := make([]int, 3)
			for i, name := range []string{"Kari Nordli", "Jonas Bakke", "Amina Yusuf"} {
				from := d.phone(name)
				writing.Go(func() {
					for ; ; wrote[i]++ {
						select {
						case <-stop:
							return
						default:
						}
						codes := d.sim.Receive(d.sid, simulator.Write{Customer: from, Number: d.number, Body: fmt.Sprint(wrote[i])})
						if len(codes) != 1 || codes[0] != http.StatusOK {
							t.Errorf("%s: the webhook: %v", name, codes)
						}
						some <- struct{}{}
					}
				})
			}
			answers := 0
			talk := func() { // until some have written, and an answer is queued
				for range 9 {
					<-some
				}
				answers++
				agent.post(thread(conversation)+"/messages", "body", fmt.Sprint("Svar ", answers), "client_key", fmt.Sprint("key-", answers)).want(http.StatusSeeOther)
			}
			talk()
			d.rotate(admin, "action", "make").to(d.tokenPath())
			talk()
			d.rotate(admin, "action", "promote").to(d.tokenPath())
			talk()
			close(stop)
			writing.Wait()

			after, _ := d.sim.Account(d.sid)
			if after.Token == before.Token {
				t.Fatal("the token is the same")
			}
			d.wroteAll(conversation, answers)
			for _, e := range d.sim.Ledger(d.sid) {
				if e.What == "inbound" && e.Status != http.StatusOK {
					t.Errorf("a message came again after %d", e.Status)
				}
			}
			rows, err := d.store.Conversations(t.Context(), models.Viewer{Role: models.Administrator}, store.InboxFilter{View: models.ViewAll})
			d.must(err)
			if len(rows) != 3 {
				t.Errorf("%d conversations", len(rows))
			}
		})
	}
}

// wroteAll waits until Twilio has each answer once.
func (d *team) wroteAll(id models.ConversationID, answers int) {
	d.t.Helper()
	changes, cancel := d.sim.Watch()
	defer cancel()
	late := time.After(patience)
	for {
		sent := map[string]int{}
		for _, e := range d.sim.Ledger(d.sid) {
			if e.What == "create" && e.Status == http.StatusCreated {
				sent[e.Params.Get("Body")]++
			}
		}
		for body, n := range sent {
			if n != 1 {
				d.t.Fatalf("%q went out %d times", body, n)
			}
		}
		if len(sent) == answers {
			return
		}
		select {
		case <-changes:
		case <-late:
			d.t.Fatalf("conversation %d: %d of %d went out", id, len(sent), answers)
		}
	}
}

func TestRotationByHand(t *testing.T) {
	d := newTeam(t, store.SQLite)
	admin := d.signedIn(d.user(models.Administrator, "boss@kanal.test"))
	current, _ := d.sim.Account(d.sid)

	admin.get(d.tokenPath()).want(http.StatusOK, "••••"+current.Token[28:], "Let Twilio make it")
	d.rotate(admin, "action", "promote").want(http.StatusUnprocessableEntity, "No rotation is under way.")
	d.rotate(admin, "action", "add").want(http.StatusUnprocessableEntity, "Enter the auth token")
	d.rotate(admin, "action", "add", "token", current.Token).want(http.StatusUnprocessableEntity, "This is the current token").without(current.Token)
	d.rotate(admin, "action", "add", "token", strings.Repeat("0", 32)).want(http.StatusUnprocessableEntity, "Twilio did not accept")
	admin.post(d.tokenPath(), "version", "99", "action", "make").want(http.StatusConflict)

	next := d.sim.AddSecondaryToken(d.sid)
	d.rotate(admin, "action", "add", "token", " "+next+"\n").to(d.tokenPath())
	page := admin.get(d.tokenPath()).want(http.StatusOK, "••••"+current.Token[28:], "••••"+next[28:], "Let it take over")
	page.without(next, current.Token)
	d.hooks(current.Token, http.StatusOK)
	d.hooks(next, http.StatusOK)

	// Given up, it signs no more, and Twilio has forgotten it.
	d.rotate(admin, "action", "give_up").to(d.tokenPath())
	d.hooks(next, http.StatusForbidden)
	d.rotate(admin, "action", "add", "token", next).want(http.StatusUnprocessableEntity, "Twilio did not accept")

	// Somebody promotes it in the console.
	next = d.sim.AddSecondaryToken(d.sid)
	d.rotate(admin, "action", "add", "token", next).to(d.tokenPath())
	d.sim.PromoteToken(d.sid)
	d.hooks(next, http.StatusOK)
	d.rotate(admin, "action", "give_up").want(http.StatusUnprocessableEntity, "Twilio refused")
	d.rotate(admin, "action", "promote").to(d.tokenPath())
	admin.get(d.tokenPath()).want(http.StatusOK, "The token is rotated", "••••"+next[28:])
	d.hooks(current.Token, http.StatusOK)

	audits, err := d.store.Audits(t.Context(), 10)
	d.must(err)
	var actions []string
	for _, a := range audits {
		if a.Action != "account.checked" && strings.HasPrefix(a.Subject, "accounts/") && strings.Contains(a.Action, "ro") {
			actions = append(actions, a.Action)
		}
		if strings.Contains(a.Details, next) || strings.Contains(a.Details, current.Token) {
			t.Error("a token is in the audit")
		}
	}
	want := "account.token_promoted account.rotation_begun account.rotation_given_up account.rotation_begun"
	if got := strings.Join(actions, " "); got != want {
		t.Errorf("%s", got)
	}
}

// hooks posts a message that a token has signed.
func (d *team) hooks(token string, want int) {
	d.t.Helper()
	a, err := d.store.Account(d.t.Context(), d.account.ID)
	d.must(err)
	path := "/hooks/twilio/" + a.HookKey + "/inbound"
	form := map[string][]string{"MessageSid": {"SM" + token}, "AccountSid": {d.sid}, "From": {"whatsapp:+4740000142"}, "To": {"whatsapp:" + d.number}, "Body": {"x"}}
	b := d.anonymous()
	b.Headers.Set(twilio.SignatureHeader, twilio.Sign(token, d.url+path, form))
	pairs := []string{}
	for k, v := range form {
		pairs = append(pairs, k, v[0])
	}
	b.post(path, pairs...).emptyTwiML(want)
}

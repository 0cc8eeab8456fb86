package web

import (
	"net/http"
	"strings"
	"testing"

	"kanal/models"
	"kanal/store"
	"kanal/twilio/simulator"
	"kanal/views/browsertest"
	"kanal/views/customer"
)

var customerVisits = []visit{
	{name: "customer", route: "/customers/:customer", who: agent, path: customerAt("mine", "")},
	{name: "customer of many consents", route: "/customers/:customer", who: supervisor, path: customerAt("mine", ""), do: func(b *browsertest.Tab) {
		b.JS("document.querySelectorAll('#main details').forEach(d => d.open = true)")
	}},
	{name: "blocked customer", route: "/customers/:customer", who: agent, path: customerAt("blocked", "")},
	{name: "blocked customer's conversation", route: "/inbox/:conversation", who: agent, path: threadAt("blocked", "")},
	{name: "opted out", route: "/inbox/:conversation", who: agent, path: threadAt("opted out", "")},
	{name: "opted out at Twilio", route: "/inbox/:conversation", who: agent, path: threadAt("opted out at Twilio", "")},
	{name: "edit customer", route: "/customers/:customer/edit", who: agent, path: customerAt("mine", "/edit")},
	{name: "edit customer in the dialog", route: "/inbox/:conversation", who: agent, path: threadAt("mine", ""), do: func(b *browsertest.Tab) {
		b.JS("document.querySelector('[hx-get^=\"/customers/\"][hx-get*=\"/edit\"]').click()")
		b.Wait("document.querySelector('dialog[open] #customer')")
	}},
	{name: "record consent", route: "/customers/:customer/consent", who: agent, path: customerAt("mine", "/consent?account=1&given=1")},
	{name: "record opt-out refused", route: "/customers/:customer/consent", who: agent, path: customerAt("mine", "/consent?account=1"), do: sentEmpty("consent")},
	{name: "block customer", route: "/customers/:customer/block", who: agent, path: customerAt("mine", "/block")},
	{name: "block from the menu", route: "/inbox/:conversation", who: agent, path: threadAt("mine", ""), do: func(b *browsertest.Tab) {
		// In one step: a focus that comes to the page late closes the menu.
		b.JS("document.getElementById('thread-menu').open = true; document.querySelector('#thread-menu [href*=\"/block\"]').click()")
		b.Wait("document.querySelector('dialog[open]')")
		b.Press("\x1b")
		b.Wait("!document.querySelector('dialog[open]') && document.activeElement.matches('#thread-menu summary')")
	}},
}

// customerAt gives the address of a conversation's customer, with more behind it.
func customerAt(what, more string) func(*world) string {
	return func(w *world) string { return customer.URL(w.customerOf(what), more) }
}

// known gives the customer of a conversation.
func (d *team) known(id models.ConversationID) models.ContactID {
	d.t.Helper()
	row, err := d.store.Conversation(d.t.Context(), models.Viewer{Role: models.Administrator}, id)
	d.must(err)
	return row.ContactID
}

// A customer's page and its dialogs, without script; what an agent types of a customer is shown everywhere.
func TestCustomerPage(t *testing.T) {
	eachDatabase(t, func(_ *testing.T, d *team) {
		id := d.has(d.ida, d.says("Kari Nordli", "Hei, hei"))
		b, at := d.signedIn(d.ida), customer.URL(d.known(id), "")
		b.get(thread(id)).want(http.StatusOK, `href="`+at+`"`, "Not recorded")
		b.get(at).want(http.StatusOK, "Kari Nordli", "Name in WhatsApp", "Hei, hei", "Ida Holm", "Record opt-in")
		form := b.get(at+"/edit?back="+thread(id)).want(http.StatusOK, `value="`+thread(id)+`"`)
		v := form.version()
		b.post(at+"/edit", "version", v, "name", strings.Repeat("x", 101), "language", "nb").want(http.StatusUnprocessableEntity, "xxxx", "100 characters")
		b.post(at+"/edit", "version", v, "name", "Kari N.", "language", "nb", "back", thread(id)).to(thread(id))
		b.get(thread(id)).want(http.StatusOK, "Kari N.", "Norwegian Bokmål", "The customer is saved")
		b.post(at+"/edit", "version", v, "name", "Kari Other", "language", "en").want(http.StatusConflict, "Somebody else has changed the customer", "Kari N.", "Kari Other")
		d.says("Kari Nordli", "igjen")
		b.get("/inbox?view=mine").want(http.StatusOK, "Kari N.")
		for _, back := range []string{"//evil.example", "https://evil.example/", "/\\evil.example"} {
			b.post(at+"/edit", "version", b.get(at+"/edit").version(), "name", "Kari N.", "back", back).to(at)
		}
	})
}

func TestConsentPages(t *testing.T) {
	t.Parallel()
	d := newTeam(t, store.SQLite)
	id := d.has(d.ida, d.says("Kari Nordli", "Hei"))
	b, at := d.signedIn(d.ida), customer.URL(d.known(id), "")
	b.get(at+"/consent?account=1&given=1&back="+thread(id)).want(http.StatusOK, "Kari Nordli has agreed", `name="given" value="1"`)
	b.get(at + "/consent").want(http.StatusNotFound)
	b.post(at+"/consent", "account", "1", "given", "1", "scope", "all", "note", "").want(http.StatusUnprocessableEntity, "Enter how the customer told you", "has agreed")
	b.post(at+"/consent", "account", "1", "given", "1", "scope", "all", "note", "form on the site", "back", thread(id)).to(thread(id))
	b.get(thread(id)).want(http.StatusOK, "Opted in", "Opt-in to messages, recorded by Ida Holm")
	b.get(at).want(http.StatusOK, "form on the site", "Opted in: Messages", "Ida Holm")
	b.htmx("partial").post(at+"/consent", "account", "1", "scope", "all", "note", "by phone").want(http.StatusNoContent)
	b.get(thread(id)).want(http.StatusOK, "Opted out", "Answer only what the customer writes", `id="body"`)

	d.sim.Receive(d.sid, simulator.Write{Customer: d.phone("Kari Nordli"), Number: d.number, Kind: "opt_out"})
	b.get(thread(id)).want(http.StatusOK, "The customer has opted out", "Nothing you send arrives").without(`id="body"`)
	b.get(at).want(http.StatusOK, "Only the customer can undo that").without("given=1")
	b.post(thread(id)+"/messages", "body", "Hei likevel", "client_key", "k").want(http.StatusUnprocessableEntity, "The customer has opted out", "Hei likevel")
	b.htmx("partial").post(thread(id)+"/messages", "body", "Hei likevel", "client_key", "k").want(http.StatusUnprocessableEntity, "Hei likevel")
	b.post(at+"/consent", "account", "1", "given", "1", "scope", "all", "note", "x").want(http.StatusUnprocessableEntity, "Only the customer can undo that")
	d.sim.Receive(d.sid, simulator.Write{Customer: d.phone("Kari Nordli"), Number: d.number, Kind: "opt_in"})
	b.get(thread(id)).want(http.StatusOK, `id="body"`, "The customer wants messages again")
}

func TestBlockPages(t *testing.T) {
	t.Parallel()
	d := newTeam(t, store.SQLite)
	id := d.has(d.ida, d.says("Kari Nordli", "spam"))
	b, at := d.signedIn(d.ida), customer.URL(d.known(id), "")
	b.get(thread(id)).want(http.StatusOK, at+"/block")
	b.get(at+"/block?back="+thread(id)).want(http.StatusOK, "Block Kari Nordli?", "reaches no queue")
	b.post(at+"/block", "back", thread(id)).to(thread(id))
	b.get(thread(id)).want(http.StatusOK, "Blocked by Ida Holm", "The conversation is closed").without(at + "/block")
	b.get(at).want(http.StatusOK, "Blocked by Ida Holm", "Unblock").without(at + "/block")
	b.get("/inbox?view=all").want(http.StatusOK).without("Kari Nordli")
	b.post(at + "/unblock").to(at)
	b.get(at).want(http.StatusOK, at+"/block").without("Blocked by")
}

// Supervisors see every customer, agents those of conversations that they may see.
func TestWhoSeesACustomer(t *testing.T) {
	eachDatabase(t, func(_ *testing.T, d *team) {
		id := d.says("Kari Nordli", "Hei")
		at := customer.URL(d.known(id), "")
		lonely := models.User{Name: "Lonely", Email: "lonely@kanal.test", Role: models.Agent, PasswordHash: testHash()}
		boss := models.User{Name: "Boss", Email: "boss@kanal.test", Role: models.Supervisor, PasswordHash: testHash()}
		d.must(d.store.InTx(d.t.Context(), func(tx *store.Tx) error {
			if err := tx.InsertUser(d.t.Context(), &lonely); err != nil {
				return err
			}
			return tx.InsertUser(d.t.Context(), &boss)
		}))
		d.signedIn(d.ida).get(at).want(http.StatusOK)
		d.signedIn(boss).get(at).want(http.StatusOK, "Kari Nordli")
		b := d.signedIn(lonely)
		b.get(at).want(http.StatusNotFound)
		d.must(d.service.Resolve(d.t.Context(), viewerOf(d.ida), d.has(d.ida, id)))
		d.must(d.service.CloseNow(d.t.Context(), viewerOf(d.ida), id))
		b.get(at).want(http.StatusNotFound)
	})
}

package web

import (
	"net/http"
	"net/url"
	"testing"

	"kanal/models"
	"kanal/store"
	"kanal/views/browsertest"
	"kanal/views/customer"
)

var outreachVisits = []visit{
	{name: "new conversation", route: "/inbox/new", who: agent, path: at("/inbox/new")},
	{name: "new conversation refused", route: "/inbox/new", who: agent, path: at("/inbox/new"), do: sentEmpty("outreach")},
	{name: "new conversation in the dialog", route: "/inbox", who: agent, path: at("/inbox?view=mine"), do: opened("[hx-get='/inbox/new']")},
	{name: "new conversation by name", route: "/inbox/new", who: agent, path: at("/inbox/new"), do: func(b *browsertest.Tab) {
		b.JS("document.getElementById('to').value = 'customer'")
		sentEmpty("outreach")(b)
	}},
	{name: "new conversation from nothing", route: "/inbox/new", who: admin, path: at("/inbox/new"), in: "empty"},
	{name: "new conversation with a customer", route: "/inbox/new", who: agent, path: func(w *world) string { return customer.OutreachURL(w.customerOf("closing")) }},
	{name: "new conversation that another has", route: "/inbox/new", who: agent, path: func(w *world) string { return customer.OutreachURL(w.customerOf("theirs")) }, do: func(b *browsertest.Tab) {
		b.Expect("409")
		b.JS("document.getElementById('outreach').requestSubmit()")
		b.Wait("document.querySelector('#outreach [role=alert]')")
	}},
}

func TestStartConversationPages(t *testing.T) {
	eachDatabase(t, func(_ *testing.T, d *team) {
		b := d.signedIn(d.ida)
		b.get("/inbox").want(http.StatusOK, `href="/inbox/new"`)
		b.get("/inbox/new").want(http.StatusOK, `name="to"`, `name="consent"`, `name="number" value="1"`)
		b.post("/inbox/new", "number", "1", "to", "400 00 999", "note", "").want(http.StatusUnprocessableEntity, "400 00 999", "Record that the customer has agreed")
		b.post("/inbox/new", "number", "1", "to", "12").want(http.StatusUnprocessableEntity, "There is no such number")
		b.post("/inbox/new", "number", "77", "to", "400 00 999").want(http.StatusUnprocessableEntity, "Choose a number")
		started := b.post("/inbox/new", "number", "1", "to", "400 00 999", "consent", "on", "note", "form").want(http.StatusSeeOther).Location
		id := d.newest("whatsapp:+4740000999")
		if want := thread(id) + "/templates"; started != want {
			t.Errorf("leads to %s, not %s", started, want)
		}
		b.get(thread(id)).want(http.StatusOK, "Started by Ida Holm", "The customer has not written yet", "Opted in")
		b.get("/inbox?view=mine").want(http.StatusOK, "Nothing sent yet")
		b.htmx("partial").post("/inbox/new", "number", "1", "to", "+4740000999").want(http.StatusNoContent)
		mads := d.signedIn(d.mads)
		mads.post("/inbox/new", "number", "1", "to", "40000999", "consent", "on", "note", "form").want(http.StatusConflict, "Ida Holm has a conversation with the customer already", "40000999")
	})
}

func TestStartConversationByName(t *testing.T) {
	t.Parallel()
	d := newTeam(t, store.SQLite)
	known := d.known(d.has(d.ida, d.says("Kari Nordli", "Hei")))
	b := d.signedIn(d.ida)
	b.post("/inbox/new", "number", "1", "to", "nordli").want(http.StatusUnprocessableEntity, "Choose the customer", "Kari Nordli", `name="contact" value="`+number(known)+`"`)
	for _, none := range []string{"Per", "%", "_"} {
		b.post("/inbox/new", "number", "1", "to", none).want(http.StatusUnprocessableEntity, "No customer is named").without("Kari Nordli")
	}
	b.post("/inbox/new", "number", "1", "to", "nordli", "contact", number(known)).want(http.StatusSeeOther)
	b.get(customer.OutreachURL(known)).want(http.StatusOK, "Kari Nordli", `name="contact" value="`+number(known)+`"`).without(`name="to"`)
	b.get(customer.OutreachURL(known + 1000)).want(http.StatusNotFound)
	lonely := models.User{Name: "Lonely", Email: "lonely@kanal.test", Role: models.Agent, PasswordHash: testHash()}
	d.must(d.store.InTx(t.Context(), func(tx *store.Tx) error { return tx.InsertUser(t.Context(), &lonely) }))
	b = d.signedIn(lonely)
	b.get("/inbox/new").want(http.StatusOK, "No numbers to send from")
	b.post("/inbox/new", "number", "1", "to", "nordli").want(http.StatusUnprocessableEntity).without("Kari Nordli")
	b.post("/inbox/new", "number", "1", "contact", number(known)).want(http.StatusNotFound)
	b.post("/inbox/new", "number", "1", "to", "40000999", "consent", "on", "note", "x").want(http.StatusUnprocessableEntity)
}

// Who refuses is switched on the page of the simulator.
func TestSimulatorRefusals(t *testing.T) {
	t.Parallel()
	d := newTeam(t, store.SQLite)
	boss := models.User{Name: "Boss", Email: "boss@kanal.test", Role: models.Administrator, PasswordHash: testHash()}
	d.must(d.store.InTx(t.Context(), func(tx *store.Tx) error { return tx.InsertUser(t.Context(), &boss) }))
	b := d.signedIn(boss)
	from := string(d.phone("Kari Nordli"))
	place := []string{"account", d.sid, "number", d.number, "customer", from}
	b.post("/simulator/refusal", append(place, "at_twilio", "on", "blocks", "on")...).want(http.StatusSeeOther)
	a, _ := d.sim.Account(d.sid)
	if last := a.Customers[len(a.Customers)-1]; !a.AdvancedOptOut || !last.Blocks {
		t.Errorf("%v %+v", a.AdvancedOptOut, last)
	}
	b.get("/simulator?customer="+url.QueryEscape(from)).want(http.StatusOK, "Kari Nordli blocks the number")
	b.post("/simulator/refusal", place...).want(http.StatusSeeOther)
	if a, _ = d.sim.Account(d.sid); a.AdvancedOptOut || a.Customers[len(a.Customers)-1].Blocks {
		t.Error("it is not switched off")
	}
	b.post("/simulator/refusal", "account", d.sid, "customer", "whatsapp:+4700000000").want(http.StatusNotFound)
}

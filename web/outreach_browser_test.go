package web

import (
	"testing"

	"kanal/models"
	"kanal/twilio"
	"kanal/twilio/simulator"
	"kanal/views/browsertest"
	"kanal/views/customer"
)

// An agent writes first, by keyboard alone: the inbox's +, a refusal, the consent, the template. What the customer says
// to that is seen where the agent is, and on the customer's page, where they are blocked and unblocked.
func TestStartConversationByKeyboard(t *testing.T) {
	browser := browsertest.Browser(t)
	eachDatabase(t, func(_ *testing.T, d *team) {
		greets := d.addTemplates(d.account)
		d.work()
		b := d.tab(browser, d.ida)
		b.expect(refused)
		b.open("/inbox")
		b.tabTo("[hx-get='/inbox/new']")
		b.enter()
		b.wait("document.querySelector('dialog[open] #to') === document.activeElement")
		b.picture("outreach")
		b.press("400 00 142")
		b.enter()
		b.wait("document.querySelector('dialog[open] #errsum') && document.querySelector('dialog #to').value === '400 00 142'")
		b.picture("outreach-refused")
		b.tabTo("dialog input[name=consent]")
		b.press(" ")
		b.tabTo("dialog #note")
		b.press("Signed the form in the shop")
		b.enter()
		b.wait("location.pathname.endsWith('/templates') && document.activeElement.id === 'tp-q'")
		from := twilio.Address("whatsapp:+4740000142")
		id := d.newest(from)
		b.tabTo("#tp-" + number(greets.ID))
		b.enter()
		b.wait("document.activeElement.id.startsWith('v-')")
		for _, field := range []string{"v-1", "v-2", "v-3"} {
			b.tabTo("#" + field)
			b.press("x")
		}
		b.enter()
		b.at(thread(id))
		b.says("Pakken med ordre x leveres x")
		d.waitFor(id, models.Read)
		b.says("The customer has not answered yet")
		b.says("answers, you can write freely for 24 hours.")
		b.picture("outreach-sent")
		d.customerSays(b, from)
		d.customerIsBlocked(b, id)
	})
}

// customerSays lets the customer of an open thread opt out, ask something, and opt in again.
func (d *team) customerSays(b *tab, from twilio.Address) {
	d.t.Helper()
	for _, said := range []struct{ body, seen string }{
		{"Stopp!", "The customer has opted out"},
		{"Hvor er pakken?", "Answer only what the customer writes"},
		{"START", "The customer wants messages again"},
		{"STOP", "Answer only what the customer writes"},
		{"start", "Reply STOP to opt out"},
	} {
		d.sim.Receive(d.sid, simulator.Write{Customer: from, Number: d.number, Body: said.body})
		b.says(said.seen)
		if said.body == "START" { // the form stays, what it says of the customer does not
			b.wait("document.querySelector('#composer #body') && document.getElementById('comp-said').hidden")
		}
	}
	b.wait("document.getElementById('comp-said').hidden && document.getElementById('side').innerText.includes('Opted in')")
	b.picture("outreach-answered")
}

// customerIsBlocked opens the page of a conversation's customer in both languages and sizes, blocks them and unblocks.
func (d *team) customerIsBlocked(b *tab, id models.ConversationID) {
	d.t.Helper()
	at := customer.URL(d.known(id), "")
	b.inNorwegian()
	b.size(390, 844)
	for name, path := range map[string]string{"customer": at, "outreach-known": customer.OutreachURL(d.known(id)), "outreach": "/inbox/new"} {
		b.open(path)
		b.wait("document.documentElement.scrollWidth <= innerWidth")
		b.picture(name + "-phone-nb")
	}
	b.size(1440, 900)
	b.open(at)
	b.says("Samtykket")
	b.js("document.querySelectorAll('#main details').forEach(d => d.open = true)")
	b.picture("customer-nb")
	b.tabTo("[hx-get*='/block']")
	b.enter()
	b.wait("document.querySelector('dialog[open] #block')")
	b.picture("block-nb")
	b.tabTo("dialog button[type=submit]")
	b.enter()
	b.wait("!document.querySelector('dialog[open]') && document.querySelector('#unblock')")
	b.picture("blocked-nb")
	b.tabTo("#unblock button")
	b.enter()
	b.wait("!document.querySelector('#unblock') && document.querySelector('[hx-get*=\"/block\"]')")
}

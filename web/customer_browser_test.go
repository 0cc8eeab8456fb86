package web

import (
	"net/http"
	"testing"

	"kanal/models"
	"kanal/twilio/simulator"
	"kanal/views/customer"
)

// Stop word and start word of a customer whose thread is open: the composer says it, and stays.
func TestOptOutInTheComposer(t *testing.T) {
	eachPair(t, func(d *team) {
		id := d.has(d.ida, d.says("Kari Nordli", "Hei"))
		ida := d.at(d.ida, thread(id))
		types(ida, "Vi er")
		d.sim.Receive(d.sid, simulator.Write{Customer: d.phone("Kari Nordli"), Number: d.number, Kind: "stop_word"})
		ida.see(d.text("consent.answer_only"))
		ida.wait("document.querySelectorAll('#msgs .msg--out').length === 1 && " + lastState(models.Read)) // one confirmation
		ida.wait("document.getElementById('body').value === 'Vi er' && document.activeElement.id === 'body'")
		d.says("Kari Nordli", "START")
		ida.wait("document.getElementById('comp-said').hidden")
		ida.wait("document.getElementById('body').value === 'Vi er'")
	})
}

// From a customer's page: a new message with a template; blocked, with all that is open closed; and unblocked.
func TestCustomerInTheBrowser(t *testing.T) { eachPair(t, customerInTheBrowser) }

func customerInTheBrowser(d *team) {
	d.addTemplates(d.account)
	id := d.has(d.ida, d.says("Kari Nordli", "Hei"))
	at := customer.URL(d.known(id), "")
	d.agreed(viewerOf(d.ida), id)
	ida, mads := d.at(d.ida, at), d.at(d.mads, at)
	ida.click("[hx-get^='/inbox/new']")
	ida.wait("document.querySelector('dialog[open] #outreach')")
	ida.see(d.text("outreach.consent_known"))
	ida.click("#outreach [type=submit]")
	ida.at(thread(id) + "/templates")
	ida.see("Leveringsvarsel")

	ida.open(thread(id))
	mads.click("[hx-get*='/block']")
	mads.wait("document.querySelector('dialog[open] #block')")
	mads.see(d.text("customer.block_title", "name", "Kari Nordli"))
	mads.picture("block")
	mads.click("#block [type=submit]")
	mads.wait("!document.querySelector('dialog[open]') && document.getElementById('unblock')")
	mads.see(d.text("customer.blocked_text"))
	mads.wait("!document.querySelector('[hx-get*=\"/block\"], [hx-get^=\"/inbox/new\"]')")
	ida.see(d.text("system.blocked", "name", "Mads Berg"))
	ida.wait("!document.getElementById('body') && !document.querySelector('#list a.conv')")
	codes := d.sim.Receive(d.sid, simulator.Write{Customer: d.phone("Kari Nordli"), Number: d.number, Body: "Hallo?"})
	if len(codes) != 1 || codes[0] != http.StatusOK {
		d.t.Fatalf("webhook: %v", codes)
	}
	d.says("Jonas Bakke", "Hei") // what comes after it is in the queue; that one is not
	ida.open("/inbox?view=queue")
	ida.wait(rowsNow + " === 'Jonas Bakke'")

	mads.js("document.getElementById('unblock').requestSubmit()")
	mads.wait("document.querySelector('[hx-get*=\"/block\"]') && !document.getElementById('unblock')")
	d.says("Kari Nordli", "Er jeg inne igjen?")
	ida.wait(rowsNow + " === 'Jonas Bakke|Kari Nordli'")
}

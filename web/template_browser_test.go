package web

import (
	"encoding/json"
	"testing"

	"kanal/models"
	"kanal/twilio/simulator"
)

// The way to a message template: workstream, number, Behaviors, Add; by keyboard alone, with an error on it.
func TestAddTemplateByKeyboard(t *testing.T) { eachPair(t, addTemplateByKeyboard) }

func addTemplateByKeyboard(d *team) {
	b := d.at(d.user(models.Administrator, "boss@kanal.test"), "/admin/workstreams/1")
	b.expect(refused)
	b.tabTo("a[href^='/admin/workstreams/1/numbers/']")
	b.enter()
	b.wait("location.pathname.startsWith('/admin/workstreams/1/numbers/')")
	b.tabTo("a[href$='/behaviors']")
	b.enter()
	b.wait("location.pathname.endsWith('/behaviors') && document.getElementById('templates-h')")
	b.picture("templates-behaviors")
	b.js("document.getElementById('greeting').value = 'Ikke lagret ennå'")
	b.tabTo("#template-add")
	b.enter()
	b.wait("document.querySelector('dialog[open] #name') === document.activeElement")
	b.press("Takk for sist")
	b.enter()
	b.wait("document.querySelector('dialog[open] #errsum')")
	b.picture("templates-dialog-error")
	b.wait("document.activeElement.id === 'errsum'")
	b.wait("document.querySelector('dialog[open]').innerText.includes(" + jsText(d.text("template.body_paste")) + ")")
	b.tabTo("dialog #language")
	b.press("n")
	b.wait("document.querySelector('dialog #language').value === 'nb'")
	b.tabTo("dialog #body")
	b.press("Hei {{1}}, takk for sist.")
	b.wait("document.querySelector('dialog #field-1')")
	b.tabTo("dialog #content_sid")
	b.tabTo("dialog #field-1")
	b.press("Fornavn")
	b.wait("document.querySelector('dialog .tpv mark')?.innerText === 'Fornavn' && document.activeElement.value === 'Fornavn'")
	b.picture("templates-dialog")
	b.tabTo("dialog button[type=submit]")
	b.enter()
	b.wait("!document.querySelector('dialog[open]') && location.pathname.endsWith('/behaviors')")
	b.wait("document.getElementById('number-templates').innerText.includes('Takk for sist')")
	b.wait("document.getElementById('greeting').value === 'Ikke lagret ennå'") // what is typed stays
	b.wait("document.activeElement.id === 'template-add'")

	b.open("/admin/templates")
	b.wait("document.querySelector('#templates table')")
	b.picture("templates-list")
	d.sim.AddContent(d.sid, simulator.Content{
		Name: "ny_mal", Language: "nb", Types: map[string]json.RawMessage{"twilio/text": json.RawMessage(`{"body": "Hei, vi er her"}`)},
		Approval: simulator.Approval{Status: "approved"},
	})
	b.js("document.querySelector('form[id^=fetch-]').requestSubmit()")
	b.wait("document.querySelector('#templates').innerText.includes(" + jsText(": 10.") + ")") // the stream brings it
	b.open("/admin/templates/create?account=1&kind=whatsapp/card")
	b.tabTo("#name")
	b.press("spring_sale")
	b.tabTo("#body")
	b.press("Hello {{1}}, spring is here and so is our sale.")
	b.wait("document.getElementById('sample-1')")
	b.tabTo("#sample-1")
	b.press("Ana")
	b.wait("document.querySelector('#make-live .bub').innerText.includes('Hello Ana, spring')")
	b.wait("document.activeElement.id === 'sample-1' && document.activeElement.value === 'Ana'")
	b.picture("templates-make")
	b.size(390, 844)
	b.picture("templates-make-phone")
	b.open("/admin/templates")
	b.wait("document.querySelector('#templates table')")
	b.picture("templates-list-phone")
	b.size(1440, 900)
	b.open("/admin/templates")
	b.js("document.querySelectorAll('#templates th a')[4].click()")
	b.wait("document.querySelector('dialog[open] .tpv')")
	b.picture("templates-detail")
}

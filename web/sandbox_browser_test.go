package web

import (
	"testing"
	"time"

	"kanal/models"
	"kanal/service"
	"kanal/twilio/simulator"
)

// The sandbox: the steps of the join code, its number in an account, a template outside the window, and who has left it.
func TestSandboxInTheBrowser(t *testing.T) { eachPair(t, sandboxInTheBrowser) }

func sandboxInTheBrowser(d *team) {
	d.testAccount("Twilio", "+4721000099") // not the simulator's
	boss := d.at(d.user(models.Administrator, "boss@kanal.test"), "/admin/accounts/2/setup/callback")
	boss.click("#how-sandbox")
	boss.wait("document.querySelectorAll('#how ol li').length === 4")
	boss.see(d.text("account.how.join"))
	boss.see(d.text("sandbox.text"))
	boss.wait("[...document.querySelectorAll('#how .path')].some(x => /WHEN A MESSAGE COMES IN|NÅR EN MELDING KOMMER INN/.test(x.textContent))")
	boss.picture("sandbox-steps")

	boss.open("/simulator")
	boss.js("document.querySelectorAll('#main details').forEach(x => x.open = true); document.querySelector('[name=sandbox]').click()")
	boss.see(d.text("simulator.join", "code", simulator.JoinCode))
	boss.open("/admin/accounts/1/setup/numbers?add=1")
	boss.focus("#name")
	boss.press("Utprøving")
	boss.focus("#address")
	boss.press(models.SandboxNumber)
	boss.enter()
	boss.wait("[...document.querySelectorAll('#main .chip')].some(x => x.textContent.trim() === " + jsText(d.text("account.state.sandbox")) + ")")
	boss.picture("sandbox-number")

	kari := d.phone("Kari Nordli")
	d.sim.SetInboundURL(d.sid, models.SandboxNumber, d.service.InboundURL(d.account))
	write := func(body string) {
		d.sim.Receive(d.sid, simulator.Write{Customer: kari, Number: models.SandboxNumber, Body: body})
	}
	ida := d.at(d.ida, "/inbox?view=queue")
	ida.see(d.text("inbox.empty_queue"))
	write("join " + simulator.JoinCode) // the sandbox reads this one itself
	write("Hei")
	ida.wait("document.querySelector('#list .conv')?.innerText.includes('Hei')")
	id := d.has(d.ida, d.newest(kari))

	d.ahead(25 * time.Hour)
	d.agreed(viewerOf(d.ida), id)
	ida.open(thread(id))
	ida.click("#composer .closed .btn--p")
	own := service.SandboxTemplates(models.Number{Address: models.SandboxNumber})
	for _, x := range own {
		ida.wait("document.querySelector('#tp-list').innerText.includes(" + jsText(x.Name) + ")")
	}
	ida.picture("sandbox-templates")
	ida.chooses(own[0].ContentSID)
	ida.js("document.getElementById('v-1').value = 'i morgen'; document.getElementById('v-2').value = '10'")
	ida.click("#tp .dlg__f .btn--p")
	ida.wait("!document.querySelector('dialog[open]') && " + lastState(models.Read))
	ida.see("Your appointment is coming up on i morgen at 10")

	// Who leaves it must join again, and the bubble says who.
	write("Takk")
	ida.wait("document.getElementById('body') && " + bubbles + ".endsWith('|Takk')")
	write("stop")
	types(ida, "Velkommen")
	ida.send()
	ida.wait("document.querySelector('#msgs .msg--out:last-child .fail')?.innerText.includes(" + jsText(d.text("twilio.code.63015", "name", "Kari")) + ")")
	ida.picture("sandbox-left")
}

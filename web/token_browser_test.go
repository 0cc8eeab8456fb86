package web

import (
	"fmt"
	"net/http"
	"testing"

	"kanal/models"
	"kanal/twilio/simulator"
)

// The token of an account is rotated by keyboard, while a customer writes and an agent answers before, between and after.
func TestTokenIsRotatedInTheBrowser(t *testing.T) { eachPair(t, tokenIsRotated) }

func tokenIsRotated(d *team) {
	id := d.has(d.ida, d.says("Kari Nordli", "Hei"))
	agent := d.at(d.ida, thread(id))
	boss := d.at(d.user(models.Administrator, "boss@kanal.test"), d.tokenPath())
	boss.expect(refused)
	old, _ := d.sim.Account(d.sid)
	asked := "Hei"
	talk := func(when string) {
		d.t.Helper()
		asked += "|Spørsmål " + when + "|Svar " + when
		d.says("Kari Nordli", "Spørsmål "+when)
		agent.see("Spørsmål " + when)
		types(agent, "Svar "+when)
		agent.send()
		agent.wait(bubbles + " === " + jsText(asked) + " && " + lastState(models.Read))
	}
	talk("før")

	// What Twilio does not accept is not kept, and does not come back.
	boss.tabTo("#add #token")
	boss.press("00000000000000000000000000000000")
	boss.enter()
	boss.wait("document.activeElement.id === 'errsum' && document.querySelector('#add #token').value === ''")
	boss.picture("token-refused-" + string(d.lang))
	next := d.sim.AddSecondaryToken(d.sid)
	boss.tabTo("#add #token")
	boss.press(next)
	boss.enter()
	boss.see(d.text("token.promote_title"))
	boss.wait("document.activeElement !== document.body")
	boss.wait("document.getElementById('main').innerText.includes('••••" + old.Token[28:] + "') && document.getElementById('main').innerText.includes('••••" + next[28:] + "')")
	boss.wait("!document.documentElement.outerHTML.includes('" + next + "')")
	boss.picture("token-begun-" + string(d.lang))
	boss.narrow()
	boss.size(1440, 900)
	d.hooks(old.Token, http.StatusOK)
	d.hooks(next, http.StatusOK)
	talk("mellom")

	boss.tabTo("#promote button[value=promote]")
	boss.enter()
	boss.see(d.text("token.rotated"))
	boss.focused("#rotated")
	boss.picture("token-rotated-" + string(d.lang))
	if now, _ := d.sim.Account(d.sid); now.Token != next {
		d.t.Errorf("at Twilio: %+v", now)
	}
	talk("etter")

	sent := ""
	for _, e := range d.sim.Ledger(d.sid) {
		switch {
		case e.What == "create":
			sent += fmt.Sprint(e.Params.Get("Body"), e.Status, " ")
		case e.What == "inbound" && e.Status != http.StatusOK:
			d.t.Errorf("a message came again after %d", e.Status)
		}
	}
	if sent != "Svar før201 Svar mellom201 Svar etter201 " {
		d.t.Errorf("sent: %s", sent)
	}
	// A call that the old token signs still counts: it may have been on its way.
	codes := d.sim.Receive(d.sid, simulator.Write{Customer: d.phone("Kari Nordli"), Number: d.number, Body: "Forsinket", Fault: simulator.FaultOldToken})
	if len(codes) != 1 || codes[0] != http.StatusOK {
		d.t.Errorf("signed by the old token: %v", codes)
	}
	agent.see("Forsinket")
}

package web

import (
	"net/http"
	"strings"
	"testing"

	"kanal/models"
	"kanal/store/storetest"
	"kanal/twilio"
	"kanal/twilio/simulator"
	"kanal/views/browsertest"
	"kanal/views/i18n"
)

func (d *team) hooksPath() string { return "/admin/accounts/" + number(d.account.ID) + "/webhooks" }

// The button of the callback page without script: what was there, what is there, and what is in the way.
func TestWebhooksAreSetForMe(t *testing.T) {
	for _, dialect := range storetest.Dialects {
		t.Run(string(dialect), func(t *testing.T) {
			d := newTeam(t, dialect)
			admin := d.signedIn(d.user(models.Administrator, "boss@kanal.test"))
			ours := d.url + "/hooks/twilio/" + d.account.HookKey
			d.sim.SetInboundURL(d.sid, d.number, "https://ole:secret@other.example/in")
			admin.get("/admin/accounts/"+number(d.account.ID)+"/setup/callback").want(http.StatusOK, `action="`+d.hooksPath()+`"`, "Set at Twilio for me")
			admin.get(d.hooksPath()).want(http.StatusOK, "1 number is not in place yet.", "other.example", "Differs", "Not the wanted address:", ours+"/inbound").without("secret", "In place")

			page := admin.post(d.hooksPath()).want(http.StatusOK, "The addresses are set.", "In place", "Before", "other.example").without("secret", "Wanted")
			page.want(http.StatusOK, ours+"/inbound", ours+"/fallback", ours+"/status")
			a, _ := d.sim.Account(d.sid)
			if x := a.Senders[0]; !strings.HasPrefix(x.InboundURL, ours+"/inbound#") || !strings.HasPrefix(x.FallbackURL, ours+"/fallback#") || !strings.HasPrefix(x.StatusURL, ours+"/status#") {
				t.Errorf("Twilio calls %+v", x)
			}
			admin.get(d.hooksPath()).want(http.StatusOK, "Twilio calls the right addresses.").without("Before", "Wanted", ">Set at Twilio for me<")
			d.says("Kari Nordli", "Hei")

			d.sim.SetService(d.sid, simulator.Service{Name: "Marketing & more", InboundURL: "https://other.example/in", Senders: []string{d.number}})
			admin.get(d.hooksPath()).want(http.StatusOK, "Overridden", "The Messaging Service Marketing &amp; more takes", "Defer to sender", "https://other.example/in")
		})
	}
}

func TestWebhooksThatCannotBeSet(t *testing.T) {
	d := newTeam(t, storetest.Dialects[0])
	admin := d.signedIn(d.user(models.Administrator, "boss@kanal.test"))
	d.signedIn(d.ida).post(d.hooksPath()).want(http.StatusForbidden)
	admin.post("/admin/accounts/99/webhooks").want(http.StatusNotFound)

	// The sandbox is set by hand; here is how, and what to paste.
	sandbox := d.connect()
	admin.get("/admin/accounts/" + number(sandbox.ID) + "/setup/callback").want(http.StatusOK).without("Set at Twilio for me")
	admin.post("/admin/accounts/"+number(sandbox.ID)+"/webhooks").says(i18n.EN, http.StatusUnprocessableEntity, "account.not_public", "url", d.service.PublicURL())
	d.sim.AddSender(d.sid, twilio.SandboxNumber, "Sandbox")
	admin.post("/admin/accounts/"+number(d.account.ID)+"/setup/numbers", "name", "Sandbox", "address", models.SandboxNumber, "action", "add").want(http.StatusSeeOther)
	admin.post(d.hooksPath()).want(http.StatusOK, "By hand", "WHEN A MESSAGE COMES IN", "1 number is not in place yet.", "In place")

	d.sim.FailUpdates(d.sid, http.StatusBadRequest)
	d.sim.SetInboundURL(d.sid, d.number, "")
	admin.post(d.hooksPath()).want(http.StatusOK, "Not set", "Twilio refused the addresses (code 20001).")

	d.sim.AddSecondaryToken(d.sid)
	d.sim.PromoteToken(d.sid) // and Kanal knows the old one
	admin.post(d.hooksPath()).says(i18n.EN, http.StatusServiceUnavailable, "webhooks.problem.rejected")
	d.must(d.sim.Close())
	admin.post(d.hooksPath()).says(i18n.EN, http.StatusServiceUnavailable, "webhooks.problem.unreachable")
}

// By keyboard, in both languages: the button opens the result in the dialog, with the focus on its sentence.
func TestWebhooksInTheBrowser(t *testing.T) {
	browser := browsertest.Browser(t)
	d := newTeam(t, storetest.Dialects[0])
	b := d.tab(browser, d.user(models.Administrator, "boss@kanal.test"))
	for _, lang := range []i18n.Lang{i18n.NB, i18n.EN} {
		d.sim.SetInboundURL(d.sid, d.number, "https://other.example/in")
		b.open("/login")
		b.js("document.cookie = 'lang=" + string(lang) + "; path=/'")
		b.open("/admin/accounts/" + number(d.account.ID) + "/setup/callback")
		b.picture("webhooks-button-" + string(lang))
		b.tabTo("#set-webhooks button")
		b.enter()
		b.wait("document.querySelector('dialog[open] #webhooks')")
		b.wait("document.activeElement.innerText.trim() === '" + i18n.Lookup(lang, "webhooks.all_set") + "'")
		b.picture("webhooks-set-" + string(lang))
		b.size(390, 844)
		b.picture("webhooks-set-phone-" + string(lang))
		b.wait("document.documentElement.scrollWidth <= innerWidth")
		b.size(1440, 900)

		// Somebody changes it in the console; the dialog sets it once more.
		d.sim.SetInboundURL(d.sid, d.number, "https://other.example/in")
		b.open(d.hooksPath())
		b.wait("document.querySelector('#webhooks mark')")
		b.picture("webhooks-differ-" + string(lang))
		d.sim.SetInboundURL(d.sid, d.number, "https://third.example/in")
		b.tabTo("#webhooks a.btn[hx-get]")
		b.enter()
		b.wait("document.querySelector('#webhooks mark').innerText.includes('third.example')")
		b.tabTo("#webhooks button[type=submit]")
		b.enter()
		b.says(i18n.Lookup(lang, "webhooks.all_set"))
		b.wait("document.activeElement.id === 'webhooks-summary'")
	}
}

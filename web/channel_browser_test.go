package web

import (
	"strings"
	"testing"

	"kanal/models"
	"kanal/views/browsertest"
)

// inNorwegian turns the browser to Norwegian.
func (b *tab) inNorwegian() {
	b.t.Helper()
	b.js("document.cookie = 'lang=nb; path=/'")
}

// The wizard Set up WhatsApp by keyboard alone, from the empty list to the confirmation, with each error.
func TestSetUpWhatsAppByKeyboard(t *testing.T) {
	t.Parallel()
	browser := browsertest.Browser(t)
	s := newSite(t)
	u := s.user(models.Administrator, "admin@kanal.test")
	n := s.testAccount("Norge", "+4721000040")
	b := s.tab(browser, u)
	b.expect(refused)
	next := "button[value=next]:not(.vh)"

	b.open("/admin/workstreams")
	b.picture("ws-empty")
	b.tabTo("a[href='/admin/workstreams/new']")
	b.enter()
	b.at("/admin/workstreams/new")
	b.tabTo("#name")
	b.enter()
	b.wait("document.activeElement.id === 'errsum' && document.title.startsWith('Error: New workstream')")
	b.picture("ws-new-error")
	b.tabTo("#errsum a")
	b.enter()
	b.wait("document.activeElement.id === 'name'")
	b.press("WhatsApp Norway")
	b.enter()
	b.at("/admin/workstreams/1")
	b.says("The workstream has no numbers yet.")
	b.picture("ws-one")
	b.tabTo("a[href$='/whatsapp/number']")
	b.enter()

	b.at("/admin/workstreams/1/whatsapp/number")
	b.wait("document.activeElement.tagName === 'H1'")
	b.tabTo(next)
	b.enter()
	b.wait("document.activeElement.id === 'errsum'")
	b.says("Choose a WhatsApp number")
	b.picture("wb1-error")
	b.tabTo("#number")
	b.press(" ")
	b.wait("document.getElementById('number').checked")
	b.enter()

	b.at("/admin/workstreams/1/whatsapp/language")
	b.wait("document.activeElement.tagName === 'H1'")
	b.tabTo(next)
	b.enter()
	b.says("Choose a language")
	b.wait("document.activeElement.id === 'errsum'")
	b.tabTo("#language")
	b.press("N")
	b.wait("document.getElementById('language').value === 'nb'")
	b.picture("wb2")
	b.tabTo(next)
	b.enter()

	// The message is there only while the greeting is on; its text is proposed and counted.
	b.at("/admin/workstreams/1/whatsapp/behaviors")
	b.wait("document.getElementById('greeting-part').hidden")
	b.tabTo("#greeting_on")
	b.press(" ")
	b.wait("!document.getElementById('greeting-part').hidden && document.getElementById('greeting').value.startsWith('Hei')")
	b.wait("document.getElementById('greeting-count').innerText.startsWith(document.getElementById('greeting').value.length + ' / 1600')")
	b.picture("wb3")
	b.js("document.getElementById('greeting').value = ''")
	b.tabTo(next)
	b.enter()
	b.says("Enter the message")
	b.wait("document.activeElement.id === 'errsum' && !document.getElementById('greeting-part').hidden")
	b.tabTo("#greeting")
	b.press("Velkommen")
	b.wait("document.getElementById('greeting-count').innerText.startsWith('9 / 1600')")
	b.tabTo(next)
	b.enter()

	b.at("/admin/workstreams/1/whatsapp/user-features")
	b.wait("document.getElementById('files-part').hidden")
	b.tabTo("#files")
	b.press(" ")
	b.wait("!document.getElementById('files-part').hidden")
	b.tabTo(next)
	b.enter()
	b.says("Choose who can send file attachments")
	b.picture("wb4-error")
	b.tabTo("#errsum a[href='#customers']")
	b.enter()
	b.wait("document.activeElement.id === 'customers'")
	b.press(" ")
	b.tabTo(next)
	b.enter()

	b.at("/admin/workstreams/1/whatsapp/summary")
	b.wait("document.activeElement.tagName === 'H1'")
	b.says("The account is not tested")
	b.picture("wb5")
	b.size(390, 844)
	b.picture("wb5-phone")
	b.size(1440, 900)
	b.tabTo("a[href$='/language?return=summary']")
	b.enter()
	b.at("/admin/workstreams/1/whatsapp/language")
	b.tabTo(next)
	b.enter()
	b.at("/admin/workstreams/1/whatsapp/summary")
	b.tabTo(next)
	b.enter()
	b.at("/admin/workstreams/1/numbers/" + number(n.ID) + "/ready")
	b.says("The WhatsApp channel instance is set up")
	b.picture("wb-ready")
}

// The settings of a number are tabs, and the channel is deleted in a dialog that asks for its name.
func TestNumberSettingsInTheBrowser(t *testing.T) {
	t.Parallel()
	browser := browsertest.Browser(t)
	w := newWizard(t)
	w.fill()
	at := w.finish()
	b := w.tab(browser, w.b.User)
	b.expect(refused)
	b.open("/admin/workstreams")
	b.picture("ws-list")
	b.open(w.at)
	b.picture("ws-one-active")
	b.open(at)
	b.picture("number")
	b.tabTo("a[href='" + at + "/behaviors']")
	b.enter()
	b.at(at + "/behaviors")
	b.wait("!document.getElementById('greeting-part').hidden")
	// Somebody else saves first.
	w.b.post(at+"/behaviors", "greeting_on", "on", "greeting", "Theirs", "version", w.b.get(at).version()).want(303)
	b.tabTo("#greeting")
	b.js("document.getElementById('greeting').value = 'Mine'")
	b.tabTo("#settings button[type=submit]")
	b.enter()
	b.wait("document.activeElement.id === 'conflict' && document.getElementById('greeting').value === 'Mine'")
	b.says("Theirs")
	b.picture("number-conflict")
	b.tabTo("#settings button[type=submit]")
	b.enter()
	b.wait("document.getElementById('toasts').innerText.includes('The settings are saved')")
	b.open(at)
	b.tabTo("a[href='" + at + "/delete']")
	b.enter()
	b.wait("document.getElementById('dialog').open && document.activeElement.id === 'confirm'")
	b.picture("delete")
	b.enter()
	b.wait("document.getElementById('dialog').open && document.querySelector('#dialog #errsum')")
	b.picture("delete-error")
	b.tabTo("#confirm")
	b.press(w.number.Name)
	b.enter()
	b.at(w.at)
	b.wait("document.getElementById('toasts').innerText.includes('The channel is deleted')")

	b.open("/admin/queues")
	b.picture("queues")
	b.open("/admin/queues/1")
	b.picture("queue")
}

// Every page at 320 pixels: nothing but data tables may scroll sideways. Pictures in Norwegian and on a phone.
func TestWorkstreamPagesFitAPhone(t *testing.T) {
	t.Parallel()
	browser := browsertest.Browser(t)
	w := newWizard(t)
	w.fill()
	at := w.finish()
	w.testAccount("Sverige", "+4681234567")
	w.fillWith(2)
	b := w.tab(browser, w.b.User)
	b.inNorwegian()
	paths := []string{
		"/admin/workstreams", "/admin/workstreams/new", w.at, w.at + "/edit", w.step("number"), w.step("language"), w.step("behaviors"),
		w.step("user-features"), w.step("summary"), at, at + "/behaviors", at + "/user-features", at + "/ready", at + "/delete",
		w.step("discard"), "/admin/queues", "/admin/queues/1", "/admin/queues/new",
	}
	for _, width := range []int64{320, 390, 1440} {
		b.size(width, 844)
		for _, path := range paths {
			b.open(path)
			b.wait("document.documentElement.scrollWidth <= innerWidth && document.documentElement.lang === 'nb'")
			if width > 320 {
				b.picture("nb-" + number(models.NumberID(width)) + strings.ReplaceAll(path, "/", "-"))
			}
		}
	}
}

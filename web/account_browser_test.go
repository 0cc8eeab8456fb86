package web

import (
	"strings"
	"testing"

	"kanal/twilio/simulator"
	"kanal/views/browsertest"
)

const refused = "status of 4" // the browser's own word about a 409 or 422, which the test wants

// The wizard by keyboard alone, with each error; then the tabs.
func TestWizardByKeyboard(t *testing.T) {
	t.Parallel()
	browser := browsertest.Browser(t)
	d := newDesk(t)
	b := d.tab(browser, d.admin.User)
	b.expect(refused)

	b.open("/admin/accounts")
	b.picture("list-empty")
	b.tabTo("a[href='" + newAccountURL + "']")
	b.enter()
	b.at(newAccountURL)
	b.wait("document.activeElement.tagName === 'H1'")
	b.picture("step1")

	// Nothing filled in: the summary has the focus, its link leads to the field.
	b.tabTo("#name")
	b.enter()
	b.wait("document.activeElement.id === 'errsum' && document.title.startsWith('Error: Channel details')")
	b.says("Enter a name")
	b.says("Choose a channel")
	b.tabTo("#errsum a[href='#name']")
	b.enter()
	b.wait("document.activeElement.id === 'name'")
	b.press("Customer service Norway")
	b.tabTo("#channel")
	b.press(" ")
	b.wait("document.getElementById('channel').checked")
	b.picture("step1-filled")
	b.tabTo("button[value=next]:not(.vh)")
	b.enter()
	b.at("/admin/accounts/1/setup/account-details")
	b.wait("document.activeElement.tagName === 'H1'")

	// A key instead of a SID, no token.
	b.tabTo("#sid")
	b.press("SK3f0c2be81d")
	b.enter()
	b.wait("document.activeElement.id === 'errsum'")
	b.says("This is an API key")
	b.says("Enter the auth token")
	b.wait("document.getElementById('sid').value === 'SK3f0c2be81d'")
	b.picture("step2-error")
	b.size(390, 844)
	b.picture("step2-error-phone")
	b.size(1440, 900)
	b.tabTo("#sid")
	b.js("document.getElementById('sid').value = ''")
	b.press(d.sim.SID)
	b.tabTo("#token")
	b.press("0123456789abcdef0123456789abcdef")
	b.enter()
	b.says("Twilio did not accept the SID and token")
	b.wait("document.getElementById('token').value === '' && document.activeElement.id === 'errsum'")
	b.tabTo("#token")
	b.press(d.sim.Token)
	b.enter()
	b.at("/admin/accounts/1/setup/numbers")

	// No number; then one in place.
	b.tabTo("button[value=next]:not(.vh)")
	b.enter()
	b.says("Add at least one number")
	b.tabTo("#add")
	b.enter()
	b.wait("document.activeElement.id === 'name'")
	b.press("Support")
	b.tabTo("#address")
	b.press("21 00 00 40")
	b.picture("step3-form")
	b.enter()
	b.says("The number must start with + and a country code")
	b.wait("document.getElementById('name').value === 'Support'")
	b.tabTo("#address")
	b.js("document.getElementById('address').value = ''")
	b.press("+47 21 00 00 99")
	b.enter()
	b.says("Twilio does not know this number as a WhatsApp sender")
	b.picture("step3")
	b.size(390, 844)
	b.picture("step3-phone")
	b.size(1440, 900)

	// Fetch from Twilio in the dialog.
	b.tabTo("a[href$='/senders']")
	b.enter()
	b.wait("document.getElementById('dialog').open && document.querySelector('#dialog input[type=checkbox]')")
	b.picture("senders")
	b.tabTo("#dialog button[type=submit]")
	b.enter()
	b.says("+47 21 00 00 40")
	b.wait("!document.getElementById('dialog').open")

	// Remove the one that Twilio does not know.
	b.tabTo("a[href='/admin/accounts/1/numbers/1/remove']")
	b.enter()
	b.wait("document.getElementById('dialog').open && document.getElementById('remove-number')")
	b.picture("remove")
	b.tabTo("#dialog button[type=submit]")
	b.enter()
	b.wait("!document.querySelector('#app').innerText.includes('+47 21 00 00 99')")
	b.tabTo("button[value=next]:not(.vh)")
	b.enter()

	b.at("/admin/accounts/1/setup/callback")
	b.says("Waiting for the first message from Twilio")
	b.tabTo("[data-copy=inbound-url]")
	b.enter()
	b.wait("['Copied', 'Press Ctrl+C'].includes(document.getElementById('live-polite').textContent)")
	b.tabTo("button[value=next]:not(.vh)")
	b.enter()
	b.at("/admin/accounts/1/added")
	b.picture("added")
	b.tabTo("a[href='/admin/workstreams']")

	b.open("/admin/accounts")
	b.picture("list")
	b.size(390, 844)
	b.picture("list-phone")
	b.size(1440, 900)
	b.open("/admin/accounts/1/setup/account-details")
	b.picture("tab2")
	b.open("/admin/accounts/1/delete")
	b.picture("delete")
	b.open("/admin/channels")
	b.picture("channels")
}

// Closing a step with something typed asks what is to become of it.
func TestLeavingTheWizard(t *testing.T) {
	t.Parallel()
	browser := browsertest.Browser(t)
	d := newDesk(t)
	base := d.begin("Norway")
	b := d.tab(browser, d.admin.User)
	b.expect(refused)

	b.open(base + "/channel-details")
	b.tabTo("[data-leave]")
	b.enter()
	b.at("/admin/accounts") // nothing was typed

	b.open(base + "/channel-details")
	b.tabTo("#name")
	b.press("Sweden")
	b.js("document.querySelector('[data-leave]').focus()")
	b.enter()
	b.wait("document.getElementById('leave').open")
	b.picture("leave")
	b.tabTo("#leave [data-close]")
	b.enter()
	b.wait("!document.getElementById('leave').open && document.activeElement.matches('[data-leave]')")
	b.wait("document.getElementById('name').value === 'Sweden'")
	b.enter()
	b.wait("document.getElementById('leave').open")
	b.tabTo("#leave button[value=save]")
	b.enter()
	b.at("/admin/accounts")
	b.says("Sweden")

	// Somebody else was faster: both values, in place, with the focus.
	b.open(base + "/channel-details")
	d.admin.post(base+"/channel-details", "version", d.admin.get(base+"/channel-details").version(), "name", "Denmark", "channel", "whatsapp", "action", "next")
	b.tabTo("#name")
	b.press("Finland")
	b.enter()
	b.wait("document.activeElement.id === 'conflict' && document.getElementById('name').value === 'Finland'")
	b.says("Denmark")
	b.picture("conflict")
	b.tabTo("#name")
	b.enter()
	b.at(base + "/account-details")

	// What was refused is not saved either.
	b.open(base + "/account-details")
	b.tabTo("#sid")
	b.press("nonsense")
	b.enter()
	b.wait("document.activeElement.id === 'errsum'")
	b.js("document.querySelector('[data-leave]').focus()")
	b.enter()
	b.wait("document.getElementById('leave').open")
	b.tabTo("#leave a")
	b.enter()
	b.at("/admin/accounts")
	if a, err := d.store.Account(t.Context(), accountID(t, base)); err != nil || a.SID != "" {
		t.Errorf("discarded: %q, %v", a.SID, err)
	}
}

// The page of the callback turns by itself: a wrong signature, then the first message.
func TestCallbackTurnsLive(t *testing.T) {
	t.Parallel()
	browser := browsertest.Browser(t)
	d := newDesk(t)
	base := d.begin("Norway")
	d.details(base)
	d.admin.post(base+"/numbers", "name", "Support", "address", deskNumber, "action", "add").to(base + "/numbers")
	a, err := d.store.Account(t.Context(), accountID(t, base))
	if err != nil {
		t.Fatal(err)
	}
	d.site.sim.SetInboundURL(d.sim.SID, deskNumber, d.service.InboundURL(a))

	b := d.tab(browser, d.admin.User)
	b.open(base + "/numbers")
	b.js("document.querySelector('.wiz__foot button[value=next]').click()")
	b.says("Waiting for the first message from Twilio")
	b.picture("callback")
	b.wait("document.querySelector('[data-live]')")
	write := simulator.Write{Customer: d.sim.Customers[0].Address, Number: deskNumber, Body: "Hello", Fault: simulator.FaultForged}
	d.site.sim.Receive(d.sim.SID, write)
	b.says("A call came from Twilio, but the signature did not match.")
	b.picture("callback-bad")
	write.Fault = ""
	if got := d.site.sim.Receive(d.sim.SID, write); len(got) != 1 || got[0] != 200 {
		t.Fatal(got)
	}
	b.says("First message received at ")
	b.picture("callback-received")
	b.tabTo("[data-copy=inbound-url]") // the focus is not lost by the swap
}

// The pages of accounts at the size of a phone and in Norwegian have nothing that reaches beyond the edge.
// On a phone the current tab stands in the bar of tabs, whole, whichever it is: when the page comes, when a form that was
// refused brings it anew, and when the phone is turned. Nothing else has moved.
func TestCurrentTabIsInView(t *testing.T) {
	t.Parallel()
	browser := browsertest.Browser(t)
	d := newDesk(t)
	base := d.finished("Kundeservice")
	b := d.tab(browser, d.admin.User)
	b.expect(refused)
	const (
		wide     = "(bar => bar.scrollWidth > bar.clientWidth)(document.querySelector('.ptabs'))"
		inView   = "((now, bar) => now.left >= bar.left - 1 && now.right <= bar.right + 1)(document.querySelector('.ptabs [aria-current]').getBoundingClientRect(), document.querySelector('.ptabs').getBoundingClientRect())"
		elseMove = "[...document.querySelectorAll('*')].filter(e => (e.scrollLeft || e.scrollTop) && !e.matches('.ptabs')).map(e => e.className).join()"
		atStart  = "(document.querySelector('.ptabs').scrollLeft === 0)"
	)
	for _, lang := range []string{"nb", "en"} {
		b.js("document.cookie = 'lang=" + lang + "; path=/'")
		b.size(390, 844)
		b.open(base + "/channel-details")
		b.wait(wide + " && " + inView + " && " + atStart)
		b.open(base + "/callback")
		b.wait(wide + " && " + inView + " && !" + atStart)
		b.wait(elseMove + " === ''")
		b.picture("tabs-phone-" + lang)
		b.size(844, 390)
		b.wait("!" + wide)
		b.size(320, 700)
		b.wait(wide + " && " + inView)

		// Who moves the bar by hand is left alone; a bar that comes anew begins at its current tab.
		b.open(base + "/numbers?add=1")
		b.wait(wide + " && " + inView + " && !" + atStart)
		b.js("document.querySelector('.ptabs').scrollLeft = 0; document.querySelector('.ptabs').id = 'moved'")
		b.tabTo("#name")
		b.enter()
		b.wait("document.activeElement.id === 'errsum' && !document.getElementById('moved')")
		b.wait(inView + " && !" + atStart)
	}
}

func TestAccountPagesAreNarrow(t *testing.T) {
	t.Parallel()
	browser := browsertest.Browser(t)
	d := newDesk(t)
	base := d.finished(strings.Repeat("Kundeservice ", 7))
	draft := d.begin("Utkast")
	other := d.site.sim.Mint("Other", "+4721000041") // a SID is added once
	d.admin.post(draft+"/account-details", "version", "1", "sid", other.SID, "token", other.Token, "action", "next").to(draft + "/numbers")
	b := d.tab(browser, d.admin.User)
	for _, lang := range []string{"nb", "en"} {
		b.js("document.cookie = 'lang=" + lang + "; path=/'")
		b.size(320, 640)
		for _, path := range []string{
			"/admin/channels", "/admin/accounts", base + "/channel-details", base + "/account-details", base + "/numbers?edit=1", base + "/callback",
			draft + "/channel-details", draft + "/account-details", draft + "/numbers?add=1", "/admin/accounts/1/delete", "/admin/accounts/1/added",
		} {
			b.open(path)
			b.wait("document.documentElement.scrollWidth <= 320")
			b.picture("narrow-" + lang + strings.NewReplacer("/", "-", "?", "-").Replace(path))
		}
	}

	// Twilio does not answer: one more button.
	b.expect(refused)
	_ = d.site.sim.Close()
	b.open(draft + "/account-details")
	b.tabTo("#sid")
	b.enter()
	b.says("choose “Save without check”")
	b.wait("document.documentElement.scrollWidth <= 320")
	b.picture("narrow-unreachable")
	b.size(1440, 900)
	b.picture("unreachable")
	b.js("document.querySelector('button[value=unchecked]').click()")
	b.at(draft + "/numbers")
}

package main

import (
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"kanal/store"
	"kanal/views/i18n"
)

// typed replaces what is in the field that has the focus, by keys alone.
func (v *visitor) typed(text string) {
	v.t.Helper()
	v.Press(kb.End)
	if n := len(v.Text("document.activeElement.value")); n > 0 {
		v.Press(strings.Repeat("\b", n))
	}
	if text != "" {
		v.Press(text)
	}
	v.Wait("document.activeElement.value.length === " + strconv.Itoa(len(text)))
}

// refused waits for the summary with a problem; from it a key leads to the field.
func (v *visitor) refused(field, key string, args ...any) {
	v.t.Helper()
	problem := v.says(key, args...)
	link := "#errsum a[href='#" + field + "']"
	v.Wait("[...document.querySelectorAll(\"" + link + "\")].some(a => a.textContent.trim() === '" + problem + "')")
	v.Wait("document.activeElement.id === 'errsum' && document.title.startsWith('" + strings.SplitN(v.says("form.error_title", "title", "x"), "x", 2)[0] + "')")
	v.Tab.Tab(link)
	v.Enter()
	v.Focused("#" + field)
}

// next presses Next, from wherever the focus is.
func (v *visitor) next() {
	v.t.Helper()
	v.Tab.Tab(".wiz__foot [name=action][value=next]")
	v.Enter()
}

// The wizard New account with the keyboard alone, with every error, to the first message.
func TestWizardNewAccountByKeyboard(t *testing.T) {
	for name, f := range map[string]struct {
		dialect store.Dialect
		lang    i18n.Lang
	}{"sqlite nb": {store.SQLite, i18n.NB}, "postgres en": {store.Postgres, i18n.EN}} {
		t.Run(name, func(t *testing.T) {
			v := visit(t, f.dialect, f.lang, false)
			v.Expect("422")
			v.setUp()
			v.try()
			known := v.Text("document.getElementById('sim-sid').value")
			v.ClickText(v.says("simulator.new_account"))
			v.Wait("document.getElementById('sim-sid')?.value.startsWith('AC') && document.getElementById('sim-sid').value !== '" + known + "'")
			sim := simulated{known: known, sid: v.Text("document.getElementById('sim-sid').value"), token: v.Text("document.getElementById('sim-token').value")}
			sim.number = v.Text("document.querySelector('form[action=\"/simulator/url\"] [name=number]').value")
			sim.page = v.Text("location.pathname + location.search")
			v.Go("/admin/accounts/new/setup/channel-details")
			v.channelDetails()
			v.accountDetails(sim)
			v.numbers(sim)
			v.callback(sim)
			v.channel(sim)
		})
	}
}

// simulated is an account that the simulator's page shows; known is one that the center has already.
type simulated struct{ known, sid, token, number, page string }

func (v *visitor) channelDetails() {
	v.t.Helper()
	v.Focused("h1")
	v.Tab.Tab("#name")
	v.Enter()
	v.refused("name", "account.name_empty")
	v.typed(strings.Repeat("x", 101))
	v.Enter()
	v.refused("name", "account.name_long")
	v.typed(v.says("simulator.account_name"))
	v.Tab.Tab("[name=channel]")
	v.Press(" ")
	v.Enter()
	v.refused("name", "account.name_taken", "name", v.says("simulator.account_name"))
	v.typed("Kundeservice Norge")
	v.next()
	v.Wait("location.pathname.endsWith('/account-details')")
	v.Ready()
}

func (v *visitor) accountDetails(sim simulated) {
	v.t.Helper()
	v.Focused("h1")
	v.next()
	v.refused("token", "account.token_empty")
	v.Tab.Tab("#sid")
	for _, try := range [][2]string{{"", "account.sid_empty"}, {"AC123", "account.sid_format"}, {"SK" + sim.sid[2:], "account.sid_is_key"}} {
		v.typed(try[0])
		v.Enter()
		v.refused("sid", try[1])
	}
	v.typed(sim.known)
	v.Enter()
	v.refused("sid", "account.sid_taken", "name", v.says("simulator.account_name"))
	v.typed(sim.sid)
	v.Tab.Tab("#token")
	v.typed("00000000000000000000000000000000")
	v.Enter()
	v.refused("token", "account.rejected")
	v.Wait("document.getElementById('token').value === '' && document.getElementById('sid').value === '" + sim.sid + "'")
	v.typed(sim.token)
	v.Enter()
	v.Wait("location.pathname.endsWith('/numbers')")
	v.Ready()
}

func (v *visitor) numbers(sim simulated) {
	v.t.Helper()
	v.Focused("h1")
	v.next()
	v.refused("add", "number.none")
	v.Enter()
	v.Focused("#name")
	v.Tab.Tab("#address")
	v.typed("21000040")
	v.Enter()
	v.refused("name", "number.name_empty")
	v.typed("Kundeservice")
	v.Enter()
	v.refused("address", "number.no_plus")
	v.typed("+47")
	v.Enter()
	v.refused("address", "number.length")
	v.typed(sim.number)
	v.Enter()
	v.Wait("document.querySelector('#wizard tbody th')?.textContent === 'Kundeservice'")
	// A second one that Twilio does not know is a warning; the same again is an error.
	v.addNumber("Ukjent", "+4799999999")
	v.See(v.says("number.unknown_sender"))
	v.addNumber("Igjen", sim.number)
	v.refused("address", "number.taken", "account", "Kundeservice Norge")
	v.Tab.Tab("[name=action][value=cancel]")
	v.Enter()
	v.Wait("!document.getElementById('address')")
	v.next()
	v.Wait("location.pathname.endsWith('/callback')")
	v.Ready()
}

func (v *visitor) addNumber(name, number string) {
	v.t.Helper()
	v.Tab.Tab("#add")
	v.Enter()
	v.Focused("#name")
	v.typed(name)
	v.Tab.Tab("#address")
	v.typed(number)
	v.Enter()
	v.Settle()
}

// callback pastes the address into the simulator, as a person does in Twilio's console, and waits for the first message.
func (v *visitor) callback(sim simulated) {
	v.t.Helper()
	v.See(v.says("account.waiting"))
	address := v.Text("document.querySelector('#main input[readonly]').value")
	phone := v.another(false)
	phone.Go(sim.page)
	phone.Fill("form[action='/simulator/url'] [name=url]", address)
	phone.Enter()
	phone.See(v.says("done.simulator_url"))
	phone.write("Virker det?")
	first, _, _ := strings.Cut(v.says("account.received", "time", "{time}"), "{time}")
	v.See(strings.TrimSpace(first))
	v.next()
	v.Wait("location.pathname.endsWith('/added')")
	v.Ready()
	v.See(v.says("account.added"))
}

// channel makes a workstream and sets up WhatsApp in it, with its errors, and sees the greeting on the phone.
func (v *visitor) channel(sim simulated) {
	v.t.Helper()
	v.Go("/admin/workstreams/new")
	v.Fill("#name", "")
	v.Enter()
	v.refused("name", "workstream.name_empty")
	v.typed("Norge")
	v.Enter()
	v.See(v.says("workstream.channel_none"))
	v.ClickText(v.says("button.set_up_whatsapp"))
	v.Wait("location.pathname.endsWith('/whatsapp/number')")
	v.Ready()
	v.next()
	v.refused("number", "channel.number_none")
	v.ClickText(strings.TrimSpace(v.Text("[...document.querySelectorAll('#main label')].find(l => l.innerText.includes('Kundeservice') && !l.control.disabled).innerText")))
	v.next()
	v.Wait("location.pathname.endsWith('/language')")
	v.Ready()
	v.next()
	v.refused("language", "channel.language_none")
	v.JS("document.getElementById('language').value = '" + string(v.lang) + "'")
	v.next()
	v.Wait("location.pathname.endsWith('/behaviors')")
	v.Ready()
	v.Click("#greeting_on")
	v.Fill("#greeting", "")
	v.next()
	v.Wait("document.getElementById('errsum')")
	v.Fill("#greeting", "Hei! Vi svarer snart.")
	v.next()
	v.Wait("location.pathname.endsWith('/user-features')")
	v.Ready()
	v.features()
	v.See("Hei! Vi svarer snart.")
	v.next()
	v.Wait("location.pathname.endsWith('/ready')")
	v.Ready()
	v.See(v.says("channel.ready"))
	phone := v.another(false)
	phone.Go(sim.page)
	customers := "[...document.querySelectorAll('[aria-labelledby=sim-customers] a')]"
	phone.JS(customers + ".find(a => a.ariaCurrent !== 'true').click()")
	phone.Wait("document.querySelector('[aria-labelledby=sim-customers] li:nth-child(2) a')?.ariaCurrent === 'true'")
	phone.Ready()
	phone.write("Hallo?")
	phone.onPhone("Hei! Vi svarer snart.")
}

// features turns files on without saying for whom, and then says it.
func (v *visitor) features() {
	v.t.Helper()
	v.Wait("document.getElementById('files')")
	v.JS("const f = document.getElementById('files'); if (!f.checked) f.click(); for (const id of ['customers', 'agents']) document.getElementById(id).checked = false")
	v.next()
	v.Wait("document.getElementById('errsum')")
	v.Click("#customers")
	v.next()
	v.Wait("location.pathname.endsWith('/summary')")
	v.Ready()
}

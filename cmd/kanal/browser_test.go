package main

import (
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"kanal/store"
	"kanal/views/browsertest"
	"kanal/views/i18n"
)

// visitor is a person before the real program, in one language.
type visitor struct {
	*browsertest.Tab
	t    *testing.T
	lang i18n.Lang
}

// visit opens a center that was never started before.
func visit(t *testing.T, d store.Dialect, lang i18n.Lang, phone bool) *visitor {
	t.Helper()
	if testing.Short() {
		t.Skip("the program is built and used in a browser")
	}
	t.Parallel()
	v := &visitor{Tab: browsertest.Open(t, startBinary(t, d)), t: t, lang: lang}
	if phone {
		v.Phone()
	}
	v.Cookie("lang", string(lang))
	return v
}

// another opens a second tab of the same person.
func (v *visitor) another(phone bool) *visitor {
	v.t.Helper()
	other := &visitor{Tab: v.Another(), t: v.t, lang: v.lang}
	if phone {
		other.Phone()
	}
	return other
}

// says gives a text in the visitor's language.
func (v *visitor) says(key string, args ...any) string { return i18n.Lookup(v.lang, key, args...) }

// setUp is the first start.
func (v *visitor) setUp() {
	v.t.Helper()
	v.Go("/inbox")
	v.At("/setup")
	v.Fill("#name", "Ingrid Haugen")
	v.Fill("#email", "ingrid@kanal.test")
	v.Fill("#password", "correct horse battery")
	v.Press("\r")
	v.At("/admin")
	v.See(v.says("started.title"))
	v.Wait("document.documentElement.lang === '" + string(v.lang) + "'")
}

// try makes a simulated account and stands before its phone.
func (v *visitor) try() {
	v.t.Helper()
	v.ClickText(v.says("button.try_simulator"))
	v.At("/simulator")
	v.Wait("document.getElementById('phone-form')")
}

// write lets the customer write on the phone.
func (v *visitor) write(text string) {
	v.t.Helper()
	v.Fill("#phone-body", text)
	v.Click("#phone-send")
	v.onPhone(text)
}

// onPhone waits until a text stands on the customer's phone.
func (v *visitor) onPhone(text string) {
	v.t.Helper()
	v.Wait("document.getElementById('phone-log').innerText.includes('" + text + "')")
}

var wholeFlows = []struct {
	name    string
	dialect store.Dialect
	lang    i18n.Lang
	phone   bool
}{
	{"sqlite en", store.SQLite, i18n.EN, false},
	{"sqlite nb phone", store.SQLite, i18n.NB, true},
	{"postgres nb", store.Postgres, i18n.NB, false},
	{"postgres en phone", store.Postgres, i18n.EN, true},
}

// From the first start to a customer's message that is answered live, and read.
func TestFirstStartToAnAnswer(t *testing.T) {
	for _, f := range wholeFlows {
		t.Run(f.name, func(t *testing.T) {
			v := visit(t, f.dialect, f.lang, f.phone)
			v.setUp()
			v.try()
			inbox := v.another(f.phone)
			inbox.Go("/inbox?view=queue")
			inbox.Wait("document.getElementById('conn').hidden && !document.querySelector('#list .conv')")
			v.write("Hei, hvor er pakken min?")
			inbox.Wait("document.querySelector('#list .conv')?.innerText.includes('pakken')")
			inbox.takeAndReply("Den kommer i morgen.")
			v.onPhone("Den kommer i morgen.")
			inbox.Wait("document.querySelector('#msgs .msg--out[data-state=read] .is-read')")
			inbox.Wait("document.querySelector('#msgs .msg--out .st').textContent === '" + v.says("msg.read") + "'")
			// The customer writes on, while the conversation is open and while it is not.
			v.write("Takk!")
			inbox.Wait("document.getElementById('msgs').innerText.includes('Takk!')")
			inbox.Go("/inbox?view=mine")
			v.write("En ting til")
			inbox.Wait("document.querySelector('#list .conv')?.innerText.includes('En ting til')")
		})
	}
}

// takeAndReply opens the only row of the list, takes the conversation and answers.
func (v *visitor) takeAndReply(text string) {
	v.t.Helper()
	v.Click("#list a.conv, #list .conv a")
	v.Wait("location.pathname.startsWith('/inbox/') && document.getElementById('act-assign')")
	v.Click("#act-assign")
	v.Focus("#composer textarea")
	v.Press(text)
	v.Click("#composer button[type=submit]")
	v.Wait("document.getElementById('msgs').innerText.includes('" + text + "') && document.querySelector('#composer textarea').value === ''")
}

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
	v.Press("\r")
	v.Focused("#" + field)
}

// next presses Next, from wherever the focus is.
func (v *visitor) next() {
	v.t.Helper()
	v.Tab.Tab(".wiz__foot [name=action][value=next]")
	v.Press("\r")
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
	v.Press("\r")
	v.refused("name", "account.name_empty")
	v.typed(strings.Repeat("x", 101))
	v.Press("\r")
	v.refused("name", "account.name_long")
	v.typed(v.says("simulator.account_name"))
	v.Tab.Tab("[name=channel]")
	v.Press(" ")
	v.Press("\r")
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
		v.Press("\r")
		v.refused("sid", try[1])
	}
	v.typed(sim.known)
	v.Press("\r")
	v.refused("sid", "account.sid_taken", "name", v.says("simulator.account_name"))
	v.typed(sim.sid)
	v.Tab.Tab("#token")
	v.typed("00000000000000000000000000000000")
	v.Press("\r")
	v.refused("token", "account.rejected")
	v.Wait("document.getElementById('token').value === '' && document.getElementById('sid').value === '" + sim.sid + "'")
	v.typed(sim.token)
	v.Press("\r")
	v.Wait("location.pathname.endsWith('/numbers')")
	v.Ready()
}

func (v *visitor) numbers(sim simulated) {
	v.t.Helper()
	v.Focused("h1")
	v.next()
	v.refused("add", "number.none")
	v.Press("\r")
	v.Focused("#name")
	v.Tab.Tab("#address")
	v.typed("21000040")
	v.Press("\r")
	v.refused("name", "number.name_empty")
	v.typed("Kundeservice")
	v.Press("\r")
	v.refused("address", "number.no_plus")
	v.typed("+47")
	v.Press("\r")
	v.refused("address", "number.length")
	v.typed(sim.number)
	v.Press("\r")
	v.Wait("document.querySelector('#wizard tbody th')?.textContent === 'Kundeservice'")
	// A second one that Twilio does not know is a warning; the same again is an error.
	v.addNumber("Ukjent", "+4799999999")
	v.See(v.says("number.unknown_sender"))
	v.addNumber("Igjen", sim.number)
	v.refused("address", "number.taken", "account", "Kundeservice Norge")
	v.Tab.Tab("[name=action][value=cancel]")
	v.Press("\r")
	v.Wait("!document.getElementById('address')")
	v.next()
	v.Wait("location.pathname.endsWith('/callback')")
	v.Ready()
}

func (v *visitor) addNumber(name, number string) {
	v.t.Helper()
	v.Tab.Tab("#add")
	v.Press("\r")
	v.Focused("#name")
	v.typed(name)
	v.Tab.Tab("#address")
	v.typed(number)
	v.Press("\r")
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
	phone.Press("\r")
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
	v.Press("\r")
	v.refused("name", "workstream.name_empty")
	v.typed("Norge")
	v.Press("\r")
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

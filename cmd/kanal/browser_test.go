package main

import (
	"testing"

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
	v.JS("window.before = document.getElementById('log')")
	v.Click("#act-assign")
	v.Wait("document.getElementById('log') !== window.before")
	v.Focus("#composer textarea")
	v.Press(text)
	v.Click("#composer .comp__bar .btn--p")
	v.Wait("document.getElementById('msgs').innerText.includes('" + text + "') && document.querySelector('#composer textarea').value === ''")
}

package web

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"kanal/models"
	"kanal/store/storetest"
	"kanal/twilio"
	"kanal/views/browsertest"
	"kanal/views/check"
)

// door stands between the center and Twilio: while it is shut, who asks for an account waits.
type door struct {
	t    *testing.T
	shut chan struct{} // holds one when it is shut
}

// before lets the site reach Twilio through the door.
func (d door) before(o *Options) {
	behind := httputil.NewSingleHostReverseProxy(o.Simulator.URL())
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, ".json") && strings.Count(r.URL.Path, "/") == 3 {
			select {
			case d.shut <- struct{}{}:
				<-d.shut
			case <-r.Context().Done():
				return
			}
		}
		behind.ServeHTTP(w, r)
	}))
	d.t.Cleanup(srv.Close)
	base, err := url.Parse(srv.URL)
	if err != nil {
		d.t.Fatal(err)
	}
	o.Service = serviceOf(d.t, *o, twilio.Options{SimulatorBase: base})
}

// The page is there at once. What does not wait for Twilio ends while Twilio is asked, the rest after it; then the summary
// has the focus, and the report can be copied.
func TestCheckRowByRow(t *testing.T) {
	t.Parallel()
	browsertest.Require(t)
	for _, p := range pairs {
		t.Run(string(p.dialect)+" "+string(p.lang), func(t *testing.T) {
			t.Parallel()
			twilioDoor := door{t, make(chan struct{}, 1)}
			d := newTeam(t, p.dialect, twilioDoor.before)
			d.lang = p.lang
			checkRowByRow(d, twilioDoor)
		})
	}
}

func checkRowByRow(d *team, twilioDoor door) {
	twilioDoor.shut <- struct{}{}
	b := d.at(d.user(models.Administrator, "boss@kanal.test"), check.URL)
	b.wait("[...document.querySelectorAll('[data-running] h3')].map(h => h.innerText).join() === " + jsText(strings.Join([]string{
		d.text("check.name.token"), d.text("check.name.sender"), d.text("check.name.clock"),
	}, ",")))
	b.says(d.count("check.n_running", 3))
	b.says(d.text("check.verdict.running"))
	b.wait("document.querySelector('[data-check]').getAttribute('aria-busy') === 'true' && !document.getElementById('report') && !document.querySelector('[data-copy]')")
	b.wait("document.activeElement === document.body")
	b.picture("check-running-" + string(d.lang))
	b.narrow()
	b.size(1440, 900)

	<-twilioDoor.shut
	b.wait("document.activeElement.id === 'check-summary' && !document.querySelector('[data-running], [aria-busy]')")
	b.says(d.text("check.token.ok"))
	b.says(d.text("check.which_warning", "names", d.text("check.name.public")+", "+d.text("check.name.signature")))
	b.says(d.text("check.first", "name", d.text("check.name.public")))
	b.wait("document.querySelector('.page__h [data-copy=report]').nextElementSibling.matches('.btn--p') && document.querySelectorAll('[data-copy]').length === 1")
	b.js("navigator.clipboard.writeText = text => { window.copied = text; return Promise.resolve() }")
	b.tabTo("[data-copy=report]")
	b.enter()
	b.wait("window.copied && document.getElementById('live-polite').textContent === document.body.dataset.tCopied")
	b.wait("[" + jsText(d.text("check.token.ok")) + ", " + jsText(d.text("check.group.operation")) + "].every(part => window.copied.includes(part))")
	a, _ := d.sim.Account(d.sid)
	for _, secret := range []string{d.number, d.sid, d.account.HookKey, a.Token} {
		b.wait("!window.copied.includes(" + jsText(secret) + ")")
	}
	b.picture("check-" + string(d.lang))
	b.narrow()
	b.picture("check-narrow-" + string(d.lang))
	b.size(1440, 900)

	// What fails is told once.
	d.sim.SetSuspended(d.sid, true)
	b.tabTo(".page__h a[href='" + check.URL + "']")
	b.enter()
	b.wait("document.activeElement.id === 'check-summary'")
	b.says(d.text("check.token.suspended_do"))
	b.says(d.text("check.after.token"))
	b.says(d.text("check.which_failed", "names", d.text("check.name.token")))
	b.picture("check-failed-" + string(d.lang))
}

// A message to oneself, by keyboard: the phone, the question, and in the conversation how far it came.
func TestMessageToOneselfByKeyboard(t *testing.T) { eachPair(t, messageToOneself) }

func messageToOneself(d *team) {
	b := d.at(d.user(models.Administrator, "boss@kanal.test"), check.URL)
	b.expect(refused)
	b.focused("#check-summary")
	b.tabTo("[data-copy=report]")
	b.js("document.querySelector('.page__h a').focus()")
	b.enter()
	b.wait("document.querySelector('dialog[open] #to') === document.activeElement")
	b.enter()
	b.wait("document.activeElement.id === 'errsum'")
	b.tabTo("dialog #to")
	b.press("400 00 155")
	b.picture("check-message-" + string(d.lang))
	b.enter()
	b.focused("dialog #test-confirm")
	b.see(d.text("check.message.text"))
	b.picture("check-message-confirm-" + string(d.lang))
	b.narrow()
	b.size(1440, 900)
	b.tabTo("dialog button[value=change]")
	b.enter()
	b.wait("document.querySelector('dialog #to')?.value === '+4740000155'")
	b.tabTo("dialog button[value=next]")
	b.enter()
	b.tabTo("dialog button[value=send]")
	d.outcome("undelivered", 63024)
	b.enter()
	id := d.wrote("whatsapp:+4740000155")
	b.at(thread(id))
	b.see(d.text("done.test_message"))
	b.see(d.text("twilio.code.63024"))
	b.picture("check-message-sent-" + string(d.lang))
}

// wrote waits until we have written to somebody who has not written to us, and gives the conversation.
func (d *team) wrote(address string) models.ConversationID {
	d.t.Helper()
	changes, cancel := d.sim.Watch()
	defer cancel()
	for late := time.After(patience); ; {
		if d.creates() > 0 {
			return d.newest(twilio.Address(address))
		}
		select {
		case <-changes:
		case <-late:
			d.t.Fatal("nothing was sent")
		}
	}
}

// Who works elsewhere on the page when the check ends keeps the focus; a line that is lost is told.
func TestCheckEndsAside(t *testing.T) {
	t.Parallel()
	browsertest.Require(t)
	twilioDoor := door{t, make(chan struct{}, 1)}
	d := newTeam(t, storetest.Dialects[0], twilioDoor.before)
	wire := d.over()
	twilioDoor.shut <- struct{}{}
	b := d.atOver(wire.URL, d.user(models.Administrator, "boss@kanal.test"), check.URL)
	b.says(d.count("check.n_running", 3))
	b.tabTo(".anav a[href='/admin/queues']")
	<-twilioDoor.shut
	b.wait("document.getElementById('live-polite').textContent === document.getElementById('check-summary').innerText && !document.querySelector('[data-running]')")
	b.wait("document.activeElement.matches('.anav a')")

	twilioDoor.shut <- struct{}{}
	b.open(check.URL)
	b.says(d.count("check.n_running", 3))
	b.expect("ERR_INCOMPLETE_CHUNKED_ENCODING")
	wire.set(false)
	b.wait("document.activeElement.id === 'check-summary' && !document.querySelector('[data-running]')")
	b.says(d.text("check.cut"))
	<-twilioDoor.shut
}

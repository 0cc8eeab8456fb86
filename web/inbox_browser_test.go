package web

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"kanal/models"
	"kanal/store"
	"kanal/store/storetest"
	"kanal/twilio/simulator"
	"kanal/views/browsertest"
)

// Parts of the inbox's page, as scripts see them.
const (
	bubbles = "[...document.querySelectorAll('#msgs .msg .bub__t')].map(x => x.textContent).join('|')"
	polite  = "document.getElementById('live-polite').textContent"
	rowsNow = "[...document.querySelectorAll('#list .conv__n')].map(x => x.textContent).join('|')"
)

// listed waits until the page's first stream is up: the page fetches its list once more then. What happens from now on is
// news.
func (b *seat) listed() {
	b.t.Helper()
	b.wait("performance.getEntriesByType('resource').some(e => e.name.includes('/inbox/list') && e.responseEnd) && !document.querySelector('#list[aria-busy]')")
}

// keepsList lets the list stay as it is, whatever happens: as one does that is on its way to the page.
func (b *seat) keepsList() {
	b.t.Helper()
	b.listed()
	b.js("document.addEventListener('list:refresh', e => e.stopImmediatePropagation(), true)")
}

func lastState(state models.MessageState) string {
	return fmt.Sprintf("[...document.querySelectorAll('#msgs .msg--out')].at(-1)?.dataset.state === %q", state)
}

func types(b *seat, text string) {
	b.focus("#body")
	b.press(text)
}

func jsText(s string) string { return fmt.Sprintf("%q", s) }

// A customer writes: the row appears in every list and the message in the open thread, without anybody doing anything.
func TestInboxMessageArrivesLive(t *testing.T) {
	eachPair(t, func(d *team) {
		ida, mads := d.at(d.ida, "/inbox?view=queue"), d.at(d.mads, "/inbox?view=all")
		ida.see(d.text("inbox.empty_queue"))
		id := d.says("Kari Nordli", "Hei, hvor er pakken?")
		for _, b := range []*seat{ida, mads} {
			b.wait(rowsNow + " === 'Kari Nordli'")
			b.see("Hei, hvor er pakken?")
		}
		ida.click("#list a.conv")
		ida.wait(bubbles + " === 'Hei, hvor er pakken?'")
		ida.wait("document.title === 'Kari Nordli – Kanal'")
		ida.wait("document.getElementById('inbox-h').textContent === " + jsText(d.text("inbox.title")+": "+d.text("thread.label", "name", "Kari Nordli")))
		mads.open(thread(id) + "?view=all")
		d.says("Kari Nordli", "Er dere der?")
		for _, b := range []*seat{ida, mads} {
			b.wait(bubbles + " === 'Hei, hvor er pakken?|Er dere der?'")
		}

		// Her own conversation elsewhere: the number in the title and the icon; it goes when the thread is read.
		other := d.has(d.ida, d.says("Jonas Bakke", "Takk"))
		ida.wait("document.title === '(1) Kari Nordli – Kanal' && document.getElementById('favicon').href.includes('dot')")
		ida.open(thread(other))
		ida.see(d.count("thread.n_new", 1))
		ida.wait("document.title === 'Jonas Bakke – Kanal' && !document.getElementById('favicon').href.includes('dot')")
		d.says("Jonas Bakke", "Hallo?")
		ida.wait(bubbles + " === 'Takk|Hallo?'")
		ida.wait("document.title === 'Jonas Bakke – Kanal' && !document.querySelector('#list .badge')")
	})
}

// Take next by key and by button; who comes second is told who was first.
func TestInboxTakeNext(t *testing.T) {
	browsertest.Require(t)
	eachDatabase(t, func(_ *testing.T, d *team) {
		first := d.says("Kari Nordli", "En")
		second := d.says("Jonas Bakke", "To")
		ida := d.at(d.ida, "/inbox?view=queue")
		ida.wait(rowsNow + " === 'Kari Nordli|Jonas Bakke'")
		ida.keepsList() // Kari is the first for Ida, while Mads is faster
		d.must(d.service.TakeOver(t.Context(), viewerOf(d.mads), first, 0))
		ida.js("document.activeElement.blur()")
		ida.press("n")
		ida.at(thread(second))
		ida.see("Mads took the conversation first. Here is the next one.")

		// The same with the button, when nothing is left.
		third := d.says("Sofie Myhre", "Tre")
		ida.open("/inbox?view=queue")
		ida.keepsList()
		d.must(d.service.TakeOver(t.Context(), viewerOf(d.mads), third, 0))
		ida.js("document.getElementById('next').requestSubmit()")
		ida.see("Mads took the conversation first. The queue is empty.")
		ida.open("/inbox")
		ida.js("document.activeElement.blur()")
		ida.press("n")
		ida.see("The queue is empty.")
	})
}

// A reply: the bubble is there at once, its ticks move up to two blue ones, the row follows, the other agent's page too.
func TestInboxReply(t *testing.T) {
	browsertest.Require(t)
	eachDatabase(t, func(_ *testing.T, d *team) {
		d.outcome("read", 0)
		id := d.has(d.ida, d.says("Kari Nordli", "Hei"))
		ida, mads := d.at(d.ida, thread(id)), d.at(d.mads, thread(id)+"?view=all")
		mads.see("Ida Holm has the conversation") // over the box
		types(ida, "Hei *Kari*")
		ida.send()
		ida.wait("document.getElementById('body').value === '' && document.activeElement.id === 'body'")
		ida.wait(bubbles + ".replaceAll('*', '') === 'Hei|Hei Kari'") // at once as it was typed, then as WhatsApp shows it
		for _, b := range []*seat{ida, mads} {
			b.wait(lastState(models.Read))
			b.wait("[...document.querySelectorAll('#msgs .msg--out .meta')].at(-1).querySelector('.is-read') && document.querySelector('#list .conv__x .is-read')")
			b.wait(bubbles + " === 'Hei|Hei Kari'") // as WhatsApp shows it
		}
		if n := d.creates(); n != 1 {
			t.Errorf("%d messages at Twilio", n)
		}
	})
}

func (d *team) creates() (n int) {
	for _, e := range d.sim.Ledger(d.sid) {
		if e.What == "create" && e.SID != "" {
			n++
		}
	}
	return n
}

// A message that failed says why, with Twilio's code, and what to do next.
func TestInboxFailures(t *testing.T) { eachPair(t, inboxFailures) }

func inboxFailures(d *team) {
	id := d.has(d.ida, d.says("Kari Nordli", "Hei"))
	b := d.at(d.ida, thread(id))
	said := "[...document.querySelectorAll('#msgs .fail')].at(-1)?.innerText.replace(/\\s+/g, ' ')"
	known := func(code int) string {
		return d.text(fmt.Sprint("twilio.code.", code)) + " " + d.text("thread.code", "code", code)
	}
	for _, f := range []struct {
		final string
		code  int
		says  string
	}{
		{"failed", 63024, known(63024)},
		{"failed", 63007, known(63007) + " " + d.text("thread.ask_admin")},
		{"failed", 20003, known(20003) + " " + d.text("thread.ask_admin")},
		{"undelivered", 77777, d.text("twilio.code.other", "code", 77777) + " " + d.text("thread.retry")},
	} {
		d.outcome(f.final, f.code)
		types(b, fmt.Sprint("Svar ", f.code))
		b.send()
		b.wait(said + " === " + jsText(f.says))
		b.wait("[...document.querySelectorAll('#msgs .bub')].at(-1).classList.contains('bub--fail')")
	}
	b.picture("failed-" + string(d.lang))
	b.narrow()
	b.size(1440, 900)
	d.outcome("read", 0)
	b.tabTo("#msgs .msg:last-child .fail button")
	b.enter()
	b.wait(lastState(models.Read) + " && document.querySelectorAll('#msgs .msg--out').length === 4 && document.activeElement !== document.body")

	// Twilio did not process it: it is tried again by itself, and the bubble says so.
	d.sim.Fail(d.sid, simulator.FaultTooMany)
	types(b, "For mange")
	b.send()
	b.wait(lastState(models.Read))
	// The answer is lost: nobody knows, and the page says that.
	d.outcome("none", 0)
	d.sim.Fail(d.sid, simulator.FaultCommitDrop)
	types(b, "Kanskje")
	b.send()
	b.wait(said + " === " + jsText(d.text("msg.uncertain")))
	b.wait("document.querySelectorAll('#msgs .msg--out:last-child button').length === 0")
	// Who has opted out gets nothing more, so that nothing follows.
	other := d.at(d.ida, thread(d.has(d.ida, d.says("Jonas Bakke", "Hei"))))
	d.outcome("failed", 21610)
	types(other, "Svar")
	other.send()
	other.wait(said + " === " + jsText(known(21610)))
}

// 63016 closes the window at once, in the open page too.
func TestInboxRefusedOutsideWindow(t *testing.T) {
	t.Parallel()
	browsertest.Require(t)
	d := newTeam(t, store.SQLite)
	id := d.has(d.ida, d.says("Kari Nordli", "Hei"))
	b := d.at(d.ida, thread(id))
	d.outcome("undelivered", 63016)
	types(b, "Hei")
	b.send()
	b.see("Not delivered. The reply window is closed.")
	b.see("It is more than 24 hours since Kari wrote.")
	b.wait(polite + " === 'The reply window is closed.'")
	b.focused("#composer .closed")
}

// The window closes over a page with text in the box: the text stays, can be copied, and comes back with the window.
func TestInboxWindowCloses(t *testing.T) { eachPair(t, windowCloses) }

func windowCloses(d *team) {
	id := d.has(d.ida, d.says("Kari Nordli", "Hei"))
	b := d.at(d.ida, thread(id))
	b.wait("document.querySelector('#win b').textContent.startsWith('23 ')")
	d.ahead(20*time.Hour + 30*time.Minute)
	b.wait("document.getElementById('win').classList.contains('win--w')")
	types(b, "Vi sender en ny")
	d.ahead(3 * time.Hour)
	b.wait("document.querySelector('#win .wl').textContent === " + jsText(d.text("window.closes_in")) + " && document.getElementById('win').classList.contains('win--e')")
	b.wait("document.getElementById('body').value === 'Vi sender en ny'")
	d.ahead(time.Hour)
	b.see(d.text("composer.closed"))
	b.wait("document.getElementById('kept').textContent === 'Vi sender en ny' && document.getElementById('kept').checkVisibility()")
	b.wait("document.querySelector('#composer [data-copy=kept]').checkVisibility()")
	b.focused("#composer .closed") // where the box was
	b.wait("document.querySelector('#list .conv').innerText.includes(" + jsText(d.text("inbox.template_only")) + ")")
	d.draft(d.ida, id, "Vi sender en ny")
	b.open(thread(id))
	b.wait("document.getElementById('kept').textContent === 'Vi sender en ny'")
	b.focus("#composer .closed")
	d.says("Kari Nordli", "Hallo?")
	b.wait("document.getElementById('body')?.value === 'Vi sender en ny'")
	b.focused("#body")

	// Who is somewhere else stays there.
	b.focus("#list a.conv")
	d.ahead(25 * time.Hour)
	b.see(d.text("composer.closed"))
	b.focused("#list a.conv")
}

// draft waits until the server has this draft.
func (d *team) draft(u models.User, id models.ConversationID, want string) {
	d.t.Helper()
	d.until("draft "+want, func() bool {
		row, err := d.store.Conversation(d.t.Context(), viewerOf(u), id)
		d.must(err)
		return row.Draft == want
	})
}

func (d *team) until(what string, f func() bool) {
	d.t.Helper()
	for end := time.Now().Add(patience); !f(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			d.t.Fatal("never: " + what)
		}
	}
}

// A reply that loses the race against the window: the panel, and every text is kept, also what was typed since; whether
// the page hears of the window from the answer or has the panel before it.
func TestInboxReplyLosesRace(t *testing.T) {
	t.Parallel()
	browsertest.Require(t)
	d := newTeam(t, store.SQLite)
	for name, hears := range map[string]bool{"Kari Nordli": false, "Jonas Bakke": true} {
		id := d.has(d.ida, d.says(name, "Hei"))
		b := d.at(d.ida, thread(id))
		b.expect("422")
		b.listed()
		b.js("window.hold = fetch; window.fetch = (u, o) => /messages$/.test(u) ? new Promise(r => window.go = () => r(hold(u, o))) : hold(u, o)")
		if !hears {
			b.js("document.addEventListener('live:resync', e => e.stopImmediatePropagation(), true)")
		}
		for _, text := range []string{"En", "To"} {
			types(b, text)
			b.send()
		}
		types(b, "Tre")
		d.ahead(25 * time.Hour)
		if hears {
			b.wait("document.getElementById('kept')?.textContent === 'Tre'")
		}
		b.js("go()")
		b.see("The reply window is closed")
		b.wait("document.getElementById('kept').textContent === 'En\\n\\nTo\\n\\nTre' && document.activeElement.matches('.closed')")
		b.wait("!document.querySelector('#msgs .msg--out')")
		d.draft(d.ida, id, "En\n\nTo\n\nTre")
	}
}

// Resolve, undo, and the customer who writes in the wrap-up.
func TestInboxResolve(t *testing.T) {
	t.Parallel()
	browsertest.Require(t)
	d := newTeam(t, store.SQLite)
	id := d.has(d.ida, d.says("Kari Nordli", "Hei"))
	b := d.at(d.ida, thread(id))
	b.js("document.activeElement.blur()")
	b.press("e")
	b.wait("document.querySelector('#toasts').textContent.includes('Resolved')") // it does not stay
	b.see("Resolved by Ida Holm")
	b.see("The conversation is resolved")
	b.wait("document.querySelector('#list .clist__g').textContent === 'Wrap-up'")
	b.click("#act-reopen")
	b.wait("document.getElementById('body') && document.querySelector('#list .clist__g').textContent === 'My active'")
	b.click("#act-resolve")
	b.see("The conversation is resolved")
	d.says("Kari Nordli", "En ting til")
	b.wait("document.getElementById('body') && document.getElementById('act-resolve') && " + bubbles + ".endsWith('En ting til')")
	b.wait("document.querySelector('#side dd').textContent === 'Active'")
	b.click("#act-resolve")
	b.click("#act-close")
	b.see("The conversation is closed")
	d.says("Kari Nordli", "Hallo igjen")
	b.wait("document.querySelectorAll('#msgs .msg').length === 2")
}

// Drafts: kept per conversation, in the list, after a reload, and never in the wrong thread.
func TestInboxDrafts(t *testing.T) {
	t.Parallel()
	browsertest.Require(t)
	d := newTeam(t, store.SQLite)
	kari, jonas := d.has(d.ida, d.says("Kari Nordli", "Hei")), d.has(d.ida, d.says("Jonas Bakke", "Hallo"))
	draft := newGate("POST "+thread(jonas)+"/draft", false)
	b := d.atOver(d.through(draft), d.ida, thread(kari))
	types(b, "Til Kari")
	b.click(fmt.Sprintf("#row-%d", jonas))
	b.wait("document.getElementById('thread-h').textContent === 'Jonas Bakke' && document.getElementById('body').value === ''")
	d.draft(d.ida, kari, "Til Kari")
	draft.arm()
	types(b, "Til Jonas")
	draft.wait(t) // it is on its way when the thread is left
	b.do(chromedp.NavigateBack())
	b.wait("document.getElementById('thread-h').textContent === 'Kari Nordli' && document.getElementById('body').value === 'Til Kari'")
	draft.open()
	b.wait("location.pathname === " + jsText(thread(kari)))
	d.draft(d.ida, jonas, "Til Jonas")
	b.wait(fmt.Sprintf("document.querySelector('#row-%d .conv__x').innerText === 'Draft: Til Jonas'", jonas))
	b.open(thread(jonas))
	b.wait("document.getElementById('body').value === 'Til Jonas'")
	// Sent is gone, also for a draft whose saving is slow.
	b.js("window.hold = fetch; window.saved = []; window.fetch = (u, o) => /draft$/.test(u) ? (saved.push(String(o.body)), new Promise(r => setTimeout(() => r(hold(u, o)), 300))) : hold(u, o)")
	types(b, " og mer")
	b.js("dispatchEvent(new Event('pagehide'))")
	b.send()
	b.wait(lastState(models.Read))
	b.wait("saved.length === 1") // not saved once more after it was sent
	d.draft(d.ida, jonas, "")
	b.open(thread(jonas))
	b.wait("document.getElementById('body').value === ''")
}

// Somebody else takes the conversation: the composer says who, and what was typed stays in it.
func TestInboxTakenOver(t *testing.T) {
	t.Parallel()
	browsertest.Require(t)
	d := newTeam(t, store.SQLite)
	id := d.has(d.ida, d.says("Kari Nordli", "Hei"))
	b := d.at(d.ida, thread(id))
	types(b, "Jeg skriver nå")
	d.must(d.service.TakeOver(t.Context(), viewerOf(d.mads), id, d.ida.ID))
	b.see("Mads Berg has the conversation")
	b.wait("document.getElementById('body').value === 'Jeg skriver nå'")
	b.wait("[...document.querySelectorAll('#side dd')].some(x => x.textContent === 'Mads Berg')")
	b.click("#act-assign")
	b.wait("document.getElementById('body')?.value === 'Jeg skriver nå'")
	b.see("The conversation is yours")
}

// The line is gone: the banner, messages wait and go in order, and all that was missed comes back with the line.
func TestInboxConnectionLost(t *testing.T) {
	t.Parallel()
	browsertest.Require(t)
	d := newTeam(t, store.SQLite)
	id, line := d.has(d.ida, d.says("Kari Nordli", "Hei")), d.over()
	b := d.atOver(line.URL, d.ida, thread(id))
	b.expect("ERR_")
	b.wait("document.getElementById('conn').hidden")
	line.set(false)
	b.wait("!document.getElementById('conn').hidden")
	b.see("Messages you write now are sent when we are back.")
	for _, text := range []string{"En", "To"} {
		types(b, text)
		b.send()
	}
	b.wait("[...document.querySelectorAll('#msgs .is-pending')].length === 2")
	d.says("Kari Nordli", "Imens")
	line.set(true)
	b.js("document.querySelector('[data-live-retry]').click()")
	b.wait("document.getElementById('conn').hidden && " + polite + " === 'Connected again.'")
	b.wait(bubbles + " === 'Hei|Imens|En|To'")
	b.wait(lastState(models.Read))
	if n := d.creates(); n != 2 {
		t.Errorf("%d messages at Twilio", n)
	}
}

// Signed out in another tab: to the login, and then back with the draft and what waited to be sent.
func TestInboxSignedOut(t *testing.T) {
	t.Parallel()
	browsertest.Require(t)
	d := newTeam(t, store.SQLite)
	id := d.has(d.ida, d.says("Kari Nordli", "Hei"))
	b := d.at(d.ida, thread(id))
	b.expect("401")
	b.wait("document.getElementById('conn').hidden")
	b.js("window.hold = fetch; window.fetch = (u, o) => /messages$/.test(u) ? Promise.reject(new TypeError('offline')) : hold(u, o)")
	types(b, "Venter")
	b.send()
	b.wait("document.querySelector('#msgs .is-pending .st').textContent === 'Waiting for network'")
	types(b, "Halvferdig")
	d.endSessions(d.ida)
	b.at("/login")
	b.see("You are signed out. Your drafts are saved.")
	b.js("document.getElementById('email').value = " + jsText(d.ida.Email) + "; document.getElementById('password').value = " + jsText(testPassword) + "; document.getElementById('login').requestSubmit()")
	b.at(thread(id))
	b.wait("document.getElementById('body').value === 'Halvferdig'")
	b.wait(bubbles + " === 'Hei|Venter'")
	b.wait(lastState(models.Read))
	d.draft(d.ida, id, "Halvferdig")
}

// The list stays still under the pointer; the pill says what has changed and brings it.
func TestInboxListHeld(t *testing.T) {
	t.Parallel()
	browsertest.Require(t)
	d := newTeam(t, store.SQLite)
	d.has(d.ida, d.says("Kari Nordli", "Hei"))
	d.has(d.ida, d.says("Jonas Bakke", "Hallo"))
	b := d.at(d.ida, "/inbox")
	b.wait(rowsNow + " === 'Jonas Bakke|Kari Nordli'")
	b.listed()
	b.do(chromedp.MouseEvent("mouseMoved", 200, 300))
	b.wait("document.getElementById('list').matches(':hover')")
	d.says("Kari Nordli", "Hallo?")
	b.wait("document.getElementById('list-pill').innerText.trim() === '1 update'")
	b.wait(rowsNow + " === 'Jonas Bakke|Kari Nordli'")
	b.js("document.dispatchEvent(new CustomEvent('live:up'))") // the line was lost and is back
	b.wait("document.getElementById('list-pill').innerText.trim() === '2 updates'")
	b.wait(rowsNow + " === 'Jonas Bakke|Kari Nordli'")
	b.do(chromedp.MouseEvent("mouseMoved", 900, 600))
	b.wait(rowsNow + " === 'Kari Nordli|Jonas Bakke' && document.getElementById('list-pill').hidden")
}

// Long lists and long threads come in pages; what is being read does not move, and what is live stays right.
func TestInboxPaging(t *testing.T) {
	t.Parallel()
	browsertest.Require(t)
	d := newTeam(t, store.SQLite)
	for i := range 120 {
		d.says(fmt.Sprintf("Kunde %03d", i), "Hei")
	}
	id := d.has(d.ida, d.says("Kari Nordli", "Nr 0"))
	for i := range 119 {
		d.says("Kari Nordli", fmt.Sprintf("Nr %d", i+1))
	}
	list := newGate("GET /inbox/list", true)
	b := d.atOver(d.through(list), d.ida, "/inbox?view=all")
	rows := func(n int) string { return fmt.Sprintf("document.querySelectorAll('#list a.conv').length === %d", n) }
	b.wait(rows(50))
	b.listed()
	list.arm()
	d.says("Kunde 119", "Hallo?")
	list.wait(t) // a list of fifty is on its way when more are asked for
	b.click("#list-more")
	b.wait(rows(100))
	list.open()
	d.says("Kunde 090", "Hallo?")
	b.wait(rowsNow + ".startsWith('Kunde 090') && " + rows(100))
	b.click("#list-more")
	b.wait(rows(121) + " && !document.getElementById('list-more')")

	b.open(thread(id))
	count := func(n int) string { return fmt.Sprintf("document.querySelectorAll('#msgs .msg').length === %d", n) }
	b.wait(count(50))
	b.js("document.getElementById('log').scrollTop = 0; first = document.querySelector('#msgs .msg'); at = first.getBoundingClientRect().top")
	b.click("#older")
	b.wait(count(100))
	b.wait("Math.abs(first.getBoundingClientRect().top - at) < 40 && document.querySelectorAll('#msgs .day').length === 1")
	d.says("Kari Nordli", "Ny")
	b.wait(count(101) + " && !document.getElementById('jump').hidden && Math.abs(first.getBoundingClientRect().top - at) < 40")
	b.click("#jump")
	b.wait("document.getElementById('jump').hidden")
	b.click("#older")
	b.wait("!document.getElementById('older') && " + bubbles + ".startsWith('Nr 0|Nr 1|')")
}

// Everything by keyboard; the list of keys names only what works.
func TestInboxKeyboard(t *testing.T) {
	t.Parallel()
	browsertest.Require(t)
	d := newTeam(t, store.SQLite)
	kari, jonas := d.has(d.ida, d.says("Kari Nordli", "Hei")), d.has(d.ida, d.says("Jonas Bakke", "Hallo"))
	b := d.at(d.ida, "/inbox")
	b.js("document.activeElement.blur()")
	b.press("j")
	b.at(thread(jonas))
	b.press("j")
	b.wait("location.pathname === " + jsText(thread(kari)) + " && document.querySelector('#list a.conv[aria-current=page]').id === 'row-" + number(kari) + "'")
	b.focused("#row-" + number(kari))
	b.press("k")
	b.wait("location.pathname === " + jsText(thread(jonas)) + " && document.getElementById('thread-h').textContent === 'Jonas Bakke'")
	b.press("r")
	b.focused("#body")
	b.press("\u001b")
	b.focused("#row-" + number(jonas))
	for _, at := range []string{"#body", ".side__s", "a.conv"} {
		b.js("document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {key: 'F6', bubbles: true}))")
		b.focused(at)
	}
	b.press("?")
	b.wait("document.getElementById('keys').open")
	b.press("\u001b")
	b.wait("!document.getElementById('keys').open")
}

// On a phone one pane at a time; on a tablet the details are a page.
func TestInboxPhone(t *testing.T) {
	t.Parallel()
	browsertest.Require(t)
	d := newTeam(t, store.SQLite)
	id := d.says("Kari Nordli", "Hei")
	b := d.at(d.ida, "/inbox?view=queue")
	b.size(390, 844)
	pane := func(shown, hidden string) {
		t.Helper()
		b.wait("document.querySelector('" + shown + "').checkVisibility() && !document.querySelector('" + hidden + "').checkVisibility()")
	}
	pane("#list", "#thread")
	b.click("#list a.conv")
	b.wait("document.getElementById('log')")
	pane("#thread", "#list")
	b.click("#act-assign")
	b.wait("document.getElementById('act-resolve')")
	b.click("#thread-details")
	b.at(thread(id) + "/details")
	b.see("Workstream")
	b.click(".details__b a")
	b.at(thread(id))
	b.click("#thread-back")
	b.at("/inbox")
	pane("#list", "#thread")
	b.narrow()
	b.size(390, 844)
	b.open(thread(id))
	b.narrow()
}

// Two instances over one database: what one takes in appears at the other, and the ticks too.
func TestInboxTwoInstances(t *testing.T) {
	t.Parallel()
	browsertest.Require(t)
	address := storetest.Migrated(t, store.Postgres)
	a := newTeam(t, store.SQLite, func(o *Options) { o.Store = storetest.OpenURL(t, address, nil) })
	other := newSiteBeforeSetup(t, func(o *Options) {
		o.Store, o.Simulator = storetest.OpenURL(t, address, nil), a.sim
	})
	other.listen()
	id := a.has(a.ida, a.says("Kari Nordli", "Hei"))
	b := a.atOver(other.url, a.ida, thread(id))
	b.wait("document.getElementById('conn').hidden && document.getElementById('log')")
	a.says("Kari Nordli", "Hører du meg?")
	b.wait(bubbles + " === 'Hei|Hører du meg?'")
	types(b, "Ja")
	b.send()
	b.wait(lastState(models.Read))
	a.says("Jonas Bakke", "Hallo")
	b.wait("/Queue\\s*1/.test(document.getElementById('list').innerText)")

	// Who else is there, at the other instance, writes, stops and goes.
	there := "document.getElementById('viewers').textContent.replace('MB', '').replace('IH', '').trim()"
	mads := a.at(a.mads, thread(id))
	b.wait(there + " === 'Mads is viewing'")
	mads.wait(there + " === 'Ida is viewing'")
	types(mads, "Jeg også")
	b.wait(there + " === 'Mads is typing …' && " + polite + " === 'Mads is typing …'")
	b.picture("viewers")
	b.size(390, 844)
	b.picture("viewers-phone")
	b.narrow()
	b.size(1440, 900)
	mads.open("/inbox")
	b.wait(there + " === ''")
}

// The countdown: it changes at four hours and at one, is said once at an hour and at ten minutes and counts seconds in
// the last five minutes, in the list too; the row and the composer follow without any event.
func TestInboxWindowCountsDown(t *testing.T) {
	t.Parallel()
	browsertest.Require(t)
	d := newTeam(t, store.SQLite)
	id := d.has(d.ida, d.says("Kari Nordli", "Hei"))
	d.ahead(20*time.Hour - 5*time.Minute)
	b := d.at(d.ida, thread(id))
	b.wait("document.querySelector('#win.win--ok') && !document.querySelector('#list .conv__m')")
	// The page's clock leaps to so long before the end of the window and goes on from there. The list stays: one that is
	// fetched then would have the server's time again.
	looks := "new Event('visibilitychange')"
	leap := func(left time.Duration) {
		b.js(fmt.Sprintf(`{
			const el = document.getElementById('win'), at = Date.parse(el.dataset.closesAt) - el._skew - %d, began = performance.now();
			Date.now = () => at + performance.now() - began;
			document.getElementById('live-polite').textContent = '';
			document.dispatchEvent(%s);
		}`, left.Milliseconds(), looks))
	}
	left := func(minutes int) { leap(time.Duration(minutes)*time.Minute + 59*time.Second) }
	still := func() {
		b.js("document.addEventListener('live:resync', e => e.stopImmediatePropagation(), true)")
		b.keepsList()
	}
	still()
	left(215)
	b.wait("document.querySelector('#win.win--w b').textContent === '3 h 35 min'")
	d.ahead(30 * time.Minute) // by the server's clock too: the list fetches its chip
	b.open(thread(id))
	looks = "new CustomEvent('htmx:after:swap', {detail: {ctx: {}}})" // and no stream is opened anew, which may say something
	still()
	chip := "document.querySelector('#list [data-left]')?.textContent"
	b.wait("/^3 h 3\\d min$/.test(" + chip + ")")
	left(114)
	b.wait(chip + " === '1 h 54 min' && " + polite + " === ''")
	left(54)
	b.wait("document.querySelector('#win.win--e .wl').textContent === 'Closes in' && " + polite + " === 'Closes in 54 min'")
	left(53)
	b.wait("document.querySelector('#win b').textContent === '53 min' && " + polite + " === ''")
	left(8)
	b.wait(polite + " === 'Closes in 8 min'")
	left(3)
	b.wait("/^3:\\d\\d$/.test(document.querySelector('#win b').textContent) && " + polite + " === ''")

	// The end: nothing tells the page, it asks.
	b.open(thread(id))
	b.listed()
	b.js("document.addEventListener('live:resync', e => e.stopImmediatePropagation(), true)")
	d.ahead(4 * time.Hour)
	leap(2 * time.Second)
	b.wait("document.querySelector('#composer .closed .btn--p') && " + polite + " === 'The reply window is closed.'")
	b.wait("document.querySelector('#list .conv').innerText.includes('Template only')")
}

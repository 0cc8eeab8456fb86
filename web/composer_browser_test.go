package web

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"kanal/models"
	"kanal/store"
)

// gate holds back one request once it is armed, or the answer to it when that has been made.
type gate struct {
	what         string // method and path
	answer       bool
	armed        atomic.Bool
	came, opened chan struct{}
}

func newGate(what string, answer bool) *gate {
	return &gate{what: what, answer: answer, came: make(chan struct{}), opened: make(chan struct{})}
}

// arm lets the gate hold what comes next; wait waits until it has come, open lets it go on.
func (g *gate) arm()  { g.armed.Store(true) }
func (g *gate) open() { close(g.opened) }

func (g *gate) wait(t *testing.T) {
	t.Helper()
	select {
	case <-g.came:
	case <-time.After(patience):
		t.Fatal("never came: " + g.what)
	}
}

func (g *gate) hold(r *http.Request) {
	close(g.came)
	select {
	case <-g.opened:
	case <-r.Context().Done():
	}
}

// through gives the address of a line to the center with gates in it.
func (d *team) through(gates ...*gate) string {
	d.t.Helper()
	to, err := url.Parse(d.url)
	d.must(err)
	proxy := httputil.NewSingleHostReverseProxy(to)
	line := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, g := range gates {
			if g.what != r.Method+" "+r.URL.Path || !g.armed.CompareAndSwap(true, false) {
				continue
			}
			if !g.answer {
				g.hold(r)
				break
			}
			made := httptest.NewRecorder()
			proxy.ServeHTTP(made, r)
			g.hold(r)
			maps.Copy(w.Header(), made.Header())
			w.WriteHeader(made.Code)
			_, _ = w.Write(made.Body.Bytes())
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	d.t.Cleanup(func() { line.CloseClientConnections(); line.Close() })
	return line.URL
}

// box is what stands in the box, as scripts see it; saved, that the page has heard that its draft is saved.
const box = "document.getElementById('body')?.value"

func saved(n int) string {
	return fmt.Sprintf("performance.getEntriesByType('resource').filter(e => e.name.endsWith('/draft') && e.responseEnd).length === %d", n)
}

// Two answers for the same place come at once, both older than what was typed: the second begins before the first has
// ended. What was typed before them and between them stays, and so does the place in it.
func TestComposerAnswersOverlap(t *testing.T) {
	t.Parallel()
	d := newTeam(t, store.SQLite)
	id := d.has(d.ida, d.says("Kari Nordli", "Hei"))
	b := d.at(d.ida, thread(id))
	b.js("Promise.all([1, 2].map(() => fetch('" + thread(id) + "', {headers: {'HX-Request-Type': 'partial'}}).then(r => r.text()))).then(x => window.panes = x)")
	b.wait("window.panes")
	types(b, "Vi sender en ny")
	d.draft(d.ida, id, "Vi sender en ny")
	b.wait(saved(1))
	b.js("document.getElementById('body').setSelectionRange(3, 3)")
	b.js(`(async () => {
		const t = document.getElementById('thread'), swap = text => htmx.swap({sourceElement: t, target: t, swap: 'innerHTML', text});
		const first = swap(panes[0]);
		await null; // a key comes no sooner
		const ta = document.getElementById('body');
		ta.setRangeText('ikke ', ta.selectionStart, ta.selectionStart, 'end');
		ta.dispatchEvent(new Event('input', {bubbles: true}));
		await Promise.all([first, swap(panes[1])]);
		window.done = true;
	})()`)
	b.wait("window.done")
	b.wait(box + " === 'Vi ikke sender en ny'")
	b.wait("document.activeElement.id === 'body' && document.activeElement.selectionStart === 8")
	d.draft(d.ida, id, "Vi ikke sender en ny")
	b.open(thread(id))
	b.wait(box + " === 'Vi ikke sender en ny'")
}

// An answer that was made before the draft was saved comes after that: the box has what was typed. An answer that was
// asked for later has what another device wrote since.
func TestComposerAnswerOlderThanDraft(t *testing.T) {
	t.Parallel()
	d := newTeam(t, store.SQLite)
	kari, jonas := d.has(d.ida, d.says("Kari Nordli", "Hei")), d.has(d.ida, d.says("Jonas Bakke", "Hallo"))
	draft, pane := newGate("POST "+thread(kari)+"/draft", false), newGate("GET "+thread(kari), true)
	b := d.atOver(d.through(draft, pane), d.ida, thread(kari))
	draft.arm()
	types(b, "Til Kari")
	to := func(id models.ConversationID, name string) {
		b.click(fmt.Sprintf("#row-%d", id))
		b.wait("document.getElementById('thread-h').textContent === " + jsText(name))
	}
	to(jonas, "Jonas Bakke")
	draft.wait(t)
	pane.arm()
	b.click(fmt.Sprintf("#row-%d", kari))
	pane.wait(t)
	draft.open()
	d.draft(d.ida, kari, "Til Kari")
	b.wait(saved(1))
	pane.open()
	b.wait("document.getElementById('thread-h').textContent === 'Kari Nordli' && " + box + " === 'Til Kari'")
	to(jonas, "Jonas Bakke")
	d.must(d.service.SaveDraft(t.Context(), viewerOf(d.ida), kari, "Fra telefonen"))
	to(kari, "Kari Nordli")
	b.wait(box + " === 'Fra telefonen'")
}

// What was not saved when another device wrote stands over what that wrote.
func TestComposerTwoDevices(t *testing.T) {
	t.Parallel()
	d := newTeam(t, store.SQLite)
	id := d.has(d.ida, d.says("Kari Nordli", "Hei"))
	b := d.at(d.ida, thread(id))
	b.js("window.fetch = ((f) => (u, o) => /draft$/.test(u) ? Promise.reject(new TypeError('offline')) : f(u, o))(fetch)")
	types(b, "Fra kontoret")
	b.wait("sessionStorage.getItem('drafts').includes('Fra kontoret')")
	d.must(d.service.SaveDraft(t.Context(), viewerOf(d.ida), id, "Fra telefonen"))
	b.open(thread(id))
	b.wait(box + " === 'Fra kontoret\\n\\nFra telefonen'")
	d.draft(d.ida, id, "Fra kontoret\n\nFra telefonen")
}

// The window closes while the answer that says so is on its way, and a message goes while an answer from before it is:
// the panel shows what was typed, the box does not show what was sent.
func TestComposerAnswerOlderThanWindow(t *testing.T) {
	t.Parallel()
	d := newTeam(t, store.SQLite)
	id := d.has(d.ida, d.says("Kari Nordli", "Hei"))
	d.must(d.service.SaveDraft(t.Context(), viewerOf(d.ida), id, "Svar"))
	before, closed := newGate("GET "+thread(id), true), newGate("GET "+thread(id), true)
	b := d.atOver(d.through(before, closed), d.ida, thread(id))
	before.arm()
	b.click(fmt.Sprintf("#row-%d", id))
	before.wait(t)
	b.js("document.getElementById('composer').dataset.before = ''")
	b.focus("#body")
	b.send()
	b.wait(lastState(models.Read))
	before.open()
	b.wait("document.querySelector('#composer:not([data-before])') && " + box + " === ''")

	b.js("document.addEventListener('live:resync', e => e.stopImmediatePropagation(), true)")
	d.ahead(25 * time.Hour)
	closed.arm()
	b.click(fmt.Sprintf("#row-%d", id))
	closed.wait(t)
	types(b, "Er du der?")
	d.draft(d.ida, id, "Er du der?")
	b.wait(saved(1))
	closed.open()
	b.wait("document.getElementById('kept')?.textContent === 'Er du der?' && document.getElementById('kept').checkVisibility()")
	d.says("Kari Nordli", "Ja")
	b.js("document.dispatchEvent(new Event('thread:state'))")
	b.wait(box + " === 'Er du der?'")
}

// What a page of an older program has left in the tab is typed in, and does not stop the scripts.
func TestComposerAfterAnUpdate(t *testing.T) {
	t.Parallel()
	d := newTeam(t, store.SQLite)
	id := d.has(d.ida, d.says("Kari Nordli", "Hei"))
	b := d.at(d.ida, thread(id))
	b.js(fmt.Sprintf("sessionStorage.setItem('drafts', JSON.stringify({user: document.body.dataset.user, full: {%d: {text: 'Svar', base: ''}}}))", id))
	b.open(thread(id))
	b.wait(box + " === 'Svar'")
	d.draft(d.ida, id, "Svar")
	b.focus("#body")
	b.send()
	b.wait(lastState(models.Read))
}

// A message is refused while its writer is in another conversation: what was begun after it is kept, too. Where the panel
// took the place of the box, the focus was in it; it does not come back in the next conversation.
func TestComposerRefusedAside(t *testing.T) {
	t.Parallel()
	d := newTeam(t, store.SQLite)
	kari, jonas := d.has(d.ida, d.says("Kari Nordli", "Hei")), d.has(d.ida, d.says("Jonas Bakke", "Hallo"))
	message := newGate("POST "+thread(kari)+"/messages", false)
	b := d.atOver(d.through(message), d.ida, thread(kari))
	b.expect("422")
	b.js("document.addEventListener('live:resync', e => e.stopImmediatePropagation(), true)")
	to := func(id models.ConversationID, name string) {
		b.focus(fmt.Sprintf("#row-%d", id))
		b.enter()
		b.wait("document.getElementById('thread-h').textContent === " + jsText(name))
	}
	message.arm()
	types(b, "Sendt")
	b.send()
	message.wait(t)
	types(b, "Begynt")
	to(jonas, "Jonas Bakke")
	d.draft(d.ida, kari, "Begynt")
	d.ahead(25 * time.Hour)
	d.says("Jonas Bakke", "Er du der?")
	message.open()
	d.draft(d.ida, kari, "Sendt\n\nBegynt")
	to(kari, "Kari Nordli")
	b.wait("document.getElementById('kept').textContent === 'Sendt\\n\\nBegynt'")

	to(jonas, "Jonas Bakke")
	b.focus("#body")
	d.ahead(25 * time.Hour)
	d.says("Kari Nordli", "Ja")
	b.js("document.dispatchEvent(new Event('thread:state'))")
	b.wait("document.activeElement.matches('#composer .closed')")
	to(kari, "Kari Nordli")
	b.wait(box + " === 'Sendt\\n\\nBegynt'")
	b.wait(fmt.Sprintf("document.activeElement.id === 'row-%d'", kari))
}

// From a page of older messages a reply goes as a form: what was sent is not in the box of the page that comes.
func TestComposerOnOlderPage(t *testing.T) {
	t.Parallel()
	d := newTeam(t, store.SQLite)
	id := d.has(d.ida, d.says("Kari Nordli", "Hei"))
	draft := newGate("POST "+thread(id)+"/draft", false)
	b := d.atOver(d.through(draft), d.ida, thread(id)+"?before=2")
	draft.arm()
	types(b, "Svar")
	b.send()
	draft.wait(t)
	draft.open()
	b.wait("!location.search && " + lastState(models.Read))
	b.wait(box + " === '' && sessionStorage.getItem('drafts').includes('{}')")
	d.draft(d.ida, id, "")
}

// What the server has is not kept in the tab for ever.
func TestComposerForgets(t *testing.T) {
	t.Parallel()
	d := newTeam(t, store.SQLite)
	kari, jonas := d.has(d.ida, d.says("Kari Nordli", "Hei")), d.has(d.ida, d.says("Jonas Bakke", "Hallo"))
	b := d.at(d.ida, thread(kari))
	types(b, "Til Kari")
	d.draft(d.ida, kari, "Til Kari")
	b.wait(saved(1))
	b.click(fmt.Sprintf("#row-%d", jonas))
	b.wait("document.getElementById('thread-h').textContent === 'Jonas Bakke'")
	b.js("performance.now = () => 120000 + Performance.prototype.now.call(performance)")
	types(b, "Til Jonas")
	b.wait("sessionStorage.getItem('drafts').includes('Til Jonas') && !sessionStorage.getItem('drafts').includes('Til Kari')")
	b.click(fmt.Sprintf("#row-%d", kari))
	b.wait(box + " === 'Til Kari'")
}

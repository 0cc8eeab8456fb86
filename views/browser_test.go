package views

import (
	"context"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/a-h/templ"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"kanal/models"
	"kanal/static"
	"kanal/views/components"
	"kanal/views/i18n"
	"kanal/views/inbox"
)

// shellSite serves pages of the shell under the product's policy, with answers that a test can change.
type shellSite struct {
	posts    atomic.Int32
	streamUp atomic.Bool
	down     atomic.Bool   // no answer to messages
	release  chan struct{} // holds the answer to a post
	cut      chan struct{} // ends the stream
}

func (s *shellSite) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if body, kind, ok := static.Open(r.URL.Path); ok {
		w.Header().Set("Content-Type", kind)
		_, _ = w.Write(body)
		return
	}
	ctx := i18n.With(r.Context(), i18n.Locale{Lang: i18n.NB})
	w.Header().Set("Content-Security-Policy", "default-src 'self'")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	switch r.URL.Path {
	case "/events":
		s.events(w, r)
	case "/wizard":
		s.wizard(ctx, w, r)
	case "/unread":
		_ = Unread(0).Render(ctx, w)
	case "/admin/components/dialog":
		_ = GalleryDialog().Render(ctx, w)
	case "/inbox/7":
		s.thread(ctx, w, r)
	case "/inbox/7/messages":
		s.message(w, r)
	case "/inbox/7/draft", "/inbox/7/seen":
		w.WriteHeader(http.StatusNoContent)
	case "/window":
		_ = Plain(s.page(r), windowPage()).Render(ctx, w)
	default:
		_ = Gallery(s.page(r), noon).Render(ctx, w)
	}
}

func (s *shellSite) page(r *http.Request) Page {
	p := somePage()
	p.Theme = ""
	p.Live = r.URL.Path == "/live"
	p.NoShortcuts = r.URL.Query().Has("nokeys")
	return p
}

// thread is an open conversation of the viewer's own.
func (s *shellSite) thread(ctx context.Context, w http.ResponseWriter, r *http.Request) {
	me, closes := models.UserID(7), noon.Add(20*time.Hour)
	row := models.ConversationRow{ContactName: "Kari Nordli", WindowClosesAt: &closes, WindowInbound: &noon}
	row.ID, row.State, row.UserID, row.Address, row.OpenedAt = 7, models.Active, &me, "whatsapp:+4740000142", noon
	t := inbox.Thread{Row: row, Viewer: models.Viewer{User: me}, Now: noon, Composer: inbox.Composer{Row: row, Viewer: models.Viewer{User: me}, Key: "k", Now: noon, EnterSends: true}}
	p := s.page(r)
	p.EnterNewline = r.URL.Query().Has("newline")
	if user := r.URL.Query().Get("user"); user != "" {
		p.User.ID = user
	}
	_ = Layout(p, inbox.Show(inbox.Page{List: inbox.List{Part: inbox.Part{View: models.ViewMine}, Now: noon}, Thread: &t})).Render(ctx, w)
}

// message takes a reply and answers with its bubble, or breaks the line while the site is down.
func (s *shellSite) message(w http.ResponseWriter, r *http.Request) {
	if s.down.Load() {
		panic(http.ErrAbortHandler)
	}
	n := s.posts.Add(1)
	_, _ = fmt.Fprintf(w, `<li id="m-%s" class="msg msg--out" data-seq="%d"><div class="bub"><span class="bub__t">%s</span></div></li>`,
		html.EscapeString(r.FormValue("client_key")), n, html.EscapeString(r.FormValue("body")))
}

// events answers with a stream, or with nothing while it is down.
func (s *shellSite) events(w http.ResponseWriter, r *http.Request) {
	if !s.streamUp.Load() {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	_, _ = io.WriteString(w, "event: ping\ndata:\n\n")
	w.(http.Flusher).Flush()
	select {
	case <-s.cut:
	case <-r.Context().Done():
	}
}

func (s *shellSite) wizard(ctx context.Context, w http.ResponseWriter, r *http.Request) {
	p, f, problem := s.page(r), someWizard(), ""
	f.Action, f.NextBusy = "/wizard", "Tester …"
	if r.Method == http.MethodPost {
		s.posts.Add(1)
		<-s.release
		if r.FormValue("action") == "save" {
			http.Redirect(w, r, "/gallery", http.StatusSeeOther)
			return
		}
		problem = "Skriv inn konto-SID"
		f.Errors, p.Failed = components.Errors{}.With("sid", problem), true
		w.WriteHeader(http.StatusUnprocessableEntity)
	}
	body := templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		if err := components.TextField(components.Field{Name: "sid", Label: "Konto-SID", Value: r.FormValue("sid"), Problem: problem}).Render(ctx, w); err != nil {
			return err
		}
		return components.SecretField(components.Field{Name: "token", Label: "Token"}).Render(ctx, w)
	})
	_ = Wizard(p, f, body, nil).Render(ctx, w)
}

// windowPage has a reply window of 4:30 by a server whose clock is not the browser's.
func windowPage() templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		_, _ = io.WriteString(w, "<h1>x</h1>")
		return components.ReplyWindow(noon.Add(270*time.Second), noon).Render(ctx, w)
	})
}

// tab is one page of a browser; it collects everything that the page complains about.
type tab struct {
	t    *testing.T
	ctx  context.Context
	base string
	site *shellSite

	mu       sync.Mutex
	expected []string
	found    []string
}

// requireChromium finds the browser; without one the test is skipped, or fails where it is required.
func requireChromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if slices.Contains(strings.Split(os.Getenv("KANAL_TEST_REQUIRE"), ","), "chromium") {
		t.Fatal("chromium is required and not there")
	}
	t.Skip("no chromium on this machine")
	return ""
}

// startBrowser starts one browser; each part of the test has a tab of its own in it.
func startBrowser(t *testing.T) context.Context {
	t.Helper()
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(requireChromium(t)), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	ctx, stop := chromedp.NewExecAllocator(context.Background(), opts...)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx)
	t.Cleanup(stop)
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatal(err)
	}
	return ctx
}

func newTab(t *testing.T, browser context.Context) *tab {
	t.Helper()
	ctx, stop := chromedp.NewContext(browser)
	t.Cleanup(stop)
	site := &shellSite{release: make(chan struct{}), cut: make(chan struct{})}
	server := httptest.NewServer(site)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	b := &tab{t: t, ctx: ctx, base: server.URL, site: site}
	if err := chromedp.Listen(ctx, b.hear); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.complain)
	return b
}

// hear notes exceptions, console errors and reports of the policy.
func (b *tab) hear(ev any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := ev.(type) {
	case *runtime.EventExceptionThrown:
		b.found = append(b.found, fmt.Sprintf("%+v", e.ExceptionDetails))
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError {
			b.found = append(b.found, e.Entry.Text+" "+e.Entry.URL)
		}
	}
}

// expect names a part of a complaint that belongs to the test.
func (b *tab) expect(part string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.expected = append(b.expected, part)
}

func (b *tab) complain() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, f := range b.found {
		if !slices.ContainsFunc(b.expected, func(part string) bool { return strings.Contains(f, part) }) {
			b.t.Errorf("the page complains: %s", f)
		}
	}
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

// open goes to a page and waits until its scripts run.
func (b *tab) open(path string) {
	b.t.Helper()
	b.do(chromedp.Navigate(b.base + path))
	b.wait("document.readyState === 'complete' && typeof htmx === 'object'")
}

func (b *tab) js(script string) {
	b.t.Helper()
	if _, err := chromedp.Run(b.ctx, chromedp.Evaluate[chromedp.Void](script)); err != nil {
		b.t.Fatalf("%s: %v", script, err)
	}
}

// wait polls a condition of the page; after ten seconds the test fails.
func (b *tab) wait(condition string) {
	b.t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		ok, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool]("!!("+condition+")"))
		if err == nil && ok {
			return
		}
		if time.Now().After(deadline) {
			state, _ := chromedp.Run(b.ctx, chromedp.Evaluate[string]("document.title + ' | ' + document.activeElement.outerHTML.slice(0, 200)"))
			b.t.Fatalf("never true: %s (%v) at %s", condition, err, state)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (b *tab) press(keys string) {
	b.t.Helper()
	b.do(chromedp.KeyEvent(keys))
}

// enter presses Enter where a script acts on it: a synthetic key would also write its character.
func (b *tab) enter() {
	b.t.Helper()
	b.js("document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', bubbles: true, cancelable: true}))")
}

const (
	polite = "document.getElementById('live-polite').textContent"
	esc    = "\u001b"
)

// The scripts in a real browser, under the product's policy. Nothing may complain: no exception, no report.
func TestScripts(t *testing.T) {
	browser := startBrowser(t)
	for name, f := range map[string]func(b *tab){
		"fields":               fieldsInTheBrowser,
		"copyWithoutClipboard": copyWithoutClipboard,
		"keys":                 keysInTheBrowser,
		"dialog":               dialogInTheBrowser,
		"wizard":               wizardInTheBrowser,
		"replyWindow":          replyWindowInTheBrowser,
		"unreadAndTheme":       unreadAndThemeInTheBrowser,
		"connectionBanner":     connectionBanner,
		"composerSends":        composerSends,
		"newestStaysInSight":   newestStaysInSight,
		"composerNewline":      composerNewline,
		"outboxIsOnesOwn":      outboxIsOnesOwn,
	} {
		t.Run(name, func(t *testing.T) { f(newTab(t, browser)) })
	}
}

func fieldsInTheBrowser(b *tab) {
	b.open("/gallery")

	b.js("document.querySelector('[data-copy=g-url]').click()")
	b.wait("['Kopiert', 'Trykk Ctrl+C'].includes(document.querySelector('[data-copy=g-url] span').textContent)")
	b.wait("['Kopiert', 'Trykk Ctrl+C'].includes(" + polite + ")")

	b.js("document.querySelector('[data-reveal=g-token]').click()")
	b.wait("document.getElementById('g-token').type === 'text' && document.querySelector('[data-reveal=g-token]').ariaPressed === 'true'")

	b.js("document.querySelector('[data-secret] summary').click()")
	b.wait("document.activeElement.id === 'g-saved'")
	b.js("document.activeElement.value = 'typed'; document.querySelector('[data-secret] summary').click()")
	b.wait("document.getElementById('g-saved').value === ''")

	b.js("document.getElementById('g-files').click()")
	b.wait("document.getElementById('g-who').hidden")
	b.js("document.getElementById('g-files').click()")
	b.wait("!document.getElementById('g-who').hidden")
}

// Without the clipboard the text is selected and the keys are named.
func copyWithoutClipboard(b *tab) {
	b.open("/gallery")
	b.js("Object.defineProperty(navigator, 'clipboard', {value: undefined}); document.querySelector('[data-copy=g-url]').click()")
	b.wait("document.querySelector('[data-copy=g-url] span').textContent === 'Trykk Ctrl+C'")
	b.wait("document.activeElement.id === 'g-url' && document.activeElement.selectionEnd > 10")
}

func keysInTheBrowser(b *tab) {
	b.open("/gallery")
	b.js("document.activeElement.blur()")
	b.press("?")
	b.wait("document.getElementById('keys').open")
	b.press(esc)
	b.wait("!document.getElementById('keys').open")
	b.js("document.getElementById('g-name').focus()")
	b.press("?")
	b.wait("document.getElementById('g-name').value.includes('?') && !document.getElementById('keys').open")
	b.js("document.activeElement.blur()")
	b.press("g")
	b.press("a")
	b.wait("location.pathname === '/admin'")

	b.open("/gallery?nokeys")
	b.js("document.activeElement.blur()")
	b.press("?")
	b.press("g")
	b.press("a")
	b.wait("!document.getElementById('keys').open && location.pathname === '/gallery'")
}

func dialogInTheBrowser(b *tab) {
	b.open("/gallery")
	b.js("const a = document.querySelector('[hx-get=\"/admin/components/dialog\"]'); a.id = 'opener'; a.focus(); a.click()")
	b.wait("document.getElementById('dialog').open && document.activeElement.id === 'g-dialog-name'")
	b.press(esc)
	b.wait("!document.getElementById('dialog').open && document.activeElement.id === 'opener'")
	b.wait("document.getElementById('dialog-body').children.length === 0")
	b.js("document.getElementById('opener').click()")
	b.wait("document.getElementById('dialog').open")
	b.js("document.querySelector('#dialog [data-close]').click()")
	b.wait("!document.getElementById('dialog').open && location.pathname === '/gallery'")
}

func wizardInTheBrowser(b *tab) {
	b.expect("422")
	b.open("/wizard")
	b.wait("document.activeElement.tagName === 'H1'")
	b.js("document.getElementById('token').value = 's3cret'; document.getElementById('sid').value = 'SK1'; document.getElementById('sid').focus()")
	b.press("\r")
	b.wait("document.querySelector('.wiz__foot .is-busy span').textContent === 'Tester …'")
	b.press("\r")
	b.js("document.querySelector('.wiz__foot .btn--p').click()")
	close(b.site.release)
	b.wait("document.activeElement.id === 'errsum' && document.title === '(3) Feil: Kari Nordli – Kanal'")
	b.wait("document.getElementById('sid').value === 'SK1' && document.getElementById('token').value === ''")
	b.wait("!document.querySelector('.is-busy')")
	if n := b.site.posts.Load(); n != 1 {
		b.t.Errorf("%d posts", n)
	}
	b.js("document.querySelector('.wiz__save').click()")
	b.wait("location.pathname === '/gallery' && document.querySelector('h1').textContent === 'Komponenter' && document.querySelector('.anav')")
}

// The window counts by the server's clock, in seconds when few minutes are left.
func replyWindowInTheBrowser(b *tab) {
	b.open("/window")
	b.wait("/^4:(29|28)$/.test(document.querySelector('#win b').textContent)")
	b.wait("document.querySelector('#win .wl').textContent === 'Lukkes om' && document.getElementById('win').classList.contains('win--e')")
	b.wait("/^4:2[5-7]$/.test(document.querySelector('#win b').textContent)")
}

func unreadAndThemeInTheBrowser(b *tab) {
	b.open("/gallery")
	b.js("htmx.ajax('GET', '/unread', {target: document.body, swap: 'none'})")
	b.wait("document.title === 'Kari Nordli – Kanal' && !document.querySelector('.rail .badge')")
	b.wait("document.getElementById('favicon').href.endsWith('favicon.svg')")
}

func connectionBanner(b *tab) {
	b.expect("503")
	b.site.streamUp.Store(true)
	b.open("/live")
	b.wait("document.getElementById('conn').hidden")
	b.site.streamUp.Store(false)
	close(b.site.cut)
	b.wait("!document.getElementById('conn').hidden && " + polite + " === 'Mistet forbindelsen.'")
	b.wait(fmt.Sprintf("/^%s$/.test(document.querySelector('[data-live-in]').textContent)", `Prøver igjen om \d+ s\.`))
	b.site.cut = make(chan struct{})
	b.site.streamUp.Store(true)
	b.js("document.querySelector('[data-live-retry]').click()")
	b.wait("document.getElementById('conn').hidden && " + polite + " === 'Tilkoblet igjen.'")
}

const sent = "[...document.querySelectorAll('#msgs .msg--out[data-seq] .bub__t')].map(x => x.textContent).join('|')"

func composerSends(b *tab) {
	b.open("/inbox/7")
	b.js("document.getElementById('body').focus()")
	b.press("<b>Hei</b>")
	b.wait("document.querySelector('[data-count]').textContent === '10'")
	b.enter()
	b.wait(sent + " === '<b>Hei</b>'")
	b.wait("document.activeElement.id === 'body' && document.querySelector('[data-count]').textContent === '0'")
	b.js("const t = document.getElementById('body'); t.value = 'x'.repeat(1510); t.dispatchEvent(new Event('input', {bubbles: true}))")
	b.wait(polite + " === '90 tegn igjen'")
}

// A banner takes room from above; the newest message stays in sight.
func newestStaysInSight(b *tab) {
	b.open("/inbox/7")
	b.js("document.getElementById('msgs').insertAdjacentHTML('beforeend', '<li class=\"msg\">x</li>'.repeat(100)); const l = document.getElementById('log'); l.scrollTop = l.scrollHeight")
	b.wait("document.getElementById('log')._bottom")
	b.js("document.documentElement.insertAdjacentHTML('beforeend', '<section id=\"conn\" class=\"conn\"></section>')")
	b.wait("getComputedStyle(document.documentElement).getPropertyValue('--conn') !== ''")
	b.wait("(l => l.scrollHeight - l.scrollTop - l.clientHeight < 2)(document.getElementById('log'))")
}

// Who has chosen so writes lines with Enter and sends with Ctrl+Enter.
func composerNewline(b *tab) {
	b.open("/inbox/7?newline")
	b.js("document.getElementById('body').focus()")
	b.press("a")
	b.press("\r")
	b.press("b")
	b.wait("document.getElementById('body').value === 'a\\nb'")
	b.do(chromedp.KeyEvent("\r", chromedp.KeyModifiers(kb.ModifierCtrl)))
	b.wait(sent + " === 'a\\nb'")
}

// What waits for the line is sent after a reload, and never by the next person who signs in.
func outboxIsOnesOwn(b *tab) {
	b.expect("ERR_")
	b.site.down.Store(true)
	b.open("/inbox/7")
	b.js("document.getElementById('body').focus()")
	b.press("mine")
	b.enter()
	b.wait("document.querySelector('#msgs .is-pending .st').textContent === 'Venter på nett'")
	b.open("/inbox/7")
	b.wait("document.querySelector('#msgs .is-pending .bub__t').textContent === 'mine'")
	b.open("/inbox/7?user=8")
	b.site.down.Store(false)
	b.js("document.getElementById('body').focus()")
	b.press("other")
	b.enter()
	b.wait(sent + " === 'other'")
	b.open("/inbox/7")
	b.wait("!document.querySelector('#msgs .msg--out')")
	if n := b.site.posts.Load(); n != 1 {
		b.t.Errorf("%d posts", n)
	}
}

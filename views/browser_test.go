package views

import (
	"context"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/a-h/templ"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"kanal/models"
	"kanal/static"
	"kanal/views/browsertest"
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
	case "/inbox/7/draft", "/inbox/7/seen", "/inbox/list": // the list stays as it is
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
	row.ID = 7
	if r.URL.Query().Has("other") {
		row.ID = 8
	}
	row.State, row.UserID, row.Address, row.OpenedAt = models.Active, &me, "whatsapp:+4740000142", noon
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

// tab is a page of the site in a browser.
type tab struct {
	*browsertest.Tab
	t    *testing.T
	site *shellSite
}

func TestMain(m *testing.M) { browsertest.Main(m) }

func newTab(t *testing.T) *tab {
	t.Helper()
	site := &shellSite{release: make(chan struct{}), cut: make(chan struct{})}
	server := httptest.NewServer(site)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return &tab{Tab: browsertest.Open(t, server.URL), t: t, site: site}
}

const (
	polite = "document.getElementById('live-polite').textContent"
	esc    = "\u001b"
)

// The scripts in a real browser, under the product's policy. Nothing may complain: no exception, no report.
func TestScripts(t *testing.T) {
	for name, f := range map[string]func(b *tab){
		"fields":               fieldsInTheBrowser,
		"copyWithoutClipboard": copyWithoutClipboard,
		"keys":                 keysInTheBrowser,
		"dialog":               dialogInTheBrowser,
		"wizard":               wizardInTheBrowser,
		"replyWindow":          replyWindowInTheBrowser,
		"unreadAndTheme":       unreadAndThemeInTheBrowser,
		"connectionBanner":     connectionBanner,
		"streamFollowsThePage": streamFollowsThePage,
		"composerSends":        composerSends,
		"newestStaysInSight":   newestStaysInSight,
		"composerNewline":      composerNewline,
		"composerKeepsTyping":  composerKeepsTyping,
		"outboxIsOnesOwn":      outboxIsOnesOwn,
	} {
		t.Run(name, func(t *testing.T) { f(newTab(t)) })
	}
}

func fieldsInTheBrowser(b *tab) {
	b.Go("/gallery")

	b.JS("document.querySelector('[data-copy=g-url]').click()")
	b.Wait("['Kopiert', 'Trykk Ctrl+C'].includes(document.querySelector('[data-copy=g-url] span').textContent)")
	b.Wait("['Kopiert', 'Trykk Ctrl+C'].includes(" + polite + ")")

	b.JS("document.querySelector('[data-reveal=g-token]').click()")
	b.Wait("document.getElementById('g-token').type === 'text' && document.querySelector('[data-reveal=g-token]').ariaPressed === 'true'")

	b.JS("document.querySelector('[data-secret] summary').click()")
	b.Wait("document.activeElement.id === 'g-saved'")
	b.JS("document.activeElement.value = 'typed'; document.querySelector('[data-secret] summary').click()")
	b.Wait("document.getElementById('g-saved').value === ''")

	b.JS("document.getElementById('g-files').click()")
	b.Wait("document.getElementById('g-who').hidden")
	b.JS("document.getElementById('g-files').click()")
	b.Wait("!document.getElementById('g-who').hidden")
}

// Without the clipboard the text is selected and the keys are named.
func copyWithoutClipboard(b *tab) {
	b.Go("/gallery")
	b.JS("Object.defineProperty(navigator, 'clipboard', {value: undefined}); document.querySelector('[data-copy=g-url]').click()")
	b.Wait("document.querySelector('[data-copy=g-url] span').textContent === 'Trykk Ctrl+C'")
	b.Wait("document.activeElement.id === 'g-url' && document.activeElement.selectionEnd > 10")
}

func keysInTheBrowser(b *tab) {
	b.Go("/gallery")
	b.JS("document.activeElement.blur()")
	b.Press("?")
	b.Wait("document.getElementById('keys').open")
	b.Press(esc)
	b.Wait("!document.getElementById('keys').open")
	b.JS("document.getElementById('g-name').focus()")
	b.Press("?")
	b.Wait("document.getElementById('g-name').value.includes('?') && !document.getElementById('keys').open")
	b.JS("document.activeElement.blur()")
	b.Press("g")
	b.Press("a")
	b.Wait("location.pathname === '/admin'")

	b.Go("/gallery?nokeys")
	b.JS("document.activeElement.blur()")
	b.Press("?")
	b.Press("g")
	b.Press("a")
	b.Wait("!document.getElementById('keys').open && location.pathname === '/gallery'")
}

func dialogInTheBrowser(b *tab) {
	b.Go("/gallery")
	b.JS("const a = document.querySelector('[hx-get=\"/admin/components/dialog\"]'); a.id = 'opener'; a.focus(); a.click()")
	b.Wait("document.getElementById('dialog').open && document.activeElement.id === 'g-dialog-name'")
	b.Press(esc)
	b.Wait("!document.getElementById('dialog').open && document.activeElement.id === 'opener'")
	b.Wait("document.getElementById('dialog-body').children.length === 0")
	b.JS("document.getElementById('opener').click()")
	b.Wait("document.getElementById('dialog').open")
	b.JS("document.querySelector('#dialog [data-close]').click()")
	b.Wait("!document.getElementById('dialog').open && location.pathname === '/gallery'")
}

func wizardInTheBrowser(b *tab) {
	b.Expect("422")
	b.Go("/wizard")
	b.Wait("document.activeElement.tagName === 'H1'")
	b.JS("document.getElementById('token').value = 's3cret'; document.getElementById('sid').value = 'SK1'; document.getElementById('sid').focus()")
	b.Press("\r")
	b.Wait("document.querySelector('.wiz__foot .is-busy span').textContent === 'Tester …'")
	b.Press("\r")
	b.JS("document.querySelector('.wiz__foot .btn--p').click()")
	close(b.site.release)
	b.Wait("document.activeElement.id === 'errsum' && document.title === '(3) Feil: Kari Nordli – Kanal'")
	b.Wait("document.getElementById('sid').value === 'SK1' && document.getElementById('token').value === ''")
	b.Wait("!document.querySelector('.is-busy')")
	if n := b.site.posts.Load(); n != 1 {
		b.t.Errorf("%d posts", n)
	}
	b.JS("document.querySelector('.wiz__save').click()")
	b.Wait("location.pathname === '/gallery' && document.querySelector('h1').textContent === 'Komponenter' && document.querySelector('.anav')")
}

// The window counts by the server's clock, in seconds when few minutes are left.
func replyWindowInTheBrowser(b *tab) {
	b.Go("/window")
	b.Wait("/^4:(29|28)$/.test(document.querySelector('#win b').textContent)")
	b.Wait("document.querySelector('#win .wl').textContent === 'Lukkes om' && document.getElementById('win').classList.contains('win--e')")
	b.Wait("/^4:2[5-7]$/.test(document.querySelector('#win b').textContent)")
}

func unreadAndThemeInTheBrowser(b *tab) {
	b.Go("/gallery")
	b.JS("htmx.ajax('GET', '/unread', {target: document.body, swap: 'none'})")
	b.Wait("document.title === 'Kari Nordli – Kanal' && !document.querySelector('.rail .badge')")
	b.Wait("document.getElementById('favicon').href.endsWith('favicon.svg')")
}

func connectionBanner(b *tab) {
	b.Expect("503")
	b.site.streamUp.Store(true)
	b.Go("/live")
	b.Wait("document.getElementById('conn').hidden")
	b.site.streamUp.Store(false)
	close(b.site.cut)
	b.Wait("!document.getElementById('conn').hidden && " + polite + " === 'Mistet forbindelsen.'")
	b.Wait(fmt.Sprintf("/^%s$/.test(document.querySelector('[data-live-in]').textContent)", `Prøver igjen om \d+ s\.`))
	b.site.cut = make(chan struct{})
	b.site.streamUp.Store(true)
	b.JS("document.querySelector('[data-live-retry]').click()")
	b.Wait("document.getElementById('conn').hidden && " + polite + " === 'Tilkoblet igjen.'")
}

// A page that arrives by a swap has its stream, and the page after it has none.
func streamFollowsThePage(b *tab) {
	b.site.streamUp.Store(true)
	b.Go("/gallery")
	b.JS("window.ups = 0; document.addEventListener('live:up', () => window.ups++)")
	b.JS("htmx.ajax('GET', '/live', {target: '#app', swap: 'outerHTML', select: '#app'})")
	b.Wait("window.ups === 1 && document.querySelector('#app[data-live-page]')")
	b.JS("htmx.ajax('GET', '/gallery', {target: '#app', swap: 'outerHTML', select: '#app'})")
	b.Wait("!document.querySelector('#app[data-live-page]')")
	b.site.streamUp.Store(false)
	close(b.site.cut)
	b.JS("window.dispatchEvent(new Event('online'))")
	b.Settle()
	b.Wait("document.getElementById('conn').hidden && window.ups === 1")
	b.site.cut = make(chan struct{})
	b.site.streamUp.Store(true)
	b.JS("htmx.ajax('GET', '/live', {target: '#app', swap: 'outerHTML', select: '#app'})")
	b.Wait("window.ups === 2")
}

const sent = "[...document.querySelectorAll('#msgs .msg--out[data-seq] .bub__t')].map(x => x.textContent).join('|')"

func composerSends(b *tab) {
	b.Go("/inbox/7")
	b.JS("document.getElementById('body').focus()")
	b.Press("<b>Hei</b>")
	b.Wait("document.querySelector('[data-count]').textContent === '10'")
	b.Enter()
	b.Wait(sent + " === '<b>Hei</b>'")
	b.Wait("document.activeElement.id === 'body' && document.querySelector('[data-count]').textContent === '0'")
	b.JS("const t = document.getElementById('body'); t.value = 'x'.repeat(1510); t.dispatchEvent(new Event('input', {bubbles: true}))")
	b.Wait(polite + " === '90 tegn igjen'")
}

// A banner takes room from above; the newest message stays in sight.
func newestStaysInSight(b *tab) {
	b.Go("/inbox/7")
	b.JS("document.getElementById('msgs').insertAdjacentHTML('beforeend', '<li class=\"msg\">x</li>'.repeat(100)); const l = document.getElementById('log'); l.scrollTop = l.scrollHeight")
	b.Wait("document.getElementById('log')._bottom")
	b.JS("document.documentElement.insertAdjacentHTML('beforeend', '<section id=\"conn\" class=\"conn\"></section>')")
	b.Wait("getComputedStyle(document.documentElement).getPropertyValue('--conn') !== ''")
	b.Wait("(l => l.scrollHeight - l.scrollTop - l.clientHeight < 2)(document.getElementById('log'))")
}

// What is being typed stays when the same conversation arrives once more, as after "Assign to me"; another one gets nothing.
func composerKeepsTyping(b *tab) {
	b.Go("/inbox/7")
	b.JS("document.getElementById('body').focus()")
	b.Press("half a sent")
	b.JS("document.getElementById('body').setSelectionRange(4, 4); htmx.ajax('GET', '/inbox/7', {target: '#thread', swap: 'innerHTML', select: '#thread > *'}); window.old = document.getElementById('body')")
	b.Wait("document.getElementById('body') !== window.old && document.getElementById('body').value === 'half a sent'")
	b.Wait("document.activeElement.id === 'body' && document.activeElement.selectionStart === 4")
	b.JS("htmx.ajax('GET', '/inbox/7?other', {target: '#thread', swap: 'innerHTML', select: '#thread > *'})")
	b.Wait("document.querySelector('form[data-composer]').dataset.composer === '8' && document.getElementById('body').value === ''")
}

// Who has chosen so writes lines with Enter and sends with Ctrl+Enter.
func composerNewline(b *tab) {
	b.Go("/inbox/7?newline")
	b.JS("document.getElementById('body').focus()")
	b.Press("a")
	b.Press("\r")
	b.Press("b")
	b.Wait("document.getElementById('body').value === 'a\\nb'")
	b.Do(chromedp.KeyEvent("\r", chromedp.KeyModifiers(kb.ModifierCtrl)))
	b.Wait(sent + " === 'a\\nb'")
}

// What waits for the line is sent after a reload, and never by the next person who signs in.
func outboxIsOnesOwn(b *tab) {
	b.Expect("ERR_")
	b.site.down.Store(true)
	b.Go("/inbox/7")
	b.JS("document.getElementById('body').focus()")
	b.Press("mine")
	b.Enter()
	b.Wait("document.querySelector('#msgs .is-pending .st').textContent === 'Venter på nett'")
	b.Go("/inbox/7")
	b.Wait("document.querySelector('#msgs .is-pending .bub__t').textContent === 'mine'")
	b.Go("/inbox/7?user=8")
	b.site.down.Store(false)
	b.JS("document.getElementById('body').focus()")
	b.Press("other")
	b.Enter()
	b.Wait(sent + " === 'other'")
	b.Go("/inbox/7")
	b.Wait("!document.querySelector('#msgs .msg--out')")
	if n := b.site.posts.Load(); n != 1 {
		b.t.Errorf("%d posts", n)
	}
}

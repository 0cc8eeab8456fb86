package web

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"sync/atomic"

	"github.com/chromedp/cdproto/input"
	cdpnetwork "github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"kanal/models"
	"kanal/store"
	"kanal/views/browsertest"
)

// seat is the tab of one person among several: with a profile of its own, and as seen and focused as the only tab is.
type seat struct{ *tab }

// sit opens a tab in a profile of its own; base is the line to the center.
func (d *team) sit(base string) *seat {
	d.t.Helper()
	return &seat{d.newTab(browsertest.Browser(d.t), base)}
}

func (b *seat) cookie(name, value string) {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, cdpnetwork.SetCookie, cdpnetwork.SetCookieParams{Name: name, Value: value, URL: b.url}); err != nil {
		b.t.Fatal(err)
	}
}

// see waits for a text in what can be seen.
func (b *seat) see(text string) {
	b.t.Helper()
	b.wait("document.body.innerText.includes(" + strconv.Quote(text) + ")")
}

func (b *seat) focus(selector string) {
	b.t.Helper()
	b.wait("document.querySelector(" + strconv.Quote(selector) + ")")
	b.js("document.querySelector(" + strconv.Quote(selector) + ").focus()")
}

func (b *seat) focused(selector string) {
	b.t.Helper()
	b.wait("document.activeElement?.matches(" + strconv.Quote(selector) + ")")
}

// click waits for an element that can be seen and clicks on it.
func (b *seat) click(selector string) {
	b.t.Helper()
	find := "[...document.querySelectorAll(" + strconv.Quote(selector) + ")].find(e => e.checkVisibility())"
	b.wait(find)
	b.js(find + ".click()")
}

// send presses Enter as a key without a character: where a script takes it, no line break is written.
func (b *seat) send() {
	b.t.Helper()
	for _, kind := range []input.DispatchKeyEventType{"rawKeyDown", "keyUp"} {
		_, err := chromedp.Call(b.ctx, input.DispatchKeyEvent, input.DispatchKeyEventParams{
			Type: kind, Key: "Enter", Code: "Enter", WindowsVirtualKeyCode: 13, NativeVirtualKeyCode: 13,
		})
		if err != nil {
			b.t.Fatal(err)
		}
	}
}

// narrow holds that the page does not scroll sideways at 320 pixels.
func (b *seat) narrow() {
	b.t.Helper()
	b.size(320, 700)
	b.wait("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
}

// at opens a tab in which a user is signed in, in the language of the team.
func (d *team) at(u models.User, path string) *seat {
	d.t.Helper()
	return d.atOver(d.url, u, path)
}

// atOver is at, over another line.
func (d *team) atOver(base string, u models.User, path string) *seat {
	d.t.Helper()
	b := d.sit(base)
	b.cookie(sessionCookie, d.token(u))
	b.cookie(languageCookie, string(d.lang))
	b.open(path)
	return b
}

// token signs a user in and gives the cookie's value.
func (d *team) token(u models.User) string {
	d.t.Helper()
	to, err := url.Parse(d.url)
	d.must(err)
	for _, c := range d.signedIn(u).client.Jar.Cookies(to) {
		if c.Name == sessionCookie {
			return c.Value
		}
	}
	d.t.Fatal("not signed in")
	return ""
}

// line is the line between a browser and the center, which a test can cut.
type line struct {
	*httptest.Server
	cut atomic.Bool
}

// over opens the line.
func (d *team) over() *line {
	d.t.Helper()
	to, err := url.Parse(d.url)
	d.must(err)
	l, proxy := &line{}, httputil.NewSingleHostReverseProxy(to)
	proxy.ErrorLog = log.New(io.Discard, "", 0)
	l.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if l.cut.Load() {
			panic(http.ErrAbortHandler)
		}
		proxy.ServeHTTP(w, r)
	}))
	d.t.Cleanup(func() { l.CloseClientConnections(); l.Close() })
	return l
}

func (l *line) set(up bool) {
	l.cut.Store(!up)
	if !up {
		l.CloseClientConnections()
	}
}

// endSessions signs a user out everywhere.
func (d *team) endSessions(u models.User) {
	d.t.Helper()
	d.must(d.store.InTx(d.t.Context(), func(tx *store.Tx) error { return tx.EndLoginSessions(d.t.Context(), u.ID, "") }))
}

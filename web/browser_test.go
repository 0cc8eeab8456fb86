package web

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"kanal/models"
)

// tab is one page of a real browser in which a user is signed in. Whatever the page complains about, an exception, an
// error on the console or a report of the policy, fails the test.
type tab struct {
	t   *testing.T
	ctx context.Context
	url string

	mu       sync.Mutex
	expected []string
	found    []string
}

// newTab opens a tab in a profile of its own, seen and focused as the only tab is.
func (s *site) newTab(browser context.Context, base string) *tab {
	s.t.Helper()
	ctx, stop := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	s.t.Cleanup(stop)
	b := &tab{t: s.t, ctx: ctx, url: base}
	if err := chromedp.Listen(ctx, b.hear); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(b.complain)
	if _, err := chromedp.Call(ctx, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}); err != nil {
		s.t.Fatal(err)
	}
	b.size(1440, 900)
	return b
}

// tab opens a tab in which the user has signed in by the form.
func (s *site) tab(browser context.Context, u models.User) *tab {
	s.t.Helper()
	b := s.newTab(browser, s.url)
	b.open("/login?next=%2Fme")
	b.js("document.getElementById('email').value = " + strconv.Quote(u.Email) + "; document.getElementById('password').value = " + strconv.Quote(testPassword))
	b.js("document.getElementById('login').requestSubmit()")
	b.wait("location.pathname !== '/login' && typeof htmx === 'object'")
	return b
}

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

// expect names a part of a complaint that belongs to the test, such as the browser's own about a status of 422.
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
	b.do(chromedp.Navigate(b.url + path))
	b.wait("document.readyState === 'complete' && typeof htmx === 'object'")
}

func (b *tab) js(script string) {
	b.t.Helper()
	if _, err := chromedp.Run(b.ctx, chromedp.Evaluate[chromedp.Void](script)); err != nil {
		b.t.Fatalf("%s: %v", script, err)
	}
}

// patience is how long a test waits for what must come: much longer than it takes on a machine that has other work, too.
const patience = 30 * time.Second

// settled tells that nothing is just being put into the page: what is has no handlers yet, a click on it is a plain link's.
const settled = "!document.querySelector('.htmx-added, .htmx-settling, .htmx-swapping')"

// wait polls a condition of the page until it is true and the page has settled.
func (b *tab) wait(condition string) {
	b.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		ok, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](settled+" && !!("+condition+")"))
		if err == nil && ok {
			return
		}
		if time.Now().After(deadline) {
			state, _ := chromedp.Run(b.ctx, chromedp.Evaluate[string]("location.pathname + ' | ' + document.title + ' | ' + document.activeElement.outerHTML.slice(0, 200)"))
			b.t.Fatalf("never true: %s (%v) at %s", condition, err, state)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// at waits until the address is a path and its page has the focus in a title or a summary of problems.
func (b *tab) at(path string) {
	b.t.Helper()
	b.wait("location.pathname === " + strconv.Quote(path) + " && !document.querySelector('.htmx-request')")
}

// says waits until the page holds a text.
func (b *tab) says(text string) {
	b.t.Helper()
	b.wait("document.querySelector('#app').innerText.includes(" + strconv.Quote(text) + ")")
}

// press types keys, one after the other, where the focus is.
func (b *tab) press(keys string) {
	b.t.Helper()
	b.do(chromedp.KeyEvent(keys))
}

// enter presses Enter where the focus is. A link acts on the key going down and moves the focus: the character that
// follows from a keyboard is swallowed then, and one that is made here must not reach what has the focus now.
func (b *tab) enter() {
	b.t.Helper()
	link, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool]("document.activeElement.matches('a, summary')"))
	if err != nil {
		b.t.Fatal(err)
	}
	b.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		for _, k := range kb.Encode('\r') {
			if link && k.Type == kb.KeyChar {
				continue
			}
			if _, err := cdp.Call(ctx, t, input.DispatchKeyEvent, *k); err != nil {
				return err
			}
		}
		return nil
	}))
}

// tabTo presses Tab until a selector has the focus: as a person does who has no mouse.
func (b *tab) tabTo(selector string) {
	b.t.Helper()
	for range 120 {
		there, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool]("!!document.activeElement?.matches("+strconv.Quote(selector)+")"))
		if err != nil {
			b.t.Fatal(err)
		}
		if there {
			return
		}
		b.press(kb.Tab)
	}
	b.t.Fatalf("Tab never comes to %s", selector)
}

// size sets the size of the page; up to 48 rem it is a phone.
func (b *tab) size(width, height int64) {
	b.t.Helper()
	b.do(chromedp.EmulateViewport(width, height))
}

// picture writes what the page looks like into the folder that KANAL_TEST_PICTURES names, in both themes; without one
// it does nothing.
func (b *tab) picture(name string) {
	b.t.Helper()
	dir := os.Getenv("KANAL_TEST_PICTURES")
	if dir == "" {
		return
	}
	for _, theme := range []string{"light", "dark"} {
		b.js("document.documentElement.dataset.theme = '" + theme + "'")
		b.wait("!document.getAnimations().some(a => a instanceof CSSTransition)")
		png, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
		if err != nil {
			b.t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name+"-"+theme+".png"), png, 0o600); err != nil {
			b.t.Fatal(err)
		}
	}
}

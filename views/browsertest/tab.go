package browsertest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience is how long a tab waits for a page to become what the test wants.
const patience = 30 * time.Second

// Tab is one page of the browser. Its methods fail the test.
type Tab struct {
	t    testing.TB
	ctx  context.Context //nolint:containedctx // the handle of the tab is a context
	base string

	mu       sync.Mutex
	expected []string
	found    []string
}

// Open opens a tab in a profile of its own; base is the origin of the pages.
func Open(t testing.TB, base string) *Tab {
	t.Helper()
	return newTab(Browser(t), t, base, chromedp.WithNewBrowserContext())
}

// Another opens a second tab in the same profile: who is signed in here is signed in there.
func (b *Tab) Another() *Tab {
	b.t.Helper()
	return newTab(b.ctx, b.t, b.base)
}

func newTab(parent context.Context, t testing.TB, base string, opts ...chromedp.ContextOption) *Tab {
	t.Helper()
	ctx, stop := chromedp.NewContext(parent, opts...)
	t.Cleanup(stop)
	b := &Tab{t: t, ctx: ctx, base: base}
	if err := chromedp.Listen(ctx, b.hear); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.complain)
	// A tab behind another one counts as seen and focused, as the only tab of a person is. Colours do not fade.
	b.call(chromedp.Call(ctx, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}))
	b.call(chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-reduced-motion", Value: "reduce"}},
	}))
	b.Desktop()
	return b
}

// In lets the tab fail another test from now on, such as a part of the one that opened it, and forgets what was expected.
func (b *Tab) In(t testing.TB) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.t, b.expected = t, nil
}

// call fails the test when the browser refuses.
func (b *Tab) call(_ any, err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// hear notes exceptions, console errors and reports of the policy.
func (b *Tab) hear(ev any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := ev.(type) {
	case *runtime.EventExceptionThrown:
		b.found = append(b.found, fmt.Sprintf("exception: %s %+v", e.ExceptionDetails.Text, e.ExceptionDetails.Exception))
	case *runtime.EventConsoleAPICalled:
		if e.Type == "error" || e.Type == "assert" {
			b.found = append(b.found, "console: "+spoken(e.Args))
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError {
			b.found = append(b.found, e.Entry.Text+" "+e.Entry.URL)
		}
	}
}

func spoken(args []*runtime.RemoteObject) string {
	words := make([]string, len(args))
	for i, a := range args {
		words[i] = strings.TrimSpace(string(a.Value) + " " + a.Description)
	}
	return strings.Join(words, " ")
}

// Expect names a part of a complaint that belongs to the test, such as the status of a refused form.
func (b *Tab) Expect(part string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.expected = append(b.expected, part)
}

// Complaints gives what the page complained about so far, without what the test expects, and forgets it.
func (b *Tab) Complaints() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	found := slices.DeleteFunc(b.found, func(f string) bool {
		return slices.ContainsFunc(b.expected, func(part string) bool { return strings.Contains(f, part) })
	})
	b.found = nil
	return found
}

func (b *Tab) complain() {
	for _, f := range b.Complaints() {
		b.t.Errorf("the page complains: %s", f)
	}
}

// Desktop makes the window 1440 by 900.
func (b *Tab) Desktop() {
	b.t.Helper()
	b.Do(chromedp.EmulateViewport(1440, 900))
}

// Phone makes it a phone's screen, 390 by 844, with touch.
func (b *Tab) Phone() {
	b.t.Helper()
	b.Do(chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile, chromedp.EmulateTouch))
}

// Narrow makes it 320 wide, the narrowest that a page must bear.
func (b *Tab) Narrow() {
	b.t.Helper()
	b.Do(chromedp.EmulateViewport(320, 700))
}

// Dark turns the page that is open to the dark theme.
func (b *Tab) Dark() {
	b.t.Helper()
	b.JS("document.documentElement.dataset.theme = 'dark'")
}

// Cookie sets a cookie for the pages: lang and theme are what a visitor may choose.
func (b *Tab) Cookie(name, value string) {
	b.t.Helper()
	b.call(chromedp.Call(b.ctx, network.SetCookie, network.SetCookieParams{Name: name, Value: value, URL: b.base}))
}

// Do runs steps of the browser's own.
func (b *Tab) Do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

// Go goes to a page and waits until its scripts run.
func (b *Tab) Go(path string) {
	b.t.Helper()
	b.Do(chromedp.Navigate(b.base + path))
	b.Ready()
}

// Ready waits until the page that is being loaded runs its scripts.
func (b *Tab) Ready() {
	b.t.Helper()
	b.Wait("document.readyState === 'complete' && typeof htmx === 'object'")
}

// Settle waits until nothing is being fetched for the page.
func (b *Tab) Settle() {
	b.t.Helper()
	b.Wait("![...document.querySelectorAll('[aria-busy=true]')].some(e => e._busy) && !document.querySelector('.htmx-request')")
}

// JS runs a script.
func (b *Tab) JS(script string) {
	b.t.Helper()
	if _, err := chromedp.Run(b.ctx, chromedp.Evaluate[chromedp.Void](script)); err != nil {
		b.t.Fatalf("%s: %v", script, err)
	}
}

// Text gives what a script gives, a string.
func (b *Tab) Text(script string) string {
	b.t.Helper()
	s, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](script))
	if err != nil {
		b.t.Fatalf("%s: %v", script, err)
	}
	return s
}

// settled tells that nothing is just being put into the page: what is has no handlers yet, a click on it is a plain link's.
const settled = "!document.querySelector('.htmx-added, .htmx-settling, .htmx-swapping')"

// Wait asks for a condition until it is true and the page has settled.
func (b *Tab) Wait(condition string) {
	b.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		ok, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](settled+" && !!("+condition+")"))
		if err == nil && ok {
			return
		}
		if time.Now().After(deadline) || b.ctx.Err() != nil {
			b.t.Fatalf("never true: %s (%v)\n%s", condition, err, b.where())
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// where describes the page, for a test that fails.
func (b *Tab) where() string {
	state, _ := chromedp.Run(b.ctx, chromedp.Evaluate[string](
		"location.href + ' | ' + document.title + '\\nfocus: ' + document.activeElement?.outerHTML.slice(0, 200) + '\\n' + (document.getElementById('main') ?? document.body).innerText.slice(0, 1500)"))
	if dir := os.Getenv("KANAL_TEST_SCREENSHOTS"); dir != "" {
		b.Screenshot(dir + "/" + strings.NewReplacer("/", "_", " ", "_").Replace(b.t.Name()) + "-failed.png")
	}
	return state
}

// See waits for a text on the page, as it is written, anywhere in what can be seen.
func (b *Tab) See(text string) {
	b.t.Helper()
	b.Wait("document.body.innerText.includes(" + quote(text) + ")")
}

func quote(s string) string {
	q, _ := json.Marshal(s) // a string can always be written so
	return string(q)
}

// At waits until the page has this path.
func (b *Tab) At(path string) {
	b.t.Helper()
	b.Wait("location.pathname === " + quote(path))
	b.Ready()
}

// Focus waits until an element is there and focuses it.
func (b *Tab) Focus(selector string) {
	b.t.Helper()
	b.Wait("document.querySelector(" + quote(selector) + ")")
	b.JS("document.querySelector(" + quote(selector) + ").focus()")
}

// Focused waits until an element that fits has the focus.
func (b *Tab) Focused(selector string) {
	b.t.Helper()
	b.Wait("document.activeElement?.matches(" + quote(selector) + ")")
}

// Fill waits for a field and types into it, over what was there.
func (b *Tab) Fill(selector, value string) {
	b.t.Helper()
	b.Focus(selector)
	b.JS("document.activeElement.select?.()")
	if value == "" {
		b.Press("\b")
		return
	}
	b.Press(value)
}

// Click waits for an element that can be seen and clicks on it.
func (b *Tab) Click(selector string) {
	b.t.Helper()
	b.Wait("[...document.querySelectorAll(" + quote(selector) + ")].some(e => e.checkVisibility())")
	b.JS("[...document.querySelectorAll(" + quote(selector) + ")].find(e => e.checkVisibility()).click()")
}

// ClickText waits for a button or link with these words and clicks on it.
func (b *Tab) ClickText(words string) {
	b.t.Helper()
	find := "[...document.querySelectorAll('button,a,summary,label')].find(e => e.checkVisibility() && e.innerText.trim() === " + quote(words) + ")"
	b.Wait(find)
	b.JS(find + ".click()")
}

// Press presses keys, one after the other.
func (b *Tab) Press(keys string) {
	b.t.Helper()
	b.Do(chromedp.KeyEvent(keys))
}

// Enter presses Enter as a keyboard does: its character is written only where no script and no link has taken the key.
func (b *Tab) Enter() {
	b.t.Helper()
	key := input.DispatchKeyEventParams{Type: "keyDown", Text: "\r", Key: "Enter", Code: "Enter", WindowsVirtualKeyCode: 13, NativeVirtualKeyCode: 13}
	b.call(chromedp.Call(b.ctx, input.DispatchKeyEvent, key))
	key.Type, key.Text = "keyUp", ""
	b.call(chromedp.Call(b.ctx, input.DispatchKeyEvent, key))
}

// Tab presses the tabulator until an element that fits has the focus. It gives up after a hundred.
func (b *Tab) Tab(selector string) {
	b.t.Helper()
	for range 100 {
		b.Press("\t")
		here, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool]("!!document.activeElement?.matches("+quote(selector)+")"))
		if err != nil {
			b.t.Fatal(err)
		}
		if here {
			return
		}
	}
	b.t.Fatalf("the keyboard does not reach %s\n%s", selector, b.where())
}

// Screenshot writes what the window shows.
func (b *Tab) Screenshot(file string) {
	png, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.WriteFile(file, png, 0o600) //nolint:gosec // the test names the file
	}
	if err != nil {
		b.t.Log(err)
	}
}

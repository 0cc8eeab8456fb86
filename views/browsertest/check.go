package browsertest

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/chromedp/chromedp"
)

// axe is axe-core, which finds what keeps people with disabilities out.
//
//go:embed axe.min.js
var axe string

// What is looked at: everything, or only the rules that ask for colours. The others find the same in every theme.
const (
	allRules   = `['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']`
	colorRules = `['color-contrast', 'link-in-text-block']`
)

// runAxe gives each violation in words, with the places.
const runAxe = `axe.run(document, {runOnly: RULES, resultTypes: ['violations']})
	.then(r => r.violations.map(v => v.id + ': ' + v.help + v.nodes.map(n => '\n    ' + n.target.join(' ') + '\n      ' + n.html.slice(0, 200) + '\n      ' + n.failureSummary.replace(/\s*\n\s*/g, '; ')).join('')))`

// Axe gives the violations of WCAG 2.2 AA and of good practice on the page. It is put in by the debugger, past the policy.
func (b *Tab) Axe() []string {
	b.t.Helper()
	return b.violations(allRules)
}

func (b *Tab) violations(rules string) []string {
	b.t.Helper()
	found := b.axe(rules)
	if len(found) > 0 { // a part that was being fetched meanwhile is dimmed
		b.Settle()
		found = b.axe(rules)
	}
	return found
}

func (b *Tab) axe(rules string) []string {
	b.t.Helper()
	b.JS("typeof axe === 'undefined' && (() => {" + axe + "\n})()")
	found, err := chromedp.Run(b.ctx, chromedp.Evaluate[[]string](strings.Replace(runAxe, "RULES", rules, 1), chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatal(err)
	}
	return found
}

// inlineCode lists what the policy refuses: attributes of style and script, and scripts without an address.
const inlineCode = `[...document.querySelectorAll('*')].flatMap(e => [
	...(e.localName === 'style' || e.localName === 'script' && !e.src ? ['inline ' + e.localName] : []),
	...[...e.attributes].filter(a => a.name.startsWith('on') || a.name.startsWith('hx-on') || /^\s*(javascript|js):/i.test(a.value)).map(a => 'script in ' + a.name + ' of ' + e.outerHTML.slice(0, 120)),
])`

// InlineCode gives the inline scripts and styles in the page as it stands now.
func (b *Tab) InlineCode() []string {
	b.t.Helper()
	found, err := chromedp.Run(b.ctx, chromedp.Evaluate[[]string](inlineCode))
	if err != nil {
		b.t.Fatal(err)
	}
	return found
}

// overflow names what is wider than the window: the elements themselves, not those around them. What scrolls within
// itself may be wider.
const overflow = `(() => {
	const width = document.documentElement.clientWidth;
	if (document.documentElement.scrollWidth <= width && document.body.scrollWidth <= width) return [];
	const out = [...document.body.querySelectorAll('*')].filter(e => e.checkVisibility() && e.getBoundingClientRect().right > width + 1);
	return ['wider than the window by ' + (Math.max(document.documentElement.scrollWidth, document.body.scrollWidth) - width)]
		.concat(out.filter(e => ![...e.children].some(c => out.includes(c))).slice(0, 5).map(e => e.outerHTML.slice(0, 160)));
})()`

// Overflow tells what makes the page scroll sideways; nothing when it does not.
func (b *Tab) Overflow() []string {
	b.t.Helper()
	found, err := chromedp.Run(b.ctx, chromedp.Evaluate[[]string](overflow))
	if err != nil {
		b.t.Fatal(err)
	}
	return found
}

// unseenFocus goes through everything that can be focused and lists what does not show it.
const unseenFocus = `(() => {
	const list = [...document.querySelectorAll('a[href],button,input,select,textarea,summary,[tabindex="0"]')]
		.filter(e => !e.disabled && e.tabIndex >= 0 && e.type !== 'hidden' && e.checkVisibility({visibilityProperty: true}) && !e.closest('[inert]'));
	const before = document.activeElement, bad = [];
	for (const e of list) {
		e.focus({focusVisible: true, preventScroll: true});
		if (document.activeElement !== e) continue;
		const marked = x => ['', '::after'].some(part => { const s = getComputedStyle(x, part); return s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2 || s.boxShadow !== 'none' });
		const near = [e, e.parentElement, e.parentElement?.parentElement, e.nextElementSibling].filter(Boolean);
		if (!near.some(marked)) bad.push(e.outerHTML.slice(0, 160));
	}
	before?.focus?.({preventScroll: true});
	return bad;
})()`

// UnseenFocus lists the controls that do not show that they have the focus.
func (b *Tab) UnseenFocus() []string {
	b.t.Helper()
	found, err := chromedp.Run(b.ctx, chromedp.Evaluate[[]string](unseenFocus))
	if err != nil {
		b.t.Fatal(err)
	}
	return found
}

// Check holds the page that is open against what every page must be, and names it by what.
func (b *Tab) Check(what string) {
	b.t.Helper()
	b.Settle()
	b.report(what, map[string][]string{
		"axe": b.Axe(), "inline code": b.InlineCode(), "sideways": b.Overflow(), "focus that cannot be seen": b.UnseenFocus(), "complaint": b.Complaints(),
	})
}

// repaint turns the page to the other theme and back.
const repaint = `(() => {
	const page = document.documentElement, theme = page.dataset.theme;
	page.dataset.theme = theme === 'dark' ? 'light' : 'dark';
	void page.offsetHeight;
	page.dataset.theme = theme;
})()`

// CheckColors holds the page that is open against what its colours must be, in the theme that it has now.
func (b *Tab) CheckColors(what string) {
	b.t.Helper()
	found := b.violations(colorRules)
	if len(found) > 0 { // Chromium has left some parts of a long page in the colours of the other theme: what is wrong stays wrong
		b.JS(repaint)
		found = b.axe(colorRules)
	}
	b.report(what, map[string][]string{
		"axe": found, "focus that cannot be seen": b.UnseenFocus(), "complaint": b.Complaints(),
	})
}

func (b *Tab) report(what string, all map[string][]string) {
	b.t.Helper()
	for name, found := range all {
		if len(found) > 0 {
			b.t.Errorf("%s: %s:\n  %s", what, name, strings.Join(found, "\n  "))
		}
	}
}

// CheckNarrow holds that the page does not scroll sideways at 320 pixels, and puts the window back.
func (b *Tab) CheckNarrow(what string) {
	b.t.Helper()
	b.Narrow()
	defer b.Desktop()
	if found := b.Overflow(); len(found) > 0 {
		b.t.Errorf("%s: at 320 pixels: %s", what, fmt.Sprint(strings.Join(found, "\n  ")))
	}
}

// Package viewtest checks what every rendered page must hold: nothing that the content security policy refuses, no id
// twice, every reference to an id answered, every field named. Tests of pages use it.
package viewtest

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"
	"golang.org/x/net/html"

	"kanal/static"
	"kanal/views/i18n"
)

// Context gives a context in a language, in Oslo's time.
func Context(lang i18n.Lang) context.Context {
	zone, err := time.LoadLocation("Europe/Oslo")
	if err != nil {
		panic(err) // the zones are embedded
	}
	return i18n.With(context.Background(), i18n.Locale{Lang: lang, Zone: zone})
}

// Each renders a page or a part in both languages, checks it and gives it to see, which may be nil.
func Each(t *testing.T, c templ.Component, see func(t *testing.T, lang i18n.Lang, page string)) {
	t.Helper()
	for _, lang := range i18n.Langs() {
		t.Run(string(lang), func(t *testing.T) {
			page := Render(t, lang, c)
			Check(t, page)
			if see != nil {
				see(t, lang, page)
			}
		})
	}
}

// Render gives the HTML of a component in a language.
func Render(t *testing.T, lang i18n.Lang, c templ.Component) string {
	t.Helper()
	var b bytes.Buffer
	if err := c.Render(Context(lang), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// Check fails the test for each thing in the HTML that no page may have.
func Check(t *testing.T, page string) {
	t.Helper()
	for _, problem := range Problems(page) {
		t.Error(problem)
	}
}

// Problems lists what is wrong with a page or a part of one. A whole document is also checked for what it must have.
func Problems(page string) []string {
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		return []string{err.Error()}
	}
	c := checker{ids: map[string]bool{}, labels: map[string]bool{}}
	c.collect(doc)
	c.walk(doc)
	if strings.Contains(strings.ToLower(page), "<!doctype") {
		c.document(doc)
	}
	return c.problems
}

type checker struct {
	ids, labels map[string]bool
	problems    []string
}

func (c *checker) report(n *html.Node, format string, args ...any) {
	var b bytes.Buffer
	shallow := *n
	shallow.FirstChild, shallow.LastChild = nil, nil
	_ = html.Render(&b, &shallow)
	c.problems = append(c.problems, fmt.Sprintf(format, args...)+": "+b.String())
}

func attr(n *html.Node, name string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

// collect notes all ids and what has a label.
func (c *checker) collect(n *html.Node) {
	if n.Type == html.ElementNode {
		if id, ok := attr(n, "id"); ok {
			if c.ids[id] || id == "" {
				c.report(n, "id %q comes twice or is empty", id)
			}
			c.ids[id] = true
		}
		if target, ok := attr(n, "for"); ok && n.Data == "label" {
			c.labels[target] = true
		}
	}
	for child := n.FirstChild; child != nil; child = child.NextSibling {
		c.collect(child)
	}
}

func (c *checker) walk(n *html.Node) {
	if n.Type == html.ElementNode {
		c.policy(n)
		c.references(n)
		c.names(n)
	}
	for child := n.FirstChild; child != nil; child = child.NextSibling {
		c.walk(child)
	}
}

// policy finds what default-src 'self' without inline and eval refuses.
func (c *checker) policy(n *html.Node) {
	if n.Data == "style" || n.Data == "script" && n.FirstChild != nil {
		c.report(n, "inline %s", n.Data)
	}
	for _, a := range n.Attr {
		value := strings.ToLower(strings.TrimSpace(a.Val))
		switch {
		case a.Key == "style":
			c.report(n, "style attribute")
		case strings.HasPrefix(a.Key, "on"), strings.HasPrefix(a.Key, "hx-on"), strings.HasPrefix(value, "js:"), strings.HasPrefix(value, "javascript:"):
			c.report(n, "script in the attribute %s", a.Key)
		case a.Key == "hx-trigger" && strings.Contains(value, "["):
			c.report(n, "trigger filter needs eval")
		}
	}
}

// dialogTitle names the shell's dialog once something is in it.
const dialogTitle = "dialog-title"

// references finds names of ids that are not there and files that do not exist. A part may name what its page has.
func (c *checker) references(n *html.Node) {
	for _, name := range []string{"aria-describedby", "aria-labelledby"} {
		value, _ := attr(n, name)
		for _, id := range strings.Fields(value) {
			if !c.ids[id] && id != dialogTitle {
				c.report(n, "%s names %q, which is not there", name, id)
			}
		}
	}
	for _, name := range []string{"src", "href"} {
		value, _ := attr(n, name)
		url, _, _ := strings.Cut(value, "#")
		if strings.HasPrefix(url, "/static/") {
			if _, _, ok := static.Open(url); !ok {
				c.report(n, "no such file")
			}
		}
	}
}

// names finds controls that say nothing to a screen reader.
func (c *checker) names(n *html.Node) {
	if _, ok := attr(n, "aria-label"); ok {
		return
	}
	if _, ok := attr(n, "hidden"); ok {
		return // nobody meets it until a script has given it its words
	}
	id, _ := attr(n, "id")
	kind, _ := attr(n, "type")
	hidden, _ := attr(n, "aria-hidden")
	switch n.Data {
	case "input", "select", "textarea":
		if kind != "hidden" && !c.labels[id] && !inside(n, "label") {
			c.report(n, "a field without a label")
		}
	case "button", "a":
		if text(n) == "" && hidden != "true" {
			c.report(n, "a control without a name")
		}
	}
}

func inside(n *html.Node, tag string) bool {
	for p := n.Parent; p != nil; p = p.Parent {
		if p.Data == tag {
			return true
		}
	}
	return false
}

func text(n *html.Node) string {
	if n.Type == html.TextNode {
		return strings.TrimSpace(n.Data)
	}
	if n.Type == html.ElementNode && n.Data == "img" {
		alt, _ := attr(n, "alt")
		return alt
	}
	var b strings.Builder
	for child := n.FirstChild; child != nil; child = child.NextSibling {
		b.WriteString(text(child))
	}
	return b.String()
}

// document checks what a whole page must have: a language, a title, one h1, one main, and what the shell promises.
func (c *checker) document(doc *html.Node) {
	count := map[string]int{}
	var walk func(n *html.Node)
	walk = func(n *html.Node) {
		if n.Type == html.ElementNode {
			count[n.Data]++
			if lang, _ := attr(n, "lang"); n.Data == "html" && lang == "" {
				c.report(n, "no language")
			}
			if n.Data == "title" && !inside(n, "svg") && text(n) == "" {
				c.report(n, "no title")
			}
		}
		for child := n.FirstChild; child != nil; child = child.NextSibling {
			walk(child)
		}
	}
	walk(doc)
	for _, tag := range []string{"title", "h1", "main"} {
		if count[tag] != 1 {
			c.problems = append(c.problems, fmt.Sprintf("%d of <%s>", count[tag], tag))
		}
	}
	for _, id := range []string{"main", "app", "live-polite", "live-assertive", "toasts", "dialog", "dialog-body"} {
		if !c.ids[id] {
			c.problems = append(c.problems, fmt.Sprintf("no #%s", id))
		}
	}
}

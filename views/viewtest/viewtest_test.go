package viewtest

import (
	"strings"
	"testing"
)

// Each rule finds what it is for.
func TestProblems(t *testing.T) {
	for part, want := range map[string]string{
		`<p style="color:red">x</p>`:                      "style attribute",
		`<style>p{}</style>`:                              "inline style",
		`<script>alert(1)</script>`:                       "inline script",
		`<a href="javascript:x">x</a>`:                    "attribute href",
		`<p onclick="x">x</p>`:                            "attribute onclick",
		`<p hx-on:click="x">x</p>`:                        "attribute hx-on",
		`<p hx-vals="js:{}">x</p>`:                        "attribute hx-vals",
		`<p hx-trigger="click[ctrlKey]">x</p>`:            "needs eval",
		`<p id="a">x</p><p id="a">x</p>`:                  "comes twice",
		`<p aria-describedby="b">x</p>`:                   "is not there",
		`<link href="/static/000000000000/app.css">`:      "no such file",
		`<input id="q">`:                                  "without a label",
		`<button><svg></svg></button>`:                    "without a name",
		`<!doctype html><html lang="nb"><title>x</title>`: "0 of <main>",
		`<!doctype html><html><title>x</title>`:           "no language",
	} {
		found := strings.Join(Problems(part), "\n")
		if !strings.Contains(found, want) {
			t.Errorf("%s: found %q, want %q", part, found, want)
		}
	}
	good := `<label for="q">Q</label><input id="q" aria-describedby="h"><p id="h">x</p><input type="hidden" id="z"><button aria-label="x"></button><button hidden></button>`
	if p := Problems(good); len(p) > 0 {
		t.Errorf("good part: %v", p)
	}
}

package inbox

import (
	"context"
	"errors"
	"html"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"
)

func render(t testing.TB, text string) string {
	t.Helper()
	var b strings.Builder
	if err := Formatted(text).Render(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestFormat(t *testing.T) {
	link := func(s string) string {
		return `<a href="` + s + `" target="_blank" rel="noopener noreferrer nofollow">` + s + `</a>`
	}
	for in, want := range map[string]string{
		"":                                         "",
		"Hei *du* der":                             "Hei <strong>du</strong> der",
		"_kursiv_ ~strek~":                         "<em>kursiv</em> <s>strek</s>",
		"`kode` ```mono```":                        "<code>kode</code> <code>mono</code>",
		"```to\nlinjer*x*```!":                     "<code>to\nlinjer*x*</code>!",
		"*_~alt~_*":                                "<strong><em><s>alt</s></em></strong>",
		"*fet _og* kursiv_":                        "<strong>fet _og</strong> kursiv_",
		"(*fet*), *«sitat»*.":                      "(<strong>fet</strong>), <strong>«sitat»</strong>.",
		"2*3*4 snake_case_x":                       "2*3*4 snake_case_x",
		"* ikke fet *":                             "<ul><li>ikke fet *</li></ul>",
		"a * b * c":                                "a * b * c",
		"*ikke\nfet*":                              "*ikke\nfet*",
		"** * __ `` ``` ``````":                    "** * __ `` ``` ``````",
		"*åpen":                                    "*åpen",
		"<b>&\"'</b>":                              "&lt;b&gt;&amp;&#34;&#39;&lt;/b&gt;",
		"*<script>*":                               "<strong>&lt;script&gt;</strong>",
		"Liste:\n- en\n- *to*\n* tre\nslutt":       "Liste:<ul><li>en</li><li><strong>to</strong></li><li>tre</li></ul>slutt",
		"1. en\n2. to\n10. ti":                     `<ol><li value="1">en</li><li value="2">to</li><li value="10">ti</li></ol>`,
		"123. nei\n1.nei\n-nei\n1.  nei":           "123. nei\n1.nei\n-nei\n1.  nei",
		"> sitat\n> mer\nsvar":                     "<blockquote>sitat\nmer</blockquote>svar",
		">ikke":                                    "&gt;ikke",
		"a\r\nb\n\nc":                              "a\nb\n\nc",
		"Se https://example.no/a?b=1&c=2.":         "Se " + link("https://example.no/a?b=1&amp;c=2") + ".",
		"(HTTP://example.no/x_(y))":                "(" + link("HTTP://example.no/x_(y)") + ")",
		"*https://example.no*":                     "<strong>" + link("https://example.no") + "</strong>",
		"https://example.no/a_b_c_ _x_":            link("https://example.no/a_b_c") + "_ <em>x</em>",
		"«https://example.no/æ»":                   "«" + link("https://example.no/æ") + "»",
		"`https://example.no`":                     "<code>https://example.no</code>",
		"javascript:alert(1) data:text/html,x":     "javascript:alert(1) data:text/html,x",
		"https:// http://\u202ex ftp://example.no": "https:// http://\u202ex ftp://example.no",
		"https://bank.no@evil.example/":            "https://bank.no@evil.example/",
		`https://example.no/"onclick="x`:           link("https://example.no/") + "&#34;onclick=&#34;x",
		"xhttps://example.no":                      "xhttps://example.no",
		"https://example.no/\u202egnp":             link("https://example.no/") + "\u202egnp",
		"مرحبا *عالم*":                             "مرحبا <strong>عالم</strong>",
	} {
		if got := render(t, in); got != want {
			t.Errorf("%q:\n%s\nwant\n%s", in, got, want)
		}
	}
}

// A template's variables are shown by who asks, inside of every format; nothing of a name or a text becomes a tag.
func TestFormatTemplate(t *testing.T) {
	variable := func(name string) templ.Component {
		return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
			_, err := io.WriteString(w, "["+name+"]")
			return err
		})
	}
	for in, want := range map[string]string{
		"Hei *{{1}}*, _ordre {{2}}_ ~x~":      "Hei <strong>[1]</strong>, <em>ordre [2]</em> <s>x</s>",
		"{{first_name}} _er_ {{last_name}}":   "[first_name] <em>er</em> [last_name]",
		"`{{1}}` ```a {{2}}\n<b>```":          "<code>[1]</code> <code>a [2]\n&lt;b&gt;</code>",
		"- {{1}}\n- *to*":                     "<ul><li>[1]</li><li><strong>to</strong></li></ul>",
		"> {{1}}\r\nslutt":                    "<blockquote>[1]</blockquote>slutt",
		"<i>{{1}}</i> {{ 1 }} {{<b>}}":        "&lt;i&gt;[1]&lt;/i&gt; {{ 1 }} {{&lt;b&gt;}}",
		"Se https://example.no/{{1}} nå":      "Se https://example.no/[1] nå",
		"https://example.no/a, {{1}} *åpen":   render(t, "https://example.no/a") + ", [1] *åpen",
		"*fet {{1}}\nikke* {{{{1}}}} *{{1}}x": "*fet [1]\nikke* {{[1]}} *[1]x",
	} {
		var b strings.Builder
		if err := FormattedTemplate(in, variable).Render(context.Background(), &b); err != nil || b.String() != want {
			t.Errorf("%q:\n%s\nwant\n%s (%v)", in, b.String(), want, err)
		}
	}
	broken := func(string) templ.Component {
		return templ.ComponentFunc(func(context.Context, io.Writer) error { return io.ErrClosedPipe })
	}
	if err := FormattedTemplate("*{{1}}*", broken).Render(context.Background(), io.Discard); !errors.Is(err, io.ErrClosedPipe) {
		t.Error(err)
	}
}

func TestPlain(t *testing.T) {
	for in, want := range map[string]string{
		"*Hei* _du_\n- en\n- to": "Hei du en to", "1. en\n2. to": "1. en 2. to", "> x\n\n`y`": "x y", "2*3": "2*3", "": "",
	} {
		if got := plain(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// A hostile text costs no more than a long one.
func TestFormatTakesLinearTime(t *testing.T) {
	for _, part := range []string{"*a ", "*", "*_~", "`", "```", "``` ", "_a*b~c", "http://a", "http://a)", "- ", "> *a\n", "https://[", "*_~a~_* "} {
		start := time.Now()
		render(t, strings.Repeat(part, 1<<16/len(part)))
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("64 KiB of %q takes %s", part, took)
		}
	}
}

var (
	anyTag = regexp.MustCompile(`<[^>]*>`)
	ourTag = regexp.MustCompile(`^(</?(strong|em|s|code|ul|ol|blockquote)>|<li>|<li value="[0-9]{1,2}">|</li>|</a>|<a href="[hH][tT][tT][pP][sS]?://[^"<>\x00-\x20]+" target="_blank" rel="noopener noreferrer nofollow">)$`)
)

// source writes a text back from what was read of it.
func source(blocks []block) string {
	var lines []string
	for _, k := range blocks {
		for _, l := range k.lines {
			lines = append(lines, l.mark+sourceOf(l.spans))
		}
	}
	return strings.Join(lines, "\n")
}

func sourceOf(spans []span) string {
	var b strings.Builder
	for _, s := range spans {
		switch mark := map[spanKind]string{codeSpan: "`", monoSpan: "```"}[s.kind]; {
		case len(s.inner) > 0:
			b.WriteString(s.text + sourceOf(s.inner) + s.text)
		default:
			b.WriteString(mark + s.text + mark)
		}
	}
	return b.String()
}

// shown gives all text of the blocks without the marks.
func shown(blocks []block) string {
	var b strings.Builder
	for _, k := range blocks {
		for i, l := range k.lines {
			if i > 0 && (k.kind == plainBlock || k.kind == quoteBlock) {
				b.WriteByte('\n')
			}
			writePlain(&b, l.spans)
		}
	}
	return b.String()
}

// No text makes a tag that is not ours, and nothing of a text but the marks is lost.
func FuzzFormat(f *testing.F) {
	for _, s := range []string{
		"Hei *du* _der_ ~nå~ `x` ```y\nz```", "> a\n- b\n1. c", "*<script>alert(1)</script>*", "https://example.no/?q=\"><img src=x>", "*_~`", "```\n```", "&lt;*&amp;*",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		blocks := parseFormat(s)
		if got, want := source(blocks), strings.ReplaceAll(s, "\r\n", "\n"); got != want {
			t.Errorf("%q is read as %q", want, got)
		}
		out := render(t, s)
		for _, tag := range anyTag.FindAllString(out, -1) {
			if !ourTag.MatchString(tag) {
				t.Errorf("%q: the tag %s", s, tag)
			}
		}
		text := anyTag.ReplaceAllString(out, "")
		if strings.ContainsAny(text, "<>\"") || html.UnescapeString(text) != shown(blocks) {
			t.Errorf("%q shows %q, want %q", s, text, shown(blocks))
		}
	})
}

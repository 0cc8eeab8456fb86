package inbox

import (
	"context"
	"io"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/a-h/templ"

	"kanal/models"
)

// spanKind is what a part of a line is.
type spanKind int

const (
	plainSpan spanKind = iota
	boldSpan
	italicSpan
	strikeSpan
	codeSpan
	monoSpan
	linkSpan
	variableSpan
)

// span is a part of a line: bold, italic and strike hold others, the rest holds text.
type span struct {
	kind  spanKind
	text  string
	inner []span
}

// blockKind is what a run of lines is.
type blockKind int

const (
	plainBlock blockKind = iota
	quoteBlock
	bulletBlock
	numberBlock
)

type line struct {
	mark  string // what was typed before the text: "> ", "- ", "12. "
	spans []span
}

type block struct {
	kind  blockKind
	lines []line
}

// parseFormat reads WhatsApp's formatting: *bold*, _italic_, ~strike~, `code`, ```monospace```, lines that begin with
// "> ", "- ", "* " or "1. ", and addresses of the web. It takes time in proportion to the text, whatever the text is.
func parseFormat(text string) []block {
	return (&tokenizer{text: strings.ReplaceAll(text, "\r\n", "\n")}).blocks()
}

// parseTemplate is parseFormat for the text of a template: its variables are spans, whatever stands around them.
func parseTemplate(text string) []block {
	t := &tokenizer{text: strings.ReplaceAll(text, "\r\n", "\n"), variables: map[int]models.TemplatePart{}}
	at := 0
	for _, p := range models.ParseTemplate(t.text) {
		if p.Variable != "" {
			t.variables[at] = p
		}
		at += len(p.Text)
	}
	return t.blocks()
}

// blocks reads the text to its end.
func (t *tokenizer) blocks() []block {
	text := t.text
	var blocks []block
	for more := true; more; {
		kind, mark := lineMark(text[t.at:])
		t.at += len(mark)
		l := line{mark: mark, spans: nest(t.line(), 0)}
		if n := len(blocks); n > 0 && blocks[n-1].kind == kind {
			blocks[n-1].lines = append(blocks[n-1].lines, l)
		} else {
			blocks = append(blocks, block{kind: kind, lines: []line{l}})
		}
		more = t.at < len(text)
		if more {
			t.at++ // the line's end
		}
	}
	return blocks
}

// lineMark tells what the line is that the text begins with, by its first characters.
func lineMark(text string) (blockKind, string) {
	text, _, _ = strings.Cut(text[:min(len(text), 8)], "\n")
	for mark, kind := range map[string]blockKind{"> ": quoteBlock, "- ": bulletBlock, "* ": bulletBlock} {
		if rest, ok := strings.CutPrefix(text, mark); ok && startsWord(rest) {
			return kind, mark
		}
	}
	digits := len(text) - len(strings.TrimLeft(text, "0123456789"))
	if rest, ok := strings.CutPrefix(text[digits:], ". "); ok && digits >= 1 && digits <= 2 && startsWord(rest) {
		return numberBlock, text[:digits+2]
	}
	return plainBlock, ""
}

func startsWord(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return s != "" && !unicode.IsSpace(r)
}

// token is a part of a line that may not be parted further, or a sign that may begin or end bold and the like.
type token struct {
	span
	sign        byte // *, _ or ~; 0 for the rest
	open, close bool
}

type tokenizer struct {
	text      string
	at        int
	noMono    bool                        // no ``` follows any more
	variables map[int]models.TemplatePart // of a template, by where they stand
}

// line gives the tokens up to the end of the line; monospace may hold lines.
func (t *tokenizer) line() []token {
	var out []token
	from := t.at // of plain text that is not yet taken
	flush := func() {
		if from < t.at {
			out = append(out, token{span: span{text: t.text[from:t.at]}})
		}
	}
	for t.at < len(t.text) && t.text[t.at] != '\n' {
		tok, size := t.special()
		if size == 0 {
			_, n := utf8.DecodeRuneInString(t.text[t.at:])
			t.at += n
			continue
		}
		flush()
		out = append(out, tok)
		t.at += size
		from = t.at
	}
	flush()
	return out
}

// special gives the token that is more than text at this place, and its size; 0 when there is none.
func (t *tokenizer) special() (token, int) {
	rest := t.text[t.at:]
	if v, ok := t.variables[t.at]; ok {
		return token{span: span{kind: variableSpan, text: v.Variable}}, len(v.Text)
	}
	switch c := rest[0]; c {
	case '*', '_', '~':
		open, closes := t.sides()
		return token{span: span{text: rest[:1]}, sign: c, open: open, close: closes}, 1
	case '`':
		if inside, ok := t.mono(rest); ok {
			return token{span: span{kind: monoSpan, text: inside}}, len(inside) + 6
		}
		end := strings.IndexAny(rest[1:], "`\n")
		if end > 0 && rest[1+end] == '`' && strings.TrimSpace(rest[1:1+end]) != "" {
			return token{span: span{kind: codeSpan, text: rest[1 : 1+end]}}, end + 2
		}
	case 'h', 'H':
		if before, _ := utf8.DecodeLastRuneInString(t.text[:t.at]); t.at > 0 && isWord(before) {
			break
		}
		n := linkLength(rest)
		if _, goesOn := t.variables[t.at+n]; n > 0 && !goesOn { // else only a part of the address is known
			return token{span: span{kind: linkSpan, text: rest[:n]}}, n
		}
	}
	return token{}, 0
}

// mono gives what stands between three backticks and the next three.
func (t *tokenizer) mono(rest string) (string, bool) {
	if t.noMono || !strings.HasPrefix(rest, "```") {
		return "", false
	}
	end := strings.Index(rest[3:], "```")
	if end < 0 {
		t.noMono = true
		return "", false
	}
	inside := rest[3 : 3+end]
	return inside, strings.TrimSpace(inside) != ""
}

// sides tells whether a sign stands so that it can begin something, and so that it can end something.
func (t *tokenizer) sides() (open, closes bool) {
	before, _ := utf8.DecodeLastRuneInString(t.text[:t.at])
	after, _ := utf8.DecodeRuneInString(t.text[t.at+1:])
	first, last := t.at == 0, t.at+1 == len(t.text)
	open = (first || !isWord(before)) && !last && !unicode.IsSpace(after)
	closes = !first && !unicode.IsSpace(before) && (last || !isWord(after))
	return open, closes
}

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

var signKinds = map[byte]spanKind{'*': boldSpan, '_': italicSpan, '~': strikeSpan}

// nest puts what stands between two equal signs into one span. within holds the kinds that are open already; they do
// not nest in themselves, so that there are at most three levels.
func nest(tokens []token, within int) []span {
	var out []span
	var hopeless [256]bool // signs that nothing ends from here on
	for i := 0; i < len(tokens); i++ {
		tok := tokens[i]
		kind := signKinds[tok.sign]
		if tok.sign == 0 || !tok.open || within&(1<<kind) != 0 || hopeless[tok.sign] {
			out = append(out, tok.span)
			continue
		}
		end := i + 2
		for end < len(tokens) && (tokens[end].sign != tok.sign || !tokens[end].close) {
			end++
		}
		if end >= len(tokens) {
			hopeless[tok.sign] = true
			out = append(out, tok.span)
			continue
		}
		out = append(out, span{kind: kind, text: tok.text, inner: nest(tokens[i+1:end], within|1<<kind)})
		i = end
	}
	return out
}

// maxLink is the longest address that becomes a link.
const maxLink = 2048

// linkLength gives how much of a text, from its beginning, is an address of the web; 0 for none. What ends a sentence
// does not belong to it.
func linkLength(text string) int {
	head := strings.ToLower(text[:min(len(text), 8)])
	if !strings.HasPrefix(head, "http://") && !strings.HasPrefix(head, "https://") {
		return 0
	}
	text = text[:min(len(text), maxLink+utf8.UTFMax)]
	end := strings.IndexFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == utf8.RuneError || strings.ContainsRune("<>\"`{}|\\^", r)
	})
	if end < 0 {
		end = len(text)
	}
	if end > maxLink {
		return 0
	}
	link := withoutEnd(text[:end])
	if u, err := url.Parse(link); err != nil || u.Hostname() == "" || u.User != nil {
		return 0
	}
	return len(link)
}

// withoutEnd drops from an address the signs that end a sentence or a format, and a bracket that began before it.
func withoutEnd(link string) string {
	for {
		r, n := utf8.DecodeLastRuneInString(link)
		switch {
		case strings.ContainsRune(".,;:!?'*_~…»”’]", r):
		case r == ')' && strings.Count(link, ")") > strings.Count(link, "("):
		default:
			return link
		}
		link = link[:len(link)-n]
	}
}

// Formatted shows a text as WhatsApp does. Every text is escaped; the marks become elements of ours.
func Formatted(text string) templ.Component { return written(parseFormat(text), nil) }

// FormattedTemplate shows the text of a template as WhatsApp does; variable shows each of its variables, by name.
func FormattedTemplate(text string, variable func(name string) templ.Component) templ.Component {
	return written(parseTemplate(text), variable)
}

func written(blocks []block, variable func(string) templ.Component) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		var f formatter
		if variable != nil {
			f.variable = func(name string) error { return variable(name).Render(ctx, &f.out) }
		}
		for _, block := range blocks {
			f.block(block)
		}
		if f.err != nil {
			return f.err
		}
		_, err := io.WriteString(w, f.out.String())
		return err
	})
}

// formatter writes elements. variable writes one of a template's variables; nil for a text without them.
type formatter struct {
	out      strings.Builder
	variable func(name string) error
	err      error
}

// blockElements are the element of a block and that of each of its lines.
var blockElements = map[blockKind]string{quoteBlock: "blockquote", bulletBlock: "ul", numberBlock: "ol"}

func (f *formatter) block(k block) {
	element := blockElements[k.kind]
	if element != "" {
		f.out.WriteString("<" + element + ">")
	}
	for i, l := range k.lines {
		switch k.kind {
		case bulletBlock:
			f.out.WriteString("<li>")
		case numberBlock:
			n, _ := strconv.Atoi(strings.TrimSuffix(l.mark, ". "))
			f.out.WriteString(`<li value="` + strconv.Itoa(n) + `">`)
		default:
			if i > 0 {
				f.out.WriteByte('\n')
			}
		}
		f.spans(l.spans)
		if k.kind == bulletBlock || k.kind == numberBlock {
			f.out.WriteString("</li>")
		}
	}
	if element != "" {
		f.out.WriteString("</" + element + ">")
	}
}

var spanElements = map[spanKind]string{boldSpan: "strong", italicSpan: "em", strikeSpan: "s", codeSpan: "code", monoSpan: "code"}

func (f *formatter) spans(spans []span) {
	for _, s := range spans {
		text := templ.EscapeString(s.text)
		switch s.kind {
		case plainSpan:
			f.out.WriteString(text)
		case variableSpan:
			f.name(s.text)
		case linkSpan:
			f.out.WriteString(`<a href="` + text + `" target="_blank" rel="noopener noreferrer nofollow">` + text + "</a>")
		case codeSpan, monoSpan:
			f.out.WriteString("<code>")
			f.code(s.text)
			f.out.WriteString("</code>")
		default:
			f.out.WriteString("<" + spanElements[s.kind] + ">")
			f.spans(s.inner)
			f.out.WriteString("</" + spanElements[s.kind] + ">")
		}
	}
}

// name writes the variable of a name.
func (f *formatter) name(variable string) {
	if err := f.variable(variable); err != nil {
		f.err = err
	}
}

// code writes a text without marks, which may hold variables.
func (f *formatter) code(text string) {
	if f.variable == nil {
		f.out.WriteString(templ.EscapeString(text))
		return
	}
	for _, p := range models.ParseTemplate(text) {
		if p.Variable != "" {
			f.name(p.Variable)
		} else {
			f.out.WriteString(templ.EscapeString(p.Text))
		}
	}
}

// plain gives a text without its marks in one line, for lists and quotes.
func plain(text string) string {
	var b strings.Builder
	for _, k := range parseFormat(text) {
		for _, l := range k.lines {
			if k.kind == numberBlock {
				b.WriteString(l.mark)
			}
			writePlain(&b, l.spans)
			b.WriteByte('\n')
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func writePlain(b *strings.Builder, spans []span) {
	for _, s := range spans {
		if len(s.inner) > 0 {
			writePlain(b, s.inner)
		} else {
			b.WriteString(s.text)
		}
	}
}

package twilio

import (
	"bytes"
	"io"
	"mime/quotedprintable"
	"slices"
	"strings"
	"unicode/utf8"
)

// Card is a contact card.
type Card struct {
	Name   string
	Org    string
	Phones []string
	Emails []string
}

// Bounds of a file of contact cards: what is beyond them is left out.
const (
	MaxCards     = 50
	maxCardBytes = 1 << 20
	maxCardText  = 200 // characters of one field
	maxCardLine  = 4096
	maxCardLines = 20 // numbers, and addresses of mail, of one card
)

// ParseCards reads a vCard file (RFC 2426 and RFC 6350, and version 2.1, which phones still write). What cannot be read
// is left out; a card without name, number and address of mail is none.
func ParseCards(file []byte) []Card {
	file = file[:min(len(file), maxCardBytes)]
	var cards []Card
	var card *cardReader
	for _, line := range append(cardLines(file), "END:VCARD") { // the end may be cut off
		name, value := cardField(line)
		switch {
		case name == "BEGIN" && strings.EqualFold(value, "VCARD"):
			card = &cardReader{}
		case card == nil:
		case name == "END" && strings.EqualFold(value, "VCARD"):
			if c := card.done(); c.Name != "" || len(c.Phones)+len(c.Emails) > 0 {
				cards = append(cards, c)
			}
			card = nil
		default:
			card.take(name, value)
		}
		if len(cards) == MaxCards {
			return cards
		}
	}
	return cards
}

// cardLines gives the lines of a file, those that were folded joined again. What is too long, a picture, is cut.
func cardLines(file []byte) []string {
	file = bytes.TrimPrefix(file, []byte("\xef\xbb\xbf"))
	var lines []string
	var open []byte // the line that may go on
	for line := range bytes.SplitSeq(bytes.ReplaceAll(file, []byte("\r"), nil), []byte("\n")) {
		switch {
		case bytes.HasPrefix(line, []byte(" ")), bytes.HasPrefix(line, []byte("\t")):
			line = line[1:]
		case bytes.HasSuffix(open, []byte("=")) && bytes.Contains(bytes.ToUpper(open), []byte("QUOTED-PRINTABLE")):
			open = open[:len(open)-1]
		default:
			lines, open = append(lines, string(open)), open[:0]
		}
		open = append(open, line[:min(len(line), maxCardLine-min(len(open), maxCardLine))]...)
	}
	return append(lines, string(open))
}

// cardField parts a line into its name, without a group and parameters, and its value.
func cardField(line string) (name, value string) {
	head, value, ok := strings.Cut(line, ":")
	if !ok {
		return "", ""
	}
	name, params, _ := strings.Cut(head, ";")
	if at := strings.LastIndexByte(name, '.'); at >= 0 {
		name = name[at+1:]
	}
	if strings.Contains(strings.ToUpper(params), "QUOTED-PRINTABLE") {
		if b, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(value))); err == nil {
			value = string(b)
		}
	}
	return strings.ToUpper(strings.TrimSpace(name)), value
}

// cardReader gathers one card.
type cardReader struct {
	Card
	parts string // of the name, when it is not written whole
}

func (c *cardReader) take(name, value string) {
	switch name {
	case "FN":
		c.Name = cardText(value)
	case "N":
		c.parts = nameOf(value)
	case "ORG":
		c.Org = cardText(strings.Join(nonEmpty(cardParts(value)), ", "))
	case "TEL":
		c.Phones = addLine(c.Phones, strings.TrimPrefix(value, "tel:"))
	case "EMAIL":
		c.Emails = addLine(c.Emails, strings.TrimPrefix(value, "mailto:"))
	}
}

func (c *cardReader) done() Card {
	if c.Name == "" {
		c.Name = c.parts
	}
	if c.Name == "" {
		c.Name = c.Org
	}
	return c.Card
}

func addLine(to []string, value string) []string {
	value = cardText(value)
	if value == "" || len(to) == maxCardLines || slices.Contains(to, value) {
		return to
	}
	return append(to, value)
}

// nameOf puts a structured name (family; given; additional; prefix; suffix) into the order in which it is said.
func nameOf(value string) string {
	p := append(cardParts(value), make([]string, 5)...)
	return cardText(strings.Join(nonEmpty([]string{p[3], p[1], p[2], p[0], p[4]}), " "))
}

func nonEmpty(parts []string) []string {
	return slices.DeleteFunc(parts, func(s string) bool { return strings.TrimSpace(s) == "" })
}

// cardParts parts a value at semicolons that are not escaped.
func cardParts(value string) []string {
	var parts []string
	from := 0
	for i := 0; i < len(value); i++ {
		switch value[i] {
		case '\\':
			i++
		case ';':
			parts, from = append(parts, value[from:i]), i+1
		}
	}
	return append(parts, value[from:])
}

var cardEscapes = strings.NewReplacer(`\n`, " ", `\N`, " ", `\,`, ",", `\;`, ";", `\:`, ":", `\\`, `\`)

// cardText gives a value as text of one line that a database keeps, cut to its bound.
func cardText(value string) string {
	s := strings.ToValidUTF8(cardEscapes.Replace(value), "")
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f || r == ' ' }), " ")
	if utf8.RuneCountInString(s) > maxCardText {
		s = string([]rune(s)[:maxCardText])
	}
	return s
}

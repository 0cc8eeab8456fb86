package twilio

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestParseCards(t *testing.T) {
	card := func(lines ...string) string {
		return "BEGIN:VCARD\r\nVERSION:3.0\r\n" + strings.Join(lines, "\r\n") + "\r\nEND:VCARD\r\n"
	}
	ola := Card{Name: "Ola Nordmann", Phones: []string{"+4740000199"}}
	for _, tt := range []struct {
		what, file string
		want       []Card
	}{
		{"nothing", "", nil},
		{"no card", "Hello: you\r\nTEL:1\r\n", nil},
		{"an empty card", card("NOTE:x"), nil},
		{"as the phone writes it", card("FN:Ola Nordmann", "TEL:+4740000199"), []Card{ola}},
		{"lines of Unix", strings.ReplaceAll(card("FN:Ola Nordmann", "TEL:+4740000199"), "\r", ""), []Card{ola}},
		{"two", card("FN:Ola Nordmann", "TEL:+4740000199") + card("FN:Kari"), []Card{ola, {Name: "Kari"}}},
		{"the end is cut off", "BEGIN:VCARD\nFN:Ola Nordmann\nTEL:+4740000199", []Card{ola}},
		{"groups and parameters", card("item1.TEL;waid=4740000199;type=CELL:+47 400 00 199", "item1.X-ABLabel:Mobile", "FN:Ola", "EMAIL;TYPE=INTERNET:ola@example.com"),
			[]Card{{Name: "Ola", Phones: []string{"+47 400 00 199"}, Emails: []string{"ola@example.com"}}}},
		{"version 4", card("fn:Ola", "tel;value=uri:tel:+4740000199", "email:mailto:ola@example.com"),
			[]Card{{Name: "Ola", Phones: []string{"+4740000199"}, Emails: []string{"ola@example.com"}}}},
		{"only the parts of a name", card("N:Nordmann;Ola;K.;Dr.;", "TEL:1"), []Card{{Name: "Dr. Ola K. Nordmann", Phones: []string{"1"}}}},
		{"only a firm", card("ORG:Example AS;Sales\\; Oslo", "TEL:1"), []Card{{Name: "Example AS, Sales; Oslo", Org: "Example AS, Sales; Oslo", Phones: []string{"1"}}}},
		{"escapes", card(`FN:Ola\, Nordmann\nJr. \\o/`), []Card{{Name: `Ola, Nordmann Jr. \o/`}}},
		{"folded", card("FN:Ola Nord", " mann", "TEL:+47", "\t40000199"), []Card{ola}},
		{"quoted-printable", card("FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=4F=6C=61=20=C3=85=", "=73=65"), []Card{{Name: "Ola Åse"}}},
		{"the same number twice", card("FN:Ola Nordmann", "TEL:+4740000199", "TEL;type=HOME:+4740000199"), []Card{ola}},
		{"a picture", card("FN:Ola Nordmann", "PHOTO;ENCODING=b:"+strings.Repeat("A", 9000), " "+strings.Repeat("B", 9000), "TEL:+4740000199"), []Card{ola}},
		{"not UTF-8, and NUL", card("FN:O\xffla\x00 Nordmann", "TEL:+4740000199"), []Card{{Name: "Ola Nordmann", Phones: []string{"+4740000199"}}}},
	} {
		if got := ParseCards([]byte(tt.file)); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %+v, want %+v", tt.what, got, tt.want)
		}
	}
}

func TestParseCardsIsBounded(t *testing.T) {
	if n := len(ParseCards([]byte(strings.Repeat("BEGIN:VCARD\nFN:x\nEND:VCARD\n", 200)))); n != MaxCards {
		t.Errorf("%d cards", n)
	}
	var b strings.Builder
	b.WriteString("BEGIN:VCARD\nFN:" + strings.Repeat("å", 5000) + "\n")
	for i := range 100 {
		fmt.Fprintf(&b, "TEL:%d\n", i)
	}
	c := ParseCards([]byte(b.String()))[0]
	if utf8.RuneCountInString(c.Name) != maxCardText || len(c.Phones) != maxCardLines {
		t.Errorf("%d characters, %d numbers", utf8.RuneCountInString(c.Name), len(c.Phones))
	}
	start := time.Now()
	ParseCards([]byte("BEGIN:VCARD\nNOTE:x\n" + strings.Repeat(" =\n", 3<<20)))
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("a folded line without end takes %s", took)
	}
}

func FuzzCards(f *testing.F) {
	f.Add([]byte("BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ola\r\nN:Nordmann;Ola;;;\r\nitem1.TEL;waid=47:+47 1\r\nORG:A;B\r\nEND:VCARD\r\n"))
	f.Add([]byte("BEGIN:VCARD\nFN;ENCODING=QUOTED-PRINTABLE:=C3=\n=85\nEMAIL:mailto:a@b\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		for _, c := range ParseCards(file) {
			if c.Name == "" && len(c.Phones)+len(c.Emails) == 0 {
				t.Errorf("%q: an empty card", file)
			}
			for _, s := range append([]string{c.Name, c.Org}, append(c.Phones, c.Emails...)...) {
				if !isText(s) || strings.ContainsAny(s, "\n\r") || utf8.RuneCountInString(s) > maxCardText {
					t.Errorf("%q: %q", file, s)
				}
			}
		}
	})
}

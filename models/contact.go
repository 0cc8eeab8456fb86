package models

import (
	"strings"
	"time"
	"unicode"
)

// Kinds of identity by which a customer is known.
const (
	IdentityPhone = "phone" // E.164 with the plus sign
	IdentityBSUID = "bsuid" // WhatsApp's business-scoped user id, CC.…
)

// Contact is a customer. A name that a person typed wins over the one the customer's profile gives.
type Contact struct {
	ID          ContactID
	Name        string // typed by a person
	ProfileName string // from WhatsApp, untrusted
	Language    string // of the customer, "" when nobody has said
	BlockedAt   *time.Time
	BlockedBy   *UserID
	Version     int
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// ContactIdentity is one address by which a customer is known. (kind, value) is unique.
type ContactIdentity struct {
	ID        int64
	ContactID ContactID
	Kind      string
	Value     string
	// Derived marks the plain form of a number, see PlainPhone, from which nobody has written: it only finds the customer.
	Derived   bool
	CreatedAt time.Time
}

// PlainPhone gives the one form of a number that may be written in two: WhatsApp keeps some numbers of Brazil with or
// without the ninth digit, and those of Argentina and Mexico with or without the digit that marks a mobile phone.
// Every other number is its own plain form. It is for finding a customer; replies go to the number as it was received.
func PlainPhone(e164 string) string {
	for _, c := range []struct {
		prefix string
		digits int // that follow the prefix
		plain  string
	}{{"+549", 10, "+54"}, {"+521", 10, "+52"}} {
		if rest, ok := strings.CutPrefix(e164, c.prefix); ok && len(rest) == c.digits {
			return c.plain + rest
		}
	}
	// +55, two digits of the area, the ninth digit; a number of eight that begins lower is a landline.
	if len(e164) == 14 && strings.HasPrefix(e164, "+55") && e164[5] == '9' && e164[6] >= '6' {
		return e164[:5] + e164[6:]
	}
	return e164
}

// ProfileName gives the name that a customer's profile shows as it is kept: in one line, and without the characters that
// nobody sees and that turn the text beside them around. A name of which nothing can be seen is none, so that people see
// the number instead.
func ProfileName(written string) string {
	seen := false
	name := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r):
			return -1
		}
		seen = seen || isSeen(r)
		return r
	}, written)
	if !seen {
		return ""
	}
	return strings.Join(strings.Fields(name), " ")
}

// isSeen tells whether a character leaves something on the screen by itself.
func isSeen(r rune) bool {
	return unicode.IsGraphic(r) && !unicode.IsMark(r) && !unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r) && r != '\u2800'
}

// DisplayName is the name that people see: a typed one, else the profile's, else "".
func (c Contact) DisplayName() string {
	if c.Name != "" {
		return c.Name
	}
	return c.ProfileName
}

// SpokenLanguages are the languages that a customer may be noted to speak, as WhatsApp's templates name them.
func SpokenLanguages() []string {
	return []string{
		"ar", "bg", "cs", "da", "de", "el", "en", "es", "et", "fa", "fi", "fr", "hi", "hr", "hu", "it", "lt", "lv", "nb", "nl", "pl",
		"pt", "ro", "ru", "sk", "sl", "so", "sq", "sr", "sv", "th", "ti", "tr", "uk", "ur", "vi", "zh",
	}
}

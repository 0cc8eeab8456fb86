package i18n

import (
	"context"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
)

// LanguageTag gives the tag of HTML for WhatsApp's code of a language: en-GB for en_GB.
func LanguageTag(code string) string { return strings.ReplaceAll(code, "_", "-") }

// LanguageName names a language by WhatsApp's code for it, such as en_GB, in the context's language; one that is unknown
// has its code for a name.
func LanguageName(ctx context.Context, code string) string {
	tag, err := language.Parse(LanguageTag(code))
	if err != nil || code == "" {
		return code
	}
	in := language.English
	if From(ctx).Lang == NB {
		in = language.Norwegian
	}
	name := display.Tags(in).Name(tag)
	if name == "" {
		return code
	}
	first, size := utf8.DecodeRuneInString(name)
	return string(unicode.ToUpper(first)) + name[size:]
}

// Package i18n holds every text that a person reads, in Norwegian Bokmål and English, and writes times and numbers the
// way each language does.
package i18n

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"

	"kanal/models"
)

// Lang is a language of the interface.
type Lang string

// The languages.
const (
	NB Lang = "nb"
	EN Lang = "en"
)

// Langs lists the languages, the default last.
func Langs() []Lang { return []Lang{NB, EN} }

// Locale is how one person reads: the language and the time zone.
type Locale struct {
	Lang Lang
	Zone *time.Location
}

type localeKey struct{}

// With gives a context in which texts are written for the locale.
func With(ctx context.Context, l Locale) context.Context {
	return context.WithValue(ctx, localeKey{}, l)
}

// From gives the context's locale; English in UTC when there is none.
func From(ctx context.Context) Locale {
	l, ok := ctx.Value(localeKey{}).(Locale)
	if !ok {
		l = Locale{Lang: EN}
	}
	if l.Zone == nil {
		l.Zone = time.UTC
	}
	return l
}

// entry is one text; a text that counts has the plural form "one" beside it.
type entry struct {
	NB    string `json:"nb"`
	EN    string `json:"en"`
	NBOne string `json:"nb_one"`
	ENOne string `json:"en_one"`
}

//go:embed texts/*.json
var files embed.FS

var catalog = load()

func load() map[string]entry {
	all := map[string]entry{}
	names, err := fs.Glob(files, "texts/*.json")
	if err != nil {
		panic(err) // the texts are part of the program
	}
	for _, name := range names {
		b, err := files.ReadFile(name)
		if err != nil {
			panic(err)
		}
		var part map[string]entry
		if err := json.Unmarshal(b, &part); err != nil {
			panic(path.Base(name) + ": " + err.Error())
		}
		for k, e := range part {
			if _, ok := all[k]; ok {
				panic("text twice: " + k)
			}
			all[k] = e
		}
	}
	return all
}

// Has tells whether there is a text with this key.
func Has(key string) bool { _, ok := catalog[key]; return ok }

// Lookup gives a text in a language, with {name} filled from name, value pairs. A key without a text gives the key.
func Lookup(lang Lang, key string, args ...any) string {
	e, ok := catalog[key]
	if !ok {
		return key
	}
	s := e.EN
	if lang == NB {
		s = e.NB
	}
	return fill(s, args)
}

func fill(s string, args []any) string {
	for i := 0; i+1 < len(args); i += 2 {
		s = strings.ReplaceAll(s, "{"+fmt.Sprint(args[i])+"}", fmt.Sprint(args[i+1]))
	}
	return s
}

// T gives a text in the context's language, with {name} filled from name, value pairs.
func T(ctx context.Context, key string, args ...any) string {
	return Lookup(From(ctx).Lang, key, args...)
}

// N is T for a text that counts: {n} is the number.
func N(ctx context.Context, key string, n int, args ...any) string {
	lang := From(ctx).Lang
	e, ok := catalog[key]
	if !ok {
		return key
	}
	form := plural.Cardinal.MatchPlural(language.Make(string(lang)), n, 0, 0, 0, 0)
	s := e.EN
	switch {
	case lang == NB && form == plural.One && e.NBOne != "":
		s = e.NBOne
	case lang == NB:
		s = e.NB
	case form == plural.One && e.ENOne != "":
		s = e.ENOne
	}
	return fill(s, append([]any{"n", n}, args...))
}

// Error gives the sentence of an error. What is not ours is an internal error: its cause is never shown.
func Error(ctx context.Context, err error) string {
	var e *models.Error
	if errors.As(err, &e) && Has(e.Key) {
		return T(ctx, e.Key, e.Args...)
	}
	return T(ctx, "error.internal")
}

// Field gives the sentence of a problem with a field.
func Field(ctx context.Context, e models.FieldError) string { return T(ctx, e.Key, e.Args...) }

var matcher = language.NewMatcher([]language.Tag{language.English, language.MustParse("nb"), language.MustParse("no"), language.MustParse("nn"), language.Danish, language.Swedish})

// Match chooses the language: the cookie's, else the profile's, else the best of the Accept-Language header.
func Match(cookie, profile, acceptLanguage string) Lang {
	for _, s := range []string{cookie, profile} {
		if l := Lang(s); l == NB || l == EN {
			return l
		}
	}
	tags, _, err := language.ParseAcceptLanguage(acceptLanguage)
	if err != nil || len(tags) == 0 {
		return EN
	}
	if _, i, c := matcher.Match(tags...); i > 0 && c > language.No {
		return NB
	}
	return EN
}

// Package i18n holds every text that a person reads, in Norwegian Bokmål and English, and writes times and numbers the
// way each language does.
package i18n

import (
	"context"
	"errors"
	"time"

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
	l, _ := ctx.Value(localeKey{}).(Locale)
	if l.Lang == "" {
		l.Lang = EN
	}
	if l.Zone == nil {
		l.Zone = time.UTC
	}
	return l
}

// T gives a text in the context's language, with {name} filled from name, value pairs. A key that has no text gives
// the key; in tests it panics.
func T(ctx context.Context, key string, args ...any) string {
	return Lookup(From(ctx).Lang, key, args...)
}

// N is T for a text that counts: {n} is the number and chooses the plural form.
func N(ctx context.Context, key string, n int, args ...any) string {
	t, ok := find(From(ctx).Lang, key)
	if !ok {
		return key
	}
	return fill(key, t.form(n), append([]any{"n", n}, args...))
}

// Lookup is T for a language without a context.
func Lookup(lang Lang, key string, args ...any) string {
	t, ok := find(lang, key)
	if !ok {
		return key
	}
	return fill(key, t.Other, args)
}

// Error gives the sentence of an error. What is not ours is an internal error: its cause is never shown.
func Error(ctx context.Context, err error) string {
	var e *models.Error
	if errors.As(err, &e) {
		if _, ok := find(From(ctx).Lang, e.Key); ok {
			return T(ctx, e.Key, e.Args...)
		}
	}
	return T(ctx, "error.internal")
}

// Field gives the sentence of a problem with a field.
func Field(ctx context.Context, e models.FieldError) string { return T(ctx, e.Key, e.Args...) }

// Match chooses the language: the cookie's, else the profile's, else the best one of the Accept-Language header, else
// English. All of Norwegian is read as Bokmål.
func Match(cookie, profile, acceptLanguage string) Lang {
	for _, s := range []string{cookie, profile} {
		if l, ok := known(s); ok {
			return l
		}
	}
	tags, _, err := language.ParseAcceptLanguage(acceptLanguage)
	if err != nil {
		return EN
	}
	for _, t := range tags {
		base, _ := t.Base()
		if l, ok := known(base.String()); ok {
			return l
		}
	}
	return EN
}

func known(s string) (Lang, bool) {
	switch s {
	case "nb", "no", "nn":
		return NB, true
	case "en":
		return EN, true
	}
	return "", false
}

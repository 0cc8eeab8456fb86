package i18n

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"regexp"
	"strings"
	"testing"
)

// text is one text of a catalog. A plain one has only the form Other.
type text struct {
	One   string `json:"one"`
	Other string `json:"other"`
}

// UnmarshalJSON reads a plain text or its plural forms: "…" or {"one": "…", "other": "…"}.
func (t *text) UnmarshalJSON(b []byte) error {
	if b[0] == '"' {
		return json.Unmarshal(b, &t.Other)
	}
	type forms text
	return json.Unmarshal(b, (*forms)(t))
}

// form gives the text for a number. Both languages have one form for 1 and one for all else.
func (t text) form(n int) string {
	if n == 1 && t.One != "" {
		return t.One
	}
	return t.Other
}

// The catalogs: one file per language and area, each key in one file only.
//
//go:embed locales/*/*.json
var files embed.FS

var catalogs = map[Lang]map[string]text{NB: load(NB), EN: load(EN)}

// load reads a language's files. They are part of the program: a broken one stops it at once.
func load(lang Lang) map[string]text {
	all := map[string]text{}
	names, err := fs.Glob(files, "locales/"+string(lang)+"/*.json")
	if err != nil {
		panic(err)
	}
	for _, name := range names {
		part, err := parse(name)
		if err != nil {
			panic(fmt.Sprintf("%s: %v", name, err))
		}
		for key, t := range part {
			if _, twice := all[key]; twice {
				panic(fmt.Sprintf("%s: %q is in another file too", name, key))
			}
			all[key] = t
		}
	}
	return all
}

func parse(name string) (map[string]text, error) {
	b, err := files.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var part map[string]text
	return part, json.Unmarshal(b, &part)
}

// Has tells whether there is a text with this key.
func Has(key string) bool { _, ok := catalogs[EN][key]; return ok }

// find gives a text. In tests a missing one panics, so that it cannot be overlooked.
func find(lang Lang, key string) (text, bool) {
	t, ok := catalogs[lang][key]
	if !ok && testing.Testing() {
		panic(fmt.Sprintf("i18n: no text %q in %q", key, lang))
	}
	return t, ok
}

var placeholder = regexp.MustCompile(`\{[a-z_]+\}`)

// fill puts values in place of {name}, in one pass: a value that looks like a placeholder stays as it is.
func fill(key, s string, args []any) string {
	pairs := make([]string, 0, len(args))
	for i := 0; i+1 < len(args); i += 2 {
		pairs = append(pairs, fmt.Sprintf("{%v}", args[i]), fmt.Sprint(args[i+1]))
	}
	if testing.Testing() {
		mustBeComplete(key, s, pairs)
	}
	return strings.NewReplacer(pairs...).Replace(s)
}

// mustBeComplete panics when a placeholder has no value; only tests call it.
func mustBeComplete(key, s string, pairs []string) {
	for _, p := range placeholder.FindAllString(s, -1) {
		found := false
		for i := 0; i < len(pairs); i += 2 {
			found = found || pairs[i] == p
		}
		if !found {
			panic(fmt.Sprintf("i18n: text %q needs a value for %s", key, p))
		}
	}
}

package i18n

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestBothLanguagesHaveEveryText(t *testing.T) {
	for key, en := range catalogs[EN] {
		nb, ok := catalogs[NB][key]
		if !ok {
			t.Errorf("%s: no Norwegian text", key)
			continue
		}
		if (nb.One == "") != (en.One == "") {
			t.Errorf("%s: only one language has the plural form \"one\"", key)
		}
		for _, s := range []string{nb.Other, en.Other} {
			if strings.TrimSpace(s) == "" {
				t.Errorf("%s: an empty text", key)
			}
		}
		if a, b := names(nb), names(en); !slices.Equal(a, b) {
			t.Errorf("%s: placeholders differ: nb %v, en %v", key, a, b)
		}
	}
	for key := range catalogs[NB] {
		if !Has(key) {
			t.Errorf("%s: no English text", key)
		}
	}
}

// names gives the placeholders of all forms of a text, sorted, each once. {n} may be missing in one form.
func names(t text) []string {
	found := placeholder.FindAllString(t.One+t.Other, -1)
	slices.Sort(found)
	return slices.Compact(found)
}

func TestKeysAreWellFormed(t *testing.T) {
	for key, e := range catalogs[EN] {
		area, name, ok := strings.Cut(key, ".")
		if !ok || area == "" || name == "" || key != strings.ToLower(key) || strings.ContainsAny(key, " -") {
			t.Errorf("%q is no key of the form area.what_ever", key)
		}
		for _, s := range []string{e.One, e.Other, catalogs[NB][key].Other} {
			if strings.Contains(s, "!") || strings.Contains(strings.ToLower(s), "vennligst") {
				t.Errorf("%s: style: %q", key, s)
			}
		}
	}
}

// The same areas in both languages, no key twice in one file, and no file where the program does not read it.
func TestCatalogFiles(t *testing.T) {
	areas := map[Lang][]string{}
	for _, lang := range Langs() {
		files, err := filepath.Glob("locales/" + string(lang) + "/*.json")
		if err != nil || len(files) == 0 {
			t.Fatalf("no files for %s: %v", lang, err)
		}
		for _, f := range files {
			areas[lang] = append(areas[lang], path.Base(f))
			if err := keysOnce(f); err != nil {
				t.Errorf("%s: %v", f, err)
			}
		}
	}
	if !slices.Equal(areas[NB], areas[EN]) {
		t.Errorf("areas differ: nb %v, en %v", areas[NB], areas[EN])
	}
	err := fs.WalkDir(os.DirFS("."), ".", func(p string, _ fs.DirEntry, err error) error {
		if ok, _ := path.Match("locales/*/*.json", p); path.Ext(p) == ".json" && !ok {
			t.Errorf("%s is not read: texts live in locales/{nb,en}/{area}.json", p)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// keysOnce reads the tokens of a file, because decoding into a map hides a key that comes twice.
func keysOnce(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	d := json.NewDecoder(f)
	if _, err := d.Token(); err != nil {
		return err
	}
	seen := map[string]bool{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		s := fmt.Sprint(key)
		if seen[s] {
			return fmt.Errorf("%q comes twice", s)
		}
		seen[s] = true
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return err
		}
	}
	return nil
}

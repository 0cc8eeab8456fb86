package kanal_test

import (
	"encoding/json"
	"go/ast"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// textGroup is the beginning of keys whose end is known when the program runs.
var textGroup = regexp.MustCompile(`^[a-z][a-z0-9_.]*[._]$`)

// TestEveryTextIsUsed holds that the catalogs hold no sentence that nobody reads any more.
func TestEveryTextIsUsed(t *testing.T) {
	exact, groups := literals(sources(t))
	catalogs, err := filepath.Glob("views/i18n/locales/en/*.json")
	if err != nil || len(catalogs) == 0 {
		t.Fatal(catalogs, err)
	}
	for _, path := range catalogs {
		body, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var texts map[string]any
		if err := json.Unmarshal(body, &texts); err != nil {
			t.Fatal(path, err)
		}
		for key := range texts {
			if !used(key, exact, groups) {
				t.Errorf("%s: nothing uses %s", path, key)
			}
		}
	}
}

func TestUnusedTexts(t *testing.T) {
	const src = "package x\nvar _, _ = f(\"area.one\"), \"area.kind.\" + k"
	exact, groups := literals([]sourceFile{parse(t, "web/x.go", []byte(src))})
	for key, want := range map[string]bool{"area.one": true, "area.kind.any": true, "area.two": false, "area.on": false, "area.kind": false} {
		if got := used(key, exact, groups); got != want {
			t.Errorf("%s: %v", key, got)
		}
	}
}

// literals gives the texts that programs name, and the beginnings of texts.
func literals(all []sourceFile) (exact map[string]bool, groups []string) {
	exact = map[string]bool{}
	for _, f := range all {
		if !f.shipped() {
			continue
		}
		ast.Inspect(f.tree, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				s, _ := strconv.Unquote(lit.Value)
				if exact[s] = true; textGroup.MatchString(s) {
					groups = append(groups, s)
				}
			}
			return true
		})
	}
	return exact, groups
}

func used(key string, exact map[string]bool, groups []string) bool {
	if exact[key] {
		return true
	}
	for _, g := range groups {
		if strings.HasPrefix(key, g) {
			return true
		}
	}
	return false
}

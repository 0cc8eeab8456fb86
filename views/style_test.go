package views

import (
	"io/fs"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"

	"kanal/static"
)

// hooks are classes that only scripts look for.
var hooks = map[string]bool{"st": true}

var (
	plainClass = regexp.MustCompile(`class="([^"]*)"`)
	exprClass  = regexp.MustCompile(`class=\{([^}]*)\}`)
	quoted     = regexp.MustCompile(`"([a-z][^"]*)"`)
)

// Every class that a page names is in the style: a wrong name shows as nothing.
func TestClassesAreInTheStyle(t *testing.T) {
	css, err := static.FS.ReadFile("app.css")
	if err != nil {
		t.Fatal(err)
	}
	err = fs.WalkDir(os.DirFS("."), ".", func(name string, _ fs.DirEntry, err error) error {
		if err != nil || path.Ext(name) != ".templ" {
			return err
		}
		src, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		for _, class := range classes(string(src)) {
			if !hooks[class] && !regexp.MustCompile(`\.`+regexp.QuoteMeta(class)+`[^a-zA-Z0-9_-]`).Match(css) {
				t.Errorf("%s: class %q is not in app.css", name, class)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// classes gives the classes in a template; parts of names such as "chip--" are left out.
func classes(src string) []string {
	var out []string
	for _, m := range plainClass.FindAllStringSubmatch(src, -1) {
		out = append(out, strings.Fields(m[1])...)
	}
	for _, m := range exprClass.FindAllStringSubmatch(src, -1) {
		for _, q := range quoted.FindAllStringSubmatch(m[1], -1) {
			if !strings.HasSuffix(q[1], "--") && !strings.Contains(m[1], "== "+q[0]) {
				out = append(out, strings.Fields(q[1])...)
			}
		}
	}
	return out
}

func TestClassesFinds(t *testing.T) {
	got := strings.Join(classes(`<p class="a b"></p><p class={ "c", templ.KV("d-x", true), "chip--" + k, templ.KV("e", s == "f") }>`), " ")
	if got != "a b c d-x e" {
		t.Error(got)
	}
}

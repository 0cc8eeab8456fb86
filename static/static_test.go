package static

import (
	"io/fs"
	"path"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := FS.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestOpen(t *testing.T) {
	for name, want := range map[string]string{
		"app.css": "text/css; charset=utf-8", "js/app.js": "text/javascript; charset=utf-8", "icons.svg": "image/svg+xml",
		"fonts/inter-latin-wght-normal.woff2": "font/woff2", "fonts/OFL.txt": "text/plain; charset=utf-8",
	} {
		body, kind, ok := Open(URL(name))
		if !ok || kind != want || len(body) == 0 {
			t.Errorf("%s: %q, %d bytes, %v", name, kind, len(body), ok)
		}
	}
	for _, url := range []string{"/static/app.css", "/static/000000000000/app.css", URL("js"), URL(""), URL("../go.mod"), URL("no.css"), "app.css"} {
		if _, _, ok := Open(url); ok {
			t.Errorf("%s: opened", url)
		}
	}
}

func TestHashFollowsContentAndNames(t *testing.T) {
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	seen := map[string]bool{}
	for _, files := range []fstest.MapFS{{"a": file("x")}, {"a": file("y")}, {"b": file("x")}, {"a": file("x"), "b": file("")}} {
		seen[hash(files)] = true
	}
	if len(seen) != 4 {
		t.Errorf("%d hashes for 4 contents", len(seen))
	}
}

var imports = regexp.MustCompile(`(?m)^import .*?'([^']+)';$`)

// Modules import each other by relative names: below the hashed path these are hashed, too.
func TestImportsLeadToFiles(t *testing.T) {
	reached := map[string]bool{}
	var walk func(name string)
	walk = func(name string) {
		if reached[name] {
			return
		}
		reached[name] = true
		for _, m := range imports.FindAllStringSubmatch(read(t, name), -1) {
			if !strings.HasPrefix(m[1], "./") {
				t.Errorf("%s imports %s, which is no relative name", name, m[1])
				continue
			}
			walk(path.Join(path.Dir(name), m[1]))
		}
	}
	walk("js/app.js")
	if len(reached) != len(Modules()) {
		t.Errorf("app.js reaches %d modules of %d", len(reached), len(Modules()))
	}
}

// What scripts say comes from the page, in its language.
func TestScriptsHoldNoSentences(t *testing.T) {
	sentence := regexp.MustCompile(`(?:textContent|innerHTML|polite\(|toast\()\s*=?\s*['"` + "`" + `][A-Za-zÆØÅæøå]{2,}`)
	for _, url := range Modules() {
		name := strings.TrimPrefix(url, Prefix())
		if s := sentence.FindString(read(t, name)); s != "" {
			t.Errorf("%s: %s", name, s)
		}
	}
}

// The policy of every page is default-src 'self': no eval, no style attribute made by a script, nothing from elsewhere.
func TestFilesKeepThePolicy(t *testing.T) {
	bad := regexp.MustCompile(`\beval\(|new Function|\.style\.|cssText|setAttribute\('style|https?://[a-z]`)
	err := fs.WalkDir(FS, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || name == "htmx.min.js" || path.Ext(name) == ".woff2" || path.Ext(name) == ".txt" {
			return err
		}
		body := strings.ReplaceAll(read(t, name), "http://www.w3.org/2000/svg", "")
		if s := bad.FindString(body); s != "" {
			t.Errorf("%s: %s", name, s)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestSpriteHasEachIconOnce(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range regexp.MustCompile(`<symbol id="([^"]+)"`).FindAllStringSubmatch(read(t, "icons.svg"), -1) {
		if seen[m[1]] {
			t.Errorf("%s comes twice", m[1])
		}
		seen[m[1]] = true
	}
	if len(seen) < 40 {
		t.Errorf("only %d icons", len(seen))
	}
}

func TestStyleFindsItsFonts(t *testing.T) {
	urls := regexp.MustCompile(`url\(([^)]+)\)`).FindAllStringSubmatch(read(t, "app.css"), -1)
	if len(urls) == 0 {
		t.Fatal("no fonts")
	}
	for _, m := range urls {
		if _, err := FS.ReadFile(m[1]); err != nil {
			t.Error(err)
		}
	}
}

package kanal_test

import (
	"go/ast"
	"os"
	"path"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func read(t *testing.T, name string) string {
	t.Helper()
	src, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(src)
}

// codeSettings reads the settings from the tags in cmd/kanal/settings.go, and those that must not be flags. The value
// is the default, "" when the tag has none.
func codeSettings(f sourceFile) map[string]string {
	found := map[string]string{}
	ast.Inspect(f.tree, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Field:
			if n.Tag == nil {
				return true
			}
			text, _ := strconv.Unquote(n.Tag.Value)
			tag := reflect.StructTag(text)
			if _, hidden := tag.Lookup("hidden"); tag.Get("env") != "" && !hidden {
				found[tag.Get("env")] = tag.Get("default")
			}
		case *ast.CallExpr:
			if name, ok := n.Fun.(*ast.Ident); ok && name.Name == "secretSetting" {
				value, _ := strconv.Unquote(n.Args[0].(*ast.BasicLit).Value)
				found[value] = ""
			}
		}
		return true
	})
	return found
}

var settingRow = regexp.MustCompile("(?m)^\\| `(KANAL_[A-Z0-9_]+)` \\| (.*?) \\|")

// TestReadmeNamesTheSettings holds README's table and the program to each other: names and defaults.
func TestReadmeNamesTheSettings(t *testing.T) {
	const file = "cmd/kanal/settings.go"
	code := codeSettings(parse(t, file, []byte(read(t, file))))
	if len(code) < 10 {
		t.Fatalf("only %d settings were found: %v", len(code), code)
	}
	told := map[string]string{}
	for _, m := range settingRow.FindAllStringSubmatch(read(t, "README.md"), -1) {
		told[m[1]] = m[2]
	}
	for name, standard := range code {
		says, ok := told[name]
		switch {
		case !ok:
			t.Errorf("README does not tell of %s", name)
		case standard != "" && says != "`"+standard+"`":
			t.Errorf("%s: README says %q, the default is %q", name, says, standard)
		case standard == "" && regexp.MustCompile("^`[^`]*`$").MatchString(says):
			t.Errorf("%s: README says %q, the program has no default", name, says)
		}
	}
	for name := range told {
		if _, ok := code[name]; !ok {
			t.Errorf("README tells of %s, which the program does not know", name)
		}
	}
}

var (
	markdownLink = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading      = regexp.MustCompile(`(?m)^#+ (.+)$`)
	fenced       = regexp.MustCompile("(?ms)^ *```.*?^ *```")
	notInAnchor  = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// anchors gives the names under which the headings of a text can be linked.
func anchors(text string) []string {
	var all []string
	for _, m := range heading.FindAllStringSubmatch(fenced.ReplaceAllString(text, ""), -1) {
		name := notInAnchor.ReplaceAllString(strings.ToLower(m[1]), "")
		all = append(all, strings.ReplaceAll(name, " ", "-"))
	}
	return all
}

// brokenLinks gives the links of a text that lead nowhere; file reads another text and tells whether there is one.
func brokenLinks(from, text string, file func(string) (string, bool)) []string {
	var broken []string
	for _, m := range markdownLink.FindAllStringSubmatch(fenced.ReplaceAllString(text, ""), -1) {
		if strings.Contains(m[1], "://") {
			continue
		}
		to, anchor, _ := strings.Cut(m[1], "#")
		target, ok := text, true
		if to != "" {
			target, ok = file(path.Join(path.Dir(from), to))
		}
		if !ok || anchor != "" && !slices.Contains(anchors(target), anchor) {
			broken = append(broken, m[1])
		}
	}
	return broken
}

// TestLinksOfTheDocs holds that links between the texts lead somewhere, and that every text can be found from README.
func TestLinksOfTheDocs(t *testing.T) {
	linked := map[string]bool{"README.md": true}
	file := func(name string) (string, bool) {
		linked[name] = true
		src, err := os.ReadFile(name)
		if info, e := os.Stat(name); e == nil && info.IsDir() {
			return "", true
		}
		return string(src), err == nil
	}
	all := files(t, ".md")
	for _, name := range all {
		for _, to := range brokenLinks(name, read(t, name), file) {
			t.Errorf("%s: the link to %s leads nowhere", name, to)
		}
	}
	for _, name := range all {
		if !linked[name] {
			t.Errorf("%s: no other text links to it", name)
		}
	}
}

func TestBrokenLinks(t *testing.T) {
	const text = "# One, two\n```sh\n# no heading [x](nowhere.md)\n```\n[a](#one-two) [b](#no-heading-xnowheremd) [c](other.md#three) [d](other.md#four) [e](gone.md) [f](https://example.com/x)"
	got := brokenLinks("docs/a.md", text, func(name string) (string, bool) { return "## Three", name == "docs/other.md" })
	if want := []string{"#no-heading-xnowheremd", "other.md#four", "gone.md"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

var makeWord = regexp.MustCompile("(?m)(?:`|^)make ([a-z]+)")

// TestMakeTargets holds that the texts and the checks name only targets that exist, and that each says what it does.
func TestMakeTargets(t *testing.T) {
	targets := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^([a-z-]+):.*?(## .+)?$`).FindAllStringSubmatch(read(t, "Makefile"), -1) {
		targets[m[1]] = true
		if m[2] == "" {
			t.Errorf("make help does not show %s", m[1])
		}
	}
	for _, name := range append(files(t, ".md"), ".ci/run", ".ci/check", ".golangci.yml") {
		for _, m := range makeWord.FindAllStringSubmatch(read(t, name), -1) {
			if !targets[m[1]] {
				t.Errorf("%s names make %s, which the Makefile does not have", name, m[1])
			}
		}
	}
}

var codeName = regexp.MustCompile("`(models|service)\\.([A-Z][A-Za-z]*)(?:\\.([A-Z][A-Za-z]*))?`")

// TestGlossaryNamesCode holds that what the glossary and the records name in models and service is there.
func TestGlossaryNamesCode(t *testing.T) {
	names := map[string]bool{}
	for _, f := range sources(t) {
		if f.pkg != "models" && f.pkg != "service" {
			continue
		}
		ast.Inspect(f.tree, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok {
				names[f.pkg+"."+id.Name] = true
			}
			return true
		})
	}
	for _, doc := range files(t, ".md") {
		for _, m := range codeName.FindAllStringSubmatch(read(t, doc), -1) {
			for _, name := range m[2:] {
				if name != "" && !names[m[1]+"."+name] {
					t.Errorf("%s: %s names what is not in %s", doc, m[0], m[1])
				}
			}
		}
	}
}

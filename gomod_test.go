package kanal_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// requirement is one line of go.mod.
type requirement struct {
	module   string
	indirect bool
}

var requireLine = regexp.MustCompile(`(?m)^\s*(?:require\s+)?(\S+\.\S+/\S*|\S+\.\S+)\s+v\S+(\s+// indirect)?$`)

func requirements(t *testing.T) []requirement {
	t.Helper()
	src, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	var all []requirement
	for _, m := range requireLine.FindAllStringSubmatch(string(src), -1) {
		all = append(all, requirement{module: m[1], indirect: m[2] != ""})
	}
	if len(all) < 10 {
		t.Fatalf("only %d requirements were read", len(all))
	}
	return all
}

// untidy gives what is wrong with the requirements when these packages are imported, or run as tools.
func untidy(all []requirement, used []string) []string {
	direct := map[string]bool{}
	for _, path := range used {
		module := ""
		for _, r := range all {
			if len(r.module) > len(module) && matches(r.module+"/...", path) {
				module = r.module
			}
		}
		direct[module] = true
	}
	var wrong []string
	for _, r := range all {
		switch {
		case r.indirect && direct[r.module]:
			wrong = append(wrong, r.module+" is imported: it is not indirect")
		case !r.indirect && !direct[r.module]:
			wrong = append(wrong, r.module+" is imported by no file")
		}
	}
	return wrong
}

// TestGoModIsTidy holds go.mod to what is imported. go mod tidy says more, but asks for modules that nothing here needs.
func TestGoModIsTidy(t *testing.T) {
	var used []string
	for _, f := range sources(t) {
		for _, path := range f.imports() {
			if strings.Contains(strings.Split(path, "/")[0], ".") {
				used = append(used, path)
			}
		}
	}
	used = append(used, "github.com/a-h/templ/cmd/templ")
	for _, why := range untidy(requirements(t), used) {
		t.Error(why)
	}
}

func TestUntidy(t *testing.T) {
	all := []requirement{{"a.example/x", false}, {"a.example/x/y", true}, {"b.example/z", true}}
	for used, want := range map[string]string{
		"a.example/x":                           "",
		"a.example/x/q":                         "",
		"a.example/x a.example/x/y/deep":        "a.example/x/y is imported: it is not indirect",
		"b.example/z":                           "a.example/x is imported by no file; b.example/z is imported: it is not indirect",
		"a.example/x b.example/zz c.example/no": "",
	} {
		got := strings.Join(slices.Sorted(slices.Values(untidy(all, strings.Fields(used)))), "; ")
		if got != want {
			t.Errorf("%s: got %q, want %q", used, got, want)
		}
	}
}

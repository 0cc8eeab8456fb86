package kanal_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// testName finds the tests of a file.
var testName = regexp.MustCompile(`(?m)^func (Test\w+)`)

// What -short leaves out, make test runs once more without the race detector: the Makefile names every package that
// leaves something out, whole or with a pattern that all tests of the file match.
func TestWhatIsLeftOutIsRun(t *testing.T) {
	run := map[string]*regexp.Regexp{}
	for line := range strings.Lines(read(t, "Makefile")) {
		if !strings.Contains(line, "chromium $(GO) test") {
			continue
		}
		words, only := strings.Fields(line), ""
		if i := slices.Index(words, "-run"); i >= 0 {
			only = words[i+1]
		}
		for _, word := range words {
			run[word] = regexp.MustCompile(only)
		}
	}
	found := 0
	for _, path := range files(t, "_test.go") {
		source := read(t, path)
		if path == "slow_test.go" || !strings.Contains(source, "testing.Short()") && !strings.Contains(source, "browsertest.") {
			continue
		}
		pkg := "./" + path[:strings.LastIndex(path, "/")]
		for _, name := range testName.FindAllStringSubmatch(source, -1) {
			found++
			if only := run[pkg]; only == nil || !only.MatchString(name[1]) {
				t.Errorf("%s leaves tests out, and make test does not run %s of %s without -short", path, name[1], pkg)
			}
		}
	}
	if found == 0 {
		t.Error("nothing leaves tests out")
	}
}

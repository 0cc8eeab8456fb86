package kanal_test

import (
	"slices"
	"strings"
	"testing"
)

// What -short leaves out, make test runs once more without the race detector: the Makefile names every package that
// leaves something out.
func TestWhatIsLeftOutIsRun(t *testing.T) {
	var run []string
	for line := range strings.Lines(read(t, "Makefile")) {
		if strings.Contains(line, "chromium $(GO) test") {
			run = append(run, strings.Fields(line)...)
		}
	}
	found := 0
	for _, path := range files(t, "_test.go") {
		source := read(t, path)
		if path == "slow_test.go" || !strings.Contains(source, "testing.Short()") && !strings.Contains(source, "browsertest.") {
			continue
		}
		found++
		if pkg := "./" + path[:strings.LastIndex(path, "/")]; !slices.Contains(run, pkg) {
			t.Errorf("%s leaves tests out, and make test does not run %s without -short", path, pkg)
		}
	}
	if found == 0 {
		t.Error("nothing leaves tests out")
	}
}

package models_test

import (
	"os"
	"strings"
	"testing"
)

// documented reads a table of docs/conversation-states.md: the text at (row, column) by their headings. The column that
// names the row is rowBy.
func documented(t *testing.T, table string, rowBy int) map[string]map[string]string {
	t.Helper()
	src, err := os.ReadFile("../docs/conversation-states.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(src), "<!-- table: "+table+" -->\n")
	if !found {
		t.Fatalf("there is no table %q", table)
	}
	lines := strings.Split(rest, "\n")
	head, cells := row(lines[0]), map[string]map[string]string{}
	for _, line := range lines[2:] {
		if !strings.HasPrefix(line, "|") {
			break
		}
		r := row(line)
		if len(r) != len(head) {
			t.Fatalf("%d cells instead of %d: %s", len(r), len(head), line)
		}
		cells[r[rowBy]] = map[string]string{}
		for i := rowBy + 1; i < len(r); i++ {
			cells[r[rowBy]][head[i]] = r[i]
		}
	}
	return cells
}

func row(line string) []string {
	parts := strings.Split(strings.Trim(line, "|"), "|")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return parts
}

package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// figure is one line of the table.
type figure struct {
	what   string
	value  string
	target string // "" for none
	met    bool
}

type figures []figure

// report is the table: lines in the order of the first database, a column for each.
type report struct {
	at            time.Time
	machine       string
	conversations int
	titles        []string
	columns       []figures
}

func (r *report) add(title string, f figures) {
	r.titles, r.columns = append(r.titles, title), append(r.columns, f)
}

// String gives the report in Markdown.
func (r report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s. %s\n\n%d conversations with %d messages in the database; PostgreSQL with its default durability, SQLite with `synchronous=FULL`.\n\n",
		r.at.Format("2006-01-02"), r.machine, r.conversations, r.conversations*10)
	fmt.Fprintf(&b, "| | %s | target |\n|---|%s---|\n", strings.Join(r.titles, " | "), strings.Repeat("---|", len(r.titles)))
	for i := range r.columns[0] {
		target := ""
		fmt.Fprintf(&b, "| %s |", r.columns[0][i].what)
		for _, c := range r.columns {
			fmt.Fprintf(&b, " %s |", c[i].shown())
			if c[i].target != "" {
				target = c[i].target
			}
		}
		fmt.Fprintf(&b, " %s |\n", target)
	}
	return b.String()
}

// shown gives the value; one that misses its target is bold.
func (f figure) shown() string {
	if f.target != "" && !f.met {
		return "**" + f.value + "**"
	}
	return f.value
}

// Marks between which a file holds the table.
const (
	beginMark = "<!-- figures: make bench-docs -->\n"
	endMark   = "<!-- end of figures -->\n"
)

// into replaces the table in a file.
func (r report) into(path string) error {
	b, err := os.ReadFile(path) //nolint:gosec // the file that was asked for
	if err != nil {
		return err
	}
	before, rest, begins := strings.Cut(string(b), beginMark)
	_, after, ends := strings.Cut(rest, endMark)
	if !begins || !ends {
		return fmt.Errorf("%s has no marks for the figures", path)
	}
	return os.WriteFile(path, []byte(before+beginMark+r.String()+endMark+after), 0o644) //nolint:gosec // a document
}

// describeMachine says on what was measured, in one line.
func describeMachine(dir string) string {
	parts := []string{fmt.Sprintf("%d cores", runtime.NumCPU())}
	if gib := memory(); gib > 0 {
		parts = append(parts, fmt.Sprintf("%.0f GiB of memory", gib))
	}
	if d, err := syncTime(dir); err == nil {
		parts = append(parts, fmt.Sprintf("a disk that syncs 4 KiB in %s ms", strconv.FormatFloat(float64(d)/float64(time.Millisecond), 'f', 2, 64)))
	}
	return strings.Join(append(parts, fmt.Sprintf("%s on %s/%s", strings.Replace(runtime.Version(), "go", "Go ", 1), runtime.GOOS, runtime.GOARCH)), ", ") +
		"; program, database and load generator share them."
}

// memory gives the machine's memory in GiB, 0 when the system does not say.
func memory() float64 {
	b, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "MemTotal:"); ok {
			kib, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kib / (1 << 20)
		}
	}
	return 0
}

// syncTime gives the median time in which the disk keeps one page for good: it bounds what a database can commit.
func syncTime(dir string) (time.Duration, error) {
	f, err := os.CreateTemp(dir, "sync-")
	if err != nil {
		return 0, err
	}
	defer func() { _ = f.Close(); _ = os.Remove(f.Name()) }()
	page := make([]byte, 4096)
	var took []time.Duration
	for range 50 {
		began := time.Now()
		if _, err := f.Write(page); err != nil {
			return 0, err
		}
		if err := f.Sync(); err != nil {
			return 0, err
		}
		took = append(took, time.Since(began))
	}
	return quantile(took, 0.5), nil
}

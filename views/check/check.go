// Package check holds the page of the connection check and the report that is copied, which the command line prints, too.
package check

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"kanal/models"
	"kanal/views/i18n"
)

// The addresses of the page: as it follows the check, as it is without script, and where its script reads what it follows.
const (
	URL      = "/admin/check"
	WholeURL = URL + "?whole=1"
	RowsURL  = URL + "/rows"
)

// Page is a connection check, finished or under way. Version is that of the program.
type Page struct {
	Found   []models.Finding
	Now     time.Time
	Version string
}

// Ended gives the page with what a part of the check has found.
func (p Page) Ended(part string, found []models.Finding) Page {
	is := func(f models.Finding) bool { return f.Part == part }
	if at := slices.IndexFunc(p.Found, is); at >= 0 {
		p.Found = slices.Insert(slices.DeleteFunc(slices.Clone(p.Found), is), at, found...)
	}
	return p
}

// Running tells whether a part has not ended yet.
func (p Page) Running() bool { return p.count(models.VerdictRunning) > 0 }

// The ids of what replaces itself while the check runs.
const (
	summaryID = "check-summary"
	reportID  = "check-report"
	copyID    = "check-copy"
)

func rowID(part string) string { return "check-row-" + part }

// Change gives what replaces the elements with these ids once a part has ended: its rows and the summary, and after the
// last one the report and the button that copies it.
func (p Page) Change(part string, found []models.Finding) map[string]templ.Component {
	change := map[string]templ.Component{rowID(part): rows(found, p), summaryID: summary(p)}
	if !p.Running() {
		change[reportID], change[copyID] = report(p), copyReport(p)
	}
	return change
}

// group gives the findings of one part.
func (p Page) group(g models.CheckGroup) []models.Finding {
	return slices.DeleteFunc(slices.Clone(p.Found), func(f models.Finding) bool { return f.Group != g })
}

func (p Page) count(v models.Verdict) (n int) {
	for _, f := range p.Found {
		if f.Verdict == v {
			n++
		}
	}
	return n
}

// Failed tells whether a check has failed.
func Failed(found []models.Finding) bool {
	return slices.ContainsFunc(found, func(f models.Finding) bool { return f.Verdict == models.VerdictFailed })
}

// sum is what stands on top, and the kind of its banner.
func (p Page) sum(ctx context.Context) (kind, title string) {
	failed, warned := p.count(models.VerdictFailed), p.count(models.VerdictWarning)
	errs, warnings := i18n.N(ctx, "check.n_failed", failed), i18n.N(ctx, "check.n_warnings", warned)
	switch {
	case p.Running():
		return "i", i18n.N(ctx, "check.n_running", p.count(models.VerdictRunning))
	case failed > 0 && warned > 0:
		return "e", i18n.T(ctx, "check.both", "failed", errs, "warnings", warnings)
	case failed > 0:
		return "e", errs
	case warned > 0:
		return "w", warnings
	}
	return "s", i18n.T(ctx, "check.all_ok")
}

// wrong says below it which checks are to be mended and which one first; "" while the check runs and when there is none.
// Numbers are written by number.
func (p Page) wrong(ctx context.Context, number func(string) string) string {
	if p.Running() {
		return ""
	}
	var said, all []string
	for _, v := range []models.Verdict{models.VerdictFailed, models.VerdictWarning} {
		if names := p.names(ctx, v, number); len(names) > 0 {
			said, all = append(said, i18n.T(ctx, "check.which_"+string(v), "names", listed(ctx, names))), append(all, names...)
		}
	}
	switch len(all) {
	case 0:
		return ""
	case 1:
		said = append(said, i18n.T(ctx, "check.only"))
	default:
		said = append(said, i18n.T(ctx, "check.first", "name", all[0]))
	}
	return strings.Join(said, " ")
}

// names gives those of the findings with a verdict; the account's, too, when there are several.
func (p Page) names(ctx context.Context, v models.Verdict, number func(string) string) (names []string) {
	for _, f := range p.Found {
		if f.Verdict == v {
			names = append(names, name(ctx, f, number, p.accounts() > 1))
		}
	}
	return names
}

func (p Page) accounts() int {
	names := map[string]bool{}
	for _, f := range p.Found {
		if f.Account != "" {
			names[f.Account] = true
		}
	}
	return len(names)
}

// name is what a finding is about, with its number as number writes it.
func name(ctx context.Context, f models.Finding, number func(string) string, account bool) string {
	s := i18n.T(ctx, "check.name."+f.Check)
	if f.Number != "" {
		s += " " + number(f.Number)
	}
	if account && f.Account != "" {
		s += " (" + f.Account + ")"
	}
	return s
}

// maxListed is how many names a sentence holds; of more the rest is counted.
const maxListed = 5

func listed(ctx context.Context, names []string) string {
	if len(names) > maxListed {
		more := i18n.T(ctx, "check.more", "n", len(names)-maxListed+1)
		names = append(slices.Clone(names[:maxListed-1]), more)
	}
	return strings.Join(names, ", ")
}

// look is how a verdict is shown: the icon, its colour, and the kind of the chip.
type look struct{ icon, class, chip string }

func lookOf(v models.Verdict) look {
	switch v {
	case models.VerdictOK:
		return look{"ok", "c-s", "s"}
	case models.VerdictWarning:
		return look{"alert", "c-w", "w"}
	case models.VerdictFailed:
		return look{"no", "c-e", "e"}
	}
	return look{"skip", "c-n", ""}
}

// state is the word for a verdict, with the time that the check took when it is worth telling.
func state(ctx context.Context, f models.Finding) string {
	word := i18n.T(ctx, "check.verdict."+string(f.Verdict))
	if f.Took >= time.Millisecond && (f.Verdict == models.VerdictOK || f.Verdict == models.VerdictWarning) {
		return fmt.Sprintf("%s · %d ms", word, f.Took.Milliseconds())
	}
	return word
}

// say writes a phrase in the reader's language.
func say(ctx context.Context, p models.Phrase, now time.Time) string {
	args := slices.Clone(p.Args)
	count, counts := 0, false
	for i := 1; i < len(args); i += 2 {
		switch v := args[i].(type) {
		case time.Time:
			args[i] = i18n.DateTime(ctx, v, now)
		case time.Duration:
			args[i] = duration(ctx, v)
		case models.Bytes:
			args[i] = size(ctx, v)
		case int:
			if args[i-1] == "n" {
				count, counts = v, true
			}
		}
	}
	if counts {
		return i18n.N(ctx, p.Key, count, args...)
	}
	return i18n.T(ctx, p.Key, args...)
}

func duration(ctx context.Context, d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < 2*time.Minute:
		return i18n.N(ctx, "check.seconds", int(d.Seconds()))
	}
	return i18n.N(ctx, "check.minutes", int(d.Minutes()))
}

// size writes an amount of data in whole or tenth gigabytes.
func size(ctx context.Context, b models.Bytes) string {
	if b < 1e9 {
		return i18n.Size(ctx, int64(b))
	}
	s := strconv.FormatFloat(float64(b)/1e9, 'f', 1, 64)
	if i18n.From(ctx).Lang == i18n.NB {
		s = strings.Replace(s, ".", ",", 1)
	}
	return s + " GB"
}

// Report is the check as plain text. Phone numbers are shortened; secrets are in no finding.
func (p Page) Report(ctx context.Context) string {
	var b strings.Builder
	_, sum := p.sum(ctx)
	_, _ = fmt.Fprintf(&b, "%s, Kanal %s, %s\n%s\n", i18n.T(ctx, "check.title"), p.Version, i18n.DateTime(ctx, p.Now), sum)
	if wrong := p.wrong(ctx, models.Masked); wrong != "" {
		_, _ = fmt.Fprintln(&b, wrong)
	}
	for _, g := range models.CheckGroups() {
		found := p.group(g)
		if len(found) == 0 {
			continue
		}
		_, _ = fmt.Fprintf(&b, "\n%s\n", i18n.T(ctx, "check.group."+string(g)))
		for _, f := range found {
			_, _ = fmt.Fprintf(&b, "[%s] %s: %s\n", i18n.T(ctx, "check.verdict."+string(f.Verdict)), name(ctx, f, models.Masked, true), say(ctx, f.Fact, p.Now))
			if f.Remedy.Key != "" {
				_, _ = fmt.Fprintf(&b, "    %s\n", say(ctx, f.Remedy, p.Now))
			}
		}
	}
	return b.String()
}

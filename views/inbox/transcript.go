package inbox

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/a-h/templ"

	"kanal/models"
	"kanal/views/i18n"
)

// TranscriptPart is some messages of a transcript with their files.
type TranscriptPart struct {
	Messages []models.Message
	Files    map[models.MessageID][]models.File
}

// Transcript is a whole conversation, to be printed or kept. Next gives its messages part by part, the first first; a part
// without messages is the end.
type Transcript struct {
	Row  models.ConversationRow
	Now  time.Time
	Zone string
	Next func(ctx context.Context) (TranscriptPart, error)
}

// entry is a message as a transcript tells it.
type entry struct {
	at     time.Time
	author string // "" for a line of Kanal's own
	text   string
	notes  []string // kind, files, and what became of it when it did not arrive
}

func (t Transcript) entry(ctx context.Context, m models.Message, files []models.File) entry {
	e := entry{at: m.CreatedAt}
	if m.Direction == models.System {
		e.text = i18n.T(ctx, m.Body, "name", m.UserName)
		return e
	}
	e.text = told(ctx, m)
	switch {
	case m.Direction == models.In:
		e.author = name(t.Row)
	case m.Trigger != "":
		e.author = i18n.T(ctx, "thread.automated")
	default:
		e.author = m.UserName
	}
	if len(files) == 0 && m.Kind != models.KindText && m.Kind != models.KindTemplate {
		e.notes = append(e.notes, kindName(ctx, m.Kind))
	}
	if empty(m, files) {
		e.notes = append(e.notes, i18n.T(ctx, "kind.empty"))
	}
	for _, f := range files {
		e.notes = append(e.notes, fileNote(ctx, m, f))
	}
	if m.State.Final() || m.State == models.Uncertain {
		e.notes = append(e.notes, i18n.T(ctx, "msg."+string(m.State)))
	}
	return e
}

// told is all that a message says in words: its text, and what its kind shows of it.
func told(ctx context.Context, m models.Message) string {
	var lines []string
	add := func(words ...string) {
		if words = slices.DeleteFunc(words, func(s string) bool { return s == "" }); len(words) > 0 {
			lines = append(lines, strings.Join(words, ", "))
		}
	}
	d := m.Details
	add(text(m))
	if d.Choice != nil {
		add(choiceTitle(ctx, *d.Choice), d.Choice.Description)
	}
	if d.Place != nil {
		add(d.Place.Label, d.Place.Address, coordinates(*d.Place))
	}
	for _, c := range d.Cards {
		add(slices.Concat([]string{c.Name, c.Org}, c.Phones, c.Emails)...)
	}
	for _, a := range d.Flow {
		field, value := answer(a)
		add(field + ": " + value)
	}
	if d.Referral != nil {
		add(d.Referral.Headline, d.Referral.Body, d.Referral.URL)
	}
	return strings.Join(lines, "\n")
}

// fileNote says what a file is and names it as the thread does.
func fileNote(ctx context.Context, m models.Message, f models.File) string {
	s := kindName(ctx, m.Kind) + ": " + FileName(ctx, f)
	if f.ContentType != "" {
		s += " (" + f.ContentType + ")"
	}
	return s
}

// each runs f on every message, part by part.
func (t Transcript) each(ctx context.Context, f func(entry) error) error {
	for {
		p, err := t.Next(ctx)
		if err != nil || len(p.Messages) == 0 {
			return err
		}
		for _, m := range p.Messages {
			if err := f(t.entry(ctx, m, p.Files[m.ID])); err != nil {
				return err
			}
		}
	}
}

// entries writes every message as it is read: a long conversation is never whole in memory.
func (t Transcript) entries() templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		day := ""
		return t.each(ctx, func(e entry) error {
			if d := i18n.Date(ctx, e.at); d != day {
				day = d
				if err := transcriptDay(d).Render(ctx, w); err != nil {
					return err
				}
			}
			return transcriptEntry(e).Render(ctx, w)
		})
	})
}

// head are the lines that say what this is.
func (t Transcript) head(ctx context.Context) []string {
	lines := []string{
		i18n.T(ctx, "thread.label", "name", name(t.Row)), address(t.Row),
		i18n.T(ctx, "side.number") + ": " + t.Row.NumberName + " " + i18n.Phone(t.Row.NumberAddress),
		i18n.T(ctx, "side.started") + ": " + i18n.DateTime(ctx, t.Row.OpenedAt),
		i18n.T(ctx, "transcript.made", "when", i18n.DateTime(ctx, t.Now), "zone", t.Zone),
	}
	if lines[0] == i18n.T(ctx, "thread.label", "name", lines[1]) {
		lines = append(lines[:1], lines[2:]...)
	}
	return lines
}

// Text writes the transcript as plain text. A line of a message that follows its first is indented, so that nobody can
// write what looks like another message.
func (t Transcript) Text(ctx context.Context, w io.Writer) error {
	for _, line := range t.head(ctx) {
		if _, err := fmt.Fprintf(w, "%s\r\n", oneLine(line)); err != nil {
			return err
		}
	}
	return t.each(ctx, func(e entry) error {
		_, err := io.WriteString(w, e.line(ctx))
		return err
	})
}

func (e entry) line(ctx context.Context) string {
	text := strings.ReplaceAll(printable(e.text), "\n", "\r\n    ")
	for _, n := range e.notes {
		text = strings.TrimSpace(text + " [" + oneLine(n) + "]")
	}
	at := i18n.Date(ctx, e.at) + " " + i18n.Seconds(ctx, e.at)
	if e.author == "" {
		return fmt.Sprintf("\r\n[%s] * %s\r\n", at, text)
	}
	return fmt.Sprintf("\r\n[%s] %s: %s\r\n", at, oneLine(e.author), text)
}

// printable drops what is no text in a file of text: control characters, and marks that turn the direction of what
// follows.
func printable(s string) string {
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u2028", "\n", "\u2029", "\n", "\u0085", "\n").Replace(s)
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\t':
			return r
		case unicode.IsControl(r), r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069':
			return -1
		}
		return r
	}, s)
}

func oneLine(s string) string { return strings.ReplaceAll(printable(s), "\n", " ") }

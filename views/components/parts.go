package components

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/a-h/templ"

	"kanal/models"
	"kanal/views/i18n"
)

// Step is one step of a wizard as its side shows it.
type Step struct {
	Label, Detail, URL string
	Done, Now          bool
}

// now gives the number of the current step, from 1, and its label.
func now(steps []Step) (int, string) {
	for i, s := range steps {
		if s.Now {
			return i + 1, s.Label
		}
	}
	return 0, ""
}

// Tab is one of a row of links.
type Tab struct {
	Label, URL, Count string
	Now               bool
	Attrs             templ.Attributes // such as hx-get
}

// Crumb is one link of the way to a page. The last one is the page itself and has no URL.
type Crumb struct{ Label, URL string }

// Task is one line of a task list. State is done, doing, todo or later; a later one is no link and Text says why.
type Task struct {
	Label, Text, URL, State string
	N                       int // its number on the page when there are several lists; 0 counts from 1
}

func (t Task) number(i int) string {
	if t.N == 0 {
		return strconv.Itoa(i + 1)
	}
	return strconv.Itoa(t.N)
}

func taskChip(state string) string {
	switch state {
	case "done":
		return "chip chip--s"
	case "doing":
		return "chip chip--i"
	}
	return "chip"
}

// tickIcon is the picture of a message's state; its word is beside it.
func tickIcon(s models.MessageState) (icon, class string) {
	switch s {
	case models.Accepted, models.Sent:
		return "tick", ""
	case models.Delivered:
		return "ticks", ""
	case models.Read:
		return "ticks", "is-read"
	}
	return "clock", "ic--xs"
}

// StateWord gives the word for a message's state: Sending, Sent, Delivered, Read, Not sent.
func StateWord(ctx context.Context, s models.MessageState) string {
	switch s {
	case models.Queued, models.Sending:
		return i18n.T(ctx, "status.sending")
	case models.Accepted:
		return i18n.T(ctx, "status.sent")
	case models.Undelivered, models.Canceled:
		return i18n.T(ctx, "status.failed")
	}
	return i18n.T(ctx, "status."+string(s))
}

// windowClass is the colour of a reply window.
func windowClass(left time.Duration) string {
	switch {
	case left < models.WindowLastAt:
		return "win--e"
	case left < models.WindowSoonAt:
		return "win--w"
	}
	return "win--ok"
}

// ringDash draws what is left of the window as a part of a circle of length 100.
func ringDash(left time.Duration) string {
	return fmt.Sprintf("%d 100", int(math.Ceil(100*left.Hours()/models.ServiceWindowLength.Hours())))
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// Pager is a list's way to more of it: the address of the same page with more rows, and the list in it, such as
// "#list". Without a list the link is a plain one; without an address there is no more.
type Pager struct {
	URL, Target string
}

// presenceShapes are drawn so that each status differs by its shape, not only by its colour.
var presenceShapes = map[string]string{"available": "on", "busy": "busy", "away": "away", "offline": "off"}

// Number writes a number.
func Number(n int) string { return strconv.Itoa(n) }

// BadgeText shortens a number to what fits in a badge.
func BadgeText(n int) string {
	if n > 99 {
		return "99+"
	}
	return strconv.Itoa(n)
}

// Package quarantine holds the pages of calls of Twilio's that could not be taken in.
package quarantine

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"kanal/models"
	"kanal/views/components"
	"kanal/views/i18n"
)

// ListURL is the page of all calls in quarantine.
const ListURL = "/admin/quarantine"

// URL is the page of one call.
func URL(id models.QuarantineID) string { return ListURL + "/" + strconv.FormatInt(int64(id), 10) }

// List is what the page of all calls shows.
type List struct {
	Done   bool // those that are done, not those that wait
	Rows   []models.QuarantineRow
	Counts map[string]int // of those that wait, by reason
	Older  string         // address of the next page; "" is the last one
	Now    time.Time
}

func (l List) waiting() (n int) {
	for _, c := range l.Counts {
		n += c
	}
	return n
}

func (l List) tabs(ctx context.Context) []components.Tab {
	return []components.Tab{
		{Label: i18n.T(ctx, "quarantine.waiting"), URL: ListURL, Now: !l.Done, Count: components.Number(l.waiting())},
		{Label: i18n.T(ctx, "quarantine.done"), URL: ListURL + "?show=done", Now: l.Done},
	}
}

// reasons are those for which calls wait.
func (l List) reasons() []string {
	return slices.DeleteFunc(models.QuarantineReasons(), func(r string) bool { return l.Counts[r] == 0 })
}

// Call is what the page of one call shows.
type Call struct {
	Row    models.QuarantineRow
	Errors components.Errors
	Now    time.Time
}

// field is one value of a form.
type field struct{ name, value string }

// fields are the values of a form, by name.
func fields(form string) []field {
	values, _ := url.ParseQuery(form)
	var out []field
	for name, list := range values {
		for _, v := range list {
			out = append(out, field{name, strings.ToValidUTF8(v, "\uFFFD")})
		}
	}
	slices.SortStableFunc(out, func(a, b field) int { return strings.Compare(a.name, b.name) })
	return out
}

// party gives an address of a form, masked: enough to know it again, not enough to write to it.
func party(form, name string) string {
	values, _ := url.ParseQuery(form)
	address := []rune(strings.TrimPrefix(strings.ToValidUTF8(values.Get(name), ""), "whatsapp:"))
	switch {
	case len(address) == 0:
		return "–"
	case len(address) < 9:
		return "•••"
	}
	return string(address[:3]) + " ••• " + string(address[len(address)-3:])
}

func state(q models.Quarantine) (kind, key string) {
	switch {
	case q.ReplayedAt != nil:
		return "s", "quarantine.state.replayed"
	case q.DiscardedAt != nil:
		return "", "quarantine.state.discarded"
	}
	return "w", "quarantine.state.waiting"
}

func tries(ctx context.Context, r models.QuarantineRow) string {
	if r.TriedAt == nil {
		return i18n.T(ctx, "quarantine.never")
	}
	return i18n.N(ctx, "quarantine.tries", max(r.Tries, 1))
}

// Title is the title of the page of one call.
func Title(ctx context.Context, c Call) string {
	return i18n.T(ctx, "quarantine.title", "when", i18n.DateTime(ctx, c.Row.ReceivedAt, c.Now))
}

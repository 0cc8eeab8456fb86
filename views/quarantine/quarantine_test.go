package quarantine

import (
	"strings"
	"testing"
	"time"

	"kanal/models"
	"kanal/views/components"
	"kanal/views/i18n"
	"kanal/views/viewtest"
)

var noon = time.Date(2026, 11, 23, 11, 0, 0, 0, time.UTC)

func someRow(kind, reason string) models.QuarantineRow {
	form := "Body=%3Cb%3Esecret%FF&From=whatsapp%3A%2B4790012345&To=whatsapp%3AMX.1A2B3C4D5E"
	return models.QuarantineRow{
		Quarantine:  models.Quarantine{ID: 7, Kind: kind, Reason: reason, Form: form, Query: "m=7&n=1", ReceivedAt: noon, TriedAt: &noon, Problem: reason},
		AccountName: "<Norway>", TriedByName: "Ingrid", Tries: 2,
	}
}

// Every reason and kind has its sentences; a list shows no word of a customer and no whole address.
func TestPagesKeepTheRules(t *testing.T) {
	l := List{Counts: map[string]int{}, Older: ListURL + "?before=7", Now: noon}
	for i, kind := range []string{"inbound", "status", "fallback", "debug"} {
		reason := models.QuarantineReasons()[i]
		l.Counts[reason] = i + 1
		row := someRow(kind, reason)
		row.ID += models.QuarantineID(i)
		l.Rows = append(l.Rows, row)
		c := Call{Row: row, Now: noon, Errors: components.Errors{}.With("", "Still")}
		viewtest.Each(t, Open(c), func(t *testing.T, _ i18n.Lang, page string) {
			if !strings.Contains(page, "&lt;b&gt;secret") || !strings.Contains(page, "+4790012345") {
				t.Error("the form is not there")
			}
		})
	}
	l.Rows[1].ReplayedAt, l.Rows[2].DiscardedAt = &noon, &noon
	viewtest.Each(t, Show(l), func(t *testing.T, _ i18n.Lang, page string) {
		if strings.Contains(page, "secret") || strings.Contains(page, "90012345") || strings.Contains(page, "1A2B") || !strings.Contains(page, "+47 ••• 345") {
			t.Error("what the list must not show")
		}
	})
	viewtest.Each(t, Show(List{Now: noon}), nil)
	viewtest.Each(t, Show(List{Done: true, Now: noon}), nil)
}

func TestParty(t *testing.T) {
	for form, want := range map[string]string{"": "–", "From=whatsapp%3A%2B47123": "•••", "From=%2B4790012345": "+47 ••• 345"} {
		if got := party(form, "From"); got != want {
			t.Errorf("%s: %s", form, got)
		}
	}
}

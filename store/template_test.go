package store_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kanal/models"
	"kanal/store"
	"kanal/store/storetest"
)

var templatesMade atomic.Int64

// template inserts a template with what every one has.
func template(t *testing.T, s *store.Store, a models.AccountID, change func(*models.Template)) models.Template {
	t.Helper()
	m := models.Template{
		AccountID: a, Name: "order_ready", Language: "nb", Kind: models.KindOfText, Body: "Hei {{1}}.", Status: models.TemplateApproved,
		Source: models.TemplateTwilio, Version: 1, CreatedAt: s.Now(), UpdatedAt: s.Now(),
	}
	m.ContentSID = fmt.Sprintf("HX%032x", templatesMade.Add(1))
	change(&m)
	if err := s.InTx(ctx, func(tx *store.Tx) error { m.ID = 0; return tx.InsertTemplate(ctx, &m) }); err != nil {
		t.Fatal(err)
	}
	return m
}

func named[T any](ts []T, name func(T) string) string {
	var names []string
	for _, x := range ts {
		names = append(names, name(x))
	}
	return strings.Join(names, " ")
}

func ofTemplate(m models.Template) string { return m.Name + "/" + m.Language }

func TestUsableTemplates(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, _ *storetest.Clock) {
		a, other := accountWithToken(t, s, "one"), accountWithToken(t, s, "two")
		add := func(name, language string, change func(*models.Template)) models.Template {
			return template(t, s, a, func(m *models.Template) {
				m.Name, m.Language = name, language
				if change != nil {
					change(m)
				}
			})
		}
		var all []models.Template
		all = append(all, add("b", "nb", nil), add("A", "en_GB", nil), add("c", "en", nil), add("d", "en_US", nil))
		all = append(all, add("typed", "nb", func(m *models.Template) {
			m.ContentSID, m.Kind, m.Status, m.Source = "", "", models.TemplateNone, models.TemplateTyped
		}))
		all = append(all, add("asked", "nb", func(m *models.Template) { m.Status = models.TemplateUnsubmitted }))
		all = append(all, add("link", "nb", func(m *models.Template) {
			m.Status, m.Types = models.TemplateUnsubmitted, `{"twilio/call-to-action":{"body":"b"}}`
		}))
		for _, status := range []models.TemplateStatus{models.TemplateReceived, models.TemplatePending, models.TemplateRejected, models.TemplatePaused, models.TemplateDisabled, "in_appeal"} {
			all = append(all, add("x_"+string(status), "nb", func(m *models.Template) { m.Status = status }))
		}
		all = append(all, add("gone", "nb", func(m *models.Template) { now := s.Now(); m.RemovedAt = &now }))
		template(t, s, other, func(m *models.Template) { m.Name = "others" })

		for _, tt := range []struct {
			choice store.TemplateChoice
			want   string
		}{
			{store.TemplateChoice{}, "A/en_GB b/nb c/en d/en_US"},
			{store.TemplateChoice{WindowOpen: true}, "A/en_GB asked/nb b/nb c/en d/en_US typed/nb"},
			{store.TemplateChoice{Language: "nb"}, "b/nb A/en_GB c/en d/en_US"},
			{store.TemplateChoice{Language: "en"}, "c/en A/en_GB d/en_US b/nb"},
			{store.TemplateChoice{Language: "en_US"}, "d/en_US A/en_GB c/en b/nb"},
			{store.TemplateChoice{Query: " TYPED "}, ""},
			{store.TemplateChoice{Query: "hei {{1", WindowOpen: true, Rows: 2}, "A/en_GB asked/nb b/nb"},
			{store.TemplateChoice{Query: "%"}, ""},
			{store.TemplateChoice{Query: "_"}, ""},
		} {
			tt.choice.Account = a
			ts, err := s.UsableTemplates(ctx, tt.choice)
			if got := named(ts, ofTemplate); err != nil || got != tt.want {
				t.Errorf("%+v: %q, %v", tt.choice, got, err)
			}
		}
		// What the database chooses is what the rule says.
		for _, open := range []bool{true, false} {
			ts, err := s.UsableTemplates(ctx, store.TemplateChoice{Account: a, WindowOpen: open})
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range all {
				if got := slices.ContainsFunc(ts, func(x models.Template) bool { return x.ID == m.ID }); got != m.Usable(open) {
					t.Errorf("%s: chosen %v, usable %v, open %v", m.Name, got, m.Usable(open), open)
				}
			}
		}
		if n, err := s.WaitingTemplates(ctx, a); n != 2 || err != nil {
			t.Errorf("%d wait, %v", n, err)
		}
	})
}

func TestTemplatesAreFound(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, _ *storetest.Clock) {
		a, other := accountWithToken(t, s, "one"), accountWithToken(t, s, "two")
		one := template(t, s, a, func(m *models.Template) { m.Name, m.Body = "ØRE_100%", "Blåbær" })
		template(t, s, a, func(m *models.Template) { m.Name, m.Status, m.ContentSID = "Typed", models.TemplateNone, "" })
		template(t, s, other, func(m *models.Template) { m.Name, m.Status = "other", models.TemplatePaused })
		for _, tt := range []struct {
			filter store.TemplateFilter
			want   string
		}{
			{store.TemplateFilter{}, "other Typed ØRE_100%"},
			{store.TemplateFilter{Account: a}, "Typed ØRE_100%"},
			{store.TemplateFilter{Status: "paused"}, "other"},
			{store.TemplateFilter{Status: "none"}, "Typed"},
			{store.TemplateFilter{Query: "øre_100%"}, "ØRE_100%"},
			{store.TemplateFilter{Query: "BLÅ"}, "ØRE_100%"},
			{store.TemplateFilter{Rows: 1}, "other Typed"},
		} {
			rows, err := s.Templates(ctx, tt.filter)
			if got := named(rows, func(r models.TemplateRow) string { return r.Name }); err != nil || got != tt.want {
				t.Errorf("%+v: %q, %v", tt.filter, got, err)
			}
		}
		if _, err := s.TemplateOf(ctx, other, one.ID); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("the template of another account: %v", err)
		}
		if got, err := s.TemplateOf(ctx, a, one.ID); err != nil || got.Name != one.Name {
			t.Error(got, err)
		}
		if n, err := s.CountTemplates(ctx, a); n != 2 || err != nil {
			t.Error(n, err)
		}
	})
}

// Page after page shows each template once, there and back, whatever is removed meanwhile.
func TestTemplatesArePaged(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, _ *storetest.Clock) {
		a := accountWithToken(t, s, "one")
		for i := range 23 {
			template(t, s, a, func(m *models.Template) {
				m.Name, m.Language = []string{"Ært", "bil", "Bil", "øl", "a_b"}[i%5], []string{"nb", "en"}[i%2]
			})
		}
		all, err := s.Templates(ctx, store.TemplateFilter{Rows: 100})
		if err != nil || len(all) != 23 {
			t.Fatal(len(all), err)
		}
		id := func(r models.TemplateRow) string { return fmt.Sprint(r.ID) }
		f := store.TemplateFilter{Account: a, Rows: 5}
		var there []models.TemplateRow
		for {
			rows, err := s.Templates(ctx, f)
			if err != nil {
				t.Fatal(err)
			}
			there = append(there, rows[:min(5, len(rows))]...)
			if len(rows) <= 5 {
				break
			}
			f.After = rows[4].ID
			if len(there) == 10 { // its place is known although it is gone
				gone := rows[4].Template
				now := s.Now()
				gone.RemovedAt = &now
				if err := s.InTx(ctx, func(tx *store.Tx) error { return tx.SaveTemplate(ctx, &gone) }); err != nil {
					t.Fatal(err)
				}
			}
		}
		if named(there, id) != named(all, id) {
			t.Errorf("there: %s, want %s", named(there, id), named(all, id))
		}
		back, err := s.Templates(ctx, store.TemplateFilter{Rows: 5, Before: all[12].ID})
		if err != nil || named(back, id) != named(append(all[5:9:9], all[10:12]...), id) { // the tenth is gone
			t.Errorf("back: %s, of %s (%v)", named(back, id), named(all, id), err)
		}
		if rows, err := s.Templates(ctx, store.TemplateFilter{After: 99999}); err != nil || len(rows) != 0 {
			t.Error(rows, err)
		}
	})
}

func TestTemplatesAreUnique(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		a, other := accountWithToken(t, s, "one"), accountWithToken(t, s, "two")
		one := template(t, s, a, func(m *models.Template) { m.Name, m.ContentSID = "Takk", "" })
		for name, tt := range map[string]struct {
			t    models.Template
			want bool
		}{
			"itself":           {one, false},
			"the same name":    {models.Template{AccountID: a, Name: "tAKK", Language: "nb"}, true},
			"another language": {models.Template{AccountID: a, Name: "Takk", Language: "de"}, false},
		} {
			if got, err := s.TemplateNamed(ctx, tt.t); got != tt.want || err != nil {
				t.Errorf("%s: %v, %v", name, got, err)
			}
		}
		insert := func(change func(*models.Template)) error {
			m := one
			m.ID = 0
			change(&m)
			return s.InTx(ctx, func(tx *store.Tx) error { m.ID = 0; return tx.InsertTemplate(ctx, &m) })
		}
		sid := func(of models.AccountID) func(*models.Template) {
			return func(m *models.Template) { m.AccountID, m.ContentSID = of, "HX0000000000000000000000000000000a" }
		}
		for i, tt := range []struct {
			change func(*models.Template)
			want   error
		}{
			{func(m *models.Template) { m.Name = "TAKK" }, store.ErrTemplateName},
			{func(m *models.Template) { m.Language = "en" }, nil},
			{func(m *models.Template) { m.AccountID = other }, nil},
			{func(m *models.Template) { now := clock.Now(); m.RemovedAt = &now }, nil},
			{sid(a), nil},
			{sid(a), store.ErrTemplateSID},
			{sid(other), nil},
		} {
			if err := insert(tt.change); !errors.Is(err, tt.want) {
				t.Errorf("%d: %v", i, err)
			}
		}
		// Two who change the same: the second one is told.
		save := func(m models.Template) error {
			return s.InTx(ctx, func(tx *store.Tx) error { x := m; return tx.SaveTemplate(ctx, &x) })
		}
		one.Body = "Takk!"
		if err := save(one); err != nil {
			t.Fatal(err)
		}
		if err := save(one); !errors.Is(err, store.ErrStale) {
			t.Errorf("saved over another: %v", err)
		}
		if got, err := s.Template(ctx, one.ID); err != nil || got.Version != 2 || !strings.Contains(got.SearchText, "takk!") {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

func TestUnsyncedTemplatesAreRemoved(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		a, other := accountWithToken(t, s, "one"), accountWithToken(t, s, "two")
		old := clock.Now()
		seen := func(at time.Time) func(*models.Template) { return func(m *models.Template) { m.SyncedAt = &at } }
		gone := template(t, s, a, seen(old))
		typed := template(t, s, a, func(m *models.Template) { m.Source = models.TemplateTyped })
		kept := template(t, s, a, seen(old))
		theirs := template(t, s, other, seen(old))
		clock.Advance(time.Hour)
		since := clock.Now()
		made := template(t, s, a, func(*models.Template) {}) // made here while the list was fetched
		err := s.InTx(ctx, func(tx *store.Tx) error {
			if err := tx.MarkTemplatesSynced(ctx, []models.TemplateID{kept.ID}); err != nil {
				return err
			}
			n, err := tx.RemoveUnsyncedTemplates(ctx, a, since)
			if n != 1 {
				t.Errorf("%d are removed", n)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range []models.Template{typed, kept, theirs, made} {
			if _, err := s.Template(ctx, m.ID); err != nil {
				t.Errorf("template %d: %v", m.ID, err)
			}
		}
		if _, err := s.Template(ctx, gone.ID); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("the one that is gone: %v", err)
		}
		err = s.InTx(ctx, func(tx *store.Tx) error {
			m, err := tx.TemplatesBySID(ctx, a, []string{gone.ContentSID, kept.ContentSID, theirs.ContentSID})
			if len(m) != 2 || m[gone.ContentSID].RemovedAt == nil || m[kept.ContentSID].ID != kept.ID {
				t.Errorf("%v", m)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestTemplateSyncIsKept(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		a := accountWithToken(t, s, "")
		if got, err := s.TemplateSync(ctx, a); err != nil || !got.StartedAt.IsZero() {
			t.Fatal(got, err)
		}
		for pages := range 2 {
			clock.Advance(time.Second)
			err := s.InTx(ctx, func(tx *store.Tx) error {
				y, err := tx.LockTemplateSync(ctx, a)
				if err != nil {
					return err
				}
				if y.StartedAt.IsZero() {
					y.StartedAt = tx.Now()
				}
				y.Pages = pages + 1
				return tx.SaveTemplateSync(ctx, y)
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		got, err := s.TemplateSync(ctx, a)
		if err != nil || got.Pages != 2 || got.UpdatedAt.Sub(got.StartedAt) != time.Second || !got.Running(clock.Now()) {
			t.Errorf("%+v, %v", got, err)
		}
		if err := s.InTx(ctx, func(tx *store.Tx) error { return tx.DeleteAccount(ctx, a) }); err != nil {
			t.Errorf("an account with a fetching is not deleted: %v", err)
		}
	})
}

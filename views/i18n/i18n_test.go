package i18n

import (
	"context"
	"errors"
	"testing"
	"time"

	"kanal/models"
)

func in(lang Lang) context.Context {
	zone, err := time.LoadLocation("Europe/Oslo")
	if err != nil {
		panic(err)
	}
	return With(context.Background(), Locale{Lang: lang, Zone: zone})
}

func expect(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

func TestTimes(t *testing.T) {
	now := time.Date(2026, 11, 23, 13, 2, 9, 0, time.UTC) // a Monday, 14:02 in Oslo
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	const day = 24 * time.Hour
	cases := []struct {
		what   string
		f      func(context.Context) string
		nb, en string
	}{
		{"clock", func(c context.Context) string { return Clock(c, now) }, "14:02", "14:02"},
		{"seconds", func(c context.Context) string { return Seconds(c, now) }, "14:02:09", "14:02:09"},
		{"date", func(c context.Context) string { return Date(c, now) }, "23. november 2026", "23 November 2026"},
		{"date this year", func(c context.Context) string { return Date(c, now, now) }, "23. november", "23 November"},
		{"date last year", func(c context.Context) string { return Date(c, ago(365*day), now) }, "23. november 2025", "23 November 2025"},
		{"date and time", func(c context.Context) string { return DateTime(c, now) }, "23. november 2026 kl. 14:02", "23 November 2026 at 14:02"},
		{"today", func(c context.Context) string { return DateTime(c, now, now) }, "i dag kl. 14:02", "today at 14:02"},
		{"yesterday", func(c context.Context) string { return DateTime(c, ago(15*time.Hour), now) }, "i går kl. 23:02", "yesterday at 23:02"},
		{"tomorrow", func(c context.Context) string { return DateTime(c, ago(-22*time.Hour), now) }, "i morgen kl. 12:02", "tomorrow at 12:02"},
		{"earlier", func(c context.Context) string { return DateTime(c, ago(3*day), now) }, "20. november kl. 14:02", "20 November at 14:02"},
		{"heading today", func(c context.Context) string { return Day(c, now, now) }, "I dag", "Today"},
		{"heading yesterday", func(c context.Context) string { return Day(c, ago(day), now) }, "I går", "Yesterday"},
		{"heading", func(c context.Context) string { return Day(c, ago(2*day), now) }, "21. november", "21 November"},
		{"list now", func(c context.Context) string { return ListTime(c, ago(2*time.Hour), now) }, "12:02", "12:02"},
		{"list yesterday", func(c context.Context) string { return ListTime(c, ago(day), now) }, "i går", "Yesterday"},
		{"list week", func(c context.Context) string { return ListTime(c, ago(2*day), now) }, "lør.", "Sat"},
		{"list older", func(c context.Context) string { return ListTime(c, ago(72*day), now) }, "12. sep.", "12 Sep"},
		{"left", func(c context.Context) string { return Left(c, 22*time.Hour+4*time.Minute+59*time.Second) }, "22 t 4 min", "22 h 4 min"},
		{"left minutes", func(c context.Context) string { return Left(c, 42*time.Minute) }, "42 min", "42 min"},
		{"left nothing", func(c context.Context) string { return Left(c, -time.Minute) }, "0 min", "0 min"},
	}
	for _, c := range cases {
		expect(t, c.what+" nb", c.f(in(NB)), c.nb)
		expect(t, c.what+" en", c.f(in(EN)), c.en)
	}
}

// The night when the clock goes back has 25 hours: yesterday is still yesterday.
func TestDaysWhenTheClockChanges(t *testing.T) {
	ctx := in(NB)
	before := time.Date(2026, 10, 24, 21, 30, 0, 0, time.UTC) // Saturday 23:30 summer time
	after := time.Date(2026, 10, 25, 22, 30, 0, 0, time.UTC)  // Sunday 23:30 normal time
	expect(t, "day", Day(ctx, before, after), "I går")
}

func TestPhone(t *testing.T) {
	for in, want := range map[string]string{
		"+4740000142": "+47 400 00 142", "+4721000040": "+47 21 00 00 40", "+4780012345": "+47 800 12 345",
		"+14155238886": "+1 415 523 8886", "+442071838750": "+44 2071 838750", "+4521436587": "+45 21 43 65 87",
		"+35312345678": "+353 123 456 78", "+35312345": "+353 123 45", "+351912345678": "+351 912 345 678",
		"+60123456789": "+60 123 456 789", "+47123": "+47123", "": "", "+": "+", "NO.1234567": "NO.1234567", "+47abc45678": "+47abc45678",
		"+4712": "+4712", "+471234567890": "+47 123 456 7890",
	} {
		expect(t, in, Phone(in), want)
	}
}

func TestMatch(t *testing.T) {
	cases := []struct {
		cookie, profile, header string
		want                    Lang
	}{
		{"", "", "", EN},
		{"nb", "en", "en", NB},
		{"", "nb", "en-GB,en;q=0.8", NB},
		{"xx", "", "nb-NO,nb;q=0.9,en;q=0.8", NB},
		{"", "", "no", NB},
		{"", "", "nn-NO", NB},
		{"", "", "de-DE,de;q=0.9,nb;q=0.5,en;q=0.3", NB},
		{"", "", "de,en;q=0.9,nb;q=0.8", EN},
		{"", "", "fr", EN},
		{"", "", ";;;q=x", EN},
		{"en", "nb", "nb", EN},
	}
	for _, c := range cases {
		if got := Match(c.cookie, c.profile, c.header); got != c.want {
			t.Errorf("Match(%q, %q, %q) = %s, want %s", c.cookie, c.profile, c.header, got, c.want)
		}
	}
}

func TestPlural(t *testing.T) {
	expect(t, "one", N(in(NB), "nav.n_unread", 1), "1 ulest")
	expect(t, "many", N(in(NB), "nav.n_unread", 2), "2 uleste")
	expect(t, "none", N(in(EN), "nav.n_unread", 0), "0 unread")
}

// A value is never read as a placeholder: names of customers are values.
func TestFillInOnePass(t *testing.T) {
	expect(t, "fill", fill("x", "{day} / {clock}", []any{"day", "{clock}", "clock", 7}), "{clock} / 7")
}

func TestErrorsHaveSentences(t *testing.T) {
	ctx := in(NB)
	expect(t, "ours", Error(ctx, models.ErrNotFound), Lookup(NB, "error.not_found"))
	expect(t, "not ours", Error(ctx, errors.New("secret cause")), Lookup(NB, "error.internal"))
	expect(t, "cause stays inside", Error(ctx, models.Wrap(errors.New("dial tcp"), "reading")), Lookup(NB, "error.internal"))
}

func TestMissingTextPanicsInTests(t *testing.T) {
	for what, f := range map[string]func(){
		"key":   func() { T(in(NB), "no.such_key") },
		"value": func() { T(in(NB), "time.at", "day", "x") },
		"error": func() { Error(in(NB), models.E(models.KindInvalid, "no.such_error")) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", what)
				}
			}()
			f()
		}()
	}
}

func TestLocaleDefaults(t *testing.T) {
	l := From(context.Background())
	if l.Lang != EN || l.Zone != time.UTC {
		t.Errorf("got %v", l)
	}
}

package i18n

import (
	"context"
	"fmt"
	"time"
)

var months = map[Lang][]string{
	NB: {"januar", "februar", "mars", "april", "mai", "juni", "juli", "august", "september", "oktober", "november", "desember"},
	EN: {"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"},
}

var shortMonths = map[Lang][]string{
	NB: {"jan.", "feb.", "mars", "apr.", "mai", "juni", "juli", "aug.", "sep.", "okt.", "nov.", "des."},
	EN: {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"},
}

var weekdays = map[Lang][]string{
	NB: {"søn.", "man.", "tir.", "ons.", "tor.", "fre.", "lør."},
	EN: {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"},
}

// Clock gives the time of day: 14:02.
func Clock(ctx context.Context, t time.Time) string { return t.In(From(ctx).Zone).Format("15:04") }

// Seconds gives the time of day with seconds: 14:02:31.
func Seconds(ctx context.Context, t time.Time) string {
	return t.In(From(ctx).Zone).Format("15:04:05")
}

// Date gives the day: 23. november 2026, 23 November 2026. When now is given, its year is left out.
func Date(ctx context.Context, t time.Time, now ...time.Time) string {
	l := From(ctx)
	t = t.In(l.Zone)
	s := dayAndMonth(l.Lang, t, months)
	if len(now) > 0 && now[0].In(l.Zone).Year() == t.Year() {
		return s
	}
	return fmt.Sprintf("%s %d", s, t.Year())
}

func dayAndMonth(lang Lang, t time.Time, names map[Lang][]string) string {
	format := "%d %s"
	if lang == NB {
		format = "%d. %s"
	}
	return fmt.Sprintf(format, t.Day(), names[lang][t.Month()-1])
}

// DateTime gives day and time: 23. november 2026 kl. 14:02, 23 November 2026 at 14:02. When now is given, its year is
// left out and the days around it have names: i dag kl. 14:02.
func DateTime(ctx context.Context, t time.Time, now ...time.Time) string {
	day := Date(ctx, t, now...)
	if len(now) > 0 {
		switch daysBetween(From(ctx), t, now[0]) {
		case 0:
			day = T(ctx, "time.today_in_sentence")
		case 1:
			day = T(ctx, "time.yesterday_in_sentence")
		case -1:
			day = T(ctx, "time.tomorrow_in_sentence")
		}
	}
	return T(ctx, "time.at", "day", day, "clock", Clock(ctx, t))
}

// daysBetween counts the midnights from t to now in the locale's zone.
func daysBetween(l Locale, t, now time.Time) int {
	noon := func(t time.Time) time.Time {
		y, m, d := t.In(l.Zone).Date()
		return time.Date(y, m, d, 12, 0, 0, 0, time.UTC)
	}
	return int(noon(now).Sub(noon(t)) / (24 * time.Hour))
}

// Day gives the day as a heading: today, yesterday, else the date.
func Day(ctx context.Context, t, now time.Time) string {
	switch daysBetween(From(ctx), t, now) {
	case 0:
		return T(ctx, "time.today")
	case 1:
		return T(ctx, "time.yesterday")
	}
	return Date(ctx, t, now)
}

// ListTime gives the time as a list shows it: 10:42, yesterday, Mon, 12 Sep.
func ListTime(ctx context.Context, t, now time.Time) string {
	l := From(ctx)
	switch d := daysBetween(l, t, now); {
	case d <= 0:
		return Clock(ctx, t)
	case d == 1:
		return T(ctx, "time.yesterday_short")
	case d < 7:
		return weekdays[l.Lang][t.In(l.Zone).Weekday()]
	}
	return dayAndMonth(l.Lang, t.In(l.Zone), shortMonths)
}

// Left gives a remaining time in hours and whole minutes, rounded down: 22 t 4 min. Less than nothing is 0 min.
func Left(ctx context.Context, d time.Duration) string {
	d = max(d, 0)
	h, m := int(d.Hours()), int(d.Minutes())%60
	if h > 0 {
		return fmt.Sprintf("%d %s %d %s", h, T(ctx, "time.h"), m, T(ctx, "time.min"))
	}
	return fmt.Sprintf("%d %s", m, T(ctx, "time.min"))
}

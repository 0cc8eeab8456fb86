package i18n

import (
	"context"
	"fmt"
	"strings"
	"time"
)

var months = map[Lang][]string{
	NB: {"januar", "februar", "mars", "april", "mai", "juni", "juli", "august", "september", "oktober", "november", "desember"},
	EN: {"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"},
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

// Date gives the day: 23. november, 23 November; with the year when it is not now's.
func Date(ctx context.Context, t, now time.Time) string {
	l := From(ctx)
	t, now = t.In(l.Zone), now.In(l.Zone)
	s := fmt.Sprintf("%d %s", t.Day(), months[l.Lang][t.Month()-1])
	if l.Lang == NB {
		s = fmt.Sprintf("%d. %s", t.Day(), months[NB][t.Month()-1])
	}
	if t.Year() != now.Year() {
		s += fmt.Sprintf(" %d", t.Year())
	}
	return s
}

// days counts midnights between two moments.
func days(l Locale, t, now time.Time) int {
	y, m, d := t.In(l.Zone).Date()
	a := time.Date(y, m, d, 12, 0, 0, 0, time.UTC)
	y, m, d = now.In(l.Zone).Date()
	return int(time.Date(y, m, d, 12, 0, 0, 0, time.UTC).Sub(a) / (24 * time.Hour))
}

// Day gives the day as a heading: today, yesterday, else the date.
func Day(ctx context.Context, t, now time.Time) string {
	switch days(From(ctx), t, now) {
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
	switch d := days(l, t, now); {
	case d <= 0:
		return Clock(ctx, t)
	case d == 1:
		return T(ctx, "time.yesterday_short")
	case d < 7:
		return weekdays[l.Lang][t.In(l.Zone).Weekday()]
	}
	t = t.In(l.Zone)
	month := months[l.Lang][t.Month()-1]
	if r := []rune(month); len(r) > 4 {
		month = string(r[:3])
	}
	if l.Lang == NB {
		return fmt.Sprintf("%d. %s.", t.Day(), month)
	}
	return fmt.Sprintf("%d %s", t.Day(), month)
}

// DateTime gives day and time: i dag kl. 14:02, 23 November at 14:02.
func DateTime(ctx context.Context, t, now time.Time) string {
	day := Date(ctx, t, now)
	switch days(From(ctx), t, now) {
	case 0:
		day = T(ctx, "time.today_in_sentence")
	case 1:
		day = T(ctx, "time.yesterday_in_sentence")
	}
	return T(ctx, "time.at", "day", day, "clock", Clock(ctx, t))
}

// Left gives a remaining time: 22 t 4 min.
func Left(ctx context.Context, d time.Duration) string {
	h, m := int(d.Hours()), int(d.Minutes())%60
	if h > 0 {
		return fmt.Sprintf("%d %s %d %s", h, T(ctx, "time.h"), m, T(ctx, "time.min"))
	}
	return fmt.Sprintf("%d %s", m, T(ctx, "time.min"))
}

// codes are country codes with the groups in which their numbers are read.
var codes = []struct {
	code   string
	groups []int
}{
	{"+47", []int{3, 2, 3}}, {"+46", []int{2, 3, 2, 2}}, {"+45", []int{2, 2, 2, 2}}, {"+358", []int{2, 3, 4}},
	{"+44", []int{4, 6}}, {"+1", []int{3, 3, 4}}, {"+49", []int{3, 4, 4}}, {"+52", []int{3, 3, 4, 2}},
}

// Phone gives a number in groups: +47 400 00 142.
func Phone(e164 string) string {
	for _, c := range codes {
		if rest, ok := strings.CutPrefix(e164, c.code); ok {
			groups := c.groups
			// Norwegian lines that are not mobile are read two by two.
			if c.code == "+47" && len(rest) == 8 && rest[0] != '4' && rest[0] != '9' {
				groups = []int{2, 2, 2, 2}
			}
			return c.code + group(rest, groups)
		}
	}
	if len(e164) > 4 && e164[0] == '+' {
		return e164[:3] + group(e164[3:], []int{3, 3, 3, 3})
	}
	return e164
}

func group(digits string, sizes []int) string {
	var b strings.Builder
	for _, n := range sizes {
		if len(digits) <= n {
			break
		}
		b.WriteString(" " + digits[:n])
		digits = digits[n:]
	}
	if digits != "" {
		b.WriteString(" " + digits)
	}
	return b.String()
}

package i18n

import (
	"context"
	"strconv"
	"strings"
)

// Size writes how large a file is, in thousands: 214 kB, 1.2 MB.
func Size(ctx context.Context, bytes int64) string {
	if bytes < 1000 {
		return strconv.FormatInt(bytes, 10) + " B"
	}
	unit, n := "kB", float64(bytes)/1e3
	if n >= 999.5 {
		unit, n = "MB", n/1e3
	}
	digits := 0
	if n < 9.95 && unit == "MB" {
		digits = 1
	}
	s := strings.TrimSuffix(strconv.FormatFloat(n, 'f', digits, 64), ".0")
	if From(ctx).Lang == NB {
		s = strings.Replace(s, ".", ",", 1)
	}
	return s + " " + unit
}

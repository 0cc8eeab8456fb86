package i18n

import (
	"context"
	"strings"
	"testing"
)

func TestSize(t *testing.T) {
	for bytes, want := range map[int64]string{
		0: "0 B", 999: "999 B", 1000: "1 kB", 213_600: "214 kB", 999_499: "999 kB", 999_500: "1 MB", 1_250_000: "1.2 MB", 9_940_000: "9.9 MB", 16 << 20: "17 MB",
	} {
		for lang, mark := range map[Lang]string{EN: ".", NB: ","} {
			got := Size(With(context.Background(), Locale{Lang: lang}), bytes)
			if want := strings.ReplaceAll(want, ".", mark); got != want {
				t.Errorf("%d in %s is %q, want %q", bytes, lang, got, want)
			}
		}
	}
}

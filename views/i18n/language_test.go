package i18n

import (
	"context"
	"testing"
)

func TestLanguageName(t *testing.T) {
	for code, want := range map[string][2]string{
		"nb": {"Norsk bokmål", "Norwegian Bokmål"}, "en": {"Engelsk", "English"}, "en_GB": {"Engelsk (Storbritannia)", "British English"},
		"pt_BR": {"Portugisisk (Brasil)", "Brazilian Portuguese"}, "": {"", ""}, "??": {"??", "??"},
	} {
		for i, l := range []Lang{NB, EN} {
			if got := LanguageName(With(context.Background(), Locale{Lang: l}), code); got != want[i] {
				t.Errorf("%s in %s: %q, want %q", code, l, got, want[i])
			}
		}
	}
}

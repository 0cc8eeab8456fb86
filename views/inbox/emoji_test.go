package inbox

import (
	"strings"
	"testing"

	"kanal/views/i18n"
	"kanal/views/viewtest"
)

// Every emoji is there once and has a name in both languages, and one of them is a stop of Tab.
func TestEmojiKeepTheRules(t *testing.T) {
	seen := map[string]bool{}
	for _, e := range emoji {
		if seen[e] || !i18n.Has("emoji."+e) {
			t.Errorf("%s: twice, or without a name", e)
		}
		seen[e] = true
	}
	viewtest.Each(t, EmojiDialog(), func(t *testing.T, _ i18n.Lang, page string) {
		if n := strings.Count(page, "data-emoji="); n != len(emoji) || n < 100 || strings.Count(page, `tabindex="-1"`) != n-1 {
			t.Errorf("%d emoji", n)
		}
	})
}

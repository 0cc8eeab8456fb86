package inbox

import (
	"strings"
	"testing"

	"kanal/models"
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
	row := models.ConversationRow{Conversation: models.Conversation{ID: 3}, ContactName: "<Kari>"}
	for _, p := range []EmojiPicker{{Row: row, Dialog: true}, {Row: row, Text: "<b>"}} {
		viewtest.Each(t, EmojiDialog(p), func(t *testing.T, _ i18n.Lang, page string) {
			stops := map[bool]int{true: len(emoji) - 1}[p.Dialog] // without script the arrows do not walk
			if n := strings.Count(page, "data-emoji="); n != len(emoji) || n < 100 || strings.Count(page, `tabindex="-1"`) != stops {
				t.Errorf("%d emoji", n)
			}
			if strings.Contains(page, "&lt;b&gt;</textarea>") == p.Dialog {
				t.Error("the text stands beside the page, and behind the dialog")
			}
		})
	}
}

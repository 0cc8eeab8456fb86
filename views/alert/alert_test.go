package alert

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"kanal/models"
	"kanal/views/i18n"
	"kanal/views/viewtest"
)

var noon = time.Date(2026, 11, 23, 11, 0, 0, 0, time.UTC)

// Every code of Twilio's alerts has a sentence and says what to do; any other says its number.
func TestCodesHaveSentences(t *testing.T) {
	for _, code := range []int{11200, 11205, 11210, 11220, 11235, 11236, 11237, 11750, 12100, 12200, 12300, 63040, 63041, 63042, 63046} {
		sentence, advice := keys(code)
		if n := strconv.Itoa(code); sentence != "alert.code."+n || advice != "alert.do."+n || !i18n.Has(advice) {
			t.Errorf("%d: %s %s", code, sentence, advice)
		}
	}
	for code, want := range map[int]string{0: "alert.code.none", 63016: "twilio.code.63016", 12: "alert.code.other"} {
		if got, _ := keys(code); got != want {
			t.Errorf("%d: %s", code, got)
		}
	}
}

func TestPageKeepsTheRules(t *testing.T) {
	row := func(id models.AlertID, code int, level string) models.AlertRow {
		return models.AlertRow{Alert: models.Alert{ID: id, ErrorCode: code, Source: models.AlertDebugger, Level: level, Text: "<b>\nhttps://x", ResourceSID: "SM1", HappenedAt: noon}, AccountName: "<Norway>"}
	}
	known := row(2, 63015, models.LevelError)
	known.ConversationID = 9
	groups := []models.AlertGroup{{row(1, 99999, models.LevelWarning), row(3, 99999, models.LevelError)}, {known}, {row(4, 0, models.LevelError)}}
	viewtest.Each(t, Show(List{Groups: groups, Older: ListURL + "?before=1", Now: noon}), func(t *testing.T, _ i18n.Lang, page string) {
		if strings.Count(page, "ic--chev") != len(groups) || !strings.Contains(page, "/inbox/9") || !strings.Contains(page, "99999") || strings.Contains(page, "<b>") {
			t.Error(page)
		}
	})
	viewtest.Each(t, Show(List{Now: noon}), nil)
}

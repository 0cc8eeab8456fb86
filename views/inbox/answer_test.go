package inbox

import (
	"strings"
	"testing"

	"kanal/models"
	"kanal/views/i18n"
	"kanal/views/viewtest"
)

func TestAnswerKeepsTheRules(t *testing.T) {
	owner := models.UserID(3)
	a := Answer{Row: models.ConversationRow{Conversation: models.Conversation{ID: 7, UserID: &owner}, AgentName: "<Mads> Berg"}, Key: "k<1>", Body: "a\n\"<b>"}
	viewtest.Each(t, AnswerDialog(a), func(t *testing.T, _ i18n.Lang, page string) {
		if strings.Contains(page, "<Mads>") || strings.Contains(page, "<b>") || !strings.Contains(page, `name="owner" value="3"`) {
			t.Error(page)
		}
	})
}

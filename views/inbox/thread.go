package inbox

import (
	"time"

	"kanal/models"
)

// Thread is one open conversation.
type Thread struct {
	Row       models.ConversationRow
	View      models.InboxView // of the list that it was opened from
	Messages  []models.Message
	Quotes    map[models.MessageID]models.Message // what they answer, by the id of the one that answers
	Files     map[models.MessageID][]models.File  // by the message that they belong to
	SideFiles []models.File                       // the newest of the conversation, for the side panel
	Older     float64                             // there are messages before this seq; 0 for none
	Past      bool                                // a page of older messages: the newest are not on it
	Grows     bool                                // messages for a thread that is open: what was new when it was opened is marked already
	Earlier   []models.ConversationRow
	Viewer    models.Viewer
	Watchers  Watchers
	Later     Later
	Composer  Composer
	Now       time.Time // as the account sees it
	Advice    Advice
}

// Advice says what a person can do about a code of Twilio's: "retry", "admin" or "none", and whether the code has a
// sentence of its own.
type Advice func(code int) (what string, known bool)

func (t Thread) older(rest string) string {
	return conversationURL(t.Row.ID, "", rest+"?before="+seqText(t.Older))
}

// admin gives the address of the account for those who may mend it, else "".
func (t Thread) admin() string {
	if t.Viewer.Role != models.Administrator {
		return ""
	}
	return "/admin/accounts/" + id(t.Row.AccountID)
}

func (t Thread) mine() bool { return t.Row.UserID != nil && *t.Row.UserID == t.Viewer.User }

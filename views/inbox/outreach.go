package inbox

import (
	"kanal/models"
	"kanal/views/components"
)

// Outreach is the dialog in which an agent starts a conversation.
type Outreach struct {
	Numbers []models.NumberRow
	Number  string
	To      string
	Contact string // one who is known, by id; "" when the number is written
	Name    string // of that one
	Matches []components.Option
	Consent bool
	Known   bool // the customer has agreed to messages already
	Note    string
	Back    string
	Errors  components.Errors
	Taken   string // who has the conversation already, as a sentence
}

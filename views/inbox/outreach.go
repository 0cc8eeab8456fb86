package inbox

import (
	"kanal/models"
	"kanal/views/components"
	"kanal/views/i18n"
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

func (o Outreach) numberOptions() []components.Option {
	out := make([]components.Option, len(o.Numbers))
	for i, n := range o.Numbers {
		out[i] = components.Option{Value: id(n.ID), Label: n.Name + " · " + i18n.Phone(n.Address)}
	}
	return out
}

package check

import (
	"strconv"

	"kanal/models"
	"kanal/views/components"
	"kanal/views/i18n"
)

// MessageURL is the dialog of a message to oneself.
const MessageURL = URL + "/message"

// Message is the dialog of a message to oneself: which number of ours sends it, and to which phone. Text is what it says,
// and From the number of ours once it is to be confirmed.
type Message struct {
	Numbers []models.NumberRow
	Number  string
	To      string
	Key     string
	Text    string
	From    *models.Number
	Errors  components.Errors
}

func (m Message) options() []components.Option {
	out := make([]components.Option, len(m.Numbers))
	for i, n := range m.Numbers {
		out[i] = components.Option{Value: numberID(n), Label: n.Name + " · " + i18n.Phone(n.Address)}
	}
	return out
}

func numberID(n models.NumberRow) string { return strconv.FormatInt(int64(n.ID), 10) }

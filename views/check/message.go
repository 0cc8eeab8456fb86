package check

import (
	"kanal/models"
	"kanal/views/components"
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

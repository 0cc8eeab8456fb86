package twilio

import (
	"context"
	"time"

	messaging "github.com/twilio/twilio-go/rest/messaging/v2"
)

// Times of the typing indicator (Typing Indicators resource, public beta): it shows for up to 25 s or until a message
// comes. Asked for anew every 20 s it stays.
const (
	TypingShows = 25 * time.Second
	TypingEvery = 20 * time.Second
)

// ShowTyping shows the customer that somebody is answering. message is the SID of a message of the customer's: it and
// those before it are marked as read.
func (c *Client) ShowTyping(ctx context.Context, cred Credentials, message string) error {
	p := (&messaging.CreateTypingIndicatorParams{}).SetChannel("whatsapp").SetMessageId(message)
	_, err := c.senders(ctx, cred).CreateTypingIndicator(p)
	return result(err)
}

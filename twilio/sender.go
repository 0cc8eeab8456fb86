package twilio

import (
	"context"

	messaging "github.com/twilio/twilio-go/rest/messaging/v2"
)

// Sender is a WhatsApp sender of an account.
type Sender struct {
	SID     string
	Address Address
	Name    string
	Status  string // ONLINE and the like
}

// ListSenders lists the account's WhatsApp senders, at most 1,000. The shared sandbox number is not among them.
func (c *Client) ListSenders(ctx context.Context, cred Credentials) ([]Sender, error) {
	p := (&messaging.ListChannelsSenderParams{}).SetChannel("whatsapp").SetPageSize(50)
	var out []Sender
	token, page := "", ""
	for range maxListPages {
		res, err := c.senders(ctx, cred).PageChannelsSender(p, token, page)
		if err != nil {
			return nil, result(err)
		}
		for _, s := range res.Senders {
			sender := Sender{SID: text(s.Sid), Address: Address(text(s.SenderId)), Status: text(s.Status)}
			if s.Profile != nil {
				sender.Name = text(s.Profile.Name)
			}
			out = append(out, sender)
		}
		if token, page = nextPage(res.Meta.NextPageUrl); token == "" && page == "" {
			break
		}
	}
	return out, nil
}

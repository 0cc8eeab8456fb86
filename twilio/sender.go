package twilio

import (
	"context"

	messaging "github.com/twilio/twilio-go/rest/messaging/v2"
)

// Webhook is an address that Twilio calls, and how. An empty URL is none.
type Webhook struct{ URL, Method string }

// Webhooks are the addresses of a sender.
type Webhooks struct {
	Inbound  Webhook // for incoming messages
	Fallback Webhook // when no attempt at the first one succeeded
	Status   Webhook // for reports about messages that name none themselves
}

// Sender is a WhatsApp sender of an account.
type Sender struct {
	SID      string
	Address  Address
	Name     string
	Status   string // ONLINE and the like
	Quality  string // HIGH and the like, "" when WhatsApp has not rated it
	Webhooks Webhooks
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
			out = append(out, senderOf(s))
		}
		if token, page = nextPage(res.Meta.NextPageUrl); token == "" && page == "" {
			break
		}
	}
	return out, nil
}

// FetchSender asks for one sender by its SID.
func (c *Client) FetchSender(ctx context.Context, cred Credentials, sid string) (Sender, error) {
	res, err := c.senders(ctx, cred).FetchChannelsSender(sid)
	if err != nil {
		return Sender{}, result(err)
	}
	return senderOf(*res), nil
}

// SetWebhooks writes all addresses of a sender. Twilio accepts them and puts them in place a while later: FetchSender
// shows when.
func (c *Client) SetWebhooks(ctx context.Context, cred Credentials, sid string, w Webhooks) error {
	p := (&messaging.UpdateChannelsSenderParams{}).SetMessagingV2Update(messaging.MessagingV2Update{Webhook: &messaging.MessagingV2Webhook{
		CallbackUrl: &w.Inbound.URL, CallbackMethod: &w.Inbound.Method,
		FallbackUrl: &w.Fallback.URL, FallbackMethod: &w.Fallback.Method,
		StatusCallbackUrl: &w.Status.URL, StatusCallbackMethod: &w.Status.Method,
	}})
	_, err := c.senders(ctx, cred).UpdateChannelsSender(sid, p)
	return result(err)
}

func senderOf(s messaging.MessagingV2ChannelsSenderResponse) Sender {
	x := Sender{SID: text(s.Sid), Address: Address(text(s.SenderId)), Status: text(s.Status)}
	if s.Profile != nil {
		x.Name = text(s.Profile.Name)
	}
	if s.Properties != nil {
		x.Quality = text(s.Properties.QualityRating)
	}
	if w := s.Webhook; w != nil {
		x.Webhooks = Webhooks{
			Inbound:  webhook(w.CallbackUrl, w.CallbackMethod),
			Fallback: webhook(w.FallbackUrl, w.FallbackMethod),
			Status:   webhook(w.StatusCallbackUrl, w.StatusCallbackMethod),
		}
	}
	return x
}

// webhook leaves out the method of an address that is none.
func webhook(address, method *string) Webhook {
	if text(address) == "" {
		return Webhook{}
	}
	return Webhook{URL: text(address), Method: text(method)}
}

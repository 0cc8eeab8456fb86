package twilio

import (
	"context"
	"slices"

	services "github.com/twilio/twilio-go/rest/messaging/v1"
)

// MessagingService gathers senders. Twilio calls its address for their incoming messages, not theirs, unless it defers
// to them.
type MessagingService struct {
	SID, Name  string
	InboundURL string   // "" switches their incoming messages off
	Senders    []string // their SIDs
}

func (c *Client) services(ctx context.Context, cred Credentials) *services.ApiService {
	return services.NewApiService(c.handler(ctx, cred))
}

// OverridingServices lists the account's Messaging Services that do not defer to the addresses of their senders, with
// those senders; at most 1,000 of each.
func (c *Client) OverridingServices(ctx context.Context, cred Credentials) ([]MessagingService, error) {
	p := (&services.ListServiceParams{}).SetPageSize(50)
	var out []MessagingService
	token, page := "", ""
	for range maxListPages {
		res, err := c.services(ctx, cred).PageService(p, token, page)
		if err != nil {
			return nil, result(err)
		}
		for _, x := range res.Services {
			if x.UseInboundWebhookOnNumber == nil || !*x.UseInboundWebhookOnNumber {
				out = append(out, MessagingService{SID: text(x.Sid), Name: text(x.FriendlyName), InboundURL: text(x.InboundRequestUrl)})
			}
		}
		if token, page = nextPage(res.Meta.NextPageUrl); token == "" && page == "" {
			break
		}
	}
	for i := range out {
		var err error
		if out[i].Senders, err = c.sendersOf(ctx, cred, out[i].SID); err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(out, func(x MessagingService) bool { return len(x.Senders) == 0 }), nil
}

// sendersOf lists the SIDs of the channel senders of a Messaging Service.
func (c *Client) sendersOf(ctx context.Context, cred Credentials, service string) ([]string, error) {
	p := (&services.ListChannelSenderParams{}).SetPageSize(50)
	var out []string
	token, page := "", ""
	for range maxListPages {
		res, err := c.services(ctx, cred).PageChannelSender(service, p, token, page)
		if err != nil {
			return nil, result(err)
		}
		for _, x := range res.Senders {
			out = append(out, text(x.Sid))
		}
		if token, page = nextPage(res.Meta.NextPageUrl); token == "" && page == "" {
			break
		}
	}
	return out, nil
}

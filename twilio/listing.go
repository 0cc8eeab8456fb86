package twilio

import (
	"context"
	"net/url"
	"strconv"
	"strings"
	"time"

	api "github.com/twilio/twilio-go/rest/api/v2010"
)

// Bounds of a listing of what came in: 20,000 messages, in pages that are far below maxAnswer.
const (
	inboundPage     = 200
	maxInboundPages = 100
)

// ListInbound lists what customers have sent to a number from a moment on, the newest first; before is the end, zero for
// none. The second result is false when there was more than is given: then the oldest are missing.
func (c *Client) ListInbound(ctx context.Context, cred Credentials, number string, after, before time.Time) ([]Message, bool, error) {
	p := (&api.ListMessageParams{}).SetPageSize(inboundPage).SetTo("whatsapp:" + number).SetDateSentAfter(after.UTC())
	if !before.IsZero() {
		p.SetDateSentBefore(before.UTC())
	}
	var out []Message
	token, page := "", ""
	for range maxInboundPages {
		res, err := c.messages(ctx, cred).PageMessage(p, token, page)
		if err != nil {
			return nil, false, result(err)
		}
		for _, m := range res.Messages {
			if m := messageOf(m); m.Direction == "inbound" && m.To == "whatsapp:"+number {
				out = append(out, m)
			}
		}
		if token, page = nextPage(res.NextPageUri); token == "" && page == "" {
			return out, true, nil
		}
	}
	return out, false, nil
}

// ListMedia gives the files of a message.
func (c *Client) ListMedia(ctx context.Context, cred Credentials, messageSID string) ([]Media, error) {
	p := (&api.ListMediaParams{}).SetPageSize(20)
	res, err := c.messages(ctx, cred).PageMedia(messageSID, p, "", "")
	if err != nil {
		return nil, result(err)
	}
	var out []Media
	for _, m := range res.MediaList {
		address := "https://api.twilio.com/2010-04-01/Accounts/" + cred.AccountSID + "/Messages/" + messageSID + "/Media/" + text(m.Sid)
		out = append(out, Media{URL: address, ContentType: text(m.ContentType)})
	}
	return out, nil
}

// SentAt gives when Twilio took the message in; the moment has whole seconds.
func (m Message) SentAt() time.Time {
	if m.DateSent.IsZero() {
		return m.DateCreated
	}
	return m.DateSent
}

// InboundForm gives a listed message of a customer in the form of a webhook, as far as the listing tells: it has neither
// the customer's name nor what was tapped. One that holds nothing is of a kind that the listing does not tell.
func (m Message) InboundForm(accountSID string, files []Media) url.Values {
	form := url.Values{
		"MessageSid": {m.SID}, "AccountSid": {accountSID}, "From": {m.From}, "To": {m.To}, "Body": {m.Body},
		"NumMedia": {strconv.Itoa(len(files))},
	}
	for i, f := range files {
		form.Set("MediaUrl"+strconv.Itoa(i), f.URL)
		form.Set("MediaContentType"+strconv.Itoa(i), f.ContentType)
	}
	if m.Body == "" && len(files) == 0 {
		form.Set("MessageType", string(Unsupported))
	}
	if len(files) > 0 && strings.HasPrefix(files[0].ContentType, "image/webp") { // WhatsApp has no such pictures
		form.Set("MessageType", string(Sticker))
	}
	return form
}

// IsJoin tells whether a text joins a sandbox: Twilio keeps that for itself, but lists it.
func (m Message) IsJoin() bool {
	word, code, _ := strings.Cut(strings.TrimSpace(strings.ToLower(m.Body)), " ")
	return m.To == "whatsapp:"+SandboxNumber && word == "join" && strings.Contains(code, "-")
}

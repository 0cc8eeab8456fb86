package twilio

import (
	"context"
	"strconv"
	"time"

	api "github.com/twilio/twilio-go/rest/api/v2010"
)

// NewMessage is a message to create. StatusCallback carries our own ids: the only thing that Twilio gives back when
// its answer to the create is lost.
type NewMessage struct {
	From, To       string
	Body           string
	MediaURL       string // where Twilio fetches the file; WhatsApp takes one a message
	StatusCallback string
	// ContentSID names a template; then neither Body nor MediaURL is sent. ContentVariables are its values, a JSON object of strings.
	ContentSID, ContentVariables string
}

// Message is a message as Twilio knows it.
type Message struct {
	SID, From, To string
	Body          string
	Files         int // how many files it carries
	Direction     string
	Status        string
	ErrorCode     int
	DateCreated   time.Time
	DateSent      time.Time // zero until it was sent
}

func messageOf(m api.ApiV2010Message) Message {
	out := Message{
		SID: text(m.Sid), From: text(m.From), To: text(m.To), Body: text(m.Body), Direction: text(m.Direction),
		Status: text(m.Status),
	}
	if m.ErrorCode != nil {
		out.ErrorCode = *m.ErrorCode
	}
	out.Files, _ = strconv.Atoi(text(m.NumMedia))
	out.DateCreated, _ = time.Parse(time.RFC1123Z, text(m.DateCreated))
	out.DateSent, _ = time.Parse(time.RFC1123Z, text(m.DateSent))
	return out
}

// CreateMessage sends a message. There is no idempotency key: after an Error with Outcome Unknown it may have been
// sent, and must be looked for before it is sent again.
func (c *Client) CreateMessage(ctx context.Context, cred Credentials, n NewMessage) (Message, error) {
	p := (&api.CreateMessageParams{}).SetFrom(n.From).SetTo(n.To).SetStatusCallback(n.StatusCallback)
	n.content(p)
	m, err := c.messages(ctx, cred).CreateMessage(p)
	if err != nil {
		return Message{}, result(err)
	}
	out := messageOf(*m)
	if !sidPattern.MatchString(out.SID) {
		return out, &Error{Outcome: Unknown, Status: 201, Cause: ErrUnreadable}
	}
	return out, nil
}

// content sets what the message holds. A text or a file beside a template is refused (63030).
func (n NewMessage) content(p *api.CreateMessageParams) {
	if n.ContentSID == "" {
		if n.Body != "" {
			p.SetBody(n.Body)
		}
		if n.MediaURL != "" {
			p.SetMediaUrl([]string{n.MediaURL})
		}
		return
	}
	p.SetContentSid(n.ContentSID)
	if n.ContentVariables != "" {
		p.SetContentVariables(n.ContentVariables)
	}
}

// FetchMessage asks for one message.
func (c *Client) FetchMessage(ctx context.Context, cred Credentials, sid string) (Message, error) {
	m, err := c.messages(ctx, cred).FetchMessage(sid, nil)
	if err != nil {
		return Message{}, result(err)
	}
	return messageOf(*m), nil
}

// MessageFilter limits a listing.
type MessageFilter struct {
	To, From  string
	SentAfter time.Time
}

const (
	maxListPages = 20
)

// ListMessages lists messages, the newest first, at most 2,000.
func (c *Client) ListMessages(ctx context.Context, cred Credentials, f MessageFilter) ([]Message, error) {
	p := (&api.ListMessageParams{}).SetPageSize(100)
	if f.To != "" {
		p.SetTo(f.To)
	}
	if f.From != "" {
		p.SetFrom(f.From)
	}
	if !f.SentAfter.IsZero() {
		p.SetDateSentAfter(f.SentAfter.UTC())
	}
	var out []Message
	token, page := "", ""
	for range maxListPages {
		res, err := c.messages(ctx, cred).PageMessage(p, token, page)
		if err != nil {
			return nil, result(err)
		}
		for _, m := range res.Messages {
			out = append(out, messageOf(m))
		}
		if token, page = nextPage(res.NextPageUri); token == "" && page == "" {
			break
		}
	}
	return out, nil
}

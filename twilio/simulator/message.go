package simulator

import (
	"slices"
	"time"

	"kanal/twilio"
)

// Outcome says what becomes of messages to customers. Final is read, delivered, sent, failed or undelivered; Code is
// the error of the last two.
type Outcome struct {
	Final string        `json:"final"`
	Code  int           `json:"code"`
	Step  time.Duration `json:"step"` // between two callbacks; 0 is DefaultStep
}

// DefaultStep is the time between two status callbacks.
const DefaultStep = 300 * time.Millisecond

// Message is a message as Twilio keeps it.
type Message struct {
	SID        string    `json:"sid"`
	AccountSID string    `json:"account_sid"`
	From       string    `json:"from"`
	To         string    `json:"to"`
	Body       string    `json:"body"`
	Direction  string    `json:"direction"`
	Status     string    `json:"status"`
	ErrorCode  int       `json:"error_code"`
	Kind       string    `json:"kind"`
	MediaSID   string    `json:"media_sid,omitempty"`
	MediaFrom  time.Time `json:"media_from,omitzero"`   // inbound: when the file is there, by the clock of the machine
	MediaGone  bool      `json:"media_gone,omitempty"`  // inbound: the file was removed
	MediaURL   string    `json:"media_url,omitempty"`   // outbound: where the center has the file
	File       *File     `json:"file,omitempty"`        // outbound: the file once it is fetched
	ContentSID string    `json:"content_sid,omitempty"` // of the template
	Shown      *Shown    `json:"shown,omitempty"`       // the template on the phone
	Created    time.Time `json:"created"`               // by the account's own clock
	Updated    time.Time `json:"updated"`
	Callback   string    `json:"callback"`
	Posted     int       `json:"posted,omitempty"`   // inbound: how often the webhook was tried
	Answered   int       `json:"answered,omitempty"` // inbound: the status of the last answer, 0 without one
	Seen       bool      `json:"seen,omitempty"`     // inbound: marked as read
	Unlisted   bool      `json:"unlisted,omitempty"` // inbound: a Messaging Service has switched incoming messages off
	Key        string    `json:"key,omitempty"`      // names it for chance
}

// Arrived tells whether the message came to where it was going: to the center, or onto the customer's phone.
func (m Message) Arrived() bool {
	if m.Direction == "inbound" {
		return m.Answered >= 200 && m.Answered < 300
	}
	return m.Status == "delivered" || m.Status == "read"
}

// Text is what the customer reads: WhatsApp drops the text of a file that is no picture.
func (m Message) Text() string {
	if m.File != nil && m.Kind != "image" {
		return ""
	}
	return m.Body
}

// maxMessages bounds what an account keeps; the oldest messages leave.
const maxMessages = 20000

// index finds messages without looking at all of them.
type index struct {
	bySID map[string]*Message
	lines map[line][]*Message // the oldest first
}

// indexed gives the index of the account's messages; it is made anew after a load, a reset, and when messages have left.
func (a *account) indexed() *index {
	if a.index == nil {
		a.index = &index{bySID: map[string]*Message{}, lines: map[line][]*Message{}}
		for _, m := range a.Messages {
			a.index.add(m)
		}
	}
	return a.index
}

func (x *index) add(m *Message) {
	x.bySID[m.SID] = m
	x.lines[m.line()] = append(x.lines[m.line()], m)
}

// line gives the chat that the message belongs to.
func (m *Message) line() line {
	if m.Direction == "inbound" {
		return line{m.From, m.To}
	}
	return line{m.To, m.From}
}

func (a *account) add(m *Message) {
	x := a.indexed()
	if len(a.Messages) >= maxMessages {
		a.Messages, a.index = slices.Delete(a.Messages, 0, maxMessages/4), nil
		x = a.indexed()
	}
	a.Messages = append(a.Messages, m)
	x.add(m)
}

func (a *account) message(sid string) *Message { return a.indexed().bySID[sid] }

// Thread gives the messages between a customer and a sender, the oldest first.
func (s *Simulator) Thread(sid string, customer twilio.Address, number string) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.account(sid)
	if a == nil {
		return nil
	}
	var out []Message
	for _, m := range a.indexed().lines[line{string(customer), "whatsapp:" + number}] {
		out = append(out, *m)
	}
	return out
}

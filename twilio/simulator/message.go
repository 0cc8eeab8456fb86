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

// Fault is something that goes wrong with one create.
type Fault string

// The faults of a create.
const (
	FaultTooMany    Fault = "429"          // not processed
	FaultHTML       Fault = "500"          // a page of an edge, nothing processed
	FaultCommitHang Fault = "commit_hang"  // processed, then no answer until the client gives up
	FaultCommitDrop Fault = "commit_drop"  // processed, then the connection is cut
	FaultCommitSlow Fault = "commit_slow"  // processed and called back before the answer comes
	FaultRejected   Fault = "21211"        // refused for good
	FaultDown       Fault = "down"         // the connection is cut before anything is processed
	FaultUnauth     Fault = "unauthorized" // SID and token are not accepted
)

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
	MediaAsked int       `json:"media_asked,omitempty"` // inbound: how often the file was not there yet
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
const maxMessages = 5000

func (a *account) add(m *Message) {
	if len(a.Messages) >= maxMessages {
		a.Messages = slices.Delete(a.Messages, 0, maxMessages/4)
	}
	a.Messages = append(a.Messages, m)
}

func (a *account) message(sid string) *Message {
	for _, m := range slices.Backward(a.Messages) {
		if m.SID == sid {
			return m
		}
	}
	return nil
}

// Thread gives the messages between a customer and a sender, the oldest first.
func (s *Simulator) Thread(sid string, customer twilio.Address, number string) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.account(sid)
	if a == nil {
		return nil
	}
	var out []Message
	ours := "whatsapp:" + number
	for _, m := range a.Messages {
		if m.From == string(customer) && m.To == ours || m.From == ours && m.To == string(customer) {
			out = append(out, *m)
		}
	}
	return out
}

package models

import (
	"slices"
	"strings"
	"time"
)

// Direction says who wrote a message.
type Direction string

// Directions. System is a line of Kanal's own in the thread: assigned, resolved and the like.
const (
	In     Direction = "in"
	Out    Direction = "out"
	System Direction = "system"
)

// MessageState is how far a message has come; our own words, in order. Twilio's "queued" is not ours.
type MessageState string

// The states of a message.
const (
	Received    MessageState = "received"  // inbound and system lines
	Queued      MessageState = "queued"    // kept, and to be sent, or sent again
	Sending     MessageState = "sending"   // an attempt holds a lease
	Uncertain   MessageState = "uncertain" // the request went out and its outcome is unknown
	Accepted    MessageState = "accepted"  // Twilio's sid is known; its accepted, scheduled, queued and sending
	Sent        MessageState = "sent"
	Delivered   MessageState = "delivered"
	Read        MessageState = "read"
	Failed      MessageState = "failed"
	Undelivered MessageState = "undelivered"
	Canceled    MessageState = "canceled"
)

var messageRank = map[MessageState]int{Queued: 1, Sending: 2, Uncertain: 3, Accepted: 4, Sent: 5, Delivered: 6, Read: 7}

// Final tells whether the state is one of the failures, which no report changes any more.
func (s MessageState) Final() bool { return s == Failed || s == Undelivered || s == Canceled }

// Moves tells whether a report of next moves a message from s: only forward, a failure only before delivery, and
// nothing after a failure (callbacks come late, doubled and out of order).
func (s MessageState) Moves(next MessageState) bool {
	if s.Final() || s == Received || s == next {
		return false
	}
	if next.Final() {
		return messageRank[s] < messageRank[Delivered]
	}
	return messageRank[next] > messageRank[s]
}

// InFlight tells whether the message may still be on its way to Twilio: the next one of the conversation waits.
func (s MessageState) InFlight() bool { return s == Sending || s == Uncertain }

// MessageKind is what a message is. Kinds that are not shown yet appear as a named placeholder.
type MessageKind string

// The kinds of messages. They are the words of twilio.Kind, plus those of system lines and of templates.
const (
	KindText        MessageKind = "text"
	KindImage       MessageKind = "image"
	KindAudio       MessageKind = "audio"
	KindVideo       MessageKind = "video"
	KindDocument    MessageKind = "document"
	KindSticker     MessageKind = "sticker"
	KindContacts    MessageKind = "contacts"
	KindLocation    MessageKind = "location"
	KindButton      MessageKind = "button"
	KindListReply   MessageKind = "list_reply"
	KindFlowReply   MessageKind = "flow_reply"
	KindTemplate    MessageKind = "template"
	KindSystem      MessageKind = "system"
	KindUnsupported MessageKind = "unsupported"
)

// FileKinds are the kinds of messages of ours that carry a file. A template's file belongs to the template.
func FileKinds() []MessageKind { return []MessageKind{KindImage, KindVideo, KindAudio, KindDocument} }

// HasFile tells whether a message of ours of this kind carries a file.
func (k MessageKind) HasFile() bool { return slices.Contains(FileKinds(), k) }

// Message is one line of a thread.
type Message struct {
	ID             MessageID
	AccountID      AccountID
	ConversationID ConversationID
	Seq            float64 // the order on screen; a fraction for one that came late and stands between two others
	Rev            int64
	Direction      Direction
	Kind           MessageKind
	RawKind        string // Twilio's own word when the kind is unsupported
	Body           string // text; for system lines the key of the sentence
	UserID         *UserID
	UserName       string  `gorm:"->"` // read only: who wrote it
	UserBefore     *UserID `gorm:"->"` // read only: who wrote the message before it; nil is the customer, or Kanal itself
	Trigger        Trigger // an automated message
	ClientKey      *string // ours: unique per (conversation, user)
	ProviderSID    *string `gorm:"column:provider_sid"`
	State          MessageState
	ErrorCode      int
	Attempt        int    // of the newest attempt; 0 before the first
	Form           string // the raw form of an inbound message, url-encoded as received
	Details        Details
	SearchText     string     // what can be searched: the text and the words of buttons, places, files and cards
	QuotedID       *MessageID // the message of the same account that this one answers
	TemplateID     *TemplateID
	ContentSID     string `gorm:"column:content_sid"` // goes to Twilio instead of the text
	// ContentVariables are the values of the template's variables as JSON; Body is what the customer reads.
	ContentVariables string
	CreatedAt        time.Time
	SentAt           *time.Time
	DeliveredAt      *time.Time
	ReadAt           *time.Time
	PollAt           *time.Time // when Twilio is asked next what became of it; nil is never
	Polls            int        // how often Twilio was asked since the last change
	RetryAt          *time.Time // after a temporary failure, until Twilio has it anew: when it is sent again by itself, by the account's clock
	UpdatedAt        time.Time
}

// AttemptState is where one try to send a message stands.
type AttemptState string

// The states of a send attempt.
const (
	AttemptSending      AttemptState = "sending"       // the lease is held
	AttemptUncertain    AttemptState = "uncertain"     // the outcome is being looked for
	AttemptAccepted     AttemptState = "accepted"      // bound to Twilio's sid
	AttemptNotProcessed AttemptState = "not_processed" // Twilio never took it: may be tried again
	AttemptRejected     AttemptState = "rejected"      // Twilio refused it for good
	AttemptLost         AttemptState = "lost"          // two listings did not show it: the next attempt starts
)

// SendAttempt is one try to send a message. The lease is in database time.
type SendAttempt struct {
	ID            AttemptID
	AccountID     AccountID
	MessageID     MessageID
	N             int
	Address       string // to whom, exactly as it was sent
	State         AttemptState
	SID           *string `gorm:"column:sid"`
	LeaseUntil    time.Time
	StartedAt     time.Time
	DeadlineAt    time.Time // when the request itself is given up
	FinishedAt    *time.Time
	NotBefore     *time.Time // after not_processed: when the next attempt may start
	HTTPStatus    int
	ErrorCode     int
	Listings      int // listings at Twilio that did not show the message
	LastListingAt *time.Time
}

// MayHaveMade tells whether Twilio could have made a message at the time because of the attempt: while its request was on
// its way, by clocks that are a little apart.
func (a SendAttempt) MayHaveMade(created time.Time) bool {
	return !created.Before(a.StartedAt.Add(-ClockSlack)) && !created.After(a.DeadlineAt.Add(ClockSlack))
}

// retries are the pauses before a message is sent again by itself, after each temporary failure.
var retries = []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute}

// RetryAfter gives the pause before a message is sent again by itself after some temporary failures of its attempts;
// false when it is left to a person.
func RetryAfter(failures int) (time.Duration, bool) {
	if failures < 1 || failures > len(retries) {
		return 0, false
	}
	return retries[failures-1], true
}

// Times of sending.
const (
	// SendTimeout bounds the request to Twilio that creates a message.
	SendTimeout = 10 * time.Second
	// SendLease is how long an attempt is held; longer than SendTimeout and the time to store the answer.
	SendLease = 20 * time.Second
	// ClockSlack is how far Twilio's clock may be from the database's. Twice of it and SendTimeout are less than
	// UncertainHold: two attempts of a conversation cannot have made the same message.
	ClockSlack = 20 * time.Second
	// UncertainHold is how long an uncertain message holds back the next one of its conversation.
	UncertainHold = 60 * time.Second
	// ListingDelay is the time after an attempt's deadline before a listing that does not show the message counts.
	ListingDelay = 60 * time.Second
	// ListingsNeeded is how many such listings make an attempt lost.
	ListingsNeeded = 2
)

// ProviderEvent is one report of Twilio about a message, as it came.
type ProviderEvent struct {
	ID         int64
	AccountID  AccountID
	MessageID  *MessageID
	Kind       string // EventKindStatus and the like
	SID        string `gorm:"column:sid"`
	Status     string
	ErrorCode  int
	Form       string
	ReceivedAt time.Time
}

// The kinds of provider events: a status callback, and what Twilio said when it was asked.
const (
	EventKindStatus = "status"
	EventKindPoll   = "poll"
)

// PreviewKind begins the preview of a message that is not only text: its kind follows, PreviewKind again and its words.
// It is a character that no text of a person begins with.
const PreviewKind = "\x1f"

// SplitPreview gives the kind and the words of a preview.
func SplitPreview(p string) (MessageKind, string) {
	rest, ok := strings.CutPrefix(p, PreviewKind)
	if !ok {
		return KindText, p
	}
	kind, words, _ := strings.Cut(rest, PreviewKind)
	return MessageKind(kind), words
}

// Words gives what a message says in one line of a list: its text, or what names it best.
func (m Message) Words() string {
	d := m.Details
	switch {
	case d.Choice != nil && d.Choice.Title != "":
		return d.Choice.Title
	case m.Body != "":
		return m.Body
	case d.Place != nil && d.Place.Label != "":
		return d.Place.Label
	case d.Place != nil:
		return d.Place.Address
	case len(d.Cards) > 0:
		return d.Cards[0].Name
	case m.Kind == KindUnsupported:
		return m.RawKind
	}
	return ""
}

// Searchable gives what can be searched of a message, in small letters: its text and the words of its details.
func (m Message) Searchable() string {
	parts := append([]string{m.Body}, m.Details.words()...)
	parts = slices.DeleteFunc(parts, func(s string) bool { return s == "" })
	return strings.ToLower(strings.Join(slices.Compact(parts), "\n"))
}

// MaxMessageLength is the longest text that Twilio takes, in UTF-16 units (its error 21617).
const MaxMessageLength = 1600

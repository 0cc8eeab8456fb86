package models

import "time"

// ConversationState is where a conversation stands. docs/conversation-states.md draws the transitions.
type ConversationState string

// The states of a conversation.
const (
	Open    ConversationState = "open"    // waits in a queue
	Active  ConversationState = "active"  // an agent has it
	Waiting ConversationState = "waiting" // the agent has put it aside until the customer writes
	WrapUp  ConversationState = "wrap_up" // resolved; notes can be finished, undo is possible
	Closed  ConversationState = "closed"  // for good: the next message starts a new conversation
)

// WrapUpTime is how long a resolved conversation stays in wrap-up before it closes by itself.
const WrapUpTime = 15 * time.Minute

// Conversation is one piece of work with one customer on one number. At most one of a (contact, number) is not closed.
type Conversation struct {
	ID            ConversationID
	AccountID     AccountID
	NumberID      NumberID
	ContactID     ContactID
	WorkstreamID  *WorkstreamID
	QueueID       QueueID
	State         ConversationState
	UserID        *UserID // the agent who has it
	Address       string  // exactly as last received in From: replies go there
	Seq           int64   // how many messages it has had: the seq of the last one that did not come late
	Rev           int64   // rises with every new message and every change of one
	Unread        int     // the customer's messages since somebody responsible looked
	LastMessageAt time.Time
	LastInboundAt *time.Time
	LastDirection Direction
	LastPreview   string
	LastState     MessageState
	UnansweredAt  *time.Time // since when the customer waits for an answer; nil when ours was last
	OpenedAt      time.Time
	AssignedAt    *time.Time
	ResolvedAt    *time.Time
	ClosedAt      *time.Time
	TypingShownAt *time.Time // when the customer was last shown that somebody is answering
	Version       int
	UpdatedAt     time.Time
}

// CustomerWrote gives the conversation after a message of the customer at now: in wrap-up it returns to active with
// the same agent, or to open when that one has gone, waiting becomes active again, the rest stays.
func (c Conversation) CustomerWrote(now time.Time) Conversation {
	if c.State == WrapUp || c.State == Waiting {
		c.State, c.ResolvedAt = c.inWork(), nil
	}
	if c.LastInboundAt == nil || now.After(*c.LastInboundAt) { // messages may come late
		c.LastInboundAt = &now
	}
	if c.UnansweredAt == nil || now.Before(*c.UnansweredAt) {
		c.UnansweredAt = &now
	}
	c.Unread++
	return c
}

// Assign gives the conversation to an agent. KindConflict with the key conversation.closed when it is closed.
func (c Conversation) Assign(to UserID, now time.Time) (Conversation, error) {
	if c.State == Closed {
		return c, E(KindConflict, "conversation.closed")
	}
	c.State, c.UserID, c.AssignedAt, c.ResolvedAt = Active, &to, &now, nil
	return c, nil
}

// Release puts the conversation back into its queue, as when its agent is deactivated. In wrap-up it stays there
// without an agent; closed and open ones do not change.
func (c Conversation) Release() Conversation {
	c.UserID, c.AssignedAt = nil, nil
	if c.State == Active || c.State == Waiting {
		c.State = Open
	}
	return c
}

// Resolve puts an active or waiting conversation into wrap-up. KindConflict with the key conversation.not_active in
// any other state.
func (c Conversation) Resolve(now time.Time) (Conversation, error) {
	if c.State != Active && c.State != Waiting {
		return c, E(KindConflict, "conversation.not_active")
	}
	c.State, c.ResolvedAt = WrapUp, &now
	return c, nil
}

// Reopen undoes Resolve while the conversation is in wrap-up. KindConflict with the key conversation.not_wrap_up in
// any other state.
func (c Conversation) Reopen() (Conversation, error) {
	if c.State != WrapUp {
		return c, E(KindConflict, "conversation.not_wrap_up")
	}
	c.State, c.ResolvedAt = c.inWork(), nil
	return c, nil
}

// inWork is the state of a conversation that goes on: active with its agent, open without one.
func (c Conversation) inWork() ConversationState {
	if c.UserID == nil {
		return Open
	}
	return Active
}

// Close ends the wrap-up for good. KindConflict with the key conversation.not_wrap_up in any other state.
func (c Conversation) Close(now time.Time) (Conversation, error) {
	if c.State != WrapUp {
		return c, E(KindConflict, "conversation.not_wrap_up")
	}
	c.State, c.ClosedAt, c.Unread = Closed, &now, 0
	return c, nil
}

// Shut closes the conversation at once, whatever its state: its customer is blocked.
func (c Conversation) Shut(now time.Time) Conversation {
	c.State, c.ClosedAt, c.Unread, c.UnansweredAt = Closed, &now, 0, nil
	return c
}

// AgentSession is one assignment of a conversation to one agent.
type AgentSession struct {
	ID             int64
	AccountID      AccountID
	ConversationID ConversationID
	UserID         UserID
	StartedAt      time.Time
	EndedAt        *time.Time
	Reason         string // why it ended: EndedResolved and the like
}

// Why an agent session ended.
const (
	EndedResolved    = "resolved"
	EndedReassigned  = "reassigned"
	EndedDeactivated = "deactivated"
	EndedBlocked     = "blocked"
)

// InboxView is one of the inbox's lists.
type InboxView string

// The lists of the inbox.
const (
	ViewMine  InboxView = "mine"
	ViewQueue InboxView = "queue"
	ViewAll   InboxView = "all"
)

// ParseInboxView reads a view; anything unknown is Mine.
func ParseInboxView(s string) InboxView {
	if v := InboxView(s); v == ViewQueue || v == ViewAll {
		return v
	}
	return ViewMine
}

// ConversationRow is a conversation as the lists show it.
type ConversationRow struct {
	Conversation
	ContactName    string // typed name, else profile name, else ""
	AgentName      string
	WorkstreamName string
	QueueName      string
	NumberName     string
	NumberAddress  string
	Draft          string // the viewer's own draft
	Simulated      bool
	ClockAhead     time.Duration
	WindowClosesAt *time.Time // nil: the customer has never written
	WindowInbound  *time.Time
	Files          int  // that are here; of a single conversation only
	LaterFailed    bool // a scheduled message could not be sent, and nobody has put it away

	ContactLanguage string
	BlockedAt       *time.Time
	ConsentGiven    *bool // the newest consent to all messages; nil when there is none
	ConsentSource   *string
	ConsentNote     *string
	ConsentAt       *time.Time
}

// Consent gives what the customer has agreed to with the account, but for marketing.
func (r ConversationRow) Consent() ConsentState {
	if r.ConsentGiven == nil || r.ConsentSource == nil || r.ConsentNote == nil || r.ConsentAt == nil {
		return ConsentState{}
	}
	return ConsentStateOf(Consent{
		AccountID: r.AccountID, ContactID: r.ContactID, Scope: ConsentAll, Given: *r.ConsentGiven, Source: *r.ConsentSource,
		Note: *r.ConsentNote, At: *r.ConsentAt,
	})
}

// Now gives the time as this conversation's account sees it.
func (r ConversationRow) Now(now time.Time) time.Time { return now.Add(r.ClockAhead) }

// Window gives the service window of the row.
func (r ConversationRow) Window() ServiceWindow {
	w := ServiceWindow{AccountID: r.AccountID, NumberID: r.NumberID, ContactID: r.ContactID}
	if r.WindowClosesAt != nil {
		w.ClosesAt = *r.WindowClosesAt
	}
	if r.WindowInbound != nil {
		w.LastInboundAt = *r.WindowInbound
	}
	return w
}

// WaitsForCustomer tells whether the last message is ours: "Waiting for customer" in the list, which is a view and not
// the state Waiting.
func (r ConversationRow) WaitsForCustomer() bool { return r.UnansweredAt == nil }

// InboxCounts are the figures on the tabs of the inbox.
type InboxCounts struct {
	Mine, Queue, All int
	Unread           int // conversations of the viewer's own with unread messages
}

// Draft is text that a person has begun to write in a conversation.
type Draft struct {
	AccountID      AccountID
	ConversationID ConversationID
	UserID         UserID
	Body           string
	Version        int
	UpdatedAt      time.Time
}

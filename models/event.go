package models

// Names of events. An event says that something changed; the page fetches what.
const (
	EventConversation = "conversation" // a conversation, its messages or its place in the lists
	EventAccount      = "account"      // a messaging account: its first message, a signature that failed
	EventViewing      = "viewing"      // who has a conversation before them, or writes in it; for those who have it so too
	EventTemplate     = "template"     // the templates of a messaging account, or how far fetching them has come
	EventResync       = "resync"       // something may have been missed: fetch everything again
	EventSignout      = "signout"      // a user's login sessions ended: close the streams
	EventSimulator    = "simulator"    // the built-in simulator; it never leaves its process
)

// Event travels to the streams of every instance after commit. It carries ids and never content.
type Event struct {
	Name         string         `json:"n"`
	Account      AccountID      `json:"a,omitempty"`
	Conversation ConversationID `json:"c,omitempty"`
	Users        []UserID       `json:"u,omitempty"` // whose lists change: the agent before and the agent now
	Queues       []QueueID      `json:"q,omitempty"` // whose lists change
	Session      string         `json:"s,omitempty"` // signout of one login session: its token hash
}

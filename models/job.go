package models

// JobArgs are the arguments of a job: a struct that names its kind. They hold ids, never content.
type JobArgs interface{ Kind() string }

// SendConversation sends the oldest queued message of a conversation.
type SendConversation struct {
	Conversation ConversationID `json:"conversation"`
}

// Kind names the job.
func (SendConversation) Kind() string { return "send_conversation" }

// SettleMessage finds out what became of a message whose sending has an unknown outcome.
type SettleMessage struct {
	Message MessageID `json:"message"`
}

// Kind names the job.
func (SettleMessage) Kind() string { return "settle_message" }

// ShowTyping shows the customer that somebody is answering.
type ShowTyping struct {
	Conversation ConversationID `json:"conversation"`
}

// Kind names the job.
func (ShowTyping) Kind() string { return "show_typing" }

// SendScheduled makes a message of one whose time has come.
type SendScheduled struct {
	Scheduled ScheduledID `json:"scheduled"`
}

// Kind names the job.
func (SendScheduled) Kind() string { return "send_scheduled" }

// CloseWrapUp closes a conversation whose wrap-up time is over.
type CloseWrapUp struct {
	Conversation ConversationID `json:"conversation"`
}

// Kind names the job.
func (CloseWrapUp) Kind() string { return "close_wrap_up" }

// Housekeeping removes what is older than its retention and picks up sendings that were left behind.
type Housekeeping struct{}

// Kind names the job.
func (Housekeeping) Kind() string { return "housekeeping" }

// FetchFile fetches a customer's file from Twilio. A try that is not the file's newest does nothing.
type FetchFile struct {
	File FileID `json:"file"`
	Try  int    `json:"try"`
}

// Kind names the job.
func (FetchFile) Kind() string { return "fetch_file" }

// RemoveFile removes a file at Twilio that is safe here.
type RemoveFile struct {
	File FileID `json:"file"`
}

// Kind names the job.
func (RemoveFile) Kind() string { return "remove_file" }

// FetchTemplates fetches an account's templates from Twilio, from where the fetching that began at Started is.
type FetchTemplates struct {
	Account AccountID `json:"account"`
	Started int64     `json:"started"` // microseconds
}

// Kind names the job.
func (FetchTemplates) Kind() string { return "fetch_templates" }

// RefreshTemplates asks Twilio about the templates on which WhatsApp is still to decide, and begins the fetchings that
// are due.
type RefreshTemplates struct{}

// Kind names the job.
func (RefreshTemplates) Kind() string { return "refresh_templates" }

// CatchUp lists what Twilio has taken in for an account since the last time and takes in what is missing here. Asked is
// the moment, in microseconds, up to which that is wanted; 0 is whenever it runs.
type CatchUp struct {
	Account AccountID `json:"account"`
	Asked   int64     `json:"asked"`
}

// Kind names the job.
func (CatchUp) Kind() string { return "catch_up" }

// CatchUpAll lets all accounts catch up.
type CatchUpAll struct{}

// Kind names the job.
func (CatchUpAll) Kind() string { return "catch_up_all" }

// PollMessages asks Twilio what became of messages that stand still.
type PollMessages struct{}

// Kind names the job.
func (PollMessages) Kind() string { return "poll_messages" }

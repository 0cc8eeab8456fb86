package models

import "time"

// Number is a WhatsApp number of a messaging account. A workstream claims it when its wizard is finished; until then
// its messages go to the default queue.
type Number struct {
	ID            NumberID
	AccountID     AccountID
	Name          string
	Address       string // E.164 with the plus sign
	WorkstreamID  *WorkstreamID
	Language      string // "" until the wizard has set it
	Files         bool
	CustomerFiles bool
	AgentFiles    bool
	KnownSender   *bool // whether Twilio listed it as a WhatsApp sender; nil when not asked
	Version       int
	CreatedAt     time.Time
	UpdatedAt     time.Time
	ClaimedAt     *time.Time
	NextSendAt    *time.Time // the sandbox only: when it takes the next message
	Pace          int        // how many messages a minute the sender takes; 0 is what WhatsApp gives every sender
	SenderSID     string     `gorm:"column:sender_sid"` // at Twilio, XE…; "" when it is not known
}

// TakesFiles tells whether customers may send files to the number. Until its workstream is set up nobody has switched
// them off.
func (n Number) TakesFiles() bool { return n.WorkstreamID == nil || n.Files && n.CustomerFiles }

// SandboxNumber is Twilio's shared WhatsApp sandbox number ; every account may have it.
const SandboxNumber = "+14155238886"

// Trigger names the moment at which an automated message is sent.
type Trigger string

// TriggerStarted is the start of a conversation: the greeting message.
const TriggerStarted Trigger = "conversation_started"

// TriggerFilesOff is the first file of a conversation that the customer sends where files are switched off.
const TriggerFilesOff Trigger = "files_off"

// FilesOffText is the built-in message that tells so, in a language of CustomerLanguages, English for others.
func FilesOffText(language string) string {
	if language == "nb" {
		return "Vi kan dessverre ikke ta imot filer her. Skriv til oss i stedet."
	}
	return "Sorry, we cannot receive files here. Please write to us instead."
}

// AutomatedMessage is a text that Kanal sends by itself for a number.
type AutomatedMessage struct {
	ID        int64
	NumberID  NumberID
	Trigger   Trigger
	Active    bool
	Text      string
	UpdatedAt time.Time
}

// NumberRow is a number as lists show it.
type NumberRow struct {
	Number
	AccountName    string
	AccountState   AccountState
	Simulated      bool
	WorkstreamName string
	Conversations  int  // not closed
	Used           bool // it has conversations, closed ones too
}

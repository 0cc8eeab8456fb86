package models

// Webhook is an address that Twilio calls, and its HTTP method. An empty URL is none.
type Webhook struct{ URL, Method string }

// Webhooks are the addresses of a number at Twilio.
type Webhooks struct {
	Inbound  Webhook // for incoming messages
	Fallback Webhook // when the first one did not answer
	Status   Webhook // for what becomes of messages
}

// WebhookProblem says why the addresses of a number are not set, or not known.
type WebhookProblem string

// Why the addresses of a number are not set, or not known.
const (
	WebhooksOfSandbox   WebhookProblem = "sandbox"     // they are set by hand only
	WebhooksNoSender    WebhookProblem = "no_sender"   // the account has no such WhatsApp sender
	WebhooksRejected    WebhookProblem = "rejected"    // SID and token were not accepted
	WebhooksSuspended   WebhookProblem = "suspended"   // Twilio has suspended the account
	WebhooksRefused     WebhookProblem = "refused"     // Twilio refused, with a code
	WebhooksUnreachable WebhookProblem = "unreachable" // no answer
	WebhooksNotYet      WebhookProblem = "not_yet"     // accepted, and not in place when we looked last
)

// MessagingService is a Messaging Service at Twilio that takes the incoming messages of its senders.
type MessagingService struct {
	SID, Name  string
	InboundURL string // "" switches incoming messages off
}

// NumberWebhooks is what is known of the addresses of a number.
type NumberWebhooks struct {
	Number  NumberRow
	Sender  string // its SID, "" when Twilio does not list the number
	Status  string // Twilio's word for the state of the sender
	Quality string // and for what WhatsApp thinks of it, "" when it is not rated
	Before  Webhooks
	Now     Webhooks
	Wanted  Webhooks
	Written bool // they were sent to Twilio this time
	Problem WebhookProblem
	Code    int // Twilio's, of the problem
	// Override is the service that is called instead of the number's own address, nil when there is none.
	Override *MessagingService
	// ServicesUnknown says that Twilio did not tell whether there is one.
	ServicesUnknown bool
}

// InPlace tells whether Twilio calls the wanted addresses.
func (n NumberWebhooks) InPlace() bool {
	return n.Sender != "" && n.Now == n.Wanted && n.Override == nil && !n.ServicesUnknown
}

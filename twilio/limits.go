package twilio

import (
	"time"
	"unicode/utf16"
)

// Limits that Twilio or WhatsApp sets, each with its source.
const (
	// MaxBody is the longest text of a message in UTF-16 units (Message resource, Body; error 21617 above it).
	MaxBody = 1600
	// MaxMedia and MaxImage bound files in bytes (guidance for WhatsApp media messages).
	MaxMedia = 16 << 20
	MaxImage = 5 << 20
	// SenderRate is how many messages a second a WhatsApp sender takes (WhatsApp best practices).
	SenderRate = 80
	// SandboxNumber is the shared sandbox sender (WhatsApp sandbox).
	SandboxNumber = "+14155238886"
	// SandboxPace is the time between two messages that the sandbox takes, SandboxMembership how long a phone that has
	// joined it stays a member (WhatsApp sandbox).
	SandboxPace       = 3 * time.Second
	SandboxMembership = 72 * time.Hour
	// ConnectionOverrides ends every URL that is handed to Twilio. It is neither sent nor signed; without it Twilio
	// does not try again after a 503 (webhook connection overrides).
	ConnectionOverrides = "#rc=3&rp=all&ct=2000&rt=4000"
	// MaxDebuggerURL is the longest address that the debugger's page takes (debugging events webhook).
	MaxDebuggerURL = 100
	// EmptyResponse answers an inbound webhook. Any other text would be sent to the customer.
	EmptyResponse = `<?xml version="1.0" encoding="UTF-8"?><Response/>`
)

// TextLength counts a text the way Twilio bounds it: in UTF-16 units.
func TextLength(s string) int {
	n := 0
	for _, r := range s {
		n += max(utf16.RuneLen(r), 1)
	}
	return n
}

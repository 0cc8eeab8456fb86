package twilio

// SandboxContent is one of the templates that the sandbox offers, already approved and the same for every account.
type SandboxContent struct {
	SID, Name, Body string
	Variables       map[string]string // samples
}

// SandboxContents gives the sandbox's templates (WhatsApp sandbox, "pre-approved message templates"). They are in
// English, and the sandbox takes no others.
func SandboxContents() []SandboxContent {
	return []SandboxContent{
		{
			SID: "HXb5b62575e6e4ff6129ad7c8efe1f983e", Name: "appointment_reminder",
			Body:      "Your appointment is coming up on {{1}} at {{2}}",
			Variables: map[string]string{"1": "12/1", "2": "3pm"},
		},
		{
			SID: "HX350d429d32e64a552466cafecbe95f3c", Name: "order_notification",
			Body:      "Your {{1}} order of {{2}} has shipped and should be delivered on {{3}}. Details: {{4}}",
			Variables: map[string]string{"1": "Acme", "2": "12 brass buttons", "3": "12/1", "4": "https://example.com/42"},
		},
		{
			SID: "HX229f5a04fd0510ce1b071852155d3e75", Name: "verification_code",
			Body:      "Your {{1}} code is {{2}}",
			Variables: map[string]string{"1": "Acme", "2": "409173"},
		},
	}
}

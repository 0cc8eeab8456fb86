package models

import "time"

// ChannelDraft is the wizard "Set up WhatsApp" of a workstream while it is not finished.
type ChannelDraft struct {
	WorkstreamID   WorkstreamID
	NumberID       *NumberID
	Language       string
	GreetingActive bool
	GreetingText   string
	Files          bool
	CustomerFiles  bool
	AgentFiles     bool
	Step           ChannelStep // the furthest step completed
	Version        int
	UpdatedBy      UserID
	UpdatedAt      time.Time
}

// ChannelStep is a step of the wizard "Set up WhatsApp", in order.
type ChannelStep int

// The steps of the wizard "Set up WhatsApp".
const (
	ChannelNone ChannelStep = iota
	ChannelNumber
	ChannelLanguage
	ChannelBehaviors
	ChannelUserFeatures
	ChannelSummary
)

// ChannelSteps lists the steps in order with the last part of their paths.
func ChannelSteps() []string {
	return []string{"number", "language", "behaviors", "user-features", "summary"}
}

// ParseChannelStep reads the last part of a step's path. ErrNotFound for any other text.
func ParseChannelStep(s string) (ChannelStep, error) {
	for i, name := range ChannelSteps() {
		if name == s {
			return ChannelStep(i + 1), nil
		}
	}
	return ChannelNone, ErrNotFound
}

// Path gives the last part of the step's path.
func (s ChannelStep) Path() string {
	if s < ChannelNumber || s > ChannelSummary {
		return ChannelSteps()[0]
	}
	return ChannelSteps()[s-1]
}

// Furthest gives the furthest step that may be opened: every step before it is complete.
func (d ChannelDraft) Furthest() ChannelStep {
	if d.NumberID == nil {
		return ChannelNumber // also when the number was removed from its account meanwhile
	}
	return min(d.Step+1, ChannelSummary)
}

// Open tells whether the draft may open the step.
func (d ChannelDraft) Open(step ChannelStep) bool { return step <= d.Furthest() }

// CustomerLanguages are the languages in which Kanal has texts for customers.
func CustomerLanguages() []string { return []string{"nb", "en"} }

// DefaultGreeting gives the built-in greeting message in a language of CustomerLanguages, English for others.
func DefaultGreeting(language string) string {
	if language == "nb" {
		return "Hei! Takk for at du skriver til oss. Vi svarer så snart vi kan."
	}
	return "Hello! Thank you for your message. We will reply as soon as we can."
}

// GreetingIn gives the greeting that follows a change of the language: a built-in text, or none, becomes the new
// language's; a text that somebody has written stays.
func GreetingIn(text, from, to string) string {
	if text == "" || text == DefaultGreeting(from) {
		return DefaultGreeting(to)
	}
	return text
}

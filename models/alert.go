package models

import "time"

// AlertSource is from where an alert came.
type AlertSource string

// The sources of alerts.
const (
	AlertFallback AlertSource = "fallback" // Twilio could not reach the inbound address and called the fallback address
	AlertDebugger AlertSource = "debugger" // Twilio's debugger
)

// Alert is something that Twilio says went wrong.
type Alert struct {
	ID          AlertID
	AccountID   AccountID
	Source      AlertSource
	SID         string `gorm:"column:sid"` // NO… of the debugger, "" of the fallback address
	Level       string
	ErrorCode   int
	ResourceSID string `gorm:"column:resource_sid"` // of the message, mostly
	Text        string
	Form        string
	HappenedAt  time.Time
	ReceivedAt  time.Time
}

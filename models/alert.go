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
	Level       string // LevelError or LevelWarning
	ErrorCode   int
	ResourceSID string `gorm:"column:resource_sid"` // of the message, mostly
	Text        string // what Twilio says of it, and the address
	Form        string
	HappenedAt  time.Time
	ReceivedAt  time.Time
}

// How bad an alert is.
const (
	LevelError   = "error"
	LevelWarning = "warning"
)

// Unreached tells whether the alert says that Twilio did not get through to an address of ours: a message may be missing.
func (a Alert) Unreached() bool {
	return a.Source == AlertFallback || a.ErrorCode/100 == 112
}

// AlertRow is an alert as the list shows it.
type AlertRow struct {
	Alert
	AccountName    string
	MessageID      MessageID      // of ours, that it is about; 0 when it is about none
	ConversationID ConversationID // of that message
}

// AlertsTogether is how far from the newest of a group an alert about the same may be.
const AlertsTogether = time.Hour

// AlertGroup are alerts of one account about the same code, within an hour of the newest, the newest first.
type AlertGroup []AlertRow

// GroupAlerts puts together what is said about the same within an hour. The alerts come, and go, the newest first.
func GroupAlerts(rows []AlertRow) []AlertGroup {
	type same struct {
		account AccountID
		code    int
	}
	var groups []AlertGroup
	open := map[same]int{}
	for _, r := range rows {
		key := same{r.AccountID, r.ErrorCode}
		if i, ok := open[key]; ok && groups[i][0].HappenedAt.Sub(r.HappenedAt) <= AlertsTogether {
			groups[i] = append(groups[i], r)
			continue
		}
		open[key] = len(groups)
		groups = append(groups, AlertGroup{r})
	}
	return groups
}

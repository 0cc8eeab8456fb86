package models

import "time"

// Audit is one administrative act. Details never hold a secret.
type Audit struct {
	ID        int64
	At        time.Time
	UserID    *UserID
	UserName  string `gorm:"->"` // read only
	Action    string // like account.token_replaced
	Subject   string // like account/7
	Details   string // JSON: what changed, from and to
	RemoteIP  string
	RequestID string
}

// Organisation holds the settings of the whole installation.
type Organisation struct {
	TimeZone      string // IANA name
	RetentionDays int    // of raw forms, quarantine and login sessions
}

// DefaultRetentionDays is how long raw forms, quarantine and login sessions are kept.
const DefaultRetentionDays = 90

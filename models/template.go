package models

import "time"

// TemplateStatus is how far WhatsApp's approval of a template has come; Twilio's words.
type TemplateStatus string

// The statuses of a template. A typed template without Content SID has none.
const (
	TemplateNone        TemplateStatus = ""
	TemplateUnsubmitted TemplateStatus = "unsubmitted"
	TemplateReceived    TemplateStatus = "received"
	TemplatePending     TemplateStatus = "pending"
	TemplateApproved    TemplateStatus = "approved"
	TemplateRejected    TemplateStatus = "rejected"
	TemplatePaused      TemplateStatus = "paused"
	TemplateDisabled    TemplateStatus = "disabled"
)

// CategoryMarketing is WhatsApp's category of templates that advertise; the others are UTILITY and AUTHENTICATION.
const CategoryMarketing = "MARKETING"

// TemplateSource says where a template came from.
type TemplateSource string

// Sources of templates.
const (
	TemplateTyped  TemplateSource = "typed"
	TemplateTwilio TemplateSource = "twilio"
)

// Template is a message template of an account. One without Content SID can be used in the open window only, as text.
type Template struct {
	ID              TemplateID
	AccountID       AccountID
	Name            string
	Language        string // WhatsApp's code: nb, en, en_GB
	Category        string // UTILITY, MARKETING, AUTHENTICATION; "" when unknown
	Kind            string // Twilio's content type: twilio/text, twilio/quick-reply …
	Body            string // the WhatsApp-approved text, with {{1}} for variables
	ContentSID      string `gorm:"column:content_sid"`
	Content         string // the types as Twilio gives them, JSON; "" for a typed one
	Variables       string // sample values, JSON object
	Status          TemplateStatus
	RejectionReason string
	Quality         string
	Source          TemplateSource
	CreatedBy       *UserID
	Version         int
	CreatedAt       time.Time
	UpdatedAt       time.Time
	SyncedAt        *time.Time
	RemovedAt       *time.Time // gone at Twilio, or deleted here
}

// TemplateSync is the newest fetching of an account's templates from Twilio.
type TemplateSync struct {
	AccountID  AccountID
	StartedAt  time.Time
	FinishedAt *time.Time
	Pages      int
	Templates  int
	Problem    string // message key, "" when it went well
}

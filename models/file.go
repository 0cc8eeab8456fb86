package models

import "time"

// FileState is where a file stands.
type FileState string

// The states of a file.
const (
	FilePending FileState = "pending" // to be fetched
	FileStored  FileState = "stored"  // safe here
	FileSkipped FileState = "skipped" // not fetched: files are switched off
	FileFailed  FileState = "failed"  // could not be fetched, or is not allowed
)

// File is a file of a conversation, from the customer or from us. One that is uploaded belongs to no message until it
// is sent.
type File struct {
	ID             FileID
	AccountID      AccountID
	ConversationID ConversationID
	MessageID      *MessageID
	UserID         *UserID // who uploaded it
	Position       int     // in its message
	Direction      Direction
	State          FileState
	Problem        string // message key of why it is skipped or failed
	Name           string // untrusted
	ContentType    string // by content, not by what was said
	Size           int64  // bytes
	Width          int    // pixels, 0 when it is no picture
	Height         int
	Description    string // what the picture shows, typed by an agent
	StorageKey     string
	ThumbKey       string
	ProviderURL    string `gorm:"column:provider_url"`
	Tries          int
	CreatedAt      time.Time
	StoredAt       *time.Time
	RemovedAt      *time.Time // removed at Twilio
}

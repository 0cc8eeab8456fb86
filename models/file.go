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
// is sent; a scheduled message may hold it until then.
type File struct {
	ID             FileID
	AccountID      AccountID
	ConversationID ConversationID
	MessageID      *MessageID
	ScheduledID    *ScheduledID // the scheduled message that holds it
	UserID         *UserID      // who uploaded it
	Position       int          // in its message
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
	DueAt          *time.Time // when a pending file is fetched, by the center's own clock
	CreatedAt      time.Time
	StoredAt       *time.Time
	RemovedAt      *time.Time // removed at Twilio
}

// MayRetry tells whether fetching the file again may help.
func (f File) MayRetry() bool {
	switch f.Problem {
	case FileTooLarge, FileForeign:
		return false
	}
	return f.Direction == In && (f.State == FileFailed || f.State == FilePending && f.Problem != "")
}

// MayFetchAnyway tells whether who has the role may have a file fetched that was skipped because files from customers are
// switched off. An agent may not: the switch is there for what agents do not want to meet.
func (f File) MayFetchAnyway(r Role) bool { return f.State == FileSkipped && r.SeesAll() }

// Why a file is skipped, failed, or still not there: keys of sentences.
const (
	FileOff       = "file.problem.off"       // files from customers are switched off
	FileGone      = "file.problem.gone"      // Twilio does not have it
	FileDenied    = "file.problem.denied"    // Twilio does not let us in
	FileTooLarge  = "file.problem.too_large" // larger than WhatsApp allows
	FileForeign   = "file.problem.foreign"   // it lies where we do not fetch from
	FileRefused   = "file.problem.refused"   // Twilio gave an answer that is none
	FileAway      = "file.problem.away"      // Twilio, or our own store, did not answer
	FileSimulator = "file.problem.simulator" // it is the simulator's, which is off
)

// shown are the types that a browser shows and plays without running anything in them. A type is only here when what it
// was found to be, by content, is what it says.
var shown = map[string]MessageKind{
	"image/jpeg": KindImage, "image/png": KindImage, "image/gif": KindImage, "image/webp": KindImage,
	"video/mp4": KindVideo, "video/3gpp": KindVideo,
	"audio/ogg": KindAudio, "audio/mpeg": KindAudio, "audio/aac": KindAudio, "audio/amr": KindAudio, "audio/mp4": KindAudio,
	"audio/x-m4a": KindAudio, "audio/3gpp": KindAudio,
}

// Shown tells whether a browser may show or play the file. All others can only be downloaded.
func (f File) Shown() bool { return f.State == FileStored && shown[f.ContentType] != "" }

// Kind is what the file is by its content: image, audio, video, contacts or document.
func (f File) Kind() MessageKind {
	if kind, ok := shown[f.ContentType]; ok {
		return kind
	}
	if f.ContentType == "text/vcard" {
		return KindContacts
	}
	return KindDocument
}

// ContentTypeIn settles what content alone cannot: sound and film come in the same containers.
func ContentTypeIn(kind MessageKind, found string) string {
	if kind != KindAudio {
		return found
	}
	switch found {
	case "video/mp4":
		return "audio/mp4"
	case "video/3gpp":
		return "audio/3gpp"
	case "application/ogg":
		return "audio/ogg"
	}
	return found
}

// MaxFileSizeIn is how large a file in a customer's message may be.
func MaxFileSizeIn(kind MessageKind) int64 {
	if kind == KindImage || kind == KindSticker {
		return MaxImageSize
	}
	return MaxFileSize
}

// fetchDelays are the times between tries to fetch a file. Twilio may tell of a message before its file can be fetched;
// the first four are for that.
var fetchDelays = []time.Duration{
	time.Second, 3 * time.Second, 10 * time.Second, time.Minute,
	5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour, 4 * time.Hour,
}

// LateTries is how often a file that Twilio does not have is asked for again.
const LateTries = 4

// FetchDelay gives how long to wait after the nth failed try, from 1 on; false when that was the last. missing says that
// Twilio answers, and does not have the file.
func FetchDelay(n int, missing bool) (time.Duration, bool) {
	last := len(fetchDelays)
	if missing {
		last = LateTries
	}
	if n < 1 || n > last {
		return 0, false
	}
	return fetchDelays[n-1], true
}

// LooseFor is how long an uploaded file that was not sent is kept.
const LooseFor = 24 * time.Hour

package models

import "time"

// Times of viewings.
const (
	// ViewingBeat is how often a page says that it is still there.
	ViewingBeat = 20 * time.Second
	// ViewingLasts is how long a beat holds: a page that says nothing more is gone.
	ViewingLasts = 45 * time.Second
	// viewingRest is how long a beat that says nothing new changes nothing.
	viewingRest = 15 * time.Second
)

// Viewing says that a person has a conversation before them, and since when they write in it.
type Viewing struct {
	AccountID      AccountID
	ConversationID ConversationID
	UserID         UserID
	UserName       string `gorm:"->"` // read only
	SeenAt         time.Time
	TypedAt        *time.Time // nil: they only look
}

// Typing tells whether the person is writing.
func (v Viewing) Typing() bool { return v.TypedAt != nil }

// Ends is when the viewing counts no more, unless another beat comes.
func (v Viewing) Ends() time.Time { return v.SeenAt.Add(ViewingLasts) }

// Says tells whether a beat at now would say nothing new.
func (v Viewing) Says(typing bool, now time.Time) bool {
	return v.Typing() == typing && now.Before(v.SeenAt.Add(viewingRest))
}

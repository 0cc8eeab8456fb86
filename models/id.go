package models

import "strconv"

// Ids are typed, so that no id of one kind is taken for another. Zero means "none" and is refused where an id is read.
type (
	UserID         int64
	QueueID        int64
	AccountID      int64
	NumberID       int64
	WorkstreamID   int64
	ContactID      int64
	ConversationID int64
	MessageID      int64
	AttemptID      int64
	QuarantineID   int64
)

// ParseID reads an id from a path or a form. ErrNotFound for anything but a positive decimal number in its usual
// form, so that "+7", "007" and "0" name nothing.
func ParseID[T ~int64](s string) (T, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n <= 0 || strconv.FormatInt(n, 10) != s {
		return 0, ErrNotFound
	}
	return T(n), nil
}

// Package inbox is the agent's page: the list, the thread, the composer and what stands beside them.
package inbox

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"kanal/models"
	"kanal/views/i18n"
)

// Page is the whole inbox. Thread is nil when no conversation is open.
type Page struct {
	List   List
	Thread *Thread
}

func name(r models.ConversationRow) string {
	if r.ContactName != "" {
		return r.ContactName
	}
	return address(r)
}

// address gives the number, or for a hidden one the last part of the user id.
func address(r models.ConversationRow) string {
	a := strings.TrimPrefix(r.Address, "whatsapp:")
	if strings.HasPrefix(a, "+") {
		return i18n.Phone(a)
	}
	return a
}

func firstName(r models.ConversationRow) string {
	if words := strings.Fields(r.ContactName); len(words) > 0 {
		return words[0]
	}
	return address(r)
}

func id[T ~int64](v T) string { return strconv.FormatInt(int64(v), 10) }

func conversationURL(v models.ConversationID, view models.InboxView, rest string) string {
	u := "/inbox/" + id(v) + rest
	if view != "" && view != models.ViewMine && rest == "" {
		u += "?view=" + string(view)
	}
	return u
}

// owned is who has the conversation as the page shows it.
func owned(r models.ConversationRow) string {
	if r.UserID == nil {
		return "0"
	}
	return id(*r.UserID)
}

// maxOwnCode bounds the codes that are ours and not Twilio's.
const maxOwnCode = 99

// Version changes whenever what surrounds the messages has to be drawn again: another state, another agent, the reply
// window closed or opened, another file.
func Version(r models.ConversationRow, now time.Time) string {
	owner := models.UserID(0)
	if r.UserID != nil {
		owner = *r.UserID
	}
	return fmt.Sprintf("%s-%d-%t-%t-%s-%d", r.State, owner, r.Window().IsOpen(now), unanswered(r), consentVersion(r), r.Files)
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// consentVersion is the part of Version that changes with what the customer has agreed to.
func consentVersion(r models.ConversationRow) string {
	switch {
	case r.BlockedAt != nil:
		return "b"
	case r.ConsentGiven == nil:
		return "n"
	case refused(r):
		return "r"
	case *r.ConsentGiven:
		return "i"
	}
	return "o"
}

package inbox

import (
	"fmt"
	"time"

	"kanal/models"
)

// Composer is what stands under the thread: the form, or a panel that says why there is none.
type Composer struct {
	Row        models.ConversationRow
	Viewer     models.Viewer
	Text       string // the draft, or what was typed
	Key        string // a fresh client key
	Problem    string
	EnterSends bool
	Now        time.Time
	Focus      bool // the panel takes the focus: it has just replaced the form
	View       models.InboxView
	TakesFiles bool          // files can be sent
	NoFiles    string        // why files cannot be sent, when that is a fault
	Uploads    []models.File // what is uploaded and not sent
}

// mode says what stands in the composer's place.
func (c Composer) mode() string {
	switch {
	case c.Row.State == models.Closed:
		return "is_closed"
	case c.Row.State == models.WrapUp:
		return "wrap_up"
	case c.Row.BlockedAt != nil:
		return "blocked"
	case refused(c.Row):
		return "opted_out"
	}
	switch c.Row.Window().State(c.Now) {
	case models.WindowNever:
		if unanswered(c.Row) {
			return "unanswered"
		}
		return "never"
	case models.WindowClosed:
		return "closed"
	}
	return "form"
}

// unanswered tells whether a customer who has never written has got something from us.
func unanswered(r models.ConversationRow) bool {
	return r.WindowInbound == nil && r.LastDirection == models.Out && !r.LastState.Final()
}

// refused tells whether Twilio or WhatsApp would refuse everything that is sent to the customer.
func refused(r models.ConversationRow) bool {
	return r.Consent().Reply(r.Window()) != models.ConsentAllows
}

// refusedByTwilio tells whether only the customer can end the opt-out.
func refusedByTwilio(r models.ConversationRow) bool {
	said := r.Consent().All
	return said != nil && said.ByTwilio()
}

// state is where the page asks what stands around the messages.
func (c Composer) state() string {
	u := conversationURL(c.Row.ID, "", "/composer")
	if c.View != "" {
		u += "?view=" + string(c.View)
	}
	return u
}

// realClosing gives the closing time on the clock on the wall: a simulated account's clock runs ahead.
func realClosing(r models.ConversationRow) time.Time {
	return r.Window().ClosesAt.Add(-r.ClockAhead)
}

func windowClass(s models.WindowState) string {
	switch s {
	case models.WindowLast:
		return "win--e"
	case models.WindowSoon:
		return "win--w"
	}
	return "win--ok"
}

func dash(left time.Duration) string {
	return fmt.Sprintf("%d 100", min(100, int(left*100/models.ServiceWindowLength)+1))
}

// helps names who has the conversation when that is somebody else, else "".
func (c Composer) helps() string {
	if c.Row.UserID == nil || *c.Row.UserID == c.Viewer.User {
		return ""
	}
	return c.Row.AgentName
}

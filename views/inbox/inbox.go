// Package inbox is the agent's page: the list, the thread, the composer and what stands beside them.
package inbox

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"kanal/models"
	"kanal/views/components"
	"kanal/views/i18n"
)

// Page is the whole inbox. Thread is nil when no conversation is open.
type Page struct {
	List   List
	Thread *Thread
}

// Part says which part of a list is shown: Size rows of a view, after a place ("" is the beginning).
type Part struct {
	View  models.InboxView
	After string
	Size  int
}

// query is the part in an address.
func (p Part) query() string {
	q := "?view=" + string(p.View) + "&rows=" + strconv.Itoa(p.Size)
	if p.After != "" {
		q += "&after=" + url.QueryEscape(p.After)
	}
	return q
}

// List is the conversation list of one view.
type List struct {
	Part
	Rows    []models.ConversationRow
	Counts  models.InboxCounts
	First   models.ConversationID // what "Take next" would give now, 0 for nothing
	Current models.ConversationID
	More    *Part // the part with more rows, nil when there are none
	Now     time.Time
	Notice  string // what to know about the accounts in use
}

// Thread is one open conversation.
type Thread struct {
	Row      models.ConversationRow
	View     models.InboxView // of the list that it was opened from
	Messages []models.Message
	Older    int64 // there are messages before this seq; 0 for none
	Past     bool  // a page of older messages: the newest are not on it
	Grows    bool  // messages for a thread that is open: what was new when it was opened is marked already
	Earlier  []models.ConversationRow
	Viewer   models.Viewer
	Composer Composer
	Now      time.Time // as the account sees it
	Advice   Advice
}

// Advice says what a person can do about a code of Twilio's: "retry", "admin" or "none", and whether the code has a
// sentence of its own.
type Advice func(code int) (what string, known bool)

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
}

// mode says what stands in the composer's place.
func (c Composer) mode() string {
	switch {
	case c.Row.State == models.Closed:
		return "is_closed"
	case c.Row.State == models.WrapUp:
		return "wrap_up"
	case c.Row.UserID != nil && *c.Row.UserID != c.Viewer.User:
		return "other"
	}
	switch c.Row.Window().State(c.Now) {
	case models.WindowNever:
		return "never"
	case models.WindowClosed:
		return "closed"
	}
	return "form"
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

// group is a heading with its rows.
type group struct {
	title string
	rows  []models.ConversationRow
}

// groups parts the list as its view is read: one's own by who has to write next.
func (l List) groups(ctx context.Context) []group {
	if l.View != models.ViewMine {
		key := map[models.InboxView]string{models.ViewQueue: "inbox.group_queue", models.ViewAll: "inbox.group_all"}[l.View]
		return []group{{i18n.T(ctx, key), l.Rows}}
	}
	active, waiting, wrapUp := group{title: i18n.T(ctx, "inbox.group_active")}, group{title: i18n.T(ctx, "inbox.group_waiting")}, group{title: i18n.T(ctx, "inbox.group_wrap_up")}
	for _, r := range l.Rows {
		switch {
		case r.State == models.WrapUp:
			wrapUp.rows = append(wrapUp.rows, r)
		case r.WaitsForCustomer():
			waiting.rows = append(waiting.rows, r)
		default:
			active.rows = append(active.rows, r)
		}
	}
	return []group{active, waiting, wrapUp}
}

func (l List) tabs(ctx context.Context) []components.Tab {
	count := func(n int) string {
		if n >= 1000 {
			return "999+"
		}
		return strconv.Itoa(n)
	}
	return []components.Tab{
		{Label: i18n.T(ctx, "inbox.mine"), URL: "/inbox?view=mine", Count: count(l.Counts.Mine), Now: l.View == models.ViewMine},
		{Label: i18n.T(ctx, "inbox.queue"), URL: "/inbox?view=queue", Count: count(l.Counts.Queue), Now: l.View == models.ViewQueue},
		{Label: i18n.T(ctx, "inbox.all"), URL: "/inbox?view=all", Count: count(l.Counts.All), Now: l.View == models.ViewAll},
	}
}

// newDay tells whether a day begins with the message.
func newDay(ctx context.Context, ms []models.Message, i int) bool {
	return i == 0 || i18n.Date(ctx, ms[i].CreatedAt) != i18n.Date(ctx, ms[i-1].CreatedAt)
}

// day is the mark of a day in the thread.
func day(ctx context.Context, m models.Message) string {
	return "day-" + m.CreatedAt.In(i18n.From(ctx).Zone).Format("2006-01-02")
}

// firstUnread gives the seq of the first message that nobody responsible has seen, and how many there are.
func (t Thread) firstUnread() (seq int64, n int) {
	if t.Past || t.Grows {
		return 0, 0
	}
	for i := len(t.Messages) - 1; i >= 0 && n < t.Row.Unread; i-- {
		if t.Messages[i].Direction == models.In {
			seq, n = t.Messages[i].Seq, n+1
		}
	}
	return seq, n
}

func (t Thread) older(rest string) string {
	return conversationURL(t.Row.ID, "", rest+"?before="+strconv.FormatInt(t.Older, 10))
}

// admin gives the address of the account for those who may mend it, else "".
func (t Thread) admin() string {
	if t.Viewer.Role != models.Administrator {
		return ""
	}
	return "/admin/accounts/" + id(t.Row.AccountID)
}

// state is where the page asks what stands around the messages.
func (c Composer) state() string {
	u := conversationURL(c.Row.ID, "", "/composer")
	if c.View != "" {
		u += "?view=" + string(c.View)
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

// domID is the one id of a message from the first moment: its client key when a person here wrote it, else its seq.
func domID(m models.Message) string {
	if m.ClientKey != nil {
		return "m-" + *m.ClientKey
	}
	return fmt.Sprintf("m-%d", m.Seq)
}

// author names who wrote a message, for those who cannot see on which side it stands.
func author(ctx context.Context, t Thread, m models.Message) string {
	switch {
	case m.Direction == models.In:
		return name(t.Row)
	case m.Trigger != "":
		return i18n.T(ctx, "thread.automated")
	case m.UserID != nil && *m.UserID == t.Viewer.User:
		return i18n.T(ctx, "thread.you")
	}
	return m.UserName
}

// failure gives the sentence under a message that failed.
func (t Thread) failure(ctx context.Context, m models.Message) string {
	if _, known := t.Advice(m.ErrorCode); known {
		return i18n.T(ctx, "twilio.code."+strconv.Itoa(m.ErrorCode))
	}
	return i18n.T(ctx, "twilio.code.other", "code", m.ErrorCode)
}

// code is Twilio's own, beside a sentence that says the same in words; "" when there is none.
func (t Thread) code(m models.Message) string {
	if _, known := t.Advice(m.ErrorCode); !known || m.ErrorCode == noAnswer {
		return ""
	}
	return strconv.Itoa(m.ErrorCode)
}

// noAnswer is not a code of Twilio's: there was no answer.
const noAnswer = 1

func (t Thread) advice(m models.Message) string {
	what, _ := t.Advice(m.ErrorCode)
	return what
}

func tick(s models.MessageState) string {
	switch s {
	case models.Delivered, models.Read:
		return "ticks"
	case models.Accepted, models.Sent:
		return "tick"
	case models.Failed, models.Undelivered, models.Canceled:
		return "alert"
	}
	return "clock"
}

func bare(m models.Message) bool {
	return m.Body != "" && (m.Kind == models.KindText || m.Kind == "button" || m.Kind == "list_reply")
}

func kindName(ctx context.Context, kind models.MessageKind) string {
	key := "kind." + string(kind)
	if !i18n.Has(key) {
		key = "kind.unsupported"
	}
	return i18n.T(ctx, key)
}

// preview is the last line of a conversation as its row shows it.
func preview(ctx context.Context, r models.ConversationRow) string {
	if kind, ok := strings.CutPrefix(r.LastPreview, models.PreviewKind); ok {
		return kindName(ctx, models.MessageKind(kind))
	}
	return r.LastPreview
}

// Version changes whenever what surrounds the messages has to be drawn again: another state, another agent, the reply
// window closed or opened.
func Version(r models.ConversationRow, now time.Time) string {
	owner := models.UserID(0)
	if r.UserID != nil {
		owner = *r.UserID
	}
	return fmt.Sprintf("%s-%d-%t", r.State, owner, r.Window().IsOpen(now))
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

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

func windowState(ctx context.Context, r models.ConversationRow, now time.Time) (models.WindowState, string) {
	w := r.Window()
	return w.State(r.Now(now)), i18n.Left(ctx, w.ClosesAt.Sub(r.Now(now)))
}

func (t Thread) mine() bool { return t.Row.UserID != nil && *t.Row.UserID == t.Viewer.User }

// owner names whom a panel speaks of.
func (c Composer) owner() string {
	if c.mode() == "other" {
		return c.Row.AgentName
	}
	return firstName(c.Row)
}

func tickClass(s models.MessageState) string {
	if s == models.Read {
		return "is-read"
	}
	return ""
}

func rowTick(s models.MessageState) string {
	switch {
	case s == models.Read:
		return "ic--s is-read"
	case s.Final():
		return "ic--s c-e"
	}
	return "ic--s"
}

func allChip(ctx context.Context, r models.ConversationRow) string {
	if r.AgentName != "" {
		return r.AgentName
	}
	return i18n.T(ctx, "cstate."+string(r.State))
}

func earlierTitle(ctx context.Context, r models.ConversationRow) string {
	if p := preview(ctx, r); p != "" {
		return p
	}
	return i18n.T(ctx, "cstate."+string(r.State))
}

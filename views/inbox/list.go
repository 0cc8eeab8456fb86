package inbox

import (
	"context"
	"net/url"
	"strconv"
	"time"

	"kanal/models"
	"kanal/views/components"
	"kanal/views/i18n"
)

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

// preview is the last line of a conversation as its row shows it: its words, or what it is.
func preview(ctx context.Context, r models.ConversationRow) string {
	if r.LastPreview == "" && r.LastDirection == models.System {
		return i18n.T(ctx, "outreach.nothing_yet")
	}
	kind, words := models.SplitPreview(r.LastPreview)
	words = plain(words)
	switch {
	case words == "" && kind == models.KindText && r.LastDirection == models.In:
		return i18n.T(ctx, "kind.empty")
	case words == "" && kind != models.KindText:
		return kindName(ctx, kind)
	case kind == models.KindTemplate:
		return kindName(ctx, kind) + ": " + words
	case words == callPermission:
		return i18n.T(ctx, "choice.call_answered")
	case kind == models.KindUnsupported:
		return kindName(ctx, kind)
	}
	return words
}

// previewIcon is the picture before the preview; templates name themselves.
func previewIcon(r models.ConversationRow) string {
	kind, _ := models.SplitPreview(r.LastPreview)
	if kind == models.KindTemplate {
		return ""
	}
	return kindIcon(kind)
}

func windowState(ctx context.Context, r models.ConversationRow, now time.Time) (models.WindowState, string) {
	w := r.Window()
	return w.State(r.Now(now)), i18n.Left(ctx, w.ClosesAt.Sub(r.Now(now)))
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

package web

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"kanal/models"
	"kanal/service"
	"kanal/store"
	"kanal/views"
	"kanal/views/inbox"
)

// inboxPage shows the inbox with no conversation open.
func (s *Server) inboxPage(c echo.Context) error {
	list, err := s.inboxList(c, 0)
	if err != nil {
		return err
	}
	return s.renderInbox(c, http.StatusOK, inbox.Page{List: list})
}

// inboxListPart answers the live refetch of the list.
func (s *Server) inboxListPart(c echo.Context) error {
	list, err := s.inboxList(c, currentConversation(c))
	if err != nil {
		return err
	}
	if !isPartial(c) {
		return s.redirect(c, "/inbox?view="+string(list.View))
	}
	c.Response().Header().Add("Vary", "HX-Request-Type")
	return s.part(c, http.StatusOK, templ.Join(inbox.ListPane(list), views.Unread(list.Counts.Unread)))
}

func (s *Server) renderInbox(c echo.Context, status int, page inbox.Page) error {
	title := text(c, "inbox.title")
	if page.Thread != nil {
		title = threadTitle(page.Thread.Row)
	}
	p := s.inboxFrame(c, title)
	p.Live, p.Rail.Unread = true, page.List.Counts.Unread
	return s.render(c, status, p, views.Layout(p, inbox.Show(page)), nil)
}

// inboxList reads the list that the address names.
func (s *Server) inboxList(c echo.Context, current models.ConversationID) (inbox.List, error) {
	list := inbox.List{Current: current, Now: s.store.Now(), Part: listPart(c)}
	ctx, v, after := c.Request().Context(), personOf(c).viewer, parseCursor(list.After)
	if after == nil {
		list.After = ""
	}
	var err error
	if list.Rows, err = s.store.Conversations(ctx, v, store.InboxFilter{View: list.View, After: after, Rows: list.Size}); err != nil {
		return list, err
	}
	if list.Counts, err = s.store.InboxCounts(ctx, v); err != nil {
		return list, err
	}
	if list.First, err = s.store.FirstInQueue(ctx, v); err != nil {
		return list, err
	}
	if len(list.Rows) > list.Size {
		list.Rows = list.Rows[:list.Size]
		list.More = more(list.Part, list.Rows[list.Size-1])
	}
	for _, r := range list.Rows {
		if r.Simulated {
			list.Notice = text(c, "inbox.simulated")
		} else if r.NumberAddress == models.SandboxNumber && list.Notice == "" {
			list.Notice = text(c, "inbox.sandbox")
		}
	}
	return list, nil
}

// maxRows is how far a list grows in place; what follows is another page.
const maxRows = 5 * store.InboxPage

// listPart reads which part of a list the address names.
func listPart(c echo.Context) inbox.Part {
	p := inbox.Part{View: models.ParseInboxView(c.QueryParam("view")), After: c.QueryParam("after"), Size: store.InboxPage}
	if n, err := strconv.Atoi(c.QueryParam("rows")); err == nil && n > p.Size {
		p.Size = min(n, maxRows)
	}
	return p
}

// more gives the part with more rows: the same one, longer, or the page after the last row.
func more(p inbox.Part, last models.ConversationRow) *inbox.Part {
	if p.Size < maxRows {
		p.Size += store.InboxPage
		return &p
	}
	p.Size, p.After = store.InboxPage, formatCursor(store.CursorOf(p.View, last))
	return &p
}

func formatCursor(k store.InboxCursor) string {
	b, _ := json.Marshal(k) // two plain fields
	return base64.RawURLEncoding.EncodeToString(b)
}

// parseCursor reads a place in the list; what cannot be read is the list's beginning.
func parseCursor(s string) *store.InboxCursor {
	b, err := base64.RawURLEncoding.DecodeString(s)
	var k store.InboxCursor
	if err != nil || len(b) == 0 || json.Unmarshal(b, &k) != nil || k.ID == 0 {
		return nil
	}
	return &k
}

// currentPath is the path of the page that asks; "" when it does not say.
func currentPath(c echo.Context) string {
	u, err := url.Parse(c.Request().Header.Get("HX-Current-URL"))
	if err != nil {
		return ""
	}
	return u.Path
}

// currentConversation is the one that the page shows which asks for a part.
func currentConversation(c echo.Context) models.ConversationID {
	id, err := models.ParseID[models.ConversationID](strings.TrimPrefix(currentPath(c), "/inbox/"))
	if err != nil {
		return 0
	}
	return id
}

// takeNext gives the agent the conversation that has waited longest.
func (s *Server) takeNext(c echo.Context) error {
	id, err := s.service.TakeNext(c.Request().Context(), personOf(c).viewer)
	empty := errors.Is(err, service.ErrQueueEmpty)
	if err != nil && !empty {
		return err
	}
	to, sentence := fmt.Sprintf("/inbox/%d", id), "done.taken_next"
	if empty {
		to, sentence = "/inbox?view=queue", "done.taken_last"
	}
	if by := s.tookFirst(c, id); by != 0 {
		return s.doneBy(c, to, sentence, by)
	}
	if empty {
		return s.done(c, to, "done.queue_empty")
	}
	return s.redirect(c, to)
}

// tookFirst gives the agent who has by now what the page showed as the first of the queue; 0 when nobody else has it.
func (s *Server) tookFirst(c echo.Context, got models.ConversationID) models.UserID {
	first, err := models.ParseID[models.ConversationID](field(c, "first"))
	if err != nil || first == got {
		return 0
	}
	row, err := s.store.Conversation(c.Request().Context(), personOf(c).viewer, first)
	if err != nil || row.State != models.Active || row.UserID == nil || *row.UserID == personOf(c).viewer.User {
		return 0
	}
	return *row.UserID
}

// inboxFrame is the frame of the inbox's pages.
func (s *Server) inboxFrame(c echo.Context, title string) views.Page {
	p := s.page(c, title)
	p.Rail.Active = "inbox"
	return p
}

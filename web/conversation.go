package web

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"kanal/models"
	"kanal/store"
	"kanal/twilio"
	"kanal/views"
	"kanal/views/i18n"
	"kanal/views/inbox"
)

// conversationPage shows one conversation.
func (s *Server) conversationPage(c echo.Context) error {
	row, err := s.conversation(c)
	if err != nil {
		return err
	}
	return s.showConversation(c, http.StatusOK, row, nil)
}

// showConversation renders a conversation: the whole inbox, or only its thread.
func (s *Server) showConversation(c echo.Context, status int, row models.ConversationRow, change func(*inbox.Composer)) error {
	t, err := s.thread(c, row)
	if err != nil {
		return err
	}
	if change != nil {
		change(&t.Composer)
	}
	if isPartial(c) {
		p := s.inboxFrame(c, threadTitle(row))
		counts, err := s.store.InboxCounts(c.Request().Context(), personOf(c).viewer)
		if err != nil {
			return err
		}
		p.Rail.Unread = counts.Unread
		return s.render(c, status, p, nil, templ.Join(inbox.ThreadPane(&t), inbox.SideOOB(t)))
	}
	list, err := s.inboxList(c, row.ID)
	if err != nil {
		return err
	}
	return s.renderInbox(c, status, inbox.Page{List: list, Thread: &t})
}

func threadTitle(r models.ConversationRow) string {
	if r.ContactName != "" {
		return r.ContactName
	}
	return i18n.Phone(twilio.Address(r.Address).Phone())
}

// conversation reads the conversation of the path as the viewer may see it.
func (s *Server) conversation(c echo.Context) (models.ConversationRow, error) {
	id, err := models.ParseID[models.ConversationID](c.Param("conversation"))
	if err != nil {
		return models.ConversationRow{}, err
	}
	return s.store.Conversation(c.Request().Context(), personOf(c).viewer, id)
}

// thread reads what stands in the thread's place.
func (s *Server) thread(c echo.Context, row models.ConversationRow) (inbox.Thread, error) {
	ctx, v := c.Request().Context(), personOf(c).viewer
	before := inbox.ParseSeq(c.QueryParam("before"))
	t := inbox.Thread{Row: row, View: models.ParseInboxView(c.QueryParam("view")), Viewer: v, Now: row.Now(s.store.Now()), Advice: adviceFor, Past: before > 0}
	var err error
	if t.Messages, err = s.store.Messages(ctx, row.Conversation, before); err != nil {
		return t, err
	}
	if len(t.Messages) > store.ThreadPage {
		t.Messages = t.Messages[1:]
		t.Older = t.Messages[0].Seq
	}
	if err := s.addFiles(ctx, &t); err != nil {
		return t, err
	}
	if t.SideFiles, err = s.store.FilesOfConversation(ctx, row.Conversation, sideFiles); err != nil {
		return t, err
	}
	if t.Quotes, err = s.store.Quotes(ctx, v, row, t.Messages); err != nil {
		return t, err
	}
	if t.Earlier, err = s.store.EarlierConversations(ctx, v, row, 5); err != nil {
		return t, err
	}
	if t.Watchers, err = s.watchers(c, row); err != nil {
		return t, err
	}
	if t.Later, err = s.later(c, row); err != nil {
		return t, err
	}
	t.Composer, err = s.composer(c, row)
	return t, err
}

func adviceFor(code int) (string, bool) {
	a, known := twilio.AdviceFor(code)
	return string(a), known
}

func (s *Server) composer(c echo.Context, row models.ConversationRow) (inbox.Composer, error) {
	k := inbox.Composer{
		Row: row, Viewer: personOf(c).viewer, Text: row.Draft, Key: newClientKey(), EnterSends: personOf(c).user.EnterSends,
		Now: row.Now(s.store.Now()), View: models.ParseInboxView(c.QueryParam("view")),
	}
	return k, s.attachments(c, &k)
}

// conversationMessages answers what has changed in a thread since a rev, or the page of messages before a seq.
func (s *Server) conversationMessages(c echo.Context) error {
	row, err := s.conversation(c)
	if err != nil {
		return err
	}
	if !isPartial(c) {
		return s.redirect(c, "/inbox/"+c.Param("conversation"))
	}
	if c.QueryParam("before") != "" {
		return s.olderMessages(c, row)
	}
	since, err := strconv.ParseInt(c.QueryParam("since"), 10, 64)
	if err != nil || since < 0 {
		since = row.Rev
	}
	t, to, more, err := s.changes(c, row, since)
	if err != nil {
		return err
	}
	if err := s.sayState(c, row); err != nil {
		return err
	}
	c.Response().Header().Set("Kanal-Rev", strconv.FormatInt(to, 10))
	c.Response().Header().Set("Kanal-More", strconv.FormatBool(more))
	return s.part(c, http.StatusOK, inbox.Messages(t))
}

// sayState tells the script of a thread what else there is to fetch.
func (s *Server) sayState(c echo.Context, row models.ConversationRow) error {
	later, err := s.store.Scheduled(c.Request().Context(), row.Conversation)
	if err != nil {
		return err
	}
	h := c.Response().Header()
	h.Set("Kanal-Later", inbox.Later{Messages: later}.Version())
	h.Set("Kanal-Unread", strconv.Itoa(row.Unread))
	h.Set("Kanal-Version", inbox.Version(row, row.Now(s.store.Now())))
	if w := row.Window(); !w.LastInboundAt.IsZero() {
		h.Set("Kanal-Closes-At", w.ClosesAt.Add(-row.ClockAhead).UTC().Format(time.RFC3339))
	}
	return nil
}

// changes reads what has changed in a thread since a rev; more tells that there is more, after rev to.
func (s *Server) changes(c echo.Context, row models.ConversationRow, since int64) (t inbox.Thread, to int64, more bool, err error) {
	ctx, v := c.Request().Context(), personOf(c).viewer
	t = inbox.Thread{Row: row, Viewer: v, Now: row.Now(s.store.Now()), Advice: adviceFor, Grows: true}
	if t.Messages, to, more, err = s.store.MessagesSince(ctx, row.Conversation, since); err != nil {
		return t, 0, false, err
	}
	if err := s.addFiles(ctx, &t); err != nil {
		return t, 0, false, err
	}
	t.Quotes, err = s.store.Quotes(ctx, v, row, t.Messages)
	return t, to, more, err
}

// olderMessages answers the page of messages before a seq, with the link to the one before it.
func (s *Server) olderMessages(c echo.Context, row models.ConversationRow) error {
	t, err := s.thread(c, row)
	if err != nil {
		return err
	}
	return s.part(c, http.StatusOK, inbox.Older(t))
}

// conversationComposer answers what stands over and under the messages now.
func (s *Server) conversationComposer(c echo.Context) error {
	row, err := s.conversation(c)
	if err != nil {
		return err
	}
	t, err := s.thread(c, row)
	if err != nil {
		return err
	}
	return s.part(c, http.StatusOK, inbox.StatePane(t))
}

// conversationDetails shows the side panel as a page.
func (s *Server) conversationDetails(c echo.Context) error {
	row, err := s.conversation(c)
	if err != nil {
		return err
	}
	t, err := s.thread(c, row)
	if err != nil {
		return err
	}
	p := s.inboxFrame(c, threadTitle(row))
	return s.render(c, http.StatusOK, p, views.Layout(p, inbox.DetailsPage(t)), nil)
}

// seen notes that the agent has the thread before them.
func (s *Server) seen(c echo.Context) error {
	row, err := s.conversation(c)
	if err != nil {
		return err
	}
	if err := s.service.Seen(c.Request().Context(), personOf(c).viewer, row.ID); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

// assign gives the agent a conversation; one that somebody has only when the page showed who.
func (s *Server) assign(c echo.Context) error {
	from, _ := models.ParseID[models.UserID](field(c, "from"))
	do := func(ctx context.Context, v models.Viewer, id models.ConversationID) error {
		return s.service.TakeOver(ctx, v, id, from)
	}
	return s.conversationAct(do, "done.assigned")(c)
}

// act is what a button over the thread does.
type act func(context.Context, models.Viewer, models.ConversationID) error

// conversationAct does what a button over the thread says; done names the sentence that confirms it.
func (s *Server) conversationAct(do act, done string) echo.HandlerFunc {
	return func(c echo.Context) error {
		id, err := models.ParseID[models.ConversationID](c.Param("conversation"))
		if err != nil {
			return err
		}
		if err := do(c.Request().Context(), personOf(c).viewer, id); err != nil {
			return err
		}
		return s.done(c, fmt.Sprintf("/inbox/%d", id), done)
	}
}

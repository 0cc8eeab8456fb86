package web

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"kanal/models"
	"kanal/service"
	"kanal/store"
	"kanal/twilio"
	"kanal/views"
	"kanal/views/i18n"
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

func (s *Server) renderInbox(c echo.Context, status int, page inbox.Page) error {
	title := text(c, "inbox.title")
	if page.Thread != nil {
		title = threadTitle(page.Thread.Row)
	}
	p := s.inboxFrame(c, title)
	p.Live, p.Rail.Unread = true, page.List.Counts.Unread
	return s.render(c, status, p, views.Layout(p, inbox.Show(page)), nil)
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

// currentConversation is the one that the page shows which asks for a part.
func currentConversation(c echo.Context) models.ConversationID {
	u, err := url.Parse(c.Request().Header.Get("HX-Current-URL"))
	if err != nil {
		return 0
	}
	id, err := models.ParseID[models.ConversationID](strings.TrimPrefix(u.Path, "/inbox/"))
	if err != nil {
		return 0
	}
	return id
}

// thread reads what stands in the thread's place.
func (s *Server) thread(c echo.Context, row models.ConversationRow) (inbox.Thread, error) {
	ctx, v := c.Request().Context(), personOf(c).viewer
	before, _ := strconv.ParseInt(c.QueryParam("before"), 10, 64)
	t := inbox.Thread{Row: row, View: models.ParseInboxView(c.QueryParam("view")), Viewer: v, Now: row.Now(s.store.Now()), Advice: adviceFor, Past: before > 0}
	var err error
	if t.Messages, err = s.store.Messages(ctx, row.Conversation, before); err != nil {
		return t, err
	}
	if len(t.Messages) > store.ThreadPage {
		t.Messages = t.Messages[1:]
		t.Older = t.Messages[0].Seq
	}
	if t.Earlier, err = s.store.EarlierConversations(ctx, v, row, 5); err != nil {
		return t, err
	}
	t.Composer = s.composer(c, row)
	return t, nil
}

func adviceFor(code int) (string, bool) {
	a, known := twilio.AdviceFor(code)
	return string(a), known
}

func (s *Server) composer(c echo.Context, row models.ConversationRow) inbox.Composer {
	return inbox.Composer{
		Row: row, Viewer: personOf(c).viewer, Text: row.Draft, Key: newClientKey(), EnterSends: personOf(c).user.EnterSends,
		Now: row.Now(s.store.Now()), View: models.ParseInboxView(c.QueryParam("view")),
	}
}

func newClientKey() string {
	b := make([]byte, 12)
	_, _ = rand.Read(b)
	return hex.EncodeToString(b)
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
	ms, to, more, err := s.store.MessagesSince(c.Request().Context(), row.Conversation, since)
	if err != nil {
		return err
	}
	h := c.Response().Header()
	h.Set("Kanal-Rev", strconv.FormatInt(to, 10))
	h.Set("Kanal-More", strconv.FormatBool(more))
	h.Set("Kanal-Unread", strconv.Itoa(row.Unread))
	h.Set("Kanal-Version", inbox.Version(row, row.Now(s.store.Now())))
	if w := row.Window(); !w.LastInboundAt.IsZero() {
		h.Set("Kanal-Closes-At", w.ClosesAt.Add(-row.ClockAhead).UTC().Format(time.RFC3339))
	}
	t := inbox.Thread{Row: row, Messages: ms, Viewer: personOf(c).viewer, Now: row.Now(s.store.Now()), Advice: adviceFor, Grows: true}
	return s.part(c, http.StatusOK, inbox.Messages(t))
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

// reply takes in what an agent has written.
func (s *Server) reply(c echo.Context) error {
	row, err := s.conversation(c)
	if err != nil {
		return err
	}
	in := service.Reply{Conversation: row.ID, Key: field(c, "client_key"), Body: strings.TrimRight(c.Request().PostFormValue("body"), " \t\r\n")}
	m, err := s.service.Reply(c.Request().Context(), personOf(c).viewer, in)
	if err != nil {
		return s.replyRefused(c, row, in, err)
	}
	if !isPartial(c) {
		return s.redirect(c, fmt.Sprintf("/inbox/%d", row.ID))
	}
	t := inbox.Thread{Row: row, Messages: []models.Message{m}, Viewer: personOf(c).viewer, Now: row.Now(s.store.Now()), Advice: adviceFor}
	return s.part(c, http.StatusCreated, inbox.Messages(t))
}

// replyRefused answers with the composer's place and what was typed: the form with the problem, or the panel.
func (s *Server) replyRefused(c echo.Context, row models.ConversationRow, in service.Reply, err error) error {
	var fields models.FieldErrors
	closed := errors.Is(err, service.ErrWindowClosed)
	if !errors.As(err, &fields) && !closed {
		return err
	}
	row, readErr := s.store.Conversation(c.Request().Context(), personOf(c).viewer, row.ID)
	if readErr != nil {
		return readErr
	}
	change := func(k *inbox.Composer) {
		k.Text, k.Focus = in.Body, true
		if len(fields) > 0 {
			k.Problem = i18n.Field(c.Request().Context(), fields[0])
		}
	}
	if isPartial(c) {
		k := s.composer(c, row)
		change(&k)
		return s.part(c, http.StatusUnprocessableEntity, inbox.ComposerPane(k))
	}
	return s.showConversation(c, http.StatusUnprocessableEntity, row, change)
}

// saveDraft keeps what an agent has begun to write.
func (s *Server) saveDraft(c echo.Context) error {
	row, err := s.conversation(c)
	if err != nil {
		return err
	}
	if err := s.service.SaveDraft(c.Request().Context(), personOf(c).viewer, row.ID, c.Request().PostFormValue("body")); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
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

// retryMessage sends a failed message once more.
func (s *Server) retryMessage(c echo.Context) error {
	id, err := models.ParseID[models.MessageID](c.Param("message"))
	if err != nil {
		return err
	}
	m, err := s.service.Retry(c.Request().Context(), personOf(c).viewer, id)
	if err != nil {
		return err
	}
	if isPartial(c) {
		return c.NoContent(http.StatusNoContent)
	}
	return s.redirect(c, fmt.Sprintf("/inbox/%d", m.ConversationID))
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

// inboxFrame is the frame of the inbox's pages.
func (s *Server) inboxFrame(c echo.Context, title string) views.Page {
	p := s.page(c, title)
	p.Rail.Active = "inbox"
	return p
}

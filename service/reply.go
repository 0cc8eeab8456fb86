package service

import (
	"context"
	"strings"
	"unicode/utf8"

	"kanal/models"
	"kanal/store"
	"kanal/twilio"
)

// Errors of a reply that the page treats in a way of its own.
var (
	// ErrWindowClosed: free text may not be sent now. The page shows the closed panel.
	ErrWindowClosed = models.E(models.KindInvalid, "reply.window_closed")
	// ErrKeyReused: the same client key came with another text.
	ErrKeyReused = models.E(models.KindConflict, "reply.key_reused")
	// ErrOtherAgent: somebody else has the conversation. The page asks for a Decision.
	ErrOtherAgent = models.E(models.KindConflict, "reply.other_agent")
)

// Reply is what an agent has posted. Key is the browser's own key for the message: the same key is the same message.
type Reply struct {
	Conversation models.ConversationID
	Key          string
	Body         string
	Files        []models.FileID // uploads of the agent's, in the order in which they are sent
	Decision     Decision        // about a conversation that another agent has
	Template     *TemplateUse    // instead of a text and files

	// later is the scheduled message that it was, 0 for none: the draft and what is unread are not about it.
	later models.ScheduledID
}

const maxClientKey = 64

func (r Reply) validate() error {
	var f models.FieldErrors
	switch {
	case r.Template != nil: // checked with what the template is
	case strings.TrimSpace(r.Body) == "" && len(r.Files) == 0:
		f.Add("body", "reply.empty")
	case !utf8.ValidString(r.Body) || strings.ContainsRune(r.Body, 0):
		f.Add("body", "reply.unreadable")
	case twilio.TextLength(r.Body) > models.MaxMessageLength:
		f.Add("body", "reply.too_long", "count", twilio.TextLength(r.Body), "max", models.MaxMessageLength)
	}
	if len(r.Files) > models.MaxFilesPerReply {
		f.Add("file", "file.many", "max", models.MaxFilesPerReply)
	}
	if r.Key == "" || len(r.Key) > maxClientKey || strings.Contains(r.Key, keyPart) {
		f.Add("client_key", "reply.no_key")
	}
	return f.Err()
}

// Reply keeps an agent's answer and lets it be sent; with files it may become several messages, of which it gives the
// first. The same key with the same content gives the message that is kept already. A conversation that nobody has, or that was resolved, becomes the agent's; one that another agent has only by
// the agent's decision.
//
// Errors: FieldErrors, ErrNotFound for a conversation the agent may not see, ErrOtherAgent, ErrWindowClosed, ErrOptedOut,
// ErrBlocked, ErrKeyReused, KindConflict when the conversation is closed; with files ErrFilesOff, ErrFilesUnreachable, ErrFileSent, ErrFileHeld;
// with a template those of template.
func (s *Service) Reply(ctx context.Context, v models.Viewer, r Reply) (models.Message, error) {
	if err := r.validate(); err != nil {
		return models.Message{}, err
	}
	var m models.Message
	err := s.store.InTx(ctx, func(tx *store.Tx) error {
		c, err := tx.LockVisibleConversation(ctx, v, r.Conversation)
		if err != nil {
			return err
		}
		known, err := repeated(ctx, tx, v, c, r)
		if err != nil || known != nil {
			m = first(known)
			return err
		}
		m, err = s.addReply(ctx, tx, v, c, r)
		return err
	})
	return m, err
}

// addReply looks by every rule before it writes: what it refuses has changed nothing.
func (s *Service) addReply(ctx context.Context, tx *store.Tx, v models.Viewer, c models.Conversation, r Reply) (models.Message, error) {
	at, err := s.standing(ctx, tx, c)
	if err != nil {
		return models.Message{}, err
	}
	if err := at.may(r); err != nil {
		return models.Message{}, err
	}
	takes, err := answers(ctx, tx, v, c, r.Decision)
	if err != nil {
		return models.Message{}, err
	}
	parts, err := s.partsOf(ctx, tx, v, at, r)
	if err != nil {
		return models.Message{}, err
	}
	if takes {
		if err := s.assign(ctx, tx, &c, v.User, at.now); err != nil {
			return models.Message{}, err
		}
	}
	user := v.User
	ms := make([]models.Message, len(parts))
	for i, p := range parts {
		key, m := partKey(r.Key, i), p.message
		m.AccountID, m.ConversationID, m.Direction, m.State = c.AccountID, c.ID, models.Out, models.Queued
		m.UserID, m.ClientKey, m.CreatedAt, m.UpdatedAt = &user, &key, at.now, at.now
		ms[i] = next(&c, m)
	}
	c.UnansweredAt = nil
	if *c.UserID == v.User && r.later == 0 {
		c.Unread = 0
	}
	m := ms[0]
	if err := tx.InsertMessages(ctx, ms); err != nil {
		return m, err
	}
	if err := attach(ctx, tx, parts, ms); err != nil {
		return m, err
	}
	if r.Template == nil && r.later == 0 { // beside a template what was begun stays
		if err := tx.SaveDraft(ctx, models.Draft{AccountID: c.AccountID, ConversationID: c.ID, UserID: v.User}); err != nil {
			return m, err
		}
	}
	if err := tx.SaveConversations(ctx, c); err != nil {
		return m, err
	}
	tx.Publish(conversationEvent(c))
	return ms[0], tx.Enqueue(ctx, models.SendConversation{Conversation: c.ID})
}

func mayReply(c models.Conversation, open bool) error {
	switch {
	case c.State == models.Closed:
		return models.E(models.KindConflict, "conversation.closed")
	case !open:
		return ErrWindowClosed
	}
	return nil
}

// Retry sends a message that failed once more: a new attempt of the same message. Only who has the conversation, or wrote
// the message, may: ErrOtherAgent. Other errors: ErrNotFound, ErrWindowClosed, ErrTemplateStopped,
// KindConflict with the key message.not_failed when it is not one of our failed messages.
func (s *Service) Retry(ctx context.Context, v models.Viewer, id models.MessageID) (models.Message, error) {
	m, err := s.store.Message(ctx, id)
	if err != nil {
		return m, err
	}
	err = s.store.InTx(ctx, func(tx *store.Tx) error {
		c, err := tx.LockVisibleConversation(ctx, v, m.ConversationID)
		if err != nil {
			return err
		}
		if m, err = tx.Message(ctx, id); err != nil {
			return err
		}
		return s.retry(ctx, tx, v, c, &m)
	})
	return m, err
}

func (s *Service) retry(ctx context.Context, tx *store.Tx, v models.Viewer, c models.Conversation, m *models.Message) error {
	was := m.State
	if m.Direction != models.Out || (was != models.Failed && was != models.Undelivered) {
		return models.E(models.KindConflict, "message.not_failed")
	}
	at, err := s.standing(ctx, tx, c)
	if err != nil {
		return err
	}
	if err := at.again(ctx, tx, *m); err != nil {
		return err
	}
	if c.UserID != nil && *c.UserID != v.User && (m.UserID == nil || *m.UserID != v.User) {
		return ErrOtherAgent
	}
	m.State, m.ErrorCode, m.ProviderSID = models.Queued, 0, nil
	if err := s.saveMessage(ctx, tx, &c, m, was); err != nil {
		return err
	}
	return tx.Enqueue(ctx, models.SendConversation{Conversation: c.ID})
}

// saveMessage gives a changed message its rev, and saves it with its locked conversation.
func (s *Service) saveMessage(ctx context.Context, tx *store.Tx, c *models.Conversation, m *models.Message, was models.MessageState) error {
	c.Rev++
	m.Rev = c.Rev
	if m.Seq == float64(c.Seq) || c.LastDirection == models.Out && m.CreatedAt.Equal(c.LastMessageAt) {
		c.LastState = m.State
	}
	if err := tx.SaveMessage(ctx, *m, was); err != nil {
		return err
	}
	return saveConversation(ctx, tx, c)
}

// saveConversation saves a locked conversation of which the transaction may change more.
func saveConversation(ctx context.Context, tx *store.Tx, c *models.Conversation) error {
	tx.Publish(conversationEvent(*c))
	if err := tx.SaveConversations(ctx, *c); err != nil {
		return err
	}
	c.Version++ // as it is stored now
	return nil
}

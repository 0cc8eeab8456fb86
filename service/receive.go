package service

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf16"

	"kanal/models"
	"kanal/store"
	"kanal/twilio"
)

// Call is one signed call of Twilio's, with the account whose URL it came to.
type Call struct {
	Account    models.Account
	Form       url.Values
	Query      string // of the address, as it came
	ReceivedAt time.Time
	again      bool   // from the spool, from quarantine or from a listing: it may be kept already
	listed     bool   // Twilio's listing has it; no call of Twilio's came
	behind     string // the sid of the message of the same customer that the listing has before it
}

// accountNow gives the moment of the call as the account's rows see it.
func (c Call) accountNow() time.Time { return c.Account.Now(c.ReceivedAt) }

// inbound is a call that was understood and belongs to a number of ours.
type inbound struct {
	Call
	msg    twilio.Inbound
	number models.Number
}

// Receive takes in one inbound message. It returns nil only when the message is on disk: kept, known before, or in
// quarantine because it is for no number of ours or cannot be read. Any other error means that Twilio should try again.
//
// Calls that come at the same time share a commit: that is where the throughput comes from.
func (s *Service) Receive(ctx context.Context, c Call) error { return s.Keep(ctx, HookInbound, c) }

// Keep takes in a call of a kind, or puts it into quarantine. Nil means that it is on disk; any other error that Twilio
// should try again.
func (s *Service) Keep(ctx context.Context, kind HookKind, c Call) error {
	reason, err := s.takeCall(ctx, kind, c)
	if err != nil || reason == "" {
		return err
	}
	return s.quarantine(ctx, c, string(kind), reason)
}

// takeCall takes in a call of a kind. The first result is the reason for quarantine. An error means that the same may go
// well later.
func (s *Service) takeCall(ctx context.Context, kind HookKind, c Call) (string, error) {
	var reason string
	var err error
	switch kind {
	case HookStatus:
		reason, err = s.takeStatus(ctx, c)
	case HookFallback:
		reason, err = s.takeFallback(ctx, c)
	case HookDebug:
		reason, err = s.takeDebug(ctx, c)
	default:
		reason, err = s.takeInbound(ctx, c)
	}
	if err == nil || errors.Is(err, context.Canceled) || !lasting(err) {
		return reason, err
	}
	s.log.Error("a call cannot be taken in", "kind", kind, "account", c.Account.ID, "err", err)
	return models.QuarantineFailed, nil
}

func (s *Service) takeInbound(ctx context.Context, c Call) (string, error) {
	in, reason, err := s.understand(ctx, c)
	if err != nil || reason != "" {
		return reason, err
	}
	return "", s.inbox.do(ctx, in)
}

// understand reads the form and finds the number. The second result is the reason for quarantine.
func (s *Service) understand(ctx context.Context, c Call) (inbound, string, error) {
	msg, err := twilio.ParseInbound(c.Form)
	if err != nil {
		return inbound{}, models.QuarantineUnreadable, nil
	}
	if msg.AccountSID != "" && msg.AccountSID != c.Account.SID {
		return inbound{}, models.QuarantineOtherAccount, nil
	}
	number, ok := s.directory.number(c.Account.ID, msg.To.Phone())
	if !ok { // another instance may have added it a moment ago
		if err := s.directory.load(ctx); err != nil {
			return inbound{}, "", err
		}
		number, ok = s.directory.number(c.Account.ID, msg.To.Phone())
	}
	if !ok {
		return inbound{}, models.QuarantineUnknownNumber, nil
	}
	return inbound{Call: c, msg: msg, number: number}, "", nil
}

// lasting tells whether doing the same again would fail the same way: not when the database is away or busy.
func lasting(err error) bool { return errors.Is(err, errPanic) || store.Lasting(err) }

func (s *Service) quarantine(ctx context.Context, c Call, kind, reason string) error {
	return s.store.InTx(ctx, func(tx *store.Tx) error {
		q := models.Quarantine{
			AccountID: c.Account.ID, Kind: kind, Reason: reason, Form: c.Form.Encode(), Query: c.Query, ReceivedAt: c.ReceivedAt,
		}
		if c.again {
			if kept, err := tx.IsQuarantined(ctx, q); err != nil || kept {
				return err
			}
		}
		return tx.InsertQuarantine(ctx, &q)
	})
}

// receiveAll takes in messages in one transaction. A message whose sid is known changes nothing; when another
// transaction has kept one of them at the same moment, the second look knows it.
func (s *Service) receiveAll(ctx context.Context, all []inbound) error {
	err := s.receiveOnce(ctx, all)
	if errors.Is(err, store.ErrDuplicateMessage) {
		err = s.receiveOnce(ctx, all)
	}
	return err
}

func (s *Service) receiveOnce(ctx context.Context, all []inbound) error {
	return s.store.InTx(ctx, func(tx *store.Tx) error {
		fresh, err := unknown(ctx, tx, all)
		if err != nil || len(fresh) == 0 {
			return err
		}
		b := &reception{Service: s, tx: tx, items: fresh, late: map[models.ConversationID]int{}}
		return b.run(ctx)
	})
}

// unknown drops the messages whose sid is kept already or comes twice in the slice.
func unknown(ctx context.Context, tx *store.Tx, all []inbound) ([]inbound, error) {
	sids := map[models.AccountID][]string{}
	for _, in := range all {
		sids[in.Account.ID] = append(sids[in.Account.ID], in.msg.MessageSID)
	}
	var fresh []inbound
	for account, list := range sids {
		known, err := tx.KnownSIDs(ctx, account, list)
		if err != nil {
			return nil, err
		}
		for _, in := range all {
			if in.Account.ID == account && !known[in.msg.MessageSID] {
				known[in.msg.MessageSID] = true
				fresh = append(fresh, in)
			}
		}
	}
	return fresh, nil
}

// reception is one transaction that takes in messages none of which is known.
type reception struct {
	*Service
	tx            *store.Tx
	items         []inbound
	contacts      []models.ContactID
	conversations map[store.ConversationKey]*models.Conversation
	defaultQueue  models.QueueID
	messages      []models.Message                                 // those that came in, in the order of items; then says
	says          []models.Message                                 // automated messages, and lines of Kanal's own
	quoted        map[models.AccountID]map[string]models.MessageID // by Twilio's sid
	windows       map[store.ConversationKey]models.ServiceWindow
	blocked       map[models.ContactID]bool
	optOuts       optOuts
	kept          int                           // how many of messages are inserted
	late          map[models.ConversationID]int // the first message that came late, by its place in messages
}

func (b *reception) key(i int) store.ConversationKey {
	return store.ConversationKey{Account: b.items[i].Account.ID, Number: b.items[i].number.ID, Contact: b.contacts[i]}
}

func (b *reception) run(ctx context.Context) error {
	addresses := make([]store.Address, len(b.items))
	for i, in := range b.items {
		addresses[i] = addressOf(in.msg)
	}
	var err error
	if b.contacts, err = b.tx.Contacts(ctx, addresses); err != nil {
		return err
	}
	if err := b.quotes(ctx); err != nil {
		return err
	}
	if b.blocked, err = b.tx.Blocked(ctx, b.contacts); err != nil {
		return err
	}
	if err := b.lockConversations(ctx); err != nil {
		return err
	}
	b.windows = map[store.ConversationKey]models.ServiceWindow{}
	for i := range b.items {
		c := b.conversations[b.key(i)]
		started := c.Seq == 0 && !b.isBlocked(i)
		if err := b.add(ctx, i); err != nil {
			return err
		}
		word, err := b.optOut(ctx, i)
		if err != nil {
			return err
		}
		if started && !word && b.tx.Now().Sub(b.items[i].ReceivedAt) <= greetWithin {
			b.greet(i, c)
		}
	}
	if err := b.filesOff(ctx); err != nil {
		return err
	}
	if err := b.tellLate(ctx); err != nil {
		return err
	}
	for _, m := range b.says {
		b.say(m)
	}
	return b.write(ctx)
}

// greetWithin is how old a message may be that gets the greeting: who has waited longer is not greeted any more.
const greetWithin = 10 * time.Minute

func addressOf(m twilio.Inbound) store.Address {
	a := store.Address{Phone: m.From.Phone(), BSUID: m.From.BSUID(), ProfileName: truncate(models.ProfileName(m.ProfileName), 200)}
	if a.BSUID == "" {
		a.BSUID = m.ExternalUserID.BSUID()
	}
	return a
}

func (b *reception) lockConversations(ctx context.Context) error {
	keys := make([]store.ConversationKey, len(b.items))
	first := map[store.ConversationKey]inbound{}
	for i := range b.items {
		keys[i] = b.key(i)
		if _, ok := first[keys[i]]; !ok {
			first[keys[i]] = b.items[i]
		}
	}
	var err error
	if b.defaultQueue, err = b.directory.defaultQueue(ctx, b.tx); err != nil {
		return err
	}
	b.conversations, err = b.conversationsOf(ctx, keys, func(k store.ConversationKey) models.Conversation {
		return b.newConversation(k, first[k])
	})
	return err
}

func (b *reception) newConversation(k store.ConversationKey, in inbound) models.Conversation {
	now := in.accountNow()
	c := models.Conversation{
		AccountID: k.Account, NumberID: k.Number, ContactID: k.Contact, WorkstreamID: in.number.WorkstreamID,
		QueueID: b.defaultQueue, State: models.Open, LastMessageAt: now, LastDirection: models.In,
		LastState: models.Received, OpenedAt: now, Version: 1, UpdatedAt: now,
	}
	if in.number.WorkstreamID != nil {
		if q, ok := b.directory.queueOf(*in.number.WorkstreamID); ok {
			c.QueueID = q
		}
	}
	return c
}

// add gives message i its place in its conversation.
func (b *reception) add(ctx context.Context, i int) error {
	in, key := b.items[i], b.key(i)
	now := in.accountNow()
	c := b.conversations[key]
	if !b.isBlocked(i) {
		*c = c.CustomerWrote(now)
	}
	sid := in.msg.MessageSID
	m := models.Message{
		AccountID: c.AccountID, ConversationID: c.ID, Direction: models.In, Kind: models.MessageKind(in.msg.Kind),
		RawKind: truncate(in.msg.RawType, 60), Body: in.msg.Body, ProviderSID: &sid, State: models.Received,
		Form: in.Form.Encode(), Details: detailsOf(in.msg), QuotedID: b.quotedBy(i), CreatedAt: now, UpdatedAt: now,
	}
	w := b.windows[key]
	w.AccountID, w.NumberID, w.ContactID = key.Account, key.Number, key.Contact
	b.windows[key] = w.CustomerWrote(now)
	place, late, err := b.placeOf(ctx, i, c)
	if err != nil {
		return err
	}
	if late {
		m = numbered(c, m)
		m.Seq = place
	} else {
		m = next(c, m)
		c.Address = string(in.msg.From)
	}
	b.messages = append(b.messages, m)
	return nil
}

// numbered gives the message the conversation's next seq and rev.
func numbered(c *models.Conversation, m models.Message) models.Message {
	c.Seq++
	c.Rev++
	m.Seq, m.Rev = float64(c.Seq), c.Rev
	if m.Direction != models.System {
		m.SearchText = m.Searchable()
	}
	return m
}

// next gives the message the conversation's next seq and rev and makes it the conversation's last.
func next(c *models.Conversation, m models.Message) models.Message {
	m = numbered(c, m)
	if m.Direction != models.System {
		c.LastDirection, c.LastState = m.Direction, m.State
		if m.CreatedAt.After(c.LastMessageAt) { // one that came late does not make the conversation older
			c.LastMessageAt = m.CreatedAt
		}
		c.LastPreview = preview(m)
	}
	return m
}

// preview is what the list shows of a message: the name of its kind, unless it is text, and its first characters; of a
// template its name.
func preview(m models.Message) string {
	text := truncate(m.Words(), 160)
	if m.Details.Template != "" {
		text = m.Details.Template
	}
	if m.Kind == models.KindText && text != "" {
		return text
	}
	return models.PreviewKind + string(m.Kind) + models.PreviewKind + text
}

// greet says the greeting message in a conversation that message i has started.
func (b *reception) greet(i int, c *models.Conversation) {
	if text, ok := b.directory.greeting(b.items[i].number.ID); ok {
		b.says = append(b.says, automated(b.items[i], c.ID, models.TriggerStarted, text))
	}
}

// automated makes a message that Kanal sends by itself because of a call.
func automated(in inbound, c models.ConversationID, why models.Trigger, text string) models.Message {
	now := in.accountNow()
	return models.Message{
		AccountID: in.Account.ID, ConversationID: c, Direction: models.Out, Kind: models.KindText, Body: text,
		Trigger: why, State: models.Queued, CreatedAt: now, UpdatedAt: now,
	}
}

// say puts an automated message after the messages that came in. It is no answer: the customer still waits for a person.
func (b *reception) say(m models.Message) {
	for _, c := range b.conversations {
		if c.ID == m.ConversationID {
			b.messages = append(b.messages, next(c, m))
		}
	}
}

func (b *reception) write(ctx context.Context) error {
	if err := b.insert(ctx); err != nil {
		return err
	}
	if err := b.writeConsents(ctx); err != nil {
		return err
	}
	if err := b.addFiles(ctx); err != nil {
		return err
	}
	windows := make([]models.ServiceWindow, 0, len(b.windows))
	for _, w := range b.windows {
		windows = append(windows, w)
	}
	slices.SortFunc(windows, func(x, y models.ServiceWindow) int { return int(x.ContactID - y.ContactID) })
	if err := b.tx.ExtendServiceWindows(ctx, windows); err != nil {
		return err
	}
	cs := make([]models.Conversation, 0, len(b.conversations))
	for _, c := range b.conversations {
		cs = append(cs, *c)
		b.tx.Publish(conversationEvent(*c))
	}
	if err := b.tx.SaveConversations(ctx, cs...); err != nil {
		return err
	}
	var sends []models.JobArgs
	for _, m := range b.says {
		if m.Direction == models.System {
			continue
		}
		sends = append(sends, models.SendConversation{Conversation: m.ConversationID})
	}
	if err := b.tx.EnqueueAll(ctx, sends); err != nil {
		return err
	}
	return b.markFirst(ctx)
}

// markFirst notes the first signed message of an account: the callback works. A listing does not show that.
func (b *reception) markFirst(ctx context.Context) error {
	done := map[models.AccountID]bool{}
	for _, in := range b.items {
		if in.Account.FirstMessageAt != nil || done[in.Account.ID] || in.listed {
			continue
		}
		done[in.Account.ID] = true
		if err := b.tx.MarkFirstMessage(ctx, in.Account.ID, in.ReceivedAt); err != nil {
			return err
		}
		b.tx.Publish(models.Event{Name: models.EventAccount, Account: in.Account.ID})
	}
	return nil
}

// conversationEvent tells the streams of the agent and of the queue.
func conversationEvent(c models.Conversation, before ...models.UserID) models.Event {
	e := models.Event{Name: models.EventConversation, Account: c.AccountID, Conversation: c.ID, Queues: []models.QueueID{c.QueueID}, Users: before}
	if c.UserID != nil {
		e.Users = append(e.Users, *c.UserID)
	}
	return e
}

// truncate cuts a text to at most n UTF-16 units, never inside a character.
func truncate(s string, n int) string {
	units := 0
	for i, r := range s {
		units += utf16.RuneLen(r)
		if units > n {
			return s[:i]
		}
	}
	return s
}

// validText drops what no database keeps: bytes that are not UTF-8, and NUL.
func validText(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\x00", "")
}

// Package sample fills a database with made-up traffic of one account, always the same: for programs and tests that
// measure. Every fifth conversation is with an agent, every fifth waits in the default queue, the rest is closed; every
// twentieth, which is one with an agent, has more messages than a page shows.
package sample

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"kanal/models"
	"kanal/store"
)

// What the account of a sample is called and how it signs.
const (
	AccountSID = "ACbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
	Token      = "0123456789abcdef0123456789abcdef"
	HookKey    = "samplesamplesamplesample"
	Number     = "+4721000000"
)

// Messages of a conversation, so that 20,000 conversations have 200,000.
const (
	short = 7
	long  = 67
)

// perCommit is how many conversations share a commit; SQLite takes at most 32,766 values in a statement.
const perCommit = 250

// Options say how much is made. PasswordHash is what is kept of the agents' password.
type Options struct {
	Conversations int
	Agents        int
	PasswordHash  string
}

// World is what was made. Conversations are in the order of customers: Phone(i) wrote Conversations[i].
type World struct {
	Account       models.Account
	Agents        []models.User
	Conversations []models.Conversation
}

// Phone gives the number of a customer.
func Phone(i int) string { return fmt.Sprintf("+4790%06d", i) }

// AgentEmail gives the address with which an agent signs in.
func AgentEmail(i int) string { return fmt.Sprintf("agent%d@example.com", i) }

// Owned gives the customers whose conversation is with agent i, the long ones first.
func (w *World) Owned(i int) []int {
	var longs, shorts []int
	for n, c := range w.Conversations {
		switch {
		case c.State != models.Active || *c.UserID != w.Agents[i].ID:
		case c.Seq == long:
			longs = append(longs, n)
		default:
			shorts = append(shorts, n)
		}
	}
	return append(longs, shorts...)
}

// Form gives the form of an inbound message of a customer.
func Form(sid, phone, body string) url.Values {
	return url.Values{
		"MessageSid": {sid}, "SmsSid": {sid}, "SmsMessageSid": {sid}, "AccountSid": {AccountSID}, "From": {"whatsapp:" + phone},
		"To": {"whatsapp:" + Number}, "Body": {body}, "NumMedia": {"0"}, "NumSegments": {"1"}, "SmsStatus": {"received"},
		"ApiVersion": {"2010-04-01"}, "MessageType": {"text"}, "ProfileName": {profileName(phone)}, "WaId": {phone[1:]}, "ReferralNumMedia": {"0"},
	}
}

func profileName(phone string) string { return "Customer " + phone[5:] }

// Fill writes a sample into a database that has been set up: its default queue exists.
func Fill(ctx context.Context, s *store.Store, o Options) (*World, error) {
	f := &filler{World: &World{}, o: o, now: s.Now()}
	if err := s.InTx(ctx, func(tx *store.Tx) error { return f.configuration(ctx, s, tx) }); err != nil {
		return nil, err
	}
	for from := 0; from < o.Conversations; from += perCommit {
		to := min(from+perCommit, o.Conversations)
		if err := s.InTx(ctx, func(tx *store.Tx) error { return f.traffic(ctx, tx, from, to) }); err != nil {
			return nil, err
		}
	}
	return f.World, nil
}

type filler struct {
	*World
	o      Options
	now    time.Time
	queue  models.QueueID
	number models.Number
}

// configuration makes account, workstream, number and agents.
func (f *filler) configuration(ctx context.Context, s *store.Store, tx *store.Tx) error {
	f.Agents = nil
	var err error
	if f.queue, err = tx.DefaultQueue(ctx); err != nil {
		return err
	}
	f.Account = models.Account{
		Name: "Sample", Channel: models.ChannelWhatsApp, SID: AccountSID, HookKey: HookKey, State: models.AccountActive, Step: models.StepCallback,
		FirstMessageAt: &f.now, FinishedAt: &f.now, Version: 1, CreatedAt: f.now, UpdatedAt: f.now,
	}
	w := models.Workstream{Name: "Sample", Distribution: models.Pick, QueueID: f.queue, Version: 1, CreatedAt: f.now, UpdatedAt: f.now}
	for _, row := range []any{&f.Account, &w} {
		if err := tx.Insert(ctx, row); err != nil {
			return err
		}
	}
	sealed := s.Seal(Token, fmt.Sprintf("accounts/%d", f.Account.ID))
	if err := tx.SetAccountToken(ctx, f.Account.ID, sealed, Token[len(Token)-4:]); err != nil {
		return err
	}
	f.number = models.Number{
		AccountID: f.Account.ID, Name: "Sample", Address: Number, WorkstreamID: &w.ID, Language: "en",
		Version: 1, CreatedAt: f.now, UpdatedAt: f.now, ClaimedAt: &f.now,
	}
	if err := tx.Insert(ctx, &f.number); err != nil {
		return err
	}
	for i := range f.o.Agents {
		u := models.User{Name: fmt.Sprintf("Agent %d", i), Email: AgentEmail(i), Role: models.Agent, PasswordHash: f.o.PasswordHash, EnterSends: true, Shortcuts: true}
		if err := tx.InsertUser(ctx, &u); err != nil {
			return err
		}
		if err := tx.SetQueueMember(ctx, f.queue, u.ID, true); err != nil {
			return err
		}
		f.Agents = append(f.Agents, u)
	}
	return nil
}

// traffic makes the customers from one to another with their conversations and messages.
func (f *filler) traffic(ctx context.Context, tx *store.Tx, from, to int) error {
	addresses := make([]store.Address, 0, to-from)
	for i := from; i < to; i++ {
		addresses = append(addresses, store.Address{Phone: Phone(i), ProfileName: profileName(Phone(i))})
	}
	contacts, err := tx.Contacts(ctx, addresses)
	if err != nil {
		return err
	}
	conversations := make([]models.Conversation, 0, to-from)
	windows := make([]models.ServiceWindow, 0, to-from)
	for i := from; i < to; i++ {
		c := f.conversation(i, contacts[i-from])
		conversations = append(conversations, c)
		windows = append(windows, models.ServiceWindow{AccountID: c.AccountID, NumberID: c.NumberID, ContactID: c.ContactID}.CustomerWrote(*c.LastInboundAt))
	}
	if err := tx.Insert(ctx, &conversations); err != nil {
		return err
	}
	if err := tx.ExtendServiceWindows(ctx, windows); err != nil {
		return err
	}
	f.Conversations = append(f.Conversations[:from], conversations...)
	return f.messages(ctx, tx, from, conversations)
}

// conversation makes the conversation of customer i. Those of later customers are newer.
func (f *filler) conversation(i int, contact models.ContactID) models.Conversation {
	at := f.now.Add(-time.Duration(f.o.Conversations-i) * time.Second)
	c := models.Conversation{
		AccountID: f.Account.ID, NumberID: f.number.ID, ContactID: contact, WorkstreamID: f.number.WorkstreamID, QueueID: f.queue,
		State: models.Closed, Address: "whatsapp:" + Phone(i), Seq: messagesOf(i), Rev: messagesOf(i),
		LastMessageAt: at, LastInboundAt: &at, LastDirection: models.In, LastPreview: bodyOf(messagesOf(i)), LastState: models.Received,
		OpenedAt: at.Add(-time.Hour), ClosedAt: &f.now, Version: 1, UpdatedAt: at,
	}
	switch {
	case i%5 == 0 && len(f.Agents) > 0:
		agent := f.Agents[(i/5)%len(f.Agents)].ID
		c.State, c.UserID, c.AssignedAt, c.UnansweredAt, c.Unread, c.ClosedAt = models.Active, &agent, &at, &at, 1, nil
	case i%5 == 1:
		c.State, c.UnansweredAt, c.Unread, c.ClosedAt = models.Open, &at, 1, nil
	}
	return c
}

func messagesOf(i int) int64 {
	if i%20 == 0 {
		return long
	}
	return short
}

func bodyOf(seq int64) string {
	return fmt.Sprintf("Message %d: when will my order arrive? I have waited since Monday.", seq)
}

// messages makes the messages of conversations: customer and agent take turns, the customer writes last.
func (f *filler) messages(ctx context.Context, tx *store.Tx, from int, conversations []models.Conversation) error {
	const perStatement = 1000
	ms := make([]models.Message, 0, perStatement)
	for i, c := range conversations {
		for seq := range c.Seq {
			if ms = append(ms, f.message(c, from+i, seq+1)); len(ms) < perStatement {
				continue
			}
			if err := tx.InsertMessages(ctx, ms); err != nil {
				return err
			}
			ms = ms[:0]
		}
	}
	return tx.InsertMessages(ctx, ms)
}

func (f *filler) message(c models.Conversation, customer int, seq int64) models.Message {
	at := c.LastMessageAt.Add(-time.Duration(c.Seq-seq) * 30 * time.Second)
	sid := fmt.Sprintf("SM%016x%016x", customer, seq)
	m := models.Message{
		AccountID: c.AccountID, ConversationID: c.ID, Seq: float64(seq), Rev: seq, Direction: models.In, Kind: models.KindText, Body: bodyOf(seq),
		ProviderSID: &sid, State: models.Received, CreatedAt: at, UpdatedAt: at,
	}
	if (c.Seq-seq)%2 == 0 {
		m.Form = Form(sid, Phone(customer), m.Body).Encode()
		return m
	}
	m.Direction, m.State, m.UserID, m.Attempt = models.Out, models.Read, c.UserID, 1
	m.SentAt, m.DeliveredAt, m.ReadAt = &at, &at, &at
	return m
}

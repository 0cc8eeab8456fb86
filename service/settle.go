package service

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"kanal/models"
	"kanal/store"
	"kanal/twilio"
)

// Times of looking for a message: after its outcome became unknown, and between two listings.
const (
	firstLook   = 2 * time.Second
	settleAgain = 30 * time.Second
)

// SettleMessage looks at Twilio for a message whose sending has an unknown outcome. A message there with the same
// address, sender and text that no other attempt is bound to is ours; of a file it also has to be one that no other
// attempt could have made. When two listings, both a minute after the attempt's deadline, do not show one, the attempt is
// lost and the next one starts. It never sends blindly.
func (s *Service) SettleMessage(ctx context.Context, id models.MessageID) error {
	m, err := s.store.Message(ctx, id)
	if errors.Is(err, models.ErrNotFound) || err == nil && m.State != models.Uncertain {
		return nil
	}
	if err != nil {
		return err
	}
	found, err := s.listed(ctx, m)
	if err != nil {
		s.log.Warn("message not settled: listing failed", "message", id, "err", err)
	}
	return s.store.InTx(ctx, func(tx *store.Tx) error {
		c, err2 := tx.LockConversation(ctx, m.ConversationID)
		if err2 != nil {
			return err2
		}
		if m, err2 = tx.Message(ctx, id); err2 != nil || m.State != models.Uncertain {
			return err2
		}
		a, err2 := tx.LockAttempt(ctx, m, m.Attempt)
		if err2 != nil {
			return err2
		}
		if err != nil {
			return tx.Enqueue(ctx, models.SettleMessage{Message: id}, store.At(tx.Now().Add(settleAgain)))
		}
		return s.settle(ctx, tx, tried{&c, m, a}, found)
	})
}

// listed asks Twilio for the messages to the customer since the attempt began and gives those that could be this message.
func (s *Service) listed(ctx context.Context, m models.Message) ([]twilio.Message, error) {
	as, err := s.store.Attempts(ctx, m)
	if err != nil || len(as) == 0 {
		return nil, orNotFound(err)
	}
	c, err := s.store.ConversationByID(ctx, m.ConversationID)
	if err != nil {
		return nil, err
	}
	account, err := s.directory.account(m.AccountID)
	if err != nil {
		return nil, err
	}
	number, err := s.directory.numberByID(c.NumberID)
	if err != nil {
		return nil, err
	}
	cred, err := s.credentials(account)
	if err != nil {
		return nil, err
	}
	// The customer may have written from another address since.
	last, from := as[len(as)-1], "whatsapp:"+number.Address
	list, err := s.twilio.ListMessages(ctx, cred, twilio.MessageFilter{To: last.Address, From: from, SentAfter: last.StartedAt.Add(-time.Minute)})
	if err != nil {
		return nil, err
	}
	list = slices.DeleteFunc(list, func(l twilio.Message) bool {
		return !sameContent(m, l) || l.To != last.Address || l.From != from
	})
	for i := range list { // a simulated account's clock runs ahead; attempts are in the database's time
		list[i].DateCreated = list[i].DateCreated.Add(-account.ClockAhead)
	}
	return list, nil
}

// sameContent tells whether a message at Twilio could be ours by what it holds. Of a file Twilio's list says that there is
// one, and of a template's file nothing that we know.
func sameContent(m models.Message, there twilio.Message) bool {
	return sameText(m, there.Body) && (m.ContentSID != "" || there.Files > 0 == m.Kind.HasFile())
}

// sameText tells whether a text at Twilio is that of the message. Of a template Twilio shows the filled text, to which a
// header or a footer may belong and whose spaces may differ; of some types it shows none.
func sameText(m models.Message, body string) bool {
	if m.ContentSID == "" {
		return body == m.Body
	}
	there, ours := strings.Join(strings.Fields(body), " "), strings.Join(strings.Fields(m.Body), " ")
	return there == "" || strings.Contains(there, ours)
}

func (s *Service) settle(ctx context.Context, tx *store.Tx, t tried, found []twilio.Message) error {
	c, m, a := t.conversation, t.message, t.attempt
	sid, unclear, err := pick(ctx, tx, t, found)
	if err != nil {
		return err
	}
	if sid != "" {
		if err := s.bind(ctx, tx, t, sid); err != nil {
			return err
		}
		return tx.Enqueue(ctx, models.SendConversation{Conversation: c.ID})
	}
	now, err := tx.DatabaseNow(ctx)
	if err != nil {
		return err
	}
	was, counts := a.State, a.DeadlineAt.Add(models.ListingDelay)
	if now.Before(counts) { // too early to say that it is not there
		return tx.Enqueue(ctx, models.SettleMessage{Message: m.ID}, store.At(counts))
	}
	a.LastListingAt = &now
	if unclear { // only a report can tell; housekeeping looks again
		s.log.Warn("message not settled: what Twilio lists could be any of several files", "message", m.ID)
		return tx.SaveAttempt(ctx, a, was)
	}
	a.Listings++
	if a.Listings < models.ListingsNeeded {
		if err := tx.SaveAttempt(ctx, a, was); err != nil {
			return err
		}
		return tx.Enqueue(ctx, models.SettleMessage{Message: m.ID}, store.At(now.Add(settleAgain)))
	}
	a.State, a.FinishedAt = models.AttemptLost, &now
	if err := tx.SaveAttempt(ctx, a, was); err != nil {
		return err
	}
	state := m.State
	m.State = models.Queued
	if err := s.saveMessage(ctx, tx, c, &m, state); err != nil {
		return err
	}
	return tx.Enqueue(ctx, models.SendConversation{Conversation: c.ID})
}

// pick gives the sid of the message at Twilio that is the one of the attempt, "" when there is none. Of a file Twilio's
// list says that there is one and not which: when others whose outcome is not known look the same there, the one whose
// request was on its way when Twilio made the message has it. unclear says that this could not be told: then the message
// is neither taken for sent nor sent again.
func pick(ctx context.Context, tx *store.Tx, t tried, found []twilio.Message) (sid string, unclear bool, err error) {
	sids := make([]string, len(found))
	for i, l := range found {
		sids[i] = l.SID
	}
	bound, err := tx.BoundSIDs(ctx, t.message.AccountID, sids)
	if err != nil {
		return "", false, err
	}
	found = slices.DeleteFunc(found, func(l twilio.Message) bool { return bound[l.SID] })
	if len(found) == 0 {
		return "", false, nil
	}
	var rivals []models.SendAttempt
	if t.message.Kind.HasFile() && t.message.ContentSID == "" {
		if rivals, err = tx.RivalAttempts(ctx, t.message, t.conversation.NumberID, t.attempt.Address); err != nil {
			return "", false, err
		}
	}
	if len(rivals) == 0 {
		return found[0].SID, false, nil
	}
	for _, l := range found {
		ours := t.attempt.MayHaveMade(l.DateCreated)
		theirs := slices.ContainsFunc(rivals, func(a models.SendAttempt) bool { return a.MayHaveMade(l.DateCreated) })
		if ours && !theirs {
			return l.SID, false, nil
		}
		unclear = unclear || ours == theirs
	}
	return "", unclear, nil
}

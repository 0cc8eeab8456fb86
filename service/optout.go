package service

import (
	"context"
	"strconv"
	"time"

	"kanal/models"
	"kanal/store"
	"kanal/twilio"
)

// optOuts are the stop and start words of a reception. Nothing is read before the first of them comes.
type optOuts struct {
	states  map[consentKey]models.ConsentState
	fresh   []models.Consent
	message []int // the place of the message that each of fresh comes from
	stopped map[consentKey]models.ConversationID
}

type consentKey struct {
	account models.AccountID
	contact models.ContactID
}

// wordOf tells what message i asks for. Where Twilio's Advanced Opt-Out is on, Twilio has said what the message is and
// has answered it.
func wordOf(in inbound) (word models.OptOutWord, byTwilio bool) {
	switch said := models.OptOutWord(in.msg.OptOut); said {
	case "":
		return models.ParseOptOut(models.MessageKind(in.msg.Kind), in.msg.Body), false
	case models.StopWord, models.StartWord:
		return said, true
	}
	return models.NoWord, true
}

// optOut does what message i asks for when it is a stop or a start word, and tells whether it was. A start word that
// undoes nothing is a text like any other. A word changes only
// what does not hold already: no second line and no second confirmation; one that is older than what holds changes
// nothing.
func (b *reception) optOut(ctx context.Context, i int) (bool, error) {
	in := b.items[i]
	word, byTwilio := wordOf(in)
	if word == models.NoWord {
		return false, nil
	}
	key := consentKey{in.Account.ID, b.contacts[i]}
	state, err := b.consentState(ctx, key)
	if err != nil {
		return true, err
	}
	fresh := consentsAfter(state, word, byTwilio, in.accountNow())
	if len(fresh) == 0 {
		// "Start" is also how people begin to write.
		return word == models.StopWord || byTwilio, nil
	}
	c := b.conversations[b.key(i)]
	for _, k := range fresh {
		k.AccountID, k.ContactID = key.account, key.contact
		b.optOuts.fresh, b.optOuts.message = append(b.optOuts.fresh, k), append(b.optOuts.message, i)
		state = state.With(k)
	}
	b.optOuts.states[key] = state
	b.says = append(b.says, newSystemLine(c, line{consentLine(fresh[0]), nil, in.accountNow()}))
	if word == models.StopWord {
		b.optOuts.stopped[key] = c.ID
		if err := b.takeBack(ctx, b.tx, c, models.ConsentAll); err != nil {
			return true, err
		}
	}
	if !byTwilio && !b.isBlocked(i) {
		b.confirm(c, in, word)
	}
	return true, nil
}

// consentsAfter gives what a word adds to what holds.
func consentsAfter(s models.ConsentState, word models.OptOutWord, byTwilio bool, at time.Time) []models.Consent {
	if s.All != nil && s.All.At.After(at) {
		return nil
	}
	c := models.Consent{Scope: models.ConsentAll, Given: word == models.StartWord, Source: models.SourceStopWord, At: at}
	if c.Given {
		c.Source = models.SourceStartWord
	}
	if byTwilio {
		c.Source, c.Note = models.SourceTwilio, string(word)
	}
	noMarketing := s.Marketing != nil && !s.Marketing.Given
	switch {
	case !c.Given && s.OptedOut() && (!byTwilio || s.All.ByTwilio()):
		return nil
	case !c.Given:
		return []models.Consent{c}
	case !s.OptedOut() && !noMarketing:
		return nil
	}
	out := []models.Consent{c}
	if noMarketing {
		c.Scope = models.ConsentMarketing
		out = append(out, c)
	}
	return out
}

func (b *reception) consentState(ctx context.Context, key consentKey) (models.ConsentState, error) {
	if b.optOuts.states == nil {
		b.optOuts.states, b.optOuts.stopped = map[consentKey]models.ConsentState{}, map[consentKey]models.ConversationID{}
	}
	if s, ok := b.optOuts.states[key]; ok {
		return s, nil
	}
	s, err := b.tx.ConsentState(ctx, key.account, key.contact)
	b.optOuts.states[key] = s
	return s, err
}

// confirm answers the word once, in the number's language.
func (b *reception) confirm(c *models.Conversation, in inbound, word models.OptOutWord) {
	why := models.TriggerOptedOut
	if word == models.StartWord {
		why = models.TriggerOptedIn
	}
	b.says = append(b.says, automated(in, c.ID, why, models.OptOutConfirmation(in.number.Language, word)))
}

// writeConsents keeps what the words have changed, after their messages have ids, and takes back what is queued in the
// customers' other conversations.
func (b *reception) writeConsents(ctx context.Context) error {
	for i := range b.optOuts.fresh {
		b.optOuts.fresh[i].MessageID = &b.messages[b.optOuts.message[i]].ID
	}
	if err := b.tx.InsertConsents(ctx, b.optOuts.fresh); err != nil {
		return err
	}
	for key := range b.optOuts.stopped {
		others, err := b.tx.LockConversationsWith(ctx, key.contact)
		if err != nil {
			return err
		}
		if err := b.takeBackIn(ctx, b.tx, others, takenBack{key.account, models.ConsentAll, b.ours()}); err != nil {
			return err
		}
	}
	return nil
}

// ours are the conversations that the reception itself writes.
func (b *reception) ours() map[models.ConversationID]bool {
	ids := map[models.ConversationID]bool{}
	for _, c := range b.conversations {
		ids[c.ID] = true
	}
	return ids
}

// takenBack says what is taken back where: except in conversations that the caller writes itself.
type takenBack struct {
	account models.AccountID
	scope   models.ConsentScope
	except  map[models.ConversationID]bool
}

// takeBackIn takes back what is queued in locked conversations.
func (s *Service) takeBackIn(ctx context.Context, tx *store.Tx, cs []models.Conversation, t takenBack) error {
	for _, c := range cs {
		if c.AccountID != t.account || t.except[c.ID] {
			continue
		}
		before := c.Rev
		if err := s.takeBack(ctx, tx, &c, t.scope); err != nil {
			return err
		}
		if c.Rev == before {
			continue
		}
		if err := tx.SaveConversations(ctx, c); err != nil {
			return err
		}
		tx.Publish(conversationEvent(c))
	}
	return nil
}

// refusals are the codes with which Twilio or WhatsApp says that a customer wants no messages.
var refusals = map[int]models.ConsentScope{
	twilio.CodeOptedOut: models.ConsentAll, twilio.CodeBlocked: models.ConsentAll,
	twilio.CodeNoMarketing: models.ConsentMarketing, twilio.CodeNoMarketing2: models.ConsentMarketing,
}

// honour keeps the opt-out that a refusal of an attempt says, in its locked conversation, which the caller saves. What
// holds already is not kept twice; a refusal that comes late says nothing of a customer who has written a start word
// since, and who blocked us and has written since does not any more.
func (s *Service) honour(ctx context.Context, tx *store.Tx, t tried, code int) error {
	scope, ok := refusals[code]
	if !ok {
		return nil
	}
	c := t.conversation
	account, err := s.directory.account(c.AccountID)
	if err != nil {
		return err
	}
	state, err := tx.ConsentState(ctx, c.AccountID, c.ContactID)
	if err != nil {
		return err
	}
	window, err := tx.ServiceWindow(ctx, store.ConversationKey{Account: c.AccountID, Number: c.NumberID, Contact: c.ContactID})
	if err != nil || state.Says(scope, code, window) || state.Undone(account.Now(t.attempt.StartedAt)) ||
		code == twilio.CodeBlocked && window.LastInboundAt.After(account.Now(t.attempt.StartedAt)) {
		return err
	}
	k := models.Consent{
		AccountID: c.AccountID, ContactID: c.ContactID, Scope: scope, Source: models.SourceTwilio, Note: strconv.Itoa(code),
		MessageID: &t.message.ID, At: account.Now(tx.Now()),
	}
	if err := tx.InsertConsents(ctx, []models.Consent{k}); err != nil {
		return err
	}
	if err := s.consentChanged(ctx, tx, c, k, k.At); err != nil {
		return err
	}
	others, err := tx.LockConversationsWith(ctx, c.ContactID)
	if err != nil {
		return err
	}
	return s.takeBackIn(ctx, tx, others, takenBack{c.AccountID, scope, map[models.ConversationID]bool{c.ID: true}})
}

// ErrOptedOut says that Twilio or WhatsApp would refuse a message to this customer.
var ErrOptedOut = models.E(models.KindInvalid, string(models.RefusedOptedOut))

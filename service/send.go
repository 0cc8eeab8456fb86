package service

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"kanal/models"
	"kanal/store"
	"kanal/twilio"
)

// maxNotProcessed is how many attempts that Twilio did not process are made before the message fails.
const maxNotProcessed = 10

// SendConversation sends what is queued in a conversation, the oldest first, until nothing is left or the head has to
// wait. It may run any number of times and at the same time: the lease of an attempt lets one through.
func (s *Service) SendConversation(ctx context.Context, id models.ConversationID) error {
	for awaits := 0; ; {
		out, wait, err := s.claim(ctx, id)
		switch {
		case err != nil:
			return err
		case wait > 0 && awaits < maxAwaits && s.turns.await(ctx, wait):
			awaits++
			continue
		case wait > 0:
			return s.sendLater(ctx, id, wait)
		case out == nil:
			return nil
		}
		msg, refused := s.create(ctx, *out)
		if err := s.finish(context.WithoutCancel(ctx), *out, msg, refused); err != nil {
			return err
		}
		if refused != nil && stops(twilio.AsError(refused)) {
			return s.directory.load(ctx)
		}
	}
}

// outgoing is a claimed attempt with all that the call to Twilio needs.
type outgoing struct {
	account models.Account
	attempt models.SendAttempt
	message models.Message
	file    *models.File // nil for a message without one
	from    string
}

// claim starts the next attempt of a conversation in a transaction of its own. Nil means that there is nothing to do
// now; if there will be later, a job is scheduled. A time says that the turn of the sender is not there yet: nothing is
// scheduled.
func (s *Service) claim(ctx context.Context, id models.ConversationID) (*outgoing, time.Duration, error) {
	var next claimed
	err := s.store.InTx(ctx, func(tx *store.Tx) error {
		next = claimed{}
		c, err := tx.LockConversation(ctx, id)
		if err != nil {
			return err
		}
		if next.now, err = tx.DatabaseNow(ctx); err != nil {
			return err
		}
		if next.account, err = s.sendingAccount(ctx, tx, c); err != nil {
			return err
		}
		unsent, err := tx.FirstUnsent(ctx, c, next.account.Now(next.now), 20)
		if err != nil {
			return err
		}
		for _, m := range unsent {
			done, err := s.claimMessage(ctx, tx, &c, m, &next)
			if err != nil || done {
				return err
			}
		}
		return nil
	})
	return next.out, next.wait, err
}

// claimed is what claim has found at a time: an attempt to make, or the time until the sender's turn.
type claimed struct {
	now     time.Time // in the database's time
	account models.Account
	out     *outgoing
	wait    time.Duration
}

// sendingAccount gives the account of a conversation. What lets an account send again, or moves the clock of a simulated
// one, enters its jobs in the same transaction: the directory may not know it yet.
func (s *Service) sendingAccount(ctx context.Context, tx *store.Tx, c models.Conversation) (models.Account, error) {
	a, err := s.directory.account(c.AccountID)
	if err != nil || !a.Simulated && a.StoppedAt == nil {
		return a, err
	}
	return tx.Account(ctx, c.AccountID)
}

// claimMessage looks at one message that is not with Twilio yet. It answers true when the ones after it must wait, or
// when it was claimed into next.
func (s *Service) claimMessage(ctx context.Context, tx *store.Tx, c *models.Conversation, m models.Message, next *claimed) (bool, error) {
	now := next.now
	switch m.State {
	case models.Sending:
		return true, s.checkLease(ctx, tx, c, m, now)
	case models.Uncertain:
		return s.heldByUncertain(ctx, tx, m, now)
	}
	// Another instance may have stopped it a moment ago: then one more message is tried.
	if next.account.StoppedAt != nil {
		return true, nil
	}
	last, err := s.lastAttempt(ctx, tx, m)
	if err != nil {
		return true, err
	}
	if last != nil && last.NotBefore != nil && last.NotBefore.After(now) {
		return true, tx.Enqueue(ctx, models.SendConversation{Conversation: c.ID}, store.At(*last.NotBefore))
	}
	if next.wait, err = s.takeTurn(ctx, tx, *c, m, now); err != nil || next.wait > 0 {
		return true, err
	}
	next.out, err = s.startAttempt(ctx, tx, c, m, next)
	return next.out != nil, err
}

func (s *Service) lastAttempt(ctx context.Context, tx *store.Tx, m models.Message) (*models.SendAttempt, error) {
	if m.Attempt == 0 {
		return nil, nil
	}
	a, err := tx.LockAttempt(ctx, m, m.Attempt)
	return &a, err
}

// checkLease leaves an attempt whose lease is held alone. One whose lease has ended belongs to a process that died:
// its request may have gone out, so it becomes uncertain.
func (s *Service) checkLease(ctx context.Context, tx *store.Tx, c *models.Conversation, m models.Message, now time.Time) error {
	a, err := tx.LockAttempt(ctx, m, m.Attempt)
	if err != nil {
		return err
	}
	if a.LeaseUntil.After(now) {
		return tx.Enqueue(ctx, models.SendConversation{Conversation: c.ID}, store.At(a.LeaseUntil.Add(time.Second)))
	}
	return s.becomeUncertain(ctx, tx, c, m, a)
}

func (s *Service) becomeUncertain(ctx context.Context, tx *store.Tx, c *models.Conversation, m models.Message, a models.SendAttempt) error {
	was := a.State
	a.State = models.AttemptUncertain
	if err := tx.SaveAttempt(ctx, a, was); err != nil {
		return err
	}
	state := m.State
	m.State = models.Uncertain
	if err := s.saveMessage(ctx, tx, c, &m, state); err != nil {
		return err
	}
	if err := tx.Enqueue(ctx, models.SettleMessage{Message: m.ID}, store.At(tx.Now().Add(firstLook))); err != nil {
		return err
	}
	return tx.Enqueue(ctx, models.SendConversation{Conversation: c.ID}, store.At(a.StartedAt.Add(models.UncertainHold)))
}

// heldByUncertain tells whether the messages after an uncertain one have to wait.
func (s *Service) heldByUncertain(ctx context.Context, tx *store.Tx, m models.Message, now time.Time) (bool, error) {
	a, err := tx.LockAttempt(ctx, m, m.Attempt)
	if err != nil {
		return true, err
	}
	until := a.StartedAt.Add(models.UncertainHold)
	if now.Before(until) {
		return true, tx.Enqueue(ctx, models.SendConversation{Conversation: m.ConversationID}, store.At(until))
	}
	return false, nil
}

// startAttempt takes the lease. A message that may not go out any more, as free text whose window has closed meanwhile,
// ends instead, and the result is nil. RetryAt stays until Twilio has taken the message: should it not, the attempt after
// this one is nobody's wish either.
func (s *Service) startAttempt(ctx context.Context, tx *store.Tx, c *models.Conversation, m models.Message, next *claimed) (*outgoing, error) {
	account, now := next.account, next.now
	at, err := s.standing(ctx, tx, *c)
	if err != nil {
		return nil, err
	}
	at.now = account.Now(now)
	was := m.State
	may, err := at.mayLeave(ctx, tx, &m)
	if err != nil {
		return nil, err
	}
	file, err := fileOf(ctx, tx, m)
	if err != nil {
		return nil, err
	}
	if may && m.Kind.HasFile() && file == nil {
		may, m.State, m.ErrorCode = false, models.Failed, twilio.CodeNoFile
	}
	if may && m.RetryAt != nil && !at.mayTryAgain() {
		may, m.State = false, models.Failed
	}
	if !may {
		m.RetryAt = nil
		return nil, s.saveMessage(ctx, tx, c, &m, was)
	}
	a := models.SendAttempt{
		AccountID: m.AccountID, MessageID: m.ID, N: m.Attempt + 1, Address: c.Address, State: models.AttemptSending,
		LeaseUntil: now.Add(models.SendLease), StartedAt: now, DeadlineAt: now.Add(models.SendTimeout),
	}
	if err := tx.InsertAttempt(ctx, &a); err != nil {
		return nil, err
	}
	m.State, m.Attempt = models.Sending, a.N
	if err := s.saveMessage(ctx, tx, c, &m, was); err != nil {
		return nil, err
	}
	return &outgoing{account: account, attempt: a, message: m, file: file, from: "whatsapp:" + at.number.Address}, nil
}

// create calls Twilio, outside of any transaction. The status callback names our message and attempt: it is the only
// thing that Twilio gives back when its answer to this request is lost.
func (s *Service) create(ctx context.Context, out outgoing) (twilio.Message, error) {
	cred, err := s.credentials(out.account)
	if err != nil { // nothing went out
		return twilio.Message{}, &twilio.Error{Outcome: twilio.NotProcessed, Cause: err}
	}
	// The stop of the program must not cut a request that is on its way.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), models.SendTimeout)
	defer cancel()
	n := twilio.NewMessage{
		From: out.from, To: out.attempt.Address, Body: out.message.Body, StatusCallback: s.statusURL(out),
		ContentSID: out.message.ContentSID, ContentVariables: out.message.ContentVariables,
	}
	if out.file != nil {
		n.MediaURL = s.mediaURL(*out.file)
	}
	sent, err := s.twilio.CreateMessage(ctx, cred, n)
	if err != nil && twilio.AsError(err).Unauthorized() {
		if newer, ok := s.newerCredentials(ctx, out.account, cred); ok {
			return s.twilio.CreateMessage(ctx, newer, n)
		}
	}
	return sent, err
}

func (s *Service) statusURL(out outgoing) string {
	return fmt.Sprintf("%s?m=%d&n=%d%s", s.hookURL(out.account, "status"), out.message.ID, out.attempt.N, twilio.ConnectionOverrides)
}

// finish stores what came of an attempt. A status callback may have been faster: then the attempt is bound already.
func (s *Service) finish(ctx context.Context, out outgoing, sent twilio.Message, sendErr error) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	return s.store.InTx(ctx, func(tx *store.Tx) error {
		t, err := lockTried(ctx, tx, out.message, out.attempt.N)
		if err != nil {
			return err
		}
		if t.attempt.State != models.AttemptSending && t.attempt.State != models.AttemptUncertain {
			return nil
		}
		if sendErr == nil {
			return s.bind(ctx, tx, t, sent.SID)
		}
		return s.unsent(ctx, tx, t, sendErr)
	})
}

// tried is an attempt with its message and their conversation, which the transaction has locked.
type tried struct {
	conversation *models.Conversation
	message      models.Message
	attempt      models.SendAttempt
}

// lockTried locks the conversation of a message first and reads the message again, so that two who report on it come
// one after the other.
func lockTried(ctx context.Context, tx *store.Tx, m models.Message, n int) (t tried, err error) {
	c, err := tx.LockConversation(ctx, m.ConversationID)
	if err != nil {
		return t, err
	}
	if t.message, err = tx.Message(ctx, m.ID); err != nil {
		return t, err
	}
	t.conversation = &c
	t.attempt, err = tx.LockAttempt(ctx, t.message, n)
	return t, err
}

// bind gives an attempt and its message Twilio's sid: the message is accepted.
func (s *Service) bind(ctx context.Context, tx *store.Tx, t tried, sid string) error {
	m, a := t.message, t.attempt
	was := a.State
	now := tx.Now()
	a.State, a.SID, a.FinishedAt = models.AttemptAccepted, &sid, &now
	if err := tx.SaveAttempt(ctx, a, was); err != nil {
		return err
	}
	if m.Attempt != a.N || !m.State.Moves(models.Accepted) {
		return nil
	}
	state := m.State
	m.State, m.ProviderSID, m.ErrorCode, m.RetryAt = models.Accepted, &sid, 0, nil
	armPoll(&m, now)
	return s.saveMessage(ctx, tx, t.conversation, &m, state)
}

// unsent stores an attempt that did not succeed.
func (s *Service) unsent(ctx context.Context, tx *store.Tx, t tried, sendErr error) error {
	c, m, a := t.conversation, t.message, t.attempt
	e := twilio.AsError(sendErr)
	if e.Outcome == twilio.Unknown {
		if a.State == models.AttemptUncertain {
			return nil
		}
		return s.becomeUncertain(ctx, tx, c, m, a)
	}
	was, now := a.State, tx.Now()
	a.FinishedAt, a.HTTPStatus, a.ErrorCode = &now, e.Status, e.Code
	state := m.State
	switch {
	case stops(e):
		a.State, m.State = models.AttemptNotProcessed, models.Queued
		if err := s.stopAccount(ctx, tx, m.AccountID, e); err != nil {
			return err
		}
	case e.Outcome == twilio.NotProcessed && a.N < maxNotProcessed:
		later := now.Add(backoff(a.N, e.RetryAfter))
		a.State, a.NotBefore = models.AttemptNotProcessed, &later
		m.State = models.Queued
		if err := tx.Enqueue(ctx, models.SendConversation{Conversation: c.ID}, store.At(later)); err != nil {
			return err
		}
	default:
		a.State = models.AttemptRejected
		m.State, m.ErrorCode, m.RetryAt = models.Failed, e.Code, nil
	}
	if err := tx.SaveAttempt(ctx, a, was); err != nil {
		return err
	}
	if err := s.saveMessage(ctx, tx, c, &m, state); err != nil {
		return err
	}
	return s.refusedFor(ctx, tx, t, e.Code)
}

// refusedFor does what a code says about more than its message, which the caller has saved: what a refusal takes back is read
// from what is queued.
func (s *Service) refusedFor(ctx context.Context, tx *store.Tx, t tried, code int) error {
	if code == twilio.CodeOutsideWindow {
		if err := s.closeWindow(ctx, tx, t); err != nil {
			return err
		}
	}
	c, rev := t.conversation, t.conversation.Rev
	if err := s.honour(ctx, tx, t, code); err != nil || c.Rev == rev {
		return err
	}
	return saveConversation(ctx, tx, c)
}

// backoff gives the time before the attempt after the nth: doubling from half a second to 30 s, or what Twilio asks, and
// up to a tenth more, so that what was refused together does not come back together.
func backoff(n int, asked time.Duration) time.Duration {
	d := min(500*time.Millisecond<<min(n-1, 10), 30*time.Second)
	d = max(d, min(asked, 10*time.Minute))
	return d + rand.N(d/10) //nolint:gosec // it spreads, it hides nothing
}

package service

import (
	"context"
	"errors"
	"net/http"
	"time"

	"kanal/models"
	"kanal/store"
	"kanal/twilio"
)

// Reports of Twilio may be lost: it tries each once or a few times only (webhook connection overrides). A message that
// stands still is therefore asked for, less and less often, until its state is final or WhatsApp has given it up.

// polls are the times after the last change, or after the last asking, at which Twilio is asked.
var polls = []time.Duration{2 * time.Minute, 8 * time.Minute, 50 * time.Minute, 5 * time.Hour, 18 * time.Hour, 48 * time.Hour}

// pollAgain is how long the asking waits when Twilio does not answer.
const pollAgain = 5 * time.Minute

// armPoll lets the asking about a message that has changed begin anew. Delivered needs no asking: it came, and whether it is
// read is told or not.
func armPoll(m *models.Message, now time.Time) {
	m.PollAt, m.Polls = nil, 0
	if m.State == models.Accepted || m.State == models.Sent {
		at := now.Add(polls[0])
		m.PollAt = &at
	}
}

// PollMessages asks Twilio about messages that have no final state and whose time of asking has come, until ctx ends.
// What Twilio says counts like a report that came late.
func (s *Service) PollMessages(ctx context.Context) error {
	due, err := s.store.DuePolls(ctx, s.store.Now(), 200)
	if err != nil {
		return err
	}
	for _, m := range due {
		if ctx.Err() != nil {
			break
		}
		err = errors.Join(err, s.poll(ctx, m))
	}
	return err
}

func (s *Service) poll(ctx context.Context, m models.Message) error {
	account, err := s.directory.account(m.AccountID)
	if err != nil || account.StoppedAt != nil || m.ProviderSID == nil {
		return s.pollLater(ctx, m, pollAgain, err)
	}
	cred, err := s.credentials(account)
	if err != nil {
		return s.pollLater(ctx, m, pollAgain, nil)
	}
	call, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	said, err := s.twilio.FetchMessage(call, cred, *m.ProviderSID)
	switch {
	case err == nil:
		return s.polled(ctx, account, m, said)
	case twilio.AsError(err).Status == http.StatusNotFound: // deleted there, or not this account's any more
		return s.pollLater(ctx, m, 0, nil)
	}
	s.log.Info("Twilio did not say what became of a message", "message", m.ID, "err", err)
	return s.pollLater(ctx, m, pollAgain, nil)
}

// polled keeps what Twilio has said, and sets the next asking.
func (s *Service) polled(ctx context.Context, account models.Account, m models.Message, said twilio.Message) error {
	ev := twilio.StatusEvent{MessageSID: said.SID, Status: said.Status, ErrorCode: said.ErrorCode}
	now := s.store.Now()
	return s.store.InTx(ctx, func(tx *store.Tx) error {
		t, err := lockTried(ctx, tx, m, m.Attempt)
		if err != nil {
			return err
		}
		if t.message.State.Moves(messageState(ev.Status)) {
			kept := models.ProviderEvent{
				AccountID: account.ID, MessageID: &m.ID, Kind: models.EventKindPoll, SID: ev.MessageSID, Status: truncate(ev.Status, 40),
				ErrorCode: ev.ErrorCode, ReceivedAt: now,
			}
			if err := tx.InsertProviderEvents(ctx, []models.ProviderEvent{kept}); err != nil {
				return err
			}
			if err := s.report(ctx, tx, ev, &t, account.Now(now)); err != nil {
				return err
			}
		}
		return tx.CountPoll(ctx, m, nextPoll(m.Polls+1, now))
	})
}

// nextPoll gives the time of the nth asking; nil after the last one.
func nextPoll(n int, now time.Time) *time.Time {
	if n >= len(polls) {
		return nil
	}
	at := now.Add(polls[n])
	return &at
}

// pollLater asks again after a while, or never when that is 0.
func (s *Service) pollLater(ctx context.Context, m models.Message, wait time.Duration, why error) error {
	var at *time.Time
	if wait > 0 {
		next := s.store.Now().Add(wait)
		at = &next
	}
	return errors.Join(why, s.store.InTx(ctx, func(tx *store.Tx) error { return tx.SetPoll(ctx, m, at) }))
}

// matchReports gives reports that came before Twilio's answer was stored, and named no message of ours, to the message that
// has their sid now. A report is looked at for a quarter of an hour.
func (s *Service) matchReports(ctx context.Context) error {
	orphans, err := s.store.OrphanReports(ctx, s.store.Now().Add(-15*time.Minute))
	if err != nil {
		return err
	}
	for _, o := range orphans {
		err = errors.Join(err, s.adoptReport(ctx, o))
	}
	return err
}

func (s *Service) adoptReport(ctx context.Context, o models.ProviderEvent) error {
	account, err := s.directory.account(o.AccountID)
	if err != nil {
		return err
	}
	ev := twilio.StatusEvent{MessageSID: o.SID, Status: o.Status, ErrorCode: o.ErrorCode}
	return s.store.InTx(ctx, func(tx *store.Tx) error {
		a, err := tx.AttemptBySID(ctx, o.AccountID, o.SID)
		if err != nil {
			return err
		}
		m, err := tx.Message(ctx, a.MessageID)
		if err != nil {
			return err
		}
		t, err := lockTried(ctx, tx, m, a.N)
		if err != nil {
			return err
		}
		adopted, err := tx.AdoptReport(ctx, o, m.ID)
		if err != nil || !adopted {
			return err
		}
		return s.report(ctx, tx, ev, &t, account.Now(o.ReceivedAt))
	})
}

package service

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"kanal/models"
	"kanal/store"
	"kanal/twilio"
)

// A sender takes so many messages a second only (WhatsApp best practices); what is too fast waits at Twilio for four hours
// at most and is then lost. Each message therefore takes a turn of its number, in the database, so that all instances
// keep one pace.

// patience is how long a job waits for a turn itself, and how often; else another job is entered for it.
const (
	patience  = 250 * time.Millisecond
	maxAwaits = 8
)

// maxWaiting is how many jobs of this process wait for turns at the same time: the others leave their workers to
// conversations of other senders.
const maxWaiting = 16

// turns counts the jobs of this process that wait for a turn.
type turns struct {
	mu      sync.Mutex
	waiting int
}

// PerMinute gives how many messages a minute a number takes: as it was set, else what WhatsApp gives its kind.
func PerMinute(n models.Number) int {
	switch {
	case n.Pace > 0:
		return n.Pace
	case n.Address == models.SandboxNumber:
		return int(time.Minute / twilio.SandboxPace)
	}
	return 60 * twilio.SenderRate
}

// paceOf gives the pace of a number. A quick sender may get twenty at once. What Kanal sends by itself has half of that, or
// waits half a turn longer, so that the answers of agents come first.
func paceOf(n models.Number, automated bool) store.Pace {
	p := store.Pace{Every: time.Minute / time.Duration(PerMinute(n))}
	switch quick := p.Every < time.Second; {
	case quick && automated:
		p.AtOnce = 10 * p.Every
	case quick:
		p.AtOnce = 20 * p.Every
	case automated:
		p.AtOnce = -p.Every / 2
	}
	return p
}

// takeTurn lets a message go out now, and else gives the time to wait.
func (s *Service) takeTurn(ctx context.Context, tx *store.Tx, c models.Conversation, m models.Message, now time.Time) (time.Duration, error) {
	number, err := s.directory.numberByID(c.NumberID)
	if err != nil {
		return 0, err
	}
	turn, err := tx.TakeTurn(ctx, number.ID, now, paceOf(number, m.Trigger != ""))
	if err != nil || turn.IsZero() {
		return 0, err
	}
	return max(turn.Sub(now), time.Millisecond), nil
}

// await waits for a turn, if it is near and not too many wait. Those who wait do not all come back at the same moment.
func (t *turns) await(ctx context.Context, wait time.Duration) bool {
	if wait > patience {
		return false
	}
	t.mu.Lock()
	if t.waiting >= maxWaiting {
		t.mu.Unlock()
		return false
	}
	t.waiting++
	wait += rand.N(time.Duration(t.waiting) * 10 * time.Millisecond) //nolint:gosec // it spreads, it hides nothing
	t.mu.Unlock()
	defer func() { t.mu.Lock(); t.waiting--; t.mu.Unlock() }()
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// sendLater enters a job for a conversation whose turn comes later. Of a quick sender they come back apart from each other.
func (s *Service) sendLater(ctx context.Context, id models.ConversationID, wait time.Duration) error {
	if wait < time.Second {
		wait += rand.N(2 * time.Second) //nolint:gosec // it spreads, it hides nothing
	}
	return s.store.InTx(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		now, err := tx.DatabaseNow(ctx)
		if err != nil {
			return err
		}
		return tx.Enqueue(ctx, models.SendConversation{Conversation: id}, store.At(now.Add(wait)))
	})
}

package store

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"kanal/models"
)

const (
	notifyChannel = "kanal"
	// notifyBound is under PostgreSQL's limit of 8,000 bytes for a payload.
	notifyBound = 7 << 10
	// subscriberBound is how many sets of events wait for a slow subscriber before it gets a resync instead.
	subscriberBound = 256
)

// hub hands events to the subscribers of this process.
type hub struct {
	mu   sync.Mutex
	subs map[chan []models.Event]bool
}

var resync = []models.Event{{Name: models.EventResync}}

func (h *hub) fan(events []models.Event) {
	if len(events) == 0 {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for ch := range h.subs {
		select {
		case ch <- events:
		default:
			drain(ch)
			ch <- resync
		}
	}
}

// drain empties a full channel; its reader fetches everything again.
func drain(ch chan []models.Event) {
	for {
		select {
		case <-ch:
		default:
			return
		}
	}
}

// Subscribe gives the events of all instances from now on. The channel is closed by cancel.
func (s *Store) Subscribe() (<-chan []models.Event, func()) {
	ch := make(chan []models.Event, subscriberBound)
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	if s.hub.subs == nil {
		s.hub.subs = map[chan []models.Event]bool{}
	}
	s.hub.subs[ch] = true
	return ch, sync.OnceFunc(func() {
		s.hub.mu.Lock()
		defer s.hub.mu.Unlock()
		delete(s.hub.subs, ch)
		close(ch)
	})
}

// notify sends the transaction's events, once: NOTIFY takes a global lock at commit.
func (tx *Tx) notify(ctx context.Context) error {
	if len(tx.events) == 0 {
		return nil
	}
	payload, err := json.Marshal(tx.events)
	if err != nil {
		return err
	}
	if len(payload) > notifyBound {
		if payload, err = json.Marshal(resync); err != nil {
			return err
		}
	}
	return tx.q(ctx).Exec("SELECT pg_notify(?, ?)", notifyChannel, string(payload)).Error
}

// Listen hears the events of all instances until ctx ends. On SQLite there is only this process and it just waits.
// After a gap subscribers get a resync.
func (s *Store) Listen(ctx context.Context) {
	if s.dialect == SQLite {
		<-ctx.Done()
		return
	}
	for wait := 100 * time.Millisecond; ctx.Err() == nil; wait = min(2*wait, 5*time.Second) {
		began := s.clock()
		err := s.listen(ctx)
		if ctx.Err() != nil {
			return
		}
		s.log.Warn("listening for events was interrupted", "err", err)
		if s.clock().Sub(began) > time.Minute {
			wait = 100 * time.Millisecond
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
}

func (s *Store) listen(ctx context.Context) error {
	conn, err := pgx.ConnectConfig(ctx, s.pool.Config().ConnConfig)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if _, err := conn.Exec(ctx, "LISTEN "+notifyChannel); err != nil {
		return err
	}
	s.hub.fan(resync)
	for {
		n, err := conn.WaitForNotification(ctx)
		if err != nil {
			return err
		}
		var events []models.Event
		if json.Unmarshal([]byte(n.Payload), &events) != nil {
			events = resync
		}
		s.hub.fan(events)
	}
}

// Package live brings events to the open pages: a hub that knows who listens, and the stream of server-sent events that
// one page reads. Events carry ids and never content; a page fetches what changed.
package live

import (
	"context"
	"slices"
	"sync"
	"time"

	"kanal/models"
)

// Times of a stream.
const (
	// pingEvery is how often a stream says that it is alive; pages give a silent one up after 25 s.
	pingEvery = 10 * time.Second
	// listEvery is the shortest time between two sets of events that only change lists.
	listEvery = time.Second
	// bound is how many conversations wait for a stream. Of those that only change lists no more are named: the page
	// fetches the whole list for one as for many. Of those to be sent at once more become a resync: the reader is slow.
	bound = 64
)

// Listener is who reads a stream, and what of it they have open.
type Listener struct {
	User         models.UserID
	Role         models.Role
	Queues       []models.QueueID      // whose lists an agent sees
	Session      string                // the hash of the login session's token
	Expires      time.Time             // when the login session ends
	Conversation models.ConversationID // open in the page, 0 for none
	Account      models.AccountID      // waited for by the page, 0 for all
}

// Hub hands events to the streams of this process.
type Hub struct {
	clock  func() time.Time
	mu     sync.Mutex
	subs   map[*subscriber]bool
	closed bool
}

// NewHub makes a hub without listeners. The clock says when login sessions end.
func NewHub(clock func() time.Time) *Hub { return &Hub{clock: clock, subs: map[*subscriber]bool{}} }

// Run hands on what the store publishes until the channel is closed or ctx ends.
func (h *Hub) Run(ctx context.Context, events <-chan []models.Event) {
	for {
		select {
		case <-ctx.Done():
			return
		case list, ok := <-events:
			if !ok {
				return
			}
			h.publish(list)
		}
	}
}

// Publish hands an event of this process alone to the streams that it concerns.
func (h *Hub) Publish(e models.Event) { h.publish([]models.Event{e}) }

func (h *Hub) publish(events []models.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for s := range h.subs {
		s.hear(events)
	}
}

// Streams gives how many streams are open.
func (h *Hub) Streams() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.subs)
}

// Close ends every stream and takes no new one, so that the server can stop.
func (h *Hub) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for s := range h.subs {
		s.end()
	}
}

// subscribe adds a listener; false when the hub is closed.
func (h *Hub) subscribe(who Listener) (*subscriber, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, false
	}
	s := &subscriber{who: who, wake: make(chan struct{}, 1)}
	h.subs[s] = true
	return s, true
}

func (h *Hub) leave(s *subscriber) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.subs, s)
}

// subscriber gathers what its stream has not sent yet. It is a set and not a queue: however slow the reader is, it
// stays small and nothing is lost.
type subscriber struct {
	mu    sync.Mutex
	who   Listener
	wait  waiting
	wake  chan struct{} // one place: something is waiting
	ended bool
}

// waiting is what a stream has not sent yet.
type waiting struct {
	now      []models.ConversationID // open in the page, or the reader's own: sent at once
	lists    []models.ConversationID // others: sent at most once a second
	viewings []models.ConversationID // whose viewers have changed: sent at once
	accounts []models.AccountID
	sim      bool // the simulator has changed
	template bool // templates have changed
	resync   bool
}

func (s *subscriber) end() {
	s.mu.Lock()
	s.ended = true
	s.mu.Unlock()
	s.signal()
}

func (s *subscriber) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// hear notes the events that concern the listener.
func (s *subscriber) hear(events []models.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	noted := false
	for _, e := range events {
		if s.note(e) {
			noted = true
		}
	}
	if noted {
		s.signal()
	}
}

// note gathers one event and tells whether it concerns the listener.
func (s *subscriber) note(e models.Event) bool {
	switch e.Name {
	case models.EventConversation:
		return s.noteConversation(e)
	case models.EventViewing:
		if !slices.Contains(e.Users, s.who.User) || len(s.wait.viewings) == bound {
			return false
		}
		s.wait.viewings = add(s.wait.viewings, e.Conversation)
	case models.EventAccount:
		if s.who.Role != models.Administrator || s.who.Account != 0 && s.who.Account != e.Account {
			return false
		}
		s.wait.accounts = add(s.wait.accounts, e.Account)
	case models.EventSimulator:
		if s.who.Role != models.Administrator {
			return false
		}
		s.wait.sim = true
	case models.EventTemplate:
		if s.who.Role != models.Administrator && s.who.Role != models.Supervisor {
			return false
		}
		s.wait.template = true
	case models.EventResync:
		if len(e.Users) > 0 && !slices.Contains(e.Users, s.who.User) {
			return false
		}
		s.wait.resync = true
	case models.EventSignout:
		if !slices.Contains(e.Users, s.who.User) || e.Session != "" && e.Session != s.who.Session {
			return false
		}
		s.ended = true
	default:
		return false
	}
	return true
}

func (s *subscriber) noteConversation(e models.Event) bool {
	mine := slices.Contains(e.Users, s.who.User)
	if !mine && !s.who.Role.SeesAll() && !slices.ContainsFunc(e.Queues, func(q models.QueueID) bool { return slices.Contains(s.who.Queues, q) }) {
		return false
	}
	switch {
	case mine || e.Conversation == s.who.Conversation:
		s.wait.now = add(s.wait.now, e.Conversation)
	case len(s.wait.lists) < bound:
		s.wait.lists = add(s.wait.lists, e.Conversation)
	}
	if len(s.wait.now) > bound {
		s.wait.now, s.wait.lists, s.wait.resync = nil, nil, true
	}
	return true
}

func add[T comparable](list []T, x T) []T {
	if slices.Contains(list, x) {
		return list
	}
	return append(list, x)
}

// take empties what is waiting; what only changes lists stays unless lists is set. ended tells that the stream is over.
func (s *subscriber) take(lists bool) (w waiting, ended bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w = s.wait
	s.wait = waiting{}
	if !lists && !w.resync {
		s.wait.lists, w.lists = w.lists, nil
	}
	return w, s.ended
}

// become changes what the listener may hear.
func (s *subscriber) become(who Listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.who = who
}

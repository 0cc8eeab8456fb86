package live

import (
	"bufio"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kanal/models"
)

// page is a reader of a stream, as a browser is.
type page struct {
	t     *testing.T
	lines chan string
	stop  context.CancelFunc
}

func newHub(t *testing.T) *Hub {
	h := NewHub(time.Now)
	t.Cleanup(h.Close)
	return h
}

// open starts a server with one stream and reads its first ping.
func open(t *testing.T, h *Hub, who Listener, refresh Refresh) *page {
	t.Helper()
	if who.Expires.IsZero() {
		who.Expires = time.Now().Add(time.Hour)
	}
	if refresh == nil {
		refresh = func(context.Context) (Listener, error) { return who, nil }
	}
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := h.Serve(w, r, who, refresh); err != nil {
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	// Far shorter than the tests: a stream that keeps the server's limits would be cut.
	srv.Config.ReadTimeout, srv.Config.WriteTimeout = 300*time.Millisecond, 300*time.Millisecond
	srv.Start()
	ctx, stop := context.WithCancel(context.Background())
	t.Cleanup(func() { stop(); srv.Close() })
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, srv.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != http.StatusOK || res.Header.Get("X-Accel-Buffering") != "no" || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream") {
		t.Fatalf("answer %d %v", res.StatusCode, res.Header)
	}
	p := &page{t: t, lines: make(chan string, 100), stop: stop}
	go func() {
		defer close(p.lines)
		defer func() { _ = res.Body.Close() }()
		name := ""
		for sc := bufio.NewScanner(res.Body); sc.Scan(); {
			if v, ok := strings.CutPrefix(sc.Text(), "event: "); ok {
				name = v
			} else if v, ok := strings.CutPrefix(sc.Text(), "data: "); ok {
				p.lines <- name + " " + v
			}
		}
	}()
	p.want("ping 0")
	return p
}

// patience is how long a test waits for what must come: much longer than it takes on a machine that has other work, too.
const patience = 30 * time.Second

// next gives the next event, "" when the stream has ended.
func (p *page) next(within time.Duration) (string, bool) {
	select {
	case s := <-p.lines:
		return s, true
	case <-time.After(within):
		return "", false
	}
}

func (p *page) want(events ...string) {
	p.t.Helper()
	for _, e := range events {
		if got, ok := p.next(patience); !ok || got != e {
			p.t.Fatalf("got %q, want %q", got, e)
		}
	}
}

func (p *page) wantEnd() {
	p.t.Helper()
	if got, ok := p.next(patience); !ok || got != "" {
		p.t.Fatalf("got %q, want the end", got)
	}
}

func conversation(id models.ConversationID, queue models.QueueID, users ...models.UserID) models.Event {
	return models.Event{Name: models.EventConversation, Conversation: id, Queues: []models.QueueID{queue}, Users: users}
}

func TestWhoHears(t *testing.T) {
	for _, c := range []struct {
		name  string
		who   Listener
		event models.Event
		hears bool
	}{
		{"own", Listener{User: 1, Role: models.Agent}, conversation(7, 3, 1), true},
		{"own queue", Listener{User: 1, Role: models.Agent, Queues: []models.QueueID{3}}, conversation(7, 3), true},
		{"another's queue", Listener{User: 1, Role: models.Agent, Queues: []models.QueueID{4}}, conversation(7, 3, 2), false},
		{"open, but not theirs", Listener{User: 1, Role: models.Agent, Conversation: 7}, conversation(7, 3, 2), false},
		{"supervisor", Listener{User: 1, Role: models.Supervisor}, conversation(7, 3, 2), true},
		{"administrator", Listener{User: 1, Role: models.Administrator}, conversation(7, 3, 2), true},
		{"viewing", Listener{User: 1, Role: models.Agent}, models.Event{Name: models.EventViewing, Conversation: 7, Users: []models.UserID{1}}, true},
		{"another's viewing", Listener{User: 1, Role: models.Administrator}, models.Event{Name: models.EventViewing, Conversation: 7, Users: []models.UserID{2}}, false},
		{"account, agent", Listener{User: 1, Role: models.Agent}, models.Event{Name: models.EventAccount, Account: 5}, false},
		{"account, supervisor", Listener{User: 1, Role: models.Supervisor}, models.Event{Name: models.EventAccount, Account: 5}, false},
		{"account, administrator", Listener{User: 1, Role: models.Administrator}, models.Event{Name: models.EventAccount, Account: 5}, true},
		{"templates, agent", Listener{User: 1, Role: models.Agent}, models.Event{Name: models.EventTemplate, Account: 5}, false},
		{"templates, supervisor", Listener{User: 1, Role: models.Supervisor}, models.Event{Name: models.EventTemplate, Account: 5}, true},
		{"the account of the page", Listener{User: 1, Role: models.Administrator, Account: 5}, models.Event{Name: models.EventAccount, Account: 5}, true},
		{"another account", Listener{User: 1, Role: models.Administrator, Account: 6}, models.Event{Name: models.EventAccount, Account: 5}, false},
		{"resync", Listener{User: 1, Role: models.Agent}, models.Event{Name: models.EventResync}, true},
		{"another's resync", Listener{User: 1, Role: models.Agent}, models.Event{Name: models.EventResync, Users: []models.UserID{2}}, false},
		{"another's sign-out", Listener{User: 1, Role: models.Agent, Session: "a"}, models.Event{Name: models.EventSignout, Users: []models.UserID{2}, Session: "a"}, false},
		{"sign-out elsewhere", Listener{User: 1, Role: models.Agent, Session: "a"}, models.Event{Name: models.EventSignout, Users: []models.UserID{1}, Session: "b"}, false},
		{"sign-out", Listener{User: 1, Role: models.Agent, Session: "a"}, models.Event{Name: models.EventSignout, Users: []models.UserID{1}, Session: "a"}, true},
		{"unknown", Listener{User: 1, Role: models.Administrator}, models.Event{Name: "else"}, false},
	} {
		s := &subscriber{who: c.who, wake: make(chan struct{}, 1)}
		s.hear([]models.Event{c.event})
		if got := len(s.wake) == 1; got != c.hears {
			t.Errorf("%s: hears %v, want %v", c.name, got, c.hears)
		}
	}
}

func TestOpenAtOnceListsOnceASecond(t *testing.T) {
	h := newHub(t)
	p := open(t, h, Listener{User: 1, Role: models.Supervisor, Conversation: 7}, nil)
	began := time.Now()
	h.publish([]models.Event{conversation(8, 3)})
	p.want("conversation 8")
	for i := models.ConversationID(20); i < 23; i++ {
		h.publish([]models.Event{conversation(i, 3), conversation(i, 3)})
	}
	h.publish([]models.Event{conversation(7, 3), {Name: models.EventAccount, Account: 5}})
	p.want("conversation 7") // before those that were published before it
	var rest []string
	for range 3 {
		got, _ := p.next(patience)
		rest = append(rest, got)
	}
	slices.Sort(rest)
	if want := []string{"conversation 20", "conversation 21", "conversation 22"}; !slices.Equal(rest, want) {
		t.Fatalf("then %v, want %v", rest, want)
	}
	if d := time.Since(began); d < listEvery {
		t.Fatalf("the lists were sent again after %v", d)
	}
}

// A queue in which much happens must not make every page of its agents fetch everything: its list is fetched once a
// second, and what is the agent's own comes at once all the same.
func TestManyListsAreOneSet(t *testing.T) {
	s := &subscriber{who: Listener{User: 1, Role: models.Agent, Queues: []models.QueueID{3}}, wake: make(chan struct{}, 1)}
	for i := range 10 * bound {
		s.hear([]models.Event{conversation(models.ConversationID(i+1), 3)})
	}
	s.hear([]models.Event{conversation(9000, 3, 1)})
	w, _ := s.take(false)
	if w.resync || len(w.lists) > 0 || !slices.Equal(w.now, []models.ConversationID{9000}) {
		t.Fatalf("at once: %+v, want the agent's own and nothing else", w)
	}
	if w, _ = s.take(true); w.resync || len(w.lists) != bound {
		t.Fatalf("then: %+v, want %d conversations", w, bound)
	}
}

func TestSlowReaderGetsAResync(t *testing.T) {
	h := newHub(t)
	var refreshed atomic.Int32
	who := Listener{User: 1, Role: models.Agent, Expires: time.Now().Add(time.Hour)}
	p := open(t, h, who, func(context.Context) (Listener, error) { refreshed.Add(1); return who, nil })
	many := make([]models.Event, 0, bound+1)
	for i := range bound + 1 {
		many = append(many, conversation(models.ConversationID(i+1), 3, 1))
	}
	h.publish(many)
	p.want("resync 0")
	if n := refreshed.Load(); n != 2 {
		t.Fatalf("rights were read %d times, want 2", n)
	}
}

func TestStreamOutlivesTheServersLimits(t *testing.T) {
	h := newHub(t)
	p := open(t, h, Listener{User: 1, Role: models.Supervisor}, nil)
	if got, ok := p.next(time.Second); ok {
		t.Fatalf("got %q", got)
	}
	h.publish([]models.Event{conversation(7, 3)})
	p.want("conversation 7")
}

func TestStreamEnds(t *testing.T) {
	signedOut := errors.New("signed out")
	for name, end := range map[string]func(*Hub, *atomic.Bool){
		"sign-out": func(h *Hub, _ *atomic.Bool) {
			h.publish([]models.Event{{Name: models.EventSignout, Users: []models.UserID{1}, Session: "a"}})
		},
		"deactivated": func(h *Hub, _ *atomic.Bool) {
			h.publish([]models.Event{{Name: models.EventSignout, Users: []models.UserID{1}}})
		},
		"server stops": func(h *Hub, _ *atomic.Bool) { h.Close() },
		"lost its right": func(h *Hub, gone *atomic.Bool) {
			gone.Store(true)
			h.publish([]models.Event{{Name: models.EventResync}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHub(t)
			var gone atomic.Bool
			who := Listener{User: 1, Role: models.Agent, Session: "a", Expires: time.Now().Add(time.Hour)}
			p := open(t, h, who, func(context.Context) (Listener, error) {
				if gone.Load() {
					return who, signedOut
				}
				return who, nil
			})
			end(h, &gone)
			p.wantEnd()
			waitStreams(t, h, 0)
		})
	}
}

func TestStreamEndsWithTheLoginSession(t *testing.T) {
	p := open(t, newHub(t), Listener{User: 1, Role: models.Agent, Expires: time.Now().Add(200 * time.Millisecond)}, nil)
	p.wantEnd()
}

func TestPageThatLeavesIsForgotten(t *testing.T) {
	h := newHub(t)
	p := open(t, h, Listener{User: 1, Role: models.Agent}, nil)
	waitStreams(t, h, 1)
	p.stop()
	waitStreams(t, h, 0)
}

func TestNothingIsWrittenWhenRefused(t *testing.T) {
	h := newHub(t)
	req := httptest.NewRequest(http.MethodGet, "/events", nil)
	refused := errors.New("no")
	w := httptest.NewRecorder()
	err := h.Serve(w, req, Listener{}, func(context.Context) (Listener, error) { return Listener{}, refused })
	if !errors.Is(err, refused) || w.Body.Len() > 0 || h.Streams() != 0 {
		t.Fatalf("%v, %d bytes, %d streams", err, w.Body.Len(), h.Streams())
	}
	h.Close()
	if err := h.Serve(w, req, Listener{}, nil); !errors.Is(err, ErrClosed) {
		t.Fatal(err)
	}
}

// What changes between the first look at the rights and the answer is not missed.
func TestSignOutWhileOpening(t *testing.T) {
	h := newHub(t)
	who := Listener{User: 1, Role: models.Agent, Session: "a", Expires: time.Now().Add(time.Hour)}
	w := httptest.NewRecorder()
	err := h.Serve(w, httptest.NewRequest(http.MethodGet, "/events", nil), who, func(context.Context) (Listener, error) {
		h.publish([]models.Event{{Name: models.EventSignout, Users: []models.UserID{1}, Session: "a"}})
		return who, nil
	})
	if err != nil || !strings.HasPrefix(w.Body.String(), "event: ping") {
		t.Fatal(err, w.Body.String())
	}
}

func waitStreams(t *testing.T, h *Hub, n int) {
	t.Helper()
	for end := time.Now().Add(patience); h.Streams() != n; {
		if time.Now().After(end) {
			t.Fatalf("%d streams, want %d", h.Streams(), n)
		}
		time.Sleep(time.Millisecond)
	}
}

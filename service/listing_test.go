package service_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kanal/models"
	"kanal/service"
	"kanal/store"
	"kanal/store/storetest"
	"kanal/twilio"
)

// longList stands in for Twilio's list of messages: one in so many is a message to a number, and the others, which fill its
// pages as well, are none that anybody looks for.
type longList struct {
	to       string // the number
	begin    time.Time
	length   int
	every    time.Duration
	messages map[int]string // bodies of those to the number
	hold     chan struct{}  // each first page waits for it, unless it is nil
	lists    atomic.Int32   // first pages that were asked for
}

// ServeHTTP answers with a page, the newest first, of the messages between two moments, which have whole seconds.
func (l *longList) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	page, _ := strconv.Atoi(q.Get("Page"))
	size, _ := strconv.Atoi(q.Get("PageSize"))
	if page == 0 {
		l.lists.Add(1)
		if l.hold != nil {
			<-l.hold
		}
	}
	length := l.length
	if q.Get("To") != "whatsapp:"+l.to {
		length = 0
	}
	after, _ := time.Parse(time.RFC3339, q.Get("DateSent>"))
	before, err := time.Parse(time.RFC3339, q.Get("DateSent<"))
	rows, skip := []map[string]any{}, page*size
	for i := length - 1; i >= 0 && len(rows) <= size; i-- {
		at := l.begin.Add(time.Duration(i) * l.every).Truncate(time.Second)
		if at.Before(after) || err == nil && at.After(before) {
			continue
		}
		if skip--; skip < 0 {
			rows = append(rows, l.row(i, at))
		}
	}
	answer := map[string]any{"messages": rows[:min(size, len(rows))]}
	if len(rows) > size {
		q.Set("Page", strconv.Itoa(page+1))
		q.Set("PageToken", "PA"+strconv.Itoa(page))
		answer["next_page_uri"] = r.URL.Path + "?" + q.Encode()
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer)
}

func (l *longList) row(i int, at time.Time) map[string]any {
	direction := "outbound-api"
	if l.messages[i] != "" {
		direction = "inbound"
	}
	return map[string]any{
		"sid": sid(i), "direction": direction, "from": customer, "to": "whatsapp:" + l.to, "body": l.messages[i], "num_media": "0",
		"status": "received", "date_sent": at.UTC().Format(time.RFC1123Z), "date_created": at.UTC().Format(time.RFC1123Z),
	}
}

// lists gives an instance for which a long list is Twilio.
func (c *center) lists(l *longList) *service.Service {
	c.t.Helper()
	server := httptest.NewServer(l)
	c.t.Cleanup(server.Close)
	base, _ := url.Parse(server.URL)
	public, _ := url.Parse(c.hooks.URL)
	s, err := service.New(ctx, service.Options{
		Store: c.store, Twilio: twilio.New(twilio.Options{SimulatorBase: base, IsSimulated: c.sim.Has}), PublicURL: public, Log: storetest.Log(c.t),
		IsSimulated: c.sim.Has,
	})
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(s.Close)
	return s
}

// What is too much for one listing is listed in halves, the older one first: nothing is left out, and all is in order.
func TestListingTooMuchAtOnce(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		l := &longList{to: number, begin: clock.Now(), length: 25_000, every: 140 * time.Millisecond, messages: map[int]string{}}
		var want []string
		for i := 0; i < l.length; i += 2_000 {
			l.messages[i] = fmt.Sprint("message ", i)
			want = append(want, l.messages[i])
		}
		clock.Advance(time.Hour)
		if err := c.lists(l).CatchUp(ctx, models.CatchUp{Account: c.account.ID}); err != nil {
			t.Fatal(err)
		}
		if got := c.thread(); got != strings.Join(want, " ") {
			t.Errorf("%s", got)
		}
		if n := l.lists.Load(); n != 3 {
			t.Errorf("%d listings: one is too much, two are its halves", n)
		}
		if at := c.caughtUpAt(); !at.Equal(clock.Now()) {
			t.Errorf("the mark is at %s", at)
		}
	})
}

// While an account lists nobody lists for it beside that: what is asked meanwhile is done when the first is.
func TestOneListingAtATime(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		l := &longList{to: number, begin: clock.Now(), length: 1, every: time.Second, messages: map[int]string{0: "once"}, hold: make(chan struct{})}
		s := c.lists(l)
		clock.Advance(time.Hour)
		first := make(chan error, 1)
		go func() { first <- s.CatchUp(ctx, models.CatchUp{Account: c.account.ID}) }()
		c.until("Twilio is asked", func() bool { return l.lists.Load() == 1 })
		was := c.jobsLeft()
		clock.Advance(time.Minute)
		for range 2 {
			if err := s.CatchUp(ctx, models.CatchUp{Account: c.account.ID, Asked: clock.Now().UnixMicro()}); err != nil {
				t.Error(err)
			}
		}
		if n := c.jobsLeft() - was; n != 0 || l.lists.Load() != 1 {
			t.Errorf("beside the first: %d listings, %d jobs", l.lists.Load(), n)
		}
		close(l.hold)
		if err := <-first; err != nil {
			t.Error(err)
		}
		if n := c.jobsLeft() - was; n != 1 || c.thread() != "once" {
			t.Errorf("when the first is done: %d jobs, %s", n, c.thread())
		}
		if err := s.CatchUp(ctx, models.CatchUp{Account: c.account.ID, Asked: clock.Now().UnixMicro()}); err != nil || l.lists.Load() != 2 {
			t.Errorf("the other one: %v, %d listings", err, l.lists.Load())
		}
	})
}

// A number takes nothing in from before it was added.
func TestNumberHasNoHistory(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		l := &longList{to: "+4721000041", begin: clock.Now(), length: 2, every: 40 * time.Minute, messages: map[int]string{0: "before", 1: "after"}}
		clock.Advance(30 * time.Minute)
		c.must(c.store.InTx(ctx, func(tx *store.Tx) error {
			return tx.InsertNumber(ctx, &models.Number{AccountID: c.account.ID, Name: "Second", Address: l.to, Version: 1, CreatedAt: tx.Now(), UpdatedAt: tx.Now()})
		}))
		clock.Advance(time.Hour)
		c.must(c.lists(l).CatchUp(ctx, models.CatchUp{Account: c.account.ID}))
		if got := c.thread(); got != "after" || l.lists.Load() != 2 {
			t.Errorf("%s, after %d listings", got, l.lists.Load())
		}
	})
}

// An account that Twilio refuses does not list: it does when Twilio accepts it again.
func TestStoppedAccountDoesNotList(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		l := &longList{to: number, begin: clock.Now(), length: 1, every: time.Second, messages: map[int]string{0: "meanwhile"}}
		clock.Advance(time.Hour)
		stop := func(tx *store.Tx) error {
			_, err := tx.StopAccount(ctx, c.account.ID, twilio.CodeUnauthorized)
			return err
		}
		resume := func(tx *store.Tx) error { _, err := tx.ResumeAccount(ctx, c.account.ID); return err }
		s := c.lists(l)
		for _, tt := range []struct {
			do   func(*store.Tx) error
			want int32
		}{{stop, 0}, {resume, 1}} {
			c.must(c.store.InTx(ctx, tt.do))
			c.must(s.CatchUp(ctx, models.CatchUp{Account: c.account.ID}))
			if n := l.lists.Load(); n != tt.want {
				t.Errorf("%d listings, want %d", n, tt.want)
			}
		}
	})
}

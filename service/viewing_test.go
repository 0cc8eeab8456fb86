package service_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"kanal/models"
	"kanal/service"
	"kanal/store"
	"kanal/store/storetest"
)

// hears gives the names of the events that are published, once whoever listens hears all instances.
func (c *center) hears() func(what string, f func()) []models.Event {
	c.t.Helper()
	events, cancel := c.store.Subscribe()
	listen, stop := context.WithCancel(ctx)
	var listening sync.WaitGroup
	listening.Go(func() { c.store.Listen(listen) })
	c.t.Cleanup(func() { stop(); listening.Wait(); cancel() })
	if c.store.Dialect() == store.Postgres {
		<-events // it listens from here on
	}
	return func(what string, f func()) (heard []models.Event) {
		c.t.Helper()
		f()
		mark := models.Event{Name: what}
		if err := c.store.InTx(ctx, func(tx *store.Tx) error { tx.Publish(mark); return nil }); err != nil {
			c.t.Fatal(err)
		}
		for {
			select {
			case list := <-events:
				for _, e := range list {
					if e.Name == what {
						return heard
					}
					heard = append(heard, e)
				}
			case <-time.After(10 * time.Second):
				c.t.Fatal("no event")
			}
		}
	}
}

// Who looks and who writes is told to those who look too, and only when it changes; a beat that says nothing new writes
// nothing.
func TestViewing(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		id := c.quiet()
		row := c.only()
		bo, eva := c.colleague("Bo"), c.colleague("Eva")
		hears := c.hears()
		seenAt := func(v models.Viewer) (at time.Time) {
			vs, err := c.store.Viewings(ctx, row.Conversation, time.Time{})
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range vs {
				if w.UserID == v.User {
					at = w.SeenAt
				}
			}
			return at
		}
		type step struct {
			name  string
			after time.Duration
			who   models.Viewer
			beat  service.Beat
			sees  string
			told  []models.UserID
			write bool
		}
		for _, s := range []step{
			{"the first is alone", 0, bo, service.Beat{}, "", nil, true},
			{"at once again", time.Second, bo, service.Beat{}, "", nil, false},
			{"the second", 0, eva, service.Beat{}, "Bo", []models.UserID{bo.User}, true},
			{"she writes", time.Second, eva, service.Beat{Typing: true}, "Bo", []models.UserID{bo.User}, true},
			{"she goes on", time.Second, eva, service.Beat{Typing: true}, "Bo", nil, false},
			{"he looks again", 18 * time.Second, bo, service.Beat{}, "Eva*", nil, true},
			{"she still writes", 0, eva, service.Beat{Typing: true}, "Bo", nil, true},
			{"she looks", time.Second, eva, service.Beat{}, "Bo", []models.UserID{bo.User}, true},
			{"he goes", time.Second, bo, service.Beat{Leaves: true}, "Eva", []models.UserID{eva.User}, true},
			{"twice", time.Second, bo, service.Beat{Leaves: true}, "Eva", nil, false},
			{"back when she is gone", 46 * time.Second, bo, service.Beat{}, "", nil, true},
			{"and she again", 0, eva, service.Beat{}, "Bo", []models.UserID{bo.User}, true},
		} {
			clock.Advance(s.after)
			before := seenAt(s.who)
			heard := hears(s.name, func() {
				others, err := c.service.View(ctx, s.who, id, s.beat)
				if err != nil {
					t.Fatal(err)
				}
				sees := ""
				for _, w := range others {
					if sees += w.UserName; w.Typing() {
						sees += "*"
					}
				}
				if sees != s.sees {
					t.Errorf("%s: sees %q, want %q", s.name, sees, s.sees)
				}
			})
			var told []models.UserID
			for _, e := range heard {
				if e.Name != models.EventViewing || e.Conversation != id {
					t.Errorf("%s: %+v", s.name, e)
				}
				told = append(told, e.Users...)
			}
			if wrote := seenAt(s.who) != before; !slices.Equal(told, s.told) || wrote != s.write {
				t.Errorf("%s: told %v, wrote %v", s.name, told, wrote)
			}
		}
		clock.Advance(models.ViewingLasts + time.Second)
		if err := c.service.Housekeeping(ctx); err != nil || !seenAt(bo).IsZero() || !seenAt(eva).IsZero() {
			t.Error("old rows stay:", err)
		}
	})
}

func TestViewingIsForThoseWhoMaySee(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		id := c.quiet()
		for name, v := range map[string]models.Viewer{"nobody": {Role: models.Agent}, "an agent of no queue": {User: 999, Role: models.Agent}} {
			if _, err := c.service.View(ctx, v, id, service.Beat{}); !errors.Is(err, models.ErrNotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := c.service.View(ctx, c.agent, id+1, service.Beat{}); !errors.Is(err, models.ErrNotFound) {
			t.Error(err)
		}
		if vs, err := c.store.Viewings(ctx, c.only().Conversation, time.Time{}); err != nil || len(vs) != 0 {
			t.Error(vs, err)
		}
	})
}

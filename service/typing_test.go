package service_test

import (
	"strings"
	"testing"
	"time"

	"kanal/models"
	"kanal/service"
	"kanal/store/storetest"
)

// shown counts how often Twilio was asked to show that somebody is answering, and how often it did.
func (c *center) shown() (asked, did int) {
	for _, e := range c.sim.Ledger(c.sid) {
		if e.What == "typing" {
			if asked++; e.Status == 200 {
				did++
			}
		}
	}
	return asked, did
}

// Typing is shown once in twenty seconds, however many write, only while somebody does and the window is open; it marks
// what the customer wrote as read.
func TestCustomerSeesTyping(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		id := c.quiet()
		bo := c.colleague("Bo")
		beat := func(v models.Viewer, typing bool) {
			t.Helper()
			if _, err := c.service.View(ctx, v, id, service.Beat{Typing: typing}); err != nil {
				t.Fatal(err)
			}
		}
		jobs := func() int {
			n, err := c.store.CountJobs(ctx)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		before, was := jobs(), c.only().Version
		for _, s := range []struct {
			name   string
			after  time.Duration
			who    models.Viewer
			typing bool
			jobs   int
		}{
			{"looks", 0, c.agent, false, 0},
			{"writes", time.Second, c.agent, true, 1},
			{"stops", time.Second, c.agent, false, 1},
			{"writes again", time.Second, c.agent, true, 1},
			{"another too", time.Second, bo, true, 1},
			{"still", 17 * time.Second, c.agent, true, 2},
		} {
			clock.Advance(s.after)
			if beat(s.who, s.typing); jobs()-before != s.jobs {
				t.Errorf("%s: %d jobs, want %d", s.name, jobs()-before, s.jobs)
			}
		}
		show := func(name string, asked int) {
			t.Helper()
			if err := c.service.ShowTyping(ctx, id); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if n, _ := c.shown(); n != asked {
				t.Errorf("%s: asked %d times, want %d", name, n, asked)
			}
		}
		show("somebody writes", 1)
		if _, did := c.shown(); did != 1 || !c.sim.Typing(c.sid, c.customer(0), number) || !c.sim.Thread(c.sid, c.customer(0), number)[0].Seen {
			t.Error("the phone shows nothing")
		}
		if row := c.only(); row.Rev != 1 || row.Version != was {
			t.Errorf("the conversation has changed: rev %d, version %d", row.Rev, row.Version)
		}
		c.reply(id, "k", "svar")
		c.send(id)
		if c.sim.Typing(c.sid, c.customer(0), number) {
			t.Error("it shows after the answer")
		}
		beat(c.agent, false)
		beat(bo, false)
		show("nobody writes", 1)
		beat(bo, true)
		c.sim.SetSuspended(c.sid, true)
		show("Twilio refuses: nobody is told", 2)
		c.sim.SetSuspended(c.sid, false)
		clock.Advance(24 * time.Hour)
		beat(bo, true)
		show("the window is closed", 2)
	})
}

func TestTypingIsHidden(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		id := c.quiet()
		a, err := c.store.Account(ctx, c.account.ID)
		if err != nil {
			t.Fatal(err)
		}
		in := service.ChannelDetails{Name: a.Name, Channel: a.Channel, Typing: false}
		if err := c.service.SaveChannelDetails(ctx, models.Viewer{User: c.agent.User, Role: models.Administrator}, a.ID, in, service.Edit{Version: a.Version}); err != nil {
			t.Fatal(err)
		}
		before, err := c.store.CountJobs(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.service.View(ctx, c.agent, id, service.Beat{Typing: true}); err != nil {
			t.Fatal(err)
		}
		if err := c.service.ShowTyping(ctx, id); err != nil {
			t.Fatal(err)
		}
		if n, _ := c.shown(); n != 0 {
			t.Error("asked all the same")
		}
		if after, err := c.store.CountJobs(ctx); err != nil || after != before {
			t.Error("a job for nothing:", before, after, err)
		}
		if rows, err := c.store.Audits(ctx, 1); err != nil || len(rows) != 1 || !strings.Contains(rows[0].Details, `"hide_typing":[false,true]`) {
			t.Errorf("audit: %+v %v", rows, err)
		}
	})
}

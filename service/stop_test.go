package service_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kanal/models"
	"kanal/store"
	"kanal/store/storetest"
	"kanal/twilio"
	"kanal/twilio/simulator"
)

// Twilio refuses the account itself: nothing fails, nothing is tried over and over, and what waited goes out when the
// account is accepted again.
func TestRefusedAccountWaits(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		id := c.quiet()
		c.sim.AddSecondaryToken(c.sid)
		c.sim.PromoteToken(c.sid)
		first, second := c.reply(id, "k1", "one"), c.reply(id, "k2", "two")
		c.send(id)
		c.send(id)
		if m := c.message(first.ID); m.State != models.Queued || m.Attempt != 1 {
			t.Errorf("the first is %s after %d attempts", m.State, m.Attempt)
		}
		if m := c.message(second.ID); m.State != models.Queued || m.Attempt != 0 {
			t.Errorf("the second is %s after %d attempts", m.State, m.Attempt)
		}
		stopped := c.service.Stopped()
		if len(stopped) != 1 || stopped[0].StoppedCode != twilio.CodeUnauthorized {
			t.Fatalf("%+v", stopped)
		}
		// Not yet: somebody has to mend it, or time has to pass.
		c.must(c.service.Housekeeping(ctx))
		if c.creates() != 0 || len(c.service.Stopped()) != 1 {
			t.Errorf("%d messages went out", c.creates())
		}
		a, _ := c.sim.Account(c.sid)
		token := models.Secret(a.Token)
		c.must(c.service.BeginRotation(ctx, boss, c.account.ID, token, c.version()))
		if len(c.service.Stopped()) != 0 {
			t.Error("it has not resumed")
		}
		c.startJobs()
		c.until("both are with Twilio", func() bool { return c.message(second.ID).ProviderSID != nil })
		if n := c.creates(); n != 2 {
			t.Errorf("%d messages at Twilio", n)
		}
	})
}

// An account that was suspended and is mended at Twilio sends again by itself: Twilio is asked every five minutes.
func TestSuspendedAccountResumesByItself(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		id := c.quiet()
		c.sim.SetSuspended(c.sid, true)
		m := c.reply(id, "k", "one")
		c.send(id)
		if list := c.service.Stopped(); len(list) != 1 || list[0].StoppedCode != twilio.CodeSuspended {
			t.Fatalf("%+v", list)
		}
		for _, at := range []struct {
			minute    time.Duration
			suspended bool
			stopped   int
		}{
			{4, false, 1}, // it is mended, and nobody has asked yet
			{6, true, 1},  // it was asked too late to see that
			{10, false, 1},
			{12, false, 0},
		} {
			c.sim.SetSuspended(c.sid, at.suspended)
			clock.Advance(at.minute*time.Minute - clock.Now().Sub(m.CreatedAt))
			c.must(c.service.Housekeeping(ctx))
			c.must(c.service.Reload(ctx))
			if n := len(c.service.Stopped()); n != at.stopped {
				t.Fatalf("after %d minutes %d accounts have stopped", at.minute, n)
			}
		}
		c.send(id)
		if got := c.message(m.ID); got.ProviderSID == nil {
			t.Errorf("it is %s", got.State)
		}
	})
}

// The jobs of what waited are done by the time the account is accepted: resuming enters others, and one that fetches what
// could not be listed meanwhile. They go on though the directory has not heard of it yet. Every instance is told of the stop
// and of its end.
func TestResumedAccountGoesOn(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		id := c.quiet()
		c.must(c.store.InTx(ctx, func(tx *store.Tx) error {
			a, err := tx.Account(ctx, c.account.ID)
			a.Simulated = false
			return errors.Join(err, tx.SaveAccount(ctx, &a))
		}))
		c.must(c.service.Reload(ctx))
		told := c.listens()
		c.startJobs()
		c.sim.SetSuspended(c.sid, true)
		m := c.reply(id, "k", "one")
		told(models.EventAccount)
		c.until("no job is left", func() bool { return c.jobsLeft() == 0 })
		c.unheard(0, "meanwhile", "")
		c.sim.SetSuspended(c.sid, false)
		clock.Advance(6 * time.Minute)
		c.must(c.service.Housekeeping(ctx))
		told(models.EventAccount)
		c.until("it is with Twilio", func() bool { return c.message(m.ID).ProviderSID != nil })
		c.until("what came meanwhile is here", func() bool { return strings.Contains(c.thread(), "meanwhile") })
		if len(c.service.Stopped()) != 1 {
			t.Error("the directory was read: this does not show what it should")
		}
		c.stopJobs()
		was := c.jobsLeft()
		if _, err := c.service.CheckAccount(ctx, boss, c.account.ID); err != nil || c.jobsLeft() != was {
			t.Errorf("looking at an account that sends has entered %d jobs: %v", c.jobsLeft()-was, err)
		}
	})
}

// listens hears events as an instance does. What it gives waits for one of a name.
func (c *center) listens() func(name string) {
	c.t.Helper()
	listening, stop := context.WithCancel(ctx)
	events, leave := c.store.Subscribe()
	var listener sync.WaitGroup
	listener.Go(func() { c.store.Listen(listening) })
	c.t.Cleanup(func() { stop(); listener.Wait(); leave() })
	wait := func(name string) {
		c.t.Helper()
		late := time.After(30 * time.Second)
		for {
			select {
			case list := <-events:
				if slices.ContainsFunc(list, func(e models.Event) bool { return e.Name == name }) {
					return
				}
			case <-late:
				c.t.Fatalf("%s was not heard", name)
			}
		}
	}
	if c.store.Dialect() == store.Postgres {
		wait(models.EventResync) // it listens
	}
	return wait
}

// Too many requests were not processed: the message goes again later, and once.
func TestTooManyRequests(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		id := c.quiet()
		c.sim.Fail(c.sid, simulator.FaultTooMany)
		m := c.reply(id, "k", "one")
		c.send(id)
		if got := c.message(m.ID); got.State != models.Queued || got.ErrorCode != 0 {
			t.Fatalf("%s, code %d", got.State, got.ErrorCode)
		}
		c.send(id)
		if c.creates() != 0 {
			t.Error("it did not wait")
		}
		clock.Advance(time.Minute)
		c.send(id)
		if got := c.message(m.ID); got.State != models.Accepted || got.Attempt != 2 || c.creates() != 1 {
			t.Errorf("%s, attempt %d, %d creates", got.State, got.Attempt, c.creates())
		}
	})
}

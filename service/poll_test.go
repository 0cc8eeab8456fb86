package service_test

import (
	"errors"
	"net/url"
	"slices"
	"testing"
	"time"

	"kanal/models"
	"kanal/service"
	"kanal/store"
	"kanal/store/storetest"
	"kanal/twilio"
	"kanal/twilio/simulator"
)

// No report comes: Twilio is asked, less and less often, until the state is final.
func TestSilentMessageIsAskedFor(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		id := c.quiet()
		m := c.reply(id, "k", "one")
		c.send(id)
		sid := *c.message(m.ID).ProviderSID
		c.sim.SetChaos(c.sid, simulator.Chaos{Rates: map[simulator.Fault]float64{simulator.FaultStatusLost: 1}})
		asks := func(after time.Duration, want models.MessageState) {
			t.Helper()
			clock.Advance(after)
			c.must(c.service.PollMessages(ctx))
			if got := c.message(m.ID); got.State != want {
				t.Errorf("it is %s, want %s", got.State, want)
			}
		}
		c.sim.Report(c.sid, sid, "sent", 0)
		asks(time.Minute, models.Accepted) // too early
		asks(time.Minute, models.Sent)
		c.sim.Report(c.sid, sid, "undelivered", 63024)
		asks(time.Minute, models.Sent)
		asks(time.Minute, models.Undelivered)
		got := c.message(m.ID)
		if got.ErrorCode != 63024 || got.PollAt != nil {
			t.Errorf("code %d, asked again at %v", got.ErrorCode, got.PollAt)
		}
		reports, err := c.store.Reports(ctx, got)
		if err != nil || len(reports) != 2 || reports[1].Kind != models.EventKindPoll || reports[1].Status != "undelivered" {
			t.Errorf("%+v, %v", reports, err)
		}
	})
}

// Nothing ever becomes of it: the asking ends.
func TestAskingEnds(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		id := c.quiet()
		m := c.reply(id, "k", "one")
		c.send(id)
		asked := 0
		for ; c.message(m.ID).PollAt != nil; asked++ {
			clock.Advance(c.message(m.ID).PollAt.Sub(clock.Now()))
			c.must(c.service.PollMessages(ctx))
			if asked > 10 {
				t.Fatal("it does not end")
			}
		}
		if asked != 6 || c.message(m.ID).State != models.Accepted {
			t.Errorf("asked %d times, it is %s", asked, c.message(m.ID).State)
		}
		if reports, err := c.store.Reports(ctx, m); err != nil || len(reports) != 0 {
			t.Errorf("%d reports of what has not changed, %v", len(reports), err)
		}
	})
}

// Every attempt is asked for like the first one, whoever made it and however often Twilio was asked before.
func TestEveryAttemptIsAskedForAlike(t *testing.T) {
	for name, again := range map[string]func(*center, *storetest.Clock, models.MessageID){
		"by itself": func(c *center, clock *storetest.Clock, id models.MessageID) {
			c.undelivered(id, passing)
			clock.Advance(time.Minute)
		},
		"by hand": func(c *center, _ *storetest.Clock, id models.MessageID) {
			c.undelivered(id, 63024)
			_, err := c.service.Retry(ctx, c.agent, id)
			c.must(err)
		},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
				id := c.quiet()
				m := c.reply(id, "k", "one")
				c.send(id)
				asked := func(most int) (after []time.Duration) {
					for got := c.message(m.ID); got.PollAt != nil && len(after) < most; got = c.message(m.ID) {
						after = append(after, got.PollAt.Sub(clock.Now()))
						clock.Advance(got.PollAt.Sub(clock.Now()))
						c.must(c.service.PollMessages(ctx))
					}
					return after
				}
				first := asked(4)
				again(c, clock, m.ID)
				c.send(id)
				if second := asked(4); len(first) != 4 || !slices.Equal(first, second) {
					t.Errorf("the first attempt was asked for after %s, the second one after %s", first, second)
				}
			})
		})
	}
}

// What Twilio said of an attempt does not count for the one that was made while it was asked.
func TestAskingIsOvertakenByAnotherAttempt(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		id := c.quiet()
		m := c.reply(id, "k", "one")
		c.send(id)
		asked := c.message(m.ID)
		c.undelivered(m.ID, passing)
		clock.Advance(time.Minute)
		c.send(id)
		want := c.message(m.ID)
		c.must(c.store.InTx(ctx, func(tx *store.Tx) error {
			return errors.Join(tx.SetPoll(ctx, asked, nil), tx.CountPoll(ctx, asked, nil))
		}))
		if got := c.message(m.ID); got.PollAt == nil || !got.PollAt.Equal(*want.PollAt) || got.Polls != 0 || got.Attempt != 2 {
			t.Errorf("asked %d times, again at %v: %+v", got.Polls, got.PollAt, got)
		}
	})
}

// Twilio is not asked for an account that it refuses; afterwards it is.
func TestStoppedAccountIsNotAsked(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		id := c.quiet()
		m := c.reply(id, "k", "one")
		c.send(id)
		c.sim.SetChaos(c.sid, simulator.Chaos{Rates: map[simulator.Fault]float64{simulator.FaultStatusLost: 1}})
		c.sim.Report(c.sid, *c.message(m.ID).ProviderSID, "delivered", 0)
		stop := func(tx *store.Tx) error {
			_, err := tx.StopAccount(ctx, c.account.ID, twilio.CodeUnauthorized)
			return err
		}
		resume := func(tx *store.Tx) error { _, err := tx.ResumeAccount(ctx, c.account.ID); return err }
		for i, do := range []func(*store.Tx) error{stop, resume} {
			c.must(c.store.InTx(ctx, do))
			c.must(c.service.Reload(ctx))
			clock.Advance([]time.Duration{2 * time.Minute, 5 * time.Minute}[i])
			c.must(c.service.PollMessages(ctx))
			got := c.message(m.ID)
			if asked := got.State == models.Delivered; asked != (i == 1) || asked == (got.PollAt != nil) || !asked && got.Polls != 0 {
				t.Fatalf("it is %s after %d polls, asked again at %v", got.State, got.Polls, got.PollAt)
			}
		}
	})
}

// What Twilio does not know is not asked for again; while it does not answer, it is asked later.
func TestAskingWithoutAnAnswer(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		id := c.quiet()
		m := c.reply(id, "k", "one")
		c.send(id)
		clock.Advance(2 * time.Minute)
		gone := twilio.New(twilio.Options{Base: &url.URL{Scheme: "http", Host: "127.0.0.1:1"}})
		other, err := service.New(ctx, service.Options{Store: c.store, Twilio: gone, PublicURL: &url.URL{}, IsSimulated: c.sim.Has})
		c.must(err)
		defer other.Close()
		c.must(other.PollMessages(ctx))
		if got := c.message(m.ID); got.State != models.Accepted || got.PollAt == nil || got.PollAt.Sub(clock.Now()) != 5*time.Minute {
			t.Fatalf("it is %s, asked again at %v", got.State, got.PollAt)
		}
		c.sim.Reset(c.sid)
		clock.Advance(5 * time.Minute)
		c.must(c.service.PollMessages(ctx))
		if got := c.message(m.ID); got.State != models.Accepted || got.PollAt != nil {
			t.Errorf("it is %s, asked again at %v", got.State, got.PollAt)
		}
	})
}

// Reports come early, late, doubled, and before anybody knows whose they are. A message moves forward only.
func TestReportsOfEveryOrder(t *testing.T) {
	orphan := func(c *center, sid, status string) error {
		form := url.Values{"MessageSid": {sid}, "MessageStatus": {status}, "AccountSid": {c.sid}}
		return c.service.Keep(ctx, service.HookStatus, c.call(form))
	}
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		id := c.quiet()
		m := c.reply(id, "k", "one")
		for _, when := range []struct {
			what string
			do   func() error
			want models.MessageState
		}{
			{"orphan", func() error { return orphan(c, "SM00000000000000000000000000000001", "delivered") }, models.Queued},
			{"early", func() error { c.send(id); return nil }, models.Accepted},
			{"sent", func() error { return c.status(m, 1, *c.message(m.ID).ProviderSID, "sent", "") }, models.Sent},
			{"doubled", func() error { return c.status(m, 1, *c.message(m.ID).ProviderSID, "sent", "") }, models.Sent},
			{"read before delivered", func() error { return c.status(m, 1, *c.message(m.ID).ProviderSID, "read", "") }, models.Read},
			{"late", func() error { return c.status(m, 1, *c.message(m.ID).ProviderSID, "delivered", "") }, models.Read},
			{"failed after read", func() error { return c.status(m, 1, *c.message(m.ID).ProviderSID, "failed", "63024") }, models.Read},
		} {
			c.must(when.do())
			if got := c.message(m.ID); got.State != when.want || got.ErrorCode != 0 {
				t.Errorf("%s: it is %s, code %d", when.what, got.State, got.ErrorCode)
			}
		}
	})
}

// A report without our ids comes before Twilio's answer is stored. It is given to the message once its sid is known.
func TestOrphanReportIsMatched(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		id := c.quiet()
		c.sim.Fail(c.sid, simulator.FaultCommitDrop)
		m := c.reply(id, "k", "one")
		c.send(id)
		created := c.sim.Thread(c.sid, c.customer(0), number)[1].SID
		form := url.Values{"MessageSid": {created}, "MessageStatus": {"delivered"}, "AccountSid": {c.sid}}
		c.must(c.service.Keep(ctx, service.HookStatus, c.call(form)))
		c.must(c.service.Housekeeping(ctx))
		if got := c.message(m.ID); got.State != models.Uncertain {
			t.Fatalf("it is %s", got.State)
		}
		clock.Advance(14 * time.Minute)
		c.settle(m.ID)
		c.must(c.service.Housekeeping(ctx))
		if got := c.message(m.ID); got.State != models.Delivered {
			t.Errorf("it is %s", got.State)
		}
		reports, err := c.store.Reports(ctx, c.message(m.ID))
		if err != nil || len(reports) != 1 {
			t.Errorf("%d reports, %v", len(reports), err)
		}
	})
}

package service_test

import (
	"testing"
	"time"

	"kanal/models"
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

// An account that was suspended and is mended at Twilio sends again by itself.
func TestSuspendedAccountResumesByItself(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		id := c.quiet()
		c.sim.SetSuspended(c.sid, true)
		m := c.reply(id, "k", "one")
		c.send(id)
		if list := c.service.Stopped(); len(list) != 1 || list[0].StoppedCode != twilio.CodeSuspended {
			t.Fatalf("%+v", list)
		}
		c.sim.SetSuspended(c.sid, false)
		clock.Advance(6 * time.Minute)
		c.must(c.service.Housekeeping(ctx))
		c.must(c.service.Reload(ctx))
		c.send(id)
		if got := c.message(m.ID); got.ProviderSID == nil {
			t.Errorf("it is %s", got.State)
		}
	})
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

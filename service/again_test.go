package service_test

import (
	"context"
	"fmt"
	"net/url"
	"testing"
	"time"

	"kanal/models"
	"kanal/service"
	"kanal/store/storetest"
	"kanal/twilio"
	"kanal/twilio/simulator"
)

const passing = 63012 // a temporary problem of WhatsApp's

// undelivered reports that the newest attempt of a message was not delivered.
func (c *center) undelivered(id models.MessageID, code int) models.Message {
	c.t.Helper()
	m := c.message(id)
	c.must(c.status(m, m.Attempt, *m.ProviderSID, "undelivered", fmt.Sprint(code)))
	return c.message(id)
}

// A message that a temporary problem has stopped is sent again after one, five and fifteen minutes; what follows does not
// wait for it. Reports that come twice, and those of old attempts, change nothing.
func TestTemporaryFailureIsTriedAgain(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		id := c.quiet()
		m := c.reply(id, "k", "first")
		c.send(id)
		sent := 1
		for i, pause := range []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute} {
			old := *c.message(m.ID).ProviderSID
			c.undelivered(m.ID, passing)
			clock.Advance(time.Second)
			c.must(c.status(m, i+1, old, "failed", "63018"))
			c.must(c.status(m, i+1, old, "sent", ""))
			got := c.message(m.ID)
			if got.State != models.Queued || got.ErrorCode != passing || got.ProviderSID != nil || got.PollAt != nil || got.RetryAt == nil {
				t.Fatalf("%+v", got)
			}
			if left := got.RetryAt.Sub(clock.Now()); left != pause-time.Second {
				t.Fatalf("attempt %d in %s", i+2, left)
			}
			c.reply(id, fmt.Sprint("k", i), "next")
			c.send(id)
			clock.Advance(pause - 2*time.Second)
			c.send(id)
			if sent++; c.creates() != sent {
				t.Fatalf("%d creates, want %d: %q", c.creates(), sent, c.bodies())
			}
			clock.Advance(time.Second)
			c.send(id)
			if sent++; c.creates() != sent {
				t.Fatalf("%d creates, want %d: %q", c.creates(), sent, c.bodies())
			}
			got = c.message(m.ID)
			if got.State != models.Accepted || got.Attempt != i+2 || got.ErrorCode != 0 || got.RetryAt != nil || *got.ProviderSID == old {
				t.Fatalf("%+v", got)
			}
			c.must(c.status(m, i+1, old, "undelivered", "63012"))
			if again := c.message(m.ID); again.State != models.Accepted {
				t.Fatalf("an old attempt's report moved it to %s", again.State)
			}
		}
		if got := c.undelivered(m.ID, passing); got.State != models.Undelivered || got.ErrorCode != passing || got.RetryAt != nil {
			t.Fatalf("after three more attempts: %+v", got)
		}
		if _, err := c.service.Retry(ctx, c.agent, m.ID); err != nil {
			t.Fatal(err)
		}
		c.send(id)
		if got := c.undelivered(m.ID, passing); got.State != models.Undelivered || got.Attempt != 5 {
			t.Errorf("after one by hand: %+v", got)
		}
	})
}

// The simulator makes one message fail for a reason that passes; what a person sees afterwards is that it was read.
func TestTemporaryFailureOfTheSimulator(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		c.sim.SetOutcome(c.sid, simulator.Outcome{Final: "read", Step: time.Millisecond})
		c.write(0, "Hei")
		id := c.only().ID
		c.sim.Fail(c.sid, simulator.FaultTemporary)
		m := c.reply(id, "k", "x")
		c.send(id)
		c.until("it waits", func() bool { return c.message(m.ID).RetryAt != nil })
		clock.Advance(time.Minute)
		c.send(id)
		c.until("it is read", func() bool { return c.message(m.ID).State == models.Read })
		if c.creates() != 2 {
			t.Errorf("%d creates", c.creates())
		}
	})
}

// What waits to be sent again waits by its account's clock: who skips ahead in the simulator has it sent.
func TestSkippingAheadHastensTheRetry(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		id := c.quiet()
		c.skipAhead(time.Hour)
		m := c.reply(id, "k", "x")
		c.send(id)
		if got := c.undelivered(m.ID, passing); got.RetryAt == nil || !got.RetryAt.Equal(clock.Now().Add(time.Hour+time.Minute)) {
			t.Fatalf("it goes again at %v", got.RetryAt)
		}
		c.skipAhead(59 * time.Second)
		if c.send(id); c.creates() != 1 {
			t.Fatal("it went before its time")
		}
		c.startJobs()
		c.until("its early jobs are done", func() bool { return c.jobsLeft() <= 2 })
		c.skipAhead(time.Second)
		c.until("it is sent again", func() bool { return c.creates() == 2 })
		c.until("it is accepted", func() bool { return c.message(m.ID).State == models.Accepted })
	})
}

// Who has the message gets no second one: a report that it arrived counts while the next attempt waits.
func TestArrivedWhileItWaits(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		id := c.quiet()
		m := c.reply(id, "k", "x")
		c.send(id)
		first := *c.message(m.ID).ProviderSID
		c.undelivered(m.ID, passing)
		c.must(c.status(m, 1, first, "delivered", ""))
		if got := c.message(m.ID); got.State != models.Delivered || got.RetryAt != nil || got.ErrorCode != 0 || *got.ProviderSID != first {
			t.Errorf("%+v", got)
		}
		clock.Advance(time.Hour)
		c.send(id)
		if c.creates() != 1 {
			t.Errorf("%d creates", c.creates())
		}
	})
}

// What may not go out then, what a person has not written, and what fails for another reason is left failed.
func TestNotTriedAgain(t *testing.T) {
	for name, tt := range map[string]struct {
		before func(*center, *storetest.Clock, models.Message)
		code   int
	}{
		"another code":          {nil, 63024},
		"window closed by then": {func(_ *center, clock *storetest.Clock, _ models.Message) { clock.Advance(24*time.Hour - time.Minute) }, passing},
		"customer said stop":    {func(c *center, _ *storetest.Clock, _ models.Message) { c.write(0, "STOP") }, passing},
		"conversation closed": {func(c *center, _ *storetest.Clock, m models.Message) {
			c.must(c.service.Resolve(ctx, c.agent, m.ConversationID))
			c.must(c.service.CloseNow(ctx, c.agent, m.ConversationID))
		}, passing},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
				id := c.quiet()
				m := c.reply(id, "k", "x")
				c.send(id)
				if tt.before != nil {
					tt.before(c, clock, m)
				}
				if got := c.undelivered(m.ID, tt.code); got.State != models.Undelivered || got.ErrorCode != tt.code || got.RetryAt != nil {
					t.Errorf("%+v", got)
				}
			})
		})
	}
}

// A greeting that comes a quarter of an hour late would be odd: what nobody wrote is not sent again.
func TestGreetingIsNotTriedAgain(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		c.greets("Welcome")
		id := c.quiet()
		c.send(id)
		ms, err := c.store.Messages(ctx, c.only().Conversation, 0)
		c.must(err)
		greeting := ms[len(ms)-1]
		if got := c.undelivered(greeting.ID, passing); got.Body != "Welcome" || got.State != models.Undelivered {
			t.Errorf("%+v", got)
		}
	})
}

// A template goes out again though the window is closed by then, while the customer agrees to it.
func TestTemplateIsTriedAgain(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		c.toSandbox(0)
		c.toBox(0, "Hei")
		id := c.only().ID
		c.agrees(id)
		clock.Advance(30 * time.Hour)
		m, err := c.service.Reply(ctx, c.agent, service.Reply{Conversation: id, Key: "k", Template: &service.TemplateUse{ContentSID: appointment, Values: map[string]string{"1": "12. mai", "2": "10"}}})
		c.must(err)
		c.sim.SetOutcome(c.sid, simulator.Outcome{Final: "none"})
		c.send(id)
		if got := c.undelivered(m.ID, passing); got.State != models.Queued || got.RetryAt == nil {
			t.Fatalf("%+v", got)
		}
		clock.Advance(time.Minute)
		c.send(id)
		if got := c.message(m.ID); got.State != models.Accepted || c.created().Get("ContentSid") != appointment {
			t.Errorf("%+v", got)
		}
	})
}

// What happens while a message waits counts in the moment in which it would go out.
func TestWhileItWaits(t *testing.T) {
	for name, tt := range map[string]struct {
		meanwhile func(*center, *storetest.Clock)
		state     models.MessageState
		code      int
	}{
		"customer says stop": {func(c *center, _ *storetest.Clock) { c.write(0, "STOP") }, models.Failed, passing},
		"window closes":      {func(_ *center, clock *storetest.Clock) { clock.Advance(25 * time.Hour) }, models.Failed, twilio.CodeOutsideWindow},
		"customer is blocked": {func(c *center, _ *storetest.Clock) {
			c.must(c.service.BlockCustomer(ctx, c.agent, c.only().ContactID))
		}, models.Canceled, 0},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
				id := c.quiet()
				m := c.reply(id, "k", "x")
				c.send(id)
				c.undelivered(m.ID, passing)
				tt.meanwhile(c, clock)
				clock.Advance(time.Minute)
				c.send(id)
				if got := c.message(m.ID); got.State != tt.state || got.ErrorCode != tt.code || got.RetryAt != nil || got.Attempt != 1 {
					t.Errorf("%+v", got)
				}
			})
		})
	}
}

// Wherever a process dies while it takes the report in, all of it has happened or nothing, and the next report makes one
// attempt of it. One whose job is gone is picked up, and not before its time.
func TestTriedAgainWhereverItDies(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		id := c.quiet()
		m := c.reply(id, "k", "x")
		c.send(id)
		first := *c.message(m.ID).ProviderSID
		call := c.reportCall(url.Values{"MessageSid": {first}, "MessageStatus": {"undelivered"}, "ErrorCode": {fmt.Sprint(passing)}}, m.ID, 1)
		deaths := 0
		for n := int32(0); c.message(m.ID).State != models.Queued; n++ {
			alive, die := context.WithCancel(ctx)
			life := &dying{Context: alive, die: die}
			life.left.Store(n)
			if err := c.service.Keep(life, service.HookStatus, call); err != nil {
				deaths++
			}
			die()
			as, err := c.store.Attempts(ctx, m)
			c.must(err)
			if got := c.message(m.ID); got.State != models.Queued && (got.State != models.Accepted || got.RetryAt != nil || as[0].ErrorCode != 0) {
				t.Fatalf("half of it is there after %d steps: %+v", n, got)
			}
		}
		c.must(c.service.Keep(ctx, service.HookStatus, call))
		if deaths < 10 {
			t.Errorf("it died %d times only", deaths)
		}
		t.Log(deaths, "deaths")
		clock.Advance(59 * time.Second)
		c.must(c.service.Housekeeping(ctx))
		if c.creates() != 1 {
			t.Fatalf("%d creates before its time", c.creates())
		}
		clock.Advance(6 * time.Minute)
		c.must(c.service.Housekeeping(ctx))
		c.must(c.service.Housekeeping(ctx))
		if got := c.message(m.ID); c.creates() != 2 || got.Attempt != 2 || got.State != models.Accepted {
			t.Errorf("%d creates, %+v", c.creates(), got)
		}
	})
}

// What goes by itself stays that until Twilio has it: an attempt that was not processed, or got lost, leads to one that a
// stop word still prevents. What a person wants goes on.
func TestStopWordAfterAnAttemptThatTwilioDidNotTake(t *testing.T) {
	for name, wait := range map[string]func(c *center, clock *storetest.Clock, m models.Message, meanwhile func()){
		"too many requests": func(c *center, clock *storetest.Clock, m models.Message, meanwhile func()) {
			c.sim.Fail(c.sid, simulator.FaultTooMany)
			c.send(m.ConversationID)
			meanwhile()
			clock.Advance(time.Minute)
			c.send(m.ConversationID)
		},
		"account stopped": func(c *center, clock *storetest.Clock, m models.Message, meanwhile func()) {
			c.sim.SetSuspended(c.sid, true)
			c.send(m.ConversationID)
			c.sim.SetSuspended(c.sid, false)
			meanwhile()
			clock.Advance(6 * time.Minute)
			c.must(c.service.Housekeeping(ctx))
			c.must(c.service.Reload(ctx))
			c.send(m.ConversationID)
		},
		"request lost": func(c *center, clock *storetest.Clock, m models.Message, meanwhile func()) {
			c.lost(clock, m.ConversationID, m.ID, meanwhile)
		},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
				id := c.quiet()
				stop := func(m models.Message, attempt int) func() {
					return func() {
						c.t.Helper()
						if got := c.message(m.ID); got.Attempt != attempt || got.ProviderSID != nil {
							t.Fatalf("%+v", got)
						}
						clock.Advance(time.Second)
						c.write(0, "STOP")
					}
				}
				m := c.reply(id, "k", "x")
				c.send(id)
				c.undelivered(m.ID, passing)
				clock.Advance(time.Minute)
				wait(c, clock, m, stop(m, 2))
				if got := c.message(m.ID); got.State != models.Failed || got.ErrorCode != passing || got.RetryAt != nil || got.Attempt != 2 {
					t.Errorf("by itself: %+v", got)
				}
				c.write(0, "START")
				c.send(id)
				_, err := c.service.Retry(ctx, c.agent, m.ID)
				c.must(err)
				wait(c, clock, m, stop(m, 3))
				if got := c.message(m.ID); got.State != models.Accepted || got.ErrorCode != 0 || got.Attempt != 4 {
					t.Errorf("by hand: %+v", got)
				}
			})
		})
	}
}

// One that Twilio refuses for good when it goes by itself has failed: a person who sends it again wants it.
func TestRefusedWhenItGoesByItself(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		id := c.quiet()
		m := c.reply(id, "k", "x")
		c.send(id)
		c.undelivered(m.ID, passing)
		clock.Advance(time.Minute)
		c.sim.Fail(c.sid, simulator.FaultRejected)
		c.send(id)
		if got := c.message(m.ID); got.State != models.Failed || got.ErrorCode == passing || got.RetryAt != nil || got.Attempt != 2 {
			t.Fatalf("%+v", got)
		}
	})
}

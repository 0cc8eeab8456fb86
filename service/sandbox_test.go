package service_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"kanal/models"
	"kanal/service"
	"kanal/store"
	"kanal/store/storetest"
	"kanal/twilio"
	"kanal/twilio/simulator"
)

// toSandbox makes the number of the center the shared sandbox, which the customers have joined.
func (c *center) toSandbox(joined ...int) {
	c.t.Helper()
	c.must(c.store.InTx(ctx, func(tx *store.Tx) error {
		n, err := tx.Number(ctx, c.number)
		if err != nil {
			return err
		}
		n.Address = models.SandboxNumber
		return tx.SaveNumber(ctx, &n)
	}))
	c.must(c.service.Reload(ctx))
	c.sim.AddSender(c.sid, models.SandboxNumber, "Sandbox")
	c.sim.SetInboundURL(c.sid, models.SandboxNumber, c.service.InboundURL(c.account))
	for _, i := range joined {
		c.toBox(i, "join "+simulator.JoinCode)
	}
}

func (c *center) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

// toBox writes to the sandbox and gives how often the center was called.
func (c *center) toBox(i int, body string) int {
	c.t.Helper()
	return len(c.sim.Receive(c.sid, simulator.Write{Customer: c.customer(i), Number: models.SandboxNumber, Body: body}))
}

// The sandbox takes one message in three seconds, from all conversations and all instances together.
func TestSandboxKeepsItsPace(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		c.sim.SetOutcome(c.sid, simulator.Outcome{Final: "none"})
		c.toSandbox(0, 1, 2)
		var ids []models.ConversationID
		for i := range 3 {
			if c.toBox(i, "Hei") != 1 {
				t.Fatal("the message did not come")
			}
			ids = append(ids, c.conversationOf(c.customer(i)))
		}
		for i, id := range ids {
			for k := range 2 {
				c.reply(id, fmt.Sprint("k", k), fmt.Sprint("m", i, k))
			}
		}
		instances := []*service.Service{c.service, c.another()}
		for round := range 6 {
			var wg sync.WaitGroup
			for i, id := range ids {
				wg.Go(func() {
					if err := instances[i%2].SendConversation(ctx, id); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			if n := c.creates(); n != round+1 {
				t.Fatalf("%d messages at Twilio after %v", n, time.Duration(round)*twilio.SandboxPace)
			}
			clock.Advance(twilio.SandboxPace)
		}
		if late := c.sim.TooFast(c.sid); len(late) != 0 {
			t.Errorf("%d came too soon after the one before", len(late))
		}
	})
}

// What the sandbox reads itself does not reach the center; who left it, or joined it more than three days ago, gets
// nothing any more.
func TestSandboxMembership(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		c.toSandbox(0)
		for _, tt := range []struct {
			customer int
			body     string
			calls    int
		}{{0, "Hei", 1}, {1, "Hei", 0}, {1, "join something", 0}, {1, "JOIN " + simulator.JoinCode, 0}, {1, "Hei", 1}} {
			if n := c.toBox(tt.customer, tt.body); n != tt.calls {
				t.Errorf("%d %q: %d calls, want %d", tt.customer, tt.body, n, tt.calls)
			}
		}
		id := c.conversationOf(c.customer(1))
		clock.Advance(time.Minute)
		c.toBox(1, "stop")
		m := c.reply(id, "k1", "Er du der?")
		c.send(id)
		c.until("refused", func() bool { return c.message(m.ID).State == models.Undelivered })
		if got := c.message(m.ID); got.ErrorCode != twilio.CodeNotJoined {
			t.Errorf("code %d", got.ErrorCode)
		}
		if w := c.conversation(id).Window(); !w.IsOpen(c.store.Now()) {
			t.Error("who has to join again still has an open window")
		}
		clock.Advance(twilio.SandboxMembership)
		if n := c.toBox(0, "Hei"); n != 0 {
			t.Error("after three days nobody is a member any more")
		}
	})
}

func (c *center) conversation(id models.ConversationID) models.ConversationRow {
	c.t.Helper()
	row, err := c.store.Conversation(ctx, c.agent, id)
	c.must(err)
	return row
}

func (c *center) conversationOf(a twilio.Address) models.ConversationID {
	c.t.Helper()
	rows, err := c.store.Conversations(ctx, c.agent, store.InboxFilter{View: models.ViewAll})
	c.must(err)
	for _, r := range rows {
		if r.Address == string(a) {
			return r.ID
		}
	}
	c.t.Fatalf("no conversation of %s", a)
	return 0
}

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
	"kanal/twilio/simulator"
)

func TestPerMinute(t *testing.T) {
	for n, want := range map[models.Number]int{
		{Address: number}:                               4800,
		{Address: models.SandboxNumber}:                 20,
		{Address: number, Pace: 24000}:                  24000,
		{Address: models.SandboxNumber, Pace: 60}:       60,
		{Address: number, Pace: 1, Name: "the slowest"}: 1,
	} {
		if got := service.PerMinute(n); got != want {
			t.Errorf("%+v: %d", n, got)
		}
	}
}

// setPace sets how many messages a minute the number takes.
func (c *center) setPace(perMinute int) {
	c.t.Helper()
	err := c.store.InTx(ctx, func(tx *store.Tx) error {
		n, err := tx.Number(ctx, c.number)
		if err != nil {
			return err
		}
		n.Pace = perMinute
		return tx.SaveNumber(ctx, &n)
	})
	if err == nil {
		err = c.service.Reload(ctx)
	}
	c.must(err)
}

// A sender takes 80 messages a second, from all conversations and all instances together; one that has rested twenty at
// once.
func TestSenderKeepsItsPace(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		c.sim.SetOutcome(c.sid, simulator.Outcome{Final: "none"})
		c.write(0, "Hei")
		c.write(1, "Hei")
		rows, err := c.store.Conversations(ctx, c.agent, store.InboxFilter{View: models.ViewAll})
		c.must(err)
		for _, row := range rows {
			for k := range 40 {
				c.reply(row.ID, fmt.Sprint("k", k), fmt.Sprint("m", k))
			}
		}
		instances := []*service.Service{c.service, c.another()}
		send := func() {
			var all sync.WaitGroup
			for i, row := range rows {
				all.Go(func() {
					if err := instances[i].SendConversation(ctx, row.ID); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
		}
		send()
		if n := c.creates(); n != 21 {
			t.Fatalf("%d messages at once", n)
		}
		for range 4 {
			clock.Advance(125 * time.Millisecond)
			send()
		}
		if n := c.creates(); n != 21+40 {
			t.Errorf("%d messages in half a second more", n-21)
		}
	})
}

// What Kanal says by itself waits while agents use what the sender takes.
func TestAgentsComeBeforeAutomation(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		c.sim.SetOutcome(c.sid, simulator.Outcome{Final: "none"})
		c.setPace(60)
		c.write(0, "Hei")
		agents := c.only().ID
		c.reply(agents, "k0", "from an agent")
		c.send(agents)
		c.greet("Welcome")
		c.write(1, "Hei")
		greeted := c.conversationOf(c.customer(1))
		c.reply(agents, "k1", "from an agent, too")
		clock.Advance(time.Second)
		c.send(greeted)
		if n := c.creates(); n != 1 {
			t.Fatalf("the greeting took the agent's turn: %d", n)
		}
		c.send(agents)
		clock.Advance(1500 * time.Millisecond)
		c.send(greeted)
		if got := fmt.Sprint(c.bodies()); got != "[from an agent from an agent, too Welcome]" {
			t.Error(got)
		}
	})
}

// greet lets the number greet who writes first.
func (c *center) greet(text string) {
	c.t.Helper()
	c.must(c.store.InTx(ctx, func(tx *store.Tx) error {
		return tx.Insert(ctx, &models.AutomatedMessage{NumberID: c.number, Trigger: models.TriggerStarted, Active: true, Text: text, UpdatedAt: tx.Now()})
	}))
	c.must(c.service.Reload(ctx))
}

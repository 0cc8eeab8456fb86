package service_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"kanal/models"
	"kanal/service"
	"kanal/store"
	"kanal/store/storetest"
	"kanal/twilio"
)

var minted = service.SimulatedAccount{
	SID: "AC0123456789abcdef0123456789abcdef", Token: "secret-token-abcd", Number: "+4721000041", Language: "nb", Account: "Test",
	NumberName: "Kundeservice", Workstream: "Simulator",
}

func TestTrySimulator(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		c := newCenter(t, s, clock)
		first, err := c.service.TrySimulator(ctx, c.agent, minted)
		if err != nil {
			t.Fatal(err)
		}
		again, err := c.service.TrySimulator(ctx, c.agent, minted)
		if err != nil || again.ID != first.ID {
			t.Errorf("a second time: %v, %v", again.ID, err)
		}
		a, err := s.Account(ctx, first.ID)
		if err != nil || a.Name != "Test 2" || a.State != models.AccountActive || !a.Simulated || a.TokenLast4 != "abcd" || strings.Contains(a.TokenSealed, "secret") {
			t.Errorf("%+v, %v", a, err)
		}
		ns, err := s.NumbersOf(ctx, a.ID)
		if err != nil || len(ns) != 1 || ns[0].WorkstreamName != "Simulator" || ns[0].Language != "nb" || ns[0].ClaimedAt == nil {
			t.Errorf("%+v, %v", ns, err)
		}
		ws, err := s.Workstreams(ctx)
		if err != nil || len(ws) != 1 || ws[0].Distribution != models.Pick || ws[0].QueueName != "Default" {
			t.Errorf("%+v, %v", ws, err)
		}
		if as, err := s.Audits(ctx, 10); err != nil || len(as) != 1 || as[0].Action != "simulator.tried" || strings.Contains(as[0].Details, "secret") {
			t.Errorf("%+v, %v", as, err)
		}
		if hook, err := c.service.Hook(ctx, a.HookKey); err != nil || len(hook.Tokens) != 1 || hook.Tokens[0] != "secret-token-abcd" {
			t.Errorf("%+v, %v", hook, err)
		}
	})
}

func TestTrySimulatorRaces(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		c := newCenter(t, s, clock)
		var wg sync.WaitGroup
		ids := make([]models.AccountID, 8)
		for i := range ids {
			wg.Go(func() {
				a, err := c.service.TrySimulator(ctx, c.agent, minted)
				if err != nil {
					t.Error(err)
				}
				ids[i] = a.ID
			})
		}
		wg.Wait()
		for _, id := range ids {
			if id != ids[0] || id == 0 {
				t.Errorf("accounts %v", ids)
				break
			}
		}
		if ws, err := s.Workstreams(ctx); err != nil || len(ws) != 1 {
			t.Errorf("%d workstreams, %v", len(ws), err)
		}
	})
}

// skipAhead moves the account's clock ahead, as the simulator's page does.
func (c *center) skipAhead(d time.Duration) {
	c.t.Helper()
	c.must(c.service.SkipAhead(ctx, c.agent, c.sid, d))
	c.sim.SetAhead(c.sid, c.service.SimulatorClocks()[c.sid])
}

func TestSkipAhead(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		c := newCenter(t, s, clock)
		c.startJobs()
		c.write(0, "Hei")
		id := c.only().ID
		reply := func(key string) error {
			_, err := c.service.Reply(ctx, c.agent, service.Reply{Conversation: id, Key: key, Body: "Svar"})
			return err
		}
		if err := reply("a"); err != nil {
			t.Fatal(err)
		}
		c.skipAhead(20 * time.Hour)
		if err := reply("b"); err != nil {
			t.Errorf("after 20 hours: %v", err)
		}
		c.skipAhead(20 * time.Hour)
		if err := reply("c"); !errors.Is(err, service.ErrWindowClosed) {
			t.Errorf("after 40 hours: %v", err)
		}
		// A wrap-up that waits for a quarter of an hour by the clock on the wall closes at once.
		if err := c.service.Resolve(ctx, c.agent, id); err != nil {
			t.Fatal(err)
		}
		c.skipAhead(20 * time.Hour)
		state := func(want models.ConversationState) bool {
			row, err := s.ConversationByID(ctx, id)
			return err == nil && row.State == want
		}
		c.until("closed", func() bool { return state(models.Closed) })
		// A message now opens a new conversation, and the window with it.
		c.write(0, "Hei igjen")
		if c.only().ID == id {
			t.Error("a closed conversation goes on")
		}
		if _, err := c.service.Reply(ctx, c.agent, service.Reply{Conversation: c.only().ID, Key: "d", Body: "Svar"}); err != nil {
			t.Error(err)
		}
	})
}

func TestSkipAheadOfNobody(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		c := newCenter(t, s, clock)
		if err := c.service.SkipAhead(ctx, c.agent, "AC0", time.Hour); !errors.Is(err, models.ErrNotFound) {
			t.Error(err)
		}
	})
}

// A person's save that began before a skip does not take the clock back.
func TestSkipAheadSurvivesASave(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		c := newCenter(t, s, clock)
		before, err := s.Account(ctx, c.account.ID)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.service.SkipAhead(ctx, c.agent, c.sid, time.Hour); err != nil {
			t.Fatal(err)
		}
		if err := s.InTx(ctx, func(tx *store.Tx) error { return tx.SaveAccount(ctx, &before) }); err != nil {
			t.Fatal(err)
		}
		if a, err := s.Account(ctx, c.account.ID); err != nil || a.ClockAhead != time.Hour {
			t.Errorf("%v, %v", a.ClockAhead, err)
		}
	})
}

// Without the simulator nothing of its accounts goes out: not to the real Twilio, and not to a stand-in.
func TestSimulatedAccountWithoutSimulator(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		c := newCenter(t, s, clock)
		off, err := service.New(ctx, service.Options{Store: s, Twilio: twilio.New(twilio.Options{Base: c.sim.URL()}), Log: storetest.Log(t)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(off.Close)
		if _, err := off.Senders(ctx, c.account.ID); models.KindOf(err) != models.KindUnavailable {
			t.Errorf("Twilio was asked: %v", err)
		}
	})
}

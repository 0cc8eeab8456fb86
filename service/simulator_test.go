package service_test

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
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
	var err error
	c.account, err = c.store.Account(ctx, c.account.ID) // its calls know it as the directory does
	c.must(err)
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

// What becomes of a message is kept by its account's clock, whoever tells it; so is the window that a refusal closes.
func TestReportsByTheAccountsClock(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		c.skipAhead(time.Hour)
		id := c.quiet()
		now := func() time.Time { return clock.Now().Add(time.Hour) }
		at := func(what string, got *time.Time, want time.Time) {
			t.Helper()
			if got == nil || !got.Equal(want) {
				t.Errorf("%s at %v, want %s", what, got, want)
			}
		}
		m := c.reply(id, "a", "told by a report")
		clock.Advance(time.Minute)
		c.send(id)
		sid := *c.message(m.ID).ProviderSID
		c.must(c.status(m, 1, sid, "sent", ""))
		sent := now()
		clock.Advance(time.Minute)
		c.must(c.status(m, 1, sid, "read", ""))
		got := c.message(m.ID)
		at("sent", got.SentAt, sent)
		at("delivered", got.DeliveredAt, now())
		at("read", got.ReadAt, now())

		m = c.reply(id, "b", "told when it is asked for")
		c.send(id)
		c.sim.SetChaos(c.sid, simulator.Chaos{Rates: map[simulator.Fault]float64{simulator.FaultStatusLost: 1}})
		c.sim.Report(c.sid, *c.message(m.ID).ProviderSID, "delivered", 0)
		clock.Advance(2 * time.Minute)
		c.must(c.service.PollMessages(ctx))
		at("delivered", c.message(m.ID).DeliveredAt, now())
		c.sim.SetChaos(c.sid, simulator.Chaos{})

		c.sim.Fail(c.sid, simulator.FaultCommitDrop)
		m = c.reply(id, "c", "told before its sid is known")
		c.send(id)
		created := c.phone()[len(c.phone())-1].SID
		c.must(c.service.Keep(ctx, service.HookStatus, c.call(url.Values{"MessageSid": {created}, "MessageStatus": {"delivered"}, "AccountSid": {c.sid}})))
		told := now()
		clock.Advance(time.Minute)
		c.settle(m.ID)
		c.must(c.service.Housekeeping(ctx))
		at("delivered", c.message(m.ID).DeliveredAt, told)

		m = c.reply(id, "d", "refused")
		c.send(id)
		clock.Advance(time.Second)
		c.must(c.status(m, 1, *c.message(m.ID).ProviderSID, "undelivered", fmt.Sprint(twilio.CodeOutsideWindow)))
		closes := c.only().Window().ClosesAt
		at("the window closes", &closes, now())
	})
}

// What waits while the window closes does not go out: its account's clock says when.
func TestSkippingAheadClosesTheWindowOfWhatWaits(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		id := c.quiet()
		m := c.reply(id, "k", "x")
		c.skipAhead(25 * time.Hour)
		c.send(id)
		if got := c.message(m.ID); got.State != models.Failed || got.ErrorCode != twilio.CodeOutsideWindow || c.creates() != 0 {
			t.Errorf("it is %s with code %d", got.State, got.ErrorCode)
		}
	})
}

// What Twilio's list brings has the time at which Twilio took it in, by the account's clock; so has the mark.
func TestListingByTheAccountsClock(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		c.skipAhead(25 * time.Hour)
		c.unheard(0, "lost", "")
		came := clock.Now().Add(25 * time.Hour).Truncate(time.Second)
		clock.Advance(time.Hour)
		c.catchUp()
		row := c.only()
		if !row.LastMessageAt.Equal(came) || !row.Window().ClosesAt.Equal(came.Add(models.ServiceWindowLength)) {
			t.Errorf("it came at %s, the window closes at %s", row.LastMessageAt, row.Window().ClosesAt)
		}
		mark := clock.Now().Add(25 * time.Hour)
		if at := c.caughtUpAt(); !at.Equal(mark) {
			t.Errorf("the mark is at %s", at)
		}
		clock.Advance(time.Minute)
		c.must(c.service.CatchUp(ctx, models.CatchUp{Account: c.account.ID, Asked: clock.Now().UnixMicro()}))
		if at := c.caughtUpAt(); !at.Equal(mark.Add(time.Minute)) {
			t.Errorf("what was asked after the last listing was not listed: the mark is at %s", at)
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

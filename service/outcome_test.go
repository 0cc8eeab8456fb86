package service_test

import (
	"errors"
	"fmt"
	"net/url"
	"testing"
	"time"

	"kanal/models"
	"kanal/service"
	"kanal/store"
	"kanal/store/storetest"
	"kanal/twilio"
	"kanal/twilio/simulator"
)

func (c *center) send(id models.ConversationID) {
	c.t.Helper()
	if err := c.service.SendConversation(ctx, id); err != nil {
		c.t.Fatal(err)
	}
}

func (c *center) settle(id models.MessageID) models.Message {
	c.t.Helper()
	if err := c.service.SettleMessage(ctx, id); err != nil {
		c.t.Fatal(err)
	}
	return c.message(id)
}

// quiet gives a center with one conversation, whose messages are not reported on.
func (c *center) quiet() models.ConversationID {
	c.t.Helper()
	c.sim.SetOutcome(c.sid, simulator.Outcome{Final: "none"})
	c.write(0, "Hei")
	return c.only().ID
}

// bodies gives the texts that Twilio took, in the order in which they came.
func (c *center) bodies() (out []string) {
	for _, e := range c.sim.Ledger(c.sid) {
		if e.What == "create" && e.SID != "" {
			out = append(out, e.Params.Get("Body"))
		}
	}
	return out
}

// reportCall is a report whose address names a message of ours and its attempt.
func (c *center) reportCall(form url.Values, m models.MessageID, n int) service.Call {
	call := c.call(form)
	call.Query = fmt.Sprintf("m=%d&n=%d", m, n)
	return call
}

func (c *center) status(m models.Message, n int, messageSID, status, code string) error {
	form := url.Values{"MessageSid": {messageSID}, "MessageStatus": {status}, "AccountSid": {c.sid}}
	if code != "" {
		form.Set("ErrorCode", code)
	}
	return c.service.Keep(ctx, service.HookStatus, c.reportCall(form, m.ID, n))
}

func TestOrderPerCustomer(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		id := c.quiet()
		c.sim.Fail(c.sid, simulator.FaultTooMany, simulator.FaultCommitDrop)
		for i := range 3 {
			c.reply(id, fmt.Sprint("k", i), fmt.Sprint("m", i))
		}
		c.send(id)
		if got := c.bodies(); len(got) != 0 {
			t.Fatalf("%v went past one that has to wait", got)
		}
		clock.Advance(time.Second)
		c.send(id) // the first one goes out and its answer is lost
		clock.Advance(models.UncertainHold - time.Second)
		c.send(id)
		if got := fmt.Sprint(c.bodies()); got != "[m0]" {
			t.Fatalf("%v: the next waits for an unknown outcome", got)
		}
		clock.Advance(2 * time.Second)
		c.send(id)
		if got := fmt.Sprint(c.bodies()); got != "[m0 m1 m2]" {
			t.Fatalf("%v: after a minute the next goes on", got)
		}
	})
}

func TestRefusedConnectionIsTriedAgain(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		id := c.quiet()
		m := c.reply(id, "k", "x")
		_ = c.sim.Close()
		c.send(id)
		if got := c.message(m.ID); got.State != models.Queued || got.Attempt != 1 {
			t.Fatalf("%+v", got)
		}
		for range 12 {
			clock.Advance(time.Minute)
			c.send(id)
		}
		if got := c.message(m.ID); got.State != models.Failed || got.ErrorCode != twilio.CodeNoAnswer || got.Attempt != 10 {
			t.Errorf("%s with code %d after %d attempts", got.State, got.ErrorCode, got.Attempt)
		}
	})
}

func TestUncertainIsSettledByCallback(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		id := c.quiet()
		c.sim.Fail(c.sid, simulator.FaultCommitDrop)
		m := c.reply(id, "k", "x")
		c.send(id)
		created := c.sim.Thread(c.sid, c.customer(0), number)[1].SID
		c.sim.Report(c.sid, created, "delivered", 0)
		if got := c.message(m.ID); got.State != models.Delivered || got.ProviderSID == nil || *got.ProviderSID != created {
			t.Errorf("%+v", got)
		}
	})
}

// A word of Twilio's that is new to us says at least that Twilio has the message: it is not looked for and not sent again.
func TestUnknownStatusSettlesToo(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		id := c.quiet()
		c.sim.Fail(c.sid, simulator.FaultCommitDrop)
		m := c.reply(id, "k", "x")
		c.send(id)
		c.sim.Report(c.sid, c.sim.Thread(c.sid, c.customer(0), number)[1].SID, "something_new", 0)
		if got := c.message(m.ID); got.State != models.Accepted || got.ProviderSID == nil {
			t.Errorf("%+v", got)
		}
		for range 4 {
			clock.Advance(2 * time.Minute)
			c.settle(m.ID)
			c.send(id)
		}
		if c.creates() != 1 {
			t.Errorf("%d creates", c.creates())
		}
	})
}

// A message is looked for at the address to which it went, wherever the customer has written from since.
func TestUncertainIsLookedForAtItsOwnAddress(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		id := c.quiet()
		c.sim.AddCustomer(c.sid, simulator.Customer{Name: "Kari", Address: "whatsapp:NO.1A2B3C4D5E6F7G8H9I0J", BSUID: "NO.1A2B3C4D5E6F7G8H9I0J"})
		c.sim.Fail(c.sid, simulator.FaultCommitDrop)
		m := c.reply(id, "k", "x")
		c.send(id)
		c.write(3, "from my user name")
		for range 3 {
			clock.Advance(71 * time.Second)
			c.settle(m.ID)
			c.send(id)
		}
		if got := c.message(m.ID); got.State != models.Accepted || c.creates() != 1 {
			t.Errorf("%s after %d creates", got.State, c.creates())
		}
	})
}

// While Twilio cannot be asked nothing is known: however often that is, it is no listing that does not show the message.
func TestListingThatFailsDoesNotCount(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		id := c.quiet()
		c.sim.Fail(c.sid, simulator.FaultCommitDrop)
		m := c.reply(id, "k", "x")
		c.send(id)
		gone := twilio.New(twilio.Options{Base: &url.URL{Scheme: "http", Host: "127.0.0.1:1"}})
		other, err := service.New(ctx, service.Options{Store: c.store, Twilio: gone, PublicURL: &url.URL{}, IsSimulated: c.sim.Has})
		c.must(err)
		defer other.Close()
		for range 4 {
			clock.Advance(2 * time.Minute)
			was := c.jobsLeft()
			c.must(other.SettleMessage(ctx, m.ID))
			if got := c.message(m.ID); got.State != models.Uncertain || c.jobsLeft() != was+1 {
				t.Fatalf("it is %s, %d jobs look again", got.State, c.jobsLeft()-was)
			}
		}
		if got := c.settle(m.ID); got.State != models.Accepted || c.creates() != 1 {
			t.Errorf("it is %s after %d creates", got.State, c.creates())
		}
		was := c.jobsLeft()
		if c.settle(m.ID); c.jobsLeft() != was {
			t.Error("one that is settled is looked for")
		}
	})
}

// A report names the attempt that it is about: the one before it, which Twilio did not process, has no sid either.
func TestReportOfTheSecondAttempt(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		id := c.quiet()
		c.sim.Fail(c.sid, simulator.FaultTooMany, simulator.FaultCommitDrop)
		m := c.reply(id, "k", "x")
		c.send(id)
		clock.Advance(time.Minute)
		c.send(id)
		if got := c.message(m.ID); got.State != models.Uncertain || got.Attempt != 2 {
			t.Fatalf("%+v", got)
		}
		c.sim.Report(c.sid, c.phone()[0].SID, "delivered", 0)
		if got := c.message(m.ID); got.State != models.Delivered {
			t.Errorf("it is %s", got.State)
		}
	})
}

func TestTooEarlyListingsDoNotCount(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		id := c.quiet()
		c.sim.Fail(c.sid, simulator.FaultDown)
		m := c.reply(id, "k", "x")
		c.send(id)
		for range 6 {
			if got := c.settle(m.ID); got.State != models.Uncertain {
				t.Fatal(got.State)
			}
			clock.Advance(10 * time.Second)
		}
	})
}

// After a message was sent again by hand, a late or doubled report of the old attempt does not touch it.
func TestRetryByHand(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		id := c.quiet()
		m := c.reply(id, "k", "x")
		c.send(id)
		old := *c.message(m.ID).ProviderSID
		if _, err := c.service.Retry(ctx, c.agent, m.ID); models.KindOf(err) != models.KindConflict {
			t.Error("a message on its way is sent again:", err)
		}
		c.sim.Report(c.sid, old, "failed", 30008)
		if got := c.message(m.ID); got.State != models.Failed || got.ErrorCode != 30008 {
			t.Fatalf("%+v", got)
		}
		stranger := models.Viewer{User: c.agent.User + 100, Role: models.Agent}
		if _, err := c.service.Retry(ctx, stranger, m.ID); models.KindOf(err) != models.KindNotFound {
			t.Error(err)
		}
		if _, err := c.service.Retry(ctx, c.agent, m.ID); err != nil {
			t.Fatal(err)
		}
		c.sim.Report(c.sid, old, "undelivered", 30008)
		if got := c.message(m.ID); got.State != models.Queued {
			t.Fatalf("%s: the old attempt's report has moved it", got.State)
		}
		c.send(id)
		c.sim.Report(c.sid, old, "delivered", 0)
		got := c.message(m.ID)
		if got.State != models.Accepted || got.Attempt != 2 || got.ErrorCode != 0 || *got.ProviderSID == old || c.creates() != 2 {
			t.Errorf("%+v", got)
		}
		c.sim.Report(c.sid, *got.ProviderSID, "delivered", 0)
		if got := c.message(m.ID); got.State != models.Delivered {
			t.Error(got.State)
		}
	})
}

// What counts for 63016 is when the attempt was made, not when the message was written.
func TestRefusedRetryClosesTheWindow(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		id := c.quiet()
		m := c.reply(id, "k", "x")
		c.send(id)
		c.sim.Report(c.sid, *c.message(m.ID).ProviderSID, "failed", 30008)
		clock.Advance(time.Hour)
		c.write(0, "still there?")
		clock.Advance(time.Minute)
		if _, err := c.service.Retry(ctx, c.agent, m.ID); err != nil {
			t.Fatal(err)
		}
		c.send(id)
		clock.Advance(time.Second)
		c.sim.Report(c.sid, *c.message(m.ID).ProviderSID, "undelivered", twilio.CodeOutsideWindow)
		if c.only().Window().IsOpen(c.store.Now()) {
			t.Error("the window is still open")
		}
		if _, err := c.service.Reply(ctx, c.agent, service.Reply{Conversation: id, Key: "k2", Body: "y"}); !errors.Is(err, service.ErrWindowClosed) {
			t.Error(err)
		}
	})
}

func TestRefusalDoesNotCloseANewWindow(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		id := c.quiet()
		m := c.reply(id, "k", "x")
		c.send(id)
		clock.Advance(time.Second)
		c.write(0, "again")
		clock.Advance(time.Second)
		c.sim.Report(c.sid, *c.message(m.ID).ProviderSID, "undelivered", twilio.CodeOutsideWindow)
		if !c.only().Window().IsOpen(c.store.Now()) {
			t.Error("the customer has written since: the window is open")
		}
		// Nor does a refusal that has read the window before the customer wrote.
		stale := c.only().Window()
		stale.ClosesAt = c.store.Now()
		clock.Advance(time.Minute)
		c.write(0, "and again")
		if err := c.store.InTx(ctx, func(tx *store.Tx) error { return tx.CloseServiceWindow(ctx, stale) }); err != nil {
			t.Fatal(err)
		}
		if !c.only().Window().IsOpen(c.store.Now()) {
			t.Error("a refusal has closed a window that was opened after it")
		}
	})
}

// A report with a value that no column holds is kept all the same.
func TestReportWithAnAbsurdCode(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		id := c.quiet()
		m := c.reply(id, "k", "x")
		c.send(id)
		if err := c.status(m, 1, *c.message(m.ID).ProviderSID, "failed", "99999999999999"); err != nil {
			t.Fatal(err)
		}
		if got := c.message(m.ID); got.State != models.Failed || got.ErrorCode != 0 {
			t.Errorf("%+v", got)
		}
	})
}

// Reports that name a message of another account, another attempt or nothing at all are kept and move nothing.
func TestReportsAboutNothingOfOurs(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		id := c.quiet()
		m := c.reply(id, "k", "x")
		c.send(id)
		c.sim.Fail(c.sid, simulator.FaultDown)
		unknown := c.reply(id, "k2", "y")
		c.send(id)
		other := models.Account{Name: "Other", SID: "ACother", HookKey: "other", State: models.AccountActive, Version: 1}
		if err := c.store.InTx(ctx, func(tx *store.Tx) error { return tx.Insert(ctx, &other) }); err != nil {
			t.Fatal(err)
		}
		form := url.Values{"MessageSid": {sid(1)}, "MessageStatus": {"read"}}
		theirs := c.reportCall(form, m.ID, 1)
		theirs.Account = other
		theirsToo := c.reportCall(form, unknown.ID, 1)
		theirsToo.Account = other
		for name, call := range map[string]service.Call{
			"another account":                        theirs,
			"another account, the outcome not known": theirsToo,
			"bound already":                          c.reportCall(form, m.ID, 1),
			"another attempt":                        c.reportCall(form, m.ID, 2),
			"no such message":                        c.reportCall(form, m.ID+1000, 1),
			"no message":                             c.call(form),
			"negative":                               c.reportCall(form, -1, -1),
		} {
			if err := c.service.Keep(ctx, service.HookStatus, call); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if got := c.message(m.ID); got.State != models.Accepted {
				t.Errorf("%s: moved to %s", name, got.State)
			}
			if got := c.message(unknown.ID); got.State != models.Uncertain {
				t.Errorf("%s: the one whose outcome is not known moved to %s", name, got.State)
			}
		}
	})
}

func TestTakeover(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		id := c.quiet()
		c.reply(id, "k", "mine now")
		bo := c.colleague("Bo")
		r := service.Reply{Conversation: id, Key: "k", Body: "not yours"}
		if _, err := c.service.Reply(ctx, bo, r); !errors.Is(err, service.ErrOtherAgent) {
			t.Error(err)
		}
		if err := c.service.TakeOver(ctx, bo, id, 0); models.KindOf(err) != models.KindConflict {
			t.Error("it was taken without a word:", err)
		}
		if err := c.service.TakeOver(ctx, bo, id, c.agent.User); err != nil {
			t.Fatal(err)
		}
		if _, err := c.service.Reply(ctx, bo, r); err != nil {
			t.Error("the key of another person is another key:", err)
		}
		if _, err := c.service.Reply(ctx, c.agent, service.Reply{Conversation: id, Key: "k3", Body: "x"}); !errors.Is(err, service.ErrOtherAgent) {
			t.Error(err)
		}
	})
}

// What one conversation brings on does not keep housekeeping from the others.
func TestHousekeepingGoesOnPastAFailure(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		id := c.quiet()
		c.sim.Fail(c.sid, simulator.FaultTooMany)
		m := c.reply(id, "k", "x")
		c.send(id)
		c.write(1, "another")
		next, err := c.service.TakeNext(ctx, c.agent)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.service.Resolve(ctx, c.agent, next); err != nil {
			t.Fatal(err)
		}
		// A message with an attempt that is not there: it cannot be sent.
		err = c.store.InTx(ctx, func(tx *store.Tx) error {
			broken, err := tx.Message(ctx, m.ID)
			if err != nil {
				return err
			}
			broken.Attempt = 99
			return tx.SaveMessage(ctx, broken, models.Queued)
		})
		if err != nil {
			t.Fatal(err)
		}
		clock.Advance(models.WrapUpTime)
		if err := c.service.Housekeeping(ctx); err == nil {
			t.Error("the failure is not reported")
		}
		if got, err := c.store.ConversationByID(ctx, next); err != nil || got.State != models.Closed {
			t.Error(got.State, err)
		}
	})
}

// A message whose job is gone is sent all the same, and one that nobody looks for is looked for.
func TestHousekeepingPicksUpWhatWasLeftBehind(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		id := c.quiet()
		m := c.reply(id, "k", "x")
		sweep := func() {
			t.Helper()
			if err := c.service.Housekeeping(ctx); err != nil {
				t.Fatal(err)
			}
		}
		clock.Advance(time.Minute)
		if sweep(); c.creates() != 0 {
			t.Fatal("its job has time yet")
		}
		c.sim.Fail(c.sid, simulator.FaultDown)
		clock.Advance(5 * time.Minute)
		if sweep(); c.message(m.ID).State != models.Uncertain {
			t.Fatal(c.message(m.ID).State)
		}
		for range 3 {
			clock.Advance(6 * time.Minute)
			sweep()
		}
		if got := c.message(m.ID); got.State != models.Accepted || c.creates() != 1 {
			t.Errorf("%s, %d creates", got.State, c.creates())
		}
	})
}

// Several messages that wait when the window closes fail together.
func TestAllQueuedMessagesFailWhenTheWindowCloses(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		id := c.quiet()
		a, b := c.reply(id, "a", "one"), c.reply(id, "b", "two")
		clock.Advance(25 * time.Hour)
		c.send(id)
		for _, m := range []models.Message{a, b} {
			if got := c.message(m.ID); got.State != models.Failed || got.ErrorCode != twilio.CodeOutsideWindow {
				t.Errorf("%+v", got)
			}
		}
	})
}

// What a refusal of an old attempt says about the customer holds, though the message was sent again since: the new attempt
// goes on, and the old one keeps its code.
func TestLateRefusalOfAnOldAttempt(t *testing.T) {
	for _, sent := range []bool{false, true} { // whether the new attempt has gone out
		each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
			id := c.quiet()
			m := c.reply(id, "k", "x")
			c.send(id)
			old := *c.message(m.ID).ProviderSID
			c.must(c.status(m, 1, old, "failed", ""))
			clock.Advance(time.Minute)
			if _, err := c.service.Retry(ctx, c.agent, m.ID); err != nil {
				t.Fatal(err)
			}
			if sent {
				c.send(id)
			}
			before := c.message(m.ID)
			for range 2 {
				c.must(c.status(m, 1, old, "undelivered", fmt.Sprint(twilio.CodeBlocked)))
			}
			c.must(c.status(m, 1, old, "undelivered", fmt.Sprint(twilio.CodeOutsideWindow)))
			got := c.message(m.ID)
			if got.State != before.State || got.ErrorCode != 0 || got.Attempt != before.Attempt || got.PollAt == nil == sent {
				t.Errorf("%s became %s with code %d", before.State, got.State, got.ErrorCode)
			}
			as, err := c.store.Attempts(ctx, m)
			if err != nil || as[0].State != models.AttemptAccepted || as[0].ErrorCode != twilio.CodeBlocked || sent && as[1].ErrorCode != 0 {
				t.Errorf("%+v, %v", as, err)
			}
			if s := c.consents(); !s.OptedOut() || s.All.Source != models.SourceTwilio {
				t.Errorf("the block is not known: %+v", s.All)
			}
			if lines := c.lines(id); lines[len(lines)-1] != "system.opted_out.all_self" || lines[len(lines)-2] == lines[len(lines)-1] {
				t.Errorf("%q", lines)
			}
			if c.only().Window().IsOpen(c.store.Now()) {
				t.Error("the window is still open")
			}
		})
	}
}

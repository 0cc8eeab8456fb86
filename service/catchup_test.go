package service_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
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

// unheard lets a customer write while nobody hears Twilio's webhooks.
func (c *center) unheard(i int, body, kind string) {
	c.t.Helper()
	c.sim.SetInboundURL(c.sid, number, "http://127.0.0.1:1/nobody")
	codes := c.sim.Receive(c.sid, simulator.Write{Customer: c.customer(i), Number: number, Body: body, Kind: kind})
	if len(codes) == 0 || slices.Contains(codes, http.StatusOK) {
		c.t.Fatalf("the webhook was not lost: %v", codes)
	}
	c.sim.SetInboundURL(c.sid, number, c.service.InboundURL(c.account))
}

func (c *center) catchUp() {
	c.t.Helper()
	if err := c.service.CatchUp(ctx, models.CatchUp{Account: c.account.ID}); err != nil {
		c.t.Fatal(err)
	}
}

// threads gives what each customer has written, as the agent sees it.
func (c *center) threads() (map[twilio.Address][]models.Message, []models.ConversationRow) {
	c.t.Helper()
	rows, err := c.store.Conversations(ctx, c.agent, store.InboxFilter{View: models.ViewAll})
	if err != nil {
		c.t.Fatal(err)
	}
	all := map[twilio.Address][]models.Message{}
	for _, r := range rows {
		ms, err := c.store.Messages(ctx, r.Conversation, 0)
		if err != nil {
			c.t.Fatal(err)
		}
		all[twilio.Address(r.Address)] = ms
	}
	return all, rows
}

func (c *center) caughtUpAt() time.Time {
	c.t.Helper()
	a, err := c.store.Account(ctx, c.account.ID)
	if err != nil || a.CaughtUpAt == nil {
		c.t.Fatal("there is no mark:", err)
	}
	return *a.CaughtUpAt
}

// Kanal is away for an hour while customers write and every webhook is lost. At start all is taken in once and in order,
// at the time at which Twilio took it in: windows are right, and nobody is greeted. Doing it again changes nothing.
func TestAwayForAnHour(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		c.greets("Welcome")
		c.write(0, "before")
		want := map[twilio.Address][]string{c.customer(0): {"before"}}
		at := map[string]time.Time{}
		for i := range 15 {
			clock.Advance(4 * time.Minute)
			from, body := i%2, fmt.Sprint("lost ", i)
			c.unheard(from, body, "")
			want[c.customer(from)], at[body] = append(want[c.customer(from)], body), clock.Now()
		}
		c.service.Close()
		_ = c.spool.Close()
		clock.Advance(time.Minute)
		c.open() // Kanal is back
		c.startJobs()
		c.replayUntil("it has caught up", func() bool {
			a, err := c.store.Account(ctx, c.account.ID)
			return err == nil && a.CaughtUpAt != nil
		})
		c.stopJobs()
		check := func() {
			t.Helper()
			threads, rows := c.threads()
			for from, bodies := range want {
				var got []string
				for _, m := range threads[from] {
					switch {
					case m.Direction == models.In:
						got = append(got, m.Body)
						if when := at[m.Body]; !when.IsZero() && !m.CreatedAt.Equal(when.Truncate(time.Second)) {
							t.Errorf("%s: came at %s, not %s", m.Body, m.CreatedAt, when)
						}
					case m.Trigger == models.TriggerStarted && len(threads[from]) > 0 && threads[from][0].Body != "before":
						t.Errorf("%s was greeted an hour later", from)
					}
				}
				if !slices.Equal(got, bodies) {
					t.Errorf("%s: %v", from, got)
				}
			}
			for _, r := range rows {
				last := at[want[twilio.Address(r.Address)][len(want[twilio.Address(r.Address)])-1]]
				if r.WindowClosesAt == nil || !r.WindowClosesAt.Equal(last.Truncate(time.Second).Add(24*time.Hour)) {
					t.Errorf("%s: the window closes at %v, not a day after %s", r.Address, r.WindowClosesAt, last)
				}
			}
		}
		check()
		mark := c.caughtUpAt()
		c.catchUp()
		check()
		if c.caughtUpAt().Before(mark) {
			t.Error("the mark went back")
		}
	})
}

// A fresh account takes nothing in from before it was finished, and a number nothing from before it was added.
func TestNoHistoryIsTakenIn(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		c.unheard(0, "history", "")
		clock.Advance(time.Hour)
		err := c.store.InTx(ctx, func(tx *store.Tx) error {
			a, err := tx.Account(ctx, c.account.ID)
			now := tx.Now()
			a.FinishedAt = &now
			if err == nil {
				err = tx.SaveAccount(ctx, &a)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		c.catchUp()
		clock.Advance(time.Minute)
		c.unheard(0, "news", "")
		clock.Advance(time.Minute)
		c.catchUp()
		if got := c.thread(); got != "news" {
			t.Errorf("%s", got)
		}
	})
}

// A message that its webhook brings at the same moment, or later, is there once.
func TestCatchUpBesideTheWebhook(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		const messages = 20
		var calls []url.Values
		for i := range messages {
			c.unheard(0, fmt.Sprint("m", i), "")
		}
		for _, e := range c.sim.Ledger(c.sid) {
			if e.What == "inbound" && !slices.ContainsFunc(calls, func(f url.Values) bool { return f.Get("MessageSid") == e.SID }) {
				calls = append(calls, e.Params)
			}
		}
		if len(calls) != messages {
			t.Fatalf("%d calls", len(calls))
		}
		clock.Advance(time.Minute)
		var both sync.WaitGroup
		both.Go(func() {
			if err := c.service.CatchUp(ctx, models.CatchUp{Account: c.account.ID}); err != nil {
				t.Error(err)
			}
		})
		for _, form := range calls {
			both.Go(func() {
				if err := c.service.TakeHook(ctx, c.webhook(service.HookInbound, form, c.token())); err != nil {
					t.Error(err)
				}
			})
		}
		both.Wait()
		c.replay()
		if got := strings.Fields(c.thread()); len(got) != messages {
			t.Errorf("%d messages: %v", len(got), got)
		}
	})
}

// A message of this moment is left to its webhook, which knows more; a job comes back for it.
func TestYoungMessagesAreLeftToTheirWebhook(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		c.write(0, "known")
		clock.Advance(time.Minute)
		c.unheard(0, "young", "")
		clock.Advance(10 * time.Second)
		was := c.jobsLeft()
		c.catchUp()
		if got := c.thread(); got != "known" {
			t.Errorf("%s", got)
		}
		if n := c.jobsLeft(); n != was+1 {
			t.Errorf("%d jobs were entered", n-was)
		}
		clock.Advance(time.Minute)
		c.catchUp()
		if got := c.thread(); got != "known young" {
			t.Errorf("%s", got)
		}
	})
}

func (c *center) jobsLeft() int {
	c.t.Helper()
	n, err := c.store.CountJobs(ctx)
	if err != nil {
		c.t.Fatal(err)
	}
	return n
}

// When Twilio does not answer the mark stays where it is, and the next time all is taken in. What the spool holds goes first.
func TestCatchUpFails(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		clock.Advance(time.Minute)
		c.catchUp()
		mark := c.caughtUpAt()
		c.unheard(0, "lost", "")
		clock.Advance(time.Hour)
		gone := twilio.New(twilio.Options{Base: &url.URL{Scheme: "http", Host: "127.0.0.1:1"}})
		other, err := service.New(ctx, service.Options{Store: c.store, Twilio: gone, PublicURL: &url.URL{}, IsSimulated: c.sim.Has})
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		if err := other.CatchUp(ctx, models.CatchUp{Account: c.account.ID}); err == nil || !c.caughtUpAt().Equal(mark) {
			t.Errorf("%v; the mark is at %s", err, c.caughtUpAt())
		}
		waiting := c.webhook(service.HookInbound, text(1, customer, number), c.token())
		waiting.Verified = true
		if err := c.spool.Append(waiting); err != nil {
			t.Fatal(err)
		}
		if err := c.service.CatchUp(ctx, models.CatchUp{Account: c.account.ID}); err == nil {
			t.Error("it was listed before the spool was empty")
		}
		c.replay()
		c.catchUp()
		if got := c.thread(); got != "lost m1" {
			t.Errorf("%s", got)
		}
		done := c.caughtUpAt()
		clock.Advance(time.Minute)
		if err := c.service.CatchUp(ctx, models.CatchUp{Account: c.account.ID, Asked: done.UnixMicro()}); err != nil || !c.caughtUpAt().Equal(done) {
			t.Errorf("what was asked before the last listing was listed again: %v", err)
		}
	})
}

// A listed message has its file, a pin has its placeholder, and the address that Twilio is given ends with the overrides
// without which it would not try again.
func TestCatchUpTakesFiles(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		if !strings.HasSuffix(c.service.InboundURL(c.account), twilio.ConnectionOverrides) {
			t.Error(c.service.InboundURL(c.account))
		}
		for _, kind := range []string{"image", "audio", "document", "sticker", "location"} {
			c.unheard(0, "", kind)
		}
		clock.Advance(time.Minute)
		c.catchUp()
		var kinds []string
		threads, _ := c.threads()
		for _, m := range threads[c.customer(0)] {
			if m.Direction != models.In {
				continue
			}
			kinds = append(kinds, string(m.Kind))
			files, err := c.store.FilesOfMessages(ctx, m.AccountID, []models.MessageID{m.ID})
			if err != nil || (len(files[m.ID]) == 1) == (m.Kind == models.KindUnsupported) {
				t.Errorf("%s has %d files: %v", m.Kind, len(files[m.ID]), err)
			}
		}
		if got := strings.Join(kinds, " "); got != "image audio document sticker unsupported" {
			t.Errorf("%s", got)
		}
	})
}

package service_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kanal/models"
	"kanal/service"
	"kanal/store"
	"kanal/store/storetest"
	"kanal/twilio/simulator"
)

// outage takes a center's database away behind its back and brings it back.
type outage struct {
	t       *testing.T
	dialect store.Dialect
	db      *sql.DB
	tx      *sql.Tx
}

// eachWithOutage runs a test on a center whose database can be taken away.
func eachWithOutage(t *testing.T, f func(t *testing.T, c *center, clock *storetest.Clock, o *outage)) {
	t.Helper()
	for _, d := range storetest.Dialects {
		t.Run(string(d), func(t *testing.T) {
			address, clock := storetest.URL(t, d), storetest.NewClock()
			c := newCenter(t, storetest.OpenURL(t, address, clock.Now), clock)
			f(t, c, clock, &outage{t: t, dialect: d, db: openRaw(t, d, address)})
		})
	}
}

// begin locks what every transaction needs: on SQLite the file for writing, on PostgreSQL all tables of messages.
func (o *outage) begin() {
	o.t.Helper()
	var err error
	if o.tx, err = o.db.BeginTx(ctx, nil); err != nil {
		o.t.Fatal(err)
	}
	if o.dialect == store.Postgres {
		_, err = o.tx.ExecContext(ctx, "LOCK TABLE messages, contacts, conversations, quarantines, provider_events, accounts, river_job IN ACCESS EXCLUSIVE MODE")
	}
	if err != nil {
		o.t.Fatal(err)
	}
	o.t.Cleanup(o.end)
}

func (o *outage) end() {
	if o.tx != nil {
		_ = o.tx.Rollback()
		o.tx = nil
	}
}

// replay runs until the spool is empty.
func (c *center) replay() {
	c.t.Helper()
	c.replayUntil("the spool is empty", func() bool { return c.spool.Records() == 0 })
}

// replayUntil runs what a process runs from its start on.
func (c *center) replayUntil(what string, f func() bool) {
	c.t.Helper()
	running, stop := context.WithCancel(ctx)
	var done sync.WaitGroup
	done.Go(func() { c.service.Replay(running) })
	defer func() { stop(); done.Wait() }()
	c.until(what, f)
}

func (c *center) token() string { return c.sim.Accounts()[0].Token }

// take posts a webhook and wants it to be kept.
func (c *center) take(call service.HookCall) {
	c.t.Helper()
	if err := c.service.TakeHook(ctx, call); err != nil {
		c.t.Fatal(err)
	}
}

// thread gives what stands in the one conversation, without lines of the center's own.
func (c *center) thread() string {
	c.t.Helper()
	ms, err := c.store.Messages(ctx, c.only().Conversation, 0)
	if err != nil {
		c.t.Fatal(err)
	}
	var all []string
	for _, m := range ms {
		if m.Direction != models.System {
			all = append(all, m.Body)
		}
	}
	return strings.Join(all, " ")
}

const customer = "whatsapp:+4740000142"

// While the database is away, what Twilio says is kept on disk and answered in time; when it is back all of it is there,
// once and in order, at the time at which it came.
func TestDatabaseAway(t *testing.T) {
	eachWithOutage(t, func(t *testing.T, c *center, clock *storetest.Clock, o *outage) {
		c.take(c.webhook(service.HookInbound, text(1, customer, number), c.token()))
		o.begin()
		came := clock.Now()
		began := time.Now()
		for i := 2; i <= 40; i++ {
			c.take(c.webhook(service.HookInbound, text(i, customer, number), c.token()))
			if i == 2 && time.Since(began) > 4*time.Second {
				t.Errorf("the first one waited %s; Twilio gives up after four seconds", time.Since(began))
			}
		}
		if all := time.Since(began); all > 6*time.Second {
			t.Errorf("39 calls took %s: each waits for the database", all)
		}
		report := url.Values{"MessageSid": {sid(900)}, "AccountSid": {c.sid}, "MessageStatus": {"sent"}}
		c.take(c.webhook(service.HookStatus, report, c.token()))
		if n := c.spool.Records(); n != 40 {
			t.Fatalf("%d are in the spool", n)
		}
		clock.Advance(30 * time.Second)
		o.end()
		// The database is there, but what waits goes first.
		c.take(c.webhook(service.HookInbound, text(41, customer, number), c.token()))
		c.replay()
		var want []string
		for i := 1; i <= 41; i++ {
			want = append(want, fmt.Sprint("m", i))
		}
		if got := c.thread(); got != strings.Join(want, " ") {
			t.Errorf("%s", got)
		}
		ms, _ := c.store.Messages(ctx, c.only().Conversation, 0)
		if at := ms[20].CreatedAt; !at.Equal(came) {
			t.Errorf("it came at %s and says %s", came, at)
		}
		c.take(c.webhook(service.HookInbound, text(42, customer, number), c.token()))
		if !strings.HasSuffix(c.thread(), "m42") || c.spool.Records() != 0 {
			t.Error("after the outage webhooks do not go to the database")
		}
	})
}

// A process that dies while it replays begins again: nothing is kept twice, neither messages nor reports nor quarantine.
func TestReplayTwice(t *testing.T) {
	eachWithOutage(t, func(t *testing.T, c *center, _ *storetest.Clock, o *outage) {
		calls := []service.HookCall{
			c.webhook(service.HookInbound, text(1, customer, number), c.token()),
			c.webhook(service.HookInbound, text(2, customer, "+4799999999"), c.token()), // for no number of ours
			c.webhook(service.HookStatus, url.Values{"MessageSid": {sid(900)}, "MessageStatus": {"sent"}}, c.token()),
			c.webhook(service.HookInbound, text(3, customer, number), c.token()),
		}
		for range 2 {
			for _, call := range calls {
				call.Verified = true
				if err := c.spool.Append(call); err != nil {
					t.Fatal(err)
				}
			}
			c.replay()
		}
		qs, err := c.store.Quarantined(ctx, store.QuarantineFilter{})
		if got := c.thread(); got != "m1 m3" || err != nil || len(qs) != 1 {
			t.Errorf("%s, %d in quarantine, %v", got, len(qs), err)
		}
		var reports int
		if err := o.db.QueryRowContext(ctx, "SELECT count(*) FROM provider_events").Scan(&reports); err != nil || reports != 1 {
			t.Errorf("the report is kept %d times, %v", reports, err)
		}
	})
}

// Messages and reports that wait share commits, and come out as one by one: a report finds its message by our id and binds
// the sid for the next, the last one is late and moves nothing, and what is bad in the middle takes nothing with it. A process
// that dies after any of the commits changes nothing.
func TestReplayMixed(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		id := c.quiet()
		c.sim.Fail(c.sid, simulator.FaultCommitDrop)
		first := c.reply(id, "k1", "first")
		c.send(id)
		if m := c.message(first.ID); m.ProviderSID != nil {
			t.Fatalf("%+v: the test does not reach what it is about", m)
		}
		at := c.sim.Thread(c.sid, c.customer(0), number)[1].SID
		report := func(status, query, code string) service.HookCall {
			form := url.Values{"MessageSid": {at}, "AccountSid": {c.sid}, "MessageStatus": {status}}
			if code != "" {
				form.Set("ErrorCode", code)
			}
			call := c.webhook(service.HookStatus, form, c.token())
			call.URI += query
			return call
		}
		from := string(c.customer(0))
		calls := []service.HookCall{
			c.webhook(service.HookInbound, text(2, from, number), c.token()),
			report("sent", fmt.Sprintf("?m=%d&n=1", first.ID), ""),
			report("delivered", "", ""),
			c.webhook(service.HookStatus, url.Values{"AccountSid": {c.sid}}, c.token()), // nothing that can be read
			c.webhook(service.HookInbound, text(3, from, number), c.token()),
			report("read", "", ""),
			report("sent", "?late", ""),
			report("failed", "", "63016"),
			c.webhook(service.HookInbound, text(4, from, number), c.token()),
		}
		for i := range calls {
			calls[i].Verified, calls[i].ReceivedAt = true, calls[i].ReceivedAt.Add(time.Duration(i)*time.Second)
		}
		for range 2 {
			for range 2 { // also twice in one batch
				for _, call := range calls {
					if err := c.spool.Append(call); err != nil {
						t.Fatal(err)
					}
				}
			}
			c.replay()
		}
		got := c.message(first.ID)
		if got.State != models.Read || got.ProviderSID == nil || *got.ProviderSID != at || !got.DeliveredAt.Equal(calls[2].ReceivedAt) || !got.ReadAt.Equal(calls[5].ReceivedAt) {
			t.Errorf("%+v", got)
		}
		events, err := c.store.Reports(ctx, got)
		if err != nil || len(events) != 5 {
			t.Errorf("%d reports are kept: %v", len(events), err)
		}
		qs, err := c.store.Quarantined(ctx, store.QuarantineFilter{})
		if err != nil || len(qs) != 1 || c.thread() != "Hei first m2 m3 m4" {
			t.Errorf("%s; %d in quarantine: %v", c.thread(), len(qs), err)
		}
	})
}

// What cannot be taken in for a lasting reason goes into quarantine and does not stand before the next.
func TestPoisonedRecord(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		bad := text(2, customer, number)
		bad.Set("Body", "not UTF-8: \xff")
		for _, form := range []url.Values{text(1, customer, number), bad, text(3, customer, number)} {
			call := c.webhook(service.HookInbound, form, c.token())
			call.Verified = true
			if err := c.spool.Append(call); err != nil {
				t.Fatal(err)
			}
		}
		c.replay()
		qs, err := c.store.Quarantined(ctx, store.QuarantineFilter{})
		if got := c.thread(); got != "m1 m3" || err != nil || len(qs) != 1 || qs[0].Reason != "quarantine.unreadable" {
			t.Errorf("%s, %+v, %v", got, qs, err)
		}
	})
}

// Without a copy of the key in memory a call is kept unverified, and checked when the database is back: a forged one is
// dropped and counted, one for nobody is dropped, and Twilio's is taken in.
func TestUnverified(t *testing.T) {
	eachWithOutage(t, func(t *testing.T, c *center, _ *storetest.Clock, o *outage) {
		o.begin()
		c.take(c.webhook(service.HookInbound, text(1, customer, number), c.token())) // the database is found to be away
		stranger := c.webhook(service.HookInbound, text(2, customer, number), c.token())
		stranger.Key = "nobody's"
		c.take(stranger)
		forged := c.webhook(service.HookInbound, text(3, customer, number), "a guess")
		if err := c.service.TakeHook(ctx, forged); !errors.Is(err, service.ErrBadSignature) {
			t.Errorf("a wrong signature, with the token in memory: %v", err)
		}
		o.end()
		forged.Verified = false // as an instance keeps it that does not know the account yet
		honest := c.webhook(service.HookInbound, text(4, customer, number), c.token())
		for _, call := range []service.HookCall{forged, honest} {
			if err := c.spool.Append(call); err != nil {
				t.Fatal(err)
			}
		}
		c.replay()
		if got := c.thread(); got != "m1 m4" {
			t.Errorf("%s", got)
		}
		if fresh, err := c.store.Account(ctx, c.account.ID); err != nil || fresh.LastSignatureFail == nil {
			t.Errorf("the forged one was not counted: %v", err)
		}
	})
}

// What a process has left in the spool is taken in by the next one.
func TestSpoolIsReplayedAtStart(t *testing.T) {
	eachWithOutage(t, func(t *testing.T, c *center, _ *storetest.Clock, o *outage) {
		o.begin()
		c.take(c.webhook(service.HookInbound, text(1, customer, number), c.token()))
		o.end()
		c.service.Close()
		if err := c.spool.Close(); err != nil {
			t.Fatal(err)
		}
		c.open()
		c.replay()
		if got := c.thread(); got != "m1" {
			t.Errorf("%s", got)
		}
	})
}

// counter counts what a log says.
type counter struct {
	slog.Handler
	what string
	n    atomic.Int32
}

// Enabled lets everything through.
func (*counter) Enabled(context.Context, slog.Level) bool { return true }

// Handle counts a line.
func (c *counter) Handle(_ context.Context, r slog.Record) error {
	if r.Message == c.what {
		c.n.Add(1)
	}
	return nil
}

// What fails again and again while the database answers goes into quarantine too, though nobody knows why: what is behind it
// gets in, and it can be taken in when its trouble is over.
func TestHopelessRecord(t *testing.T) {
	eachWithOutage(t, func(t *testing.T, c *center, _ *storetest.Clock, o *outage) {
		exec := func(sql string) {
			t.Helper()
			if _, err := o.db.ExecContext(ctx, sql); err != nil {
				t.Fatal(err)
			}
		}
		for _, call := range []service.HookCall{
			c.webhook(service.HookInbound, text(1, customer, number), c.token()),
			c.webhook(service.HookStatus, url.Values{"MessageSid": {sid(900)}, "AccountSid": {c.sid}, "MessageStatus": {"sent"}}, c.token()),
		} {
			call.Verified = true
			if err := c.spool.Append(call); err != nil {
				t.Fatal(err)
			}
		}
		exec("ALTER TABLE service_windows RENAME TO away")
		waits := &counter{what: "the spool waits for the database"}
		c.service.Close()
		public, _ := url.Parse(c.hooks.URL)
		var err error
		if c.service, err = service.New(ctx, service.Options{Store: c.store, Spool: c.spool, PublicURL: public, Log: slog.New(waits)}); err != nil {
			t.Fatal(err)
		}
		c.replay()
		if n := waits.n.Load(); n < 5 {
			t.Errorf("it was given up after %d failures", n)
		}
		exec("ALTER TABLE away RENAME TO service_windows")
		qs, err := c.store.Quarantined(ctx, store.QuarantineFilter{})
		if err != nil || len(qs) != 1 || qs[0].Kind != "inbound" || qs[0].Reason != models.QuarantineFailed {
			t.Fatalf("%+v %v", qs, err)
		}
		if problem, err := c.service.ReplayQuarantined(ctx, c.agent, qs[0].ID); problem != "" || err != nil || c.thread() != "m1" {
			t.Errorf("%q, %v, %s", problem, err, c.thread())
		}
	})
}

// At its start, and each time when the spool is empty again, a process lets each account list what Twilio has taken in.
func TestListingFollowsTheSpool(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		jobs := c.jobsLeft()
		c.replayUntil("the start lists", func() bool {
			if c.jobsLeft() == jobs {
				return false
			}
			if c.spool.Records() == 0 && c.jobsLeft() == jobs+1 {
				call := c.webhook(service.HookInbound, text(1, customer, number), c.token())
				call.Verified = true
				if err := c.spool.Append(call); err != nil {
					t.Fatal(err)
				}
				c.until("the spool is empty, and each account lists again", func() bool { return c.jobsLeft() == jobs+2 })
			}
			return c.spool.Records() == 0
		})
		if got := c.thread(); got != "m1" {
			t.Errorf("%s", got)
		}
	})
}

package service_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"kanal/jobs"
	"kanal/models"
	"kanal/service"
	"kanal/store"
	"kanal/store/blob"
	"kanal/store/spool"
	"kanal/store/storetest"
	"kanal/twilio"
	"kanal/twilio/simulator"
)

var ctx = context.Background()

const number = "+4721000040"

// center is a whole center without its pages: store, service, jobs, a simulated Twilio and its webhooks.
type center struct {
	t       testing.TB
	store   *store.Store
	service *service.Service
	sim     *simulator.Simulator
	account models.Account
	sid     string
	number  models.NumberID
	agent   models.Viewer
	hooks   *httptest.Server
	runner  *store.Runner
	blobs   *blob.Store
	spool   *spool.Spool
	// spoolDir is where the spool lies.
	spoolDir string
}

func newCenter(t testing.TB, s *store.Store, clock *storetest.Clock) *center {
	t.Helper()
	o := simulator.Options{Now: time.Now}
	if clock != nil {
		o.Now = clock.Now
	}
	sim, err := simulator.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	c := &center{t: t, store: s, sim: sim}
	a := sim.Mint("Test", number)
	c.sid = a.SID
	sim.SetOutcome(a.SID, simulator.Outcome{Final: "read", Step: time.Millisecond})
	c.hooks = httptest.NewServer(http.HandlerFunc(c.hook))
	c.seed(a)
	c.blobs, c.spoolDir = storetest.Files(t), filepath.Join(t.TempDir(), "spool")
	c.open()
	sim.SetInboundURL(a.SID, number, c.service.InboundURL(c.account))
	t.Cleanup(func() {
		c.stopJobs()
		_ = sim.Close()
		c.hooks.Close()
		c.service.Close()
		_ = c.spool.Close()
	})
	return c
}

// open makes the service, as a process does when it starts.
func (c *center) open() {
	c.t.Helper()
	public, _ := url.Parse(c.hooks.URL)
	var err error
	if c.spool, err = spool.Open(spool.Options{Dir: c.spoolDir, Log: storetest.Log(c.t)}); err != nil {
		c.t.Fatal(err)
	}
	at := twilio.Options{SimulatorBase: c.sim.URL(), SimulatorMedia: c.sim.MediaURL(), IsSimulated: c.sim.Has}
	c.service, err = service.New(ctx, service.Options{
		Files: c.blobs, Spool: c.spool, Store: c.store, Twilio: twilio.New(at), PublicURL: public, Log: storetest.Log(c.t), IsSimulated: c.sim.Has,
	})
	if err != nil {
		c.t.Fatal(err)
	}
}

// seed writes an account with a number, a queue and an agent.
func (c *center) seed(a simulator.Account) {
	c.t.Helper()
	err := c.store.InTx(ctx, func(tx *store.Tx) error {
		now := tx.Now()
		u := models.User{Email: "a@example.com", Name: "Ada", Role: models.Agent, Version: 1, CreatedAt: now, UpdatedAt: now}
		q := models.Queue{Name: "Default", IsDefault: true, Version: 1, CreatedAt: now}
		c.account = models.Account{Name: "Test", Channel: models.ChannelWhatsApp, SID: a.SID, HookKey: "key", State: models.AccountActive, Step: models.StepCallback, Simulated: true, Version: 1, CreatedAt: now, UpdatedAt: now}
		for _, row := range []any{&u, &q, &c.account} {
			if err := tx.Insert(ctx, row); err != nil {
				return err
			}
		}
		c.account.TokenSealed = c.store.Seal(models.Secret(a.Token), fmt.Sprintf("accounts/%d", c.account.ID))
		if err := tx.SetAccountToken(ctx, c.account.ID, c.account.TokenSealed, "abcd"); err != nil {
			return err
		}
		n := models.Number{AccountID: c.account.ID, Name: "Test", Address: number, Version: 1, CreatedAt: now, UpdatedAt: now}
		if err := tx.Insert(ctx, &n); err != nil {
			return err
		}
		c.number, c.agent = n.ID, models.Viewer{User: u.ID, Role: models.Agent}
		return tx.SetQueueMember(ctx, q.ID, u.ID, true)
	})
	if err != nil {
		c.t.Fatal(err)
	}
}

// hook is what the web floor does with a webhook.
func (c *center) hook(w http.ResponseWriter, r *http.Request) {
	if token, ok := strings.CutPrefix(r.URL.Path, "/media/"); ok {
		c.media(w, r, token)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		c.t.Error(err)
	}
	kind, _ := strings.CutPrefix(r.URL.Path, "/hooks/twilio/key/")
	err = c.service.TakeHook(r.Context(), service.HookCall{
		Key: "key", Kind: service.HookKind(kind), Method: r.Method, URI: r.RequestURI, ContentType: r.Header.Get("Content-Type"),
		Signature: r.Header.Get(twilio.SignatureHeader), Body: body, ReceivedAt: c.store.Now(),
	})
	if err != nil {
		c.t.Log("webhook:", err)
		w.WriteHeader(http.StatusServiceUnavailable)
	}
}

// webhook makes a call of Twilio's, signed with a token.
func (c *center) webhook(kind service.HookKind, form url.Values, token string) service.HookCall {
	uri := "/hooks/twilio/key/" + string(kind)
	return service.HookCall{
		Key: "key", Kind: kind, Method: http.MethodPost, URI: uri, ContentType: "application/x-www-form-urlencoded",
		Signature: twilio.Sign(token, c.hooks.URL+uri, form), Body: []byte(form.Encode()), ReceivedAt: c.store.Now(),
	}
}

func (c *center) startJobs() {
	c.t.Helper()
	var err error
	if c.runner, err = jobs.New(c.store, c.service); err != nil {
		c.t.Fatal(err)
	}
	if err := c.runner.Start(ctx); err != nil {
		c.t.Fatal(err)
	}
}

func (c *center) stopJobs() {
	if c.runner == nil {
		return
	}
	stop, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := c.runner.Stop(stop); err != nil {
		c.t.Error(err)
	}
	c.runner = nil
}

func (c *center) customer(i int) twilio.Address { return c.sim.Accounts()[0].Customers[i].Address }

func (c *center) write(i int, body string) {
	c.t.Helper()
	codes := c.sim.Receive(c.sid, simulator.Write{Customer: c.customer(i), Number: number, Body: body})
	if len(codes) == 0 || codes[len(codes)-1] != http.StatusOK {
		c.t.Fatalf("webhook: %v", codes)
	}
}

// only gives the one conversation that the agent sees.
func (c *center) only() models.ConversationRow {
	c.t.Helper()
	rows, err := c.store.Conversations(ctx, c.agent, store.InboxFilter{View: models.ViewAll})
	if err != nil || len(rows) != 1 {
		c.t.Fatalf("%d conversations, want 1: %v", len(rows), err)
	}
	return rows[0]
}

func (c *center) reply(id models.ConversationID, key, body string) models.Message {
	c.t.Helper()
	m, err := c.service.Reply(ctx, c.agent, service.Reply{Conversation: id, Key: key, Body: body})
	if err != nil {
		c.t.Fatal(err)
	}
	return m
}

func (c *center) message(id models.MessageID) models.Message {
	c.t.Helper()
	m, err := c.store.Message(ctx, id)
	if err != nil {
		c.t.Fatal(err)
	}
	return m
}

// until waits for something that jobs and callbacks bring about.
func (c *center) until(what string, f func() bool) {
	c.t.Helper()
	for end := time.Now().Add(30 * time.Second); !f(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			c.t.Fatal("never: " + what)
		}
	}
}

func (c *center) creates() (n int) {
	for _, e := range c.sim.Ledger(c.sid) {
		if e.What == "create" && e.SID != "" {
			n++
		}
	}
	return n
}

func each(t *testing.T, f func(t *testing.T, c *center, clock *storetest.Clock)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) { f(t, newCenter(t, s, clock), clock) })
}

func TestReceiveThenReply(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		c.startJobs()
		c.write(0, "Hei")
		row := c.only()
		if row.State != models.Open || row.Unread != 1 || row.LastPreview != "Hei" || row.ContactName != "Kari Nordli" || row.WindowClosesAt == nil {
			t.Fatalf("%+v", row)
		}
		m := c.reply(row.ID, "k1", "Hei, Kari")
		c.until("read", func() bool { return c.message(m.ID).State == models.Read })
		row = c.only()
		if row.State != models.Active || *row.UserID != c.agent.User || row.Unread != 0 || row.LastState != models.Read {
			t.Errorf("%+v", row)
		}
		if again := c.reply(row.ID, "k1", "Hei, Kari"); again.ID != m.ID || c.creates() != 1 {
			t.Errorf("the same key is the same message: %d creates", c.creates())
		}
		if _, err := c.service.Reply(ctx, c.agent, service.Reply{Conversation: row.ID, Key: "k1", Body: "other"}); models.KindOf(err) != models.KindConflict {
			t.Error(err)
		}
		ms, err := c.store.Messages(ctx, row.Conversation, 0)
		if err != nil || len(ms) != 3 || ms[0].Direction != models.In || ms[1].Body != "system.assigned" || ms[2].ID != m.ID {
			t.Errorf("%+v %v", ms, err)
		}
	})
}

func TestFiftyWebhooksOneConversation(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		var wg sync.WaitGroup
		for i := range 50 {
			wg.Add(1)
			go func() { defer wg.Done(); c.write(0, fmt.Sprint("m", i)) }()
		}
		wg.Wait()
		row := c.only()
		ms, err := c.store.Messages(ctx, row.Conversation, 0)
		if err != nil || row.Seq != 50 || row.Unread != 50 || len(ms) != 50 {
			t.Fatalf("seq %d, unread %d, %d messages: %v", row.Seq, row.Unread, len(ms), err)
		}
		for i, m := range ms {
			if m.Seq != float64(i+1) {
				t.Fatalf("message %d has seq %g", i, m.Seq)
			}
		}
	})
}

func TestRepeatChangesNothing(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		codes := c.sim.Receive(c.sid, simulator.Write{Customer: c.customer(0), Number: number, Body: "x", Fault: simulator.FaultInboundTwice})
		if fmt.Sprint(codes) != "[200 200]" || c.only().Seq != 1 {
			t.Errorf("%v, seq %d", codes, c.only().Seq)
		}
	})
}

func TestHiddenNumberIsTheSameCustomer(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		c.sim.AddCustomer(c.sid, simulator.Customer{Name: "Kari", Address: "whatsapp:NO.1A2B3C4D5E6F7G8H9I0J", BSUID: "NO.1A2B3C4D5E6F7G8H9I0J"})
		c.write(0, "with my number")
		c.write(3, "without")
		row := c.only()
		if row.Seq != 2 || row.Address != "whatsapp:NO.1A2B3C4D5E6F7G8H9I0J" {
			t.Errorf("seq %d, address %s: replies go to the address of the last message", row.Seq, row.Address)
		}
	})
}

func TestWindow(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		c.write(0, "Hei")
		row := c.only()
		clock.Advance(24*time.Hour - time.Microsecond)
		c.reply(row.ID, "k1", "in time")
		clock.Advance(time.Microsecond)
		if _, err := c.service.Reply(ctx, c.agent, service.Reply{Conversation: row.ID, Key: "k2", Body: "late"}); !errors.Is(err, service.ErrWindowClosed) {
			t.Error(err)
		}
		c.write(0, "again")
		c.reply(row.ID, "k3", "open again")
	})
}

func TestQueuedMessageFailsWhenTheWindowClosedMeanwhile(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		c.write(0, "Hei")
		m := c.reply(c.only().ID, "k1", "x")
		clock.Advance(25 * time.Hour)
		if err := c.service.SendConversation(ctx, m.ConversationID); err != nil {
			t.Fatal(err)
		}
		if got := c.message(m.ID); got.State != models.Failed || got.ErrorCode != twilio.CodeOutsideWindow || c.creates() != 0 {
			t.Errorf("%+v", got)
		}
	})
}

func TestFaultsOfACreate(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		c.write(0, "Hei")
		id := c.only().ID
		for i, tt := range []struct {
			fault simulator.Fault
			want  models.MessageState
		}{
			{simulator.FaultTooMany, models.Queued},
			{simulator.FaultRejected, models.Failed},
		} {
			c.sim.Fail(c.sid, tt.fault)
			m := c.reply(id, fmt.Sprint("k", i), "x")
			if err := c.service.SendConversation(ctx, id); err != nil {
				t.Fatal(err)
			}
			if got := c.message(m.ID); got.State != tt.want {
				t.Errorf("%s: %s, want %s", tt.fault, got.State, tt.want)
			}
			clock.Advance(time.Minute)
			if err := c.service.SendConversation(ctx, id); err != nil {
				t.Fatal(err)
			}
			if tt.want == models.Queued && c.message(m.ID).Attempt != 2 {
				t.Errorf("%s: not tried again", tt.fault)
			}
		}
	})
}

func TestUncertainIsSettledByListing(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		c.sim.SetOutcome(c.sid, simulator.Outcome{Final: "none"})
		c.write(0, "Hei")
		id := c.only().ID
		c.sim.Fail(c.sid, simulator.FaultCommitDrop)
		m := c.reply(id, "k1", "sent once")
		if err := c.service.SendConversation(ctx, id); err != nil {
			t.Fatal(err)
		}
		if got := c.message(m.ID); got.State != models.Uncertain {
			t.Fatal(got.State)
		}
		clock.Advance(2 * time.Minute)
		if err := c.service.SettleMessage(ctx, m.ID); err != nil {
			t.Fatal(err)
		}
		if got := c.message(m.ID); got.State != models.Accepted || got.ProviderSID == nil || c.creates() != 1 {
			t.Errorf("%s after %d creates", got.State, c.creates())
		}
	})
}

func TestUncertainIsSentAgainOnlyAfterTwoListings(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		c.write(0, "Hei")
		id := c.only().ID
		c.sim.Fail(c.sid, simulator.FaultDown)
		m := c.reply(id, "k1", "lost")
		if err := c.service.SendConversation(ctx, id); err != nil {
			t.Fatal(err)
		}
		for i, want := range []models.MessageState{models.Uncertain, models.Uncertain, models.Queued} {
			if i > 0 {
				clock.Advance(71 * time.Second)
			}
			if err := c.service.SettleMessage(ctx, m.ID); err != nil {
				t.Fatal(err)
			}
			if got := c.message(m.ID).State; got != want {
				t.Fatalf("after listing %d: %s, want %s", i+1, got, want)
			}
		}
		if err := c.service.SendConversation(ctx, id); err != nil {
			t.Fatal(err)
		}
		if got := c.message(m.ID); got.Attempt != 2 || c.creates() != 1 {
			t.Errorf("attempt %d, %d creates", got.Attempt, c.creates())
		}
	})
}

func TestCallbackBeforeTheAnswer(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		c.write(0, "Hei")
		id := c.only().ID
		c.sim.Fail(c.sid, simulator.FaultCommitSlow)
		m := c.reply(id, "k1", "x")
		if err := c.service.SendConversation(ctx, id); err != nil {
			t.Fatal(err)
		}
		if got := c.message(m.ID); got.State != models.Read || got.ProviderSID == nil {
			t.Errorf("%+v", got)
		}
	})
}

func TestStatusesOnlyMoveForward(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		c.sim.SetOutcome(c.sid, simulator.Outcome{Final: "none"})
		c.write(0, "Hei")
		id := c.only().ID
		m := c.reply(id, "k1", "x")
		if err := c.service.SendConversation(ctx, id); err != nil {
			t.Fatal(err)
		}
		sid := *c.message(m.ID).ProviderSID
		for _, step := range []struct {
			report string
			want   models.MessageState
		}{
			{"delivered", models.Delivered}, {"sent", models.Delivered}, {"failed", models.Delivered}, {"something_new", models.Delivered},
			{"read", models.Read}, {"delivered", models.Read}, {"read", models.Read},
		} {
			c.sim.Report(c.sid, sid, step.report, 63024)
			if got := c.message(m.ID).State; got != step.want {
				t.Errorf("after %s: %s, want %s", step.report, got, step.want)
			}
		}
	})
}

func TestRefusedOutsideWindowClosesIt(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		c.sim.SetOutcome(c.sid, simulator.Outcome{Final: "none"})
		c.write(0, "Hei")
		id := c.only().ID
		m := c.reply(id, "k1", "x")
		if err := c.service.SendConversation(ctx, id); err != nil {
			t.Fatal(err)
		}
		clock.Advance(time.Second)
		c.sim.Report(c.sid, *c.message(m.ID).ProviderSID, "undelivered", twilio.CodeOutsideWindow)
		if w := c.only().Window(); w.IsOpen(c.store.Now()) {
			t.Error("the window is still open")
		}
	})
}

func TestMissingProcessMakesUncertain(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		c.write(0, "Hei")
		id := c.only().ID
		c.sim.Fail(c.sid, simulator.FaultCommitHang)
		m := c.reply(id, "k1", "x")
		cut, cancel := context.WithCancel(ctx)
		done := make(chan error, 1)
		go func() { done <- c.service.SendConversation(cut, id) }()
		c.until("created", func() bool { return c.creates() == 1 })
		cancel() // the stop of a program does not cut a request that is on its way
		c.until("called back", func() bool { return c.message(m.ID).State == models.Read })
		if got := c.message(m.ID); got.Attempt != 1 || c.creates() != 1 {
			t.Errorf("%+v", got)
		}
		clock.Advance(time.Minute)
	})
}

func TestGreetingOnce(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		err := c.store.InTx(ctx, func(tx *store.Tx) error {
			return tx.Insert(ctx, &models.AutomatedMessage{NumberID: c.number, Trigger: models.TriggerStarted, Active: true, Text: "Velkommen", UpdatedAt: tx.Now()})
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.service.Reload(ctx); err != nil {
			t.Fatal(err)
		}
		c.startJobs()
		c.write(0, "Hei")
		c.write(0, "Hallo?")
		c.until("greeting sent", func() bool { return c.creates() == 1 })
		row := c.only()
		ms, err := c.store.Messages(ctx, row.Conversation, 0)
		if err != nil || len(ms) != 3 || ms[1].Trigger != models.TriggerStarted || ms[1].Body != "Velkommen" || row.UnansweredAt == nil {
			t.Errorf("%+v %v", ms, err)
		}
	})
}

func TestResolveReopenClose(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		c.write(0, "Hei")
		id, err := c.service.TakeNext(ctx, c.agent)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.service.TakeNext(ctx, c.agent); !errors.Is(err, service.ErrQueueEmpty) {
			t.Error(err)
		}
		for _, step := range []struct {
			do   func(context.Context, models.Viewer, models.ConversationID) error
			want models.ConversationState
		}{
			{c.service.Resolve, models.WrapUp}, {c.service.Reopen, models.Active}, {c.service.Resolve, models.WrapUp},
		} {
			if err := step.do(ctx, c.agent, id); err != nil {
				t.Fatal(err)
			}
			if got := c.only().State; got != step.want {
				t.Fatalf("%s, want %s", got, step.want)
			}
		}
		c.write(0, "one more thing")
		if row := c.only(); row.State != models.Active || *row.UserID != c.agent.User {
			t.Fatalf("a message in wrap-up returns it to its agent: %+v", row)
		}
		if err := c.service.Resolve(ctx, c.agent, id); err != nil {
			t.Fatal(err)
		}
		clock.Advance(models.WrapUpTime)
		if err := c.service.Housekeeping(ctx); err != nil {
			t.Fatal(err)
		}
		if got, err := c.store.ConversationByID(ctx, id); err != nil || got.State != models.Closed {
			t.Fatal(got.State, err)
		}
		c.write(0, "new matter")
		if row := c.only(); row.ID == id || row.State != models.Open {
			t.Errorf("closed never reopens: %+v", row)
		}
	})
}

func TestOnlyWhoMaySee(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		c.write(0, "Hei")
		id := c.only().ID
		stranger := models.Viewer{User: c.agent.User + 100, Role: models.Agent}
		if _, err := c.store.Conversation(ctx, stranger, id); models.KindOf(err) != models.KindNotFound {
			t.Error(err)
		}
		if _, err := c.service.Reply(ctx, stranger, service.Reply{Conversation: id, Key: "k", Body: "x"}); models.KindOf(err) != models.KindNotFound {
			t.Error(err)
		}
		take := func(ctx context.Context, v models.Viewer, id models.ConversationID) error {
			return c.service.TakeOver(ctx, v, id, 0)
		}
		for _, do := range []func(context.Context, models.Viewer, models.ConversationID) error{take, c.service.Resolve, c.service.Seen, c.service.CloseNow} {
			if err := do(ctx, stranger, id); models.KindOf(err) != models.KindNotFound {
				t.Error(err)
			}
		}
		if _, err := c.store.Conversation(ctx, models.Viewer{User: 999, Role: models.Supervisor}, id); err != nil {
			t.Error("a supervisor sees all:", err)
		}
	})
}

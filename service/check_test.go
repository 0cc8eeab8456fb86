package service_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"kanal/models"
	"kanal/service"
	"kanal/store"
	"kanal/store/blob"
	"kanal/store/storetest"
	"kanal/twilio"
	"kanal/twilio/simulator"
)

// checked runs one part of the connection check and gives its findings as "verdict key", one a line.
func (c *center) checked(s *service.Service, part string) string {
	c.t.Helper()
	run, err := s.NewCheck(ctx)
	if err != nil {
		c.t.Fatal(err)
	}
	found, err := run.Run(ctx, part)
	if err != nil {
		c.t.Fatal(part, err)
	}
	return lines(found)
}

func lines(found []models.Finding) string {
	out := make([]string, len(found))
	for i, f := range found {
		out[i] = string(f.Verdict) + " " + f.Fact.Key
	}
	return strings.Join(out, "\n")
}

// checkStep changes something, and says what a part then finds. A part that is about an account is named without its id.
type checkStep struct {
	name string
	do   func()
	part string
	want string
}

func (c *center) steps(steps []checkStep) {
	c.t.Helper()
	for _, tt := range steps {
		if tt.do != nil {
			tt.do()
		}
		part := strings.ReplaceAll(tt.part, "#", fmt.Sprint(c.account.ID))
		if got := c.checked(c.service, part); got != tt.want {
			c.t.Errorf("%s: %s found\n%s\nwant\n%s", tt.name, part, got, tt.want)
		}
	}
}

func (c *center) inTx(f func(tx *store.Tx) error) {
	c.t.Helper()
	if err := c.store.InTx(ctx, f); err != nil {
		c.t.Fatal(err)
	}
}

// other makes a second service over the same database.
func (c *center) other(o service.Options) *service.Service {
	c.t.Helper()
	o.Store, o.Log = c.store, storetest.Log(c.t)
	if o.Twilio == nil {
		o.Twilio = twilio.New(twilio.Options{})
	}
	if o.PublicURL == nil {
		o.PublicURL, _ = url.Parse(c.hooks.URL)
	}
	s, err := service.New(ctx, o)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(s.Close)
	return s
}

func TestCheckOfTheAccount(t *testing.T) {
	each(t, func(_ *testing.T, c *center, clock *storetest.Clock) {
		template := func(name string, status models.TemplateStatus) {
			c.inTx(func(tx *store.Tx) error {
				return tx.InsertTemplate(ctx, &models.Template{
					AccountID: c.account.ID, Name: name, Language: "nb", Body: "Hei", ContentSID: "HX" + name, Status: status, Source: models.TemplateTwilio,
					Version: 1, CreatedAt: tx.Now(), UpdatedAt: tx.Now(),
				})
			})
		}
		c.steps([]checkStep{
			{"accepted", nil, "token-#", "ok check.token.ok"},
			{"status without address", func() { c.sim.SetStatusURL(c.sid, number, "") }, "sender-#", "ok check.sender.rated\nwarning check.address.partly"},
			{"in place", func() { c.setWebhooks(ctx) }, "sender-#", "ok check.sender.rated\nok check.address.ok"},
			{"another address", func() { c.sim.SetInboundURL(c.sid, number, "https://other.example/in") }, "sender-#", "ok check.sender.rated\nfailed check.address.other"},
			{"no address", func() { c.sim.SetInboundURL(c.sid, number, "") }, "sender-#", "ok check.sender.rated\nfailed check.address.empty"},
			{"offline", func() { c.sim.SetOffline(c.sid, number, true) }, "sender-#", "failed check.sender.offline\nfailed check.address.empty"},
			{"no templates", nil, "templates-#", "ok check.templates.none"},
			{"approved", func() { template("a", models.TemplateApproved) }, "templates-#", "ok check.templates.ok"},
			{"pending", func() { template("b", models.TemplatePending) }, "templates-#", "warning check.templates.waiting"},
			{"paused", func() { template("c", models.TemplatePaused) }, "templates-#", "warning check.templates.refused"},
			{"clocks apart", func() { clock.Advance(-48 * time.Hour) }, "clock-#", "failed check.clock.apart"},
			{"stopped", func() {
				c.inTx(func(tx *store.Tx) error { _, err := tx.StopAccount(ctx, c.account.ID, 20003); return err })
			}, "token-#", "warning check.token.stopped"},
			{"suspended", func() { c.sim.SetSuspended(c.sid, true) }, "token-#", "failed check.token.suspended"},
			{"not run after it", nil, "sender-#", "not_run check.after.token"},
			{"a wrong token", func() {
				c.sim.SetSuspended(c.sid, false)
				c.inTx(func(tx *store.Tx) error {
					return tx.SetAccountToken(ctx, c.account.ID, c.store.Seal("wrong", c.account.ID.Row()), "rong")
				})
			}, "token-#", "failed check.token.rejected"},
			{"clock not run after it", nil, "clock-#", "not_run check.after.token"},
			{"Twilio away", func() { _ = c.sim.Close() }, "token-#", "failed check.token.unreachable"},
		})
		if got := c.checked(c.other(service.Options{}), fmt.Sprint("token-", c.account.ID)); got != "not_run check.simulator_elsewhere" {
			c.t.Error("beside a serving process: ", got)
		}
	})
}

// The clock of the machine is that of the simulator.
func TestCheckOfTheClock(t *testing.T) {
	c := newCenter(t, storetest.Open(t, store.SQLite, nil), nil)
	c.steps([]checkStep{
		{"same clock", nil, "clock-#", "ok check.clock.ok"},
		{"the account's is ahead", func() { c.skipAhead(30 * time.Hour) }, "clock-#", "ok check.clock.ok"},
	})
}

// Reports come by our clock, and messages are written by the account's.
func TestCheckOfReportsAfterSkippingAhead(t *testing.T) {
	each(t, func(_ *testing.T, c *center, clock *storetest.Clock) {
		c.skipAhead(30 * time.Hour)
		m := c.reply(c.quiet(), "k", "Hei")
		c.send(m.ConversationID)
		clock.Advance(10 * time.Minute)
		c.steps([]checkStep{
			{"not told", nil, "reports-#", "failed check.reports.missing"},
			{"told", func() { c.must(c.status(m, 1, *c.message(m.ID).ProviderSID, "delivered", "")) }, "reports-#", "ok check.reports.ok"},
		})
	})
}

func TestCheckOfIncomingMessages(t *testing.T) {
	each(t, func(_ *testing.T, c *center, clock *storetest.Clock) {
		var m models.Message
		c.steps([]checkStep{
			{"only here", nil, "public", "warning check.public.local"},
			{"nothing came", nil, "signature-#", "warning check.signature.none"},
			{"nothing sent", nil, "reports-#", "ok check.reports.nothing_sent"},
			{"a message", func() { c.write(0, "Hei") }, "signature-#", "ok check.signature.ok"},
			{"wrongly signed", func() {
				if err := c.service.TakeHook(ctx, c.webhook(service.HookInbound, url.Values{"Body": {"x"}}, "wrong")); err == nil {
					c.t.Error("taken")
				}
			}, "signature-#", "failed check.signature.failed"},
			{"at another address", func() {
				clock.Advance(2 * time.Second)
				call := c.webhook(service.HookInbound, url.Values{"Body": {"x"}}, "wrong")
				call.Origin = "https://other.example"
				if err := c.service.TakeHook(ctx, call); err == nil {
					c.t.Error("taken")
				}
			}, "signature-#", "failed check.signature.differs"},
			{"told", func() {
				c.startJobs()
				m = c.reply(c.only().ID, "k1", "Hei")
				c.until("read", func() bool { return c.message(m.ID).State == models.Read })
				c.stopJobs()
				clock.Advance(10 * time.Minute)
			}, "reports-#", "ok check.reports.ok"},
			{"not told", func() {
				c.sim.SetChaos(c.sid, simulator.Chaos{Rates: map[simulator.Fault]float64{simulator.FaultStatusLost: 1}})
				c.startJobs()
				next := c.reply(c.only().ID, "k2", "Hallo")
				c.until("accepted", func() bool { return c.message(next.ID).ProviderSID != nil })
				c.stopJobs()
				clock.Advance(10 * time.Minute)
			}, "reports-#", "failed check.reports.missing"},
			{"nothing in quarantine", nil, "quarantine", "ok check.quarantine.ok"},
			{"in quarantine", func() {
				c.inTx(func(tx *store.Tx) error {
					return tx.InsertQuarantine(ctx, &models.Quarantine{AccountID: c.account.ID, Kind: "inbound", Reason: "x", ReceivedAt: tx.Now()})
				})
			}, "quarantine", "warning check.quarantine.some"},
		})
	})
}

// Our public address is asked over the network, with its certificate.
func TestCheckOfThePublicAddress(t *testing.T) {
	clock := storetest.NewClock()
	c := newCenter(t, storetest.Open(t, store.SQLite, clock.Now), clock)
	status := http.StatusOK
	web := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/healthz" || r.Host != "example.com" {
			t.Errorf("asked for %s%s", r.Host, r.URL.Path)
		}
		w.WriteHeader(status)
	}))
	defer web.Close()
	outside := web.Client()
	outside.Transport.(*http.Transport).DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, web.Listener.Addr().String())
	}
	public, _ := url.Parse("https://example.com")
	s := c.other(service.Options{PublicURL: public, Outside: outside})
	see := func(what, want string) {
		t.Helper()
		if got := c.checked(s, "public"); got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	see("answers", "ok check.public.ok")
	status = http.StatusBadGateway
	see("another server", "failed check.public.status")
	status = http.StatusOK
	clock.Advance(web.Certificate().NotAfter.Sub(clock.Now()) - 24*time.Hour)
	see("certificate ends", "warning check.public.ends")
	web.Close()
	see("away", "failed check.public.unreachable")
	if got := c.checked(s, fmt.Sprint("reports-", c.account.ID)); got != "not_run check.after.public" {
		t.Error(got)
	}
}

func TestCheckOfOperation(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		zone := func(name string) {
			c.inTx(func(tx *store.Tx) error { return tx.SetSetting(ctx, "time_zone", name) })
		}
		c.steps([]checkStep{
			{"database", nil, "database", "ok check.database.ok"},
			{"nothing waits", nil, "outbound", "ok check.outbound.none"},
			{"a fresh message", func() { c.write(0, "Hei"); c.reply(c.only().ID, "k1", "Hei") }, "outbound", "ok check.outbound.waiting"},
			{"slow", func() { clock.Advance(2 * time.Minute) }, "outbound", "warning check.outbound.waiting"},
			{"stands", func() { clock.Advance(9 * time.Minute) }, "outbound", "failed check.outbound.waiting"},
			{"disk", nil, "disk", "ok check.disk.free"},
			{"empty spool", nil, "spool", "ok check.spool.ok"},
			{"spool", func() {
				if err := c.spool.Append(c.webhook(service.HookInbound, url.Values{"Body": {"x"}}, "x")); err != nil {
					t.Fatal(err)
				}
			}, "spool", "warning check.spool.some"},
			{"the server's zone", nil, "zone", "ok check.zone.server"},
			{"a zone", func() { zone("Europe/Oslo") }, "zone", "ok check.zone.ok"},
			{"no zone", func() { zone("Europe/Nowhere") }, "zone", "failed check.zone.unknown"},
		})
		bare := c.other(service.Options{})
		if got := c.checked(bare, "disk") + " " + c.checked(bare, "spool"); got != "not_run check.disk.elsewhere not_run check.spool.elsewhere" {
			t.Error("beside a serving process: ", got)
		}
		files, err := blob.Open(blob.Config{Folder: t.TempDir(), URL: "s3://b?endpoint=http://127.0.0.1:1", AccessKey: "a", SecretKey: "s"})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = files.Close() }()
		if got := c.checked(c.other(service.Options{Files: files}), "disk"); got != "ok check.disk.s3" {
			t.Error("S3: ", got)
		}
	})
}

// What was held back on purpose waits since it may go out.
func TestCheckOfWhatWasHeldBack(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		m := c.reply(c.quiet(), "k", "Hei")
		since := func(want time.Time) {
			t.Helper()
			if n, oldest, err := c.store.Outbound(ctx, c.store.Now()); err != nil || n != 1 || !oldest.Equal(want) {
				t.Errorf("%d since %s, want 1 since %s: %v", n, oldest, want, err)
			}
		}
		since(c.store.Now())
		c.sim.Fail(c.sid, simulator.FaultTooMany)
		c.send(m.ConversationID)
		as, err := c.store.Attempts(ctx, m)
		c.must(err)
		clock.Advance(as[0].NotBefore.Sub(clock.Now()) + time.Second)
		since(*as[0].NotBefore)
		c.send(m.ConversationID)
		retry := *c.undelivered(m.ID, passing).RetryAt
		clock.Advance(time.Minute)
		if n, oldest, err := c.store.Outbound(ctx, c.store.Now()); err != nil || n != 0 || !oldest.IsZero() {
			t.Errorf("%d wait since %s, before the time: %v", n, oldest, err)
		}
		clock.Advance(time.Second)
		since(retry)
	})
}

// door stands between the center and Twilio. Who asks for an account waits there until it opens.
type door struct {
	*httptest.Server
	here chan struct{} // somebody waits
	open chan struct{}
}

// behindDoor makes a service that reaches Twilio through a door.
func (c *center) behindDoor() (*service.Service, door) {
	d := door{here: make(chan struct{}, 100), open: make(chan struct{})}
	twilioServer := httputil.NewSingleHostReverseProxy(c.sim.URL())
	d.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, ".json") && strings.Count(r.URL.Path, "/") == 3 {
			d.here <- struct{}{}
			select {
			case <-d.open:
			case <-r.Context().Done():
				return
			}
		}
		twilioServer.ServeHTTP(w, r)
	}))
	c.t.Cleanup(d.Close)
	base, _ := url.Parse(d.URL)
	return c.other(service.Options{Twilio: twilio.New(twilio.Options{SimulatorBase: base, IsSimulated: c.sim.Has}), IsSimulated: c.sim.Has}), d
}

// What does not wait for another part ends before it; what waits comes after it.
func TestCheckRunsSideBySide(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		s, d := c.behindDoor()
		run, err := s.NewCheck(ctx)
		if err != nil {
			t.Fatal(err)
		}
		late := []string{fmt.Sprint("token-", c.account.ID), fmt.Sprint("sender-", c.account.ID), fmt.Sprint("clock-", c.account.ID)}
		pending := run.Pending()
		var order []string
		run.Each(ctx, func(part string, found []models.Finding) {
			order = append(order, part)
			if len(found) == 0 || found[0].Part != part || found[0].Verdict == models.VerdictRunning {
				t.Errorf("%s: %+v", part, found)
			}
			if len(order) == len(pending)-len(late) {
				close(d.open)
			}
		})
		if len(order) != len(pending) {
			t.Fatalf("%d parts of %d", len(order), len(pending))
		}
		for i, part := range order {
			if slices.Contains(late, part) != (i >= len(order)-len(late)) {
				t.Errorf("%s ended as number %d of %v", part, i, order)
			}
		}
	})
}

// connect adds a finished account without numbers.
func (c *center) connect(a simulator.Account) {
	c.t.Helper()
	c.inTx(func(tx *store.Tx) error {
		row := models.Account{Name: a.Name, Channel: models.ChannelWhatsApp, SID: a.SID, HookKey: a.SID, State: models.AccountActive, Step: models.StepCallback, Simulated: true, Version: 1, CreatedAt: tx.Now(), UpdatedAt: tx.Now()}
		if err := tx.Insert(ctx, &row); err != nil {
			return err
		}
		return tx.SetAccountToken(ctx, row.ID, c.store.Seal(models.Secret(a.Token), row.ID.Row()), "abcd")
	})
}

// Many accounts are asked side by side, eight at a time. What has no turn before the time is up says so.
func TestCheckIsBounded(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		for i := range 11 {
			c.connect(c.sim.Mint(fmt.Sprint("Account ", i), fmt.Sprintf("+472100%04d", i)))
		}
		s, d := c.behindDoor()
		run, err := s.NewCheck(ctx)
		if err != nil {
			t.Fatal(err)
		}
		soon, stop := context.WithCancel(ctx)
		go func() {
			for range 8 {
				<-d.here
			}
			stop()
		}()
		said := map[string]int{}
		for _, f := range run.All(soon) {
			if f.Check == "token" {
				said[f.Fact.Key]++
			}
		}
		if fmt.Sprint(said) != "map[check.token.unreachable:8 check.too_long:4]" {
			t.Error(said)
		}
	})
}

// One failure is told once: what needs the database says that it waits for it.
func TestCheckWithoutDatabase(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		run, err := c.service.NewCheck(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := run.Run(ctx, "nothing"); models.KindOf(err) != models.KindNotFound {
			t.Error(err)
		}
		c.store.Close()
		for _, f := range run.All(ctx) {
			switch f.Check {
			case "database":
				if f.Verdict != models.VerdictFailed || f.Fact.Key != "check.database.away" || f.Remedy.Key == "" {
					t.Errorf("%+v", f)
				}
			case "public", "disk", "spool":
			default:
				if f.Verdict != models.VerdictNotRun || f.Fact.Key != "check.after.database" {
					t.Errorf("%+v", f)
				}
			}
		}
	})
}

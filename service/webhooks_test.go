package service_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"kanal/models"
	"kanal/service"
	"kanal/store"
	"kanal/store/storetest"
	"kanal/twilio"
	"kanal/twilio/simulator"
)

// hooksOf gives what the simulated Twilio calls for the center's number.
func (c *center) hooksOf() string {
	a, _ := c.sim.Account(c.sid)
	return fmt.Sprint(a.Senders[0].InboundURL, " ", a.Senders[0].FallbackURL, " ", a.Senders[0].StatusURL)
}

func (c *center) setWebhooks(ctx context.Context) models.NumberWebhooks {
	c.t.Helper()
	list, err := c.service.SetWebhooks(ctx, boss, c.account.ID)
	if err != nil || len(list) != 1 {
		c.t.Fatalf("%+v, %v", list, err)
	}
	return list[0]
}

func TestWebhooksAreSetAndReadBack(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		ours := c.hooks.URL + "/hooks/twilio/key/"
		c.sim.SetInboundURL(c.sid, number, "https://ole:secret@other.example/in")
		c.sim.SetLag(c.sid, 1)
		if list, err := c.service.Webhooks(ctx, c.account.ID); err != nil || list[0].InPlace() || list[0].Now.Inbound.URL != "https://ole:xxxxx@other.example/in" {
			t.Errorf("before: %+v, %v", list, err)
		}
		got := c.setWebhooks(ctx)
		want := ours + "inbound" + twilio.ConnectionOverrides + " " + ours + "fallback" + twilio.ConnectionOverrides + " " + ours + "status" + twilio.ConnectionOverrides
		if is := c.hooksOf(); is != want {
			t.Errorf("Twilio calls %s", is)
		}
		if !got.InPlace() || !got.Written || got.Before.Inbound.URL != "https://ole:xxxxx@other.example/in" || got.Now.Inbound.URL != ours+"inbound"+twilio.ConnectionOverrides {
			t.Errorf("%+v", got)
		}
		n, err := c.store.Number(ctx, c.number)
		if err != nil || n.SenderSID != got.Sender || n.KnownSender == nil || !*n.KnownSender {
			t.Errorf("the number has the sender %q, %v", n.SenderSID, err)
		}
		if again := c.setWebhooks(ctx); again.Written || !again.InPlace() {
			t.Errorf("what is in place was written again: %+v", again)
		}
		rows := c.detailsOf("number.webhooks_set")
		if len(rows) != 1 || !strings.Contains(rows[0], "other.example") || strings.Contains(rows[0], "/key/") || strings.Contains(rows[0], "secret") {
			t.Errorf("audited: %q", rows)
		}
		c.write(0, "Hei") // it comes to the new address
	})
}

// What Twilio does not show in the time there is, is said, and written down all the same.
func TestWebhooksThatAreLate(t *testing.T) {
	c := newCenter(t, storetest.Open(t, store.SQLite, nil), nil)
	c.sim.SetLag(c.sid, 1000)
	before := c.hooksOf()
	short, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	got := c.setWebhooks(short)
	if got.Problem != models.WebhooksNotYet || got.InPlace() || !got.Written || c.hooksOf() != before {
		t.Errorf("%+v", got)
	}
	if rows := c.detailsOf("number.webhooks_set"); len(rows) != 1 {
		t.Errorf("audited: %q", rows)
	}
}

func TestWebhooksThatTwilioDoesNotTake(t *testing.T) {
	for _, tt := range []struct {
		name    string
		make    func(c *center)
		problem models.WebhookProblem
		code    int
	}{
		{name: "refused", make: func(c *center) { c.sim.FailUpdates(c.sid, http.StatusBadRequest) }, problem: models.WebhooksRefused, code: 20001},
		{name: "not answered", make: func(c *center) { c.sim.FailUpdates(c.sid, http.StatusBadGateway) }, problem: models.WebhooksNotYet},
		{name: "too many requests", make: func(c *center) { c.sim.FailUpdates(c.sid, http.StatusTooManyRequests) }, problem: models.WebhooksUnreachable, code: 20001},
		{name: "suspended", make: func(c *center) { c.sim.SetSuspended(c.sid, true) }, problem: models.WebhooksSuspended, code: 20005},
		{name: "unknown number", make: func(c *center) { c.address("+4721000041") }, problem: models.WebhooksNoSender},
		{name: "sandbox", make: func(c *center) { c.address(models.SandboxNumber) }, problem: models.WebhooksOfSandbox},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newCenter(t, storetest.Open(t, store.SQLite, nil), nil)
			before := c.hooksOf()
			tt.make(c)
			short, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			if got := c.setWebhooks(short); got.Problem != tt.problem || got.Code != tt.code || got.InPlace() || c.hooksOf() != before {
				t.Errorf("%+v", got)
			}
		})
	}
}

// address gives the center's number another address.
func (c *center) address(e164 string) {
	c.t.Helper()
	n, err := c.store.Number(ctx, c.number)
	if err == nil {
		n.Address = e164
		err = c.store.InTx(ctx, func(tx *store.Tx) error { return tx.SaveNumber(ctx, &n) })
	}
	if err != nil {
		c.t.Fatal(err)
	}
}

func TestWebhooksOfAnAccountThatTwilioRefuses(t *testing.T) {
	unavailable := func(key string) error { return models.E(models.KindUnavailable, key) }
	c := newCenter(t, storetest.Open(t, store.SQLite, nil), nil)
	if _, err := c.service.SetWebhooks(ctx, boss, c.account.ID+1); !errors.Is(err, models.ErrNotFound) {
		t.Errorf("no account: %v", err)
	}
	sealed := c.store.Seal("0123456789abcdef0123456789abcdef", c.account.ID.Row())
	if err := c.store.InTx(ctx, func(tx *store.Tx) error { return tx.SetAccountToken(ctx, c.account.ID, sealed, "cdef") }); err != nil {
		t.Fatal(err)
	}
	if _, err := c.service.SetWebhooks(ctx, boss, c.account.ID); !errors.Is(err, unavailable("webhooks.problem.rejected")) {
		t.Errorf("another token: %v", err)
	}
	if err := c.sim.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.service.Webhooks(ctx, c.account.ID); !errors.Is(err, unavailable("webhooks.problem.unreachable")) {
		t.Errorf("no Twilio: %v", err)
	}
}

// The real Twilio is not told an address that it cannot reach; its stand-in on this machine is.
func TestWebhooksAtALocalAddress(t *testing.T) {
	c := newCenter(t, storetest.Open(t, store.SQLite, nil), nil)
	local, _ := url.Parse("http://localhost:8080")
	svc, err := service.New(ctx, service.Options{
		Store: c.store, Twilio: twilio.New(twilio.Options{}), PublicURL: local, Log: slog.New(slog.DiscardHandler), IsSimulated: c.sim.Has,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer svc.Close()
	if _, err := svc.SetWebhooks(ctx, boss, c.account.ID); !errors.Is(err, models.E(models.KindInvalid, "account.not_public")) {
		t.Errorf("%v", err)
	}
}

func TestServiceThatOverridesIsFound(t *testing.T) {
	c := newCenter(t, storetest.Open(t, store.SQLite, nil), nil)
	v := simulator.Service{Name: "Marketing", InboundURL: "https://other.example/in", Senders: []string{number}}
	v.SID = c.sim.SetService(c.sid, v)
	if got := c.setWebhooks(ctx); got.InPlace() || got.Now != got.Wanted || got.Override == nil || *got.Override != (models.MessagingService{SID: v.SID, Name: "Marketing", InboundURL: v.InboundURL}) {
		t.Errorf("%+v", got)
	}
	v.InboundURL = ""
	c.sim.SetService(c.sid, v)
	if got := c.setWebhooks(ctx); got.InPlace() || got.Override == nil || got.Override.InboundURL != "" {
		t.Errorf("switched off: %+v", got)
	}
	for _, change := range []func(){
		func() { v.InboundURL = c.hooks.URL + "/hooks/twilio/key/inbound" }, // it comes to us all the same
		func() { v.InboundURL, v.Defers = "https://other.example/in", true },
		func() { v.Defers, v.Senders = false, nil },
	} {
		change()
		c.sim.SetService(c.sid, v)
		if got := c.setWebhooks(ctx); !got.InPlace() {
			t.Errorf("%+v: %+v", v, got.Override)
		}
	}
}

// detailsOf gives the details of the audit's rows with an action.
func (c *center) detailsOf(action string) (details []string) {
	c.t.Helper()
	rows, err := c.store.Audits(ctx, 100)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, r := range rows {
		if r.Action == action {
			details = append(details, r.Details)
		}
	}
	return details
}

package service_test

import (
	"errors"
	"net/url"
	"testing"
	"time"

	"kanal/models"
	"kanal/service"
	"kanal/store"
	"kanal/store/storetest"
	"kanal/twilio/simulator"
)

// quarantines puts a call into quarantine.
func (c *center) quarantines(q models.Quarantine) models.QuarantineID {
	c.t.Helper()
	q.AccountID = c.account.ID
	if err := c.store.InTx(ctx, func(tx *store.Tx) error { return tx.InsertQuarantine(ctx, &q) }); err != nil {
		c.t.Fatal(err)
	}
	return q.ID
}

// A report in quarantine finds its message by the address at which it came, and moves it at the time at which it came;
// once.
func TestReportIsReplayed(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		id := c.quiet()
		c.sim.Fail(c.sid, simulator.FaultCommitDrop)
		m := c.reply(id, "k", "x")
		c.send(id)
		form := url.Values{"MessageSid": {c.sim.Thread(c.sid, c.customer(0), number)[1].SID}, "MessageStatus": {"delivered"}, "AccountSid": {c.sid}}
		came := clock.Now()
		q := c.quarantines(models.Quarantine{Kind: "status", Reason: models.QuarantineFailed, Form: form.Encode(), Query: c.reportCall(form, m.ID, 1).Query, ReceivedAt: came})
		clock.Advance(time.Hour)
		for range 2 {
			if problem, err := c.service.ReplayQuarantined(ctx, c.agent, q); problem != "" || err != nil {
				t.Fatalf("%q %v", problem, err)
			}
		}
		got := c.message(m.ID)
		if got.State != models.Delivered || got.DeliveredAt == nil || !got.DeliveredAt.Equal(came) {
			t.Errorf("%+v", got)
		}
		events, err := c.store.Reports(ctx, got)
		if err != nil || len(events) != 1 {
			t.Errorf("%d events: %v", len(events), err)
		}
		row, err := c.store.QuarantinedCall(ctx, q)
		if err != nil || row.ReplayedAt == nil || row.Tries != 1 || row.Problem != "" {
			t.Errorf("%+v %v", row, err)
		}
		// The same call once more, as a process that died leaves it.
		twin := c.quarantines(models.Quarantine{Kind: "status", Reason: models.QuarantineFailed, Form: form.Encode(), Query: c.reportCall(form, m.ID, 1).Query, ReceivedAt: came})
		if problem, err := c.service.ReplayQuarantined(ctx, c.agent, twin); problem != "" || err != nil {
			t.Fatalf("%q %v", problem, err)
		}
		if events, err := c.store.Reports(ctx, got); err != nil || len(events) != 1 {
			t.Errorf("%d events after its twin: %v", len(events), err)
		}
		if _, err := c.service.ReplayQuarantined(ctx, c.agent, twin+1); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("no such call: %v", err)
		}
	})
}

// A call of an account that is not there any more does not end the replay of all.
func TestReplayOfAllGoesOn(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		gone := models.Quarantine{AccountID: c.account.ID + 1, Kind: "inbound", Reason: models.QuarantineFailed, Form: text(1, customer, number).Encode()}
		c.must(c.store.InTx(ctx, func(tx *store.Tx) error { return tx.InsertQuarantine(ctx, &gone) }))
		for _, form := range []url.Values{text(2, customer, number), text(3, customer, "+4799999999"), text(4, customer, number)} {
			c.quarantines(models.Quarantine{Kind: "inbound", Reason: models.QuarantineFailed, Form: form.Encode(), ReceivedAt: c.store.Now()})
		}
		failed, err := c.service.ReplayAllQuarantined(ctx, c.agent, models.QuarantineFailed)
		if got := c.thread(); failed != 1 || err != nil || got != "m2 m4" {
			t.Errorf("%d failed, %v, %s", failed, err, got)
		}
	})
}

// Many alerts that Twilio does not get through let the account list what has come once, at the end of their minute; an
// alert about something else does not.
func TestAlertsLetTheAccountCatchUp(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		clock.Advance(time.Minute - clock.Now().Sub(clock.Now().Truncate(time.Minute))) // a minute begins
		debug := func(n int, code string) {
			t.Helper()
			form := url.Values{"Sid": {"NO" + sid(n)[2:]}, "AccountSid": {c.sid}, "Level": {"ERROR"}, "Payload": {`{"error_code":"` + code + `"}`}}
			call := c.call(form)
			call.ReceivedAt = clock.Now()
			for range 2 { // Twilio says it again
				if err := c.service.Keep(ctx, "debug", call); err != nil {
					t.Fatal(err)
				}
			}
		}
		before, err := c.store.CountJobs(ctx)
		if err != nil {
			t.Fatal(err)
		}
		entered := func(want int) {
			t.Helper()
			if n, err := c.store.CountJobs(ctx); err != nil || n-before != want {
				t.Errorf("%d jobs, not %d: %v", n-before, want, err)
			}
		}
		debug(1, "63041")
		entered(0)
		for n := 2; n < 6; n++ {
			debug(n, "11200")
			clock.Advance(10 * time.Second)
		}
		entered(1)
		clock.Advance(20 * time.Second)
		debug(6, "11205")
		entered(2)
		clock.Advance(time.Minute)
		debug(6, "11205") // that is no news
		entered(2)
		rows, err := c.store.Alerts(ctx, 0)
		if err != nil || len(rows) != 6 {
			t.Errorf("%d alerts: %v", len(rows), err)
		}
	})
}

func TestQuarantine(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		for reason, form := range map[string]url.Values{
			"quarantine.unreadable":     {"Body": {"x"}},
			"quarantine.unknown_number": {"MessageSid": {"SM00000000000000000000000000000001"}, "From": {"whatsapp:+4740000142"}, "To": {"whatsapp:+4799999999"}},
			"quarantine.other_account":  {"MessageSid": {"SM00000000000000000000000000000002"}, "From": {"whatsapp:+4740000142"}, "To": {"whatsapp:" + number}, "AccountSid": {"AC0"}},
		} {
			if err := c.service.Receive(ctx, service.Call{Account: c.account, Form: form, ReceivedAt: c.store.Now()}); err != nil {
				t.Fatal(err)
			}
			qs, err := c.store.Quarantined(ctx, store.QuarantineFilter{})
			if err != nil || len(qs) == 0 || qs[0].Reason != reason || qs[0].Form != form.Encode() {
				t.Errorf("%s: %+v %v", reason, qs, err)
			}
		}
	})
}

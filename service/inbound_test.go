package service_test

import (
	"fmt"
	"net/url"
	"sync"
	"testing"

	"kanal/models"
	"kanal/service"
	"kanal/store"
	"kanal/store/storetest"
	"kanal/twilio"
)

func sid(n int) string { return fmt.Sprintf("SM%032x", n) }

func (c *center) call(form url.Values) service.Call {
	return service.Call{Account: c.account, Form: form, ReceivedAt: c.store.Now()}
}

func text(n int, from, to string) url.Values {
	return url.Values{"MessageSid": {sid(n)}, "From": {from}, "To": {"whatsapp:" + to}, "Body": {fmt.Sprint("m", n)}, "NumMedia": {"0"}}
}

// another gives a second instance on the same database.
func (c *center) another() *service.Service {
	c.t.Helper()
	public, _ := url.Parse(c.hooks.URL)
	s, err := service.New(ctx, service.Options{
		Store: c.store, Twilio: twilio.New(twilio.Options{Base: c.sim.URL()}), PublicURL: public, Log: storetest.Log(c.t),
		IsSimulated: c.sim.Has,
	})
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(s.Close)
	return s
}

// Twilio repeats a call that it thinks is lost, and the repeat may reach another instance at the same moment: both are
// answered as taken in, and there is one message.
func TestRacingRepeatsAreOneMessage(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		services := []*service.Service{c.service, c.another(), c.another()}
		c.write(0, "first")
		const rounds = 15
		for i := range rounds {
			var wg sync.WaitGroup
			for _, s := range services {
				for range 2 {
					wg.Go(func() {
						if err := s.Receive(ctx, c.call(text(i+1, "whatsapp:+4740000142", number))); err != nil {
							t.Error(err)
						}
					})
				}
			}
			wg.Wait()
		}
		if row := c.only(); row.Seq != rounds+1 || row.Unread != rounds+1 {
			t.Errorf("seq %d, unread %d", row.Seq, row.Unread)
		}
	})
}

// A profile's name that turns text around or cannot be seen at all does not reach a page, and does not take the place of
// one that can be read.
func TestProfileNameIsReadable(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		for n, tt := range []struct{ profile, want string }{{"\u3164", ""}, {"\u202enimda", "nimda"}, {"\u200b", "nimda"}, {"Ann\nLie", "Ann Lie"}} {
			form := text(n+1, "whatsapp:+4740000142", number)
			form.Set("ProfileName", tt.profile)
			if err := c.service.Receive(ctx, c.call(form)); err != nil {
				t.Fatal(err)
			}
			if got := c.only().ContactName; got != tt.want {
				t.Errorf("%q: %q, want %q", tt.profile, got, tt.want)
			}
		}
	})
}

// Messages that race from a customer's number and user id make one contact with one conversation.
func TestRacingIdentitiesAreOneContact(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		other := c.another()
		var wg sync.WaitGroup
		for i := range 30 {
			form := text(i+1, "whatsapp:+4740000142", number)
			form.Set("ExternalUserId", "whatsapp:NO.1A2B3C4D5E6F7G8H9I0J")
			if i%3 == 0 {
				form.Set("From", "whatsapp:NO.1A2B3C4D5E6F7G8H9I0J")
			}
			s := []*service.Service{c.service, other}[i%2]
			wg.Go(func() {
				if err := s.Receive(ctx, c.call(form)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		row := c.only()
		_, ids, err := c.store.Contact(ctx, row.ContactID)
		if err != nil || row.Seq != 30 || len(ids) != 2 {
			t.Errorf("seq %d, identities %+v, %v", row.Seq, ids, err)
		}
	})
}

// One message that the database refuses does not keep those out that share its commit; it goes into quarantine.
func TestPoisonedMessageBlocksNobody(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		const gone = "+4721000099"
		n := models.Number{AccountID: c.account.ID, Name: "Gone", Address: gone, Version: 1}
		if err := c.store.InTx(ctx, func(tx *store.Tx) error { return tx.InsertNumber(ctx, &n) }); err != nil {
			t.Fatal(err)
		}
		if err := c.service.Reload(ctx); err != nil {
			t.Fatal(err)
		}
		if err := c.store.InTx(ctx, func(tx *store.Tx) error { return tx.DeleteNumber(ctx, c.account.ID, n.ID) }); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for i := range 40 {
			to := number
			if i == 20 {
				to = gone
			}
			wg.Go(func() {
				if err := c.service.Receive(ctx, c.call(text(i+1, "whatsapp:+4740000142", to))); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		qs, err := c.store.Quarantined(ctx, store.QuarantineFilter{})
		if err != nil || len(qs) != 1 || qs[0].Reason != "quarantine.failed" || qs[0].Form != text(21, "whatsapp:+4740000142", gone).Encode() {
			t.Errorf("%+v %v", qs, err)
		}
		if row := c.only(); row.Seq != 39 {
			t.Errorf("%d messages", row.Seq)
		}
	})
}

// What another instance has changed a moment ago is found, although nobody has told this one yet.
func TestDirectoryIsReadAgainBeforeACallIsRefused(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		const fresh = "+4721000041"
		err := c.store.InTx(ctx, func(tx *store.Tx) error {
			n := models.Number{AccountID: c.account.ID, Name: "New", Address: fresh, Version: 1}
			sealed := c.store.Seal("the new token", fmt.Sprintf("accounts/%d", c.account.ID))
			if err := tx.SetAccountToken(ctx, c.account.ID, sealed, "oken"); err != nil {
				return err
			}
			return tx.InsertNumber(ctx, &n)
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.service.Receive(ctx, c.call(text(1, "whatsapp:+4740000142", fresh))); err != nil {
			t.Fatal(err)
		}
		if row := c.only(); row.NumberAddress != fresh {
			t.Errorf("%+v", row)
		}
		other := c.another()
		err = c.store.InTx(ctx, func(tx *store.Tx) error {
			return tx.SetAccountToken(ctx, c.account.ID, c.store.Seal("the newest token", fmt.Sprintf("accounts/%d", c.account.ID)), "oken")
		})
		if err != nil {
			t.Fatal(err)
		}
		if h, err := other.Hook(ctx, "key"); err != nil || h.Tokens[0] != "the new token" {
			t.Fatal(h.Tokens, err)
		}
		call := c.webhook(service.HookInbound, text(2, "whatsapp:+4740000142", fresh), "the newest token")
		if err := other.TakeHook(ctx, call); err != nil {
			t.Error("the token is the old one:", err)
		}
	})
}

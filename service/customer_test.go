package service_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"kanal/models"
	"kanal/service"
	"kanal/store"
	"kanal/store/storetest"
	"kanal/twilio/simulator"
)

func TestChangeCustomer(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		c.write(0, "Hei")
		id := c.only().ContactID
		known, _, err := c.store.Customer(ctx, c.agent, id)
		if err != nil {
			t.Fatal(err)
		}
		e := service.Edit{Version: known.Version}
		var problems models.FieldErrors
		for field, f := range map[string]service.CustomerForm{"name": {Name: strings.Repeat("é", 101)}, "language": {Language: "tlh"}} {
			if err := c.service.ChangeCustomer(ctx, c.agent, id, f, e); !errors.As(err, &problems) || problems[0].Field != field {
				t.Errorf("%s: %v", field, err)
			}
		}
		if err := c.service.ChangeCustomer(ctx, c.agent, id, service.CustomerForm{Name: "  Kari  N. ", Language: "nb"}, e); err != nil {
			t.Fatal(err)
		}
		if err := c.service.ChangeCustomer(ctx, c.agent, id, service.CustomerForm{Name: "Other"}, e); !errors.Is(err, store.ErrStale) {
			t.Errorf("of an old version: %v", err)
		}
		c.write(0, "Hei igjen") // with the name of the profile
		if row := c.only(); row.ContactName != "Kari N." || row.ContactLanguage != "nb" {
			t.Errorf("%q %q", row.ContactName, row.ContactLanguage)
		}
		stranger := models.Viewer{User: c.newUser("stranger@example.com", models.Agent), Role: models.Agent}
		e.Version++
		if err := c.service.ChangeCustomer(ctx, stranger, id, service.CustomerForm{}, e); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("somebody else's: %v", err)
		}
	})
}

func TestBlock(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		c.write(0, "spam")
		c.write(1, "a customer")
		rows, err := c.store.Conversations(ctx, c.agent, store.InboxFilter{View: models.ViewQueue})
		if err != nil || len(rows) != 2 {
			t.Fatal(err, len(rows))
		}
		bad := rows[slices.IndexFunc(rows, func(r models.ConversationRow) bool { return r.LastPreview == "spam" })]
		m := c.reply(bad.ID, "k", "not sent yet")
		stranger := models.Viewer{User: c.newUser("stranger@example.com", models.Agent), Role: models.Agent}
		if err := c.service.BlockCustomer(ctx, stranger, bad.ContactID); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("somebody else's: %v", err)
		}
		for range 2 {
			if err := c.service.BlockCustomer(ctx, c.agent, bad.ContactID); err != nil {
				t.Fatal(err)
			}
		}
		row, err := c.store.Conversation(ctx, c.agent, bad.ID)
		if err != nil || row.State != models.Closed || row.BlockedAt == nil || row.UnansweredAt != nil {
			t.Fatalf("%+v %v", row, err)
		}
		if got := c.message(m.ID); got.State != models.Canceled || got.ErrorCode != 0 {
			t.Errorf("what was queued is %s", got.State)
		}
		clock.Advance(time.Minute)
		c.write(0, "more spam")
		c.write(0, "STOP")
		if left := c.only(); left.LastPreview != "a customer" {
			t.Errorf("%+v", left)
		}
		if counts, err := c.store.InboxCounts(ctx, c.agent); err != nil || counts.All != 1 || counts.Queue != 1 || counts.Unread != 0 {
			t.Errorf("%+v %v", counts, err)
		}
		want := []string{"spam", "system.assigned", m.Body, "system.blocked", "more spam", "STOP", "system.opted_out.all_self"}
		if got := c.lines(bad.ID); !slices.Equal(got, want) {
			t.Errorf("%q", got)
		}
		if _, err := c.service.Reply(ctx, c.agent, service.Reply{Conversation: bad.ID, Key: "k2", Body: "x"}); models.KindOf(err) != models.KindConflict {
			t.Errorf("a reply: %v", err)
		}
		for range 2 {
			if err := c.service.UnblockCustomer(ctx, c.agent, bad.ContactID); err != nil {
				t.Fatal(err)
			}
		}
		c.write(0, "sorry")
		if rows, err := c.store.Conversations(ctx, c.agent, store.InboxFilter{View: models.ViewQueue}); err != nil || len(rows) != 2 || rows[1].ID == bad.ID {
			t.Errorf("unblocked, the next message starts a conversation: %d %v", len(rows), err)
		}
		done, err := c.store.Audits(ctx, 10)
		if err != nil || len(done) != 2 || done[1].Action != "customer.blocked" || done[0].Action != "customer.unblocked" {
			t.Errorf("%+v %v", done, err)
		}
	})
}

// Who is blocked on one number and writes to another one, which they never wrote to, makes no work there either.
func TestBlockedWritesToAnotherNumber(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		c.write(0, "spam")
		row := c.only()
		if err := c.service.BlockCustomer(ctx, c.agent, row.ContactID); err != nil {
			t.Fatal(err)
		}
		const other = "+4721000041"
		c.sim.AddSender(c.sid, other, "Other")
		err := c.store.InTx(ctx, func(tx *store.Tx) error {
			return tx.InsertNumber(ctx, &models.Number{AccountID: c.account.ID, Name: "Other", Address: other, Version: 1, CreatedAt: tx.Now(), UpdatedAt: tx.Now()})
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.service.Reload(ctx); err != nil {
			t.Fatal(err)
		}
		c.sim.SetInboundURL(c.sid, other, c.service.InboundURL(c.account))
		for range 2 {
			if codes := c.sim.Receive(c.sid, simulator.Write{Customer: c.customer(0), Number: other, Body: "spam"}); codes[len(codes)-1] != 200 {
				t.Fatal(codes)
			}
		}
		if counts, err := c.store.InboxCounts(ctx, c.agent); err != nil || counts.All != 0 {
			t.Errorf("%+v %v", counts, err)
		}
		all, err := c.store.CustomerConversations(ctx, c.agent, row.ContactID, 10)
		if err != nil || len(all) != 2 || all[0].State != models.Closed || all[0].Seq != 2 {
			t.Errorf("%+v %v", all, err)
		}
	})
}

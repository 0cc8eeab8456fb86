package service_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kanal/models"
	"kanal/service"
	"kanal/store"
	"kanal/store/storetest"
)

func TestPhoneNumber(t *testing.T) {
	for _, tt := range []struct{ written, want string }{
		{"400 00 142", "+4740000142"}, {"+47 400 00 142", "+4740000142"}, {"0047 400-00-142", "+4740000142"}, {"(+46) 70 123 45 67", "+46701234567"},
		{" +55 11 91234-5678 ", "+5511912345678"}, {"", ""}, {"12", ""}, {"+", ""}, {"Kari", ""}, {"+47 1", ""}, {"+999 12345678", ""}, {"+4740000142000000", ""},
	} {
		got, ok := service.PhoneNumber(tt.written, number)
		if ok != (tt.want != "") || ok && got != tt.want {
			t.Errorf("%q: %q %v, want %q", tt.written, got, ok, tt.want)
		}
	}
	if got, _ := service.PhoneNumber("070 123 45 67", "+46812345678"); got != "+46701234567" {
		t.Errorf("in the country of our number: %q", got)
	}
}

// claim gives the number to a workstream, so that conversations can be started from it.
func (c *center) claim() {
	c.t.Helper()
	c.claimElsewhere()
	c.must(c.service.Reload(ctx))
}

// claimElsewhere is claim by another instance, of which this one has not heard yet.
func (c *center) claimElsewhere() {
	c.t.Helper()
	err := c.store.InTx(ctx, func(tx *store.Tx) error {
		q, err := tx.DefaultQueue(ctx)
		if err != nil {
			return err
		}
		w := models.Workstream{Name: "Norge", Distribution: models.Pick, QueueID: q, Version: 1, CreatedAt: tx.Now(), UpdatedAt: tx.Now()}
		if err := tx.InsertWorkstream(ctx, &w); err != nil {
			return err
		}
		n, err := tx.LockNumber(ctx, c.number)
		if err != nil {
			return err
		}
		n.WorkstreamID = &w.ID
		return tx.SaveNumber(ctx, &n)
	})
	c.must(err)
}

func (c *center) start(v models.Viewer, o service.Outreach) (models.ConversationID, error) {
	o.Number = c.number
	return c.service.StartConversation(ctx, v, o)
}

func TestStartConversation(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		var problems models.FieldErrors
		agreed := service.Outreach{To: "400 00 999", Consent: true, Note: "form"}
		if _, err := c.start(c.agent, agreed); !errors.As(err, &problems) || problems[0].Field != "number" {
			t.Errorf("from a number of no workstream: %v", err)
		}
		c.claim()
		for field, o := range map[string]service.Outreach{
			"to": {To: "12", Consent: true, Note: "x"}, "note": {To: "400 00 999", Consent: true}, "consent": {To: "400 00 999"},
		} {
			if _, err := c.start(c.agent, o); !errors.As(err, &problems) || problems[0].Field != field {
				t.Errorf("%s: %v", field, err)
			}
		}
		for _, to := range []string{"", number} {
			if _, err := c.start(c.agent, service.Outreach{To: to, Consent: true, Note: "x"}); !errors.As(err, &problems) || problems[0].Field != "to" {
				t.Errorf("to %q: %v", to, err)
			}
		}
		id, err := c.start(c.agent, agreed)
		if err != nil {
			t.Fatal(err)
		}
		row := c.only()
		if row.ID != id || row.State != models.Active || *row.UserID != c.agent.User || row.Address != "whatsapp:+4740000999" || row.WindowClosesAt != nil {
			t.Fatalf("%+v", row)
		}
		if got := c.lines(id); !slices.Equal(got, []string{"system.started", "system.opted_in.all"}) {
			t.Errorf("%q", got)
		}
		if again, err := c.start(c.agent, service.Outreach{To: "+4740000999"}); err != nil || again != id {
			t.Errorf("once more, with a consent that is known: %d, %v", again, err)
		}
		if _, err := c.service.Reply(ctx, c.agent, service.Reply{Conversation: id, Key: "k", Body: "x"}); !errors.Is(err, service.ErrWindowClosed) {
			t.Errorf("free text to who never wrote: %v", err)
		}
		other := models.Viewer{User: c.newUser("boss@example.com", models.Supervisor), Role: models.Supervisor}
		if _, err := c.start(other, agreed); models.KindOf(err) != models.KindConflict || !strings.Contains(err.Error(), "other_agent") {
			t.Errorf("another agent: %v", err)
		}
		stranger := models.Viewer{User: c.newUser("stranger@example.com", models.Agent), Role: models.Agent}
		if _, err := c.start(stranger, agreed); !errors.As(err, &problems) || problems[0].Field != "number" {
			t.Errorf("from a number of a queue that is not theirs: %v", err)
		}
	})
}

// The customer's first message comes into the conversation that was started, and it is the same customer.
func TestStartedConversationIsAnswered(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		c.claim()
		id, err := c.start(c.agent, service.Outreach{To: c.customer(0).Phone(), Consent: true, Note: "form"})
		if err != nil {
			t.Fatal(err)
		}
		c.write(0, "Hei")
		if row := c.only(); row.ID != id || row.Unread != 1 || *row.UserID != c.agent.User || row.ContactName != "Kari Nordli" {
			t.Errorf("%+v", row)
		}
	})
}

func TestStartWithKnownCustomer(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		c.claim()
		c.write(0, "Hei")
		row := c.only()
		if id, err := c.start(c.agent, service.Outreach{Contact: row.ContactID}); err != nil || id != row.ID {
			t.Fatalf("one that waits becomes the agent's, in its open window without a consent: %d %v", id, err)
		}
		if now := c.only(); now.State != models.Active || *now.UserID != c.agent.User {
			t.Errorf("%+v", now)
		}
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		must(c.service.Resolve(ctx, c.agent, row.ID))
		must(c.service.CloseNow(ctx, c.agent, row.ID))
		clock.Advance(48 * time.Hour)
		var problems models.FieldErrors
		if _, err := c.start(c.agent, service.Outreach{Contact: row.ContactID}); !errors.As(err, &problems) || problems[0].Field != "consent" {
			t.Errorf("window closed, no consent: %v", err)
		}
		must(c.service.RecordConsent(ctx, c.agent, row.ContactID, service.ConsentForm{Account: c.account.ID, Scope: models.ConsentAll, Note: "phone"}))
		if _, err := c.start(c.agent, service.Outreach{Contact: row.ContactID}); !errors.As(err, &problems) || problems[0].Key != "consent.opted_out" {
			t.Errorf("opted out: %v", err)
		}
		id, err := c.start(c.agent, service.Outreach{Contact: row.ContactID, Consent: true, Note: "changed their mind"})
		if err != nil || id == row.ID || c.only().Address != string(c.customer(0)) {
			t.Errorf("%d %v %+v", id, err, c.only())
		}
		must(c.service.BlockCustomer(ctx, c.agent, row.ContactID))
		if _, err := c.start(c.agent, service.Outreach{Contact: row.ContactID}); !errors.As(err, &problems) || problems[0].Key != "customer.is_blocked" {
			t.Errorf("blocked: %v", err)
		}
		if _, err := c.start(c.agent, service.Outreach{Contact: row.ContactID + 1000}); !errors.As(err, &problems) || problems[0].Field != "to" {
			t.Errorf("no such customer: %v", err)
		}
	})
}

// Two agents who start at once: there is one conversation, and the second learns who has it.
func TestTwoStartAtOnce(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		c.claim()
		boss := models.Viewer{User: c.newUser("boss@example.com", models.Supervisor), Role: models.Supervisor}
		errs := make([]error, 2)
		var both sync.WaitGroup
		for i, v := range []models.Viewer{c.agent, boss} {
			both.Go(func() { _, errs[i] = c.start(v, service.Outreach{To: "400 00 999", Consent: true, Note: "x"}) })
		}
		both.Wait()
		if (errs[0] == nil) == (errs[1] == nil) || models.KindOf(errors.Join(errs...)) != models.KindConflict {
			t.Errorf("%v", errs)
		}
		c.only()
	})
}

// A number that may be written in two ways is one customer.
func TestStartFindsTheOtherForm(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		c.claim()
		first, err := c.start(c.agent, service.Outreach{To: "+52 1 55 1234 5678", Consent: true, Note: "x"})
		if err != nil {
			t.Fatal(err)
		}
		if second, err := c.start(c.agent, service.Outreach{To: "+52 55 1234 5678"}); err != nil || second != first {
			t.Errorf("%d, want %d: %v", second, first, err)
		}
	})
}

// Another instance has just given the number to a workstream.
func TestStartFromANumberOfAnotherInstance(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		c.claimElsewhere()
		if _, err := c.start(c.agent, service.Outreach{To: "400 00 999", Consent: true, Note: "x"}); err != nil {
			t.Error(err)
		}
	})
}

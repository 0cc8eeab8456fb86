package service_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"kanal/models"
	"kanal/service"
	"kanal/store"
	"kanal/store/storetest"
	"kanal/twilio"
)

// consents gives what holds of the customer of the only conversation.
func (c *center) consents() models.ConsentState {
	c.t.Helper()
	s, err := c.store.ConsentState(ctx, c.account.ID, c.only().ContactID)
	if err != nil {
		c.t.Fatal(err)
	}
	return s
}

// lines gives the bodies of a conversation's messages in order.
func (c *center) lines(id models.ConversationID) []string {
	c.t.Helper()
	ms, err := c.store.Messages(ctx, models.Conversation{AccountID: c.account.ID, ID: id}, 0)
	if err != nil {
		c.t.Fatal(err)
	}
	var out []string
	for _, m := range ms {
		out = append(out, m.Body)
	}
	return out
}

// template queues a template in the only conversation, as sending one does.
func (c *center) template(category string) models.MessageID {
	c.t.Helper()
	row := c.only()
	m := models.Message{
		AccountID: c.account.ID, ConversationID: row.ID, Direction: models.Out, Kind: models.KindTemplate, Body: category, State: models.Queued,
		ContentSID: "HX", CreatedAt: c.store.Now(), UpdatedAt: c.store.Now(),
	}
	err := c.store.InTx(ctx, func(tx *store.Tx) error {
		k, err := tx.LockConversation(ctx, row.ID)
		if err != nil {
			return err
		}
		t := models.Template{AccountID: c.account.ID, Name: category, Category: category, Source: models.TemplateTwilio, ContentSID: "HX" + category, Version: 1, CreatedAt: tx.Now(), UpdatedAt: tx.Now()}
		if err := tx.Insert(ctx, &t); err != nil {
			return err
		}
		k.Seq++
		k.Rev++
		m.Seq, m.Rev, m.TemplateID = float64(k.Seq), k.Rev, &t.ID
		if err := tx.Insert(ctx, &m); err != nil {
			return err
		}
		return tx.SaveConversations(ctx, k)
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return m.ID
}

func TestRecordConsent(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		c.write(0, "Hei")
		row := c.only()
		record := func(scope models.ConsentScope, given bool, note string) error {
			clock.Advance(time.Minute)
			return c.service.RecordConsent(ctx, c.agent, row.ContactID, service.ConsentForm{Account: c.account.ID, Scope: scope, Given: given, Note: note})
		}
		var problems models.FieldErrors
		for _, note := range []string{"", " \t", strings.Repeat("x", 201)} {
			if err := record(models.ConsentAll, true, note); !errors.As(err, &problems) || problems[0].Field != "note" {
				t.Errorf("note %.5q: %v", note, err)
			}
		}
		if err := record("else", true, "x"); !errors.As(err, &problems) || problems[0].Field != "scope" {
			t.Error(err)
		}
		if err := record(models.ConsentAll, true, "  form on the site "); err != nil {
			t.Fatal(err)
		}
		if s := c.consents(); !s.OptedIn("UTILITY") || s.All.Note != "form on the site" || *s.All.UserID != c.agent.User || !s.All.At.Equal(clock.Now()) {
			t.Errorf("%+v", s.All)
		}
		utility, ad := c.template("UTILITY"), c.template(models.CategoryMarketing)
		if err := record(models.ConsentMarketing, false, "said so"); err != nil {
			t.Fatal(err)
		}
		if m := c.message(ad); m.State != models.Canceled || m.ErrorCode != twilio.CodeOptedOut {
			t.Errorf("marketing goes on: %s", m.State)
		}
		if m := c.message(utility); m.State != models.Queued {
			t.Errorf("what is no marketing does not: %s", m.State)
		}
		if err := record(models.ConsentAll, false, "said so"); err != nil {
			t.Fatal(err)
		}
		if m := c.message(utility); m.State != models.Canceled || !c.consents().OptedOut() {
			t.Errorf("%s after the opt-out of all", m.State)
		}
		if got := strings.Join(c.lines(row.ID), " "); got != "Hei system.opted_in.all UTILITY MARKETING system.opted_out.marketing system.opted_out.all" {
			t.Error(got)
		}
		history, err := c.store.Consents(ctx, c.agent, row.ContactID, 2)
		if err != nil || len(history) != 2 || history[0].Scope != models.ConsentAll || history[0].UserName != "Ada" {
			t.Errorf("%+v %v", history, err)
		}
	})
}

func TestConsentOfOthersCustomers(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		c.write(0, "Hei")
		contact := c.only().ContactID
		stranger := models.Viewer{User: c.newUser("stranger@example.com", models.Agent), Role: models.Agent}
		boss := models.Viewer{User: c.newUser("boss@example.com", models.Supervisor), Role: models.Supervisor}
		f := service.ConsentForm{Account: c.account.ID, Scope: models.ConsentAll, Given: true, Note: "x"}
		if err := c.service.RecordConsent(ctx, stranger, contact, f); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("an agent who sees nothing of the customer: %v", err)
		}
		if err := c.service.RecordConsent(ctx, boss, contact+1, f); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("no such customer: %v", err)
		}
		if err := c.service.RecordConsent(ctx, boss, contact, f); err != nil {
			t.Error(err)
		}
		other := models.Account{Name: "Other", SID: "AC2", HookKey: "k2", State: models.AccountActive, Version: 1, CreatedAt: c.store.Now(), UpdatedAt: c.store.Now()}
		c.must(c.store.InTx(ctx, func(tx *store.Tx) error {
			if err := tx.Insert(ctx, &other); err != nil {
				return err
			}
			return tx.SetAccountToken(ctx, other.ID, c.store.Seal(models.Secret("x"), fmt.Sprintf("accounts/%d", other.ID)), "abcd")
		}))
		c.must(c.service.Reload(ctx))
		for _, id := range []models.AccountID{other.ID, f.Account + 1000} {
			f.Account = id
			if err := c.service.RecordConsent(ctx, boss, contact, f); !errors.Is(err, models.ErrNotFound) {
				t.Errorf("account %d, to which the customer has not written: %v", id, err)
			}
		}
	})
}

// newUser makes a user who is in no queue.
func (c *center) newUser(email string, role models.Role) models.UserID {
	c.t.Helper()
	u := models.User{Email: email, Name: email, Role: role, PasswordHash: "x"}
	if err := c.store.InTx(ctx, func(tx *store.Tx) error { return tx.InsertUser(ctx, &u) }); err != nil {
		c.t.Fatal(err)
	}
	return u.ID
}

package service_test

import (
	"errors"
	"fmt"
	"net/url"
	"testing"
	"time"

	"kanal/models"
	"kanal/service"
	"kanal/store"
	"kanal/store/storetest"
	"kanal/twilio"
	"kanal/twilio/simulator"
)

// addTemplate adds one to the account of the center.
func (c *center) addTemplate(t models.Template) models.TemplateID {
	c.t.Helper()
	if t.AccountID == 0 {
		t.AccountID = c.account.ID
	}
	c.must(c.store.InTx(ctx, func(tx *store.Tx) error {
		t.Language, t.Version, t.Source, t.CreatedAt, t.UpdatedAt = "nb", 1, models.TemplateTwilio, tx.Now(), tx.Now()
		return tx.InsertTemplate(ctx, &t)
	}))
	return t.ID
}

// agrees lets an agent record that the customer of a conversation agrees to messages.
func (c *center) agrees(id models.ConversationID) {
	c.t.Helper()
	form := service.ConsentForm{Account: c.account.ID, Scope: models.ConsentAll, Given: true, Note: "said so"}
	c.must(c.service.RecordConsent(ctx, c.agent, c.conversation(id).ContactID, form))
}

// uses posts a template.
func (c *center) uses(id models.ConversationID, key string, use service.TemplateUse) (models.Message, error) {
	return c.service.Reply(ctx, c.agent, service.Reply{Conversation: id, Key: key, Template: &use})
}

// created gives what the last create of the center asked for.
func (c *center) created() url.Values {
	c.t.Helper()
	ledger := c.sim.Ledger(c.sid)
	for i := len(ledger) - 1; i >= 0; i-- {
		if ledger[i].What == "create" {
			return ledger[i].Params
		}
	}
	c.t.Fatal("nothing was sent")
	return nil
}

const appointment = "HXb5b62575e6e4ff6129ad7c8efe1f983e"

// A template goes out in the closed window, with its Content SID and variables and nothing else. Here it is a message
// like any other, with the text that the customer reads; what was begun beside it stays.
func TestTemplateInTheClosedWindow(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		c.toSandbox(0)
		c.toBox(0, "Hei")
		id := c.only().ID
		c.must(c.service.TakeOver(ctx, c.agent, id, 0))
		clock.Advance(25 * time.Hour)
		c.must(c.service.SaveDraft(ctx, c.agent, id, "begun"))
		use := service.TemplateUse{ContentSID: appointment, Values: map[string]string{"1": "12. mai", "2": "kl. 10 <her>", "3": "not asked for"}}
		if _, err := c.uses(id, "k1", use); !errors.Is(err, models.E(models.KindInvalid, string(models.RefusedNoOptIn))) {
			t.Fatalf("without consent: %v", err)
		}
		c.agrees(id)
		m, err := c.uses(id, "k1", use)
		c.must(err)
		if m.Kind != models.KindTemplate || m.Body != "Your appointment is coming up on 12. mai at kl. 10 <her>" || m.Details.Template != "appointment_reminder" || m.TemplateID != nil {
			t.Errorf("%+v", m)
		}
		c.send(id)
		p := c.created()
		if p.Get("ContentSid") != appointment || p.Get("ContentVariables") != `{"1":"12. mai","2":"kl. 10 \u003cher\u003e"}` || p.Has("Body") {
			t.Errorf("%v", p)
		}
		c.until("read", func() bool { return c.message(m.ID).State == models.Read })
		if row := c.only(); row.Draft != "begun" || row.Window().IsOpen(c.store.Now()) {
			t.Errorf("%+v", row)
		}
		if again, err := c.uses(id, "k1", use); err != nil || again.ID != m.ID || c.creates() != 1 {
			t.Errorf("the same key is the same message: %v", err)
		}
		use.Values["1"] = "13. mai"
		if _, err := c.uses(id, "k1", use); !errors.Is(err, service.ErrKeyReused) {
			t.Error(err)
		}
		if _, err := c.service.Reply(ctx, c.agent, service.Reply{Conversation: id, Key: "k1", Body: m.Body}); models.KindOf(err) == models.KindInternal || err == nil {
			t.Error("a text is not the template that reads like it:", err)
		}
	})
}

// One that was typed goes as text, and only in the open window.
func TestTypedTemplateGoesAsText(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		id := c.quiet()
		use := service.TemplateUse{Template: c.addTemplate(models.Template{Name: "Takk", Body: "Takk, {{1}}"}), Values: map[string]string{"1": "Kari"}}
		m, err := c.uses(id, "k1", use)
		c.must(err)
		c.send(id)
		if p := c.created(); p.Get("Body") != "Takk, Kari" || p.Has("ContentSid") || p.Has("ContentVariables") {
			t.Errorf("%v", p)
		}
		if m.TemplateID == nil || *m.TemplateID != use.Template {
			t.Errorf("%+v", m)
		}
		left, err := c.uses(id, "k2", use)
		c.must(err)
		clock.Advance(25 * time.Hour)
		c.agrees(id)
		if _, err := c.uses(id, "k3", use); !errors.Is(err, service.ErrTemplateWindow) {
			t.Error(err)
		}
		c.send(id)
		if got := c.message(left.ID); got.State != models.Failed || got.ErrorCode != twilio.CodeOutsideWindow || c.creates() != 1 {
			t.Errorf("%s %d", got.State, got.ErrorCode)
		}
		if _, err := c.service.Retry(ctx, c.agent, left.ID); !errors.Is(err, service.ErrWindowClosed) {
			t.Error(err)
		}
	})
}

func TestTemplatesThatCannotBeSent(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		id := c.quiet()
		other := models.Account{Name: "Other", Channel: models.ChannelWhatsApp, SID: "AC2", HookKey: "other", State: models.AccountActive, Version: 1, CreatedAt: c.store.Now(), UpdatedAt: c.store.Now()}
		c.must(c.store.InTx(ctx, func(tx *store.Tx) error { return tx.Insert(ctx, &other) }))
		gone, n := c.store.Now(), 0
		with := func(status models.TemplateStatus, change func(*models.Template)) service.TemplateUse {
			n++
			t := models.Template{Name: fmt.Sprint("t", n), Body: "Hei {{1}}", Kind: models.KindOfText, ContentSID: fmt.Sprintf("HX%032x", n), Status: status}
			if change != nil {
				change(&t)
			}
			return service.TemplateUse{Template: c.addTemplate(t), Values: map[string]string{"1": "Kari"}}
		}
		empty := with(models.TemplateApproved, nil)
		empty.Values = nil
		for name, tt := range map[string]struct {
			use  service.TemplateUse
			want error
		}{
			"approved":           {with(models.TemplateApproved, nil), nil},
			"not asked about":    {with(models.TemplateUnsubmitted, nil), nil},
			"waiting":            {with(models.TemplatePending, nil), service.ErrTemplateStopped},
			"rejected":           {with(models.TemplateRejected, nil), service.ErrTemplateStopped},
			"paused":             {with(models.TemplatePaused, nil), service.ErrTemplateStopped},
			"disabled":           {with(models.TemplateDisabled, nil), service.ErrTemplateStopped},
			"removed":            {with(models.TemplateApproved, func(t *models.Template) { t.RemovedAt = &gone }), service.ErrTemplateStopped},
			"of another":         {with(models.TemplateApproved, func(t *models.Template) { t.AccountID = other.ID }), models.ErrNotFound},
			"unknown":            {service.TemplateUse{Template: 4711}, models.ErrNotFound},
			"the sandbox's":      {service.TemplateUse{ContentSID: appointment, Values: map[string]string{"1": "a", "2": "b"}}, models.ErrNotFound},
			"with nothing in it": {empty, models.FieldErrors{}},
		} {
			_, err := c.uses(id, name, tt.use)
			if fields := (models.FieldErrors{}); errors.As(tt.want, &fields) {
				if !errors.As(err, &fields) {
					t.Errorf("%s: %v", name, err)
				}
			} else if !errors.Is(err, tt.want) {
				t.Errorf("%s: %v, want %v", name, err, tt.want)
			}
		}
		c.toSandbox(1)
		c.toBox(1, "Hei")
		if _, err := c.uses(c.conversationOf(c.customer(1)), "k", with(models.TemplateApproved, nil)); !errors.Is(err, service.ErrTemplateSandbox) {
			t.Error(err)
		}
	})
}

// What WhatsApp stops while it is queued is not handed to Twilio any more.
func TestTemplateStoppedWhileQueued(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		id := c.quiet()
		for i, tt := range []struct {
			now  models.TemplateStatus
			code int
		}{
			{models.TemplateRejected, twilio.CodeRejected}, {models.TemplatePaused, twilio.CodePaused}, {models.TemplateDisabled, twilio.CodeDisabled},
		} {
			made := models.Template{Name: fmt.Sprint("t", i), Body: "Hei", Kind: models.KindOfText, ContentSID: fmt.Sprintf("HX%032x", i+1), Status: models.TemplateApproved}
			made.ID = c.addTemplate(made)
			m, err := c.uses(id, fmt.Sprint("k", i), service.TemplateUse{Template: made.ID})
			c.must(err)
			c.must(c.store.InTx(ctx, func(tx *store.Tx) error {
				t, err := tx.TemplateOf(ctx, c.account.ID, made.ID)
				if err != nil {
					return err
				}
				t.Status = tt.now
				return tx.SaveTemplate(ctx, &t)
			}))
			c.send(id)
			if got := c.message(m.ID); got.State != models.Failed || got.ErrorCode != tt.code || c.creates() != 0 {
				t.Errorf("%s: %s %d", tt.now, got.State, got.ErrorCode)
			}
			if _, err := c.service.Retry(ctx, c.agent, m.ID); !errors.Is(err, service.ErrTemplateStopped) {
				t.Errorf("%s: %v", tt.now, err)
			}
		}
	})
}

// The answer to a template is lost: it is found at Twilio by the text that the customer reads, and not sent again.
func TestUncertainTemplateIsFoundByItsText(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		c.sim.SetOutcome(c.sid, simulator.Outcome{Final: "none"})
		c.toSandbox(0)
		c.toBox(0, "Hei")
		id := c.only().ID
		c.sim.Fail(c.sid, simulator.FaultCommitDrop)
		m, err := c.uses(id, "k1", service.TemplateUse{ContentSID: appointment, Values: map[string]string{"1": "a  b", "2": "c"}})
		c.must(err)
		c.send(id)
		if got := c.message(m.ID); got.State != models.Uncertain {
			t.Fatal(got.State)
		}
		clock.Advance(2 * time.Minute)
		if got := c.settle(m.ID); got.State != models.Accepted || got.ProviderSID == nil || c.creates() != 1 {
			t.Errorf("%s after %d creates", got.State, c.creates())
		}
	})
}

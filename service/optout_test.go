package service_test

import (
	"errors"
	"net/url"
	"slices"
	"strconv"
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

func TestStopWord(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		c.write(0, "Hei")
		row := c.only()
		utility, ad := c.template("UTILITY"), c.template(models.CategoryMarketing)
		answer := c.reply(row.ID, "k1", "what the customer asked for")
		clock.Advance(time.Minute)
		c.write(0, "Stopp!")
		s := c.consents()
		if !s.OptedOut() || s.All.Source != models.SourceStopWord || s.All.MessageID == nil || c.message(*s.All.MessageID).Body != "Stopp!" {
			t.Fatalf("%+v", s.All)
		}
		for _, id := range []models.MessageID{utility, ad} {
			if m := c.message(id); m.State != models.Canceled || m.ErrorCode != twilio.CodeOptedOut {
				t.Errorf("%s is %s", m.Body, m.State)
			}
		}
		if m := c.message(answer.ID); m.State != models.Queued {
			t.Errorf("an answer is no template: %s", m.State)
		}
		clock.Advance(time.Minute)
		c.write(0, "stop")
		confirmation := models.OptOutConfirmation("", models.StopWord)
		want := []string{"Hei", "UTILITY", "MARKETING", "system.assigned", answer.Body, "Stopp!", "system.opted_out.all_self", confirmation, "stop"}
		if got := c.lines(row.ID); !slices.Equal(got, want) {
			t.Errorf("%q", got)
		}
		clock.Advance(time.Minute)
		c.write(0, "Jeg lurer på noe")
		c.reply(row.ID, "k2", "who writes is answered")
		c.write(0, "START")
		if s := c.consents(); s.OptedOut() || s.All.Source != models.SourceStartWord {
			t.Errorf("%+v", s.All)
		}
		if got := c.lines(row.ID); got[len(got)-2] != "system.opted_in.all_self" || got[len(got)-1] != models.OptOutConfirmation("", models.StartWord) {
			t.Errorf("%q", got)
		}
		n := len(c.lines(row.ID))
		if c.write(0, "start"); len(c.lines(row.ID)) != n+1 {
			t.Error("a start word of somebody who has not opted out is a text")
		}
	})
}

func TestStartWordUndoesMarketingToo(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		c.write(0, "Hei")
		f := service.ConsentForm{Account: c.account.ID, Scope: models.ConsentMarketing, Note: "x"}
		if err := c.service.RecordConsent(ctx, c.agent, c.only().ContactID, f); err != nil {
			t.Fatal(err)
		}
		if c.write(0, "start"); !c.consents().OptedIn(models.CategoryMarketing) {
			t.Errorf("%+v", c.consents())
		}
	})
}

// Where Twilio acts on the words itself, it has answered: we say nothing, and what it refuses we refuse.
func TestOptOutAtTwilio(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		c.sim.SetAdvancedOptOut(c.sid, true)
		c.write(0, "Hei")
		row := c.only()
		clock.Advance(time.Minute)
		c.write(0, "STOP")
		if s := c.consents(); !s.OptedOut() || !s.All.ByTwilio() || s.All.Note != "STOP" {
			t.Fatalf("%+v", s.All)
		}
		if got := c.lines(row.ID); !slices.Equal(got, []string{"Hei", "STOP", "system.opted_out.all_self"}) {
			t.Errorf("%q", got)
		}
		clock.Advance(time.Minute)
		c.write(0, "Hallo?")
		if _, err := c.service.Reply(ctx, c.agent, service.Reply{Conversation: row.ID, Key: "k", Body: "x"}); !errors.Is(err, service.ErrOptedOut) {
			t.Errorf("a reply: %v", err)
		}
		f := service.ConsentForm{Account: c.account.ID, Scope: models.ConsentAll, Given: true, Note: "x"}
		if err := c.service.RecordConsent(ctx, c.agent, row.ContactID, f); !errors.Is(err, service.ErrOnlyCustomer) {
			t.Errorf("an agent cannot undo it: %v", err)
		}
		c.write(0, "START")
		c.reply(row.ID, "k", "x")
	})
}

// OptOutType wins over the text: HELP asks for nothing, and a text that Twilio took as STOP is one.
func TestOptOutTypeWins(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		for i, tt := range []struct {
			body, said string
			out        bool
		}{{"STOP", "HELP", false}, {"no more", "STOP", true}, {"STOP", "START", false}} {
			sid := "SM0000000000000000000000000000000" + string(rune('1'+i))
			form := url.Values{"MessageSid": {sid}, "From": {string(c.customer(0))}, "To": {"whatsapp:" + number}, "Body": {tt.body}, "OptOutType": {tt.said}, "MessageType": {"text"}}
			if err := c.service.Receive(ctx, service.Call{Account: c.account, Form: form, ReceivedAt: c.store.Now()}); err != nil {
				t.Fatal(err)
			}
			if got := c.consents().OptedOut(); got != tt.out {
				t.Errorf("%q, said to be %s: opted out %v", tt.body, tt.said, got)
			}
		}
	})
}

// A stop word that is taken in again, or late, undoes nothing that came after it.
func TestOldStopWord(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		c.write(0, "STOP")
		old := c.store.Now()
		clock.Advance(time.Hour)
		c.write(0, "START")
		form := url.Values{"MessageSid": {"SM00000000000000000000000000000001"}, "From": {string(c.customer(0))}, "To": {"whatsapp:" + number}, "Body": {"STOP"}, "MessageType": {"text"}}
		for range 2 {
			if err := c.service.Receive(ctx, service.Call{Account: c.account, Form: form, ReceivedAt: old.Add(time.Minute)}); err != nil {
				t.Fatal(err)
			}
		}
		if c.consents().OptedOut() {
			t.Error("an old stop word opted out again")
		}
	})
}

// greets gives the number a greeting message.
func (c *center) greets(text string) {
	c.t.Helper()
	c.must(c.store.InTx(ctx, func(tx *store.Tx) error {
		return tx.SaveAutomatedMessage(ctx, models.AutomatedMessage{NumberID: c.number, Trigger: models.TriggerStarted, Active: true, Text: text})
	}))
	c.must(c.service.Reload(ctx))
}

// The first message of a customer may be a stop word: no greeting then.
func TestStopWordIsNotGreeted(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		c.greets("Welcome")
		c.write(0, "STOP")
		if got := strings.Join(c.lines(c.only().ID), " "); strings.Contains(got, "Welcome") {
			t.Error(got)
		}
	})
}

func TestRefusalsAreHonoured(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		c.startJobs()
		for i, tt := range []struct {
			code   int
			scope  models.ConsentScope
			before func()
		}{
			{twilio.CodeOptedOut, models.ConsentAll, func() {
				c.write(0, "Hei")
				form := simulator.Write{Customer: c.customer(0), Number: number, Kind: "opt_out"}
				c.sim.SetInboundURL(c.sid, number, "") // Twilio knows, we do not
				c.sim.Receive(c.sid, form)
				c.sim.SetInboundURL(c.sid, number, c.service.InboundURL(c.account))
			}},
			{twilio.CodeBlocked, models.ConsentAll, func() { c.write(0, "Hei"); c.sim.SetBlocks(c.sid, c.customer(0), true) }},
			{twilio.CodeNoMarketing, models.ConsentMarketing, func() {
				c.write(0, "Hei")
				c.sim.SetOutcome(c.sid, simulator.Outcome{Final: "undelivered", Code: twilio.CodeNoMarketing, Step: time.Millisecond})
			}},
			{twilio.CodeNoMarketing2, models.ConsentMarketing, func() {
				c.write(0, "Hei")
				c.sim.SetOutcome(c.sid, simulator.Outcome{Final: "undelivered", Code: twilio.CodeNoMarketing2, Step: time.Millisecond})
			}},
		} {
			tt.before()
			clock.Advance(time.Minute)
			row := c.only()
			m := c.reply(row.ID, "k"+string(rune('0'+i)), "x")
			c.until("final", func() bool { return c.message(m.ID).State.Final() })
			all, err := c.store.Consents(ctx, c.agent, row.ContactID, 1)
			if err != nil || len(all) != 1 || all[0].Given || all[0].Scope != tt.scope || all[0].Source != models.SourceTwilio || all[0].MessageID == nil {
				t.Fatalf("%d: %+v %v", tt.code, all, err)
			}
			if got := c.message(m.ID).ErrorCode; got != tt.code {
				t.Errorf("error %d, want %d", got, tt.code)
			}
			lines := c.lines(row.ID)
			if want := "system.opted_out." + string(tt.scope) + "_self"; lines[len(lines)-1] != want {
				t.Errorf("%d: %q", tt.code, lines)
			}
			c.forget(row.ContactID)
		}
	})
}

// forget lets the phone and the account begin anew.
func (c *center) forget(contact models.ContactID) {
	c.t.Helper()
	c.sim.SetAdvancedOptOut(c.sid, false)
	c.sim.SetBlocks(c.sid, c.customer(0), false)
	c.sim.SetOutcome(c.sid, simulator.Outcome{Final: "read", Step: time.Millisecond})
	err := c.store.InTx(ctx, func(tx *store.Tx) error {
		in := models.Consent{AccountID: c.account.ID, ContactID: contact, Scope: models.ConsentAll, Given: true, Source: models.SourceStartWord, At: tx.Now()}
		ads := in
		ads.Scope = models.ConsentMarketing
		return tx.InsertConsents(ctx, []models.Consent{in, ads})
	})
	if err != nil {
		c.t.Fatal(err)
	}
}

// A refusal that is known is not kept twice; who blocked us and has written since does not block us any more.
func TestRefusalsAreKeptOnce(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		c.write(0, "Hei")
		row := c.only()
		c.sim.SetOutcome(c.sid, simulator.Outcome{Final: "none"})
		var sids []string
		for i := range 3 {
			clock.Advance(time.Minute)
			m := c.reply(row.ID, "k"+string(rune('0'+i)), "x")
			if err := c.service.SendConversation(ctx, row.ID); err != nil {
				t.Fatal(err)
			}
			sids = append(sids, *c.message(m.ID).ProviderSID)
		}
		clock.Advance(time.Minute)
		for _, sid := range sids[:2] {
			c.sim.Report(c.sid, sid, "undelivered", twilio.CodeBlocked)
		}
		count := func() int {
			cs, err := c.store.Consents(ctx, c.agent, row.ContactID, 10)
			if err != nil {
				t.Fatal(err)
			}
			return len(cs)
		}
		if n := count(); n != 1 {
			t.Errorf("%d consents of two refusals", n)
		}
		if _, err := c.service.Reply(ctx, c.agent, service.Reply{Conversation: row.ID, Key: "k9", Body: "x"}); !errors.Is(err, service.ErrOptedOut) {
			t.Errorf("who blocks us: %v", err)
		}
		clock.Advance(time.Minute)
		c.write(0, "I am back")
		c.reply(row.ID, "k9", "good")
		if c.sim.Report(c.sid, sids[2], "undelivered", twilio.CodeBlocked); count() != 1 {
			t.Error("a late refusal of what was sent before the customer wrote again")
		}
	})
}

func TestStopWordsOfABatch(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		c.write(0, "Hei")
		row := c.only()
		done := make(chan int, 3)
		for range 3 {
			go func() {
				codes := c.sim.Receive(c.sid, simulator.Write{Customer: c.customer(0), Number: number, Body: "STOP"})
				done <- codes[len(codes)-1]
			}()
		}
		for range 3 {
			if code := <-done; code != 200 {
				t.Error(code)
			}
		}
		lines := c.lines(row.ID)
		said := 0
		for _, l := range lines {
			if l == models.OptOutConfirmation("", models.StopWord) {
				said++
			}
		}
		if said != 1 || len(lines) != 6 {
			t.Errorf("%q", lines)
		}
	})
}

// lost lets the next message of a conversation get lost on its way, and makes another attempt.
func (c *center) lost(clock *storetest.Clock, id models.ConversationID, m models.MessageID, meanwhile func()) {
	c.t.Helper()
	c.loses(clock, id, m, meanwhile)
	c.send(id)
}

// loses lets the next message of a conversation get lost on its way, so that it waits for another attempt.
func (c *center) loses(clock *storetest.Clock, id models.ConversationID, m models.MessageID, meanwhile func()) {
	c.t.Helper()
	c.sim.Fail(c.sid, simulator.FaultDown)
	c.send(id)
	if got := c.settle(m); got.State != models.Uncertain {
		c.t.Fatal(got.State)
	}
	meanwhile()
	for range 2 {
		clock.Advance(71 * time.Second)
		c.settle(m)
	}
	if got := c.message(m); got.State != models.Queued {
		c.t.Fatal(got.State)
	}
}

// What was on its way when the customer opted out, and did not arrive, is not tried again; by hand neither.
func TestStopWordWhileATemplateIsOnItsWay(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		id := c.quiet()
		use := service.TemplateUse{Template: c.addTemplate(models.Template{Name: "ad", Body: "x", Category: models.CategoryMarketing, ContentSID: "HX1", Status: models.TemplateApproved})}
		m, err := c.uses(id, "k1", use)
		c.must(err)
		c.lost(clock, id, m.ID, func() { c.write(0, "STOP") })
		if got := c.message(m.ID); got.State != models.Canceled || got.ErrorCode != twilio.CodeOptedOut {
			t.Errorf("%s, code %d", got.State, got.ErrorCode)
		}
		c.write(0, "START")
		c.send(id)
		m, err = c.uses(id, "k2", use)
		c.must(err)
		c.send(id) // Twilio does not know it
		clock.Advance(time.Minute)
		c.write(0, "STOP")
		if _, err := c.service.Retry(ctx, c.agent, m.ID); !errors.Is(err, service.ErrOptedOut) {
			t.Errorf("by hand: %v", err)
		}
	})
}

// The same for a customer whom somebody blocks meanwhile.
func TestBlockWhileAMessageIsOnItsWay(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		id := c.quiet()
		m := c.reply(id, "k", "x")
		contact := c.only().ContactID
		c.lost(clock, id, m.ID, func() { c.must(c.service.BlockCustomer(ctx, c.agent, contact)) })
		if got := c.message(m.ID); got.State != models.Canceled || c.creates() != 0 {
			t.Errorf("%s after %d creates", got.State, c.creates())
		}
	})
}

// A template of the sandbox is no row; it is taken back all the same.
func TestStopWordTakesBackTheSandboxTemplate(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		c.toSandbox(0)
		c.toBox(0, "Hei")
		m, err := c.uses(c.only().ID, "k", service.TemplateUse{ContentSID: appointment, Values: map[string]string{"1": "a", "2": "b"}})
		c.must(err)
		clock.Advance(time.Minute)
		c.toBox(0, "avmeld")
		if got := c.message(m.ID); got.State != models.Canceled {
			t.Error(got.State)
		}
	})
}

// A refusal that comes after the customer has written a start word, of what was sent before it, opts out nobody.
func TestLateRefusal(t *testing.T) {
	for _, code := range []int{twilio.CodeOptedOut, twilio.CodeNoMarketing} {
		each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
			id := c.quiet()
			m := c.reply(id, "k", "x")
			c.send(id)
			clock.Advance(time.Minute)
			c.write(0, "STOP")
			clock.Advance(time.Minute)
			c.write(0, "START")
			clock.Advance(time.Minute)
			c.sim.Report(c.sid, *c.message(m.ID).ProviderSID, "undelivered", code)
			if s := c.consents(); s.OptedOut() || !s.OptedIn(models.CategoryMarketing) {
				t.Errorf("%d: %+v", code, s)
			}
			late := c.reply(id, "k2", "y")
			c.send(id)
			clock.Advance(time.Minute)
			c.sim.Report(c.sid, *c.message(late.ID).ProviderSID, "undelivered", code)
			if s := c.consents(); s.OptedIn(models.CategoryMarketing) {
				t.Errorf("%d of what was sent since: %+v", code, s)
			}
		})
	}
}

// Who begins with "Start" and has not opted out is greeted like anybody else.
func TestStartWordIsGreeted(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		c.greets("Welcome")
		c.write(0, "Start")
		if got := c.lines(c.only().ID); !slices.Equal(got, []string{"Start", "Welcome"}) {
			t.Errorf("%q", got)
		}
	})
}

// A template whose attempt was given up for lost waits for the next one when Twilio says after all that the customer wants
// none: it was refused itself, what waits beside it is taken back, and nothing goes out.
func TestRefusalOfATemplateThatWasLost(t *testing.T) {
	for code, scope := range map[int]models.ConsentScope{
		twilio.CodeOptedOut: models.ConsentAll, twilio.CodeBlocked: models.ConsentAll, twilio.CodeNoMarketing: models.ConsentMarketing,
	} {
		t.Run(strconv.Itoa(code), func(t *testing.T) {
			each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
				id := c.quiet()
				m, err := c.uses(id, "k1", service.TemplateUse{Template: c.addTemplate(models.Template{
					Name: "ad", Body: "x", Category: models.CategoryMarketing, ContentSID: "HX1", Status: models.TemplateApproved,
				})})
				c.must(err)
				c.loses(clock, id, m.ID, func() {})
				beside := c.template(models.CategoryMarketing)
				for range 2 {
					c.must(c.status(m, 1, sid(1), "undelivered", strconv.Itoa(code)))
				}
				if got := c.message(m.ID); got.State != models.Undelivered || got.ErrorCode != code || *got.ProviderSID != sid(1) {
					t.Errorf("%s, code %d", got.State, got.ErrorCode)
				}
				if got := c.message(beside); got.State != models.Canceled || got.ErrorCode != twilio.CodeOptedOut {
					t.Errorf("what waits beside it: %s, code %d", got.State, got.ErrorCode)
				}
				want := "system.opted_out." + string(scope) + "_self"
				if lines := c.lines(id); lines[len(lines)-1] != want || slices.Index(lines, want) != len(lines)-1 {
					t.Errorf("%q", lines)
				}
				if c.send(id); c.creates() != 0 {
					t.Errorf("%d creates", c.creates())
				}
			})
		})
	}
}

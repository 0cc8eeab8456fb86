package service_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"kanal/models"
	"kanal/service"
	"kanal/store"
	"kanal/store/storetest"
	"kanal/twilio/simulator"
)

// admin gives an administrator's eyes.
func (c *center) admin() models.Viewer {
	return models.Viewer{User: c.agent.User, Role: models.Administrator}
}

func (c *center) queue(name string) models.QueueID {
	c.t.Helper()
	q, err := c.service.NewQueue(ctx, c.admin(), name)
	if err != nil {
		c.t.Fatal(err)
	}
	return q
}

func (c *center) workstream(name string, q models.QueueID) models.WorkstreamID {
	c.t.Helper()
	w, err := c.service.NewWorkstream(ctx, c.admin(), service.WorkstreamDetails{Name: name, Distribution: models.Pick, Queue: q})
	if err != nil {
		c.t.Fatal(err)
	}
	return w
}

// step saves a step of the wizard with the version that is there now.
func (c *center) step(w models.WorkstreamID, in service.ChannelInput) error {
	c.t.Helper()
	return c.service.SaveChannelStep(ctx, c.admin(), w, in, service.Edit{Version: c.draft(w).Version})
}

func (c *center) draft(w models.WorkstreamID) models.ChannelDraft {
	c.t.Helper()
	d, err := c.store.ChannelDraft(ctx, w)
	if err != nil {
		c.t.Fatal(err)
	}
	return d
}

// prepare fills the wizard up to its summary.
func (c *center) prepare(w models.WorkstreamID, language string, g service.Greeting) {
	c.t.Helper()
	for _, in := range []service.ChannelInput{
		{Step: models.ChannelNumber, Number: c.number}, {Step: models.ChannelLanguage, Language: language},
		{Step: models.ChannelBehaviors, Greeting: g}, {Step: models.ChannelUserFeatures, Features: service.Features{Files: true, Agents: true}},
	} {
		if err := c.step(w, in); err != nil {
			c.t.Fatal(in.Step, err)
		}
	}
}

func (c *center) finish(w models.WorkstreamID) error {
	c.t.Helper()
	_, err := c.service.FinishChannel(ctx, c.admin(), w, service.Edit{Version: c.draft(w).Version})
	return err
}

func (c *center) mustFinish(w models.WorkstreamID) {
	c.t.Helper()
	if err := c.finish(w); err != nil {
		c.t.Fatal(err)
	}
}

// problem fails the test unless err is one problem of one field.
func problem(t *testing.T, err error, field, key string) {
	t.Helper()
	var f models.FieldErrors
	if !errors.As(err, &f) || models.KindOf(err) != models.KindInvalid || len(f) != 1 || f[0].Field != field || f[0].Key != key {
		t.Errorf("%v, want %s: %s", err, field, key)
	}
}

// What came in before the number had a workstream belongs to it from Finish on, and so does what comes later.
func TestFinishTakesOverWhatIsGoingOn(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		c.write(0, "closed before")
		closed := c.only()
		for _, do := range []error{c.service.TakeOver(ctx, c.agent, closed.ID, 0), c.service.Resolve(ctx, c.agent, closed.ID), c.service.CloseNow(ctx, c.agent, closed.ID)} {
			if do != nil {
				t.Fatal(do)
			}
		}
		c.write(0, "waits")
		c.write(1, "has an agent")
		rows, err := c.store.Conversations(ctx, c.agent, store.InboxFilter{View: models.ViewAll})
		if err != nil || len(rows) != 2 || rows[0].WorkstreamID != nil {
			t.Fatal(rows, err)
		}
		taken := rows[0].ID
		if err := c.service.TakeOver(ctx, c.agent, taken, 0); err != nil {
			t.Fatal(err)
		}
		sales := c.queue("Sales")
		w := c.workstream("Norway", sales)
		c.prepare(w, "nb", service.Greeting{})
		c.mustFinish(w)
		for _, r := range rows {
			got, err := c.store.ConversationByID(ctx, r.ID)
			if err != nil || got.WorkstreamID == nil || *got.WorkstreamID != w || got.QueueID != sales || got.Version <= r.Version {
				t.Errorf("%+v %v", got, err)
			}
			if want := r.ID == taken; (got.UserID != nil) != want {
				t.Errorf("agent %v", got.UserID)
			}
		}
		if got, err := c.store.ConversationByID(ctx, closed.ID); err != nil || got.WorkstreamID != nil || got.QueueID == sales {
			t.Errorf("a closed conversation stays as it was: %+v %v", got, err)
		}
		c.write(2, "new")
		all, err := c.store.Conversations(ctx, c.admin(), store.InboxFilter{View: models.ViewAll})
		if err != nil || len(all) != 3 || all[0].QueueID != sales || all[0].WorkstreamName != "Norway" {
			t.Errorf("%+v %v", all, err)
		}
		n, err := c.store.Number(ctx, c.number)
		if err != nil || n.Language != "nb" || !n.Files || n.CustomerFiles || !n.AgentFiles || n.ClaimedAt == nil {
			t.Errorf("%+v %v", n, err)
		}
	})
}

// A message that was being taken in during Finish may have begun its conversation without the workstream.
func TestLateConversationsComeToTheWorkstream(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		sales := c.queue("Sales")
		w := c.workstream("Norway", sales)
		c.prepare(w, "nb", service.Greeting{})
		c.mustFinish(w)
		err := c.store.InTx(ctx, func(tx *store.Tx) error { return tx.SetQueueMember(ctx, sales, c.agent.User, true) })
		if err != nil {
			t.Fatal(err)
		}
		c.write(0, "Hei")
		id, standing := c.only().ID, models.QueueID(0)
		late := func() {
			t.Helper()
			err := c.store.InTx(ctx, func(tx *store.Tx) (err error) {
				if standing, err = tx.DefaultQueue(ctx); err != nil {
					return err
				}
				row, err := tx.LockConversation(ctx, id)
				if err != nil {
					return err
				}
				row.WorkstreamID, row.QueueID = nil, standing
				return tx.SaveConversations(ctx, row)
			})
			if err != nil {
				t.Fatal(err)
			}
			if err := c.service.Housekeeping(ctx); err != nil {
				t.Fatal(err)
			}
		}
		late()
		if row := c.only(); row.WorkstreamID == nil || *row.WorkstreamID != w || row.QueueID != sales {
			t.Errorf("%+v", row)
		}
		clock.Advance(time.Hour)
		late()
		if row := c.only(); row.QueueID != standing {
			t.Errorf("only what is late by moments is moved: %+v", row)
		}
	})
}

func TestTwoWorkstreamsFinishWithOneNumber(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		q := c.queue("Sales")
		ws := []models.WorkstreamID{c.workstream("A", q), c.workstream("B", q)}
		errs := make([]error, len(ws))
		var all sync.WaitGroup
		for _, w := range ws {
			c.prepare(w, "nb", service.Greeting{})
		}
		for i, w := range ws {
			version := c.draft(w).Version
			all.Go(func() { _, errs[i] = c.service.FinishChannel(ctx, c.admin(), w, service.Edit{Version: version}) })
		}
		all.Wait()
		won := 0
		if errs[0] != nil {
			won = 1
		}
		if errs[won] != nil {
			t.Fatal(errs)
		}
		problem(t, errs[1-won], "number", "channel.number_taken")
		if n, err := c.store.Number(ctx, c.number); err != nil || *n.WorkstreamID != ws[won] {
			t.Error(n, err)
		}
		if c.draft(ws[1-won]).NumberID == nil || c.draft(ws[won]).Version != 0 {
			t.Error("the draft that lost is kept, the one that won is gone")
		}
		problem(t, c.step(ws[1-won], service.ChannelInput{Step: models.ChannelNumber, Number: c.number}), "number", "channel.number_taken")
	})
}

func TestGreetingFollowsTheNumber(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		w := c.workstream("Norway", c.queue("Sales"))
		greetings := func() (texts []string) {
			rows, err := c.store.Conversations(ctx, c.admin(), store.InboxFilter{View: models.ViewAll})
			for _, r := range rows {
				ms, err := c.store.Messages(ctx, r.Conversation, 0)
				for _, m := range ms {
					if m.Trigger == models.TriggerStarted {
						texts = append(texts, m.Body)
					}
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			if err != nil {
				t.Fatal(err)
			}
			return texts
		}
		c.write(0, "before there is a workstream")
		c.prepare(w, "en", service.Greeting{Active: true, Text: models.DefaultGreeting("en")})
		c.mustFinish(w)
		c.write(0, "this conversation has begun already")
		if got := greetings(); len(got) != 0 {
			t.Fatal(got)
		}
		c.write(1, "Hello")
		c.write(1, "Anybody?")
		if got := greetings(); len(got) != 1 || got[0] != models.DefaultGreeting("en") {
			t.Fatal(got)
		}
		// The built-in text follows the language.
		save := func(in service.NumberSettings) {
			t.Helper()
			n, err := c.store.Number(ctx, c.number)
			if err != nil {
				t.Fatal(err)
			}
			in.Number = c.number
			if err := c.service.SaveNumberSettings(ctx, c.admin(), w, in, service.Edit{Version: n.Version}); err != nil {
				t.Fatal(err)
			}
		}
		save(service.NumberSettings{Part: models.ChannelLanguage, Language: "nb"})
		c.write(2, "Hei")
		if got := strings.Join(greetings(), "|"); !strings.Contains(got, models.DefaultGreeting("nb")) {
			t.Error(got)
		}
		save(service.NumberSettings{Part: models.ChannelBehaviors, Greeting: service.Greeting{Text: "Egen tekst"}})
		c.sim.AddCustomer(c.sid, simulator.Customer{Name: "Nora", Address: "whatsapp:+4740000777"})
		c.write(3, "Hei")
		if got := greetings(); len(got) != 2 {
			t.Errorf("the greeting is off: %q", got)
		}
		// A text of one's own stays when the language changes.
		save(service.NumberSettings{Part: models.ChannelLanguage, Language: "en"})
		if m, err := c.store.AutomatedMessage(ctx, c.number, models.TriggerStarted); err != nil || m.Text != "Egen tekst" || m.Active {
			t.Errorf("%+v %v", m, err)
		}
	})
}

func TestReleasedNumberIsAsBefore(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		w := c.workstream("Norway", c.queue("Sales"))
		c.prepare(w, "nb", service.Greeting{Active: true, Text: "Velkommen"})
		c.mustFinish(w)
		c.write(0, "Hei")
		problem(t, c.service.ReleaseNumber(ctx, c.admin(), w, c.number, "Tes"), "confirm", "channel.confirm_wrong")
		other := c.workstream("Sweden", c.queue("Other"))
		if err := c.service.ReleaseNumber(ctx, c.admin(), other, c.number, "Test"); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("a number of another workstream: %v", err)
		}
		if err := c.service.ReleaseNumber(ctx, c.admin(), w, c.number, " test "); err != nil {
			t.Fatal(err)
		}
		if err := c.service.ReleaseNumber(ctx, c.admin(), w, c.number, "Test"); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("twice: %v", err)
		}
		c.write(1, "Hei")
		rows, err := c.store.Conversations(ctx, c.admin(), store.InboxFilter{View: models.ViewAll})
		if err != nil || len(rows) != 2 || rows[0].WorkstreamID != nil || rows[0].QueueName != "Default" || rows[0].Seq != 1 {
			t.Errorf("a new conversation goes to the default queue, without a greeting: %+v %v", rows, err)
		}
		if rows[1].WorkstreamName != "Norway" || rows[1].QueueName != "Sales" {
			t.Errorf("what was going on stays where it is: %+v", rows[1])
		}
		n, err := c.store.Number(ctx, c.number)
		if err != nil || n.WorkstreamID != nil || n.Language != "" || n.Files || n.ClaimedAt != nil {
			t.Errorf("%+v %v", n, err)
		}
		c.prepare(other, "en", service.Greeting{})
		c.mustFinish(other)
		if got, err := c.store.ConversationByID(ctx, rows[1].ID); err != nil || *got.WorkstreamID != w {
			t.Errorf("a conversation stays in the workstream that it began in: %+v %v", got, err)
		}
	})
}

func TestChannelStepsInOrder(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		w := c.workstream("Norway", c.queue("Sales"))
		notComplete := func(err error) {
			t.Helper()
			if models.KindOf(err) != models.KindConflict || errors.Is(err, store.ErrStale) {
				t.Errorf("%v, want not complete", err)
			}
		}
		notComplete(c.finish(w))
		notComplete(c.step(w, service.ChannelInput{Step: models.ChannelLanguage, Language: "nb"}))
		for _, n := range []models.NumberID{0, 9999} {
			problem(t, c.step(w, service.ChannelInput{Step: models.ChannelNumber, Number: n}), "number", "channel.number_none")
		}
		c.prepare(w, "nb", service.Greeting{Text: models.DefaultGreeting("nb")})
		problem(t, c.step(w, service.ChannelInput{Step: models.ChannelLanguage, Language: "xx"}), "language", "channel.language_none")
		problem(t, c.step(w, service.ChannelInput{Step: models.ChannelBehaviors, Greeting: service.Greeting{Active: true, Text: " \n"}}), "greeting", "behaviors.text_empty")
		problem(t, c.step(w, service.ChannelInput{Step: models.ChannelBehaviors, Greeting: service.Greeting{Active: true, Text: strings.Repeat("😀", 800) + "x"}}), "greeting", "behaviors.text_long")
		problem(t, c.step(w, service.ChannelInput{Step: models.ChannelUserFeatures, Features: service.Features{Files: true}}), "customers", "features.who")
		if err := c.step(w, service.ChannelInput{Step: models.ChannelLanguage, Language: "en"}); err != nil {
			t.Fatal(err)
		}
		if d := c.draft(w); d.GreetingText != models.DefaultGreeting("en") || d.Furthest() != models.ChannelSummary {
			t.Errorf("%+v", d)
		}
		// Save and exit keeps what does not hold, and the step is not complete any more.
		half := service.ChannelInput{Step: models.ChannelBehaviors, Greeting: service.Greeting{Active: true}}
		if err := c.service.SaveChannelStep(ctx, c.admin(), w, half, service.Edit{Version: c.draft(w).Version, Unchecked: true}); err != nil {
			t.Fatal(err)
		}
		if d := c.draft(w); !d.GreetingActive || d.Furthest() != models.ChannelBehaviors || d.UpdatedBy != c.agent.User {
			t.Errorf("%+v", d)
		}
		notComplete(c.finish(w))
		if err := c.service.SaveChannelStep(ctx, c.admin(), w, half, service.Edit{Version: 1}); !errors.Is(err, store.ErrStale) {
			t.Error(err)
		}
		if _, err := c.service.FinishChannel(ctx, c.admin(), w, service.Edit{Version: 1}); !errors.Is(err, store.ErrStale) {
			t.Error(err)
		}
		if err := c.service.DiscardChannelDraft(ctx, c.admin(), w); err != nil || c.draft(w).Version != 0 {
			t.Error(err)
		}
		for _, err := range []error{c.service.DiscardChannelDraft(ctx, c.admin(), 9999), c.step(9999, half), c.finish(9999)} {
			if !errors.Is(err, models.ErrNotFound) {
				t.Error(err)
			}
		}
	})
}

// A draft does not claim its number: two may have the same one until one of them finishes.
func TestDraftOfAnUnfinishedAccount(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		w := c.workstream("Norway", c.queue("Sales"))
		var n models.Number
		err := c.store.InTx(ctx, func(tx *store.Tx) error {
			a := models.Account{Name: "Draft", Channel: models.ChannelWhatsApp, HookKey: "other", State: models.AccountDraft, Version: 1, CreatedAt: tx.Now(), UpdatedAt: tx.Now()}
			if err := tx.InsertAccount(ctx, &a); err != nil {
				return err
			}
			n = models.Number{AccountID: a.ID, Name: "x", Address: number, Version: 1, CreatedAt: tx.Now(), UpdatedAt: tx.Now()}
			return tx.InsertNumber(ctx, &n)
		})
		if err != nil {
			t.Fatal(err)
		}
		problem(t, c.step(w, service.ChannelInput{Step: models.ChannelNumber, Number: n.ID}), "number", "channel.number_none")
	})
}

func TestNumberSettings(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		w := c.workstream("Norway", c.queue("Sales"))
		c.prepare(w, "nb", service.Greeting{})
		c.mustFinish(w)
		n, err := c.store.NumberIn(ctx, w, c.number)
		if err != nil {
			t.Fatal(err)
		}
		save := func(w models.WorkstreamID, version int, in service.NumberSettings) error {
			in.Number = c.number
			return c.service.SaveNumberSettings(ctx, c.admin(), w, in, service.Edit{Version: version})
		}
		problem(t, save(w, n.Version, service.NumberSettings{Part: models.ChannelLanguage}), "language", "channel.language_none")
		problem(t, save(w, n.Version, service.NumberSettings{Part: models.ChannelBehaviors, Greeting: service.Greeting{Active: true}}), "greeting", "behaviors.text_empty")
		problem(t, save(w, n.Version, service.NumberSettings{Part: models.ChannelUserFeatures, Features: service.Features{Files: true}}), "customers", "features.who")
		features := service.NumberSettings{Part: models.ChannelUserFeatures, Features: service.Features{Files: true, Customers: true}}
		if err := save(w, n.Version, features); err != nil {
			t.Fatal(err)
		}
		if got, err := c.store.Number(ctx, c.number); err != nil || !got.CustomerFiles || got.AgentFiles {
			t.Errorf("%+v %v", got, err)
		}
		// A greeting is not kept when somebody else has changed the number.
		greeting := service.NumberSettings{Part: models.ChannelBehaviors, Greeting: service.Greeting{Active: true, Text: "x"}}
		if err := save(w, n.Version, greeting); !errors.Is(err, store.ErrStale) {
			t.Error(err)
		}
		if m, err := c.store.AutomatedMessage(ctx, c.number, models.TriggerStarted); err != nil || m.Active {
			t.Errorf("%+v %v", m, err)
		}
		for _, err := range []error{
			save(w+1000, n.Version+1, features), save(w, n.Version+1, service.NumberSettings{Part: models.ChannelNumber}),
		} {
			if !errors.Is(err, models.ErrNotFound) {
				t.Error(err)
			}
		}
	})
}

func TestWorkstreamChangeHoldsForNewConversations(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		sales, support := c.queue("Sales"), c.queue("Support")
		w := c.workstream("Norway", sales)
		c.prepare(w, "nb", service.Greeting{})
		c.mustFinish(w)
		c.write(0, "Hei")
		clock.Advance(time.Second)
		details := service.WorkstreamDetails{Name: "Norge", Distribution: models.Pick, Queue: support}
		if err := c.service.SaveWorkstream(ctx, c.admin(), w, details, service.Edit{Version: 1}); err != nil {
			t.Fatal(err)
		}
		c.write(0, "still the same conversation")
		c.write(1, "Hei")
		rows, err := c.store.Conversations(ctx, c.admin(), store.InboxFilter{View: models.ViewQueue})
		if err != nil || len(rows) != 2 || rows[0].QueueID != sales || rows[1].QueueID != support || rows[1].WorkstreamName != "Norge" {
			t.Errorf("%+v %v", rows, err)
		}
		if err := c.service.SaveWorkstream(ctx, c.admin(), w, details, service.Edit{Version: 1}); !errors.Is(err, store.ErrStale) {
			t.Error(err)
		}
		if err := c.service.SaveWorkstream(ctx, c.admin(), 9999, details, service.Edit{Version: 1}); !errors.Is(err, models.ErrNotFound) {
			t.Error(err)
		}
	})
}

func TestWorkstreamProblems(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		q := c.queue("Sales")
		w := c.workstream("Norway", q)
		for i, tt := range []struct {
			in         service.WorkstreamDetails
			field, key string
		}{
			{service.WorkstreamDetails{Name: " ", Distribution: models.Pick, Queue: q}, "name", "workstream.name_empty"},
			{service.WorkstreamDetails{Name: strings.Repeat("ø", 101), Distribution: models.Pick, Queue: q}, "name", "workstream.name_long"},
			{service.WorkstreamDetails{Name: "NORWAY", Distribution: models.Pick, Queue: q}, "name", "workstream.name_taken"},
			{service.WorkstreamDetails{Name: "x", Distribution: "push", Queue: q}, "distribution", "workstream.distribution_none"},
			{service.WorkstreamDetails{Name: "x", Distribution: models.Pick}, "queue", "workstream.queue_none"},
			{service.WorkstreamDetails{Name: "x", Distribution: models.Pick, Queue: 9999}, "queue", "workstream.queue_none"},
		} {
			_, err := c.service.NewWorkstream(ctx, c.admin(), tt.in)
			problem(t, err, tt.field, tt.key)
			other := c.workstream(fmt.Sprint("Other ", i), q)
			problem(t, c.service.SaveWorkstream(ctx, c.admin(), other, tt.in, service.Edit{Version: 1}), tt.field, tt.key)
		}
		if err := c.service.SaveWorkstream(ctx, c.admin(), w, service.WorkstreamDetails{Name: "norway", Distribution: models.Pick, Queue: q}, service.Edit{Version: 1}); err != nil {
			t.Errorf("its own name: %v", err)
		}
	})
}

func TestQueues(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		for name, key := range map[string]string{" ": "queue.name_empty", strings.Repeat("x", 101): "queue.name_long", "Default": "queue.name_taken", "dEFAULT": "queue.name_taken"} {
			_, err := c.service.NewQueue(ctx, c.admin(), name)
			problem(t, err, "name", key)
		}
		q := c.queue(" Sales ")
		problem(t, c.service.RenameQueue(ctx, c.admin(), q, "default", service.Edit{Version: 1}), "name", "queue.name_taken")
		problem(t, c.service.RenameQueue(ctx, c.admin(), q, "", service.Edit{Version: 1}), "name", "queue.name_empty")
		if err := c.service.RenameQueue(ctx, c.admin(), q, "SALES", service.Edit{Version: 1}); err != nil {
			t.Error("its own name in other letters:", err)
		}
		if err := c.service.RenameQueue(ctx, c.admin(), q, "Salg", service.Edit{Version: 2}); err != nil {
			t.Fatal(err)
		}
		if err := c.service.RenameQueue(ctx, c.admin(), q, "Again", service.Edit{Version: 1}); !errors.Is(err, store.ErrStale) {
			t.Error(err)
		}
		if err := c.service.RenameQueue(ctx, c.admin(), 9999, "x", service.Edit{Version: 1}); !errors.Is(err, models.ErrNotFound) {
			t.Error(err)
		}
		c.workstream("Norway", q)
		c.write(0, "Hei")
		rows, err := c.store.QueueRows(ctx)
		if err != nil || len(rows) != 2 || rows[0].Waiting != 1 || rows[0].Members != 1 || rows[0].Workstreams != 0 ||
			rows[1].Name != "Salg" || rows[1].Waiting != 0 || rows[1].Members != 0 || rows[1].Workstreams != 1 {
			t.Errorf("%+v %v", rows, err)
		}
	})
}

// Whoever looks later finds who changed what.
func TestChangesOfChannelsAreAudited(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		q := c.queue("Sales")
		w := c.workstream("Norway", q)
		c.prepare(w, "nb", service.Greeting{})
		steps := []error{
			c.service.RenameQueue(ctx, c.admin(), q, "Salg", service.Edit{Version: 1}),
			c.service.SaveWorkstream(ctx, c.admin(), w, service.WorkstreamDetails{Name: "Norge", Distribution: models.Pick, Queue: q}, service.Edit{Version: 1}),
			c.service.DiscardChannelDraft(ctx, c.admin(), w),
		}
		c.prepare(w, "nb", service.Greeting{})
		c.mustFinish(w)
		n, err := c.store.Number(ctx, c.number)
		in := service.NumberSettings{Number: c.number, Part: models.ChannelLanguage, Language: "en"}
		steps = append(steps, err, c.service.SaveNumberSettings(ctx, c.admin(), w, in, service.Edit{Version: n.Version}),
			c.service.ReleaseNumber(ctx, c.admin(), w, c.number, "Test"))
		for i, err := range steps {
			if err != nil {
				t.Fatal(i, err)
			}
		}
		rows, err := c.store.Audits(ctx, 20)
		if err != nil {
			t.Fatal(err)
		}
		found := map[string]string{}
		for _, a := range rows {
			found[a.Action] = a.Details
		}
		for action, part := range map[string]string{
			"queue.created": "Sales", "queue.changed": `["Sales","Salg"]`, "workstream.created": "Norway", "workstream.changed": `["Norway","Norge"]`,
			"channel.discarded": "", "channel.finished": number, "number.settings": `["nb","en"]`, "channel.removed": number,
		} {
			if details, ok := found[action]; !ok || !strings.Contains(details, part) {
				t.Errorf("%s: %q, %v", action, details, ok)
			}
		}
	})
}

package service_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"kanal/models"
	"kanal/service"
	"kanal/store"
	"kanal/store/storetest"
)

// scheduling keeps a message and gives it.
func (c *center) scheduling(in service.Scheduling) models.ScheduledMessage {
	c.t.Helper()
	in.Conversation = c.only().ID
	c.must(c.service.Schedule(ctx, c.agent, in))
	m, err := c.store.ScheduledByKey(ctx, c.only().Conversation, c.agent.User, in.Key)
	c.must(err)
	return m
}

// fails runs the job of a scheduled message that cannot be sent.
func (c *center) fails(m models.ScheduledMessage, problem string) {
	c.t.Helper()
	was := c.ours()
	c.run(m.ID)
	if got := c.scheduled(m.ID); got.State != models.ScheduledFailed || got.Problem != problem || c.ours() != was {
		c.t.Errorf("%s %s with %d messages, want %s", got.State, got.Problem, c.ours()-was, problem)
	}
}

// A template goes at its time into the closed window, with its values; what was begun stays. What the customer and
// WhatsApp say about it is asked for when it is scheduled, as of then, and again at its time.
func TestScheduledTemplate(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		c.toSandbox(0)
		c.toBox(0, "Hei")
		id := c.only().ID
		c.must(c.service.TakeOver(ctx, c.agent, id, 0))
		c.must(c.service.SaveDraft(ctx, c.agent, id, "begun"))
		use := &service.TemplateUse{ContentSID: appointment, Values: map[string]string{"1": "12. mai", "2": "10"}}
		plan := service.Scheduling{Conversation: id, Key: "k1", Template: use, When: in(clock, 30*time.Hour)}
		if err := c.service.Schedule(ctx, c.agent, plan); !errors.Is(err, models.E(models.KindInvalid, string(models.RefusedNoOptIn))) {
			t.Fatal("the window is closed then, and nobody has agreed:", err)
		}
		c.agrees(id)
		wrong := plan
		wrong.Template = &service.TemplateUse{ContentSID: appointment, Values: map[string]string{"1": "12. mai"}}
		if err := c.service.Schedule(ctx, c.agent, wrong); models.KindOf(err) != models.KindInvalid {
			t.Error("a value is missing:", err)
		}
		m := c.scheduling(plan)
		c.must(c.service.Schedule(ctx, c.agent, plan)) // the same key is the same message
		wrong.Template.Values = map[string]string{"1": "13. mai", "2": "10"}
		if err := c.service.Schedule(ctx, c.agent, wrong); !errors.Is(err, service.ErrKeyReused) {
			t.Error(err)
		}
		if m.Body != "Your appointment is coming up on 12. mai at 10" || m.TemplateName != "appointment_reminder" || m.TemplateID != nil {
			t.Errorf("%+v", m)
		}
		clock.Advance(30 * time.Hour)
		c.run(m.ID)
		c.send(id)
		if p := c.created(); p.Get("ContentSid") != appointment || p.Get("ContentVariables") != `{"1":"12. mai","2":"10"}` || p.Has("Body") {
			t.Errorf("%v", p)
		}
		if c.scheduled(m.ID).State != models.ScheduledSent || c.only().Draft != "begun" {
			t.Errorf("%+v, draft %q", c.scheduled(m.ID), c.only().Draft)
		}
		contact := c.only().ContactID
		says := func(given bool) {
			c.must(c.service.RecordConsent(ctx, c.agent, contact, service.ConsentForm{Account: c.account.ID, Scope: models.ConsentAll, Given: given, Note: "x"}))
		}
		m = c.scheduling(service.Scheduling{Key: "no", Template: use, When: in(clock, time.Hour)})
		clock.Advance(time.Hour)
		says(false)
		c.fails(m, "scheduled.failed_opted_out")
		says(true)
		c.must(c.service.SendScheduledNow(ctx, c.agent, m.ID)) // the reason is gone
		if c.scheduled(m.ID).State != models.ScheduledSent {
			t.Error("not sent afterwards")
		}
		m = c.scheduling(service.Scheduling{Key: "blocked", Template: use, When: in(clock, time.Hour)})
		clock.Advance(time.Hour)
		c.must(c.service.BlockCustomer(ctx, c.agent, contact))
		c.run(m.ID)
		if got := c.scheduled(m.ID); got.State != models.ScheduledFailed || got.Problem != "scheduled.failed_blocked" || got.MessageID != nil {
			t.Errorf("%+v", got)
		}
	})
}

// A template of the account: one that was typed needs the open window then, like any text; one that changes or is stopped
// before its time is not sent.
func TestScheduledTemplateOfTheAccount(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		id := c.quiet()
		c.agrees(id)
		use := func(t models.Template) *service.TemplateUse {
			return &service.TemplateUse{Template: c.addTemplate(t), Values: map[string]string{"1": "Kari"}}
		}
		plan := service.Scheduling{Conversation: id, Key: "typed", Template: use(models.Template{Name: "Takk", Body: "Takk, {{1}}"}), When: in(clock, 30*time.Hour)}
		err := c.service.Schedule(ctx, c.agent, plan)
		problem(t, err, "date", "scheduled.window")
		plan.When.Anyway = true
		typed := c.scheduling(plan)
		approved := models.Template{Name: "ok", Body: "Hei {{1}}", Kind: models.KindOfText, ContentSID: "HX00000000000000000000000000000001", Status: models.TemplateApproved}
		kept := c.scheduling(service.Scheduling{Key: "approved", Template: use(approved), When: in(clock, 30*time.Hour)})
		approved.Name, approved.ContentSID = "paused", "HX00000000000000000000000000000002"
		stopped := c.scheduling(service.Scheduling{Key: "stopped", Template: use(approved), When: in(clock, 30*time.Hour)})
		approved.Name, approved.ContentSID = "changed", "HX00000000000000000000000000000003"
		changed := c.scheduling(service.Scheduling{Key: "changed", Template: use(approved), When: in(clock, 30*time.Hour)})
		change := func(id models.TemplateID, f func(*models.Template)) {
			c.must(c.store.InTx(ctx, func(tx *store.Tx) error {
				t, err := tx.TemplateOf(ctx, c.account.ID, id)
				if err != nil {
					return err
				}
				f(&t)
				return tx.SaveTemplate(ctx, &t)
			}))
		}
		change(*stopped.TemplateID, func(t *models.Template) { t.Status = models.TemplatePaused })
		change(*changed.TemplateID, func(t *models.Template) { t.Body = "Hei {{1}}, {{2}}" })
		clock.Advance(30 * time.Hour)
		c.fails(typed, "scheduled.failed_window")
		c.fails(stopped, "scheduled.failed_template")
		c.fails(changed, "scheduled.failed_template")
		c.run(kept.ID)
		if got := c.scheduled(kept.ID); got.State != models.ScheduledSent || c.message(*got.MessageID).Body != "Hei Kari" {
			t.Errorf("%+v", got)
		}
		c.write(0, "Hei igjen")
		c.must(c.service.SendScheduledNow(ctx, c.agent, typed.ID))
		if got := c.scheduled(typed.ID); got.State != models.ScheduledSent {
			t.Errorf("%+v", got)
		}
	})
}

// Files wait with their message: they are nobody else's, outlive the tidying up, and go by the rules of captions.
func TestScheduledFiles(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		c.files(true, true)
		c.write(0, "Hei")
		row := c.only()
		jpg, pdf := c.upload(row.ID, "Bilde.JPG", sampleJPG), c.upload(row.ID, "kontrakt.pdf", samplePDF)
		plan := service.Scheduling{Key: "k1", Body: "Se her", Files: []models.FileID{pdf, jpg}, When: in(clock, 26*time.Hour)}
		plan.When.Anyway = true
		m := c.scheduling(plan)
		c.scheduling(plan) // the same key is the same message
		other := plan
		other.Conversation, other.Files = row.ID, []models.FileID{jpg}
		if err := c.service.Schedule(ctx, c.agent, other); !errors.Is(err, service.ErrKeyReused) {
			t.Error(err)
		}
		other.Key = "k2"
		if err := c.service.Schedule(ctx, c.agent, other); !errors.Is(err, service.ErrFileHeld) {
			t.Error("scheduled twice:", err)
		}
		if err := c.answer(service.Reply{Conversation: row.ID, Key: "k3", Files: []models.FileID{jpg}}); !errors.Is(err, service.ErrFileHeld) {
			t.Error("sent beside it:", err)
		}
		if err := c.service.RemoveUpload(ctx, c.agent, row.ID, jpg); !errors.Is(err, service.ErrFileHeld) {
			t.Error("removed:", err)
		}
		if fs, err := c.store.Uploads(ctx, row.Conversation, c.agent.User); err != nil || len(fs) != 0 {
			t.Errorf("still in the composer: %+v %v", fs, err)
		}
		if _, err := c.store.FileFor(ctx, c.colleague("Bo"), jpg); err != nil {
			t.Error("who sees the message does not see its files:", err)
		}
		clock.Advance(20 * time.Hour)
		c.write(0, "Er du der?")
		clock.Advance(6 * time.Hour)
		c.must(c.service.Housekeeping(ctx)) // what lies about for a day is removed
		c.startJobs()
		c.run(m.ID)
		sent := c.keyed(row, fmt.Sprint("later.", m.ID), 3)
		if sent[0].Body != "Se her" || sent[0].Kind != models.KindText || sent[1].Kind != models.KindDocument || sent[2].Kind != models.KindImage {
			t.Errorf("a document has no caption: %+v", sent)
		}
		if phone := c.phone(); len(phone) != 3 || phone[1].File == nil || phone[2].File.Size != int64(len(sampleJPG)) {
			t.Errorf("phone %+v", phone)
		}

		// Switched off by then it has failed; taken back, its files are gone.
		again := c.upload(row.ID, "Bilde.JPG", sampleJPG)
		off := c.scheduling(service.Scheduling{Key: "off", Body: "Og her", Files: []models.FileID{again}, When: in(clock, time.Hour)})
		clock.Advance(time.Hour)
		c.files(true, false)
		c.fails(off, "scheduled.failed_files")
		c.files(true, true)
		f, err := c.store.File(ctx, again)
		c.must(err)
		if content, err := c.service.OpenFile(ctx, f); err != nil {
			t.Error(err)
		} else {
			_ = content.Close()
		}
		c.must(c.service.CancelScheduled(ctx, c.agent, off.ID))
		if _, err := c.store.File(ctx, again); !errors.Is(err, models.ErrNotFound) {
			t.Error(err)
		}
		if _, err := c.service.OpenFile(ctx, f); err == nil {
			t.Error("the content was left behind")
		}
	})
}

// dying is the life of a process that ends after some steps: each time somebody looks whether it goes on.
type dying struct {
	context.Context
	left atomic.Int32
	die  context.CancelFunc
}

func (d *dying) Done() <-chan struct{} {
	if d.left.Add(-1) < 0 {
		d.die()
	}
	return d.Context.Done()
}

// Wherever a process dies between reading the scheduled message and the commit, all of it has happened or nothing; the
// next one makes one reply of it.
func TestScheduledWhereverItDies(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		c.files(true, true)
		c.quiet()
		row := c.only()
		m := c.scheduling(service.Scheduling{Key: "k1", Body: "Se her", Files: []models.FileID{c.upload(row.ID, "a.pdf", samplePDF)}, When: in(clock, time.Hour)})
		clock.Advance(time.Hour)
		deaths := 0
		for n := int32(0); c.scheduled(m.ID).State == models.ScheduledWaiting; n++ {
			alive, die := context.WithCancel(ctx)
			life := &dying{Context: alive, die: die}
			life.left.Store(n)
			if err := c.service.SendScheduled(life, m.ID); err != nil {
				deaths++
			}
			die()
			held, err := c.store.HeldFiles(ctx, row.AccountID, m.ID)
			c.must(err)
			if got := c.scheduled(m.ID); got.State == models.ScheduledWaiting && (c.ours() != 0 || len(held[m.ID]) != 1 || held[m.ID][0].MessageID != nil) {
				t.Fatalf("half of it is there after %d steps: %d messages, %+v", n, c.ours(), held)
			}
		}
		c.run(m.ID) // the job that was not marked as done
		if got := c.scheduled(m.ID); got.State != models.ScheduledSent || c.ours() != 2 {
			t.Errorf("%s with %d messages", got.State, c.ours())
		}
		if deaths < 10 {
			t.Errorf("it died %d times only", deaths)
		}
		t.Log(deaths, "deaths")
	})
}

// What waits, or was not sent, can be changed: its time by who may, its words by who wrote it.
func TestScheduledIsEdited(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		id := c.quiet()
		c.reply(id, "k", "mine")
		bo := c.colleague("Bo")
		m := c.later(bo, "a", in(clock, time.Hour))
		text := "Hei, endret"
		if err := c.service.Reschedule(ctx, c.agent, m.ID, service.Rescheduling{When: in(clock, 2*time.Hour), Body: &text}); !errors.Is(err, service.ErrNotYours) {
			t.Error("words in another's mouth:", err)
		}
		c.must(c.service.Reschedule(ctx, c.agent, m.ID, service.Rescheduling{When: in(clock, 25*time.Hour-time.Hour-time.Minute)}))
		empty := " "
		problem(t, c.service.Reschedule(ctx, bo, m.ID, service.Rescheduling{When: in(clock, time.Hour), Body: &empty}), "body", "reply.empty")
		problem(t, c.service.Reschedule(ctx, bo, m.ID, service.Rescheduling{When: in(clock, 30*time.Hour), Body: &text}), "date", "scheduled.window")
		late := in(clock, 30*time.Hour)
		late.Anyway = true
		c.must(c.service.Reschedule(ctx, bo, m.ID, service.Rescheduling{When: late, Body: &text}))
		clock.Advance(30 * time.Hour)
		c.fails(m, "scheduled.failed_window")
		c.write(0, "Hei igjen")
		c.must(c.service.Reschedule(ctx, bo, m.ID, service.Rescheduling{When: in(clock, time.Hour)}))
		if got := c.scheduled(m.ID); got.State != models.ScheduledWaiting || got.Problem != "" || got.FinishedAt != nil || c.only().LaterFailed {
			t.Errorf("%+v", got)
		}
		clock.Advance(time.Hour)
		c.run(m.ID)
		if got := c.scheduled(m.ID); got.State != models.ScheduledSent || c.message(*got.MessageID).Body != text {
			t.Errorf("%+v", got)
		}
	})
}

// The values of a template that waits can be changed by who filled it in; it goes with them.
func TestScheduledTemplateIsEdited(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		c.toSandbox(0)
		c.toBox(0, "Hei")
		id := c.only().ID
		c.must(c.service.TakeOver(ctx, c.agent, id, 0))
		c.agrees(id)
		bo := c.colleague("Bo")
		use := &service.TemplateUse{ContentSID: appointment, Values: map[string]string{"1": "12. mai", "2": "10"}}
		c.must(c.service.Schedule(ctx, bo, service.Scheduling{Conversation: id, Key: "k1", Template: use, When: in(clock, 30*time.Hour)}))
		m, err := c.store.ScheduledByKey(ctx, c.only().Conversation, bo.User, "k1")
		c.must(err)
		change := func(who models.Viewer, values map[string]string) error {
			return c.service.Reschedule(ctx, who, m.ID, service.Rescheduling{When: in(clock, 40*time.Hour), Values: values})
		}
		other := map[string]string{"1": "13. mai", "2": "11"}
		if err := change(c.agent, other); !errors.Is(err, service.ErrNotYours) {
			t.Error("words in another's mouth:", err)
		}
		c.must(change(c.agent, nil))
		c.must(change(c.agent, use.Values)) // the same words
		problem(t, change(bo, map[string]string{"1": "13. mai", "2": " "}), models.ValueField("2"), "pick.value_empty")
		if got := c.scheduled(m.ID); got.ContentVariables != m.ContentVariables || got.Body != m.Body {
			t.Errorf("%+v", got)
		}
		c.must(change(bo, other))
		if got := c.scheduled(m.ID); got.Body != "Your appointment is coming up on 13. mai at 11" {
			t.Errorf("%+v", got)
		}
		clock.Advance(40 * time.Hour)
		c.run(m.ID)
		c.send(id)
		if p := c.created(); p.Get("ContentSid") != appointment || p.Get("ContentVariables") != `{"1":"13. mai","2":"11"}` {
			t.Errorf("%v", p)
		}
	})
}

// What was scheduled before the customer said stop does not go out by itself, though the window is open: whoever wrote it
// decides. What is scheduled, or answered, after it goes out.
func TestScheduledBeforeAStopWord(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		c.quiet()
		m := c.later(c.agent, "before", in(clock, time.Hour))
		clock.Advance(time.Minute)
		c.write(0, "STOP")
		clock.Advance(time.Minute)
		after := c.later(c.agent, "after", in(clock, time.Hour))
		clock.Advance(2 * time.Hour)
		c.fails(m, "scheduled.failed_opted_out")
		if err := c.service.Reschedule(ctx, c.agent, m.ID, service.Rescheduling{When: in(clock, time.Hour)}); !errors.Is(err, service.ErrOptedOut) {
			t.Error("it would fail again:", err)
		}
		c.run(after.ID)
		if got := c.scheduled(after.ID); got.State != models.ScheduledSent {
			t.Errorf("an answer to who said stop: %s %s", got.State, got.Problem)
		}
		c.must(c.service.SendScheduledNow(ctx, c.agent, m.ID))
		if got := c.scheduled(m.ID); got.State != models.ScheduledSent {
			t.Errorf("by hand: %s %s", got.State, got.Problem)
		}
		c.reply(c.only().ID, "k9", "We have noted it")
		c.send(c.only().ID)
		if got := c.bodies(); len(got) != 4 { // with the confirmation
			t.Errorf("sent %q", got)
		}

		// Who starts again has undone it.
		m = c.later(c.agent, "undone", in(clock, time.Hour))
		clock.Advance(time.Minute)
		c.write(0, "STOP")
		clock.Advance(time.Minute)
		c.write(0, "START")
		clock.Advance(time.Hour)
		c.run(m.ID)
		if got := c.scheduled(m.ID); got.State != models.ScheduledSent {
			t.Errorf("after a start word: %s %s", got.State, got.Problem)
		}
	})
}

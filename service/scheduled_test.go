package service_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"kanal/models"
	"kanal/service"
	"kanal/store/storetest"
)

var oslo, _ = time.LoadLocation("Europe/Oslo")

// in gives the moment a time from now, as a person in Oslo writes it.
func in(clock *storetest.Clock, d time.Duration) service.When {
	t := clock.Now().Add(d).In(oslo)
	return service.When{Date: t.Format("2006-01-02"), Clock: t.Format("15:04"), Zone: oslo}
}

// later schedules a message and gives it.
func (c *center) later(v models.Viewer, key string, w service.When) models.ScheduledMessage {
	c.t.Helper()
	row := c.only()
	w.Anyway = true
	if err := c.service.Schedule(ctx, v, service.Scheduling{Conversation: row.ID, Key: key, Body: "Hei " + key, When: w}); err != nil {
		c.t.Fatal(err)
	}
	m, err := c.store.ScheduledByKey(ctx, row.Conversation, v.User, key)
	if err != nil {
		c.t.Fatal(err)
	}
	return m
}

func (c *center) scheduled(id models.ScheduledID) models.ScheduledMessage {
	c.t.Helper()
	m, err := c.store.ScheduledMessage(ctx, id)
	if err != nil {
		c.t.Fatal(err)
	}
	return m
}

// sent counts the messages of ours in the only conversation.
func (c *center) ours() (n int) {
	c.t.Helper()
	ms, err := c.store.Messages(ctx, c.only().Conversation, 0)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, m := range ms {
		if m.Direction == models.Out {
			n++
		}
	}
	return n
}

func (c *center) run(id models.ScheduledID) {
	c.t.Helper()
	if err := c.service.SendScheduled(ctx, id); err != nil {
		c.t.Fatal(err)
	}
}

func TestScheduleChecksTheTime(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		id := c.quiet()
		for _, tt := range []struct {
			name string
			w    service.When
			key  string
		}{
			{"no date", service.When{Clock: "10:00", Zone: oslo}, "scheduled.no_time"},
			{"nonsense", service.When{Date: "2026-13-40", Clock: "25:61", Zone: oslo}, "scheduled.no_time"},
			{"now", in(clock, 0), "scheduled.past"},
			{"yesterday", in(clock, -24*time.Hour), "scheduled.past"},
			{"too far", in(clock, models.MaxSchedule+time.Minute), "scheduled.far"},
			{"as the window closes", in(clock, 24*time.Hour), "scheduled.window"},
			{"before it closes", in(clock, 24*time.Hour-time.Minute), ""},
		} {
			err := c.service.Schedule(ctx, c.agent, service.Scheduling{Conversation: id, Key: tt.name, Body: "Hei", When: tt.w})
			var f models.FieldErrors
			switch {
			case tt.key == "" && err != nil:
				t.Errorf("%s: %v", tt.name, err)
			case tt.key != "" && (!errors.As(err, &f) || f[0].Key != tt.key || f[0].Field != "date"):
				t.Errorf("%s: %v, want %s", tt.name, err, tt.key)
			}
		}
		late := in(clock, 25*time.Hour)
		late.Anyway = true
		in := service.Scheduling{Conversation: id, Key: "late", Body: "Hei", When: late}
		for range 2 { // the same key is the same message
			if err := c.service.Schedule(ctx, c.agent, in); err != nil {
				t.Fatal(err)
			}
		}
		in.Body = "another"
		if err := c.service.Schedule(ctx, c.agent, in); !errors.Is(err, service.ErrKeyReused) {
			t.Error(err)
		}
		in.Key, in.Body = "empty", " "
		if err := c.service.Schedule(ctx, c.agent, in); models.KindOf(err) != models.KindInvalid {
			t.Error(err)
		}
		in.Key, in.Body = "stranger", "x"
		if err := c.service.Schedule(ctx, models.Viewer{User: 99, Role: models.Agent}, in); !errors.Is(err, models.ErrNotFound) {
			t.Error(err)
		}
		if ms, err := c.store.Scheduled(ctx, c.only().Conversation); err != nil || len(ms) != 2 || !ms[0].DueAt.Equal(clock.Now().Add(24*time.Hour-time.Minute)) {
			t.Errorf("%+v %v", ms, err)
		}
	})
}

// A message is made at its time and not before, once however often and from however many the job runs, and once when
// somebody takes it back at the same moment.
func TestScheduledBecomesOneMessage(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		id := c.quiet()
		m := c.later(c.agent, "a", in(clock, time.Hour))
		if err := c.service.SaveDraft(ctx, c.agent, id, "noe annet"); err != nil {
			t.Fatal(err)
		}
		clock.Advance(time.Hour - time.Second)
		if c.run(m.ID); c.ours() != 0 {
			t.Fatal("sent before its time")
		}
		clock.Advance(time.Second)
		// A process that dies before the commit leaves nothing behind.
		dead, die := context.WithCancel(ctx)
		die()
		if err := c.service.SendScheduled(dead, m.ID); err == nil || c.ours() != 0 || c.scheduled(m.ID).State != models.ScheduledWaiting {
			t.Fatal("half of it was kept:", err)
		}
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				if err := c.service.SendScheduled(ctx, m.ID); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		got := c.scheduled(m.ID)
		if c.ours() != 1 || got.State != models.ScheduledSent || got.MessageID == nil || c.message(*got.MessageID).Body != "Hei a" {
			t.Fatalf("%d messages, %+v", c.ours(), got)
		}
		row := c.only()
		if draft, err := c.store.Draft(ctx, row.Conversation, c.agent.User); err != nil || draft.Body != "noe annet" || row.Unread != 1 {
			t.Errorf("draft %q, unread %d: %v", draft.Body, row.Unread, err)
		}
		for i := range 4 {
			m := c.later(c.agent, fmt.Sprint("race", i), in(clock, time.Minute))
			clock.Advance(2 * time.Minute)
			was := c.ours()
			all.Go(func() { _ = c.service.SendScheduled(ctx, m.ID) })
			all.Go(func() { _ = c.service.CancelScheduled(ctx, c.agent, m.ID) })
			all.Go(func() { _ = c.service.SendScheduledNow(ctx, c.agent, m.ID) })
			all.Wait()
			sent := c.ours() - was
			if state := c.scheduled(m.ID).State; state == models.ScheduledSent && sent != 1 || state == models.ScheduledCanceled && sent != 0 || state == models.ScheduledWaiting {
				t.Errorf("%s with %d messages", state, sent)
			}
		}
	})
}

// What the rules of a reply refuse at its time has failed, says why, and is shown in the list until it is put away.
func TestScheduledFails(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		id := c.quiet()
		c.reply(id, "k", "mine")
		bo := c.colleague("Bo")
		fails := func(m models.ScheduledMessage, problem string) {
			t.Helper()
			was := c.ours()
			c.run(m.ID)
			if got := c.scheduled(m.ID); got.State != models.ScheduledFailed || got.Problem != problem || c.ours() != was {
				t.Errorf("%+v, want %s", got, problem)
			}
		}
		gone := c.later(bo, "gone", in(clock, time.Hour))
		clock.Advance(time.Hour)
		if err := c.service.DeactivateUser(ctx, models.Viewer{Role: models.Administrator}, bo.User); err != nil {
			t.Fatal(err)
		}
		fails(gone, "scheduled.failed_agent")
		window := c.later(c.agent, "window", in(clock, 24*time.Hour))
		clock.Advance(24 * time.Hour)
		fails(window, "scheduled.failed_window")
		if row := c.only(); !row.LaterFailed {
			t.Error("the list does not show that something was not sent")
		}
		c.must(c.service.CancelScheduled(ctx, c.agent, window.ID))
		if c.only().LaterFailed != true { // Bo's is there still
			t.Error("one of two was put away")
		}
		c.must(c.service.CancelScheduled(ctx, c.agent, gone.ID))
		if c.only().LaterFailed {
			t.Error("all were put away")
		}
		closed := c.later(c.agent, "closed", in(clock, time.Hour))
		if err := errors.Join(c.service.Resolve(ctx, c.agent, id), c.service.CloseNow(ctx, c.agent, id)); err != nil {
			t.Fatal(err)
		}
		clock.Advance(time.Hour)
		if err := c.service.SendScheduled(ctx, closed.ID); err != nil {
			t.Fatal(err)
		}
		if got := c.scheduled(closed.ID); got.State != models.ScheduledFailed || got.Problem != "scheduled.failed_closed" {
			t.Errorf("%+v", got)
		}
		err := c.service.Schedule(ctx, c.agent, service.Scheduling{Conversation: id, Key: "x", Body: "x", When: in(clock, time.Minute)})
		if models.KindOf(err) != models.KindConflict {
			t.Error("scheduled in a closed conversation:", err)
		}
	})
}

// Who may change what, and what becomes of a message in the conversation that another agent has by now.
func TestScheduledIsChanged(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		id := c.quiet()
		c.reply(id, "k", "mine")
		bo, eva := c.colleague("Bo"), c.colleague("Eva")
		m := c.later(bo, "a", in(clock, time.Hour))
		boss := models.Viewer{User: 98, Role: models.Supervisor}
		if err := c.service.CancelScheduled(ctx, eva, m.ID); !errors.Is(err, service.ErrNotYours) {
			t.Error(err)
		}
		if err := c.service.SendScheduledNow(ctx, c.agent, m.ID); !errors.Is(err, service.ErrNotYours) {
			t.Error("sent in another's name:", err)
		}
		if err := c.service.Reschedule(ctx, boss, m.ID, service.Rescheduling{When: in(clock, -time.Hour)}); models.KindOf(err) != models.KindInvalid {
			t.Error(err)
		}
		if err := c.service.Reschedule(ctx, boss, m.ID, service.Rescheduling{When: in(clock, 2*time.Hour)}); err != nil {
			t.Error(err)
		}
		clock.Advance(time.Hour)
		if c.run(m.ID); c.scheduled(m.ID).State != models.ScheduledWaiting {
			t.Error("sent at the time of before")
		}
		clock.Advance(time.Hour)
		c.run(m.ID)
		if got := c.scheduled(m.ID); got.State != models.ScheduledSent || *c.only().UserID != c.agent.User {
			t.Errorf("%+v: its writer helps", got)
		}
		for name, err := range map[string]error{
			"cancel": c.service.CancelScheduled(ctx, bo, m.ID), "now": c.service.SendScheduledNow(ctx, bo, m.ID), "time": c.service.Reschedule(ctx, bo, m.ID, service.Rescheduling{When: in(clock, time.Hour)}),
		} {
			if !errors.Is(err, service.ErrNotWaiting) {
				t.Errorf("%s: %v", name, err)
			}
		}
		mine := c.later(bo, "b", in(clock, time.Hour))
		if err := c.service.CancelScheduled(ctx, c.agent, mine.ID); err != nil {
			t.Error("who has the conversation may:", err)
		}
		now := c.later(bo, "c", in(clock, time.Hour))
		if err := c.service.SendScheduledNow(ctx, bo, now.ID); err != nil || c.scheduled(now.ID).State != models.ScheduledSent {
			t.Error(err)
		}
		if err := c.service.CancelScheduled(ctx, bo, 9999); !errors.Is(err, models.ErrNotFound) {
			t.Error(err)
		}
	})
}

// A job that is gone, and a clock that is moved ahead.
func TestScheduledIsNotForgotten(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		c.quiet()
		m := c.later(c.agent, "a", in(clock, time.Hour))
		clock.Advance(time.Hour + 4*time.Minute)
		if err := c.service.Housekeeping(ctx); err != nil || c.ours() != 0 {
			t.Fatal("its job has time yet:", err)
		}
		clock.Advance(2 * time.Minute)
		if err := c.service.Housekeeping(ctx); err != nil || c.scheduled(m.ID).State != models.ScheduledSent {
			t.Fatal(c.scheduled(m.ID).State, err)
		}
		ahead := c.later(c.agent, "b", in(clock, 5*time.Hour))
		if err := c.service.SkipAhead(ctx, models.Viewer{Role: models.Administrator}, c.sid, 6*time.Hour); err != nil {
			t.Fatal(err)
		}
		if c.run(ahead.ID); c.scheduled(ahead.ID).State != models.ScheduledSent {
			t.Error("by the account's clock it is due")
		}
	})
}

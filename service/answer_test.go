package service_test

import (
	"errors"
	"testing"
	"time"

	"kanal/models"
	"kanal/service"
	"kanal/store"
	"kanal/store/storetest"
	"kanal/twilio/simulator"
)

// colleague adds another agent of the default queue.
func (c *center) colleague(name string) models.Viewer {
	c.t.Helper()
	u := models.User{Email: name + "@example.com", Name: name, Role: models.Agent, Version: 1, CreatedAt: c.store.Now(), UpdatedAt: c.store.Now()}
	err := c.store.InTx(ctx, func(tx *store.Tx) error {
		if err := tx.Insert(ctx, &u); err != nil {
			return err
		}
		q, err := tx.DefaultQueue(ctx)
		if err != nil {
			return err
		}
		return tx.SetQueueMember(ctx, q, u.ID, true)
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return models.Viewer{User: u.ID, Role: models.Agent}
}

// Who answers in the conversation of another is asked once, and what was decided is about that owner alone.
func TestAnswerInAnothersConversation(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		id := c.quiet()
		c.reply(id, "k", "mine")
		bo, eva := c.colleague("Bo"), c.colleague("Eva")
		c.write(0, "Og?")
		answer := func(v models.Viewer, key string, d service.Decision) error {
			clock.Advance(time.Second)
			_, err := c.service.Reply(ctx, v, service.Reply{Conversation: id, Key: key, Body: key, Decision: d})
			return err
		}
		owner := func() models.UserID { return *c.only().UserID }
		for name, d := range map[string]service.Decision{
			"nothing": {}, "another owner": {Answering: service.TakingOver, Owner: eva.User}, "no owner": {Answering: service.TakingOver}, "nonsense": {Answering: "steal", Owner: c.agent.User},
		} {
			if err := answer(bo, name, d); !errors.Is(err, service.ErrOtherAgent) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if row := c.only(); row.Unread != 1 || row.UnansweredAt == nil || owner() != c.agent.User {
			t.Errorf("refused answers have changed something: %+v", row)
		}
		if err := answer(bo, "help", service.Decision{Answering: service.Helping, Owner: c.agent.User}); err != nil {
			t.Fatal(err)
		}
		if row := c.only(); owner() != c.agent.User || row.UnansweredAt != nil || row.Unread != 1 {
			t.Errorf("after help: %+v", row)
		}
		if err := answer(bo, "more help", service.Decision{}); err != nil {
			t.Error("asked twice about the same owner:", err)
		}
		if err := answer(eva, "take", service.Decision{Answering: service.TakingOver, Owner: c.agent.User}); err != nil || owner() != eva.User {
			t.Fatal(owner(), err)
		}
		if err := answer(bo, "help again", service.Decision{}); !errors.Is(err, service.ErrOtherAgent) {
			t.Error("help for the owner before is none for the owner now:", err)
		}
		if err := answer(c.agent, "back", service.Decision{}); !errors.Is(err, service.ErrOtherAgent) {
			t.Error("the owner before answers without a question:", err)
		}
		ms, err := c.store.Messages(ctx, c.only().Conversation, 0)
		if err != nil {
			t.Fatal(err)
		}
		last := ms[len(ms)-1]
		if last.UserName != "Eva" || last.UserBefore == nil || *last.UserBefore != bo.User {
			t.Errorf("%s after %v", last.UserName, last.UserBefore)
		}
	})
}

// Nothing is asked where nothing can be sent, and the writer of a failed message may send it again.
func TestAnswerAsksOnlyWhatMatters(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		id := c.quiet()
		c.reply(id, "k", "mine")
		c.send(id)
		bo, eva := c.colleague("Bo"), c.colleague("Eva")
		c.sim.Fail(c.sid, simulator.FaultRejected)
		m, err := c.service.Reply(ctx, bo, service.Reply{Conversation: id, Key: "h", Body: "x", Decision: service.Decision{Answering: service.Helping}})
		if err != nil {
			t.Fatal(err)
		}
		c.send(id)
		if _, err := c.service.Retry(ctx, eva, m.ID); !errors.Is(err, service.ErrOtherAgent) {
			t.Error("a message of somebody else's:", err)
		}
		if _, err := c.service.Retry(ctx, bo, m.ID); err != nil {
			t.Error("one's own:", err)
		}
		clock.Advance(25 * time.Hour)
		if _, err := c.service.Reply(ctx, eva, service.Reply{Conversation: id, Key: "late", Body: "x"}); !errors.Is(err, service.ErrWindowClosed) {
			t.Error(err)
		}
	})
}

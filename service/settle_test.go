package service_test

import (
	"testing"
	"time"

	"kanal/models"
	"kanal/service"
	"kanal/store/storetest"
	"kanal/twilio/simulator"
)

// sendFile sends a picture without a text while Twilio does as it is told, and gives its message.
func (c *center) sendFile(id models.ConversationID, key string, fault simulator.Fault) models.Message {
	c.t.Helper()
	c.sim.Fail(c.sid, fault)
	c.must(c.answer(service.Reply{Conversation: id, Key: key, Files: []models.FileID{c.upload(id, key+".jpg", sampleJPG)}}))
	c.send(id)
	row, err := c.store.ConversationByID(ctx, id)
	c.must(err)
	ms, err := c.store.Messages(ctx, row, 0)
	c.must(err)
	m := ms[len(ms)-1]
	if m.State != models.Uncertain {
		c.t.Fatalf("%s is %s", key, m.State)
	}
	return m
}

// Of two pictures whose answers are lost Twilio has made one. Its list does not say which, but when: it is taken for the
// one whose request was on its way then, and the other one is sent again.
func TestTwoUncertainFiles(t *testing.T) {
	for name, faults := range map[string][2]simulator.Fault{
		"the first was made":  {simulator.FaultCommitDrop, simulator.FaultHTML},
		"the second was made": {simulator.FaultHTML, simulator.FaultCommitDrop},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
				c.files(true, true)
				c.skipAhead(time.Hour) // Twilio's times are the account's
				id := c.quiet()
				var ms [2]models.Message
				for i, fault := range faults {
					ms[i] = c.sendFile(id, []string{"a", "b"}[i], fault)
					clock.Advance(models.UncertainHold + time.Second)
				}
				made, lost := ms[0], ms[1]
				if faults[1] == simulator.FaultCommitDrop {
					made, lost = lost, made
				}
				clock.Advance(models.ListingDelay)
				c.settle(lost.ID) // first: it may not take the other's
				if got := c.settle(lost.ID); got.State != models.Queued || got.ProviderSID != nil {
					t.Errorf("the one that never came is %s as %v", got.State, got.ProviderSID)
				}
				if got := c.settle(made.ID); got.State != models.Accepted || *got.ProviderSID != c.phone()[0].SID {
					t.Errorf("the one that came is %s as %v", got.State, got.ProviderSID)
				}
				c.send(id)
				if got := c.message(lost.ID); got.State != models.Accepted || got.Attempt != 2 || c.creates() != 2 {
					t.Errorf("then it is %s by attempt %d, %d creates", got.State, got.Attempt, c.creates())
				}
			})
		})
	}
}

// Two pictures that were on their way at the same time, in two conversations with one customer, cannot be told apart in
// Twilio's list: neither is taken for sent, and neither is sent again, until Twilio reports on one.
func TestUnclearFilesWaitForTheReport(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		c.files(true, true)
		id := c.quiet()
		lost := c.sendFile(id, "a", simulator.FaultHTML)
		c.must(c.service.Resolve(ctx, c.agent, id))
		c.must(c.service.CloseNow(ctx, c.agent, id))
		c.write(0, "En ting til")
		made := c.sendFile(c.conversationOf(c.customer(0)), "b", simulator.FaultCommitDrop)
		for range 3 {
			clock.Advance(models.UncertainHold + models.SendTimeout + time.Second)
			for _, m := range []models.Message{lost, made} {
				if got := c.settle(m.ID); got.State != models.Uncertain {
					t.Fatalf("message %d is %s", m.ID, got.State)
				}
			}
		}
		if c.creates() != 1 {
			t.Errorf("%d creates", c.creates())
		}
		c.sim.Report(c.sid, c.phone()[0].SID, "delivered", 0)
		if got := c.message(made.ID); got.State != models.Delivered {
			t.Errorf("after the report the one that came is %s", got.State)
		}
		clock.Advance(10 * time.Minute)
		for range 2 {
			c.must(c.service.Housekeeping(ctx))
			clock.Advance(10 * time.Minute)
		}
		if got := c.message(lost.ID); got.State != models.Queued && got.State != models.Accepted {
			t.Errorf("the one that never came is %s", got.State)
		}
	})
}

package service_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"kanal/models"
	"kanal/service"
	"kanal/store"
	"kanal/store/storetest"
	"kanal/twilio/simulator"
)

// history is a random course of events between three customers, an agent and the clock.
type history struct {
	*center
	clock *storetest.Clock
	rnd   *rand.Rand
	n     int
	sent  []models.MessageID
}

func (h *history) step() error {
	h.n++
	rows, err := h.store.Conversations(ctx, h.agent, store.InboxFilter{View: models.ViewAll})
	if err != nil {
		return err
	}
	var row models.ConversationRow
	if len(rows) > 0 {
		row = rows[h.rnd.IntN(len(rows))]
	}
	switch h.rnd.IntN(9) {
	case 0:
		h.write(h.rnd.IntN(3), fmt.Sprint("in ", h.n))
	case 1, 2, 3:
		m, err := h.service.Reply(ctx, h.agent, service.Reply{Conversation: row.ID, Key: fmt.Sprint(h.n), Body: fmt.Sprint("out ", h.n)})
		if err == nil {
			h.sent = append(h.sent, m.ID)
		}
		return refusal(err)
	case 4:
		faults := []simulator.Fault{simulator.FaultTooMany, simulator.FaultCommitDrop, simulator.FaultDown, simulator.FaultHTML, simulator.FaultCommitSlow}
		h.sim.Fail(h.sid, faults[h.rnd.IntN(len(faults))])
	case 5:
		if len(h.sent) > 0 {
			_, err := h.service.Retry(ctx, h.agent, h.sent[h.rnd.IntN(len(h.sent))])
			return refusal(err)
		}
	case 6:
		h.clock.Advance(time.Duration(h.rnd.Int64N(int64(13 * time.Hour))))
	case 7:
		h.clock.Advance(time.Duration(h.rnd.Int64N(int64(2 * time.Minute))))
		return h.service.Housekeeping(ctx)
	default:
		if row.ID != 0 {
			return h.service.SendConversation(ctx, row.ID)
		}
	}
	return nil
}

// refusal lets through the errors with which a rule says no.
func refusal(err error) error {
	if k := models.KindOf(err); err == nil || k == models.KindNotFound || k == models.KindConflict || errors.Is(err, service.ErrWindowClosed) {
		return nil
	}
	return err
}

// Whatever happens, in whatever order: free text reaches Twilio only within 24 hours of the customer's last message,
// and no text more than once.
func TestFreeTextNeverGoesOutOutsideTheWindow(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		seed := rand.Uint64()
		t.Log("seed", seed)
		h := &history{center: c, clock: clock, rnd: rand.New(rand.NewPCG(seed, 0))}
		c.sim.SetOutcome(c.sid, simulator.Outcome{Final: "none"})
		for range 400 {
			if err := h.step(); err != nil {
				t.Fatal(err)
			}
		}
		out, times := 0, map[string]int{}
		for i := range 3 {
			var last time.Time
			for _, m := range c.sim.Thread(c.sid, c.customer(i), number) {
				if m.Direction == "inbound" {
					last = m.Created
					continue
				}
				out++
				times[m.Body]++
				if late := m.Created.Sub(last); late >= models.ServiceWindowLength {
					t.Errorf("%q went out %v after the customer's last message", m.Body, late)
				}
			}
		}
		for body, n := range times {
			if n > 1 {
				t.Errorf("%q went out %d times", body, n)
			}
		}
		if out < 5 {
			t.Errorf("only %d messages went out: the course proves little", out)
		}
	})
}

package service_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
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

// history is a random course of events between three customers, an agent and the clock.
type history struct {
	*center
	clock           *storetest.Clock
	rnd             *rand.Rand
	n               int
	sent            []models.MessageID
	typed, approved models.TemplateID              // the first goes as text
	ahead           time.Duration                  // of the account's clock
	again           map[string]int                 // messages that were sent once more by hand
	shut            map[twilio.Address][]time.Time // when WhatsApp said of a customer that the window is closed
}

func (h *history) step() error {
	h.n++
	h.clock.Advance(time.Millisecond) // so that what comes after is later
	rows, err := h.store.Conversations(ctx, h.agent, store.InboxFilter{View: models.ViewAll})
	if err != nil {
		return err
	}
	var row models.ConversationRow
	if len(rows) > 0 {
		row = rows[h.rnd.IntN(len(rows))]
	}
	switch h.rnd.IntN(14) {
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
			m, err := h.service.Retry(ctx, h.agent, h.sent[h.rnd.IntN(len(h.sent))])
			if err == nil {
				h.again[m.Body]++
			}
			return refusal(err)
		}
	case 6:
		h.clock.Advance(time.Duration(h.rnd.Int64N(int64(13 * time.Hour))))
	case 7:
		h.clock.Advance(time.Duration(h.rnd.Int64N(int64(2 * time.Minute))))
		return h.service.Housekeeping(ctx)
	case 8:
		return refusal(h.template(row.ID))
	case 9:
		return h.report()
	case 10:
		return refusal(h.later(row.ID))
	case 11:
		if h.rnd.IntN(4) > 0 {
			return nil
		}
		return h.skip(time.Duration(h.rnd.Int64N(int64(13 * time.Hour))))
	default:
		if row.ID != 0 {
			return h.service.SendConversation(ctx, row.ID)
		}
	}
	return nil
}

// prepare adds the two templates, lets every customer write once and agree to messages.
func (h *history) prepare() {
	h.typed = h.addTemplate(models.Template{Name: "typed", Body: "typed {{1}}"})
	sid := h.sim.AddContent(h.sid, simulator.Content{
		Name: "approved", Language: "nb", Types: map[string]json.RawMessage{"twilio/text": json.RawMessage(`{"body": "approved {{1}}"}`)},
		Approval: simulator.Approval{Status: "approved"},
	})
	h.approved = h.addTemplate(models.Template{Name: "approved", Body: "approved {{1}}", Kind: models.KindOfText, ContentSID: sid, Status: models.TemplateApproved})
	for i := range 3 {
		h.write(i, "first")
		h.agrees(h.conversationOf(h.customer(i)))
	}
}

// template sends one that goes as text, or one that is approved.
func (h *history) template(id models.ConversationID) error {
	use := service.TemplateUse{Template: h.typed, Values: map[string]string{"1": fmt.Sprint(h.n)}}
	if h.rnd.IntN(2) == 0 {
		use.Template = h.approved
	}
	m, err := h.uses(id, fmt.Sprint(h.n), use)
	if err == nil {
		h.sent = append(h.sent, m.ID)
	}
	return err
}

// later schedules a message, for a time when the window may be closed, and lets what is due become messages.
func (h *history) later(id models.ConversationID) error {
	due := h.now().Add(time.Duration(h.rnd.Int64N(int64(30 * time.Hour)))).UTC()
	err := h.service.Schedule(ctx, h.agent, service.Scheduling{
		Conversation: id, Key: fmt.Sprint(h.n), Body: fmt.Sprint("later ", h.n),
		When: service.When{Date: due.Format(time.DateOnly), Clock: due.Format("15:04"), Zone: time.UTC, Anyway: true},
	})
	if err != nil && models.KindOf(err) != models.KindInvalid { // this minute has begun
		return err
	}
	waiting, err := h.store.WaitingScheduled(ctx, h.account.ID)
	if err != nil {
		return err
	}
	for _, m := range waiting {
		if err := h.service.SendScheduled(ctx, m.ID); err != nil {
			return err
		}
	}
	return nil
}

// skip moves the account's clock ahead of the one on the wall.
func (h *history) skip(by time.Duration) error {
	if err := h.service.SkipAhead(ctx, h.agent, h.sid, by); err != nil {
		return err
	}
	h.ahead += by
	h.sim.SetAhead(h.sid, h.ahead)
	return nil
}

// now is the moment as the account sees it.
func (h *history) now() time.Time { return h.store.Now().Add(h.ahead) }

// report lets a callback come about some message, early or late: of a failure, that WhatsApp has found the window closed.
// It is closed then, unless the customer has written since.
func (h *history) report() error {
	customer := h.customer(h.rnd.IntN(3))
	thread := h.sim.Thread(h.sid, customer, number)
	var out []simulator.Message
	var last time.Time
	for _, m := range thread {
		if m.Direction == "inbound" {
			last = m.Created
		} else {
			out = append(out, m)
		}
	}
	if len(out) == 0 {
		return nil
	}
	m := out[h.rnd.IntN(len(out))]
	status := []string{"sent", "delivered", "failed", "undelivered"}[h.rnd.IntN(4)]
	before := h.kept(m.SID)
	h.sim.Report(h.sid, m.SID, status, twilio.CodeOutsideWindow)
	after := h.kept(m.SID)
	if !before.Final() && after.Final() && !last.After(m.Created) {
		h.shut[customer] = append(h.shut[customer], h.now())
	}
	return nil
}

// kept gives the state of our message with Twilio's sid, as far as we know it.
func (h *history) kept(sid string) models.MessageState {
	m, err := h.store.MessageBySID(ctx, h.account.ID, sid)
	if err != nil {
		return models.Queued
	}
	return m.State
}

// refusal lets through the errors with which a rule says no.
func refusal(err error) error {
	if k := models.KindOf(err); err == nil || k == models.KindNotFound || k == models.KindConflict || errors.Is(err, service.ErrWindowClosed) || errors.Is(err, service.ErrTemplateWindow) {
		return nil
	}
	return err
}

// Whatever happens, in whatever order: free text reaches Twilio only within 24 hours of the customer's last message, and
// not after WhatsApp has said that the window is closed before the customer writes again; approved templates always may;
// and no message goes out more often than somebody wanted.
func TestFreeTextNeverGoesOutOutsideTheWindow(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		seed := rand.Uint64()
		t.Log("seed", seed)
		h := &history{center: c, clock: clock, rnd: rand.New(rand.NewPCG(seed, 0)), again: map[string]int{}, shut: map[twilio.Address][]time.Time{}}
		c.sim.SetOutcome(c.sid, simulator.Outcome{Final: "none"})
		h.prepare()
		for range 600 {
			if err := h.step(); err != nil {
				t.Fatal(err)
			}
		}
		texts, outside, later, times := 0, 0, 0, map[string]int{}
		for i := range 3 {
			customer := c.customer(i)
			var wrote time.Time
			for _, m := range c.sim.Thread(c.sid, customer, number) {
				if m.Direction == "inbound" {
					wrote = m.Created
					continue
				}
				times[m.Body]++
				if strings.HasPrefix(m.Body, "later") {
					later++
				}
				late := m.Created.Sub(wrote) >= 24*time.Hour
				for _, at := range h.shut[customer] {
					late = late || at.After(wrote) && at.Before(m.Created)
				}
				switch {
				case m.ContentSID == "" && late:
					t.Errorf("%q went out %v after the customer's last message", m.Body, m.Created.Sub(wrote))
				case m.ContentSID == "":
					texts++
				case late:
					outside++
				}
			}
		}
		for body, n := range times {
			if n > 1+h.again[body] {
				t.Errorf("%q went out %d times", body, n)
			}
		}
		if texts < 5 || outside < 1 || later < 1 {
			t.Errorf("only %d texts, %d of them scheduled, and %d templates outside of the window went out: the course proves little", texts, later, outside)
		}
	})
}

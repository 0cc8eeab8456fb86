package service_test

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"kanal/models"
	"kanal/service"
	"kanal/store/storetest"
)

// spools puts a customer's message into the spool of the first instance.
func (c *center) spools(form url.Values) {
	c.t.Helper()
	call := c.webhook(service.HookInbound, form, c.token())
	call.Verified = true
	if err := c.spool.Append(call); err != nil {
		c.t.Fatal(err)
	}
}

// What went into the spool of one instance stands where the customer wrote it, though the other instance has taken in more
// and an agent has answered meanwhile. A line at the end leads to it, and the conversation is no older and no newer than it
// was.
func TestSpooledMessageTakesItsPlace(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		const bsuid = "whatsapp:NO.1A2B3C4D5E6F7G8H9I0J"
		other := c.another()
		step := func() { clock.Advance(100 * time.Millisecond) } // a short outage
		through := func(s *service.Service, n int) {
			t.Helper()
			step()
			form := text(n, customer, number)
			form.Set("ExternalUserId", bsuid)
			if err := s.TakeHook(ctx, c.webhook(service.HookInbound, form, c.token())); err != nil {
				t.Fatal(err)
			}
		}
		through(other, 1)
		step()
		waits := clock.Now()
		c.spools(text(2, bsuid, number))
		c.spools(text(3, customer, number))
		step()
		c.reply(c.only().ID, "k1", "answer")
		through(other, 4)
		step()
		c.spools(text(5, bsuid, number))
		through(other, 6)
		was := c.only()
		c.replay()
		if got := c.thread(); got != "m1 m2 m3 answer m4 m5 m6" {
			t.Fatal(got)
		}
		row := c.only()
		if row.Unread != was.Unread+3 || !row.LastMessageAt.Equal(was.LastMessageAt) || row.LastPreview != was.LastPreview || row.Address != customer {
			t.Errorf("was %+v, is %+v", was, row)
		}
		if row.UnansweredAt == nil || !row.UnansweredAt.Equal(waits) {
			t.Errorf("the customer waits since %v, not since %v", row.UnansweredAt, waits)
		}
		ms, _, _, err := c.store.MessagesSince(ctx, row.Conversation, was.Rev)
		if err != nil || len(ms) != 4 {
			t.Fatalf("%d messages are new to an open page: %v", len(ms), err)
		}
		if line := ms[3]; line.Body != "system.came_late" || line.QuotedID == nil || *line.QuotedID != ms[0].ID || ms[0].Body != "m2" {
			t.Errorf("%+v", line)
		}
		page, err := c.store.Messages(ctx, row.Conversation, ms[2].Seq)
		if err != nil || len(page) == 0 || page[len(page)-1].Body != "m4" {
			t.Errorf("%d messages stand before m5: %v", len(page), err)
		}
	})
}

// A call that waits for the database may go into the spool and come to its end by itself later: the customer has written
// again meanwhile.
func TestSlowWebhookTakesItsPlace(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		take := func(n int, at time.Time) {
			t.Helper()
			if err := c.service.Receive(ctx, service.Call{Account: c.account, Form: text(n, customer, number), ReceivedAt: at}); err != nil {
				t.Fatal(err)
			}
		}
		take(1, clock.Now())
		clock.Advance(time.Second)
		slow := clock.Now()
		clock.Advance(3 * time.Second)
		take(3, clock.Now())
		take(2, slow)
		if got := c.thread(); got != "m1 m2 m3" {
			t.Error(got)
		}
		// One that is fast comes from a clock that is behind: it is the newest.
		take(4, clock.Now().Add(-time.Second))
		if got := c.thread(); got != "m1 m2 m3 m4" {
			t.Error(got)
		}
	})
}

// What is listed stands between the messages between which Twilio lists it, whatever our clock and Twilio's say, and an
// answer stands where it was given.
func TestListedMessageTakesItsPlace(t *testing.T) {
	for _, d := range storetest.Dialects {
		for _, behind := range []time.Duration{0, 20 * time.Second} {
			t.Run(fmt.Sprint(d, behind), func(t *testing.T) {
				clock := storetest.NewClock()
				ours := func() time.Time { return clock.Now().Add(-behind) }
				c := newCenter(t, storetest.Open(t, d, ours), clock)
				clock.Advance(time.Hour)
				c.write(0, "one")
				clock.Advance(200 * time.Millisecond)
				c.unheard(0, "two", "")
				clock.Advance(200 * time.Millisecond)
				c.write(0, "three")
				clock.Advance(time.Minute)
				c.reply(c.only().ID, "k1", "answer")
				clock.Advance(time.Minute)
				c.unheard(0, "four", "")
				c.unheard(1, "elsewhere", "")
				c.unheard(0, "five", "")
				clock.Advance(time.Second)
				c.write(0, "six")
				for i := range 70 { // more than share a commit
					c.write(1, fmt.Sprint(i))
				}
				clock.Advance(200 * time.Millisecond)
				c.unheard(0, "seven", "")
				clock.Advance(200 * time.Millisecond)
				c.write(0, "eight")
				clock.Advance(time.Minute + behind)
				c.catchUp()
				threads, _ := c.threads()
				var got []string
				for _, m := range threads[c.customer(0)] {
					if m.Direction != models.System {
						got = append(got, m.Body)
					}
				}
				if want := "one two three answer four five six seven eight"; strings.Join(got, " ") != want {
					t.Error(got)
				}
			})
		}
	}
}

// However many come late between two messages, in whatever order the spools of two instances give them back, they stand in
// the order in which they were received.
func TestManyComeLate(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		const many = 300
		at := map[int]time.Time{}
		for n := range many {
			clock.Advance(time.Second)
			at[n] = clock.Now()
		}
		take := func(n int) {
			t.Helper()
			if err := c.service.Receive(ctx, service.Call{Account: c.account, Form: text(n, customer, number), ReceivedAt: at[n]}); err != nil {
				t.Fatal(err)
			}
		}
		clock.Advance(time.Minute)
		take(0)
		take(many - 1)
		var one, two []int
		random := rand.New(rand.NewPCG(7, 7))
		for n := 1; n < many-1; n++ {
			if random.IntN(3) == 0 {
				two = append(two, n)
			} else {
				one = append(one, n)
			}
		}
		for len(one)+len(two) > 0 {
			from := &one
			if len(one) == 0 || len(two) > 0 && random.IntN(2) == 0 {
				from = &two
			}
			take((*from)[0])
			*from = (*from)[1:]
		}
		row := c.only()
		ms, err := c.store.MessagesAfter(ctx, row.Conversation, 0)
		if err != nil {
			t.Fatal(err)
		}
		var got []time.Time
		for _, m := range ms {
			if m.Direction == models.In {
				got = append(got, m.CreatedAt)
			}
		}
		if len(got) != many || !slices.IsSortedFunc(got, time.Time.Compare) {
			t.Errorf("%d messages, in order: %v", len(got), slices.IsSortedFunc(got, time.Time.Compare))
		}
	})
}

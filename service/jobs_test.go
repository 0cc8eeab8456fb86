package service_test

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"kanal/models"
	"kanal/store"
	"kanal/store/storetest"
	"kanal/twilio/simulator"
)

// back is how far the clock of these tests is behind the machine's, by which a job is due that names no time.
const back = 20 * 365 * 24 * time.Hour

// byJobs does the jobs of sending, each when it is due by the clock, which it moves, until none is left.
func (c *center) byJobs(db *sql.DB, clock *storetest.Clock) {
	c.t.Helper()
	args := "json(args)" // SQLite has it in a form of its own
	if c.store.Dialect() == store.Postgres {
		args = "args::text"
	}
	first := fmt.Sprintf(`SELECT id, kind, %s, scheduled_at FROM river_job WHERE kind IN ('send_conversation', 'settle_message')
		ORDER BY CASE WHEN scheduled_at > $1 THEN 0 ELSE 1 END, scheduled_at, id LIMIT 1`, args)
	for range 100 {
		var id int64
		var kind, text string
		var due time.Time
		now := clock.Now()
		err := db.QueryRowContext(ctx, first, now.Add(back/2)).Scan(&id, &kind, &text, &due)
		if errors.Is(err, sql.ErrNoRows) {
			return
		}
		c.must(err)
		_, err = db.ExecContext(ctx, "DELETE FROM river_job WHERE id = $1", id)
		c.must(err)
		if wait := due.Sub(now); wait > 0 && wait < back/2 {
			clock.Advance(wait + time.Millisecond) // what SQLite keeps of it has no more
		}
		if kind == (models.SettleMessage{}).Kind() {
			var job models.SettleMessage
			c.must(json.Unmarshal([]byte(text), &job))
			c.must(c.service.SettleMessage(ctx, job.Message))
			continue
		}
		var job models.SendConversation
		c.must(json.Unmarshal([]byte(text), &job))
		c.must(c.service.SendConversation(ctx, job.Conversation))
	}
	c.t.Fatal("the jobs do not end")
}

// early lets the job that would send come before its time, by a clock that is ahead.
func (c *center) early(db *sql.DB, id models.ConversationID) {
	c.t.Helper()
	_, err := db.ExecContext(ctx, "DELETE FROM river_job WHERE kind = 'send_conversation'")
	c.must(err)
	c.send(id)
}

// Whatever becomes of the first attempt, the jobs that are entered bring all messages of the conversation to Twilio, once
// and in time; nobody has to sweep.
func TestJobsAloneSend(t *testing.T) {
	const none = simulator.Fault("")
	for name, tt := range map[string]struct {
		fault  simulator.Fault
		then   func(*center, *sql.DB, models.Message) // after the first attempt
		pace   int
		within time.Duration
		want   string
	}{
		"no fault":          {none, nil, 0, 0, "[m0 m1 m2]"},
		"a slow sender":     {none, nil, 60, 6 * time.Second, "[m0 m1 m2]"},
		"too many requests": {simulator.FaultTooMany, nil, 0, 4 * time.Second, "[m0 m1 m2]"},
		"too many requests, and a job that comes early": {
			simulator.FaultTooMany, func(c *center, db *sql.DB, m models.Message) { c.early(db, m.ConversationID) }, 0, 4 * time.Second, "[m0 m1 m2]",
		},
		"answer lost": {simulator.FaultCommitDrop, nil, 0, 4 * time.Second, "[m0 m1 m2]"},
		"reported before the answer": {simulator.FaultCommitDrop, func(c *center, _ *sql.DB, _ models.Message) {
			c.sim.Report(c.sid, c.phone()[0].SID, "sent", 0)
		}, 0, 0, "[m0 m1 m2]"},
		"never came": {simulator.FaultDown, nil, 0, 2 * time.Minute, "[m1 m2 m0]"},
		"never came, and a job that comes early": {
			simulator.FaultDown, func(c *center, db *sql.DB, m models.Message) { c.early(db, m.ConversationID) }, 0, 2 * time.Minute, "[m1 m2 m0]",
		},
		"not delivered, for a reason that passes": {none, func(c *center, _ *sql.DB, m models.Message) { c.undelivered(m.ID, passing) }, 0, 61 * time.Second, "[m0 m1 m2 m0]"},
	} {
		for _, d := range storetest.Dialects {
			t.Run(name+"/"+string(d), func(t *testing.T) {
				t.Parallel()
				clock := storetest.NewClock()
				clock.Advance(-back)
				address := storetest.Migrated(t, d)
				c := newCenter(t, storetest.OpenURL(t, address, clock.Now), clock)
				db := openRaw(t, d, address)
				id := c.quiet()
				if tt.pace > 0 {
					c.setPace(tt.pace)
				}
				if tt.fault != none {
					c.sim.Fail(c.sid, tt.fault)
				}
				ms := []models.Message{c.reply(id, "k0", "m0")}
				if tt.then != nil {
					c.send(id)
					tt.then(c, db, ms[0])
				}
				ms = append(ms, c.reply(id, "k1", "m1"), c.reply(id, "k2", "m2"))
				began := clock.Now()
				c.byJobs(db, clock)
				if got := fmt.Sprint(c.bodies()); got != tt.want {
					t.Errorf("%s went out", got)
				}
				for _, m := range ms {
					as, err := c.store.Attempts(ctx, m)
					if err != nil || len(as) == 0 {
						t.Fatalf("%s was not tried: %v", m.Body, err)
					}
					if late := as[len(as)-1].StartedAt.Sub(began); late > tt.within {
						t.Errorf("%s went out after %s", m.Body, late)
					}
				}
			})
		}
	}
}

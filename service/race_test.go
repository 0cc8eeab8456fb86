package service_test

import (
	"database/sql"
	"errors"
	"net/http"
	"strings"
	"testing"

	"kanal/models"
	"kanal/service"
	"kanal/store"
	"kanal/store/storetest"
	"kanal/twilio/simulator"
)

// openRaw gives a second connection to a test's database, which stands for another instance.
func openRaw(t *testing.T, d store.Dialect, address string) *sql.DB {
	t.Helper()
	driver, name := "pgx", address
	if d == store.SQLite {
		driver, name = "sqlite", "file:"+strings.TrimPrefix(address, "sqlite:")+"?_txlock=immediate&_pragma=busy_timeout(5000)"
	}
	db, err := sql.Open(driver, name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// waits tells whether anybody waits for a lock in a PostgreSQL database.
func waits(db *sql.DB) (is bool) {
	err := db.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')").Scan(&is)
	return err == nil && is
}

// A report has looked for Twilio's sid and not found it; before it looks at the attempts, Twilio's answer is stored. The
// report is of the attempt that has its sid now. On PostgreSQL a lock on the messages holds the report between its two
// looks. SQLite has one writer: there the report cannot begin to look before the answer is stored.
func TestReportWhileTheAnswerIsStored(t *testing.T) {
	for _, d := range storetest.Dialects {
		t.Run(string(d), func(t *testing.T) {
			address := storetest.Migrated(t, d)
			clock := storetest.NewClock()
			c := newCenter(t, storetest.OpenURL(t, address, clock.Now), clock)
			id := c.quiet()
			c.sim.Fail(c.sid, simulator.FaultCommitDrop)
			m := c.reply(id, "k", "x")
			c.send(id)
			created := c.sim.Thread(c.sid, c.customer(0), number)[1].SID
			db := openRaw(t, d, address)
			answer, err := db.BeginTx(ctx, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = answer.Rollback() }()
			exec := func(stmt string, args ...any) {
				t.Helper()
				if _, err := answer.ExecContext(ctx, stmt, args...); err != nil {
					t.Fatal(err)
				}
			}
			if d == store.Postgres {
				exec("LOCK TABLE messages IN ACCESS EXCLUSIVE MODE")
			}
			reported := make(chan error, 1)
			go func() { reported <- c.status(m, 1, created, "failed", "30008") }()
			if d == store.Postgres {
				c.until("the report waits for the message", func() bool { return waits(db) })
			}
			exec("UPDATE send_attempts SET state = 'accepted', sid = $1 WHERE message_id = $2", created, int64(m.ID))
			exec("UPDATE messages SET state = 'accepted', provider_sid = $1 WHERE id = $2", created, int64(m.ID))
			if err := answer.Commit(); err != nil {
				t.Fatal(err)
			}
			if err := <-reported; err != nil {
				t.Fatal(err)
			}
			if got := c.message(m.ID); got.State != models.Failed || got.ErrorCode != 30008 {
				t.Errorf("%s with code %d: the report has moved nothing", got.State, got.ErrorCode)
			}
		})
	}
}

// A number that a workstream claims while somebody removes it, or its account, stays.
func TestRemovedWhileItIsClaimed(t *testing.T) {
	for name, remove := range map[string]func(*center) error{
		"number":  func(c *center) error { return c.service.RemoveNumber(ctx, c.agent, c.account.ID, c.number) },
		"account": func(c *center) error { return c.service.DeleteAccount(ctx, c.agent, c.account.ID) },
	} {
		for _, d := range storetest.Dialects {
			t.Run(name+"/"+string(d), func(t *testing.T) {
				address := storetest.Migrated(t, d)
				c := newCenter(t, storetest.OpenURL(t, address, nil), nil)
				queue, err := c.store.DefaultQueue(ctx)
				if err != nil {
					t.Fatal(err)
				}
				w, err := c.service.NewWorkstream(ctx, c.agent, service.WorkstreamDetails{Name: "Norway", Distribution: models.Pick, Queue: queue})
				if err != nil {
					t.Fatal(err)
				}
				db := openRaw(t, d, address)
				claim, err := db.BeginTx(ctx, nil)
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = claim.Rollback() }()
				if _, err := claim.ExecContext(ctx, "UPDATE numbers SET workstream_id = $1, version = version + 1 WHERE id = $2", int64(w), int64(c.number)); err != nil {
					t.Fatal(err)
				}
				removed := make(chan error, 1)
				go func() { removed <- remove(c) }()
				if d == store.Postgres {
					c.until("the removal waits for the number", func() bool { return waits(db) })
				}
				if err := claim.Commit(); err != nil {
					t.Fatal(err)
				}
				if err := <-removed; !errors.Is(err, store.ErrInUse) {
					t.Errorf("it was removed: %v", err)
				}
				if _, err := c.store.NumberIn(ctx, w, c.number); err != nil {
					t.Error("the workstream has lost its number:", err)
				}
			})
		}
	}
}

// A customer whom somebody blocks while their next message comes in: on PostgreSQL the message has seen that nobody has
// blocked them, and its new conversation waits for who does. The message makes no work all the same.
func TestWrittenWhileBlocked(t *testing.T) {
	for _, d := range storetest.Dialects {
		t.Run(string(d), func(t *testing.T) {
			address := storetest.URL(t, d)
			c := newCenter(t, storetest.OpenURL(t, address, nil), nil)
			c.write(0, "Hei")
			row := c.only()
			c.must(c.service.TakeOver(ctx, c.agent, row.ID, 0))
			c.must(c.service.Resolve(ctx, c.agent, row.ID))
			c.must(c.service.CloseNow(ctx, c.agent, row.ID))
			db := openRaw(t, d, address)
			block, err := db.BeginTx(ctx, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = block.Rollback() }()
			if d == store.Postgres {
				_, err = block.ExecContext(ctx, "SELECT 1 FROM contacts WHERE id = $1 FOR UPDATE", int64(row.ContactID))
				c.must(err)
			}
			_, err = block.ExecContext(ctx, "UPDATE contacts SET blocked_at = created_at WHERE id = $1", int64(row.ContactID))
			c.must(err)
			written := make(chan int, 1)
			go func() {
				codes := c.sim.Receive(c.sid, simulator.Write{Customer: c.customer(0), Number: number, Body: "once more"})
				written <- codes[len(codes)-1]
			}()
			if d == store.Postgres {
				c.until("the message waits for the customer", func() bool { return waits(db) })
			}
			c.must(block.Commit())
			if code := <-written; code != http.StatusOK {
				t.Fatal(code)
			}
			if counts, err := c.store.InboxCounts(ctx, c.agent); err != nil || counts.All != 0 {
				t.Errorf("%+v %v", counts, err)
			}
			if got := c.lines(row.ID); got[len(got)-1] != "once more" {
				t.Errorf("%q", got)
			}
		})
	}
}

package service_test

import (
	"database/sql"
	"strings"
	"testing"

	"kanal/models"
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

// A report has looked for Twilio's sid and not found it; before it looks at the attempts, Twilio's answer is stored. The
// report is of the attempt that has its sid now. On PostgreSQL a lock on the messages holds the report between its two
// looks. SQLite has one writer: there the report cannot begin to look before the answer is stored.
func TestReportWhileTheAnswerIsStored(t *testing.T) {
	for _, d := range storetest.Dialects {
		t.Run(string(d), func(t *testing.T) {
			address := storetest.URL(t, d)
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
			go func() { reported <- c.status(m, 1, created, "failed", "63018") }()
			if d == store.Postgres {
				c.until("the report waits for the message", func() (waits bool) {
					err := db.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE relation = 'messages'::regclass AND NOT granted)").Scan(&waits)
					return err == nil && waits
				})
			}
			exec("UPDATE send_attempts SET state = 'accepted', sid = $1 WHERE message_id = $2", created, int64(m.ID))
			exec("UPDATE messages SET state = 'accepted', provider_sid = $1 WHERE id = $2", created, int64(m.ID))
			if err := answer.Commit(); err != nil {
				t.Fatal(err)
			}
			if err := <-reported; err != nil {
				t.Fatal(err)
			}
			if got := c.message(m.ID); got.State != models.Failed || got.ErrorCode != 63018 {
				t.Errorf("%s with code %d: the report has moved nothing", got.State, got.ErrorCode)
			}
		})
	}
}

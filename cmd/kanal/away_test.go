package main

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"kanal/store"
)

// The database is away for half a minute while customers write without a pause. Every call is answered 200 before Twilio
// gives up, and when the database is back all of it is there, once, in the order of each conversation.
func TestDatabaseAwayUnderLoad(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a while")
	}
	eachTown(t, func(t *testing.T, w *town) {
		w.launch()
		w.conversation()
		over := make(chan struct{})
		var mu sync.Mutex
		var all []string
		var senders sync.WaitGroup
		for s := range 4 {
			senders.Go(func() {
				tick := time.NewTicker(20 * time.Millisecond)
				defer tick.Stop()
				for i := 0; ; i++ {
					select {
					case <-over:
						return
					case <-tick.C:
					}
					id, began := fmt.Sprintf("SM%016x%016x", s+1, i), time.Now()
					if status := w.post(id); status != http.StatusOK || time.Since(began) > 4*time.Second {
						t.Errorf("%s: %d after %s", id, status, time.Since(began))
					}
					mu.Lock()
					all = append(all, id)
					mu.Unlock()
				}
			})
		}
		back := w.away()
		time.Sleep(30 * time.Second) // how long it is away is what the test is about
		back()
		close(over)
		senders.Wait()
		w.awaitMessages(len(all) + 1)
		w.checkKept(all)
		w.checkOrder()
	})
}

// away takes the database away from the program; the result gives it back.
func (w *town) away() func() {
	w.t.Helper()
	exec := func(db interface {
		ExecContext(context.Context, string, ...any) (sql.Result, error)
	}, stmt string) {
		w.t.Helper()
		if _, err := db.ExecContext(w.t.Context(), stmt); err != nil {
			w.t.Fatal(err)
		}
	}
	if w.dialect == store.SQLite {
		conn, err := w.db.Conn(w.t.Context())
		if err != nil {
			w.t.Fatal(err)
		}
		exec(conn, "BEGIN IMMEDIATE")
		return func() { exec(conn, "ROLLBACK"); _ = conn.Close() }
	}
	u, err := url.Parse(w.address)
	if err != nil {
		w.t.Fatal(err)
	}
	name := strings.TrimPrefix(u.Path, "/")
	u.Path = "/postgres"
	server, err := sql.Open("pgx", u.String())
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = server.Close() })
	exec(server, "ALTER DATABASE "+name+" ALLOW_CONNECTIONS false")
	exec(server, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '"+name+"'")
	return func() { exec(server, "ALTER DATABASE "+name+" ALLOW_CONNECTIONS true") }
}

// awaitMessages waits until so many messages of customers are there.
func (w *town) awaitMessages(n int) {
	w.t.Helper()
	var there int
	for end := time.Now().Add(60 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		err := w.db.QueryRowContext(w.t.Context(), "SELECT count(*) FROM messages WHERE direction = 'in'").Scan(&there)
		if err == nil && there >= n {
			return
		}
		if time.Now().After(end) {
			w.t.Fatalf("%d of %d messages: %v", there, n, err)
		}
	}
}

// checkOrder wants each conversation in the order in which its messages, whose sids rise, were posted.
func (w *town) checkOrder() {
	w.t.Helper()
	rows, err := w.db.QueryContext(w.t.Context(), "SELECT conversation_id, provider_sid FROM messages WHERE direction = 'in' ORDER BY conversation_id, seq")
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	last := map[int64]string{}
	for rows.Next() {
		var conversation int64
		var id string
		if err := rows.Scan(&conversation, &id); err != nil {
			w.t.Fatal(err)
		}
		if id < last[conversation] {
			w.t.Errorf("conversation %d: %s after %s", conversation, id, last[conversation])
		}
		last[conversation] = id
	}
	if err := rows.Err(); err != nil {
		w.t.Fatal(err)
	}
}

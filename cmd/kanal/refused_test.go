package main

import (
	"strings"
	"testing"

	"kanal/store"
)

// A second process on the same data is refused, and so is a database that a newer program has changed: nothing of it
// is altered.
func TestRefusedProcesses(t *testing.T) {
	eachTown(t, func(t *testing.T, w *town) {
		if w.dialect == store.SQLite {
			p := w.launch()
			out, err := w.command().CombinedOutput()
			if err == nil || string(out) != "kanal: Another Kanal uses this data folder. Stop it first.\n" {
				t.Errorf("%v %q", err, out)
			}
			p.terminate()
			p.wait()
		}
		yes := map[store.Dialect]string{store.SQLite: "1", store.Postgres: "true"}[w.dialect]
		if _, err := w.db.ExecContext(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, "+yes+")"); err != nil {
			t.Fatal(err)
		}
		if _, err := w.db.ExecContext(t.Context(), "DROP TABLE drafts"); err != nil { // it would be made again
			t.Fatal(err)
		}
		for _, args := range [][]string{{"serve"}, {"migrate"}} {
			out, err := w.command(args...).CombinedOutput()
			if err == nil || !strings.HasPrefix(string(out), "kanal: ") || strings.Count(string(out), "\n") != 1 || !strings.Contains(string(out), "newer") {
				t.Errorf("%v: %v %q", args, err, out)
			}
		}
		if _, err := w.db.ExecContext(t.Context(), "SELECT 1 FROM drafts"); err == nil {
			t.Error("the database was altered")
		}
	})
}

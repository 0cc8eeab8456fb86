package cluster_test

import (
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/jackc/pgx/v5"

	"kanal/store/cluster"
	"kanal/store/storetest"
)

func TestCluster(t *testing.T) {
	dir, err := os.MkdirTemp("", "kanal-cluster-") // not t.TempDir: the server's user must reach it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", dir)
	s, err := cluster.Start(t.Context(), false)
	if err != nil {
		storetest.Require(t, "postgres", "PostgreSQL cannot be started: "+err.Error())
	}
	stopped := false
	defer func() {
		if !stopped {
			s.Stop()
		}
	}()
	if v, err := cluster.Version(t.Context(), s.URL); err != nil || !regexp.MustCompile(`^\d+\.\d+`).MatchString(v) {
		t.Errorf("version %q, %v", v, err)
	}
	database, err := cluster.Create(t.Context(), s.URL)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cluster.Version(t.Context(), database); err != nil {
		t.Error(err)
	}
	exec(t, database, "CREATE TABLE kept ()")
	copied, err := cluster.Copy(t.Context(), s.URL, database)
	if err != nil {
		t.Fatal(err)
	}
	exec(t, copied, "SELECT FROM kept")
	for _, d := range []string{copied, database} {
		if err := cluster.Drop(t.Context(), s.URL, d); err != nil {
			t.Error(err)
		}
	}
	if _, err := cluster.Version(t.Context(), database); err == nil {
		t.Error("the database is still there")
	}
	s.Stop()
	stopped = true
	if _, err := cluster.Version(t.Context(), s.URL); err == nil {
		t.Error("the server still answers")
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "kanal-postgres-*")); len(left) > 0 {
		t.Errorf("left over: %q", left)
	}
	if u, err := url.Parse(s.URL); err != nil || u.Hostname() != "127.0.0.1" {
		t.Errorf("the server is at %q, %v", s.URL, err)
	}
}

// exec runs a statement in a database and leaves it.
func exec(t *testing.T, database, sql string) {
	t.Helper()
	c, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(t.Context()) }()
	if _, err := c.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

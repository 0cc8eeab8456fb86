// Package storetest opens fresh databases for tests: SQLite in a temporary file, PostgreSQL in a private cluster that
// it starts itself (or at KANAL_TEST_POSTGRES_URL).
package storetest

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"kanal/store"
	"kanal/store/blob"
	"kanal/store/cluster"
)

// Key seals the secrets of test databases.
var Key = store.Key{1, 2, 3}

// Clock is a clock that a test moves.
type Clock struct {
	mu sync.Mutex
	t  time.Time
}

// NewClock gives a clock that stands at a fixed moment.
func NewClock() *Clock { return &Clock{t: time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)} }

// Now gives the clock's time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

// Advance moves the clock.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// Dialects are the engines that every test of the store and of the services runs on.
var Dialects = []store.Dialect{store.SQLite, store.Postgres}

// Each runs a test on a fresh, migrated database of each engine, with a clock that the test moves; on both at once.
func Each(t *testing.T, f func(t *testing.T, s *store.Store, clock *Clock)) {
	t.Helper()
	for _, d := range Dialects {
		t.Run(string(d), func(t *testing.T) {
			t.Parallel()
			clock := NewClock()
			f(t, Open(t, d, clock.Now), clock)
		})
	}
}

// Open gives a fresh, migrated database that is closed when the test ends. A nil clock is the machine's. It is a copy of
// one that was migrated before: migrating takes longer than most tests.
func Open(t testing.TB, d store.Dialect, clock func() time.Time) *store.Store {
	t.Helper()
	return open(t, Migrated(t, d), clock)
}

// Migrated gives the address of a new database with all tables and nothing in them.
func Migrated(t testing.TB, d store.Dialect) string {
	t.Helper()
	if d == store.Postgres {
		return newPostgres(t, func(ctx context.Context, server string) (string, error) {
			if server == os.Getenv(serverVariable) { // nobody would remove the one that is copied
				return createMigrated(ctx, server)
			}
			first, err := migratedPostgres()
			if err != nil {
				return "", err
			}
			return cluster.Copy(ctx, server, first)
		})
	}
	address := URL(t, d)
	b, err := migratedSQLite()
	if err == nil {
		err = os.WriteFile(strings.TrimPrefix(address, "sqlite:"), b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// migratedSQLite gives the content of a SQLite file that is migrated and empty.
var migratedSQLite = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "kanal-test-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := filepath.Join(dir, "kanal.db")
	if err := migrate("sqlite:" + file); err != nil {
		return nil, err
	}
	return os.ReadFile(file) //nolint:gosec // a file of ours
})

// migratedPostgres gives the address of a database of the private server that is migrated and empty.
var migratedPostgres = sync.OnceValues(func() (string, error) {
	s, err := private()
	if err != nil {
		return "", err
	}
	return createMigrated(context.Background(), s.URL)
})

func createMigrated(ctx context.Context, server string) (string, error) {
	address, err := cluster.Create(ctx, server)
	if err != nil {
		return "", err
	}
	return address, migrate(address)
}

// migrate brings the database at an address up to date and leaves it: SQLite puts all into the one file then.
func migrate(address string) error {
	s, err := store.Open(context.Background(), store.Options{URL: address, Keys: []store.Key{Key}})
	if err != nil {
		return err
	}
	defer s.Close()
	return s.Migrate(context.Background())
}

// OpenURL opens and migrates the database at an address; it is closed when the test ends.
func OpenURL(t testing.TB, address string, clock func() time.Time) *store.Store {
	t.Helper()
	s := open(t, address, clock)
	if err := s.Migrate(context.Background()); err != nil {
		t.Fatal(err)
	}
	return s
}

func open(t testing.TB, address string, clock func() time.Time) *store.Store {
	t.Helper()
	s, err := store.Open(context.Background(), store.Options{URL: address, Keys: []store.Key{Key}, Clock: clock, Log: Log(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// URL gives the address of a new, empty database.
func URL(t testing.TB, d store.Dialect) string {
	t.Helper()
	if d == store.SQLite {
		return "sqlite:" + filepath.Join(t.TempDir(), "kanal.db")
	}
	return newPostgres(t, cluster.Create)
}

// newPostgres makes a database on the server for tests; it is removed when the test ends.
func newPostgres(t testing.TB, create func(ctx context.Context, server string) (string, error)) string {
	t.Helper()
	server := postgres(t)
	// Not the test's context: it has ended when the database is removed.
	address, err := create(context.Background(), server)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cluster.Drop(context.Background(), server, address); err != nil {
			t.Error(err)
		}
	})
	return address
}

// serverVariable names the PostgreSQL server that tests are to use instead of a private one.
const serverVariable = "KANAL_TEST_POSTGRES_URL"

// private is the PostgreSQL of this test binary; it lives as long as the process. Benchmarks measure with the durability
// that a server has by default.
var private = sync.OnceValues(func() (*cluster.Server, error) {
	return cluster.Start(context.Background(), os.Getenv("KANAL_TEST_DURABLE") != "")
})

// postgres gives the address of a PostgreSQL server for tests.
func postgres(t testing.TB) string {
	t.Helper()
	if u := os.Getenv(serverVariable); u != "" {
		return u
	}
	s, err := private()
	if err != nil {
		Require(t, "postgres", "PostgreSQL cannot be started: "+err.Error())
	}
	return s.URL
}

// Files gives an empty store of files in a temporary folder.
func Files(t testing.TB) *blob.Store {
	t.Helper()
	s, err := blob.Open(blob.Config{Folder: filepath.Join(t.TempDir(), "files")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// ExtraMemory gives by how many bytes the memory that is in use rises at most while f runs.
func ExtraMemory(f func()) uint64 {
	used := func() uint64 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapInuse + m.StackInuse
	}
	runtime.GC()
	before, most := used(), uint64(0)
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			most = max(most, used())
			select {
			case <-tick.C:
			case <-stop:
				return
			}
		}
	}()
	f()
	close(stop)
	<-done
	return most - min(before, most)
}

// Log writes a program's log into the test's output.
func Log(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(testWriter{t}, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

type testWriter struct{ t testing.TB }

// Write logs one line; after the test's end it does nothing.
func (w testWriter) Write(b []byte) (int, error) {
	defer func() { _ = recover() }() // a test that has ended panics on Log
	w.t.Log(strings.TrimSpace(string(b)))
	return len(b), nil
}

// Require skips a test that needs something which the machine lacks, or fails it when KANAL_TEST_REQUIRE names it.
func Require(t testing.TB, name, why string) {
	t.Helper()
	for _, r := range strings.Split(os.Getenv("KANAL_TEST_REQUIRE"), ",") {
		if r == name {
			t.Fatalf("%s is required: %s", name, why)
		}
	}
	t.Skip(why)
}

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

// Each runs a test on a fresh, migrated database of each engine, with a clock that the test moves.
func Each(t *testing.T, f func(t *testing.T, s *store.Store, clock *Clock)) {
	t.Helper()
	for _, d := range Dialects {
		t.Run(string(d), func(t *testing.T) {
			clock := NewClock()
			f(t, Open(t, d, clock.Now), clock)
		})
	}
}

// Open gives a fresh, migrated database that is closed when the test ends. A nil clock is the machine's. On SQLite it is
// a copy of one that was migrated before: migrating takes longer than most tests.
func Open(t testing.TB, d store.Dialect, clock func() time.Time) *store.Store {
	t.Helper()
	address := URL(t, d)
	if d == store.SQLite {
		b, err := migrated()
		if err == nil {
			err = os.WriteFile(strings.TrimPrefix(address, "sqlite:"), b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return OpenURL(t, address, clock)
}

// migrated gives the content of a SQLite file that is migrated and empty.
var migrated = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "kanal-test-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := filepath.Join(dir, "kanal.db")
	s, err := store.Open(context.Background(), store.Options{URL: "sqlite:" + file, Keys: []store.Key{Key}})
	if err != nil {
		return nil, err
	}
	err = s.Migrate(context.Background())
	s.Close() // puts all into the one file
	if err != nil {
		return nil, err
	}
	return os.ReadFile(file) //nolint:gosec // a file of ours
})

// OpenURL opens and migrates the database at an address; it is closed when the test ends.
func OpenURL(t testing.TB, address string, clock func() time.Time) *store.Store {
	t.Helper()
	s, err := store.Open(context.Background(), store.Options{URL: address, Keys: []store.Key{Key}, Clock: clock, Log: Log(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	if err := s.Migrate(context.Background()); err != nil {
		t.Fatal(err)
	}
	return s
}

// URL gives the address of a new, empty database.
func URL(t testing.TB, d store.Dialect) string {
	t.Helper()
	if d == store.SQLite {
		return "sqlite:" + filepath.Join(t.TempDir(), "kanal.db")
	}
	base := postgres(t)
	// Not the test's context: it has ended when the database is removed.
	address, err := cluster.Create(context.Background(), base)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cluster.Drop(context.Background(), base, address); err != nil {
			t.Error(err)
		}
	})
	return address
}

// private is the PostgreSQL of this test binary; it lives as long as the process. Benchmarks measure with the durability
// that a server has by default.
var private = sync.OnceValues(func() (*cluster.Server, error) {
	return cluster.Start(context.Background(), os.Getenv("KANAL_TEST_DURABLE") != "")
})

// postgres gives the address of a PostgreSQL server for tests.
func postgres(t testing.TB) string {
	t.Helper()
	if u := os.Getenv("KANAL_TEST_POSTGRES_URL"); u != "" {
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

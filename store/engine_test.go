package store_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kanal/models"
	"kanal/store"
	"kanal/store/storetest"
)

func TestSecondProcessIsRefused(t *testing.T) {
	dir := t.TempDir()
	unlock, err := store.LockDataDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.LockDataDir(dir); !errors.Is(err, store.ErrLocked) {
		t.Errorf("second: %v", err)
	}
	unlock()
	again, err := store.LockDataDir(dir)
	if err != nil {
		t.Fatal("after the first has gone:", err)
	}
	again()
}

func TestNewerDatabaseIsRefusedAndNotTouched(t *testing.T) {
	for table, change := range map[string]string{
		"goose_db_version": "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, %s)",
		"river_migration":  "INSERT INTO river_migration (line, version) VALUES ('main', 9999)",
	} {
		storetest.Each(t, func(t *testing.T, s *store.Store, _ *storetest.Clock) {
			yes := map[store.Dialect]string{store.SQLite: "1", store.Postgres: "true"}[s.Dialect()]
			if strings.Contains(change, "%s") {
				change = fmt.Sprintf(change, yes)
			}
			if err := s.Exec(ctx, strings.NewReplacer("true", yes, "1)", yes+")").Replace(change)); err != nil {
				t.Fatal(err)
			}
			for name, f := range map[string]func() error{"migrate": func() error { return s.Migrate(ctx) }, "check": func() error { return s.CheckMigrated(ctx) }} {
				if err := f(); !errors.Is(err, store.ErrNewerDatabase) {
					t.Errorf("%s with newer %s: %v", name, table, err)
				}
			}
		})
	}
}

func TestKeys(t *testing.T) {
	dir := t.TempDir()
	made, err := store.LoadOrMakeKeys(dir)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, "secret.key"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info.Mode(), err)
	}
	again, err := store.LoadOrMakeKeys(dir)
	if err != nil || again[0] != made[0] {
		t.Error("the key changes from start to start", err)
	}
	for _, bad := range []string{"", "x", base64.StdEncoding.EncodeToString(make([]byte, 31))} {
		if _, err := store.ParseKeys(bad); !errors.Is(err, store.ErrKey) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestSealing(t *testing.T) {
	url := storetest.URL(t, store.SQLite)
	open := func(keys ...store.Key) *store.Store {
		s, err := store.Open(ctx, store.Options{URL: url, Keys: keys})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Close)
		if err := s.Migrate(ctx); err != nil {
			t.Fatal(err)
		}
		return s
	}
	a, b := store.Key{1}, store.Key{2}
	first := open(a)
	sealed := first.Seal("my secret", "accounts/7")
	if strings.Contains(sealed, "secret") || sealed == first.Seal("my secret", "accounts/7") {
		t.Error("sealed:", sealed)
	}
	if got, err := first.Unseal(sealed, "accounts/7"); err != nil || got.Reveal() != "my secret" {
		t.Error(got.Reveal(), err)
	}
	if _, err := first.Unseal(sealed, "accounts/8"); err == nil {
		t.Error("a value that was moved to another row opens")
	}
	if got, err := open(b, a).Unseal(sealed, "accounts/7"); err != nil || got.Reveal() != "my secret" {
		t.Error("after a rotation the old key does not open:", err)
	}
	if _, err := open(b).Unseal(sealed, "accounts/7"); err == nil {
		t.Error("another key opens")
	}
	if err := first.CheckKey(ctx); err != nil {
		t.Fatal(err)
	}
	if err := open(b, a).CheckKey(ctx); err != nil {
		t.Error(err)
	}
	if err := open(store.Key{3}).CheckKey(ctx); !errors.Is(err, store.ErrWrongKey) {
		t.Error("wrong key:", err)
	}
}

func TestSigning(t *testing.T) {
	url := storetest.URL(t, store.SQLite)
	open := func(keys ...store.Key) *store.Store {
		s, err := store.Open(ctx, store.Options{URL: url, Keys: keys})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Close)
		return s
	}
	old, data := open(store.Key{1}), []byte("file 7")
	sum := old.Sign("media", data)
	after := open(store.Key{2}, store.Key{1})
	if !old.Signed("media", data, sum) || !after.Signed("media", data, sum) {
		t.Error("a signature of ours is not known")
	}
	forged := append([]byte{sum[0] ^ 1}, sum[1:]...)
	for what, known := range map[string]bool{
		"another purpose": old.Signed("reset", data, sum), "other data": old.Signed("media", []byte("file 8"), sum), "none": old.Signed("media", data, nil),
		"forged": old.Signed("media", data, forged), "cut": old.Signed("media", data, sum[:16]), "another key": open(store.Key{3}).Signed("media", data, sum),
		"the first key signs": !open(store.Key{2}).Signed("media", data, after.Sign("media", data)),
	} {
		if known {
			t.Error(what)
		}
	}
}

// TestKeyIsChanged goes through the change of a key: the first start with a new first key seals everything with it.
func TestKeyIsChanged(t *testing.T) {
	for _, d := range storetest.Dialects {
		t.Run(string(d), func(t *testing.T) {
			url := storetest.URL(t, d)
			start := func(keys ...store.Key) (*store.Store, error) {
				s, err := store.Open(ctx, store.Options{URL: url, Keys: keys})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(s.Close)
				if err := s.Migrate(ctx); err != nil {
					t.Fatal(err)
				}
				return s, s.CheckKey(ctx)
			}
			token := func(s *store.Store, id models.AccountID) (string, string) {
				a, err := s.Account(ctx, id)
				if err != nil {
					t.Fatal(err)
				}
				plain, err := s.Unseal(a.TokenSealed, id.Row())
				if err != nil {
					return a.TokenSealed, err.Error()
				}
				return a.TokenSealed, plain.Reveal()
			}
			before, after := store.Key{1}, store.Key{2}
			s, err := start(before)
			if err != nil {
				t.Fatal(err)
			}
			id := accountWithToken(t, s, "my secret")
			empty := accountWithToken(t, s, "")
			sealed, _ := token(s, id)
			if s, err = start(before, after); err != nil {
				t.Fatal(err)
			}
			if again, plain := token(s, id); again != sealed || plain != "my secret" {
				t.Error("a key behind the first one changes what is sealed")
			}
			if s, err = start(after, before); err != nil {
				t.Fatal(err)
			}
			if again, plain := token(s, id); again == sealed || plain != "my secret" {
				t.Errorf("with the new key first: %q, sealed anew: %v", plain, again != sealed)
			}
			if s, err = start(after); err != nil {
				t.Fatal("the old key cannot be taken away:", err)
			}
			if _, plain := token(s, id); plain != "my secret" {
				t.Error("the token opens no more:", plain)
			}
			if none, _ := token(s, empty); none != "" {
				t.Error("an account without a token has one now")
			}
			if _, err := start(before); !errors.Is(err, store.ErrWrongKey) {
				t.Error("the old key still fits:", err)
			}
		})
	}
}

func accountWithToken(t *testing.T, s *store.Store, token models.Secret) models.AccountID {
	t.Helper()
	a := models.Account{Name: "with " + token.Reveal(), HookKey: "key" + token.Reveal(), State: models.AccountDraft, Version: 1}
	err := s.InTx(ctx, func(tx *store.Tx) error {
		if err := tx.InsertAccount(ctx, &a); err != nil || token == "" {
			return err
		}
		return tx.SetAccountToken(ctx, a.ID, s.Seal(token, a.ID.Row()), "cret")
	})
	if err != nil {
		t.Fatal(err)
	}
	return a.ID
}

func TestSecretIsNeverPrinted(t *testing.T) {
	s := models.Secret("0123456789abcdef")
	for _, format := range []string{"%v", "%s", "%+v", "%#v", "%q"} {
		if got := fmt.Sprintf(format, struct{ S models.Secret }{s}); strings.Contains(got, "0123") {
			t.Errorf("%s: %s", format, got)
		}
	}
	if b, _ := s.MarshalText(); strings.Contains(string(b), "0123") || s.Last4() != "cdef" || models.Secret("short").Last4() != "" {
		t.Error("marshalled or cut wrongly")
	}
}

func TestNestedTransactionIsAnError(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, _ *storetest.Clock) {
		err := s.InTx(ctx, func(tx *store.Tx) error {
			return tx.WithContext(func(inner store.Ctx) error { return s.InTx(inner, func(*store.Tx) error { return nil }) })
		})
		if err == nil {
			t.Error("it would wait for itself")
		}
	})
}

func TestEventsGoOutAfterCommitAndOnlyThen(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, _ *storetest.Clock) {
		events, stop := listening(t, s)
		defer stop()
		_ = s.InTx(ctx, func(tx *store.Tx) error {
			tx.Publish(models.Event{Name: "lost"})
			return errors.New("no")
		})
		err := s.InTx(ctx, func(tx *store.Tx) error {
			tx.Publish(models.Event{Name: models.EventConversation, Conversation: 7, Queues: []models.QueueID{1}})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if e := hear(t, events); e.Name != models.EventConversation || e.Conversation != 7 || !slices.Equal(e.Queues, []models.QueueID{1}) {
			t.Errorf("%+v", e)
		}
	})
}

// listening subscribes and waits until events of other instances are heard too.
func listening(t *testing.T, s *store.Store) (<-chan []models.Event, func()) {
	t.Helper()
	events, cancel := s.Subscribe()
	ctx, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Add(1)
	go func() { defer wg.Done(); s.Listen(ctx) }()
	if s.Dialect() == store.Postgres {
		if e := hear(t, events); e.Name != models.EventResync {
			t.Fatalf("%+v", e)
		}
	}
	return events, func() { stop(); wg.Wait(); cancel() }
}

func hear(t *testing.T, events <-chan []models.Event) models.Event {
	t.Helper()
	select {
	case list := <-events:
		return list[0]
	case <-time.After(10 * time.Second):
		t.Fatal("no event")
		return models.Event{}
	}
}

func TestTwoInstancesHearEachOther(t *testing.T) {
	url := storetest.URL(t, store.Postgres)
	one, two := storetest.OpenURL(t, url, nil), storetest.OpenURL(t, url, nil)
	events, stop := listening(t, two)
	defer stop()
	publish := func(names ...string) {
		t.Helper()
		err := one.InTx(ctx, func(tx *store.Tx) error {
			for _, n := range names {
				tx.Publish(models.Event{Name: n})
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	publish("hello")
	if e := hear(t, events); e.Name != "hello" {
		t.Errorf("%+v", e)
	}
	publish(strings.Split(strings.Repeat("x,", 1000), ",")...)
	if e := hear(t, events); e.Name != models.EventResync {
		t.Errorf("too much for one notification: %+v", e)
	}
	// The line is cut: whoever listens fetches everything again.
	if err := one.Exec(ctx, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND pid <> pg_backend_pid() AND datname = current_database()"); err != nil {
		t.Fatal(err)
	}
	if e := hear(t, events); e.Name != models.EventResync {
		t.Errorf("after a gap: %+v", e)
	}
}

func TestSchemasAgree(t *testing.T) {
	lite, pg := storetest.Open(t, store.SQLite, nil), storetest.Open(t, store.Postgres, nil)
	a, err := lite.Schema(ctx)
	if err != nil {
		t.Fatal(err)
	}
	b, err := pg.Schema(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if len(a) < 100 {
		t.Fatalf("only %d lines", len(a))
	}
	for _, line := range a {
		if !slices.Contains(b, line) {
			t.Errorf("only SQLite: %s", line)
		}
	}
	for _, line := range b {
		if !slices.Contains(a, line) {
			t.Errorf("only PostgreSQL: %s", line)
		}
	}
}

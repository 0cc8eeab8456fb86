package service_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"

	"kanal/models"
	"kanal/service"
	"kanal/store"
	"kanal/store/storetest"
)

// change begins a transaction of another instance that does one thing and is not committed yet.
func change(t *testing.T, db *sql.DB, stmt string, args ...any) *sql.Tx {
	t.Helper()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tx.Rollback() })
	if _, err := tx.ExecContext(ctx, stmt, args...); err != nil {
		t.Fatal(err)
	}
	return tx
}

// A number whose first conversation begins while its address is changed keeps its address.
func TestAddressChangedWhileAConversationBegins(t *testing.T) {
	for _, d := range storetest.Dialects {
		t.Run(string(d), func(t *testing.T) {
			address := storetest.URL(t, d)
			c := newCenter(t, storetest.OpenURL(t, address, nil), nil)
			c.write(0, "Hei")
			other, err := c.service.AddNumber(ctx, c.agent, c.account.ID, service.NumberDetails{Name: "Other", Address: "+4721000041"})
			c.must(err)
			// The conversation moves to the other number: for that one it is the first.
			db := openRaw(t, d, address)
			begins := change(t, db, "UPDATE conversations SET number_id = $1", int64(other))
			edited := make(chan error, 1)
			go func() {
				edited <- c.service.EditNumber(ctx, c.agent, c.account.ID, service.NumberDetails{ID: other, Name: "Other", Address: "+4721000042"}, service.Edit{Version: 1})
			}()
			if d == store.Postgres {
				c.until("the change waits for the conversation", func() bool { return waits(db) })
			}
			c.must(begins.Commit())
			var problems models.FieldErrors
			if err := <-edited; !errors.As(err, &problems) || problems[0].Key != "number.has_conversations" {
				t.Errorf("the address was changed: %v", err)
			}
			if n, err := c.store.Number(ctx, other); err != nil || n.Address != "+4721000041" {
				t.Errorf("%+v, %v", n, err)
			}
		})
	}
}

// A number that leaves its workstream while late conversations are looked for takes them nowhere.
func TestAdoptsNothingForANumberThatLeaves(t *testing.T) {
	for _, d := range storetest.Dialects {
		t.Run(string(d), func(t *testing.T) {
			address := storetest.URL(t, d)
			c := newCenter(t, storetest.OpenURL(t, address, nil), nil)
			c.write(0, "Hei")
			queue, err := c.store.DefaultQueue(ctx)
			c.must(err)
			w, err := c.service.NewWorkstream(ctx, c.agent, service.WorkstreamDetails{Name: "Norway", Distribution: models.Pick, Queue: queue})
			c.must(err)
			c.must(c.store.InTx(ctx, func(tx *store.Tx) error {
				n, err := tx.Number(ctx, c.number)
				if err != nil {
					return err
				}
				now := tx.Now()
				n.WorkstreamID, n.Language, n.ClaimedAt = &w, "nb", &now
				return tx.SaveNumber(ctx, &n)
			}))
			db := openRaw(t, d, address)
			leaves := change(t, db, "UPDATE numbers SET workstream_id = NULL, claimed_at = NULL")
			kept := make(chan error, 1)
			go func() { kept <- c.service.Housekeeping(ctx) }()
			if d == store.Postgres {
				c.until("housekeeping waits for the number", func() bool { return waits(db) })
			}
			c.must(leaves.Commit())
			c.must(<-kept)
			if row := c.only(); row.WorkstreamID != nil {
				t.Errorf("the conversation went into workstream %d", *row.WorkstreamID)
			}
		})
	}
}

// What is on disk has not failed, though the directory could not be read after it; the directory is read until it can be.
func TestCommittedThoughTheDirectoryIsNotRead(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		other := models.Account{Name: "Other", Channel: models.ChannelWhatsApp, HookKey: "other", State: models.AccountDraft, Version: 1, CreatedAt: c.store.Now(), UpdatedAt: c.store.Now()}
		token := func(sealed string) {
			c.must(c.store.InTx(ctx, func(tx *store.Tx) error { return tx.SetAccountToken(ctx, other.ID, sealed, "abcd") }))
		}
		c.must(c.store.InTx(ctx, func(tx *store.Tx) error { return tx.Insert(ctx, &other) }))
		token("cannot be opened")
		if err := c.service.Reload(ctx); err == nil {
			t.Fatal("the directory can be read")
		}
		name := func() string {
			h, err := c.service.Hook(ctx, "key")
			c.must(err)
			return h.Account.Name
		}
		in := service.ChannelDetails{Name: "Renamed", Channel: models.ChannelWhatsApp}
		c.must(c.service.SaveChannelDetails(ctx, c.agent, c.account.ID, in, service.Edit{Version: 1}))
		if a, err := c.store.Account(ctx, c.account.ID); err != nil || a.Name != "Renamed" || name() != "Test" {
			t.Errorf("on disk %q, known %q: %v", a.Name, name(), err)
		}
		token("")
		follow, stop := context.WithCancel(ctx)
		followed := make(chan struct{})
		go func() { defer close(followed); c.service.Follow(follow) }()
		c.until("the directory is right", func() bool { return name() == "Renamed" })
		// Once more, while somebody follows.
		token("cannot be opened")
		in.Name = "Again"
		c.must(c.service.SaveChannelDetails(ctx, c.agent, c.account.ID, in, service.Edit{Version: 2}))
		token("")
		c.until("the directory is right again", func() bool { return name() == "Again" })
		stop()
		<-followed
	})
}

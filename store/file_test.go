package store_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"kanal/models"
	"kanal/store"
	"kanal/store/storetest"
)

func TestFiles(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		ctx := context.Background()
		w := filled(t, s, 10)
		c, agent, other := w.Conversations[0], models.Viewer{User: w.Agents[0].ID, Role: models.Agent}, models.Viewer{User: 4711, Role: models.Agent}
		message, uploader := models.MessageID(7), agent.User
		now := clock.Now()
		row := func(f models.File) models.File {
			f.AccountID, f.ConversationID, f.CreatedAt = c.AccountID, c.ID, now
			return f
		}
		files := []models.File{
			row(models.File{MessageID: &message, Position: 1, Direction: models.In, State: models.FileStored, Size: 5}),
			row(models.File{MessageID: &message, Direction: models.In, State: models.FilePending, DueAt: &now}),
			row(models.File{UserID: &uploader, Direction: models.Out, State: models.FileStored}),
		}
		if err := s.InTx(ctx, func(tx *store.Tx) error { return tx.InsertFiles(ctx, files) }); err != nil {
			t.Fatal(err)
		}
		stored, pending, loose := files[0], files[1], files[2]
		if stored.ID == 0 || pending.ID == stored.ID || loose.ID == pending.ID {
			t.Fatalf("ids: %d %d %d", stored.ID, pending.ID, loose.ID)
		}
		testVisible(t, s, files, agent, other)
		of, err := s.FilesOfMessages(ctx, c.AccountID, []models.MessageID{message, 8})
		if err != nil || len(of) != 1 || len(of[message]) != 2 || of[message][0].ID != pending.ID {
			t.Errorf("files of messages: %+v, %v", of, err)
		}
		list, err := s.FilesOfConversation(ctx, c, 10)
		if err != nil || len(list) != 1 || list[0].ID != stored.ID {
			t.Errorf("files of the conversation: %+v, %v", list, err)
		}
		late := now.Add(time.Second)
		if fs, err := s.LeftPending(ctx, late, 10); err != nil || len(fs) != 1 || fs[0].ID != pending.ID {
			t.Errorf("pending: %v, %v", fs, err)
		}
		if fs, _ := s.LeftPending(ctx, now, 10); len(fs) != 0 {
			t.Errorf("pending before it is due: %v", fs)
		}
		if fs, err := s.LooseFiles(ctx, late, 10); err != nil || len(fs) != 1 || fs[0].ID != loose.ID {
			t.Errorf("loose: %+v, %v", fs, err)
		}
		testFileWrites(t, s, files)
	})
}

func testVisible(t *testing.T, s *store.Store, files []models.File, agent, other models.Viewer) {
	t.Helper()
	admin := models.Viewer{User: 999, Role: models.Administrator}
	for _, tt := range []struct {
		who    models.Viewer
		file   models.File
		may    bool
		reason string
	}{
		{agent, files[0], true, "an agent of the queue"},
		{other, files[0], false, "an agent of no queue"},
		{admin, files[0], true, "an administrator"},
		{agent, files[2], true, "the uploader"},
		{admin, files[2], false, "nobody but the uploader before it is sent"},
	} {
		_, err := s.FileFor(context.Background(), tt.who, tt.file.ID)
		if tt.may && err != nil || !tt.may && !errors.Is(err, models.ErrNotFound) {
			t.Errorf("%s: %v", tt.reason, err)
		}
	}
}

func testFileWrites(t *testing.T, s *store.Store, files []models.File) {
	t.Helper()
	ctx := context.Background()
	write := func(f func(tx *store.Tx) error) error { return s.InTx(ctx, f) }
	f := files[1]
	f.State, f.Name, f.Size = models.FileFailed, "a.jpg", 3
	if err := write(func(tx *store.Tx) error { return tx.SaveFile(ctx, f, models.FilePending) }); err != nil {
		t.Error(err)
	}
	if err := write(func(tx *store.Tx) error { return tx.SaveFile(ctx, f, models.FilePending) }); !errors.Is(err, store.ErrStale) {
		t.Errorf("saved twice: %v", err)
	}
	if err := write(func(tx *store.Tx) error { return tx.DescribeFile(ctx, f.ID, "A cat") }); err != nil {
		t.Error(err)
	}
	if err := write(func(tx *store.Tx) error { return tx.MarkRemoved(ctx, f.ID) }); err != nil {
		t.Error(err)
	}
	got, err := s.File(ctx, f.ID)
	if err != nil || got.State != models.FileFailed || got.Name != "a.jpg" || got.Description != "A cat" || got.RemovedAt == nil {
		t.Errorf("%+v, %v", got, err)
	}
	if err := write(func(tx *store.Tx) error { return tx.DeleteLooseFile(ctx, f.ID) }); !errors.Is(err, store.ErrStale) {
		t.Errorf("a file of a message was removed as loose: %v", err)
	}
	if err := write(func(tx *store.Tx) error { return tx.DeleteLooseFile(ctx, files[2].ID) }); err != nil {
		t.Error(err)
	}
	if _, err := s.File(ctx, files[2].ID); !errors.Is(err, models.ErrNotFound) {
		t.Errorf("removed: %v", err)
	}
}

// dying is a context that ends after some steps: each time somebody looks whether it goes on.
type dying struct {
	context.Context
	left atomic.Int32
	die  context.CancelFunc
}

func (d *dying) Done() <-chan struct{} {
	if d.left.Add(-1) < 0 {
		d.die()
	}
	return d.Context.Done()
}

// Wherever a reading of files is given up, its error is all that comes of it: rows that were only begun to be read are
// empty.
func TestFilesHalfRead(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		c, now := filled(t, s, 10).Conversations[0], clock.Now()
		message := models.MessageID(7)
		files := make([]models.File, 20)
		for i := range files {
			files[i] = models.File{AccountID: c.AccountID, ConversationID: c.ID, MessageID: &message, Position: i, Direction: models.In, State: models.FileStored, CreatedAt: now}
		}
		if err := s.InTx(t.Context(), func(tx *store.Tx) error { return tx.InsertFiles(t.Context(), files) }); err != nil {
			t.Fatal(err)
		}
		deaths := 0
		for n := int32(0); ; n++ {
			alive, die := context.WithCancel(t.Context())
			life := &dying{Context: alive, die: die}
			life.left.Store(n)
			of, err := s.FilesOfMessages(life, c.AccountID, []models.MessageID{message})
			die()
			if err == nil {
				if len(of[message]) != len(files) {
					t.Errorf("%d files", len(of[message]))
				}
				break
			}
			if deaths++; of != nil {
				t.Fatalf("after %d steps: %d messages with files beside %v", n, len(of), err)
			}
		}
		if deaths == 0 {
			t.Error("it never died")
		}
		t.Log(deaths, "deaths")
	})
}

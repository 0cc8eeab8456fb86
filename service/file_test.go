package service_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"kanal/models"
	"kanal/service"
	"kanal/store"
	"kanal/store/storetest"
	"kanal/twilio"
	"kanal/twilio/simulator"
)

// writeFile lets a customer send a file and gives its message and what is kept of it.
func (c *center) writeFile(kind string) (models.Message, models.File) {
	c.t.Helper()
	codes := c.sim.Receive(c.sid, simulator.Write{Customer: c.customer(0), Number: number, Kind: kind, Body: "Se her"})
	if len(codes) != 1 || codes[0] != http.StatusOK {
		c.t.Fatalf("webhook: %v", codes)
	}
	ms, err := c.store.Messages(ctx, c.only().Conversation, 0)
	if err != nil {
		c.t.Fatal(err)
	}
	for i := len(ms) - 1; i >= 0; i-- {
		if ms[i].Direction == models.In {
			return ms[i], c.fileOf(ms[i])
		}
	}
	c.t.Fatal("no message")
	return models.Message{}, models.File{}
}

func (c *center) fileOf(m models.Message) models.File {
	c.t.Helper()
	of, err := c.store.FilesOfMessages(ctx, m.AccountID, []models.MessageID{m.ID})
	if err != nil || len(of[m.ID]) != 1 {
		c.t.Fatalf("files: %v, %v", of, err)
	}
	return of[m.ID][0]
}

func (c *center) content(f models.File) []byte {
	c.t.Helper()
	r, err := c.service.OpenFile(ctx, f)
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	b, err := io.ReadAll(r)
	if err != nil {
		c.t.Fatal(err)
	}
	return b
}

// TestFilesAreFetched sends each kind of file and waits until it is here.
func TestFilesAreFetched(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		c.startJobs()
		rev := int64(0) // before the message comes
		for kind, want := range map[string]models.File{
			"image":    {ContentType: "image/jpeg", Width: 960, Height: 640, ThumbKey: "yes"},
			"sticker":  {ContentType: "image/webp", Width: 384, Height: 384, ThumbKey: "yes"},
			"audio":    {ContentType: "audio/ogg"},
			"video":    {ContentType: "video/mp4"},
			"document": {ContentType: "application/pdf"},
			"contacts": {ContentType: "text/vcard"},
			// What a page says of itself plays no part: it is no picture.
			"image_wrong": {ContentType: "text/html"},
		} {
			m, _ := c.writeFile(kind)
			c.until(kind+" is here", func() bool { return c.fileOf(m).State == models.FileStored })
			f := c.fileOf(m)
			if f.ContentType != want.ContentType || f.Width != want.Width || f.Height != want.Height || (f.ThumbKey != "") != (want.ThumbKey != "") {
				t.Errorf("%s: %+v", kind, f)
			}
			if n := len(c.content(f)); int64(n) != f.Size || n == 0 || f.StoredAt == nil || f.DueAt != nil {
				t.Errorf("%s: %d bytes, %+v", kind, n, f)
			}
			if now := c.message(m.ID); now.Rev < rev+2 {
				t.Errorf("%s: the message's rev stays %d", kind, now.Rev)
			}
			rev = c.only().Rev
			r, err := c.service.OpenThumb(ctx, f)
			if (err == nil) != (want.ThumbKey != "") {
				t.Errorf("%s: small picture: %v", kind, err)
			}
			if err == nil {
				_ = r.Close()
			}
			if cards := c.message(m.ID).Details.Cards; (kind == "contacts") != (len(cards) == 1 && cards[0].Name == "Ola Nordmann") {
				t.Errorf("%s: cards %+v", kind, cards)
			}
		}
	})
}

// TestLateFile holds that a file which Twilio does not have yet is asked for again, and that it ends when it never comes.
func TestLateFile(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		m, f := c.writeFile("image_late")
		for try := range 3 {
			if f.State != models.FilePending || f.Tries != try+1 {
				t.Fatalf("before try %d: %+v", try, f)
			}
			if err := c.service.FetchFile(ctx, models.FetchFile{File: f.ID, Try: f.Tries}); err != nil {
				t.Fatal(err)
			}
			was := f
			f = c.fileOf(m)
			if try < 2 && f.DueAt.Sub(clock.Now()) != []time.Duration{time.Second, 3 * time.Second}[try] {
				t.Errorf("after try %d it is due at %v", try, f.DueAt)
			}
			if err := c.service.FetchFile(ctx, models.FetchFile{File: was.ID, Try: was.Tries}); err != nil || c.fileOf(m).Tries != f.Tries {
				t.Errorf("an old try did something: %v", err)
			}
			if f.DueAt != nil {
				clock.Advance(f.DueAt.Sub(clock.Now()))
			}
		}
		if f.State != models.FileStored {
			t.Errorf("%+v", f)
		}
		c.endsAs(twilioDown(t, http.StatusNotFound), models.FileGone, models.LateTries)
	})
}

// twilioDown is a Twilio that gives one answer to everything.
func twilioDown(t testing.TB, status int) http.HandlerFunc {
	t.Helper()
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }
}

// endsAs lets a file be fetched from a Twilio of its own until it is given up, and holds why and after how many tries. Then
// it is tried again by hand, with the true one.
func (c *center) endsAs(h http.HandlerFunc, problem string, again int) {
	c.t.Helper()
	m, f := c.writeFile("image")
	other := c.with(h)
	for try := 0; f.State == models.FilePending; try++ {
		if try > again {
			c.t.Fatalf("still %+v", f)
		}
		if err := other.FetchFile(ctx, models.FetchFile{File: f.ID, Try: f.Tries}); err != nil {
			c.t.Fatal(err)
		}
		if f = c.fileOf(m); f.State == models.FilePending && (f.Problem != "") != (try >= models.LateTries-1) {
			c.t.Errorf("after try %d: %q", try, f.Problem)
		}
	}
	if f.State != models.FileFailed || f.Problem != problem || f.Tries != again+1 || f.DueAt != nil {
		c.t.Errorf("want %s after %d: %+v", problem, again, f)
	}
	err := c.service.RetryFile(ctx, c.agent, f.ID)
	if f.MayRetry() != (err == nil) {
		c.t.Errorf("%s: try again: %v", problem, err)
	}
	if err != nil {
		return
	}
	if err := c.service.FetchFile(ctx, models.FetchFile{File: f.ID, Try: 1}); err != nil || c.fileOf(m).State != models.FileStored {
		c.t.Errorf("%s, again: %v, %+v", problem, err, c.fileOf(m))
	}
}

// with gives a service over the same database with a Twilio of its own.
func (c *center) with(h http.HandlerFunc) *service.Service {
	c.t.Helper()
	srv := httptest.NewServer(h)
	c.t.Cleanup(srv.Close)
	base, _ := url.Parse(srv.URL)
	s, err := service.New(ctx, service.Options{
		Store: c.store, Files: storetest.Files(c.t), Twilio: twilio.New(twilio.Options{SimulatorBase: base, IsSimulated: c.sim.Has}),
		PublicURL: base, Log: storetest.Log(c.t), IsSimulated: c.sim.Has,
	})
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(s.Close)
	return s
}

// TestFilesThatCannotBeFetched holds what each refusal of Twilio's means.
func TestFilesThatCannotBeFetched(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		c := newCenter(t, s, clock)
		for _, tt := range []struct {
			h       http.HandlerFunc
			problem string
			again   int
		}{
			{twilioDown(t, http.StatusUnauthorized), models.FileDenied, 0},
			{twilioDown(t, http.StatusBadRequest), models.FileRefused, 0},
			{twilioDown(t, http.StatusServiceUnavailable), models.FileAway, 11},
			{func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "http://169.254.169.254/latest/meta-data/", http.StatusFound)
			}, models.FileForeign, 0},
			{func(w http.ResponseWriter, _ *http.Request) { // says nothing of its size
				w.WriteHeader(http.StatusOK)
				_ = http.NewResponseController(w).Flush()
				_, _ = w.Write(make([]byte, models.MaxImageSize+1))
			}, models.FileTooLarge, 0},
			{func(w http.ResponseWriter, _ *http.Request) { // less than it has said
				w.Header().Set("Content-Length", "1000")
				_, _ = w.Write([]byte("\xff\xd8\xff"))
			}, models.FileAway, 11},
		} {
			c.endsAs(tt.h, tt.problem, tt.again)
		}
	})
}

// TestFilesOff holds that nothing is fetched where files are switched off, and that the customer is told once.
func TestFilesOff(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		err := c.store.InTx(ctx, func(tx *store.Tx) error {
			q, err := tx.DefaultQueue(ctx)
			if err != nil {
				return err
			}
			w := models.Workstream{Name: "Support", Distribution: models.Pick, QueueID: q, Version: 1, CreatedAt: tx.Now(), UpdatedAt: tx.Now()}
			if err := tx.Insert(ctx, &w); err != nil {
				return err
			}
			n, err := tx.Number(ctx, c.number)
			if err != nil {
				return err
			}
			n.WorkstreamID, n.Language, n.Files, n.AgentFiles = &w.ID, "nb", true, true
			return tx.SaveNumber(ctx, &n)
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.service.Reload(ctx); err != nil {
			t.Fatal(err)
		}
		c.startJobs()
		for range 2 {
			if _, f := c.writeFile("image"); f.State != models.FileSkipped || f.Problem != models.FileOff || f.StorageKey != "" {
				t.Errorf("%+v", f)
			}
		}
		c.until("the customer is told", func() bool { return len(c.bodies()) > 0 })
		if got := c.bodies(); len(got) != 1 || got[0] != models.FilesOffText("nb") {
			t.Errorf("the customer reads %q", got)
		}
		if row := c.only(); row.UnansweredAt == nil {
			t.Error("an automated message is no answer")
		}
		c.stopJobs()
		c.fetchAnyway()
	})
}

// fetchAnyway holds who may have a skipped file fetched, and what they read when Twilio does not have it any more.
func (c *center) fetchAnyway() {
	c.t.Helper()
	m, f := c.writeFile("image")
	if err := c.service.RetryFile(ctx, c.agent, f.ID); models.KindOf(err) != models.KindForbidden || c.fileOf(m).State != models.FileSkipped {
		c.t.Errorf("an agent goes past the switch: %v", err)
	}
	boss := models.Viewer{User: c.agent.User, Role: models.Supervisor}
	c.must(c.service.RetryFile(ctx, boss, f.ID))
	if rows, err := c.store.Audits(ctx, 1); err != nil || len(rows) != 1 || rows[0].Action != "file.fetched_anyway" {
		c.t.Errorf("audit: %+v, %v", rows, err)
	}
	c.must(c.service.FetchFile(ctx, models.FetchFile{File: f.ID, Try: 1}))
	if f = c.fileOf(m); f.State != models.FileStored || f.Problem != "" || f.ThumbKey == "" || len(c.content(f)) == 0 {
		c.t.Errorf("fetched anyway: %+v", f)
	}
	m, f = c.writeFile("image")
	c.must(c.service.RetryFile(ctx, boss, f.ID))
	gone := c.with(twilioDown(c.t, http.StatusNotFound))
	for f = c.fileOf(m); f.State == models.FilePending; f = c.fileOf(m) {
		c.must(gone.FetchFile(ctx, models.FetchFile{File: f.ID, Try: f.Tries}))
	}
	if f.State != models.FileFailed || f.Problem != models.FileGone {
		c.t.Errorf("gone at Twilio: %+v", f)
	}
}

// The list says whose contact card came once the card is read, and only while it shows this message.
func TestPreviewOfAContactCard(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		card := func() models.File { _, f := c.writeFile("contacts"); return f }
		read := func(f models.File) { c.must(c.service.FetchFile(ctx, models.FetchFile{File: f.ID, Try: 1})) }
		words := func() string { _, w := models.SplitPreview(c.only().LastPreview); return w }
		first, second := card(), card()
		read(first)
		if got := words(); got != "" {
			t.Errorf("%q is of the one before", got)
		}
		read(second)
		if got := words(); got != "Ola Nordmann" {
			t.Errorf("the list says %q", got)
		}
		third := card()
		c.write(0, "Der")
		read(third)
		if got := c.only().LastPreview; got != "Der" {
			t.Errorf("the list says %q", got)
		}
	})
}

// A file that Twilio does not let go is asked for again for ever, less and less often.
func TestRemovalNeverGivesUp(t *testing.T) {
	for _, d := range storetest.Dialects {
		t.Run(string(d), func(t *testing.T) {
			address := storetest.URL(t, d)
			c := newCenter(t, storetest.OpenURL(t, address, nil), nil)
			m, f := c.writeFile("document")
			c.must(c.service.FetchFile(ctx, models.FetchFile{File: f.ID, Try: 1}))
			c.must(c.store.InTx(ctx, func(tx *store.Tx) error { return tx.Enqueue(ctx, models.RemoveFile{File: f.ID}) }))
			db := openRaw(t, d, address)
			_, err := db.ExecContext(ctx, "UPDATE river_job SET attempt = 24 WHERE kind = 'remove_file'")
			c.must(err)
			mine := c.service
			c.service = c.with(twilioDown(t, http.StatusInternalServerError))
			c.startJobs()
			defer func() { c.stopJobs(); c.service = mine }()
			var state string
			var at time.Time
			c.until("the twenty-fifth try", func() bool {
				var n int
				c.must(db.QueryRowContext(ctx, "SELECT attempt, state, scheduled_at FROM river_job WHERE kind = 'remove_file'").Scan(&n, &state, &at))
				return n == 25 && state != "running"
			})
			if state != "retryable" || time.Until(at) < 23*time.Hour || time.Until(at) > 25*time.Hour {
				t.Errorf("it is %s, at %v", state, at)
			}
			if c.fileOf(m).RemovedAt != nil {
				t.Error("it counts as removed")
			}
		})
	}
}

func TestDescribeFile(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		m, f := c.writeFile("image")
		if err := c.service.DescribeFile(ctx, c.agent, f.ID, "early"); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("before it is known to be a picture: %v", err)
		}
		if err := c.service.FetchFile(ctx, models.FetchFile{File: f.ID, Try: 1}); err != nil {
			t.Fatal(err)
		}
		before := c.message(m.ID).Rev
		if err := c.service.DescribeFile(ctx, c.agent, f.ID, "  A red\n house "); err != nil || c.fileOf(m).Description != "A red house" || c.message(m.ID).Rev == before {
			t.Errorf("%+v, %v", c.fileOf(m), err)
		}
		long := string(bytes.Repeat([]byte("å"), service.MaxDescription+1))
		if err := c.service.DescribeFile(ctx, c.agent, f.ID, long); models.KindOf(err) != models.KindInvalid {
			t.Errorf("too long: %v", err)
		}
		stranger := models.Viewer{User: 4711, Role: models.Agent}
		if err := c.service.DescribeFile(ctx, stranger, f.ID, "x"); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("a stranger: %v", err)
		}
		if _, err := c.store.FileFor(ctx, stranger, f.ID); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("a stranger reads: %v", err)
		}
		if err := c.service.RetryFile(ctx, stranger, f.ID); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("a stranger tries again: %v", err)
		}
		if err := c.service.RetryFile(ctx, c.agent, f.ID); models.KindOf(err) != models.KindConflict {
			t.Errorf("a file that is here is fetched again: %v", err)
		}
	})
}

// TestRemovedAtTwilio holds that a file leaves Twilio once it is safe here, when the account says so, and only then.
func TestRemovedAtTwilio(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		c.startJobs()
		kept, _ := c.writeFile("document")
		c.until("the first is here", func() bool { return c.fileOf(kept).State == models.FileStored })
		admin := models.Viewer{User: c.agent.User, Role: models.Administrator}
		a, err := c.store.Account(ctx, c.account.ID)
		if err != nil {
			t.Fatal(err)
		}
		in := service.ChannelDetails{Name: a.Name, Channel: a.Channel, Typing: true, RemoveFiles: true}
		if err := c.service.SaveChannelDetails(ctx, admin, a.ID, in, service.Edit{Version: a.Version}); err != nil {
			t.Fatal(err)
		}
		if rows, err := c.store.Audits(ctx, 1); err != nil || len(rows) != 1 || !strings.Contains(rows[0].Details, `"remove_files":[false,true]`) {
			t.Errorf("audit: %+v %v", rows, err)
		}
		m, _ := c.writeFile("document")
		c.until("it is removed at Twilio", func() bool { return c.fileOf(m).RemovedAt != nil })
		if c.fileOf(kept).RemovedAt != nil || len(c.content(c.fileOf(m))) == 0 {
			t.Error("the wrong one was removed")
		}
		c.stopJobs()
		m, f := c.writeFile("document")
		if err := c.service.RemoveFile(ctx, models.RemoveFile{File: f.ID}); err != nil || c.fileOf(m).RemovedAt != nil {
			t.Errorf("removed before it was here: %v", err)
		}
		if err := c.service.FetchFile(ctx, models.FetchFile{File: f.ID, Try: 1}); err != nil {
			t.Fatal(err)
		}
		if err := c.with(twilioDown(t, 500)).RemoveFile(ctx, models.RemoveFile{File: f.ID}); err == nil || c.fileOf(m).RemovedAt != nil {
			t.Errorf("Twilio is away, and it counts as removed: %v", err)
		}
	})
}

// TestHousekeepingOfFiles holds that forgotten tries are made and that uploads which were never sent go.
func TestHousekeepingOfFiles(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		m, f := c.writeFile("image")
		row := c.only()
		loose := models.File{
			AccountID: row.AccountID, ConversationID: row.ID, UserID: &c.agent.User, Direction: models.Out, State: models.FileStored,
			CreatedAt: clock.Now(),
		}
		err := c.store.InTx(ctx, func(tx *store.Tx) error {
			rows := []models.File{loose}
			err := tx.InsertFiles(ctx, rows)
			loose = rows[0]
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		clock.Advance(time.Minute)
		if err := c.service.Housekeeping(ctx); err != nil || c.fileOf(m).Tries != f.Tries {
			t.Errorf("too early: %v", err)
		}
		clock.Advance(models.LooseFor)
		if err := c.service.Housekeeping(ctx); err != nil || c.fileOf(m).Tries != f.Tries+1 {
			t.Errorf("forgotten: %v, %+v", err, c.fileOf(m))
		}
		if _, err := c.store.File(ctx, loose.ID); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("a loose file stays: %v", err)
		}
		cancelled, cancel := context.WithCancel(ctx)
		cancel()
		if err := c.service.FetchFile(cancelled, models.FetchFile{File: f.ID, Try: 2}); err == nil {
			t.Error("a job that was cut off counts as done")
		}
	})
}

package web

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"kanal/models"
	"kanal/store"
	"kanal/store/storetest"
)

// Files in numbers: 100 at a time, of 5 MB each.
const (
	manyFiles   = 100
	oneFile     = 5 << 20
	extraMemory = 64 << 20
)

// nothing gives zeros without end.
type nothing struct{}

func (nothing) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// uploadLarge sends one large file as a browser does, without holding it.
func (b *browser) uploadLarge(path string) error {
	r, w := io.Pipe()
	form := multipart.NewWriter(w)
	go func() {
		p, err := form.CreateFormFile(uploadField, "large.pdf")
		if err == nil {
			_, err = io.Copy(p, io.MultiReader(strings.NewReader("%PDF-1.4\n"), io.LimitReader(nothing{}, oneFile-9)))
		}
		if err == nil {
			err = form.Close()
		}
		_ = w.CloseWithError(err)
	}()
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.url+path, r)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", form.FormDataContentType())
	req.Header.Set("HX-Request-Type", "partial")
	res, err := b.client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusCreated {
		return fmt.Errorf("status %d", res.StatusCode)
	}
	return nil
}

// fetchLarge fetches one large file as Twilio does.
func (b *browser) fetchLarge(path string) error {
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, b.url+path, nil)
	if err != nil {
		return err
	}
	res, err := b.client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	n, err := io.Copy(io.Discard, res.Body)
	if err == nil && (res.StatusCode != http.StatusOK || n != oneFile) {
		err = fmt.Errorf("status %d with %d bytes", res.StatusCode, n)
	}
	return err
}

// atOnce runs f for all numbers at the same time.
func atOnce(t *testing.T, f func(i int) error) {
	var all sync.WaitGroup
	for i := range manyFiles {
		all.Go(func() {
			if err := f(i); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

// Files pass through: a hundred large ones at a time take little memory, on their way in and on their way to Twilio.
func TestFilesTakeLittleMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("it writes half a gigabyte")
	}
	d := newTeam(t, store.SQLite)
	ida := d.signedIn(d.ida)
	var ids []models.ConversationID
	for i := range manyFiles / models.MaxFilesPerReply {
		ids = append(ids, d.has(d.ida, d.says(fmt.Sprint("Customer ", i), "Hei")))
	}
	began := time.Now()
	up := storetest.ExtraMemory(func() {
		atOnce(t, func(i int) error { return ida.uploadLarge(thread(ids[i%len(ids)]) + "/files") })
	})
	t.Logf("%d uploads of 5 MB: %.1f MB more, %s", manyFiles, float64(up)/1e6, time.Since(began).Round(time.Millisecond))
	var paths []string
	for _, id := range ids {
		for _, f := range d.uploads(d.ida, id) {
			b := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, uint64(f.ID)), uint64(time.Now().Add(time.Hour).Unix()))
			paths = append(paths, "/media/"+base64.RawURLEncoding.EncodeToString(append(b, d.store.Sign("media", b)...)))
		}
	}
	if len(paths) != manyFiles {
		t.Fatalf("%d files", len(paths))
	}
	began = time.Now()
	down := storetest.ExtraMemory(func() { atOnce(t, func(i int) error { return d.anonymous().fetchLarge(paths[i]) }) })
	t.Logf("%d downloads of 5 MB: %.1f MB more, %s", manyFiles, float64(down)/1e6, time.Since(began).Round(time.Millisecond))
	if up > extraMemory || down > extraMemory {
		t.Errorf("%d and %d bytes more, at most %d", up, down, extraMemory)
	}
}

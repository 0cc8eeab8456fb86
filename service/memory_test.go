package service_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"kanal/models"
	"kanal/store"
	"kanal/store/storetest"
)

const (
	manyFiles   = 100
	largeFile   = 5_000_000
	extraMemory = 64 << 20
)

// largeFiles are a picture, a film and a document of 5 MB.
func largeFiles(t *testing.T) [][]byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, 2000, 1500))
	for y := range 1500 {
		for x := range 2000 {
			m.SetRGBA(x, y, color.RGBA{uint8(x), uint8(y), uint8(x * y), 255})
		}
	}
	var picture bytes.Buffer
	if err := jpeg.Encode(&picture, m, &jpeg.Options{Quality: 90}); err != nil {
		t.Fatal(err)
	}
	var all [][]byte
	for _, begin := range [][]byte{picture.Bytes(), []byte("\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"), []byte("%PDF-1.7\n")} {
		all = append(all, append(begin, make([]byte, largeFile-len(begin))...))
	}
	return all
}

// TestFetchingTakesLittleMemory fetches a hundred files at the same time, a third of them pictures that are made small.
// What it allows counts the stand-in for Twilio too.
func TestFetchingTakesLittleMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("it writes half a gigabyte")
	}
	c := newCenter(t, storetest.Open(t, store.SQLite, nil), nil)
	contents := largeFiles(t)
	s := c.with(func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.URL.Path[strings.LastIndex(r.URL.Path, "ME")+2:])
		w.Header().Set("Content-Length", strconv.Itoa(largeFile))
		_, _ = w.Write(contents[n%len(contents)])
	})
	var files []models.File
	for i := range manyFiles {
		f := form(i, map[string]string{
			"MessageType": []string{"image", "video", "document"}[i%3], "NumMedia": "1",
			"MediaUrl0": fmt.Sprintf("https://api.twilio.com/2010-04-01/Accounts/%s/Messages/MM%d/Media/ME%d", c.sid, i, i),
		})
		c.receive(f)
		files = append(files, c.fileOf(c.last()))
	}
	began := time.Now()
	more := storetest.ExtraMemory(func() {
		var wg sync.WaitGroup
		for _, f := range files {
			wg.Go(func() {
				if err := s.FetchFile(ctx, models.FetchFile{File: f.ID, Try: f.Tries}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	})
	t.Logf("%d files of 5 MB: %.1f MB more, %s", manyFiles, float64(more)/1e6, time.Since(began).Round(time.Millisecond))
	for i, f := range files {
		if f, err := c.store.File(ctx, f.ID); err != nil || f.State != models.FileStored || f.Size != largeFile || (f.ThumbKey != "") != (i%3 == 0) {
			t.Fatalf("%d: %+v, %v", i, f, err)
		}
	}
	if more > extraMemory {
		t.Errorf("%d bytes more, at most %d", more, extraMemory)
	}
}

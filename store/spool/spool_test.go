package spool

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"
)

var received = time.Date(2026, 11, 24, 9, 0, 0, 123456000, time.UTC)

func record(i int) Record {
	return Record{
		Key: "key", Kind: Inbound, Method: "POST", URI: "/hooks/twilio/key/inbound", ContentType: "application/x-www-form-urlencoded",
		Signature: "c2ln", Body: fmt.Appendf(nil, "MessageSid=SM%032d\xff", i), ReceivedAt: received.Add(time.Duration(i) * time.Second), Verified: true,
	}
}

// book is a log that a test reads.
type book struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write keeps a line.
func (b *book) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *book) says(what string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Contains(b.b.String(), what)
}

func open(t *testing.T, o Options) (*Spool, *book) {
	t.Helper()
	log := &book{}
	o.Log = slog.New(slog.NewTextHandler(log, nil))
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s, log
}

func appendAll(t *testing.T, s *Spool, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		if err := s.Append(record(i)); err != nil {
			t.Fatal(err)
		}
	}
}

// want reads all that is left and compares.
func want(t *testing.T, s *Spool, ids ...int) {
	t.Helper()
	got, err := s.Peek(1 << 20)
	if err != nil {
		t.Fatal(err)
	}
	var should []Record
	for _, i := range ids {
		should = append(should, record(i))
	}
	if !reflect.DeepEqual(got, should) {
		t.Errorf("%d records, want %d:\n%v", len(got), len(should), got)
	}
	if s.Records() != len(ids) {
		t.Errorf("it says that it holds %d, not %d", s.Records(), len(ids))
	}
}

func files(t *testing.T, dir, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// What was appended comes back as it was, in order, over several files, also after a restart; what is done does not.
func TestKeepsInOrder(t *testing.T) {
	o := Options{Dir: filepath.Join(t.TempDir(), "spool"), SegmentBytes: 1000}
	s, _ := open(t, o)
	appendAll(t, s, 0, 10)
	if n := len(files(t, o.Dir, "*.spool")); n < 3 {
		t.Fatalf("%d files: the test does not reach what it is about", n)
	}
	want(t, s, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9)
	if one, err := s.Peek(1); err != nil || len(one) != 1 {
		t.Fatal(one, err)
	}
	s.Done(7)
	want(t, s, 7, 8, 9)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s, log := open(t, o)
	if !log.says("not in the database yet") {
		t.Error("the log does not tell that something is left")
	}
	got, err := s.Peek(100)
	if err != nil || len(got) < 3 || !reflect.DeepEqual(got[len(got)-3:], []Record{record(7), record(8), record(9)}) {
		t.Fatalf("after the restart: %v %v", got, err)
	}
	s.Done(len(got))
	appendAll(t, s, 10, 12)
	want(t, s, 10, 11)
	s.Done(2)
	if left := files(t, o.Dir, "*"); len(left) != 0 || s.Bytes() != 0 {
		t.Errorf("an empty spool holds %v, %d bytes", left, s.Bytes())
	}
}

// A process that dies while it writes leaves a record that is not whole: it is cut off and told, and the others stay.
func TestTornTail(t *testing.T) {
	data, err := encode(record(2))
	if err != nil {
		t.Fatal(err)
	}
	for name, tail := range map[string][]byte{
		"half a mark": data[:2], "half a header": data[:7], "a header": data[:headerBytes], "half a record": data[:len(data)/2], "nothing written": make([]byte, 300),
	} {
		t.Run(name, func(t *testing.T) {
			o := Options{Dir: t.TempDir()}
			s, _ := open(t, o)
			appendAll(t, s, 0, 2)
			_ = s.Close()
			file := files(t, o.Dir, "*.spool")[0]
			whole, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, append(whole, tail...), 0o600); err != nil {
				t.Fatal(err)
			}
			s, log := open(t, o)
			want(t, s, 0, 1)
			if !log.says("cut off") {
				t.Error("the log does not tell")
			}
			if now, _ := os.ReadFile(file); !bytes.Equal(now, whole) {
				t.Error("the tail is still there")
			}
			appendAll(t, s, 3, 4)
			want(t, s, 0, 1, 3)
		})
	}
}

// A damaged record, even one whose length is not right any more, takes no other with it; the file is kept.
func TestDamagedRecord(t *testing.T) {
	data, err := encode(record(0))
	if err != nil {
		t.Fatal(err)
	}
	size := len(data)
	for name, at := range map[string]int{"mark": 0, "length": 6, "sum": 9, "text": headerBytes + 20} {
		t.Run(name, func(t *testing.T) {
			o := Options{Dir: t.TempDir()}
			s, _ := open(t, o)
			appendAll(t, s, 0, 3)
			_ = s.Close()
			damage(t, files(t, o.Dir, "*.spool")[0], size+at)
			s, log := open(t, o)
			want(t, s, 0, 2)
			if !log.says("is damaged") {
				t.Error("the log does not tell")
			}
			s.Done(2)
			if kept := files(t, o.Dir, "*.damaged"); len(kept) != 1 || len(files(t, o.Dir, "*.spool")) != 0 {
				t.Errorf("kept: %v", kept)
			}
		})
	}
	t.Run("while it is open", func(t *testing.T) {
		o := Options{Dir: t.TempDir()}
		s, log := open(t, o)
		appendAll(t, s, 0, 3)
		damage(t, files(t, o.Dir, "*.spool")[0], size+headerBytes+20)
		got, err := s.Peek(10)
		if err != nil || len(got) != 1 {
			t.Fatal(got, err)
		}
		s.Done(1)
		want(t, s, 2)
		if !log.says("cannot be read any more") {
			t.Error("the log does not tell")
		}
	})
}

func damage(t *testing.T, file string, at int) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	b[at] ^= 0x55
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// A full spool says so and keeps what it has; what nobody has checked has less room. When there is room it goes on.
func TestBound(t *testing.T) {
	data, err := encode(record(0))
	if err != nil {
		t.Fatal(err)
	}
	size := int64(len(data))
	s, _ := open(t, Options{Dir: t.TempDir(), MaxBytes: 4*size + 10, MaxUnverified: size + 20})
	stranger := record(0)
	stranger.Verified = false
	if err := s.Append(stranger); err != nil {
		t.Fatal(err)
	}
	if err := s.Append(stranger); !errors.Is(err, ErrFull) {
		t.Errorf("a second stranger: %v", err)
	}
	appendAll(t, s, 1, 4)
	if err := s.Append(record(4)); !errors.Is(err, ErrFull) {
		t.Errorf("a fifth: %v", err)
	}
	s.Done(1)
	appendAll(t, s, 4, 5)
	want(t, s, 1, 2, 3, 4)
	s.Done(4)
	if err := s.Append(stranger); err != nil {
		t.Errorf("a stranger when there is room again: %v", err)
	}
}

// Many append at once while one reads: each that was told so is kept, once, in an order that each of them keeps.
func TestAppendsAtOnce(t *testing.T) {
	const writers, each = 16, 40
	o := Options{Dir: t.TempDir(), SegmentBytes: 8000}
	s, _ := open(t, o)
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for i := range each {
				if err := s.Append(record(w*1000 + i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	finished := make(chan struct{})
	go func() { all.Wait(); close(finished) }()
	next := map[int]int{}
	read := func() int {
		got, err := s.Peek(7)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range got {
			n := int(r.ReceivedAt.Sub(received) / time.Second)
			if w, i := n/1000, n%1000; next[w] != i {
				t.Fatalf("writer %d: record %d instead of %d", w, i, next[w])
			}
			next[n/1000]++
		}
		s.Done(len(got))
		return len(got)
	}
	for open := true; open; {
		select {
		case <-s.More():
			for read() > 0 {
			}
		case <-finished:
			open = false
		}
	}
	for read() > 0 {
	}
	for w := range writers {
		if next[w] != each {
			t.Errorf("writer %d: %d records", w, next[w])
		}
	}
}

// Two processes may have one folder: neither reads the other's files, and who comes later takes over what the dead left.
func TestTwoProcesses(t *testing.T) {
	o := Options{Dir: t.TempDir()}
	a, _ := open(t, o)
	appendAll(t, a, 0, 2)
	b, _ := open(t, o)
	want(t, b)
	appendAll(t, b, 2, 3)
	want(t, a, 0, 1)
	want(t, b, 2)
	_ = a.Close()
	c, _ := open(t, o)
	want(t, c, 0, 1)
}

// A disk that refuses is an error for all who wait for it, and the spool goes on when it does not any more.
func TestDiskRefuses(t *testing.T) {
	o := Options{Dir: filepath.Join(t.TempDir(), "spool")}
	s, log := open(t, o)
	away := o.Dir + ".away"
	if err := os.Rename(o.Dir, away); err != nil {
		t.Fatal(err)
	}
	if err := s.Append(record(0)); err == nil || errors.Is(err, ErrFull) {
		t.Errorf("without its folder: %v", err)
	}
	if !log.says("cannot be written") {
		t.Error("the log does not tell")
	}
	if err := os.Rename(away, o.Dir); err != nil {
		t.Fatal(err)
	}
	appendAll(t, s, 1, 2)
	want(t, s, 1)
	_ = s.Close()
	if err := s.Append(record(2)); err == nil {
		t.Error("a closed spool takes a record")
	}
}

// A file that cannot be written any more is left as it is, with what was kept in it; the next record begins another.
func TestFileRefuses(t *testing.T) {
	o := Options{Dir: t.TempDir()}
	s, log := open(t, o)
	appendAll(t, s, 0, 2)
	readable, err := os.Open(s.segments[0].path)
	if err != nil {
		t.Fatal(err)
	}
	_ = s.segments[0].file.Close()
	s.segments[0].file = readable
	if err := s.Append(record(2)); err == nil || !log.says("cannot be written") {
		t.Errorf("what was not written is kept: %v", err)
	}
	appendAll(t, s, 3, 5)
	want(t, s, 0, 1, 3, 4)
	if n := len(files(t, o.Dir, "*.spool")); n != 2 {
		t.Errorf("%d files", n)
	}
}

func BenchmarkAppend(b *testing.B) {
	s, err := Open(Options{Dir: b.TempDir(), MaxBytes: 1 << 40})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	b.SetParallelism(32)
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			if err := s.Append(record(1)); err != nil {
				b.Fatal(err)
			}
		}
	})
}

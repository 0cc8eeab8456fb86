// Package spool keeps webhooks in files while the database is away. What Append has taken is on disk; it stays there, in
// order, until Done says that it is kept elsewhere. Nothing here needs a database.
package spool

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"kanal/models"
)

// Bounds of a spool, unless Options say otherwise.
const (
	// MaxBytes is about a day of one message a second.
	MaxBytes = 256 << 20
	// MaxUnverified bounds what nobody has checked the signature of: anybody can send it.
	MaxUnverified = 4 << 20
	// segmentBytes is from where on a new file is begun. A file is removed when all of it is done.
	segmentBytes = 4 << 20
)

// ErrFull says that the spool holds as much as it may: Twilio has to try again.
var ErrFull = models.E(models.KindUnavailable, "error.unavailable")

// Kind is what Twilio calls about: the last part of the address.
type Kind string

// The kinds of webhooks.
const (
	Inbound  Kind = "inbound"
	Status   Kind = "status"
	Fallback Kind = "fallback"
	Debug    Kind = "debug"
)

// Record is a webhook as it came. Verified says that its signature was checked.
type Record struct {
	Key         string    `json:"key"` // the unguessable part of the address
	Kind        Kind      `json:"kind"`
	Method      string    `json:"method"`
	URI         string    `json:"uri"`
	Origin      string    `json:"origin,omitempty"` // scheme, where it is known, and host at which the call came
	ContentType string    `json:"content_type"`
	Signature   string    `json:"signature"`
	Body        []byte    `json:"body"`
	ReceivedAt  time.Time `json:"received_at"`
	Verified    bool      `json:"verified"`
}

// Options say where the files lie and how much they may hold; 0 is the package's own bound.
type Options struct {
	Dir                     string
	MaxBytes, MaxUnverified int64
	SegmentBytes            int64
	Log                     *slog.Logger
}

// Spool is an open spool. It is safe for concurrent use; one goroutine reads it.
type Spool struct {
	o    Options
	more chan struct{} // hears that something was appended

	waiting sync.Mutex // guards queue
	queue   []*pending

	mu         sync.Mutex // guards what follows, and the files
	segments   []*segment // the oldest first; what is appended goes to the last
	writable   bool       // the last segment may be written to
	number     int64      // of the newest segment
	records    int
	bytes      int64
	unverified int64
	closed     bool
}

// Open opens the spool in a folder, which is made when it is not there, and takes over what earlier processes have left.
// A record that was cut off while it was written is dropped: nobody was told that it was kept. Files of another process
// that still runs are let alone. An error when the folder cannot be used.
func Open(o Options) (*Spool, error) {
	o.MaxBytes, o.MaxUnverified = or(o.MaxBytes, MaxBytes), or(o.MaxUnverified, MaxUnverified)
	o.SegmentBytes = or(o.SegmentBytes, segmentBytes)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, models.Wrap(err, "make the spool's folder")
	}
	if err := syncDir(filepath.Dir(o.Dir)); err != nil {
		return nil, models.Wrap(err, "make the spool's folder")
	}
	s := &Spool{o: o, more: make(chan struct{}, 1)}
	if err := s.adopt(); err != nil {
		return nil, errors.Join(models.Wrap(err, "open the spool"), s.Close())
	}
	if s.records > 0 {
		o.Log.Warn("the spool holds webhooks that are not in the database yet", "records", s.records, "bytes", s.bytes)
		s.wake()
	}
	return s, nil
}

func or(n, standard int64) int64 {
	if n > 0 {
		return n
	}
	return standard
}

// pending is a record that waits to be written. All but data and verified belong to whoever holds Spool.mu.
type pending struct {
	data     []byte
	verified bool
	done     bool
	err      error
}

// Append keeps a record: it is on disk when the result is nil. Records that come at the same time share one write. ErrFull
// when there is no room; any other error is the disk's. Then nothing was kept.
func (s *Spool) Append(r Record) error {
	data, err := encode(r)
	if err != nil {
		return err
	}
	p := &pending{data: data, verified: r.Verified}
	s.waiting.Lock()
	s.queue = append(s.queue, p)
	s.waiting.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.done { // somebody else has written it meanwhile
		return p.err
	}
	s.waiting.Lock()
	batch := s.queue
	s.queue = nil
	s.waiting.Unlock()
	s.write(batch)
	return p.err
}

// write writes records with one sync.
func (s *Spool) write(batch []*pending) {
	var fit []*pending
	var block []byte
	all, unverified := s.bytes, s.unverified
	for _, p := range batch {
		n := int64(len(p.data))
		switch {
		case s.closed:
			p.done, p.err = true, models.Wrap(os.ErrClosed, "write to the spool")
			continue
		case all+n > s.o.MaxBytes || !p.verified && unverified+n > s.o.MaxUnverified:
			p.done, p.err = true, ErrFull
			continue
		}
		all += n
		if !p.verified {
			unverified += n
		}
		fit, block = append(fit, p), append(block, p.data...)
	}
	if len(fit) == 0 {
		return
	}
	seg, err := s.last()
	var at int64
	if err == nil {
		at, err = seg.append(block)
	}
	if err != nil {
		s.writable = false // what stands behind the end of that file is not known
		s.o.Log.Error("the spool cannot be written", "err", err)
		err = models.Wrap(err, "write to the spool")
	}
	for _, p := range fit {
		if p.done, p.err = true, err; err == nil {
			n := int64(len(p.data))
			seg.entries = append(seg.entries, entry{at, n, p.verified})
			s.count(p.verified, n, 1)
			at += n
		}
	}
	s.wake()
}

func (s *Spool) count(verified bool, bytes int64, records int) {
	s.records += records
	s.bytes += bytes
	if !verified {
		s.unverified += bytes
	}
}

// last gives the file to write to.
func (s *Spool) last() (*segment, error) {
	if s.writable && len(s.segments) > 0 {
		if seg := s.segments[len(s.segments)-1]; seg.end < s.o.SegmentBytes {
			return seg, nil
		}
	}
	seg, err := newSegment(s.o.Dir, s.number+1)
	if err != nil {
		return nil, err
	}
	s.number++
	s.segments, s.writable = append(s.segments, seg), true
	return seg, nil
}

func (s *Spool) wake() {
	select {
	case s.more <- struct{}{}:
	default:
	}
}

// More hears when there may be something to read.
func (s *Spool) More() <-chan struct{} { return s.more }

// Peek gives the oldest records that are not done, at most n. What cannot be read any more is told in the log and left
// out. An error means that the disk does not answer.
func (s *Spool) Peek(n int) ([]Record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Record
	for _, seg := range s.segments {
		for i := 0; i < len(seg.entries) && len(out) < n; {
			r, err := seg.read(seg.entries[i])
			switch {
			case err == nil:
				out = append(out, r)
				i++
			case !errors.Is(err, errDamaged):
				return nil, models.Wrap(err, "read the spool")
			case len(out) > 0:
				return out, nil // it is the first of the next look
			default:
				s.o.Log.Error("a webhook in the spool cannot be read any more", "file", seg.damagedName(), "at", seg.entries[i].at)
				seg.damaged = true
				s.drop(seg)
			}
		}
	}
	s.sweep()
	return out, nil
}

// Done says that the oldest n records are kept elsewhere.
func (s *Spool) Done(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for n > 0 && len(s.segments) > 0 {
		seg := s.segments[0]
		for n > 0 && len(seg.entries) > 0 {
			s.drop(seg)
			n--
		}
		if len(seg.entries) > 0 {
			break
		}
		s.sweep()
	}
}

// drop forgets the first record of a file.
func (s *Spool) drop(seg *segment) {
	e := seg.entries[0]
	seg.entries = seg.entries[1:]
	s.count(e.verified, -e.size, -1)
}

// sweep removes the files of which nothing is left to do. One that holds damaged records is kept under another name.
func (s *Spool) sweep() {
	for len(s.segments) > 0 && len(s.segments[0].entries) == 0 {
		seg := s.segments[0]
		if s.segments = s.segments[1:]; len(s.segments) == 0 {
			s.writable = false
		}
		if err := seg.finish(); err != nil {
			s.o.Log.Warn("a file of the spool was not removed; what is in it is read once more at the next start", "err", err)
		}
	}
}

// Records gives how many records are not done.
func (s *Spool) Records() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.records
}

// Bytes gives how much room the records take that are not done.
func (s *Spool) Bytes() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bytes
}

// Close lets the files go; what is not done stays in them. Append fails from then on.
func (s *Spool) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	var errs []error
	for _, seg := range s.segments {
		errs = append(errs, seg.file.Close())
	}
	s.segments = nil
	return errors.Join(errs...)
}

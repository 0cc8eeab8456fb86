package spool

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"kanal/models"
)

// A record stands in a file as a header and its JSON. The header is a mark, the length of the JSON and its checksum. No
// JSON holds the first byte of the mark: behind damage the next record is found by it.
const headerBytes = 12

var (
	mark      = []byte{0xF5, 'K', 'S', 'P'}
	castagnol = crc32.MakeTable(crc32.Castagnoli)
)

// maxRecord bounds the JSON of one record; a webhook's body is 64 KiB at most.
const maxRecord = 256 << 10

var errDamaged = errors.New("the record is damaged")

func encode(r Record) ([]byte, error) {
	text, err := json.Marshal(r)
	if err != nil || len(text) > maxRecord {
		return nil, models.Wrap(errors.Join(err, errDamaged), "encode a webhook of %d bytes", len(r.Body))
	}
	b := append(make([]byte, 0, headerBytes+len(text)), mark...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(text))) //nolint:gosec // bounded
	b = binary.BigEndian.AppendUint32(b, crc32.Checksum(text, castagnol))
	return append(b, text...), nil
}

// decode reads the record at the begin of b and gives how many bytes it takes. errDamaged; cut tells that b ends before
// the record does.
func decode(b []byte) (r Record, size int64, cut bool, err error) {
	if len(b) < headerBytes {
		return r, 0, bytes.HasPrefix(b, mark[:min(len(b), len(mark))]), errDamaged
	}
	n := binary.BigEndian.Uint32(b[4:])
	switch {
	case !bytes.HasPrefix(b, mark), n > maxRecord:
		return r, 0, false, errDamaged
	case len(b)-headerBytes < int(n):
		return r, 0, true, errDamaged
	}
	text := b[headerBytes : headerBytes+int(n)]
	if crc32.Checksum(text, castagnol) != binary.BigEndian.Uint32(b[8:]) || json.Unmarshal(text, &r) != nil {
		return r, 0, false, errDamaged
	}
	return r, headerBytes + int64(n), false, nil
}

// entry is a record that is not done.
type entry struct {
	at, size int64
	verified bool
}

// segment is one file. This process holds a lock on it.
type segment struct {
	file    *os.File
	path    string
	end     int64   // of what is known to be on disk
	entries []entry // in order
	damaged bool
}

const suffix = ".spool"

// newSegment begins a file. It gets its name when it is locked, so that no other process takes it over.
func newSegment(dir string, number int64) (*segment, error) {
	chance := rand.Text()
	hidden := filepath.Join(dir, ".new-"+chance)
	f, err := os.OpenFile(hidden, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600) //nolint:gosec // the administrator's own data dir
	if err != nil {
		return nil, err
	}
	seg := &segment{file: f, path: filepath.Join(dir, fmt.Sprintf("%016d-%s%s", number, chance, suffix))}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if err == nil {
		err = os.Rename(hidden, seg.path)
	}
	if err == nil {
		err = syncDir(dir)
	}
	if err != nil {
		_, _ = os.Remove(hidden), os.Remove(seg.path)
		return nil, errors.Join(err, f.Close())
	}
	return seg, nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir) //nolint:gosec // the administrator's own data dir
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// append writes behind the end and gives where that was.
func (g *segment) append(block []byte) (int64, error) {
	at := g.end
	_, err := g.file.WriteAt(block, at)
	if err == nil {
		err = g.file.Sync()
	}
	if err != nil {
		return 0, errors.Join(err, g.file.Truncate(at))
	}
	g.end += int64(len(block))
	return at, nil
}

func (g *segment) read(e entry) (Record, error) {
	b := make([]byte, e.size)
	if _, err := g.file.ReadAt(b, e.at); err != nil {
		return Record{}, err
	}
	r, _, _, err := decode(b)
	return r, err
}

func (g *segment) damagedName() string { return g.path + ".damaged" }

// finish removes the file; one that is damaged is kept for a person.
func (g *segment) finish() error {
	if g.damaged {
		return errors.Join(os.Rename(g.path, g.damagedName()), g.file.Close())
	}
	return errors.Join(os.Remove(g.path), g.file.Close())
}

// adopt takes over the files of processes that have ended.
func (s *Spool) adopt() error {
	paths, err := filepath.Glob(filepath.Join(s.o.Dir, "*"+suffix))
	if err != nil {
		return err
	}
	slices.Sort(paths)
	for _, path := range paths {
		var number int64
		if _, err := fmt.Sscanf(filepath.Base(path), "%d-", &number); err == nil {
			s.number = max(s.number, number)
		}
		seg, err := s.open(path)
		if err != nil {
			return err
		}
		if seg == nil {
			continue
		}
		s.segments = append(s.segments, seg)
		for _, e := range seg.entries {
			s.count(e.verified, e.size, 1)
		}
	}
	s.sweep()
	return nil
}

// open opens a file that is there, and reads where its records are; nil when another process has it, or had it until now.
func (s *Spool) open(path string) (*segment, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0) //nolint:gosec // the administrator's own data dir
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return nil, f.Close()
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if _, err := os.Stat(path); err != nil { // removed while we waited
		return nil, f.Close()
	}
	content, err := os.ReadFile(path) //nolint:gosec // the administrator's own data dir
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	seg := &segment{file: f, path: path}
	cut := seg.scan(content)
	if cut > 0 {
		s.o.Log.Warn("the end of a file of the spool was cut off: its last webhook was not written whole, and not answered", "file", path, "bytes", cut)
		if err := f.Truncate(seg.end); err != nil {
			return nil, errors.Join(err, f.Close())
		}
	}
	if seg.damaged {
		s.o.Log.Error("a file of the spool is damaged: what can be read is taken in, the file is kept", "file", seg.damagedName())
	}
	return seg, nil
}

// scan finds the records of a file and gives how many bytes at its end are of a record that was not written whole.
func (g *segment) scan(content []byte) (torn int) {
	for at := 0; at < len(content); {
		r, size, cut, err := decode(content[at:])
		if err == nil {
			g.entries = append(g.entries, entry{int64(at), size, r.Verified})
			at += int(size)
			g.end = int64(at)
			continue
		}
		next := nextRecord(content, at+1)
		if next < 0 {
			if cut || allZero(content[at:]) {
				return len(content) - at
			}
			g.damaged = true
			return 0
		}
		g.damaged, at = true, next
	}
	return 0
}

// nextRecord gives where the next readable record begins, -1 when there is none.
func nextRecord(content []byte, from int) int {
	for from < len(content) {
		i := bytes.Index(content[from:], mark)
		if i < 0 {
			return -1
		}
		if _, _, _, err := decode(content[from+i:]); err == nil {
			return from + i
		}
		from += i + 1
	}
	return -1
}

// allZero tells whether a file has grown and nothing was written: what a loss of power leaves.
func allZero(b []byte) bool { return len(bytes.Trim(b, "\x00")) == 0 }

// Package blob keeps the content of files: in a folder, or in a store that speaks Amazon's S3 protocol. It also says by
// content what a file is and makes small pictures of large ones.
package blob

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"time"

	"kanal/models"
)

// ErrTooLarge says that a file is larger than allowed. Nothing of it is kept.
var ErrTooLarge = models.E(models.KindInvalid, "file.too_large")

// ErrURL says that the address of the S3 store cannot be used.
var ErrURL = models.E(models.KindInvalid, "start.files_url")

// ErrS3Keys says that the S3 store's keys are missing.
var ErrS3Keys = models.E(models.KindInvalid, "start.s3_keys")

// Config says where files are kept. Without URL that is Folder; with URL, s3://bucket/prefix?endpoint=…&region=…, files
// only pass through Folder on their way. Transport is nil but for tests.
type Config struct {
	Folder    string
	URL       string
	AccessKey models.Secret
	SecretKey models.Secret
	Transport http.RoundTripper
}

// Store keeps files. It is safe for concurrent use.
type Store struct {
	folder *folder
	bucket *bucket // nil: the folder keeps them
}

// Open makes the folder and reads the address; it asks no other machine. ErrURL and ErrS3Keys for settings that cannot
// work.
func Open(c Config) (*Store, error) {
	s := &Store{}
	var err error
	if c.URL != "" {
		if s.bucket, err = newBucket(c); err != nil {
			return nil, err
		}
	}
	if s.folder, err = newFolder(c.Folder); err != nil {
		return nil, err
	}
	return s, nil
}

// Close lets the folder go.
func (s *Store) Close() error { return s.folder.root.Close() }

// Check asks whether files can be kept: whether the bucket is there and the keys open it.
func (s *Store) Check(ctx context.Context) error {
	if s.bucket == nil {
		return nil
	}
	return s.bucket.check(ctx)
}

// NewKey makes a name under which a file is kept. Names are never made of anything that a person or a sender wrote.
func NewKey() string {
	name := strings.ToLower(rand.Text())
	return name[:2] + "/" + name
}

var keyPattern = regexp.MustCompile(`^[a-z0-9]{2}/[a-z0-9]{20,40}(\.[a-z]{1,10})?$`)

var errKey = errors.New("blob: not a key of ours")

// Put keeps what r gives under a key and says how large it is. A file of the same key is replaced as a whole: a reader
// sees the old or the new one. ErrTooLarge above limit bytes.
func (s *Store) Put(ctx context.Context, key string, r io.Reader, limit int64) (int64, error) {
	if !keyPattern.MatchString(key) {
		return 0, models.Wrap(errKey, "keep file")
	}
	temp, size, err := s.folder.take(r, limit)
	if err != nil {
		return 0, err
	}
	defer temp.drop()
	if s.bucket != nil {
		return size, s.bucket.put(ctx, key, temp.File, size)
	}
	return size, temp.keep(key)
}

// Open gives a file and its size. Reading may begin anywhere. ErrNotFound when there is none.
func (s *Store) Open(ctx context.Context, key string) (io.ReadSeekCloser, int64, error) {
	switch {
	case !keyPattern.MatchString(key):
		return nil, 0, models.ErrNotFound
	case s.bucket != nil:
		return s.bucket.open(ctx, key)
	}
	return s.folder.open(key)
}

// Delete removes a file; one that is not there is no error.
func (s *Store) Delete(ctx context.Context, key string) error {
	switch {
	case !keyPattern.MatchString(key):
		return models.Wrap(errKey, "remove file")
	case s.bucket != nil:
		return s.bucket.remove(ctx, key)
	}
	return s.folder.remove(key)
}

// Sweep removes what was on its way before a time and never arrived: its process died.
func (s *Store) Sweep(before time.Time) error { return s.folder.sweep(before) }

// failed gives nil for nil, ErrNotFound for a file that is not there, and else an internal error.
func failed(err error, doing string) error {
	var known *models.Error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, os.ErrNotExist):
		return models.ErrNotFound
	case errors.As(err, &known):
		return err
	}
	return models.Wrap(err, "%s", doing)
}

// copyAtMost copies r to w, at most limit bytes. ErrTooLarge when there are more.
func copyAtMost(w io.Writer, r io.Reader, limit int64) (int64, error) {
	n, err := io.Copy(w, bufio.NewReader(io.LimitReader(r, limit+1)))
	if err == nil && n > limit {
		err = ErrTooLarge
	}
	return n, err
}

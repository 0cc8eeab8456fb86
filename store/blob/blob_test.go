package blob_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"kanal/models"
	"kanal/store/blob"
	"kanal/store/blob/s3test"
)

// stores opens a store of each sort.
func stores(t *testing.T) map[string]*blob.Store {
	all := map[string]*blob.Store{}
	open := func(name string, c blob.Config) {
		c.Folder = filepath.Join(t.TempDir(), "files")
		s, err := blob.Open(c)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		all[name] = s
	}
	open("folder", blob.Config{})
	for name, tls := range map[string]bool{"s3 over http": false, "s3 over https": true} {
		srv, transport := s3test.New(t, tls)
		open(name, configOf(srv, transport))
		t.Cleanup(func() {
			if refused := srv.Refused(); len(refused) > 0 {
				t.Errorf("%s refused: %v", name, refused)
			}
		})
	}
	return all
}

func configOf(srv *s3test.Server, transport http.RoundTripper) blob.Config {
	return blob.Config{URL: srv.Address(), AccessKey: models.Secret(srv.Access), SecretKey: models.Secret(srv.Secret), Transport: transport}
}

func TestStore(t *testing.T) {
	ctx := context.Background()
	for name, s := range stores(t) {
		t.Run(name, func(t *testing.T) {
			if err := s.Check(ctx); err != nil {
				t.Fatal(err)
			}
			content := bytes.Repeat([]byte("0123456789"), 30_000) // several chunks of a signed stream
			key := blob.NewKey()
			if n, err := s.Put(ctx, key, iotest.OneByteReader(bytes.NewReader(content)), int64(len(content))); err != nil || n != int64(len(content)) {
				t.Fatalf("%d, %v", n, err)
			}
			testReads(t, s, key, content)
			if _, err := s.Put(ctx, key, strings.NewReader("new"), 10); err != nil {
				t.Fatal(err)
			}
			if got := read(t, s, key); got != "new" {
				t.Errorf("replaced: %q", got)
			}
			if _, err := s.Put(ctx, key, strings.NewReader("too much"), 7); !errors.Is(err, blob.ErrTooLarge) {
				t.Errorf("too large: %v", err)
			}
			if got := read(t, s, key); got != "new" {
				t.Errorf("after a file that was too large: %q", got)
			}
			if n, err := s.Put(ctx, blob.NewKey(), strings.NewReader(""), 7); n != 0 || err != nil {
				t.Errorf("empty: %d, %v", n, err)
			}
			for range 2 { // what is gone is gone
				if err := s.Delete(ctx, key); err != nil {
					t.Error(err)
				}
			}
			if _, _, err := s.Open(ctx, key); !errors.Is(err, models.ErrNotFound) {
				t.Errorf("removed: %v", err)
			}
		})
	}
}

func read(t *testing.T, s *blob.Store, key string) string {
	t.Helper()
	r, _, err := s.Open(context.Background(), key)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// testReads reads the file as a browser does, whole and in parts.
func testReads(t *testing.T, s *blob.Store, key string, content []byte) {
	t.Helper()
	for span, want := range map[string][]byte{"": content, "bytes=5-14": content[5:15], "bytes=-3": content[len(content)-3:], "bytes=299990-": content[299990:]} {
		r, size, err := s.Open(context.Background(), key)
		if err != nil || size != int64(len(content)) {
			t.Fatalf("%d, %v", size, err)
		}
		req, res := httptest.NewRequest(http.MethodGet, "/", nil), httptest.NewRecorder()
		if span != "" {
			req.Header.Set("Range", span)
		}
		http.ServeContent(res, req, "a.bin", time.Time{}, r)
		if !bytes.Equal(res.Body.Bytes(), want) {
			t.Errorf("%q: status %d, %d bytes, want %d", span, res.Code, res.Body.Len(), len(want))
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestBrokenSource holds that nothing is kept of a file that did not come whole, and that no temporary file is left.
func TestBrokenSource(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "files")
	s, err := blob.Open(blob.Config{Folder: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	key := blob.NewKey()
	broken := io.MultiReader(strings.NewReader("begin"), iotest.ErrReader(io.ErrUnexpectedEOF))
	if _, err := s.Put(context.Background(), key, broken, 100); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("the cause is kept: %v", err)
	}
	if _, _, err := s.Open(context.Background(), key); !errors.Is(err, models.ErrNotFound) {
		t.Errorf("half a file was kept: %v", err)
	}
	if left, _ := os.ReadDir(filepath.Join(dir, "arriving")); len(left) > 0 {
		t.Errorf("%d temporary files are left", len(left))
	}
}

func TestSweep(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "files")
	s, err := blob.Open(blob.Config{Folder: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	old := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	for name, at := range map[string]time.Time{"old": old, "new": old.Add(2 * time.Hour)} {
		path := filepath.Join(dir, "arriving", name)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Sweep(old.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	left, _ := os.ReadDir(filepath.Join(dir, "arriving"))
	if len(left) != 1 || left[0].Name() != "new" {
		t.Errorf("left: %v", left)
	}
}

// TestForeignKeys holds that no key reaches a file that is not one of ours.
func TestForeignKeys(t *testing.T) {
	for name, s := range stores(t) {
		for _, key := range []string{"", "..", "../kanal.db", "/etc/passwd", "aa/../../x", "arriving/x", "aa/" + strings.Repeat("x", 26) + "/y", "AA/" + strings.Repeat("x", 26)} {
			if _, _, err := s.Open(context.Background(), key); !errors.Is(err, models.ErrNotFound) {
				t.Errorf("%s: open %q: %v", name, key, err)
			}
			if _, err := s.Put(context.Background(), key, strings.NewReader("x"), 1); err == nil {
				t.Errorf("%s: %q was written", name, key)
			}
			if err := s.Delete(context.Background(), key); err == nil {
				t.Errorf("%s: %q was removed", name, key)
			}
		}
	}
}

func TestKeysDiffer(t *testing.T) {
	keys := map[string]bool{}
	for range 1000 {
		keys[blob.NewKey()] = true
	}
	if len(keys) != 1000 {
		t.Errorf("%d different keys of 1000", len(keys))
	}
}

func TestFolderIsPrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "files")
	s, err := blob.Open(blob.Config{Folder: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	key := blob.NewKey()
	if _, err := s.Put(context.Background(), key, strings.NewReader("x"), 1); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]os.FileMode{"": 0o700, key: 0o600, key[:2]: 0o700} {
		info, err := os.Stat(filepath.Join(dir, path))
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%q: %v, %v", path, info.Mode(), err)
		}
	}
}

// TestBucketTroubles holds that a store which is busy is asked again, and that one which refuses says so.
func TestBucketTroubles(t *testing.T) {
	ctx := context.Background()
	srv, transport := s3test.New(t, false)
	c := configOf(srv, transport)
	c.Folder = t.TempDir()
	good, err := blob.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	key := blob.NewKey()
	srv.Fail(1)
	if _, err := good.Put(ctx, key, strings.NewReader("x"), 1); err != nil {
		t.Errorf("a busy store: %v", err)
	}
	if names := srv.Objects(); !slices.Equal(names, []string{"center/" + key}) {
		t.Errorf("kept: %v", names)
	}
	c.SecretKey = "guessed"
	wrong, err := blob.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := wrong.Check(ctx); err == nil {
		t.Error("a wrong key passes the check")
	}
	if _, err := wrong.Put(ctx, key, strings.NewReader("y"), 1); models.KindOf(err) != models.KindInternal {
		t.Errorf("a wrong key writes: %v", err)
	}
	if _, _, err := wrong.Open(ctx, key); err == nil || errors.Is(err, models.ErrNotFound) {
		t.Errorf("a wrong key reads: %v", err)
	}
	c = configOf(srv, transport)
	c.URL, c.Folder = strings.Replace(c.URL, "s3://files", "s3://other", 1), t.TempDir()
	other, err := blob.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Check(ctx); err == nil {
		t.Error("a bucket that is not there passes the check")
	}
}

func TestAddresses(t *testing.T) {
	const good = "s3://bucket?endpoint=https://s3.example.com&region=eu-north-1"
	for address, want := range map[string]error{
		good: nil, "s3://bucket?endpoint=http://127.0.0.1:9000": nil, "s3://bucket/deep/inside?endpoint=https://s3.example.com/": nil,
		"s3://bucket": blob.ErrURL, "https://bucket": blob.ErrURL, "s3://?endpoint=https://x": blob.ErrURL, "s3://b?endpoint=ftp://x": blob.ErrURL,
		"s3://b?endpoint=https://x/path": blob.ErrURL, "s3://key:secret@b?endpoint=https://x": blob.ErrURL, "s3://%zz": blob.ErrURL, "s3://b?endpoint=https://x y": blob.ErrURL,
	} {
		s, err := blob.Open(blob.Config{Folder: t.TempDir(), URL: address, AccessKey: "a", SecretKey: "s"})
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", address, err, want)
		}
		if s != nil {
			_ = s.Close()
		}
	}
	if _, err := blob.Open(blob.Config{Folder: t.TempDir(), URL: good, AccessKey: "a"}); !errors.Is(err, blob.ErrS3Keys) {
		t.Errorf("without a key: %v", err)
	}
}

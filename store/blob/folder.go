package blob

import (
	"crypto/rand"
	"errors"
	"io"
	"os"
	"path"
	"time"

	"kanal/models"
)

// arriving is the folder of files that are on their way.
const arriving = "arriving"

// folder keeps files in a folder of the file system; nothing outside it is ever touched, whatever a key says.
type folder struct{ root *os.Root }

func newFolder(name string) (*folder, error) {
	if err := os.MkdirAll(name, 0o700); err != nil {
		return nil, failed(err, "make the folder of files")
	}
	root, err := os.OpenRoot(name)
	if err != nil {
		return nil, failed(err, "open the folder of files")
	}
	if err := root.MkdirAll(arriving, 0o700); err != nil {
		return nil, failed(err, "make the folder of files")
	}
	return &folder{root}, nil
}

// temporary is a file that is on its way.
type temporary struct {
	*os.File
	folder *folder
	name   string
}

// take writes what r gives into a temporary file and goes back to its begin.
func (f *folder) take(r io.Reader, limit int64) (*temporary, int64, error) {
	name := path.Join(arriving, rand.Text())
	file, err := f.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return nil, 0, models.Wrap(err, "make file")
	}
	t := &temporary{file, f, name}
	size, err := copyAtMost(file, r, limit)
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		t.drop()
		return nil, 0, failed(err, "write file")
	}
	return t, size, nil
}

// drop closes and removes the temporary file; one that was kept has its new name already.
func (t *temporary) drop() {
	_ = t.Close()
	_ = t.folder.root.Remove(t.name)
}

// keep gives the file its place. It is on disk, and so is its name, when keep gives nil.
func (t *temporary) keep(key string) error {
	if err := t.Sync(); err != nil {
		return models.Wrap(err, "write file")
	}
	dir := path.Dir(key)
	if err := t.folder.root.MkdirAll(dir, 0o700); err != nil {
		return models.Wrap(err, "make folder")
	}
	if err := t.folder.root.Rename(t.name, key); err != nil {
		return models.Wrap(err, "keep file")
	}
	return errors.Join(t.folder.syncDir(dir), t.folder.syncDir("."))
}

func (f *folder) syncDir(name string) error {
	dir, err := f.root.Open(name)
	if err != nil {
		return models.Wrap(err, "open folder")
	}
	defer func() { _ = dir.Close() }()
	if err := dir.Sync(); err != nil {
		return models.Wrap(err, "write folder")
	}
	return nil
}

func (f *folder) open(key string) (io.ReadSeekCloser, int64, error) {
	file, err := f.root.Open(key)
	if err != nil {
		return nil, 0, failed(err, "open file")
	}
	info, err := file.Stat()
	if err != nil {
		_ = file.Close()
		return nil, 0, failed(err, "open file")
	}
	return file, info.Size(), nil
}

func (f *folder) remove(key string) error {
	err := f.root.Remove(key)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return failed(err, "remove file")
}

func (f *folder) sweep(before time.Time) error {
	dir, err := f.root.Open(arriving)
	if err != nil {
		return failed(err, "read folder")
	}
	defer func() { _ = dir.Close() }()
	entries, err := dir.ReadDir(-1)
	if err != nil {
		return failed(err, "read folder")
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.ModTime().Before(before) {
			_ = f.root.Remove(path.Join(arriving, e.Name()))
		}
	}
	return nil
}

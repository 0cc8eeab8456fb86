package store

import (
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"kanal/models"
)

// ErrLocked says that another process serves from the same data dir.
var ErrLocked = models.E(models.KindConflict, "start.locked")

// LockDataDir takes the data dir for this process until unlock is called or the process ends. ErrLocked when another
// process has it.
func LockDataDir(dir string) (unlock func(), err error) {
	f, err := os.OpenFile(filepath.Join(dir, "kanal.lock"), os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // the administrator's own data dir
	if err != nil {
		return nil, failed(err, "lock data dir")
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, ErrLocked
		}
		return nil, failed(err, "lock data dir")
	}
	return func() { _ = f.Close() }, nil
}

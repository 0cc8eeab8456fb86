package blob

import (
	"fmt"
	"syscall"
)

// Space gives the bytes that are free and that there are where files are kept. An S3 store does not tell: known is false.
func (s *Store) Space() (free, total int64, known bool, err error) {
	if s.bucket != nil {
		return 0, 0, false, nil
	}
	var st syscall.Statfs_t
	if err := syscall.Statfs(s.folder.root.Name(), &st); err != nil {
		return 0, 0, false, failed(fmt.Errorf("statfs: %w", err), "read the space of the disk")
	}
	size := int64(st.Bsize)                                            //nolint:unconvert // other systems have another type
	return int64(st.Bavail) * size, int64(st.Blocks) * size, true, nil //nolint:gosec // no disk is that large
}

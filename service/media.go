package service

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"strings"
	"time"

	"kanal/models"
	"kanal/store"
)

// mediaTime is how long Twilio can fetch a file after an attempt to send it began.
const mediaTime = 30 * time.Minute

// Errors of the address of a file.
var (
	ErrMediaForged  = models.E(models.KindForbidden, "error.forbidden")
	ErrMediaExpired = models.E(models.KindNotFound, "file.expired")
)

const (
	mediaPurpose = "media"
	mediaClaim   = 16 // bytes: the file's id and when the address ends, in seconds
	mediaSum     = 32
)

// fileOf gives the file of a message of ours; nil when there is none.
func fileOf(ctx context.Context, tx *store.Tx, m models.Message) (*models.File, error) {
	if !m.Kind.HasFile() {
		return nil, nil
	}
	of, err := tx.FilesOfMessages(ctx, m.AccountID, []models.MessageID{m.ID})
	if err != nil || len(of[m.ID]) == 0 || of[m.ID][0].State != models.FileStored {
		return nil, err
	}
	return &of[m.ID][0], nil
}

// mediaURL is where Twilio fetches a file: an address for a short time that nobody can make up.
func (s *Service) mediaURL(f models.File) string {
	b, _ := binary.Append(nil, binary.BigEndian, []int64{int64(f.ID), s.store.Now().Add(mediaTime).Unix()}) // fixed sizes
	b = append(b, s.store.Sign(mediaPurpose, b)...)
	return strings.TrimSuffix(s.publicURL.String(), "/") + "/media/" + base64.RawURLEncoding.EncodeToString(b)
}

// Media opens the file of such an address; the caller closes it. ErrNotFound for what is none and for a file that is
// gone, ErrMediaForged, ErrMediaExpired.
func (s *Service) Media(ctx context.Context, token string) (FileContent, error) {
	id, err := s.openToken(token)
	if err != nil {
		return FileContent{}, err
	}
	f, err := s.store.File(ctx, id)
	if err == nil && f.Direction != models.Out {
		err = models.ErrNotFound
	}
	if err != nil {
		return FileContent{}, err
	}
	return s.open(ctx, f, f.StorageKey, f.ContentType)
}

func (s *Service) openToken(token string) (models.FileID, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(b) != mediaClaim+mediaSum {
		return 0, models.ErrNotFound
	}
	claim, sum := b[:mediaClaim], b[mediaClaim:]
	if !s.store.Signed(mediaPurpose, claim, sum) {
		return 0, ErrMediaForged
	}
	var said [2]int64
	if _, err := binary.Decode(claim, binary.BigEndian, &said); err != nil {
		return 0, models.ErrNotFound
	}
	if s.store.Now().Unix() >= said[1] {
		return 0, ErrMediaExpired
	}
	return models.FileID(said[0]), nil
}

package service

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"kanal/models"
	"kanal/store"
	"kanal/store/blob"
)

// Errors of files to customers.
var (
	// ErrFilesOff: agents may not send files from the number.
	ErrFilesOff = models.E(models.KindForbidden, "file.off")
	// ErrFilesUnreachable: Twilio could not fetch a file from here.
	ErrFilesUnreachable = models.E(models.KindInvalid, "file.unreachable")
	// ErrManyFiles: one reply cannot carry more.
	ErrManyFiles = models.E(models.KindInvalid, "file.many", "max", models.MaxFilesPerReply)
	// ErrFileSent: the upload belongs to a message already.
	ErrFileSent = models.E(models.KindConflict, "file.sent")
	// ErrFileHeld: a scheduled message holds the upload.
	ErrFileHeld = models.E(models.KindConflict, "file.held")
)

// Upload is a file that an agent wants to send in a conversation.
type Upload struct {
	Conversation models.ConversationID
	Name         string // as the browser said
	Content      io.Reader
}

// MayAttach tells whether files can be sent in a conversation. ErrFilesOff, ErrFilesUnreachable.
func (s *Service) MayAttach(c models.Conversation) error {
	n, err := s.directory.numberByID(c.NumberID)
	if err != nil {
		return err
	}
	a, err := s.directory.account(c.AccountID)
	switch {
	case err != nil:
		return err
	case !n.Files || !n.AgentFiles:
		return ErrFilesOff
	case !s.twilio.StandsIn(a.SID) && !isPublic(s.publicURL):
		return ErrFilesUnreachable
	}
	return nil
}

// isPublic tells whether the real Twilio could ask for an address, as far as the address itself says.
func isPublic(u *url.URL) bool {
	host := strings.ToLower(u.Hostname())
	if u.Scheme != "https" || host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return err != nil || ip.IsGlobalUnicast() && !ip.Unmap().IsPrivate()
}

// Upload keeps a file for a reply of the viewer's; what it is is seen by its content. It belongs to no message until it
// is sent. ErrNotFound for a conversation that the viewer may not see, ErrFilesOff, ErrFilesUnreachable, ErrManyFiles,
// models.ErrFileEmpty, models.ErrFileType, KindInvalid with the limit for a file that is too large.
func (s *Service) Upload(ctx context.Context, v models.Viewer, u Upload) (models.File, error) {
	c, err := s.store.Conversation(ctx, v, u.Conversation)
	if err != nil {
		return models.File{}, err
	}
	if err := s.MayAttach(c.Conversation); err != nil {
		return models.File{}, err
	}
	if err := roomForUpload(ctx, s.store.Reader, c.Conversation, v.User); err != nil {
		return models.File{}, err
	}
	f, err := s.takeIn(ctx, u)
	if err != nil {
		return f, err
	}
	now := s.store.Now()
	f.AccountID, f.ConversationID, f.UserID, f.CreatedAt, f.StoredAt = c.AccountID, c.ID, &v.User, now, &now
	fs := []models.File{f}
	err = s.store.InTx(ctx, func(tx *store.Tx) error {
		c, err := tx.LockVisibleConversation(ctx, v, u.Conversation)
		if err != nil {
			return err
		}
		if err := roomForUpload(ctx, tx.Reader, c, v.User); err != nil {
			return err
		}
		return tx.InsertFiles(ctx, fs)
	})
	if err != nil {
		s.discard(ctx, f)
		return models.File{}, err
	}
	return fs[0], nil
}

func roomForUpload(ctx context.Context, r store.Reader, c models.Conversation, user models.UserID) error {
	fs, err := r.Uploads(ctx, c, user)
	if err == nil && len(fs) >= models.MaxFilesPerReply {
		return ErrManyFiles
	}
	return err
}

// takeIn keeps the content of an upload, with a small picture of a picture.
func (s *Service) takeIn(ctx context.Context, u Upload) (models.File, error) {
	head := make([]byte, blob.HeadSize)
	n, err := io.ReadFull(u.Content, head)
	head = head[:n]
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return models.File{}, models.Wrap(err, "read upload")
	}
	if n == 0 {
		return models.File{}, models.ErrFileEmpty
	}
	t, err := uploadType(head, u.Name)
	if err != nil {
		return models.File{}, err
	}
	f := models.File{
		Direction: models.Out, State: models.FileStored, Name: t.CleanFileName(u.Name), ContentType: t.ContentType, StorageKey: blob.NewKey(),
	}
	f.Size, err = s.files.Put(ctx, f.StorageKey, io.MultiReader(bytes.NewReader(head), u.Content), t.Max)
	if errors.Is(err, blob.ErrTooLarge) {
		return f, t.ErrFileSize()
	}
	if err == nil && t.Kind == models.KindImage {
		f, err = s.makeThumb(ctx, f)
	}
	if err != nil {
		s.discard(ctx, f)
	}
	return f, err
}

// uploadType says what a file is by how it begins. What an archive or an old office file is the name alone says.
func uploadType(head []byte, name string) (models.FileType, error) {
	kind, ext := blob.Sniff(head), strings.ToLower(filepath.Ext(name))
	switch {
	case kind == "audio/ogg" && !bytes.Contains(head, []byte("OpusHead")):
		return models.FileType{}, models.ErrFileType
	case kind == "application/x-ole-storage" && ext == ".doc", kind == "application/zip" && officeFile(head):
		for _, t := range models.FileTypes() {
			if slices.Contains(t.Extensions, ext) && t.Kind == models.KindDocument {
				return t, nil
			}
		}
	}
	return models.FileTypeOf(kind)
}

// officeFile tells whether an archive begins like a file of an office program.
func officeFile(head []byte) bool { return bytes.Contains(head, []byte("[Content_Types].xml")) }

// discard removes the content of a file that nothing refers to.
func (s *Service) discard(ctx context.Context, f models.File) {
	ctx = context.WithoutCancel(ctx)
	for _, key := range []string{f.StorageKey, f.ThumbKey} {
		if key == "" {
			continue
		}
		if err := s.files.Delete(ctx, key); err != nil {
			s.log.Warn("a file was left behind", "key", key, "err", err)
		}
	}
}

// RemoveUpload takes an upload of the viewer's back. ErrNotFound when there is none in the conversation, ErrFileSent,
// ErrFileHeld.
func (s *Service) RemoveUpload(ctx context.Context, v models.Viewer, in models.ConversationID, id models.FileID) error {
	f, err := s.store.FileFor(ctx, v, id)
	if err != nil {
		return err
	}
	switch {
	case f.ConversationID != in || f.UserID == nil || *f.UserID != v.User || f.Direction != models.Out:
		return models.ErrNotFound
	case f.MessageID != nil:
		return ErrFileSent
	case f.ScheduledID != nil:
		return ErrFileHeld
	}
	err = s.store.InTx(ctx, func(tx *store.Tx) error { return tx.DeleteLooseFile(ctx, id) })
	if errors.Is(err, store.ErrStale) {
		return ErrFileSent
	}
	if err == nil {
		s.discard(ctx, f)
	}
	return err
}

package service

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"kanal/models"
	"kanal/store"
	"kanal/twilio"
)

// part is one message of a reply: WhatsApp takes one file in each.
type part struct {
	message models.Message // its kind and content
	file    models.FileID  // 0 for none
}

// keyPart stands between the key of a reply and the number of its message; no key of a browser's holds it.
const keyPart = "."

// partKey gives the client key of a reply's message: the first has the reply's own.
func partKey(key string, i int) string {
	if i == 0 {
		return key
	}
	return fmt.Sprintf("%s%s%d", key, keyPart, i+1)
}

// ReplyKeys lists the keys that the messages of a reply may have.
func ReplyKeys(key string) []string {
	keys := make([]string, models.MaxFilesPerReply+1)
	for i := range keys {
		keys[i] = partKey(key, i)
	}
	return keys
}

// partsOf makes the messages of a reply. The errors are those of template and of uploadsOf.
func (s *Service) partsOf(ctx context.Context, tx *store.Tx, v models.Viewer, at standing, r Reply) ([]part, error) {
	c := at.conversation
	if r.Template != nil {
		m, err := at.template(ctx, tx, *r.Template)
		return []part{{message: m}}, err
	}
	if len(r.Files) == 0 {
		return split(r.Body, nil)
	}
	files, err := s.uploadsOf(ctx, tx, v, c, r)
	if err != nil {
		return nil, err
	}
	return split(r.Body, files)
}

// uploadsOf gives the files of a reply, in its order. ErrFilesOff, ErrFilesUnreachable, ErrFileSent, ErrFileHeld,
// FieldErrors for a file that is not the agent's own upload in this conversation.
func (s *Service) uploadsOf(ctx context.Context, tx *store.Tx, v models.Viewer, c models.Conversation, r Reply) ([]models.File, error) {
	if len(r.Files) == 0 {
		return nil, nil
	}
	if err := s.MayAttach(c); err != nil {
		return nil, err
	}
	fs, err := tx.UploadsNamed(ctx, c, v.User, r.Files)
	if err != nil {
		return nil, err
	}
	files := make([]models.File, 0, len(r.Files))
	for _, id := range r.Files {
		i := slices.IndexFunc(fs, func(f models.File) bool { return f.ID == id })
		switch {
		case i < 0 || slices.ContainsFunc(files, func(f models.File) bool { return f.ID == id }):
			return nil, models.FieldErrors{{Field: "file", Key: "file.unknown"}}
		case fs[i].MessageID != nil:
			return nil, ErrFileSent
		case fs[i].ScheduledID != nil && *fs[i].ScheduledID != r.later:
			return nil, ErrFileHeld
		}
		files = append(files, fs[i])
	}
	return files, nil
}

// split gives each file a message. The text goes with the first one when WhatsApp shows it there, and before them all as
// a message of its own when not.
func split(body string, files []models.File) ([]part, error) {
	var parts []part
	caption := body
	if len(files) == 0 || strings.TrimSpace(body) != "" && !takesCaption(files[0], body) {
		parts, caption = append(parts, part{message: models.Message{Kind: models.KindText, Body: body}}), ""
	}
	for _, f := range files {
		t, err := models.FileTypeOf(f.ContentType)
		if err != nil {
			return nil, err
		}
		parts, caption = append(parts, part{message: models.Message{Kind: t.Kind, Body: strings.TrimSpace(caption)}, file: f.ID}), ""
	}
	return parts, nil
}

func takesCaption(f models.File, body string) bool {
	t, err := models.FileTypeOf(f.ContentType)
	return err == nil && t.Caption() && twilio.TextLength(body) <= models.MaxCaption
}

func attach(ctx context.Context, tx *store.Tx, parts []part, ms []models.Message) error {
	for i, p := range parts {
		if p.file == 0 {
			continue
		}
		if err := tx.AttachFile(ctx, p.file, ms[i].ID); errors.Is(err, store.ErrStale) {
			return ErrFileSent
		} else if err != nil {
			return err
		}
	}
	return nil
}

// repeated gives the messages of a reply that came before, nil for none. ErrKeyReused when it held something else.
func repeated(ctx context.Context, tx *store.Tx, v models.Viewer, c models.Conversation, r Reply) ([]models.Message, error) {
	ms, err := tx.MessagesByKeys(ctx, c, v.User, ReplyKeys(r.Key))
	if err != nil || len(ms) == 0 {
		return nil, err
	}
	if r.Template != nil || ms[0].Kind == models.KindTemplate {
		return ms, sameTemplate(ms, r.Template)
	}
	ids := make([]models.MessageID, len(ms))
	body := ""
	for i, m := range ms {
		ids[i] = m.ID
		body += m.Body // of all of them only one has a text
	}
	of, err := tx.FilesOfMessages(ctx, c.AccountID, ids)
	if err != nil {
		return nil, err
	}
	var there []models.File
	for _, id := range ids {
		there = append(there, of[id]...)
	}
	again, err := tx.UploadsNamed(ctx, c, v.User, r.Files)
	if err != nil {
		return nil, err
	}
	if body != r.Body && (len(there) == 0 || body != strings.TrimSpace(r.Body)) || !sameFiles(there, again, r.Files) {
		return nil, ErrKeyReused
	}
	return ms, nil
}

// sameFiles tells whether a reply names the files that were sent with its key. Without script a second post uploads them
// again: then they have the same names, types and sizes.
func sameFiles(sent, named []models.File, ids []models.FileID) bool {
	if len(sent) != len(ids) {
		return false
	}
	for i, f := range sent {
		at := slices.IndexFunc(named, func(x models.File) bool { return x.ID == ids[i] })
		if at < 0 || named[at].ID != f.ID && (named[at].Name != f.Name || named[at].Size != f.Size || named[at].ContentType != f.ContentType) {
			return false
		}
	}
	return true
}

func first(ms []models.Message) models.Message {
	if len(ms) == 0 {
		return models.Message{}
	}
	return ms[0]
}

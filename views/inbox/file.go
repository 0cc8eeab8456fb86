package inbox

import (
	"context"
	"mime"
	"path/filepath"
	"strconv"
	"strings"

	"kanal/models"
	"kanal/views/i18n"
)

// fileEndings are the usual endings of what customers send; the system's list has others first for some.
var fileEndings = map[string]string{
	"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp", "image/gif": ".gif", "video/mp4": ".mp4", "video/3gpp": ".3gp",
	"audio/ogg": ".ogg", "audio/mpeg": ".mp3", "audio/aac": ".aac", "audio/amr": ".amr", "audio/mp4": ".m4a", "audio/x-m4a": ".m4a",
	"audio/3gpp": ".3gp", "application/pdf": ".pdf", "text/vcard": ".vcf", "text/plain": ".txt", "text/html": ".html", "application/zip": ".zip",
	"application/msword": ".doc", "application/vnd.ms-excel": ".xls", "application/vnd.ms-powerpoint": ".ppt",
	"application/vnd.openxmlformats-officedocument.wordprocessingml.document":   ".docx",
	"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet":         ".xlsx",
	"application/vnd.openxmlformats-officedocument.presentationml.presentation": ".pptx",
}

func fileEnding(f models.File) string {
	if ext := filepath.Ext(f.Name); len(ext) > 1 && len(ext) <= 6 {
		return ext
	}
	if ext, ok := fileEndings[f.ContentType]; ok {
		return ext
	}
	if all, err := mime.ExtensionsByType(f.ContentType); err == nil && len(all) > 0 {
		return all[0]
	}
	return ""
}

// FileName gives the name of a file. Twilio tells none of customers' files: they are named by what they are and when
// they came, in the reader's language and time.
func FileName(ctx context.Context, f models.File) string {
	if f.Name != "" {
		return f.Name
	}
	at := f.CreatedAt.In(i18n.From(ctx).Zone).Format("2006-01-02-1504")
	return i18n.T(ctx, "file.name."+string(f.Kind())) + "-" + at + fileEnding(f)
}

// FileURL gives the address of a file, or of something about it.
func FileURL(f models.File, rest string) string {
	return "/files/" + strconv.FormatInt(int64(f.ID), 10) + rest
}

// fileTag is what stands in the box before a file: its ending, as people know it.
func fileTag(ctx context.Context, f models.File) string {
	if ext := strings.ToUpper(strings.TrimPrefix(fileEnding(f), ".")); ext != "" && len(ext) <= 4 {
		return ext
	}
	return i18n.T(ctx, "file.other")
}

func isPDF(f models.File) bool { return f.ContentType == "application/pdf" }

// fileFacts is the line under a file's name: its type and its size.
func fileFacts(ctx context.Context, f models.File) string {
	return fileTag(ctx, f) + ", " + i18n.Size(ctx, f.Size)
}

// fileKind is what a file is to people: a sticker is a picture that came as one, and what is not here yet is what the
// message says.
func fileKind(f models.File, m models.Message) string {
	kind := f.Kind()
	if f.State != models.FileStored {
		kind = m.Kind
	}
	switch kind {
	case models.KindImage:
		if m.Kind == models.KindSticker {
			return string(models.KindSticker)
		}
		return string(kind)
	case models.KindAudio, models.KindVideo, models.KindSticker, models.KindContacts:
		return string(kind)
	}
	return string(models.KindDocument)
}

// fileTitle says in words what a file is, for those who do not see or hear it.
func fileTitle(ctx context.Context, t Thread, m models.Message, f models.File) string {
	if f.Description != "" {
		return f.Description
	}
	return i18n.T(ctx, "file.of."+fileKind(f, m), "name", fileFrom(ctx, t, m), "time", i18n.Clock(ctx, m.CreatedAt))
}

// fileFrom names who sent a file, by first name as in a conversation.
func fileFrom(ctx context.Context, t Thread, m models.Message) string {
	switch {
	case m.Direction == models.In:
		return firstName(t.Row)
	case m.UserID != nil && *m.UserID == t.Viewer.User:
		return i18n.T(ctx, "file.by_you")
	}
	return models.User{Name: author(ctx, t, m)}.FirstName()
}

// thumbURL gives the small picture, or the picture itself when there is no small one.
func thumbURL(f models.File) string {
	if f.ThumbKey != "" {
		return FileURL(f, "/thumb")
	}
	return FileURL(f, "/view")
}

// pixels gives a side of a picture for its tag, so that its place is kept while it is on its way.
func pixels(n int) string { return strconv.Itoa(n) }

// FileDialog is one file with its message, for the dialogs about it.
type FileDialog struct {
	Thread  Thread
	Message models.Message
	File    models.File
	Text    string // the description as it was typed
	Problem string
}

func (d FileDialog) back() string { return conversationURL(d.File.ConversationID, "", "") }

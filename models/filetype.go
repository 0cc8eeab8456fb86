package models

import (
	"path/filepath"
	"slices"
	"strings"
	"unicode"
)

// Limits of files on WhatsApp, each with its source.
const (
	// MaxImageSize bounds pictures (Twilio, "Guidance for WhatsApp media messages": images up to 5 MB).
	MaxImageSize = 5 << 20
	// MaxFileSize bounds all other files (the same page: 16 MB for a message; a later reading says 20, the lower one
	// holds).
	MaxFileSize = 16 << 20
	// MaxCaption bounds the text of a picture in UTF-16 units (WhatsApp Cloud API, media messages, caption).
	MaxCaption = 1024
	// MaxFilesPerReply is ours: Twilio takes one file a message on WhatsApp (Message resource, MediaUrl), so this is how
	// many messages one click may send.
	MaxFilesPerReply = 10
	// MaxFileName is ours: the longest name that is kept, in characters.
	MaxFileName = 120
)

// FileType is a type of file that WhatsApp takes from us (Twilio, "Guidance for WhatsApp media messages").
type FileType struct {
	ContentType string
	Kind        MessageKind // of the message that carries it
	Max         int64       // bytes
	Extensions  []string    // with the dot; the first one is the usual one
}

// Caption tells whether WhatsApp shows a text with the file. With every other type the text is dropped on the way, so
// it has to go as a message of its own.
func (t FileType) Caption() bool { return t.Kind == KindImage }

var fileTypes = []FileType{
	{"image/jpeg", KindImage, MaxImageSize, []string{".jpg", ".jpeg"}},
	{"image/png", KindImage, MaxImageSize, []string{".png"}},
	{"video/mp4", KindVideo, MaxFileSize, []string{".mp4"}},
	{"audio/ogg", KindAudio, MaxFileSize, []string{".ogg", ".oga", ".opus"}}, // Opus only
	{"audio/mpeg", KindAudio, MaxFileSize, []string{".mp3"}},
	{"audio/aac", KindAudio, MaxFileSize, []string{".aac"}},
	{"audio/amr", KindAudio, MaxFileSize, []string{".amr"}},
	{"audio/3gpp", KindAudio, MaxFileSize, []string{".3gp"}},
	{"application/pdf", KindDocument, MaxFileSize, []string{".pdf"}},
	{"application/msword", KindDocument, MaxFileSize, []string{".doc"}},
	{"application/vnd.openxmlformats-officedocument.wordprocessingml.document", KindDocument, MaxFileSize, []string{".docx"}},
	{"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", KindDocument, MaxFileSize, []string{".xlsx"}},
	{"application/vnd.openxmlformats-officedocument.presentationml.presentation", KindDocument, MaxFileSize, []string{".pptx"}},
	{"text/vcard", KindDocument, MaxFileSize, []string{".vcf"}},
}

// FileTypes lists the types of files that can be sent.
func FileTypes() []FileType { return slices.Clone(fileTypes) }

// FileTypeOf finds the type that can be sent, by its content type. ErrFileType when WhatsApp does not take it.
func FileTypeOf(contentType string) (FileType, error) {
	contentType, _, _ = strings.Cut(contentType, ";")
	contentType = strings.ToLower(strings.TrimSpace(contentType))
	if other, ok := otherNames[contentType]; ok {
		contentType = other
	}
	i := slices.IndexFunc(fileTypes, func(t FileType) bool { return t.ContentType == contentType })
	if i < 0 {
		return FileType{}, ErrFileType
	}
	return fileTypes[i], nil
}

// otherNames are what programs call the same types.
var otherNames = map[string]string{
	"image/jpg": "image/jpeg", "application/ogg": "audio/ogg", "audio/mp3": "audio/mpeg", "audio/x-aac": "audio/aac",
	"audio/aacp": "audio/aac", "video/3gpp": "audio/3gpp", "text/x-vcard": "text/vcard", "application/x-pdf": "application/pdf",
}

// Errors of a file that a person wants to send.
var (
	ErrFileType  = E(KindInvalid, "file.type")
	ErrFileEmpty = E(KindInvalid, "file.empty")
)

// ErrFileSize says how large a file of the type may be, in whole megabytes.
func (t FileType) ErrFileSize() error {
	if t.Kind == KindImage {
		return E(KindInvalid, "file.image_size", "max", t.Max>>20)
	}
	return E(KindInvalid, "file.size", "max", t.Max>>20)
}

// CleanFileName gives the name of a file as it is kept and shown: the last part of what was said to be its path, of
// printable characters, not longer than MaxFileName, with an extension of its type.
func (t FileType) CleanFileName(name string) string {
	name = CleanName(name)
	ext := strings.ToLower(filepath.Ext(name))
	if slices.Contains(t.Extensions, ext) {
		return name
	}
	if name == "" {
		name = "file"
	}
	return name + t.Extensions[0]
}

// CleanName gives the last part of what was said to be the path of a file, without characters that a name cannot have.
func CleanName(name string) string {
	name = strings.ToValidUTF8(name, "")
	if i := strings.LastIndexAny(name, `/\`); i >= 0 {
		name = name[i+1:]
	}
	name = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || strings.ContainsRune(`<>:"|?*`, r) {
			return -1
		}
		return r
	}, name)
	name = strings.Trim(name, " .")
	if runes := []rune(name); len(runes) > MaxFileName {
		ext := []rune(filepath.Ext(name))
		if len(ext) > 10 {
			ext = nil
		}
		name = string(runes[:MaxFileName-len(ext)]) + string(ext)
	}
	return name
}

package models

import (
	"errors"
	"strings"
	"testing"
)

func TestFileTypeOf(t *testing.T) {
	for name, kind := range map[string]MessageKind{
		"image/jpeg": KindImage, "IMAGE/PNG": KindImage, "image/jpg": KindImage, "video/mp4": KindVideo, "audio/ogg; codecs=opus": KindAudio,
		"application/ogg": KindAudio, "video/3gpp": KindAudio, "application/pdf": KindDocument, "text/x-vcard": KindDocument,
	} {
		got, err := FileTypeOf(name)
		if err != nil || got.Kind != kind {
			t.Errorf("%s: %v, %v", name, got.Kind, err)
		}
		if got.Caption() != (kind == KindImage) {
			t.Errorf("%s: caption %v", name, got.Caption())
		}
		want := int64(16 << 20)
		if kind == KindImage {
			want = 5 << 20
		}
		if got.Max != want {
			t.Errorf("%s: at most %d", name, got.Max)
		}
	}
	for _, name := range []string{"", "image/svg+xml", "text/html", "image/webp", "image/gif", "image/heic", "application/zip", "application/octet-stream", "text/plain"} {
		if _, err := FileTypeOf(name); !errors.Is(err, ErrFileType) {
			t.Errorf("%q is taken: %v", name, err)
		}
	}
}

func TestCleanFileName(t *testing.T) {
	pdf, err := FileTypeOf("application/pdf")
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("æ", 200)
	for name, want := range map[string]string{
		"Kontrakt 2026.pdf": "Kontrakt 2026.pdf", "A.PDF": "A.PDF", "": "file.pdf", "..": "file.pdf", ".pdf": "pdf.pdf",
		"../../etc/passwd": "passwd.pdf", `C:\Users\Kari\faktura.pdf`: "faktura.pdf", "a/": "file.pdf", "evil.html": "evil.html.pdf",
		"line\r\nbreak\x00.pdf": "linebreak.pdf", `x"; filename="y.exe.pdf`: "x; filename=y.exe.pdf", "\u202egnp.pdf": "gnp.pdf",
		"bad\xff.pdf": "bad.pdf", long + ".pdf": long[:2*(MaxFileName-4)] + ".pdf",
	} {
		if got := pdf.CleanFileName(name); got != want {
			t.Errorf("%q becomes %q, want %q", name, got, want)
		}
	}
	if n := len([]rune(pdf.CleanFileName(long))); n != MaxFileName+len(".pdf") {
		t.Errorf("a long name without extension has %d characters", n)
	}
}

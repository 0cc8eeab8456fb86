package simulator

import (
	"context"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"kanal/twilio"
)

// fetchTime is how long Twilio is given to fetch a file from the center.
const fetchTime = 10 * time.Second

// File is a file that the center has sent, as it is on the phone.
type File struct {
	Kind        string `json:"kind"` // image, video, audio or document
	ContentType string `json:"content_type"`
	Name        string `json:"name"`
	Size        int64  `json:"size"`
}

// taken are the types of files that WhatsApp takes, with the kind of message that each becomes.
var taken = map[string]string{
	"image/jpeg": "image", "image/png": "image", "video/mp4": "video", "audio/ogg": "audio", "audio/mpeg": "audio", "audio/aac": "audio",
	"audio/amr": "audio", "audio/3gpp": "audio", "application/pdf": "document", "application/msword": "document", "text/vcard": "document",
	"application/vnd.openxmlformats-officedocument.wordprocessingml.document":   "document",
	"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet":         "document",
	"application/vnd.openxmlformats-officedocument.presentationml.presentation": "document",
}

// Takes gives the kind of message that a file of a type becomes, and how large it may be; false when WhatsApp does not
// take the type.
func Takes(contentType string) (kind string, limit int64, ok bool) {
	kind, ok = taken[contentType]
	if kind == "image" {
		return kind, twilio.MaxImage, ok
	}
	return kind, twilio.MaxMedia, ok
}

// badMediaURL tells whether the address of a file is none that Twilio would ask for.
func badMediaURL(raw string) bool {
	u, err := url.Parse(raw)
	return err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == ""
}

// fetch gets the file of a message from the center, as Twilio does before it sends the message on. It gives the code of
// what went wrong; 0 when the file is on the phone, or when there is none.
func (s *Simulator) fetch(sid, message string) int {
	s.mu.Lock()
	m := s.account(sid).message(message)
	address, media := "", ""
	if m != nil {
		address, media = m.MediaURL, m.MediaSID
	}
	s.mu.Unlock()
	if address == "" {
		return 0
	}
	ctx, cancel := context.WithTimeout(s.ctx, fetchTime)
	defer cancel()
	f, code := s.ask(ctx, address)
	if code == 0 {
		code = s.download(ctx, address, media, f)
	}
	if code != 0 {
		return code
	}
	s.with(sid, func(a *account) {
		if m := a.message(message); m != nil {
			m.Kind, m.File = f.Kind, &f
		}
	})
	return 0
}

// ask looks at the file before it is fetched: what it is and how large.
func (s *Simulator) ask(ctx context.Context, address string) (File, int) {
	res, err := s.get(ctx, http.MethodHead, address)
	if err != nil {
		return File{}, twilio.CodeMediaFetch
	}
	_ = res.Body.Close()
	f := fileOf(res)
	kind, limit, ok := Takes(f.ContentType)
	switch {
	case res.StatusCode != http.StatusOK:
		return f, twilio.CodeMediaFetch
	case !ok || f.Size == 0:
		return f, twilio.CodeMediaInvalid
	case f.Size > limit:
		return f, twilio.CodeMediaSize
	}
	f.Kind = kind
	return f, 0
}

// download fetches one file; it has to be what was said of it.
func (s *Simulator) download(ctx context.Context, address, media string, f File) int {
	res, err := s.get(ctx, http.MethodGet, address)
	if err != nil {
		return twilio.CodeMediaFetch
	}
	defer func() { _ = res.Body.Close() }()
	if again := fileOf(res); res.StatusCode != http.StatusOK || again.ContentType != f.ContentType || again.Size != f.Size {
		return twilio.CodeMediaFetch
	}
	out, err := os.OpenFile(s.filePath(media), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return twilio.CodeMediaFetch
	}
	n, err := io.Copy(out, res.Body)
	if err2 := out.Close(); err != nil || err2 != nil || f.Size >= 0 && n != f.Size {
		_ = os.Remove(out.Name())
		return twilio.CodeMediaFetch
	}
	return 0
}

func (s *Simulator) get(ctx context.Context, method, address string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, address, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", "TwilioProxy/1.1")
	return s.client.Do(req)
}

// fileOf reads what an answer says of its file.
func fileOf(res *http.Response) File {
	f := File{Size: res.ContentLength}
	f.ContentType, _, _ = mime.ParseMediaType(res.Header.Get("Content-Type"))
	if _, params, err := mime.ParseMediaType(res.Header.Get("Content-Disposition")); err == nil {
		f.Name = filepath.Base(params["filename"])
	}
	return f
}

// filePath is where the file of a message is kept. The name is one of our own SIDs.
func (s *Simulator) filePath(media string) string { return filepath.Join(s.files, media) }

// OpenFile opens the file of a message that is on the phone; false when there is none. The caller closes it.
func (s *Simulator) OpenFile(sid, message string) (*os.File, File, bool) {
	s.mu.Lock()
	var f File
	media := ""
	if a := s.account(sid); a != nil {
		if m := a.message(message); m != nil && m.File != nil {
			f, media = *m.File, m.MediaSID
		}
	}
	s.mu.Unlock()
	if media == "" {
		return nil, f, false
	}
	in, err := os.Open(s.filePath(media))
	return in, f, err == nil
}

// dropFiles removes the files of messages that are kept no more.
func (s *Simulator) dropFiles(ms []*Message) {
	for _, m := range ms {
		if m.File != nil {
			_ = os.Remove(s.filePath(m.MediaSID))
		}
	}
}

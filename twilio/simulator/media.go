package simulator

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"net/http"
)

// fetchMedia sends the client on to the bytes, as Twilio does.
func (s *Simulator) fetchMedia(w http.ResponseWriter, r *http.Request, sid string) {
	s.mu.Lock()
	m := s.account(sid).message(r.PathValue("message"))
	known := m != nil && m.MediaSID == r.PathValue("media")
	kind := ""
	if known {
		kind = m.Kind
	}
	s.mu.Unlock()
	if !known {
		notFound(w, r)
		return
	}
	http.Redirect(w, r, "/media/"+kind+"/"+r.PathValue("media")+"?Expires=1&Signature=x", http.StatusTemporaryRedirect) //nolint:gosec // a path of ours
}

// mediaBytes refuses credentials: the real store of files answers 400 to them.
func (s *Simulator) mediaBytes(w http.ResponseWriter, r *http.Request) {
	shape, ok := shapes[r.PathValue("kind")]
	switch {
	case r.Header.Get("Authorization") != "":
		http.Error(w, "Only one auth mechanism allowed", http.StatusBadRequest)
	case !ok || shape.media == "":
		http.NotFound(w, r)
	default:
		w.Header().Set("Content-Type", shape.media)
		_, _ = w.Write(samples[shape.media])
	}
}

// samples are the files that customers send: real ones where the standard library makes them, else the first bytes by
// which the type is known.
var samples = map[string][]byte{
	"image/jpeg":      picture(),
	"image/webp":      []byte("RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00\x2f\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00"),
	"audio/ogg":       []byte("OggS\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x13OpusHead\x01\x01\x00\x0f\x80\xbb\x00\x00\x00\x00\x00"),
	"video/mp4":       []byte("\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"),
	"application/pdf": []byte("%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"),
	"text/vcard":      []byte("BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ola Nordmann\r\nTEL:+4740000199\r\nEND:VCARD\r\n"),
}

// picture draws a small photo.
func picture() []byte {
	img := image.NewRGBA(image.Rect(0, 0, 320, 240))
	for y := range 240 {
		for x := range 320 {
			img.Set(x, y, color.RGBA{R: uint8(11 + y/2), G: uint8(99 + x/4), B: 115, A: 255})
		}
	}
	var b bytes.Buffer
	_ = jpeg.Encode(&b, img, nil)
	return b.Bytes()
}

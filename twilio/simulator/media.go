package simulator

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"kanal/twilio"
)

// samples are the files that customers send.
//
//go:embed samples
var samples embed.FS

var sampleFiles = map[string]string{
	"image/jpeg": "image.jpg", "image/webp": "sticker.webp", "audio/ogg": "audio.ogg", "video/mp4": "video.mp4",
	"application/pdf": "document.pdf", "text/vcard": "card.vcf",
}

// mediaValid is how long the address of a file holds.
const mediaValid = 5 * time.Minute

// trouble is what is wrong with a file that a customer sends.
type trouble string

const (
	late  trouble = "late"  // Twilio has it only a while after it has told of it
	large trouble = "large" // larger than WhatsApp allows
	wrong trouble = "wrong" // something else than what was said
)

// mediaStore is where the files lie: a second origin, as at Twilio. Addresses in it are signed and run out.
type mediaStore struct {
	listener net.Listener
	server   *http.Server
	secret   []byte
}

func (s *Simulator) openMediaStore() error {
	host, _, _ := net.SplitHostPort(s.listener.Addr().String())
	l, err := (&net.ListenConfig{}).Listen(s.ctx, "tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{account}/{message}/{media}", s.mediaBytes)
	s.media = mediaStore{listener: l, server: &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}, secret: make([]byte, 32)}
	_, _ = rand.Read(s.media.secret)
	s.wg.Go(func() { _ = s.media.server.Serve(l) })
	return nil
}

// MediaURL is the origin where the files of messages lie.
func (s *Simulator) MediaURL() *url.URL {
	return &url.URL{Scheme: "http", Host: s.media.listener.Addr().String()}
}

// sign signs the path of a file until a moment.
func (m mediaStore) sign(path, expires string) string {
	h := hmac.New(sha256.New, m.secret)
	_, _ = h.Write([]byte(path + "\n" + expires))
	return hex.EncodeToString(h.Sum(nil))
}

// inboundMedia gives a customer's message whose file has a name; nil when there is none, or none any more.
func (s *Simulator) inboundMedia(r *http.Request, sid string) *Message {
	a := s.account(sid)
	if a == nil {
		return nil
	}
	m := a.message(r.PathValue("message"))
	if m == nil || m.MediaSID != strings.TrimSuffix(r.PathValue("media"), ".json") || m.Direction != "inbound" || m.MediaGone {
		return nil
	}
	return m
}

// listMedia gives the files of a message: one at most.
func (s *Simulator) listMedia(w http.ResponseWriter, r *http.Request, sid string) {
	s.mu.Lock()
	m := s.account(sid).message(r.PathValue("message"))
	found := []map[string]any{}
	if m != nil && m.MediaSID != "" && !m.MediaGone {
		found = append(found, m.mediaJSON())
	}
	s.mu.Unlock()
	if m == nil {
		notFound(w, r)
		return
	}
	answer(w, http.StatusOK, map[string]any{
		"media_list": found, "page": 0, "page_size": 50, "start": 0, "end": max(len(found)-1, 0), "uri": r.URL.RequestURI(),
		"first_page_uri": r.URL.Path + "?PageSize=50&Page=0", "next_page_uri": nil, "previous_page_uri": nil,
	})
}

// mediaJSON is the media resource.
func (m *Message) mediaJSON() map[string]any {
	kind := shapes[m.Kind].media
	if m.File != nil {
		kind = m.File.ContentType
	}
	return map[string]any{
		"sid": m.MediaSID, "parent_sid": m.SID, "account_sid": m.AccountSID, "content_type": kind,
		"date_created": m.Created.Format(time.RFC1123Z), "date_updated": m.Created.Format(time.RFC1123Z),
		"uri": "/2010-04-01/Accounts/" + m.AccountSID + "/Messages/" + m.SID + "/Media/" + m.MediaSID + ".json",
	}
}

// fetchMedia sends the client on to the bytes, as Twilio does; with .json it tells about the file.
func (s *Simulator) fetchMedia(w http.ResponseWriter, r *http.Request, sid string) {
	s.mu.Lock()
	m := s.inboundMedia(r, sid)
	there := m != nil && !s.o.Now().Before(m.MediaFrom)
	var about map[string]any
	if there && strings.HasSuffix(r.PathValue("media"), ".json") {
		about = m.mediaJSON()
	}
	s.mu.Unlock()
	switch {
	case !there:
		notFound(w, r)
		return
	case about != nil:
		answer(w, http.StatusOK, about)
		return
	}
	path := "/" + sid + "/" + m.SID + "/" + m.MediaSID
	expires := strconv.FormatInt(s.o.Now().Add(mediaValid).Unix(), 10)
	to := s.MediaURL().String() + path + "?Expires=" + expires + "&Signature=" + s.media.sign(path, expires) + "&Key-Pair-Id=KSIMULATOR"
	http.Redirect(w, r, to, http.StatusTemporaryRedirect) //nolint:gosec // an address of ours
}

// deleteMedia removes a file for good.
func (s *Simulator) deleteMedia(w http.ResponseWriter, r *http.Request, sid string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.inboundMedia(r, sid)
	if m == nil {
		notFound(w, r)
		return
	}
	m.MediaGone = true
	s.changed()
	w.WriteHeader(http.StatusNoContent)
}

// mediaBytes gives the bytes of a file to whoever has its address. Like the real store it refuses a second way of signing
// in, an address that has run out, and one that was changed.
func (s *Simulator) mediaBytes(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	until, _ := strconv.ParseInt(q.Get("Expires"), 10, 64)
	s.mu.Lock()
	m := s.inboundMedia(r, r.PathValue("account"))
	s.mu.Unlock()
	switch {
	case r.Header.Get("Authorization") != "":
		http.Error(w, "Only one auth mechanism allowed", http.StatusBadRequest)
	case !hmac.Equal([]byte(q.Get("Signature")), []byte(s.media.sign(r.URL.Path, q.Get("Expires")))), s.o.Now().Unix() > until:
		http.Error(w, "Access denied", http.StatusForbidden)
	case m == nil:
		http.NotFound(w, r)
	default:
		serveSample(w, shapes[m.Kind])
	}
}

func serveSample(w http.ResponseWriter, of shape) {
	content, err := samples.ReadFile("samples/" + sampleFiles[of.media])
	if err != nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	switch of.trouble {
	case large:
		content = append(content, make([]byte, twilio.MaxMedia)...)
	case wrong:
		content = []byte("<!DOCTYPE html><html><body><script>alert(document.domain)</script></body></html>")
	}
	w.Header().Set("Content-Type", of.media)
	w.Header().Set("Content-Length", strconv.Itoa(len(content)))
	_, _ = bytes.NewReader(content).WriteTo(w)
}

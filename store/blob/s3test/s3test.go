// Package s3test is a small S3 server for tests: one bucket in memory, and nobody in without a right signature.
package s3test

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// Bucket is the name of the server's only bucket.
const Bucket = "files"

// Server is a running server.
type Server struct {
	Keys
	URL string

	mu      sync.Mutex
	objects map[string][]byte
	refused []string
	down    int
}

// New starts a server until the test ends. With tls it speaks https; transport is then what trusts it.
func New(t testing.TB, tls bool) (s *Server, transport http.RoundTripper) {
	t.Helper()
	s = &Server{
		Keys:    Keys{Access: "kanal-test", Secret: "a secret of the tests", Region: "eu-north-1"},
		objects: map[string][]byte{},
	}
	srv := httptest.NewUnstartedServer(s)
	if tls {
		srv.StartTLS()
	} else {
		srv.Start()
	}
	t.Cleanup(srv.Close)
	s.URL = srv.URL
	return s, srv.Client().Transport
}

// Address is the address of the bucket as Kanal's settings name it.
func (s *Server) Address() string {
	return "s3://" + Bucket + "/center?endpoint=" + s.URL + "&region=" + s.Region
}

// Objects gives the names of what is kept.
func (s *Server) Objects() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for name := range s.objects {
		names = append(names, name)
	}
	return names
}

// Refused gives why requests were refused, in order.
func (s *Server) Refused() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.refused...)
}

// Fail answers the next n requests with 503.
func (s *Server) Fail(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = n
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := s.Verify(r, time.Now())
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err != nil:
		s.refused = append(s.refused, err.Error())
		problem(w, http.StatusForbidden, "SignatureDoesNotMatch", err.Error())
		return
	case s.down > 0:
		s.down--
		problem(w, http.StatusServiceUnavailable, "SlowDown", "Please reduce your request rate.")
		return
	}
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	switch {
	case bucket != Bucket:
		problem(w, http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist")
	case key == "":
		w.WriteHeader(http.StatusOK)
	default:
		s.object(w, r, key, body)
	}
}

func (s *Server) object(w http.ResponseWriter, r *http.Request, key string, body []byte) {
	w.Header().Set("ETag", `"`+hashOf(s.objects[key])[:32]+`"`)
	switch r.Method {
	case http.MethodPut:
		s.objects[key] = body
		w.Header().Set("ETag", `"`+hashOf(body)[:32]+`"`)
	case http.MethodDelete:
		delete(s.objects, key)
		w.WriteHeader(http.StatusNoContent)
	case http.MethodGet, http.MethodHead:
		content, ok := s.objects[key]
		if !ok {
			problem(w, http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
			return
		}
		w.Header().Set("Content-Type", "application/octet-stream")
		http.ServeContent(w, r, "", time.Unix(1700000000, 0), bytes.NewReader(content))
	default:
		problem(w, http.StatusMethodNotAllowed, "MethodNotAllowed", "The specified method is not allowed.")
	}
}

func problem(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	var text bytes.Buffer
	_ = xml.EscapeText(&text, []byte(message))
	_, _ = fmt.Fprintf(w, "%s<Error><Code>%s</Code><Message>%s</Message></Error>", xml.Header, code, text.String())
}

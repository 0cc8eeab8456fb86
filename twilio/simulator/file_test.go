package simulator_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"kanal/twilio"
	"kanal/twilio/simulator"
)

// fileServer is a center's files: each path behaves as its name says. It notes what is asked.
func fileServer(t *testing.T, asked chan<- string) *httptest.Server {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.Method + " " + r.URL.Path
		size, kind := 300, "application/pdf"
		switch r.URL.Path {
		case "/gone":
			http.NotFound(w, r)
			return
		case "/moved":
			http.Redirect(w, r, "/pdf", http.StatusFound)
			return
		case "/html":
			kind = "text/html"
		case "/jpeg":
			kind = "image/jpeg"
		case "/large":
			size = twilio.MaxMedia + 1
		case "/large-image":
			size, kind = twilio.MaxImage+1, "image/png"
		case "/empty":
			size = 0
		case "/changes":
			if r.Method == http.MethodGet {
				kind = "image/png"
			}
		}
		w.Header().Set("Content-Type", kind)
		w.Header().Set("Content-Length", strconv.Itoa(size))
		w.Header().Set("Content-Disposition", `inline; filename="../kvittering.pdf"`)
		if r.Method == http.MethodGet {
			_, _ = w.Write([]byte(strings.Repeat("x", size)))
		}
	}))
	t.Cleanup(srv.Close)
	return srv
}

func TestFilesOfTheCenter(t *testing.T) {
	dir := t.TempDir()
	s, err := simulator.Open(simulator.Options{Now: time.Now, File: filepath.Join(dir, "simulator.json")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	a := s.Mint("Test", number)
	s.SetOutcome(a.SID, simulator.Outcome{Final: "read", Step: time.Millisecond})
	client := twilio.New(twilio.Options{Base: s.URL()})
	cred := twilio.Credentials{AccountSID: a.SID, AuthToken: a.Token}
	asked := make(chan string, 100)
	files := fileServer(t, asked)
	s.Receive(a.SID, simulator.Write{Customer: "whatsapp:+4740000142", Number: number, Body: "Hei"})

	send := func(address string) (string, error) {
		m, err := client.CreateMessage(context.Background(), cred, twilio.NewMessage{
			From: "whatsapp:" + number, To: "whatsapp:+4740000142", Body: "Se her", MediaURL: address,
		})
		return m.SID, err
	}
	settled := func(sid string) (status string, code int, m simulator.Message) {
		changes, stop := s.Watch()
		defer stop()
		for {
			for _, x := range s.Thread(a.SID, "whatsapp:+4740000142", number) {
				if x.SID == sid && (x.Status == "read" || x.Status == "undelivered") {
					return x.Status, x.ErrorCode, x
				}
			}
			select {
			case <-changes:
			case <-time.After(10 * time.Second):
				t.Fatal("the message does not end")
			}
		}
	}
	for path, want := range map[string]int{
		"/pdf": 0, "/jpeg": 0, "/gone": 63019, "/moved": 63019, "/changes": 63019, "/html": 63021, "/empty": 63021, "/large": 63034, "/large-image": 63034,
	} {
		sid, err := send(files.URL + path)
		if err != nil || !strings.HasPrefix(sid, "MM") {
			t.Fatalf("%s: %q, %v", path, sid, err)
		}
		status, code, m := settled(sid)
		if code != want || (status == "read") != (want == 0) || (m.File != nil) != (want == 0) {
			t.Errorf("%s: %s with %d, want %d, file %v", path, status, code, want, m.File)
		}
		if want != 0 {
			continue
		}
		if (m.Text() == "Se her") != (path == "/jpeg") {
			t.Errorf("%s: the customer reads %q", path, m.Text())
		}
		in, f, ok := s.OpenFile(a.SID, sid)
		if !ok || f.Name != "kvittering.pdf" || f.Size != 300 {
			t.Fatalf("%s: %v, %+v", path, ok, f)
		}
		b, _ := io.ReadAll(in)
		_ = in.Close()
		if len(b) != 300 {
			t.Errorf("%s: %d bytes on the phone", path, len(b))
		}
	}
	if first := <-asked; !strings.HasPrefix(first, "HEAD ") {
		t.Errorf("the first request is %s", first)
	}
	for _, bad := range []string{"x", "ftp://kanal.example/a", "/media/1", "https://"} {
		if _, err := send(bad); twilio.AsError(err).Code != twilio.CodeBadMediaURL || twilio.AsError(err).Outcome != twilio.Rejected {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if _, _, ok := s.OpenFile(a.SID, "MM0"); ok {
		t.Error("a file of no message")
	}
	s.Reset(a.SID)
	if left, err := os.ReadDir(filepath.Join(dir, "simulator-files")); err != nil || len(left) != 0 {
		t.Errorf("after the reset: %v, %v", left, err)
	}
}

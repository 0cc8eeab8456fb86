package twilio

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

var cred = Credentials{AccountSID: "AC00000000000000000000000000000000", AuthToken: "sesame"}

const outgoing = `{"sid":"SM00000000000000000000000000000001","status":"queued"}`

// answering starts a Twilio that gives one answer to everything, under a path of its own.
func answering(t *testing.T, h http.HandlerFunc) *Client {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	u, err := url.Parse(srv.URL + "/stand-in/")
	if err != nil {
		t.Fatal(err)
	}
	return New(Options{Base: u})
}

func TestOutcomesOfAnswers(t *testing.T) {
	for _, tt := range []struct {
		name    string
		status  int
		body    string
		outcome Outcome
		code    int
	}{
		{"bad number", 400, `{"code":21211,"status":400}`, Rejected, 21211},
		{"no Twilio error", 400, "<html>", Rejected, 0},
		{"too many at a time", 429, `{"code":20429}`, NotProcessed, 20429},
		{"too many, not JSON", 429, "slow down", NotProcessed, 0},
		{"daily cap", 429, `{"code":63038}`, Rejected, 63038},
		{"page of an edge", 503, "<html>sorry</html>", Unknown, 0},
		{"error of Twilio's", 500, `{"code":20500}`, Unknown, 20500},
		{"a redirect", 307, "", Unknown, 0},
		{"created, but not readable", 201, "{", Unknown, 0},
		{"created, without a sid", 201, "{}", Unknown, 0},
	} {
		c := answering(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(tt.status)
			_, _ = w.Write([]byte(tt.body))
		})
		_, err := c.CreateMessage(context.Background(), cred, NewMessage{From: "whatsapp:+4721000040", To: "whatsapp:+4740000142", Body: "secret text"})
		e := AsError(err)
		if err == nil || e.Outcome != tt.outcome || e.Code != tt.code {
			t.Errorf("%s: %v, outcome %d", tt.name, err, e.Outcome)
		}
		for _, hidden := range []string{"sesame", "secret text", "4740000142"} {
			if strings.Contains(e.Error(), hidden) {
				t.Errorf("%s: the error tells %q", tt.name, hidden)
			}
		}
	}
}

func TestErrorsOfAnAccount(t *testing.T) {
	for _, tt := range []struct {
		status                  int
		body                    string
		unauthorized, suspended bool
		wait                    time.Duration
	}{
		{401, `{"code":20003}`, true, false, 0},
		{401, `{"code":20005}`, false, true, 0},
		{403, `{"code":20005}`, false, true, 0},
		{429, `{"code":20429}`, false, false, 7 * time.Second},
		{200, `{"sid":"AC11111111111111111111111111111111","status":"active"}`, false, false, 0}, // somebody else's
		{200, `<html>sign in to the network</html>`, false, false, 0},
	} {
		c := answering(t, func(w http.ResponseWriter, _ *http.Request) {
			if tt.wait > 0 {
				w.Header().Set("Retry-After", "7")
			}
			w.WriteHeader(tt.status)
			_, _ = w.Write([]byte(tt.body))
		})
		_, err := c.FetchAccount(context.Background(), cred)
		e := AsError(err)
		if err == nil || e.Unauthorized() != tt.unauthorized || e.Suspended() != tt.suspended || e.RetryAfter != tt.wait {
			t.Errorf("%d %s: %+v", tt.status, tt.body, e)
		}
	}
}

func TestWhatWasSentDecides(t *testing.T) {
	n := NewMessage{From: "whatsapp:+4721000040", To: "whatsapp:+4740000142", Body: "x"}
	read := make(chan struct{})
	c := answering(t, func(_ http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		close(read)
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(context.Background())
	go func() { <-read; cancel() }()
	if _, err := c.CreateMessage(ctx, cred, n); AsError(err).Outcome != Unknown {
		t.Errorf("given up after it was sent: %v", err)
	}
	if _, err := c.CreateMessage(ctx, cred, n); AsError(err).Outcome != NotProcessed {
		t.Errorf("given up before it was sent: %v", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	nobody := New(Options{Base: &url.URL{Scheme: "http", Host: l.Addr().String()}})
	if _, err := nobody.CreateMessage(context.Background(), cred, n); AsError(err).Outcome != NotProcessed || AsError(err).Code != CodeNoAnswer {
		t.Errorf("nobody listens: %v", err)
	}
}

func TestRequestsAreExact(t *testing.T) {
	var seen []string
	c := answering(t, func(w http.ResponseWriter, r *http.Request) {
		user, pass, _ := r.BasicAuth()
		if user != cred.AccountSID || pass != cred.AuthToken {
			t.Errorf("signs in as %q", user)
		}
		seen = append(seen, r.URL.Path+" "+r.URL.Query().Get("PageToken")+" "+r.URL.Query().Get("DateSent>"))
		next := `null`
		if len(seen) == 1 {
			next = `"/2010-04-01/Accounts/AC0/Messages.json?PageToken=PASM12.345&Page=1"`
		}
		_, _ = w.Write([]byte(`{"messages":[` + outgoing + `],"next_page_uri":` + next + `}`))
	})
	list, err := c.ListMessages(context.Background(), cred, MessageFilter{SentAfter: time.Date(2026, 11, 24, 1, 2, 3, 0, time.UTC)})
	if err != nil || len(list) != 2 || list[1].Status != "queued" {
		t.Fatalf("%+v %v", list, err)
	}
	const path = "/stand-in/2010-04-01/Accounts/AC00000000000000000000000000000000/Messages.json "
	if seen[0] != path+" 2026-11-24T01:02:03Z" || seen[1] != path+"PASM12.345 2026-11-24T01:02:03Z" {
		t.Errorf("%q", seen)
	}
}

func TestConnectionsAreUsedAgainAfterErrors(t *testing.T) {
	var opened atomic.Int32
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"code":21211}` + strings.Repeat(" ", 10_000)))
	}))
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			opened.Add(1)
		}
	}
	srv.Start()
	t.Cleanup(srv.Close)
	u, _ := url.Parse(srv.URL)
	c := New(Options{Base: u})
	for range 20 {
		if _, err := c.FetchMessage(context.Background(), cred, "SM0"); err == nil {
			t.Fatal("no error")
		}
	}
	if n := opened.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"kanal/models"
	"kanal/store/sample"
	"kanal/twilio"
)

// taker is a center that checks signatures and notes what it was sent.
type taker struct {
	*httptest.Server
	mu   sync.Mutex
	sids map[string]int
	bad  int
}

func newTaker(t *testing.T, status int) *taker {
	t.Helper()
	k := &taker{sids: map[string]int{}}
	k.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := r.ParseForm()
		k.mu.Lock()
		defer k.mu.Unlock()
		k.sids[r.PostForm.Get("MessageSid")]++
		if err != nil || !twilio.Valid([]string{sample.Token}, k.URL+r.RequestURI, r.PostForm, r.Header.Get(twilio.SignatureHeader)) {
			k.bad++
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(k.Close)
	return k
}

func (k *taker) load() load {
	return load{
		hook:        hook{address: k.URL + "/hooks/twilio/key/inbound", token: sample.Token, account: sample.AccountSID, number: sample.Number},
		connections: 4, customers: 10, duration: 10 * time.Second, most: 50,
	}
}

func TestWebhooksAreSignedAndEachIsNew(t *testing.T) {
	k := newTaker(t, http.StatusOK)
	l := k.load()
	r, err := l.run(t.Context())
	if err := errors.Join(err, r.failure()); err != nil {
		t.Fatal(err)
	}
	if k.bad > 0 || len(k.sids) != 50 || len(r.took) != 50 {
		t.Fatalf("%d bad signatures, %d messages, %d answers; want 0, 50, 50", k.bad, len(k.sids), len(r.took))
	}
}

func TestFormIsAMessage(t *testing.T) {
	in, err := twilio.ParseInbound(sample.Form("SM0123456789abcdef0123456789abcdef", sample.Phone(7), "Hello"))
	if err != nil || in.Kind != twilio.Text || in.To.Phone() != sample.Number || in.From.Phone() != "+4790000007" {
		t.Fatalf("%+v, %v", in, err)
	}
}

func TestOnlyThisMachine(t *testing.T) {
	for address, ok := range map[string]bool{
		"http://127.0.0.1:8080/hooks/twilio/key/inbound": true,
		"http://127.9.9.9/":                true,
		"http://[::1]:8080/":               true,
		"http://localhost:8080/#rc=3":      true,
		"http://192.168.1.10:8080/":        false,
		"http://10.0.0.1/":                 false,
		"http://0.0.0.0:8080/":             false,
		"http://kanal.example.com/":        false,
		"http://localhost.example.com/":    false,
		"http://127.0.0.1.example.com/":    false,
		"http://127.0.0.1@10.0.0.1/":       false,
		"https://127.0.0.1/":               false,
		"//127.0.0.1/":                     false,
		"http://user:pass@127.0.0.1:8080/": false,
		"":                                 false,
	} {
		l := load{hook: hook{address: address, token: "t", account: "AC", number: "+1"}, connections: 1, customers: 1}
		if err := l.check(); (err == nil) != ok {
			t.Errorf("%s: %v, want allowed = %v", address, err, ok)
		}
	}
}

// Whatever a name or a redirect says, the connection itself goes to this machine only.
func TestClientRefusesToLeave(t *testing.T) {
	away := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://192.0.2.1/", http.StatusFound)
	}))
	defer away.Close()
	res, err := newClient(1).Get(away.URL)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusFound {
		t.Fatalf("the redirect was followed: %s", res.Status)
	}
	res, err = newClient(1).Get("http://192.0.2.1/")
	if err == nil {
		_ = res.Body.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "is not on this machine") {
		t.Fatalf("an address elsewhere: %v", err)
	}
}

func TestBounds(t *testing.T) {
	l := load{hook: hook{"http://127.0.0.1/", "t", "AC", "+1"}, connections: 1e6, customers: 1, rate: 1e9, duration: time.Hour}
	if err := l.check(); err != nil {
		t.Fatal(err)
	}
	if l.connections != maxConnections || l.rate != maxRate || l.duration != maxDuration {
		t.Errorf("%d connections, %d a second, %v", l.connections, l.rate, l.duration)
	}
	for _, l := range []load{{connections: 0, customers: 1}, {connections: 1}, {connections: 1, customers: 1, rate: -1}} {
		l.hook = hook{"http://127.0.0.1/", "t", "AC", "+1"}
		if l.check() == nil {
			t.Errorf("%d connections, %d customers, %d a second were allowed", l.connections, l.customers, l.rate)
		}
	}
}

func TestRefusedWebhooksFail(t *testing.T) {
	k := newTaker(t, http.StatusForbidden)
	l := k.load()
	r, err := l.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if why := r.failure(); r.failed != 50 || why == nil || !strings.Contains(why.Error(), "403") {
		t.Errorf("%d failed: %v", r.failed, why)
	}
	if (result{}).failure() == nil {
		t.Error("no answer at all is no failure")
	}
}

func TestStopsWithItsContext(t *testing.T) {
	k := newTaker(t, http.StatusOK)
	l := k.load()
	l.most = 0
	ctx, cancel := context.WithCancel(t.Context())
	l.sending = func(n int, _ time.Time) {
		if n == 20 {
			cancel()
		}
	}
	r, err := l.run(ctx)
	if err != nil || r.failed > 0 || len(r.took) > 40 {
		t.Fatalf("%d answers, %d failed, %v", len(r.took), r.failed, err)
	}
}

func TestPaceIsKept(t *testing.T) {
	k := newTaker(t, http.StatusOK)
	l := k.load()
	l.rate, l.most = 100, 20
	r, err := l.run(t.Context())
	if err != nil || len(r.took) != 20 || r.wall < 150*time.Millisecond {
		t.Fatalf("%d in %v, %v", len(r.took), r.wall, err)
	}
}

func TestQuantile(t *testing.T) {
	hundred := make([]int, 100)
	for i := range hundred {
		hundred[i] = 100 - i
	}
	for _, c := range []struct {
		values []int
		q      float64
		want   int
	}{
		{nil, 0.5, 0}, {[]int{7}, 0.99, 7}, {[]int{7}, 0, 7}, {[]int{3, 1, 2}, 0.5, 2}, {[]int{4, 1, 3, 2}, 0.5, 2},
		{hundred, 0.5, 50}, {hundred, 0.99, 99}, {hundred, 1, 100}, {hundred, 0.001, 1},
	} {
		if got := quantile(c.values, c.q); got != c.want {
			t.Errorf("quantile(%v, %v) = %d, want %d", c.values, c.q, got, c.want)
		}
	}
	if hundred[0] != 100 {
		t.Error("the values were sorted in place")
	}
}

func TestMillis(t *testing.T) {
	for d, want := range map[time.Duration]string{0: "0.0", 1234 * time.Microsecond: "1.2", 99_940 * time.Microsecond: "99.9", 150 * time.Millisecond: "150"} {
		if got := millis(d); got != want {
			t.Errorf("%v is %s, want %s", d, got, want)
		}
	}
}

func TestStreamReadsEvents(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/events" {
			http.NotFound(w, r)
			return
		}
		_, _ = io.WriteString(w, "event: ping\ndata: 0\n\nevent: conversation\ndata: 7\n\nevent: account\ndata: 1\n\nevent: conversation\ndata: 8\n\n")
	}))
	defer srv.Close()
	s, err := openStream(t.Context(), newClient(1), srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	c := &clock{sent: nil, want: 2, all: make(chan struct{})}
	c.sent = map[models.ConversationID]time.Time{7: time.Now(), 8: time.Now(), 9: time.Now()}
	s.hear(c.heard)
	select {
	case <-c.all:
	default:
		t.Fatalf("%d were heard of, %d wait", len(c.took), len(c.sent))
	}
	if _, err := openStream(t.Context(), newClient(1), srv.URL+"/else"); err == nil {
		t.Error("a page that is not there is a stream")
	}
}

func TestReport(t *testing.T) {
	r := report{at: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC), machine: "A machine.", conversations: 10}
	r.add("SQLite", figures{{"Speed", "1", "", false}, {"Start", "400 ms", "under 300 ms", false}})
	r.add("PostgreSQL 15", figures{{"Speed", "2", "at least 1", true}, {"Start", "200 ms", "under 300 ms", true}})
	want := `2026-01-02. A machine.

10 conversations with 100 messages in the database; PostgreSQL with its default durability, SQLite with ` + "`synchronous=FULL`" + `.

| | SQLite | PostgreSQL 15 | target |
|---|---|---|---|
| Speed | 1 | 2 | at least 1 |
| Start | **400 ms** | 200 ms | under 300 ms |
`
	if got := r.String(); got != want {
		t.Fatalf("got\n%s", got)
	}
	file := filepath.Join(t.TempDir(), "performance.md")
	if err := os.WriteFile(file, []byte("before\n"+beginMark+"old\n"+endMark+"after\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := r.into(file); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(file); err != nil || string(b) != "before\n"+beginMark+want+endMark+"after\n" {
		t.Fatalf("%v\n%s", err, b)
	}
	if err := os.WriteFile(file, []byte("no marks"), 0o600); err != nil {
		t.Fatal(err)
	}
	if r.into(file) == nil {
		t.Error("a file without marks was written")
	}
}

func TestCommandLine(t *testing.T) {
	k := newTaker(t, http.StatusOK)
	hookArgs := []string{"--token", sample.Token, "--account", sample.AccountSID, "--number", sample.Number, "--duration", "100ms"}
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{append([]string{"send", "--url", k.URL + "/hook"}, hookArgs...), exitOK, "answered in"},
		{append([]string{"send", "--url", "http://192.0.2.1/hook"}, hookArgs...), exitFailure, "only a center on this machine"},
		{[]string{"send"}, exitUsage, "missing flags"},
		{[]string{"bench", "--conversations", "5"}, exitFailure, "conversations must be"},
		{[]string{"bench", "--databases", "oracle"}, exitUsage, "must be one of"},
	} {
		var said bytes.Buffer
		if code := run(t.Context(), c.args, &said, &said); code != c.code || !strings.Contains(said.String(), c.says) {
			t.Errorf("%v: code %d, want %d: %s", c.args, code, c.code, said.String())
		}
	}
	if u, err := url.Parse(k.URL); err != nil || !loopback(u) {
		t.Fatal(u, err)
	}
}

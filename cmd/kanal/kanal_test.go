package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"kanal/store"
	"kanal/store/storetest"
)

// clean gives a data dir of its own and no settings from outside.
func clean(t *testing.T) string {
	t.Helper()
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "KANAL_") && !strings.HasPrefix(name, "KANAL_TEST_") {
			t.Setenv(name, "")
			_ = os.Unsetenv(name)
		}
	}
	dir := filepath.Join(t.TempDir(), "data")
	t.Setenv("KANAL_DATA_DIR", dir)
	t.Setenv("KANAL_ADDR", "127.0.0.1:0")
	t.Setenv("KANAL_LOG_FORMAT", "json")
	return dir
}

// program is a running serve command.
type program struct {
	t    *testing.T
	url  string
	stop context.CancelFunc
	code chan int
	log  *logBook
}

// logBook keeps the log and hands each line on.
type logBook struct {
	mu    sync.Mutex
	text  bytes.Buffer
	lines chan string
}

func (l *logBook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *logBook) read(r io.Reader) {
	defer close(l.lines)
	for sc := bufio.NewScanner(r); sc.Scan(); {
		l.mu.Lock()
		l.text.WriteString(sc.Text() + "\n")
		l.mu.Unlock()
		select {
		case l.lines <- sc.Text():
		default:
		}
	}
}

// start serves and waits until it listens.
func start(t *testing.T, args ...string) *program {
	t.Helper()
	r, w := io.Pipe()
	ctx, stop := context.WithCancel(context.Background())
	p := &program{t: t, stop: stop, code: make(chan int, 1), log: &logBook{lines: make(chan string, 1000)}}
	go p.log.read(r)
	go func() {
		p.code <- run(ctx, args, streams{strings.NewReader(""), w, w})
		_ = w.Close()
	}()
	for line := range p.log.lines {
		var entry struct{ Msg, URL string }
		if json.Unmarshal([]byte(line), &entry) == nil && entry.Msg == "listening" {
			p.url = entry.URL
			t.Cleanup(func() { stop(); p.wait() })
			return p
		}
	}
	t.Fatalf("it did not start:\n%s", p.log)
	return nil
}

// wait gives the exit code; the program has ten seconds to stop.
func (p *program) wait() int {
	p.t.Helper()
	select {
	case code := <-p.code:
		p.code <- code
		return code
	case <-time.After(10 * time.Second):
		p.t.Fatalf("it did not stop within ten seconds:\n%s", p.log)
		return -1
	}
}

// once runs a command that ends by itself.
func once(in string, args ...string) (code int, out, errs string) {
	var o, e bytes.Buffer
	code = run(context.Background(), args, streams{strings.NewReader(in), &o, &e})
	return code, o.String(), e.String()
}

func client(t *testing.T) *http.Client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

func fetch(t *testing.T, c *http.Client, method, address string, form url.Values) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = res.Body.Close() })
	return res
}

var administrator = url.Values{"name": {"Kari"}, "email": {"kari@example.com"}, "password": {"correct horse battery"}}

// From the first start to a clean stop, with a stream open.
func TestServe(t *testing.T) {
	dir := clean(t)
	p, c := start(t), client(t)
	if res := fetch(t, c, "GET", p.url+"/", nil); res.Header.Get("Location") != "/setup" {
		t.Fatalf("%d to %q", res.StatusCode, res.Header.Get("Location"))
	}
	if res := fetch(t, c, "POST", p.url+"/setup", administrator); res.Header.Get("Location") != "/admin" {
		t.Fatalf("setup: %d to %q", res.StatusCode, res.Header.Get("Location"))
	}
	stream := fetch(t, c, "GET", p.url+"/events", nil)
	if line, err := bufio.NewReader(stream.Body).ReadString('\n'); err != nil || line != "event: ping\n" {
		t.Fatal(line, err)
	}
	if code, _, said := once("", "serve"); code != exitFailure || said != "kanal: Another Kanal uses this data folder. Stop it first.\n" {
		t.Fatalf("a second one: %d %q", code, said)
	}
	began := time.Now()
	p.stop()
	if code := p.wait(); code != exitOK {
		t.Fatalf("exit code %d:\n%s", code, p.log)
	}
	if d := time.Since(began); d > 3*time.Second {
		t.Errorf("an idle program took %v to stop", d)
	}
	for _, secret := range []string{"correct horse", "kari@example.com"} {
		if strings.Contains(p.log.String(), secret) {
			t.Errorf("%q is in the log:\n%s", secret, p.log)
		}
	}
	if strings.Contains(p.log.String(), `"ERROR"`) {
		t.Errorf("errors in the log:\n%s", p.log)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Fatal(info, err)
	}
	// It starts again on what it has left.
	p = start(t, "serve")
	if res := fetch(t, client(t), "GET", p.url+"/", nil); !strings.HasPrefix(res.Header.Get("Location"), "/login") {
		t.Fatalf("after the second start: to %q", res.Header.Get("Location"))
	}
}

func TestFirstStartAsksForACodeWhenOthersCanReachIt(t *testing.T) {
	clean(t)
	t.Setenv("KANAL_PUBLIC_URL", "https://kanal.example.com")
	p, c := start(t), client(t)
	at := "http://" + regexp.MustCompile(`"addr":"([^"]+)"`).FindStringSubmatch(p.log.String())[1]
	if res := fetch(t, c, "POST", at+"/setup", administrator); res.StatusCode != http.StatusUnprocessableEntity {
		t.Fatalf("without the code: %d", res.StatusCode)
	}
	code := regexp.MustCompile(`"code":"([^"]+)"`).FindStringSubmatch(p.log.String())
	if code == nil {
		t.Fatalf("no code in the log:\n%s", p.log)
	}
	form := url.Values{"token": {code[1]}}
	for k, v := range administrator {
		form[k] = v
	}
	if res := fetch(t, c, "POST", at+"/setup", form); res.Header.Get("Location") != "/admin" {
		t.Fatalf("with the code: %d to %q", res.StatusCode, res.Header.Get("Location"))
	}
}

func TestRefusesToStart(t *testing.T) {
	for name, c := range map[string]struct {
		env  map[string]string
		code int
		says string
	}{
		"simulator in public":    {map[string]string{"KANAL_SIMULATOR": "on", "KANAL_PUBLIC_URL": "https://kanal.example.com"}, exitUsage, "KANAL_SIMULATOR=on is refused"},
		"public URL with a path": {map[string]string{"KANAL_PUBLIC_URL": "https://kanal.example.com/kanal"}, exitUsage, "KANAL_PUBLIC_URL must be"},
		"proxies":                {map[string]string{"KANAL_TRUSTED_PROXIES": "10.0.0.0/8,proxy"}, exitUsage, "KANAL_TRUSTED_PROXIES must hold"},
		"Twilio's address":       {map[string]string{"KANAL_TWILIO_URL": "twilio"}, exitUsage, "KANAL_TWILIO_URL must be"},
		"log level":              {map[string]string{"KANAL_LOG_LEVEL": "loud"}, exitUsage, "must be one of"},
		"address":                {map[string]string{"KANAL_ADDR": "192.0.2.1:80"}, exitFailure, "KANAL_ADDR: cannot listen on 192.0.2.1:80"},
		"metrics":                {map[string]string{"KANAL_METRICS_ADDR": "192.0.2.1:80"}, exitFailure, "KANAL_METRICS_ADDR: cannot listen"},
		"database":               {map[string]string{"KANAL_DATABASE_URL": "mysql://x", "KANAL_SECRET_KEY": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}, exitFailure, "KANAL_DATABASE_URL must begin"},
		"no key":                 {map[string]string{"KANAL_DATABASE_URL": "postgres://kanal:hidden@127.0.0.1:1/kanal"}, exitUsage, "KANAL_SECRET_KEY must be set"},
		"short key":              {map[string]string{"KANAL_SECRET_KEY": "AAAA"}, exitFailure, "KANAL_SECRET_KEY must be 32 bytes"},
		"no such file":           {map[string]string{"KANAL_SECRET_KEY_FILE": "/nowhere/key"}, exitUsage, "KANAL_SECRET_KEY_FILE cannot be read: no such file"},
		"files":                  {map[string]string{"KANAL_FILES_URL": "https://bucket", "KANAL_S3_ACCESS_KEY": "a", "KANAL_S3_SECRET_KEY": "b"}, exitFailure, "KANAL_FILES_URL must be like"},
		"files without a key":    {map[string]string{"KANAL_FILES_URL": "s3://bucket?endpoint=https://127.0.0.1:1", "KANAL_S3_ACCESS_KEY": "a"}, exitFailure, "KANAL_S3_ACCESS_KEY and KANAL_S3_SECRET_KEY"},
		"both":                   {map[string]string{"KANAL_SECRET_KEY": "x", "KANAL_SECRET_KEY_FILE": "/nowhere/key"}, exitUsage, "are both set"},
		"no database": {map[string]string{
			"KANAL_DATABASE_URL": "postgres://kanal:hidden@127.0.0.1:1/kanal", "KANAL_SECRET_KEY": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
		}, exitFailure, "The database does not answer."},
	} {
		t.Run(name, func(t *testing.T) {
			clean(t)
			for k, v := range c.env {
				t.Setenv(k, v)
			}
			code, _, said := once("")
			if code != c.code || !strings.Contains(said, c.says) || strings.Contains(said, "hidden") || strings.Count(said, "\n") != 1 {
				t.Fatalf("%d %q", code, said)
			}
		})
	}
}

func TestWrongKeyRefusesToStart(t *testing.T) {
	dir := clean(t)
	if code, _, said := once("", "migrate"); code != exitOK {
		t.Fatal(said)
	}
	if err := os.Remove(filepath.Join(dir, "secret.key")); err != nil {
		t.Fatal(err)
	}
	if code, _, said := once(""); code != exitFailure || said != "kanal: KANAL_SECRET_KEY does not fit the database.\n" {
		t.Fatalf("%d %q", code, said)
	}
}

func TestUsage(t *testing.T) {
	clean(t)
	for _, args := range [][]string{{"dance"}, {"--nothing"}, {"--secret-key", "x"}, {"--database-url", "postgres://user:secret@host/db"}, {"user"}, {"user", "add", "--email", "a@example.com"}, {"user", "add", "--email", "a@example.com", "--name", "A", "--role", "king"}} {
		if code, _, said := once("", args...); code != exitUsage || !strings.HasPrefix(said, "kanal: ") || strings.Contains(said, "secret@") {
			t.Errorf("%v: %d %q", args, code, said)
		}
	}
	if code, out, _ := once("", "version"); code != exitOK || !strings.HasPrefix(out, "kanal dev") {
		t.Error(code, out)
	}
}

func TestUserAdd(t *testing.T) {
	clean(t)
	add := func(in string, more ...string) (int, string, string) {
		return once(in, append([]string{"user", "add", "--email", "Kari@example.com", "--name", "Kari", "--role", "administrator"}, more...)...)
	}
	if code, _, said := add(""); code != exitFailure || !strings.Contains(said, "kanal migrate") {
		t.Fatalf("without tables: %d %q", code, said)
	}
	p, c := start(t), client(t)
	code, out, said := add("")
	link, _, _ := strings.Cut(out, "\n")
	if code != exitOK || !strings.Contains(link, "/link/") {
		t.Fatalf("%d %q %q", code, out, said)
	}
	// The serving process lets the new administrator in at once.
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	if res := fetch(t, c, "POST", p.url+u.Path, url.Values{"password": {"correct horse battery"}}); res.Header.Get("Location") != "/" {
		t.Fatalf("the link: %d to %q", res.StatusCode, res.Header.Get("Location"))
	}
	if code, _, said := add("short\n", "--password-stdin"); code != exitUsage || !strings.Contains(said, "at least 12") {
		t.Fatalf("%d %q", code, said)
	}
	if code, _, said := add("\n", "--password-stdin"); code != exitUsage {
		t.Fatalf("%d %q", code, said)
	}
	if code, out, said := add("another horse battery\n", "--password-stdin"); code != exitOK || strings.Contains(out, "/link/") {
		t.Fatalf("%d %q %q", code, out, said)
	}
	if res := fetch(t, c, "GET", p.url+"/me", nil); !strings.HasPrefix(res.Header.Get("Location"), "/login") {
		t.Fatal("the reset did not end the login session")
	}
	form := url.Values{"email": {"kari@example.com"}, "password": {"another horse battery"}}
	if res := fetch(t, c, "POST", p.url+"/login", form); res.Header.Get("Location") != "/" {
		t.Fatalf("the new password: %d", res.StatusCode)
	}
}

func TestMetrics(t *testing.T) {
	clean(t)
	l, err := listen(t.Context(), "test", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	_ = l.Close()
	t.Setenv("KANAL_METRICS_ADDR", addr)
	p, c := start(t), client(t)
	fetch(t, c, "GET", p.url+"/healthz", nil)
	fetch(t, c, "GET", p.url+"/made-up", nil)
	b, err := io.ReadAll(fetch(t, c, "GET", "http://"+addr+"/metrics", nil).Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`kanal_http_answers_total{method="GET",route="/healthz",status="200"} 1`, "kanal_streams 0", "kanal_jobs ", "go_goroutines"} {
		if !bytes.Contains(b, []byte(want)) {
			t.Errorf("no %s in\n%s", want, b)
		}
	}
	if bytes.Contains(b, []byte("made-up")) {
		t.Error("a path that nobody has is a label")
	}
	if res := fetch(t, c, "GET", p.url+"/metrics", nil); res.StatusCode == http.StatusOK {
		t.Error("the public address shows the metrics")
	}
}

// Two instances on one PostgreSQL: what happens at one is heard at the other.
func TestTwoInstances(t *testing.T) {
	clean(t)
	t.Setenv("KANAL_SECRET_KEY", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
	t.Setenv("KANAL_DATABASE_URL", storetest.URL(t, store.Postgres))
	a, c := start(t), client(t)
	if res := fetch(t, c, "POST", a.url+"/setup", administrator); res.Header.Get("Location") != "/admin" {
		t.Fatalf("setup: %d", res.StatusCode)
	}
	t.Setenv("KANAL_DATA_DIR", filepath.Join(t.TempDir(), "other"))
	b := start(t)
	// The cookie is for the host; it counts at both.
	stream := bufio.NewReader(fetch(t, c, "GET", b.url+"/events", nil).Body)
	if line, err := stream.ReadString('\n'); err != nil || line != "event: ping\n" {
		t.Fatal(line, err)
	}
	fetch(t, c, "POST", a.url+"/logout", url.Values{"x": {"y"}})
	if _, err := io.ReadAll(stream); err != nil {
		t.Fatal("the stream at the other instance did not end:", err)
	}
}

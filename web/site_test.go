package web

import (
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"

	"kanal/models"
	"kanal/service"
	"kanal/store"
	"kanal/store/storetest"
	"kanal/twilio"
	"kanal/twilio/simulator"
)

// site is a whole server over a fresh database, for tests of pages.
type site struct {
	*Server
	t   *testing.T
	url string
}

const testPassword = "correct horse battery"

var testHash = sync.OnceValue(func() string {
	h, err := argon2id.CreateHash(testPassword, &argon2id.Params{Memory: 64, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32})
	if err != nil {
		panic(err)
	}
	return h
})

// newSite starts a server on SQLite that is set up: it has a default queue and no user yet. Options may be changed.
func newSite(t *testing.T, change ...func(*Options)) *site {
	t.Helper()
	s := newSiteBeforeSetup(t, change...)
	err := s.store.InTx(t.Context(), func(tx *store.Tx) error {
		if err := tx.WinSetup(t.Context()); err != nil {
			return err
		}
		return tx.InsertQueue(t.Context(), &models.Queue{Name: "Default queue", IsDefault: true, Version: 1, CreatedAt: tx.Now()})
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// newSiteBeforeSetup starts a server whose first start is still to come. Its public URL is its own address.
func newSiteBeforeSetup(t *testing.T, change ...func(*Options)) *site {
	t.Helper()
	srv := httptest.NewUnstartedServer(nil)
	public := &url.URL{Scheme: "http", Host: srv.Listener.Addr().String()}
	o := Options{PublicURL: public, Version: "test", Log: storetest.Log(t)}
	for _, f := range change {
		f(&o)
	}
	if o.Store == nil {
		o.Store = storetest.Open(t, store.SQLite, nil)
	}
	if o.Service == nil {
		o.Service = serviceOf(t, o, twilio.Options{})
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var following sync.WaitGroup
	following.Go(func() { s.Follow(ctx) })
	following.Go(func() { o.Service.Follow(ctx) })
	srv.Config = s.HTTPServer()
	srv.Start()
	t.Cleanup(func() { s.Stop(); srv.Close(); stop(); following.Wait() })
	return &site{Server: s, t: t, url: srv.URL}
}

// serviceOf makes the service of a site. The simulator stands at the address that is given, or at its own.
func serviceOf(t *testing.T, o Options, at twilio.Options) *service.Service {
	t.Helper()
	if o.Simulator != nil {
		at.SimulatorMedia, at.IsSimulated = o.Simulator.MediaURL(), o.Simulator.Has
		if at.SimulatorBase == nil {
			at.SimulatorBase = o.Simulator.URL()
		}
	}
	s, err := service.New(t.Context(), service.Options{
		Store: o.Store, Files: storetest.Files(t), Twilio: twilio.New(at), PublicURL: o.PublicURL, Log: o.Log, IsSimulated: at.IsSimulated,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// withSimulator starts the built-in simulator.
func withSimulator(t *testing.T) func(*Options) {
	t.Helper()
	sim, err := simulator.Open(simulator.Options{Now: time.Now, Log: storetest.Log(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sim.Close() })
	return func(o *Options) { o.Simulator = sim }
}

// user adds a user with testPassword, a member of the default queue.
func (s *site) user(role models.Role, email string) models.User {
	s.t.Helper()
	u := models.User{Name: "Test " + string(role), Email: email, Role: role, PasswordHash: testHash(), EnterSends: true, Shortcuts: true}
	err := s.store.InTx(s.t.Context(), func(tx *store.Tx) error {
		if err := tx.InsertUser(s.t.Context(), &u); err != nil {
			return err
		}
		q, err := tx.DefaultQueue(s.t.Context())
		if err != nil {
			return err
		}
		return tx.SetQueueMember(s.t.Context(), q, u.ID, true)
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return u
}

// browser keeps cookies and does not follow redirects. Headers go with every request.
type browser struct {
	t       *testing.T
	url     string
	client  *http.Client
	Headers http.Header
	User    models.User
}

// anonymous gives a browser in which nobody is signed in, in English.
func (s *site) anonymous() *browser {
	jar, _ := cookiejar.New(nil)
	b := &browser{t: s.t, url: s.url, Headers: http.Header{"Accept-Language": {"en"}}}
	b.client = &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	s.t.Cleanup(b.client.CloseIdleConnections)
	return b
}

// as gives a browser in which a new user with the role is signed in.
func (s *site) as(role models.Role) *browser {
	s.t.Helper()
	return s.signedIn(s.user(role, strings.ToLower(string(role))+"@kanal.test"))
}

// signedIn gives a browser in which the user has signed in.
func (s *site) signedIn(u models.User) *browser {
	s.t.Helper()
	b := s.anonymous()
	b.User = u
	b.post("/login", "email", u.Email, "password", testPassword).want(http.StatusSeeOther)
	return b
}

// htmx gives the same browser when htmx asks: kind is partial or full.
func (b *browser) htmx(kind string) *browser {
	other := *b
	other.Headers = b.Headers.Clone()
	other.Headers.Set("HX-Request", "true")
	other.Headers.Set("HX-Request-Type", kind)
	return &other
}

// answer is what came back.
type answer struct {
	t        *testing.T
	Status   int
	Header   http.Header
	Body     string
	Location string
	request  string
}

func (b *browser) get(path string) *answer { return b.do(http.MethodGet, path, "", nil) }

// post sends a form of name, value pairs.
func (b *browser) post(path string, pairs ...string) *answer {
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	return b.do(http.MethodPost, path, "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
}

func (b *browser) do(method, path, kind string, body io.Reader) *answer {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.url+path, body)
	if err != nil {
		b.t.Fatal(err)
	}
	for k, v := range b.Headers {
		req.Header[k] = v
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	res, err := b.client.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return &answer{b.t, res.StatusCode, res.Header, string(text), res.Header.Get("Location"), method + " " + path}
}

// want fails the test unless the answer has the status and holds all the texts.
func (a *answer) want(status int, texts ...string) *answer {
	a.t.Helper()
	if a.Status != status {
		a.t.Fatalf("%s: status %d, want %d (to %q)\n%s", a.request, a.Status, status, a.Location, a.Body)
	}
	for _, s := range texts {
		if !strings.Contains(a.Body, s) {
			a.t.Fatalf("%s: no %q in\n%s", a.request, s, a.Body)
		}
	}
	return a
}

// without fails the test when the answer holds one of the texts.
func (a *answer) without(texts ...string) *answer {
	a.t.Helper()
	for _, s := range texts {
		if strings.Contains(a.Body, s) {
			a.t.Fatalf("%s: %q in\n%s", a.request, s, a.Body)
		}
	}
	return a
}

// to fails the test unless the answer leads to the path.
func (a *answer) to(path string) *answer {
	a.t.Helper()
	if a.want(http.StatusSeeOther); a.Location != path {
		a.t.Fatalf("%s: leads to %q, want %q", a.request, a.Location, path)
	}
	return a
}

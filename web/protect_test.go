package web

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"testing"

	"kanal/models"
)

// protected fails the test unless the headers bound what a browser does with the answer.
func protected(t *testing.T, what string, h http.Header) {
	t.Helper()
	for name, want := range map[string]string{
		"Content-Security-Policy": contentPolicy, "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Cross-Origin-Opener-Policy": "same-origin",
	} {
		if got := h.Get(name); got != want {
			t.Errorf("%s: %s is %q", what, name, got)
		}
	}
	if got := h.Get("Referrer-Policy"); got != "same-origin" && got != "no-referrer" {
		t.Errorf("%s: Referrer-Policy is %q", what, got)
	}
}

// Whatever the status and whoever asks, the headers are there.
func TestEveryKindOfAnswerIsProtected(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b, nobody := s.as(models.Administrator), s.anonymous()
	page, _, _ := strings.Cut(b.get("/me").Body, ".css\"")
	style := page[strings.LastIndex(page, `"`)+1:] + ".css"
	foreign := *b
	foreign.Headers = http.Header{"Sec-Fetch-Site": {"cross-site"}}
	for _, c := range []struct {
		a      *answer
		status int
	}{
		{b.get("/me"), 200}, {b.get(style), 200}, {nobody.get("/healthz"), 200}, {nobody.get("/login"), 200}, {b.htmx("partial").get("/inbox/list"), 200},
		{b.get("/"), 303}, {nobody.get("/me"), 303}, {b.post("/me", "name", "Ada"), 303},
		{b.do("POST", "/me", form, strings.NewReader("name=%ff")), 400}, {nobody.get("/events"), 401}, {nobody.htmx("partial").get("/inbox/list"), 401},
		{s.as(models.Agent).get("/admin"), 403}, {foreign.post("/me", "name", "x"), 403}, {b.get("/nowhere"), 404}, {nobody.get("/static/none.css"), 404},
		{nobody.post("/hooks/twilio/none/inbound", "x", "y"), 404}, {b.get("/logout"), 405}, {b.post("/admin/users/1/deactivate"), 409},
		{b.do("POST", "/me", form, strings.NewReader(strings.Repeat("x", formLimit+1))), 413}, {b.do("POST", "/me", "text/plain", strings.NewReader("x")), 415},
		{b.post("/me", "name", ""), 422}, {b.htmx("full").post("/me", "name", ""), 422},
	} {
		protected(t, c.a.want(c.status).request, c.a.Header)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := b.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if first, err := bufio.NewReader(res.Body).ReadString('\n'); res.StatusCode != http.StatusOK || first != "event: ping\n" {
		t.Errorf("stream: %d, %q, %v", res.StatusCode, first, err)
	}
	protected(t, "the stream", res.Header)
}

// No form of another site does anything, whoever is signed in, whichever header says so. Calls of machines come from anywhere.
func TestEveryPostOfAnotherSiteIsRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t, withSimulator(t))
	b := s.as(models.Administrator)
	for _, r := range s.routes() {
		if r.method != post || r.need == nobody {
			continue
		}
		for _, h := range []http.Header{{"Sec-Fetch-Site": {"cross-site"}}, {"Sec-Fetch-Site": {"same-site"}}, {"Origin": {"https://evil.example"}}, {"Origin": {"null"}}} {
			foreign := *b
			foreign.Headers = h.Clone()
			foreign.Headers.Set("Accept-Language", "en")
			a := request(&foreign, r)
			if a.Status != http.StatusForbidden || !strings.HasPrefix(a.Body, "<!doctype html>") {
				t.Errorf("%s %v: %d", a.request, h, a.Status)
			}
		}
	}
	own := *b
	own.Headers = http.Header{"Origin": {s.url}}
	own.post("/me", "name", "Ada").to("/me")
	own.Headers = http.Header{"Sec-Fetch-Site": {"same-origin"}}
	own.post("/me", "name", "Ada").to("/me")
}

// Reading changes nothing: no row of any table, whoever reads, least of all of the login session.
func TestGetWritesNothing(t *testing.T) {
	x := newTarget(t)
	visits := append(allGets(x.routes(), "1"), allGets(x.routes(), "999999")...)
	for name, b := range map[string]*browser{"nobody": x.anonymous(), "agent": x.owner, "administrator": x.as(models.Administrator)} {
		before, read := x.state(), 0
		for _, path := range visits {
			if b.get(path).Status == http.StatusOK {
				read++
			}
		}
		for table, now := range x.state() {
			if now != before[table] {
				t.Errorf("%s: %s has changed", name, table)
			}
		}
		if name != "nobody" && read < 5 {
			t.Errorf("%s read %d pages", name, read)
		}
	}
}

// allGets gives the address of every page, with this id.
func allGets(routes []route, id string) []string {
	var list []string
	for _, r := range routes {
		if r.method == get && r.path != "/events" {
			list = append(list, parameter.ReplaceAllString(r.path, id))
		}
	}
	return list
}

// What there is not, and what a role may not see, is a page for whoever asks.
func TestRefusalsArePages(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, role := range []models.Role{"", models.Agent, models.Supervisor, models.Administrator} {
		b := s.anonymous()
		if role != "" {
			b = s.as(role)
			b.get("/inbox/999999").want(http.StatusNotFound, "<!doctype html>", "<h1")
		}
		b.get("/nowhere").want(http.StatusNotFound, "<!doctype html>", "<h1", "<title>")
		switch role {
		case models.Agent, models.Supervisor:
			b.get("/admin/users").want(http.StatusForbidden, "<!doctype html>", "<h1", "You may not do this.", `href="/inbox"`)
			b.post("/admin/users", "name", "x").want(http.StatusForbidden, "<!doctype html>", "You may not do this.")
			if a := b.htmx("partial").get("/admin/users").want(http.StatusForbidden).without("<!doctype html>"); a.Header.Get("HX-Reswap") != "none" {
				t.Error("htmx puts the refusal into the page")
			}
		case models.Administrator:
			b.get("/admin/users/999999").want(http.StatusNotFound, "<!doctype html>", "<h1")
		}
	}
}

// A token that somebody planted in the browser does not become a login session.
func TestPlantedTokenIsNotUsed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	u := s.user(models.Agent, "kari@kanal.test")
	b := s.anonymous()
	b.Headers.Set("Cookie", sessionCookie+"=planted")
	if c := b.login(u.Email, testPassword).to("/").cookie(sessionCookie); c.Value == "planted" || len(c.Value) < 40 {
		t.Errorf("the token is %q", c.Value)
	}
	attacker := s.anonymous()
	attacker.Headers.Set("Cookie", sessionCookie+"=planted")
	attacker.get("/inbox").to("/login?next=%2Finbox")
}

// A reset link that is used ends the streams of the browsers that were signed in.
func TestResetEndsStreams(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	admin, ida := s.as(models.Administrator), s.as(models.Agent)
	ended := ida.stream()
	link := linkIn(t, admin.post("/admin/users/2/link").want(http.StatusOK))
	ida.get("/inbox").want(http.StatusOK)
	s.anonymous().post(link, "password", "another horse battery").to("/")
	mustEnd(t, "the old browser", ended)
	ida.get("/inbox").to("/login?next=%2Finbox")
	ida.post("/login", "email", ida.User.Email, "password", testPassword).want(http.StatusUnprocessableEntity)
}

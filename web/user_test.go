package web

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"kanal/models"
)

// cookie gives one of our cookies as the answer sets it.
func (a *answer) cookie(name string) *http.Cookie {
	a.t.Helper()
	for _, c := range (&http.Response{Header: a.Header}).Cookies() {
		if c.Name == name {
			return c
		}
	}
	a.t.Fatalf("%s: no cookie %s in %v", a.request, name, a.Header.Values("Set-Cookie"))
	return nil
}

// stream opens the stream of a page and gives what ends when it ends.
func (b *browser) stream() <-chan struct{} {
	b.t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	b.t.Cleanup(stop)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, b.url+"/events", nil)
	if err != nil {
		b.t.Fatal(err)
	}
	res, err := b.client.Do(req)
	if err != nil || res.StatusCode != http.StatusOK {
		b.t.Fatalf("stream: %v %v", res, err)
	}
	lines := bufio.NewReader(res.Body)
	if first, err := lines.ReadString('\n'); err != nil || first != "event: ping\n" {
		b.t.Fatalf("stream begins with %q, %v", first, err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer func() { _ = res.Body.Close() }()
		for _, err := lines.ReadString('\n'); err == nil; {
			_, err = lines.ReadString('\n')
		}
	}()
	return ended
}

func mustEnd(t *testing.T, what string, ended <-chan struct{}) {
	t.Helper()
	select {
	case <-ended:
	case <-time.After(patience):
		t.Errorf("the stream of %s is still open", what)
	}
}

// The first start: the form with what was typed and never the password, then the administrator is signed in and the
// page is gone.
func TestSetupPage(t *testing.T) {
	t.Parallel()
	s := newSiteBeforeSetup(t)
	b := s.anonymous()
	b.get("/setup").want(http.StatusOK, "Welcome to Kanal", "Create administrator", `name="name"`, `name="email"`, `name="password"`)
	b.Headers.Set("Accept-Language", "nb")
	b.get("/setup").want(http.StatusOK, `lang="nb"`, "Velkommen til Kanal")
	b.Headers.Set("Accept-Language", "en")
	b.post("/setup", "name", "Kari Nordli", "email", "not an address", "password", "too short").
		want(http.StatusUnprocessableEntity, "Kari Nordli", "not an address", "Enter an email address like", "must have at least 12 characters").
		without("too short")
	b.post("/setup", "name", "Kari Nordli", "email", "kari@kanal.test", "password", testPassword).to("/admin")
	b.get("/admin").want(http.StatusOK, "Kari Nordli")
	for _, who := range []*browser{b, s.anonymous()} {
		who.get("/setup").want(http.StatusNotFound)
		who.post("/setup", "name", "Ola", "email", "ola@kanal.test", "password", testPassword).want(http.StatusNotFound)
	}
	s.anonymous().get("/").to("/login")
}

// Every sign-in begins a login session under a new token; the one that the browser had ends.
func TestSignIn(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	u := s.user(models.Agent, "kari@kanal.test")
	b := s.anonymous()
	b.post("/login", "email", "", "password", "").want(http.StatusUnprocessableEntity, "Enter your email address.", "Enter your password.")
	b.post("/login", "email", "Kari@kanal.test", "password", "wrong and secret", "remember", "on", "next", "/me").
		want(http.StatusUnprocessableEntity, "Kari@kanal.test", "The email address or the password is wrong.", `value="/me"`, "checked").
		without("wrong and secret")
	b.get("/me").to("/login?next=%2Fme")
	first := b.post("/login", "email", " KARI@kanal.test", "password", testPassword, "next", "/me").to("/me").cookie(sessionCookie)
	if !first.HttpOnly || first.SameSite != http.SameSiteLaxMode || first.Secure || first.MaxAge != 0 || first.Path != "/" {
		t.Errorf("%+v", first)
	}
	b.get("/me").want(http.StatusOK, u.Email)
	b.get("/login").to("/")
	second := b.post("/login", "email", u.Email, "password", testPassword, "remember", "on").to("/").cookie(sessionCookie)
	if second.Value == first.Value || second.MaxAge != int(rememberedLife/time.Second) {
		t.Errorf("%+v after %+v", second, first)
	}
	old := s.anonymous()
	old.Headers.Set("Cookie", sessionCookie+"="+first.Value)
	old.get("/me").want(http.StatusSeeOther)
	list, err := s.store.LoginSessionsOf(t.Context(), u.ID)
	if err != nil || len(list) != 1 || list[0].TokenHash == second.Value || list[0].TokenHash != hashToken(second.Value) {
		t.Errorf("%+v %v", list, err)
	}
}

func TestCookiesOfAPublicAddress(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(o *Options) { o.PublicURL = &url.URL{Scheme: "https", Host: "kanal.example"} })
	u := s.user(models.Agent, "kari@kanal.test")
	a := s.anonymous().post("/login", "email", u.Email, "password", testPassword).to("/")
	if !a.cookie(sessionCookie).Secure || !strings.HasPrefix(a.Header.Get("Strict-Transport-Security"), "max-age=") {
		t.Errorf("%v", a.Header)
	}
}

// One's own page lists the browsers that are signed in; each can be signed out, and its stream ends.
func TestLoginSessions(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	u := s.user(models.Agent, "kari@kanal.test")
	here, phone := s.signedIn(u), s.anonymous()
	phone.Headers.Set("User-Agent", "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Safari/604.1")
	phone.post("/login", "email", u.Email, "password", testPassword).to("/")
	ended := phone.stream()
	page := here.get("/me").want(http.StatusOK, "Where you are signed in", "Safari, iPhone", "This browser", "127.0.0.1")
	found := regexp.MustCompile(`name="session" value="([^"]+)"`).FindAllStringSubmatch(page.Body, -1)
	if len(found) != 1 {
		t.Fatalf("offers to end %v", found)
	}
	here.post("/me/sessions/end", "session", found[0][1]).to("/me")
	here.get("/me").want(http.StatusOK, "The browser is signed out").without("Safari, iPhone")
	mustEnd(t, "the phone", ended)
	phone.get("/me").to("/login?next=%2Fme")
	here.post("/me/sessions/end", "session", found[0][1]).want(http.StatusNotFound)
	ended = here.stream()
	a := here.post("/logout").to("/login")
	if c := a.cookie(sessionCookie); c.MaxAge >= 0 || a.Header.Get("Clear-Site-Data") == "" {
		t.Errorf("%v", a.Header)
	}
	mustEnd(t, "who signed out", ended)
	here.get("/me").to("/login?next=%2Fme")
	here.htmx("partial").get("/inbox/list").want(http.StatusUnauthorized)
}

var oneTimeLink = regexp.MustCompile(`http://[^"]+(/link/[A-Z0-9]+)`)

// linkIn gives the path of the one-time link on the page that shows it.
func linkIn(t *testing.T, a *answer) string {
	t.Helper()
	found := oneTimeLink.FindStringSubmatch(a.Body)
	if found == nil {
		t.Fatalf("no link in\n%s", a.Body)
	}
	return found[1]
}

// A new user comes by a one-time link, chooses a password and is signed in; the link does nothing more.
func TestInvitation(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	admin := s.as(models.Administrator)
	admin.get("/admin/users/new").want(http.StatusOK, "New user", "Default queue")
	admin.post("/admin/users", "name", "", "email", "nobody", "role", "king", "queue-1", "on").
		want(http.StatusUnprocessableEntity, "Enter a name.", "Enter an email address like", "Choose a role.", `value="nobody"`)
	admin.post("/admin/users", "name", "Twice", "email", admin.User.Email, "role", "agent").
		want(http.StatusUnprocessableEntity, "Another user has this email address.")
	shown := admin.post("/admin/users", "name", "Ida Holm", "email", "Ida@kanal.test", "role", "agent", "queue-1", "on").
		want(http.StatusOK, "One-time link for Ida Holm", "The link is shown only now.")
	link := linkIn(t, shown)
	admin.get("/admin/users").want(http.StatusOK, "Ida Holm", "ida@kanal.test", "Invited").without(link)

	ida := s.anonymous()
	a := ida.get(link).want(http.StatusOK, "Hello, Ida Holm.")
	if a.Header.Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("%v", a.Header)
	}
	ida.post(link, "password", "too short").want(http.StatusUnprocessableEntity, "at least 12 characters").without("too short")
	ida.post(link, "password", testPassword).to("/")
	ida.get("/").to("/inbox")
	ida.get("/admin").want(http.StatusForbidden)
	for _, gone := range []*answer{ida.get(link), s.anonymous().get(link), s.anonymous().post(link, "password", testPassword)} {
		gone.want(http.StatusNotFound, "The link has been used or has expired.")
	}
	admin.get("/admin/users").want(http.StatusOK, "Active")
	reset := linkIn(t, admin.post(fmt.Sprintf("/admin/users/%d/link", admin.User.ID+1)).want(http.StatusOK, "One-time link for Ida Holm"))
	s.anonymous().post(reset, "password", "another horse battery").to("/")
	ida.get("/inbox").to("/login?next=%2Finbox")
}

// Deactivating closes what the user has open and keeps them out.
func TestDeactivation(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	admin := s.as(models.Administrator)
	ida := s.as(models.Agent)
	ended, at := ida.stream(), fmt.Sprintf("/admin/users/%d", ida.User.ID)
	admin.get(at).want(http.StatusOK, "Deactivate", "The conversations return to the queue.")
	admin.post(at + "/deactivate").to("/admin/users")
	mustEnd(t, "who is deactivated", ended)
	ida.get("/inbox").to("/login?next=%2Finbox")
	ida.post("/login", "email", ida.User.Email, "password", testPassword).want(http.StatusUnprocessableEntity, "is wrong")
	admin.get("/admin/users").want(http.StatusOK, "User deactivated", "Deactivated")
	admin.get(at).want(http.StatusOK, "Reactivate").without("Make a one-time link")
	admin.post(at+"/link").want(http.StatusConflict, "The user is deactivated.")
	admin.post(at + "/reactivate").to("/admin/users")
	ida.post("/login", "email", ida.User.Email, "password", testPassword).to("/")

	own := fmt.Sprintf("/admin/users/%d", admin.User.ID)
	admin.get(own).want(http.StatusOK).without("/deactivate")
	admin.post(own+"/deactivate").want(http.StatusConflict, "This is the last administrator.")
	admin.post(own, "name", "Me", "role", "agent", "version", "1").want(http.StatusUnprocessableEntity, "This is the last administrator.")
	for _, path := range []string{"/admin/users/999999", "/admin/users/x"} {
		admin.get(path).want(http.StatusNotFound)
		admin.post(path, "name", "x", "role", "agent").want(http.StatusNotFound)
		admin.post(path + "/link").want(http.StatusNotFound)
		admin.post(path + "/deactivate").want(http.StatusNotFound)
		admin.post(path + "/reactivate").want(http.StatusNotFound)
	}
}

// A role that changes holds from the next request on.
func TestRoleChanges(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	admin, ida := s.as(models.Administrator), s.as(models.Agent)
	at := fmt.Sprintf("/admin/users/%d", ida.User.ID)
	ida.get("/admin").want(http.StatusForbidden)
	admin.post(at, "name", "Ida", "role", "administrator", "version", "1", "queue-1", "on").to("/admin/users")
	ida.get("/admin").want(http.StatusOK)
	admin.post(at, "name", "", "role", "agent", "version", "2").want(http.StatusUnprocessableEntity, "Enter a name.", ">Ida</h1>")
	admin.post(at, "name", "Ida Holm", "role", "agent", "version", "2").to("/admin/users")
	ida.get("/admin").want(http.StatusForbidden)
}

// Of two administrators who change a user the second sees both values, and decides.
func TestUserConflict(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	admin, ida := s.as(models.Administrator), s.user(models.Agent, "ida@kanal.test")
	at := fmt.Sprintf("/admin/users/%d", ida.ID)
	admin.post(at, "name", "Ida Holm", "role", "supervisor", "version", "1", "queue-1", "on").to("/admin/users")
	admin.post(at, "name", "Ida Berg", "role", "agent", "version", "1").
		want(http.StatusConflict, "Somebody else has changed the user. Look at the changes before you save.", "<title>Error: ", "</span>Ida Holm</dd>",
			"</span>Ida Berg</dd>", "</span>Supervisor</dd>", "</span>Agent</dd>", "</span>Default queue</dd>", "</span>None</dd>", `name="version" value="2"`, `value="Ida Berg"`)
	admin.post(at, "name", "Ida Holm", "role", "agent", "version", "nonsense", "queue-1", "on").
		want(http.StatusConflict, "</span>Agent</dd>").without("</span>Ida Holm</dd>", "</span>Default queue</dd>")
	nb := *admin
	nb.Headers = http.Header{"Accept-Language": {"nb"}}
	nb.post(at, "name", "Ida Berg", "role", "supervisor", "version", "1", "queue-1", "on").
		want(http.StatusConflict, "Noen andre har endret brukeren. Se endringene før du lagrer.")
	admin.post(at, "name", "Ida Berg", "role", "agent", "version", "2").to("/admin/users")
	if u, err := s.store.User(t.Context(), ida.ID); err != nil || u.Name != "Ida Berg" || u.Role != models.Agent {
		t.Errorf("%+v %v", u, err)
	}
}

// A person's own page: what was typed comes back, and the other browsers end with the old password.
func TestProfilePage(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	u := s.user(models.Agent, "kari@kanal.test")
	b, other := s.signedIn(u), s.signedIn(u)
	b.post("/me", "name", "", "language", "xx", "theme", "red", "time_zone", "Nowhere").want(http.StatusUnprocessableEntity,
		"Enter a name.", "Choose a language from the list.", "Choose a theme from the list.", "Choose a time zone from the list.")
	b.post("/me", "name", "Kari Nordli", "language", "en", "theme", "dark", "time_zone", "Europe/Oslo").to("/me")
	b.get("/me").want(http.StatusOK, "Profile saved", `value="Kari Nordli"`, `data-theme="dark"`)
	b.post("/me/password", "current", "not it, secret", "password", "short").
		want(http.StatusUnprocessableEntity, "The password is not right.", "at least 12 characters").without("not it, secret")
	b.post("/me/password", "current", testPassword, "password", "another horse battery").to("/me")
	b.get("/me").want(http.StatusOK, "Password changed")
	other.get("/me").to("/login?next=%2Fme")
	for range 4 {
		b.post("/me/password", "current", "wrong", "password", testPassword).want(http.StatusUnprocessableEntity)
	}
	b.post("/me/password", "current", "another horse battery", "password", testPassword).want(http.StatusTooManyRequests, "Too many tries.")
}

// Language and theme: what this browser chose, then the profile, then what the browser asks for.
func TestLanguageAndTheme(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	u := s.user(models.Agent, "kari@kanal.test")
	b := s.anonymous()
	speaks := func(lang, theme string) {
		t.Helper()
		a := b.get("/me")
		if a.Status == http.StatusSeeOther {
			a = b.get("/login")
		}
		a.want(http.StatusOK, `lang="`+lang+`"`)
		if got := strings.Contains(a.Body, "data-theme="); got != (theme != "") || theme != "" && !strings.Contains(a.Body, `data-theme="`+theme+`"`) {
			t.Errorf("theme %q is not in\n%.300s", theme, a.Body)
		}
	}
	b.Headers.Set("Accept-Language", "fr, nn;q=0.9, en;q=0.8")
	speaks("nb", "")
	b.Headers.Set("Accept-Language", "en-GB,nb;q=0.5")
	speaks("en", "")
	b.post("/preferences", "lang", "nb", "next", "/login").to("/login")
	b.post("/preferences", "theme", "dark").to("/")
	speaks("nb", "dark")
	b.post("/login", "email", u.Email, "password", testPassword).to("/")
	b.post("/me", "name", "Kari", "language", "en", "theme", "light").to("/me")
	speaks("en", "light")
	b.Headers.Set("Cookie", languageCookie+"=nb; "+themeCookie+"=system")
	speaks("nb", "")
	b.Headers.Del("Cookie")
	b.post("/preferences", "theme", "system", "next", "https://evil.example/").to("/")
	b.Headers.Set("Accept-Language", "nb")
	speaks("en", "")
	b.post("/preferences", "lang", "xx").want(http.StatusBadRequest)
}

// The policy of every answer lets a page use what is ours alone, nothing inline, and nobody frame it.
func TestContentPolicy(t *testing.T) {
	parts := strings.Split(contentPolicy, "; ")
	for _, want := range []string{"default-src 'self'", "object-src 'none'", "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'"} {
		if !slices.Contains(parts, want) {
			t.Errorf("no %s in %s", want, contentPolicy)
		}
	}
	if strings.Contains(contentPolicy, "unsafe") || strings.Contains(contentPolicy, "script-src") {
		t.Error(contentPolicy)
	}
}

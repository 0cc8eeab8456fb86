package web

import (
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"kanal/models"
	"kanal/service"
	"kanal/store"
	"kanal/store/storetest"
)

// withClock gives a site a clock that the test moves. It begins at the machine's time, by which cookies expire.
func withClock(t *testing.T) (*storetest.Clock, func(*Options)) {
	clock := storetest.NewClock()
	clock.Advance(time.Until(clock.Now()))
	return clock, func(o *Options) { o.Store = storetest.Open(t, store.SQLite, clock.Now) }
}

// behindProxy makes the site believe what X-Forwarded-For says; from gives a browser with that address.
func behindProxy(o *Options) {
	o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
}

func (s *site) from(ip string) *browser {
	b := s.anonymous()
	b.Headers.Set("X-Forwarded-For", ip)
	return b
}

const (
	wrongLogin = "The email address or the password is wrong."
	tooMany    = "Too many tries. Wait a little before you try again."
)

func (b *browser) login(email, password string) *answer {
	return b.post("/login", "email", email, "password", password)
}

// The answer does not tell whose address is known.
func TestSignInTellsNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.user(models.Agent, "ida@kanal.test")
	gone := s.user(models.Agent, "gone@kanal.test")
	if err := s.service.DeactivateUser(t.Context(), models.Viewer{}, gone.ID); err != nil {
		t.Fatal(err)
	}
	b := s.anonymous()
	var answers []string
	for _, email := range []string{"ida@kanal.test", "nobody@kanal.test", "gone@kanal.test"} {
		a := b.login(email, testPassword+"x")
		a.want(http.StatusUnprocessableEntity, wrongLogin, `value="`+email+`"`).without(testPassword)
		if len(a.Header["Set-Cookie"]) > 0 {
			t.Errorf("%s: a cookie: %v", email, a.Header)
		}
		answers = append(answers, strings.ReplaceAll(a.Body, email, "…"))
	}
	if answers[0] != answers[1] || answers[0] != answers[2] {
		t.Error("the answers differ")
	}
	b.login("gone@kanal.test", testPassword).want(http.StatusUnprocessableEntity, wrongLogin)
}

// The account waits wherever the guesses come from.
func TestFiveWrongPasswordsSlowTheAccount(t *testing.T) {
	t.Parallel()
	clock, withIt := withClock(t)
	s := newSite(t, withIt, behindProxy)
	s.user(models.Agent, "ida@kanal.test")
	for _, email := range []string{"ida@kanal.test", "nobody@kanal.test"} {
		for i := range 5 {
			s.from(fmt.Sprintf("192.0.2.%d", i)).login(email, "wrong").want(http.StatusUnprocessableEntity, wrongLogin)
		}
		s.from("198.51.100.1").login(email, testPassword).want(http.StatusTooManyRequests, tooMany, `value="`+email+`"`).without(testPassword)
		clock.Advance(time.Minute)
	}
	s.from("198.51.100.1").login("ida@kanal.test", testPassword).to("/")
}

// The address waits whomever it guesses: of IPv6 the /64 that one person has.
func TestFiveWrongPasswordsSlowTheAddress(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ same, other func(int) string }{
		"IPv4":         {func(int) string { return "192.0.2.1" }, func(int) string { return "192.0.2.2" }},
		"IPv6":         {func(i int) string { return fmt.Sprintf("2001:db8:1:2:%x::1", i) }, func(int) string { return "2001:db8:1:3::1" }},
		"IPv4 in IPv6": {func(i int) string { return []string{"::ffff:192.0.2.1", "192.0.2.1"}[i%2] }, func(int) string { return "::ffff:192.0.2.2" }},
	} {
		t.Run(name, func(t *testing.T) {
			clock, withIt := withClock(t)
			s := newSite(t, withIt, behindProxy)
			s.user(models.Agent, "ida@kanal.test")
			for i := range 7 { // right ones are given back
				s.from(c.same(i)).login("ida@kanal.test", testPassword).to("/")
			}
			for i := range 5 {
				s.from(c.same(i)).login(fmt.Sprintf("nobody%d@kanal.test", i), "wrong").want(http.StatusUnprocessableEntity)
			}
			s.from(c.same(5)).login("ida@kanal.test", testPassword).want(http.StatusTooManyRequests, tooMany, "ida@kanal.test").without(testPassword)
			s.from(c.other(0)).login("ida@kanal.test", testPassword).to("/")
			clock.Advance(guessEvery - time.Second)
			s.from(c.same(6)).login("ida@kanal.test", testPassword).want(http.StatusTooManyRequests)
			clock.Advance(time.Second)
			s.from(c.same(7)).login("ida@kanal.test", testPassword).to("/")
		})
	}
}

func TestGuessedAddressesAreBounded(t *testing.T) {
	g, now := newGuesses(), time.Unix(0, 0)
	if g.take("no address", now) == nil {
		t.Error("what cannot be read waits at once")
	}
	clear(g.from)
	address := func(i int) string { return fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255) }
	for i := range guessAddresses {
		g.take(address(i), now)
	}
	now = now.Add(guessBurst * guessEvery) // all but the one that goes on are forgotten
	for range guessBurst {
		g.take(address(0), now)
	}
	g.take(address(guessAddresses), now)
	if len(g.from) != 2 || g.take(address(0), now) != nil {
		t.Errorf("%d are kept", len(g.from))
	}
	for i := range guessAddresses + 10 {
		g.take(address(i), now)
	}
	if len(g.from) > guessAddresses {
		t.Errorf("%d are kept", len(g.from))
	}
}

// Guesses of the current password count for the address as guesses at the door do.
func TestOwnPasswordSlowsTheAddress(t *testing.T) {
	t.Parallel()
	_, withIt := withClock(t)
	s := newSite(t, withIt)
	a, b := s.as(models.Agent), s.as(models.Supervisor)
	change := func(b *browser, current, password string) *answer {
		return b.post("/me/password", "current", current, "password", password)
	}
	for range 7 { // the current one is right: no guess
		change(a, testPassword, "short").want(http.StatusUnprocessableEntity, "at least 12 characters").without("The password is not right.", testPassword)
	}
	for range 3 {
		change(a, "wrong", testPassword).want(http.StatusUnprocessableEntity, "The password is not right.", "<title>Error: ")
	}
	for range 2 {
		change(b, "wrong", testPassword).want(http.StatusUnprocessableEntity)
	}
	change(b, testPassword, testPassword+"!").want(http.StatusTooManyRequests, tooMany)
	s.anonymous().login(a.User.Email, testPassword).want(http.StatusTooManyRequests)
}

// The code of the first start is guessed no faster than a password.
func TestSetupCodeIsNotGuessed(t *testing.T) {
	t.Parallel()
	clock, withIt := withClock(t)
	s := newSiteBeforeSetup(t, withIt, func(o *Options) { o.SetupToken = "right" })
	b := s.anonymous()
	setup := func(code string) *answer {
		return b.post("/setup", "name", "A", "email", "a@kanal.test", "password", testPassword, "token", code)
	}
	b.get("/setup").want(http.StatusOK, "One-time code")
	for range guessBurst {
		setup("wrong").want(http.StatusUnprocessableEntity, "The code is not right.", `value="a@kanal.test"`).without(testPassword)
	}
	for _, code := range []string{"wrong", "right"} { // who guesses too often does not hear whether it was right
		setup(code).want(http.StatusTooManyRequests, tooMany, `value="a@kanal.test"`, "<title>Error: ").without(testPassword)
	}
	clock.Advance(guessEvery)
	setup("").want(http.StatusUnprocessableEntity)
	clock.Advance(guessEvery)
	setup(" right ").to("/admin")
	b.get("/admin").want(http.StatusOK)
	s.anonymous().get("/setup").want(http.StatusNotFound, "<!doctype html>")
	s.anonymous().post("/setup", "token", "right").want(http.StatusNotFound)
}

func TestOneTimeLinkPage(t *testing.T) {
	t.Parallel()
	clock, withIt := withClock(t)
	s := newSite(t, withIt)
	admin := s.as(models.Administrator)
	newLink := func() string { return linkIn(t, admin.post("/admin/users/2/link").want(http.StatusOK)) }
	_, _, err := s.service.AddUser(t.Context(), viewerOf(admin.User), service.UserForm{Name: "Ida Holm", Email: "ida@kanal.test", Role: models.Agent})
	if err != nil {
		t.Fatal(err)
	}
	const gone = "The link has been used or has expired. Ask an administrator for a new one."
	first, b := newLink(), s.anonymous()
	second := newLink()
	b.get(first).want(http.StatusNotFound, gone, "<!doctype html>")
	b.post(first, "password", testPassword).want(http.StatusNotFound, gone)
	if a := b.get(second).want(http.StatusOK, "Ida"); a.Header.Get("Referrer-Policy") != "no-referrer" {
		t.Error("the link leaves with the referrer")
	}
	b.post(second, "password", "short").want(http.StatusUnprocessableEntity, "at least 12 characters").without("short\"")
	b.post(second, "password", testPassword).to("/")
	b.get("/inbox").want(http.StatusOK)
	s.anonymous().get(second).want(http.StatusNotFound, gone)
	s.anonymous().post(second, "password", testPassword+"!").want(http.StatusNotFound, gone)

	third := newLink()
	clock.Advance(72*time.Hour - time.Second)
	s.anonymous().get(third).want(http.StatusOK)
	clock.Advance(time.Second)
	s.anonymous().get(third).want(http.StatusNotFound, gone)
	s.anonymous().post(third, "password", testPassword).want(http.StatusNotFound, gone)

	admin = s.signedIn(admin.User)
	fourth := newLink()
	admin.post("/admin/users/2/deactivate").to("/admin/users")
	s.anonymous().get(fourth).want(http.StatusNotFound, gone)
	s.anonymous().post(fourth, "password", testPassword).want(http.StatusNotFound, gone)
}

// https makes the public address one of https.
func https(o *Options) { o.PublicURL = &url.URL{Scheme: "https", Host: "kanal.example"} }

func TestCookies(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Options){"http": func(*Options) {}, "https": https} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, change)
			u := s.user(models.Administrator, "a@kanal.test")
			b := s.anonymous()
			answers := []*answer{
				b.post("/login", "email", u.Email, "password", testPassword, "remember", "on"),
				b.post("/preferences", "lang", "nb", "theme", "dark"),
			}
			signed := (&http.Response{Header: answers[0].Header}).Cookies()
			b.Headers.Set("Cookie", sessionCookie+"="+signed[0].Value) // a browser with http does not send what is Secure
			answers = append(answers,
				b.post("/me", "name", "Ada", "language", "en"), b.post("/logout"))
			seen := map[string]bool{}
			for _, a := range answers {
				for _, c := range (&http.Response{Header: a.want(http.StatusSeeOther).Header}).Cookies() {
					seen[c.Name] = true
					if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || c.Secure != (name == "https") {
						t.Errorf("%s: %s", a.request, c)
					}
				}
			}
			for _, c := range []string{sessionCookie, languageCookie, themeCookie, flashCookie} {
				if !seen[c] {
					t.Errorf("no cookie %s was set", c)
				}
			}
			if signed[0].MaxAge != int(rememberedLife/time.Second) {
				t.Errorf("remembered for %d s", signed[0].MaxAge)
			}
			if a := answers[3]; a.Header.Get("Clear-Site-Data") != `"storage"` {
				t.Error("signing out leaves what the browser keeps")
			}
		})
	}
	s := newSite(t)
	s.user(models.Agent, "ida@kanal.test")
	if c := (&http.Response{Header: s.anonymous().login("ida@kanal.test", testPassword).Header}).Cookies()[0]; c.MaxAge != 0 || !c.Expires.IsZero() {
		t.Errorf("not remembered, yet kept: %s", c)
	}
}

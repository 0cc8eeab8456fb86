package web

import (
	"errors"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
	"golang.org/x/time/rate"

	"kanal/models"
	"kanal/service"
	"kanal/views"
	"kanal/views/components"
	"kanal/views/people"
)

// Limits of wrong guesses from one address: five at once, then one in twenty seconds.
const (
	guessBurst = 5
	guessEvery = 20 * time.Second
	// guessAddresses bounds how many addresses are remembered.
	guessAddresses = 20_000
)

// guesses slows an address down that guesses passwords or one-time codes.
type guesses struct {
	mu   sync.Mutex
	from map[netip.Prefix]*rate.Limiter
}

func newGuesses() *guesses { return &guesses{from: map[netip.Prefix]*rate.Limiter{}} }

// network gives what one person has: an IPv4 address, or the /64 of an IPv6 address.
func network(ip string) netip.Prefix {
	a, err := netip.ParseAddr(ip)
	if err != nil {
		return netip.Prefix{}
	}
	bits := 64
	if a = a.Unmap(); a.Is4() {
		bits = 32
	}
	p, _ := a.WithZone("").Prefix(bits) // fits: the bits are those of the family
	return p
}

// take counts a guess of an address; nil when it must wait. A right guess is given back.
func (g *guesses) take(ip string, now time.Time) (giveBack func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	key := network(ip)
	l := g.from[key]
	if l == nil {
		if len(g.from) >= guessAddresses {
			g.forget(now)
		}
		l = rate.NewLimiter(rate.Every(guessEvery), guessBurst)
		g.from[key] = l
	}
	r := l.ReserveN(now, 1)
	if r.DelayFrom(now) > 0 {
		r.CancelAt(now)
		return nil
	}
	return func() { r.CancelAt(now) }
}

// forget drops the addresses that have not guessed for a while, or all when there are none.
func (g *guesses) forget(now time.Time) {
	for k, l := range g.from {
		if l.TokensAt(now) >= guessBurst {
			delete(g.from, k)
		}
	}
	if len(g.from) >= guessAddresses {
		clear(g.from)
	}
}

func (s *Server) loginPage(c echo.Context) error {
	next := ownPath(c.QueryParam("next"))
	if viewer(c).User != 0 {
		return s.redirect(c, orHome(next))
	}
	return s.showLogin(c, http.StatusOK, people.LoginForm{Next: next, SignedOut: c.QueryParam("signed_out") != ""})
}

func orHome(next string) string {
	if next == "" {
		return "/"
	}
	return next
}

func (s *Server) showLogin(c echo.Context, status int, f people.LoginForm) error {
	page := s.page(c, text(c, "login.title"))
	page.Failed = f.Errors.Any()
	return s.render(c, status, page, views.Centre(page, people.Login(f)), nil)
}

func (s *Server) login(c echo.Context) error {
	ctx := c.Request().Context()
	f := people.LoginForm{Email: field(c, "email"), Next: ownPath(field(c, "next")), Remember: on(c, "remember")}
	var problems models.FieldErrors
	if f.Email == "" {
		problems.Add("email", "login.email_missing")
	}
	if secret(c, "password") == "" {
		problems.Add("password", "login.password_missing")
	}
	if problems.Err() != nil {
		f.Errors = components.ErrorsOf(ctx, problems)
		return s.showLogin(c, http.StatusUnprocessableEntity, f)
	}
	u, err := s.tryPassword(c, f.Email, secret(c, "password"))
	var refused *models.Error
	if errors.As(err, &refused) && refused.Kind != models.KindInternal {
		f.Errors = f.Errors.With("email", text(c, refused.Key))
		return s.showLogin(c, statusOf[refused.Kind], f)
	}
	if err != nil {
		return err
	}
	if err := s.signIn(c, u, f.Remember); err != nil {
		return err
	}
	return s.redirect(c, orHome(f.Next))
}

// tryPassword signs in unless the address has guessed too often.
func (s *Server) tryPassword(c echo.Context, email string, password models.Secret) (models.User, error) {
	giveBack := s.guesses.take(c.RealIP(), s.store.Now())
	if giveBack == nil {
		return models.User{}, service.ErrTooManyTries
	}
	u, err := s.service.SignIn(c.Request().Context(), email, password)
	if err == nil {
		giveBack()
	}
	return u, err
}

func (s *Server) logout(c echo.Context) error {
	if err := s.signOut(c); err != nil {
		return err
	}
	return s.redirect(c, "/login")
}

func linkToken(c echo.Context) models.Secret { return models.Secret(c.Param("token")) }

func (s *Server) linkPage(c echo.Context) error {
	return s.showLink(c, http.StatusOK, components.Errors{})
}

func (s *Server) showLink(c echo.Context, status int, errs components.Errors) error {
	u, err := s.store.UserByLink(c.Request().Context(), linkToken(c), s.store.Now())
	if errors.Is(err, models.ErrNotFound) {
		return service.ErrLink
	}
	if err != nil {
		return err
	}
	c.Response().Header().Set("Referrer-Policy", "no-referrer")
	page := s.page(c, text(c, "link.title"))
	page.Failed, page.User = errs.Any(), views.User{}
	body := people.Link(people.LinkForm{Token: linkToken(c), Name: u.Name, Email: u.Email, Errors: errs})
	return s.render(c, status, page, views.Centre(page, body), nil)
}

// link sets the password of a one-time link and signs the user in.
func (s *Server) link(c echo.Context) error {
	ctx := c.Request().Context()
	u, err := s.service.UseLink(ctx, visitor(c), linkToken(c), secret(c, "password"))
	var problems models.FieldErrors
	if errors.As(err, &problems) {
		return s.showLink(c, http.StatusUnprocessableEntity, components.ErrorsOf(ctx, problems))
	}
	if err != nil {
		return err
	}
	if err := s.signIn(c, u, false); err != nil {
		return err
	}
	return s.redirect(c, "/")
}

// preferences sets language or theme: in cookies, and in the profile of somebody who is signed in.
func (s *Server) preferences(c echo.Context) error {
	lang, theme := field(c, "lang"), field(c, "theme")
	if !service.ValidLanguage(lang) || theme != "system" && !service.ValidTheme(theme) {
		return errUnreadable
	}
	if p := personOf(c); p.viewer.User != 0 {
		language, look := p.user.Language, p.user.Theme
		if lang != "" {
			language = lang
		}
		if theme != "" {
			look = theme
		}
		if look == "system" {
			look = ""
		}
		if err := s.service.SaveAppearance(c.Request().Context(), p.viewer, language, look); err != nil {
			return err
		}
	}
	if lang != "" {
		s.setCookie(c, languageCookie, lang, choiceLife)
	}
	if theme != "" {
		s.setCookie(c, themeCookie, theme, choiceLife)
	}
	return s.redirect(c, orHome(ownPath(field(c, "next"))))
}

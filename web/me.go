package web

import (
	"errors"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"kanal/models"
	"kanal/service"
	"kanal/views"
	"kanal/views/components"
	"kanal/views/people"
)

func (s *Server) mePage(c echo.Context) error {
	return s.showMe(c, http.StatusOK, people.MePage{Profile: people.ProfileOf(personOf(c).user)})
}

// showMe adds what the forms do not hold: who it is, and where they are signed in.
func (s *Server) showMe(c echo.Context, status int, m people.MePage) error {
	p := personOf(c)
	list, err := s.store.LoginSessionsOf(c.Request().Context(), p.viewer.User)
	if err != nil {
		return err
	}
	m.Email = p.user.Email
	for _, l := range list {
		m.Sessions = append(m.Sessions, people.Session{
			ID: l.TokenHash, Browser: people.Browser(l.UserAgent), IP: l.IP, Since: l.CreatedAt, Current: l.TokenHash == p.session,
		})
	}
	page := s.page(c, text(c, "me.title"))
	page.Rail.Active, page.Failed = "me", m.Profile.Errors.Any() || m.Password.Any()
	body := people.Me(m, s.store.Now())
	return s.render(c, status, page, views.Plain(page, body), nil)
}

func (s *Server) me(c echo.Context) error {
	ctx := c.Request().Context()
	f := people.ProfileForm{
		Name: field(c, "name"), Language: field(c, "language"), Theme: field(c, "theme"), TimeZone: field(c, "time_zone"),
		EnterSends: on(c, "enter_sends"), Shortcuts: on(c, "shortcuts"),
	}
	err := s.service.SaveProfile(ctx, viewer(c), service.Profile{
		Name: f.Name, Language: f.Language, Theme: f.Theme, TimeZone: f.TimeZone, EnterSends: f.EnterSends, Shortcuts: f.Shortcuts,
	})
	var problems models.FieldErrors
	if errors.As(err, &problems) {
		f.Errors = components.ErrorsOf(ctx, problems)
		return s.showMe(c, http.StatusUnprocessableEntity, people.MePage{Profile: f})
	}
	if err != nil {
		return err
	}
	// From now on the profile counts, not what this browser chose before.
	s.setCookie(c, languageCookie, "", -1)
	s.setCookie(c, themeCookie, "", -1)
	return s.done(c, "/me", "done.profile_saved")
}

func (s *Server) mePassword(c echo.Context) error {
	ctx, p := c.Request().Context(), personOf(c)
	err := s.changePassword(c)
	m := people.MePage{Profile: people.ProfileOf(p.user)}
	var problems models.FieldErrors
	switch {
	case errors.As(err, &problems):
		m.Password = components.ErrorsOf(ctx, problems)
		return s.showMe(c, http.StatusUnprocessableEntity, m)
	case errors.Is(err, service.ErrTooManyTries):
		m.Password = m.Password.With("current", text(c, service.ErrTooManyTries.Key))
		return s.showMe(c, http.StatusTooManyRequests, m)
	case err != nil:
		return err
	}
	return s.done(c, "/me", "done.password_changed")
}

// changePassword does it unless the address has guessed too often.
func (s *Server) changePassword(c echo.Context) error {
	giveBack := s.guesses.take(c.RealIP(), s.store.Now())
	if giveBack == nil {
		return service.ErrTooManyTries
	}
	p := personOf(c)
	err := s.service.ChangePassword(c.Request().Context(), p.viewer, p.session, secret(c, "current"), secret(c, "password"))
	var problems models.FieldErrors
	wrong := func(e models.FieldError) bool { return e.Field == "current" }
	if err == nil || errors.As(err, &problems) && !slices.ContainsFunc(problems, wrong) {
		giveBack()
	}
	return err
}

// meEndSession signs the person out of another browser.
func (s *Server) meEndSession(c echo.Context) error {
	p, session := personOf(c), field(c, "session")
	if session == p.session {
		return s.logout(c)
	}
	if err := s.service.EndLoginSession(c.Request().Context(), p.viewer, session); err != nil {
		return err
	}
	return s.done(c, "/me", "done.session_ended")
}

package web

import (
	"crypto/subtle"
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"kanal/models"
	"kanal/service"
	"kanal/store"
	"kanal/views"
	"kanal/views/components"
	"kanal/views/people"
)

// home leads to the page where the person's work begins.
func (s *Server) home(c echo.Context) error {
	if viewer(c).Role == models.Administrator {
		return s.redirect(c, "/admin")
	}
	return s.redirect(c, "/inbox")
}

func (s *Server) setupPage(c echo.Context) error {
	return s.showSetup(c, http.StatusOK, people.SetupForm{})
}

func (s *Server) showSetup(c echo.Context, status int, f people.SetupForm) error {
	f.AskToken = s.o.SetupToken != ""
	page := s.page(c, text(c, "setup.title"))
	page.Failed = f.Errors.Any()
	return s.render(c, status, page, views.Centre(page, people.Setup(f)), nil)
}

// setup makes the first administrator and signs them in. Of several at once one wins; the others go to sign in.
func (s *Server) setup(c echo.Context) error {
	f := people.SetupForm{Name: field(c, "name"), Email: field(c, "email")}
	if err := s.tryCode(c, field(c, "token")); err != nil {
		return s.refuseSetup(c, f, err)
	}
	u, err := s.service.Setup(c.Request().Context(), viewer(c), service.NewAdministrator{
		Name: f.Name, Email: f.Email, Password: secret(c, "password"), Queue: text(c, "queue.default_name"),
	})
	if errors.Is(err, store.ErrAlreadySetUp) {
		return s.redirect(c, "/login")
	}
	if err != nil {
		return s.refuseSetup(c, f, err)
	}
	s.setUp.Store(true)
	if err := s.signIn(c, u, false); err != nil {
		return err
	}
	return s.redirect(c, "/admin")
}

// refuseSetup shows the form again with what is wrong. Other errors are given back.
func (s *Server) refuseSetup(c echo.Context, f people.SetupForm, why error) error {
	var problems models.FieldErrors
	switch {
	case errors.As(why, &problems):
		f.Errors = components.ErrorsOf(c.Request().Context(), problems)
		return s.showSetup(c, http.StatusUnprocessableEntity, f)
	case errors.Is(why, service.ErrTooManyTries):
		f.Errors = f.Errors.With("token", errorText(c, why))
		return s.showSetup(c, http.StatusTooManyRequests, f)
	}
	return why
}

// tryCode compares the one-time code of the log, when one is asked for, unless the address has guessed too often.
// FieldErrors, service.ErrTooManyTries.
func (s *Server) tryCode(c echo.Context, given string) error {
	want := s.o.SetupToken.Reveal()
	if want == "" {
		return nil
	}
	giveBack := s.guesses.take(c.RealIP(), s.store.Now())
	if giveBack == nil {
		return service.ErrTooManyTries
	}
	if subtle.ConstantTimeCompare([]byte(given), []byte(want)) != 1 {
		return models.FieldErrors{{Field: "token", Key: "setup.token_wrong"}}
	}
	giveBack()
	return nil
}

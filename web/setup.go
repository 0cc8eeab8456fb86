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
	ctx := c.Request().Context()
	f := people.SetupForm{Name: field(c, "name"), Email: field(c, "email")}
	if !s.rightToken(field(c, "token")) {
		if !s.guesses.allow(c.RealIP(), s.store.Now()) {
			return service.ErrTooManyTries
		}
		f.Errors = components.ErrorsOf(ctx, models.FieldErrors{{Field: "token", Key: "setup.token_wrong"}})
		return s.showSetup(c, http.StatusUnprocessableEntity, f)
	}
	u, err := s.service.Setup(ctx, viewer(c), service.NewAdministrator{
		Name: f.Name, Email: f.Email, Password: secret(c, "password"), Queue: text(c, "queue.default_name"),
	})
	var problems models.FieldErrors
	switch {
	case errors.As(err, &problems):
		f.Errors = components.ErrorsOf(ctx, problems)
		return s.showSetup(c, http.StatusUnprocessableEntity, f)
	case errors.Is(err, store.ErrAlreadySetUp):
		return s.redirect(c, "/login")
	case err != nil:
		return err
	}
	s.setUp.Store(true)
	if err := s.signIn(c, u, false); err != nil {
		return err
	}
	return s.redirect(c, "/admin")
}

// rightToken compares the one-time token of the log, when one is asked for.
func (s *Server) rightToken(given string) bool {
	want := s.o.SetupToken.Reveal()
	return want == "" || subtle.ConstantTimeCompare([]byte(given), []byte(want)) == 1
}

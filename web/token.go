package web

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"kanal/models"
	"kanal/service"
	"kanal/store"
	"kanal/views"
	"kanal/views/account"
	"kanal/views/components"
)

func (s *Server) tokenPage(c echo.Context) error {
	a, err := s.accountOf(c)
	if err != nil {
		return err
	}
	return s.showRotation(c, http.StatusOK, account.Rotation{Account: a})
}

// showRotation shows the rotation of a finished account; a draft has no token to rotate yet.
func (s *Server) showRotation(c echo.Context, status int, r account.Rotation) error {
	if r.Account.State != models.AccountActive {
		return models.ErrNotFound
	}
	r.Now = s.store.Now()
	page := s.adminPage(c, text(c, "token.rotate"))
	page.Failed = r.Errors.Any() || r.Stale
	return s.render(c, status, page, views.Admin(page, "channels", account.Rotate(r)), nil)
}

// rotateToken begins, ends or gives up a rotation.
func (s *Server) rotateToken(c echo.Context) error {
	a, err := s.accountOf(c)
	if err != nil {
		return err
	}
	ctx, version := c.Request().Context(), editOf(c).Version
	key := "done.token_begun"
	switch field(c, "action") {
	case "promote":
		key, err = "done.token_promoted", s.service.PromoteToken(ctx, viewer(c), a.ID, version)
	case "give_up":
		key, err = "done.token_given_up", s.service.GiveUpRotation(ctx, viewer(c), a.ID, version)
	case "make":
		err = s.service.BeginRotation(ctx, viewer(c), a.ID, "", version)
	default:
		token := secret(c, "token")
		if token == "" {
			err = models.FieldErrors{{Field: "token", Key: "account.token_empty"}}
		} else {
			err = s.service.BeginRotation(ctx, viewer(c), a.ID, token, version)
		}
	}
	if err == nil {
		return s.done(c, account.TokenURL(a.ID), key)
	}
	return s.refuseRotation(c, a.ID, err)
}

// refuseRotation shows the rotation as it is now, and why nothing was changed.
func (s *Server) refuseRotation(c echo.Context, id models.AccountID, why error) error {
	ctx := c.Request().Context()
	a, err := s.store.Account(ctx, id)
	if err != nil {
		return err
	}
	r := account.Rotation{Account: a}
	var problems models.FieldErrors
	switch {
	case errors.As(why, &problems):
		r.Errors = components.ErrorsOf(ctx, problems)
	case errors.Is(why, store.ErrStale):
		r.Stale = true
		return s.showRotation(c, http.StatusConflict, r)
	case errors.Is(why, service.ErrNoNextToken), errors.Is(why, service.ErrNotPromoted), errors.Is(why, service.ErrTokenRefused), errors.Is(why, service.ErrTokenUnreachable):
		r.Errors = r.Errors.With("", errorText(c, why))
	default:
		return why
	}
	return s.showRotation(c, http.StatusUnprocessableEntity, r)
}

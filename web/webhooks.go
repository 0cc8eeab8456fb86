package web

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"kanal/views/account"
)

// webhooksPage shows which addresses Twilio calls for the numbers of an account.
func (s *Server) webhooksPage(c echo.Context) error {
	a, err := s.accountOf(c)
	if err != nil {
		return err
	}
	list, err := s.service.Webhooks(c.Request().Context(), a.ID)
	return s.showWebhooks(c, account.Hooks{Account: a, Numbers: list}, err)
}

// setWebhooks writes our addresses at Twilio, and shows what was there before and what is there now.
func (s *Server) setWebhooks(c echo.Context) error {
	a, err := s.accountOf(c)
	if err != nil {
		return err
	}
	list, err := s.service.SetWebhooks(c.Request().Context(), viewer(c), a.ID)
	return s.showWebhooks(c, account.Hooks{Account: a, Numbers: list, Set: true}, err)
}

func (s *Server) showWebhooks(c echo.Context, h account.Hooks, err error) error {
	if err != nil {
		return err
	}
	h.CanSet = s.service.Reachable(h.Account)
	return s.dialog(c, http.StatusOK, text(c, "webhooks.title"), account.Webhooks(h))
}

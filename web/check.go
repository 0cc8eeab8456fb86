package web

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"kanal/views"
	"kanal/views/check"
)

// checkPage runs the connection check and shows what it found.
func (s *Server) checkPage(c echo.Context) error {
	ctx := c.Request().Context()
	run, err := s.service.NewCheck(ctx)
	if err != nil {
		return err
	}
	p := check.Page{Found: run.All(ctx), Now: s.store.Now(), Version: s.o.Version}
	page := s.adminPage(c, text(c, "check.title"))
	return s.render(c, http.StatusOK, page, views.Admin(page, "check", check.Show(p)), nil)
}

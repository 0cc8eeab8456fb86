package web

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"kanal/models"
	"kanal/static"
)

// static sends a file that browsers may keep for ever: its address changes with the content.
func (s *Server) static(c echo.Context) error {
	name, ok := strings.CutPrefix(c.Request().URL.Path, static.Prefix())
	if !ok {
		return models.ErrNotFound
	}
	b, err := static.FS.ReadFile(name)
	if err != nil {
		return models.ErrNotFound
	}
	c.Response().Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	return c.Blob(http.StatusOK, static.ContentType(name), b)
}

// favicon is for browsers that ask without looking at the page.
func (s *Server) favicon(c echo.Context) error {
	return c.Redirect(http.StatusFound, static.URL("favicon.svg"))
}

package web

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"kanal/views"
	"kanal/views/start"
)

// startPage shows how far the installation has come, and the way on.
func (s *Server) startPage(c echo.Context) error {
	progress, err := s.store.Progress(c.Request().Context())
	if err != nil {
		return err
	}
	page := s.adminPage(c, text(c, "started.title"))
	body := start.Show(start.Page{Progress: progress, Simulator: s.sim != nil, Local: s.service.PublicURLIsLocal()})
	return s.render(c, http.StatusOK, page, views.Admin(page, "start", body), nil)
}

// forDevelopers lets a handler run only in development.
func (s *Server) forDevelopers(h echo.HandlerFunc) echo.HandlerFunc {
	if s.o.Dev {
		return h
	}
	return echo.NotFoundHandler
}

// gallery shows every component.
func (s *Server) gallery(c echo.Context) error {
	page := s.adminPage(c, text(c, "gallery.title"))
	return s.render(c, http.StatusOK, page, views.Gallery(page, s.store.Now()), nil)
}

// galleryDialog shows a dialog: a part for the page that opens it, or a page of its own.
func (s *Server) galleryDialog(c echo.Context) error {
	page := s.adminPage(c, text(c, "gallery.dialog"))
	body := views.GalleryDialog()
	return s.render(c, http.StatusOK, page, views.DialogPage(page, body), body)
}

// closeGalleryDialog does what saving a dialog does.
func (s *Server) closeGalleryDialog(c echo.Context) error {
	if !isHTMX(c) {
		return s.redirect(c, "/admin/components")
	}
	c.Response().Header().Set("HX-Trigger", "dialog:close")
	return s.toast(c, "gallery.dialog_text")
}

package web

import (
	"bytes"
	"context"
	"net/http"
	"time"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"kanal/models"
	"kanal/views"
	"kanal/views/account"
	"kanal/views/components"
	"kanal/views/i18n"
)

// isPartial tells whether htmx asks for a fragment. It is the only sign: going back in the history does not send it.
func isPartial(c echo.Context) bool {
	return c.Request().Header.Get("HX-Request-Type") == "partial"
}

// isHTMX tells whether htmx or one of our scripts asks, for a fragment or for a page.
func isHTMX(c echo.Context) bool { return c.Request().Header.Get("HX-Request-Type") != "" }

// render answers with a page: full, or part when htmx asks for a fragment and there is one. Nothing is written before
// all of it is rendered.
func (s *Server) render(c echo.Context, status int, page views.Page, full, part templ.Component) error {
	ctx := c.Request().Context()
	var b bytes.Buffer
	var err error
	if part != nil && isPartial(c) {
		err = templ.Join(views.Title(page), part).Render(ctx, &b)
	} else {
		err = full.Render(ctx, &b)
	}
	if err == nil && page.Toast != "" && isHTMX(c) {
		err = components.OOBFlash(page.Toast, page.ToastUndo).Render(ctx, &b)
	}
	if err != nil {
		return models.Wrap(err, "render")
	}
	c.Response().Header().Add("Vary", "HX-Request-Type")
	return s.html(c, status, b.Bytes())
}

// part answers with a fragment alone, to htmx or to one of our scripts.
func (s *Server) part(c echo.Context, status int, part templ.Component) error {
	var b bytes.Buffer
	if err := part.Render(c.Request().Context(), &b); err != nil {
		return models.Wrap(err, "render")
	}
	return s.html(c, status, b.Bytes())
}

func (s *Server) html(c echo.Context, status int, body []byte) error {
	c.Response().Header().Set("Cache-Control", "no-cache, private")
	c.Response().Header().Add("Vary", "Cookie")
	return c.HTMLBlob(status, body)
}

// toast answers htmx with a confirmation that replaces nothing.
func (s *Server) toast(c echo.Context, key string, args ...any) error {
	c.Response().Header().Set("HX-Reswap", "none")
	return s.part(c, http.StatusOK, components.OOBToast(i18n.T(c.Request().Context(), key, args...)))
}

// redirect leads on after a post, or somebody to another page.
func (s *Server) redirect(c echo.Context, to string) error {
	c.Response().Header().Set("Cache-Control", "no-store")
	return c.Redirect(http.StatusSeeOther, to)
}

// done leads on after a post and lets the next page confirm it; key names the sentence: it begins with "done." and has
// no values.
func (s *Server) done(c echo.Context, to, key string) error {
	s.setCookie(c, flashCookie, key, time.Minute)
	return s.redirect(c, to)
}

// dialog answers with a dialog: the part alone for htmx, a page of its own for everybody else.
func (s *Server) dialog(c echo.Context, status int, title string, body templ.Component) error {
	page := s.adminPage(c, title)
	return s.render(c, status, page, views.DialogPage(page, body), body)
}

// doneDialog is done for a form in a dialog: htmx would put the next page into the dialog, so it is told to go there.
func (s *Server) doneDialog(c echo.Context, to, key string) error {
	if !isPartial(c) {
		return s.done(c, to, key)
	}
	s.setCookie(c, flashCookie, key, time.Minute)
	c.Response().Header().Set("HX-Redirect", to)
	return c.NoContent(http.StatusNoContent)
}

// doneBy is done for a sentence that names a user.
func (s *Server) doneBy(c echo.Context, to, key string, user models.UserID) error {
	return s.done(c, to, key+"|"+number(user))
}

// page gives the frame of a page for who asks. It takes the confirmation of what led here, so it is made once.
func (s *Server) page(c echo.Context, title string) views.Page {
	p := personOf(c)
	page := views.Page{Title: title, Theme: p.theme}
	page.Toast, page.ToastUndo = s.takeFlash(c)
	if p.viewer.User == 0 {
		return page
	}
	admin := p.viewer.Role == models.Administrator
	page.User = views.User{ID: number(p.user.ID), Name: p.user.Name, Role: i18n.T(c.Request().Context(), "role."+string(p.user.Role))}
	page.Rail = views.Rail{ShowAdmin: admin || p.viewer.Role == models.Supervisor, ShowSimulator: admin && s.sim != nil}
	page.NoShortcuts, page.EnterNewline = !p.user.Shortcuts, !p.user.EnterSends
	s.alert(c, &page, admin)
	if !admin {
		page.AdminPages = views.SupervisorPages()
	} else if s.o.Dev {
		page.AdminPages = append(views.AdminPages(), "components")
	}
	return page
}

// alert says what is wrong with the whole center: an account that sends nothing.
func (s *Server) alert(c echo.Context, page *views.Page, admin bool) {
	stopped := s.service.Stopped()
	switch {
	case len(stopped) == 0:
	case admin:
		page.Alert = text(c, "account.stopped", "name", stopped[0].Name)
		page.AlertURL = account.StepURL(stopped[0].ID, models.StepAccountDetails)
	default:
		page.Alert = text(c, "account.stopped_wait", "name", stopped[0].Name)
	}
}

// adminPage is page with the admin center marked in the rail.
func (s *Server) adminPage(c echo.Context, title string) views.Page {
	page := s.page(c, title)
	page.Rail.Active = "admin"
	if viewer(c).Role == models.Administrator {
		page.Waiting = s.waiting(c.Request().Context())
	}
	return page
}

// waiting counts what waits for an administrator. A page is shown without it when it cannot be counted.
func (s *Server) waiting(ctx context.Context) (w views.Waiting) {
	counts, err := s.store.CountQuarantine(ctx)
	for _, n := range counts {
		w.Quarantine += n
	}
	if err == nil {
		w.Alerts, err = s.store.CountAlerts(ctx, s.store.Now().Add(-24*time.Hour))
	}
	if err != nil {
		s.log.Warn("what waits for an administrator was not counted", "err", err)
	}
	return w
}

// text gives a sentence in the language of who asks.
func text(c echo.Context, key string, args ...any) string {
	return i18n.T(c.Request().Context(), key, args...)
}

// with gives the request another context.
func with(c echo.Context, ctx context.Context) { c.SetRequest(c.Request().WithContext(ctx)) } //nolint:revive // the context is what is set

// errorText gives the sentence of an error in the language of who asks.
func errorText(c echo.Context, err error) string { return i18n.Error(c.Request().Context(), err) }

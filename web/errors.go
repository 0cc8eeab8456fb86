package web

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"kanal/models"
	"kanal/views"
	"kanal/views/components"
	"kanal/views/i18n"
)

// statusOf is the status of each kind of error.
var statusOf = map[models.Kind]int{
	models.KindInternal:     http.StatusInternalServerError,
	models.KindInvalid:      http.StatusUnprocessableEntity,
	models.KindNotFound:     http.StatusNotFound,
	models.KindForbidden:    http.StatusForbidden,
	models.KindUnauthorized: http.StatusUnauthorized,
	models.KindConflict:     http.StatusConflict,
	models.KindLimited:      http.StatusTooManyRequests,
	models.KindUnavailable:  http.StatusServiceUnavailable,
}

// httpError is an error of HTTP alone: it has a status that no kind has.
type httpError struct {
	status int
	key    string
}

// Error gives the key of its sentence.
func (e *httpError) Error() string { return e.key }

// Errors of requests.
var (
	errTooLarge   = &httpError{http.StatusRequestEntityTooLarge, "error.too_large"}
	errUnreadable = &httpError{http.StatusBadRequest, "error.bad_request"}
	errMediaType  = &httpError{http.StatusUnsupportedMediaType, "error.bad_request"}
	errMethod     = &httpError{http.StatusMethodNotAllowed, "error.method"}
	errOrigin     = &httpError{http.StatusForbidden, "error.cross_origin"}

	errForbidden = models.E(models.KindForbidden, "error.forbidden")
	errSignedOut = models.E(models.KindUnauthorized, "error.unauthorized")
	errNotSetUp  = models.E(models.KindUnauthorized, "setup.first")
)

// known turns what Echo says into our errors.
func known(err error) error {
	var he *echo.HTTPError
	if !errors.As(err, &he) {
		return err
	}
	switch he.Code {
	case http.StatusNotFound:
		return models.ErrNotFound
	case http.StatusMethodNotAllowed:
		return errMethod
	case http.StatusRequestEntityTooLarge:
		return errTooLarge
	}
	if he.Code < http.StatusInternalServerError {
		return errUnreadable
	}
	return err
}

// answerOf gives the status and the key of the sentence of an error.
func answerOf(err error) (int, string) {
	var he *httpError
	if errors.As(err, &he) {
		return he.status, he.key
	}
	return statusOf[models.KindOf(err)], ""
}

// fail answers an error: a page, or to htmx a toast that replaces nothing. Causes go to the log and to nobody else.
func (s *Server) fail(c echo.Context, err error) {
	if c.Response().Committed {
		s.unanswered(c, err)
		return
	}
	err = known(err)
	if strings.HasPrefix(c.Path(), "/hooks/") { // a page would be for nobody
		_ = s.refuseHook(c, err)
		return
	}
	if errors.Is(err, errSignedOut) || errors.Is(err, errNotSetUp) {
		err = s.sendAway(c, err)
	} else {
		err = s.answer(c, err)
	}
	if err != nil {
		s.unanswered(c, err)
	}
}

// unanswered ends a request whose error page could not be made: mostly because the one who asked has gone. Without a
// status it would end as 200.
func (s *Server) unanswered(c echo.Context, err error) {
	level := slog.LevelError
	if c.Request().Context().Err() != nil {
		level = slog.LevelDebug
	}
	s.log.Log(context.WithoutCancel(c.Request().Context()), level, "an error was not answered", "id", requestID(c), "err", err)
	if !c.Response().Committed {
		c.Response().WriteHeader(http.StatusInternalServerError)
	}
}

func (s *Server) answer(c echo.Context, err error) error {
	status, key := answerOf(err)
	if status >= http.StatusInternalServerError && c.Request().Context().Err() == nil {
		s.log.Error("request failed", "id", requestID(c), "method", c.Request().Method, "route", c.Path(), "err", err)
	}
	if personOf(c) == nil {
		s.greet(c, nobodyIn) // the request ended before anybody was known
	}
	ctx := c.Request().Context()
	sentence := i18n.Error(ctx, err)
	if key != "" {
		sentence = i18n.T(ctx, key)
	}
	if isHTMX(c) {
		c.Response().Header().Set("HX-Reswap", "none")
		return s.part(c, status, components.OOBError(sentence))
	}
	page := s.page(c, views.ErrorTitle(ctx, status))
	return s.render(c, status, page, views.ErrorPage(page, status, sentence), nil)
}

// sendAway leads somebody who is not signed in to the page where that is done: a page by redirect, htmx by a header
// (a redirect would be put into the page), the stream by the bare status.
func (s *Server) sendAway(c echo.Context, why error) error {
	to := "/setup"
	if errors.Is(why, errSignedOut) {
		to = loginAddress(wayBack(c.Request()), isHTMX(c))
	}
	switch {
	case c.Path() == "/events":
		return c.NoContent(http.StatusUnauthorized)
	case isHTMX(c):
		c.Response().Header().Set("HX-Redirect", to)
		return c.NoContent(http.StatusUnauthorized)
	}
	return s.redirect(c, to)
}

// loginAddress gives the page of signing in that leads back; atWork says there that the work until now is kept.
func loginAddress(back string, atWork bool) string {
	q := url.Values{}
	if back != "" {
		q.Set("next", back)
	}
	if atWork {
		q.Set("signed_out", "1")
	}
	if len(q) == 0 {
		return "/login"
	}
	return "/login?" + q.Encode()
}

// wayBack gives the page to return to after signing in, "" for the start page.
func wayBack(r *http.Request) string {
	at := r.URL
	if current := r.Header.Get("HX-Current-URL"); current != "" {
		var err error
		if at, err = url.Parse(current); err != nil {
			return ""
		}
	} else if r.Method != http.MethodGet || r.Header.Get("HX-Request-Type") != "" {
		return "" // no page to come back to
	}
	back := (&url.URL{Path: at.Path, RawQuery: at.RawQuery}).RequestURI()
	if back == "/" {
		return ""
	}
	return ownPath(back)
}

// ownPath gives a path of ours as it is, and "" for anything that could lead elsewhere.
func ownPath(next string) string {
	if len(next) > 500 || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n\t") {
		return ""
	}
	u, err := url.Parse(next)
	if err != nil || u.IsAbs() || u.Host != "" || strings.HasPrefix(u.Path, "//") {
		return ""
	}
	return next
}

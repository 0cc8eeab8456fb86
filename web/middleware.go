package web

import (
	"errors"
	"fmt"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"strings"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"kanal/models"
)

// clientIP gives who calls: the connection's other end, or what a trusted proxy says.
func clientIP(proxies []netip.Prefix) echo.IPExtractor {
	if len(proxies) == 0 {
		return echo.ExtractIPDirect()
	}
	trust := []echo.TrustOption{echo.TrustLoopback(false), echo.TrustLinkLocal(false), echo.TrustPrivateNet(false)}
	for _, p := range proxies {
		trust = append(trust, echo.TrustIPRange(&net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}))
	}
	return echo.ExtractIPFromXFFHeader(trust...)
}

// requestID gives the id under which the log knows the request.
func requestID(c echo.Context) string { return c.Response().Header().Get(echo.HeaderXRequestID) }

// observe gives each request an id, turns a panic and every error into an answer, and writes one line into the log:
// no query, no body, and of a webhook's address not its key.
func (s *Server) observe(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		began := s.store.Now()
		c.Response().Header().Set(echo.HeaderXRequestID, newRequestID())
		if err := s.guard(next, c); err != nil {
			s.fail(c, err)
		}
		took, status := s.store.Now().Sub(began), c.Response().Status
		s.log.Log(c.Request().Context(), levelOf(c), "request", "id", requestID(c), "method", c.Request().Method, "route", c.Path(),
			"path", maskedPath(c), "status", status, "ms", took.Milliseconds(), "ip", c.RealIP())
		if s.o.Observe != nil {
			s.o.Observe(c.Request().Method, c.Path(), status, took)
		}
		return nil
	}
}

// levelOf gives the level of a request's line: what machines ask all the time is only for those who look for it.
func levelOf(c echo.Context) slog.Level {
	quiet := personOf(c) == nil
	if quiet && c.Response().Status < http.StatusInternalServerError {
		return slog.LevelDebug
	}
	return slog.LevelInfo
}

// guard runs the handler and turns a panic into an error.
func (s *Server) guard(next echo.HandlerFunc, c echo.Context) (err error) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		if e, ok := p.(error); ok && errors.Is(e, http.ErrAbortHandler) {
			panic(p)
		}
		s.log.Error("panic", "id", requestID(c), "route", c.Path(), "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
		err = models.E(models.KindInternal, "error.internal")
	}()
	return next(c)
}

// maskedPath gives the path without what must not be in a log: keys of webhooks and one-time links.
func maskedPath(c echo.Context) string {
	path := c.Request().URL.Path
	for _, secret := range []string{c.Param("key"), c.Param("token")} {
		if secret != "" {
			path = strings.ReplaceAll(path, secret, "***")
		}
	}
	return path
}

const contentPolicy = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// protect sets the headers that bound what a browser does with an answer.
func (s *Server) protect(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=()")
		if s.https() {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		return next(c)
	}
}

func (s *Server) https() bool { return s.o.PublicURL.Scheme == "https" }

// gate lets a request through to its handler: its size, its origin, who asks, and whether its form can be read.
func (s *Server) gate(r route) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			limit := r.limit
			if limit == 0 || r.need != nobody && !isMultipart(c.Request()) {
				limit = formLimit
			}
			if c.Request().ContentLength > limit {
				return errTooLarge
			}
			c.Request().Body = http.MaxBytesReader(c.Response(), c.Request().Body, limit)
			if r.need == nobody {
				return next(c)
			}
			if err := s.identify(c); err != nil {
				return err
			}
			if s.origins.Check(c.Request()) != nil {
				return errOrigin
			}
			if err := s.admit(c, r.need); err != nil {
				return err
			}
			if err := readForm(c.Request(), r.limit > formLimit); err != nil {
				return err
			}
			return next(c)
		}
	}
}

// admit tells whether the person may use a route.
func (s *Server) admit(c echo.Context, n need) error {
	done, err := s.isSetUp(c)
	switch {
	case err != nil:
		return err
	case n == beforeSetup && done:
		return models.ErrNotFound
	case n == beforeSetup:
		return nil
	case !done:
		return errNotSetUp
	case n == anyone:
		return nil
	}
	p := personOf(c)
	role := p.viewer.Role
	switch {
	case role == "":
		return errSignedOut
	case n == supervisors && !role.SeesAll(), n == administrators && role != models.Administrator:
		return errForbidden
	}
	return nil
}

func (s *Server) isSetUp(c echo.Context) (bool, error) {
	if s.setUp.Load() {
		return true, nil
	}
	done, err := s.store.IsSetUp(c.Request().Context())
	if done {
		s.setUp.Store(true)
	}
	return done, err
}

// readForm reads query and form once, so that every handler finds text that can be kept: valid UTF-8 without NUL. A form
// with files is left to the handler of a route that takes some.
func readForm(r *http.Request, files bool) error {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil || !readable(query) {
		return errUnreadable
	}
	if r.Method != http.MethodPost || r.ContentLength == 0 || files && isMultipart(r) {
		return nil
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/x-www-form-urlencoded" {
		return errMediaType
	}
	if err := r.ParseForm(); err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return errTooLarge
		}
		return errUnreadable
	}
	if !readable(r.PostForm) {
		return errUnreadable
	}
	for _, values := range r.PostForm {
		for i, v := range values {
			values[i] = strings.ReplaceAll(v, "\r\n", "\n") // browsers send the lines of a text area with both
		}
	}
	return nil
}

func readable(values url.Values) bool {
	for name, list := range values {
		for _, v := range append(list, name) {
			if !utf8.ValidString(v) || strings.ContainsRune(v, 0) {
				return false
			}
		}
	}
	return true
}

// field gives a value of the form that was sent, trimmed. Values of the address are not looked at.
func field(c echo.Context, name string) string {
	return strings.TrimSpace(c.Request().PostFormValue(name))
}

// secret gives a value of the form as it is.
func secret(c echo.Context, name string) models.Secret {
	return models.Secret(c.Request().PostFormValue(name))
}

// on tells whether a box of the form was ticked.
func on(c echo.Context, name string) bool { return c.Request().PostFormValue(name) != "" }

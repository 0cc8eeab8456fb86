package web

import (
	"errors"
	"mime"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"kanal/models"
	"kanal/service"
)

// mediaSendTime is how long one answer with a file may take.
const mediaSendTime = 5 * time.Minute

// media answers Twilio with a file that is on its way to a customer. Who has the address may have the file: it is signed
// and ends soon. There is no page, no redirect and no cookie.
func (s *Server) media(c echo.Context) error {
	content, err := s.service.Media(c.Request().Context(), c.Param("token"))
	switch {
	case errors.Is(err, service.ErrMediaExpired):
		return c.NoContent(http.StatusGone)
	case errors.Is(err, service.ErrMediaForged):
		return c.NoContent(http.StatusForbidden)
	case errors.Is(err, models.ErrNotFound):
		return c.NoContent(http.StatusNotFound)
	case err != nil:
		s.log.Error("a file for Twilio was not opened", "id", requestID(c), "err", err)
		return c.NoContent(http.StatusServiceUnavailable)
	}
	defer func() { _ = content.Close() }()
	_ = http.NewResponseController(c.Response()).SetWriteDeadline(s.store.Now().Add(mediaSendTime))
	h := c.Response().Header()
	h.Set("Content-Type", content.ContentType)
	h.Set("Content-Disposition", mime.FormatMediaType("inline", map[string]string{"filename": content.File.Name}))
	h.Set("Cache-Control", "private, no-store")
	http.ServeContent(c.Response(), c.Request(), "", content.File.CreatedAt, content)
	return nil
}

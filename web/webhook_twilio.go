package web

import (
	"errors"
	"io"
	"net/http"

	"github.com/labstack/echo/v4"

	"kanal/models"
	"kanal/service"
	"kanal/twilio"
)

// maxWebhook bounds the body of a webhook; Twilio's are a few KiB.
const maxWebhook = 64 << 10

// twilioInbound takes in a customer's message.
func (s *Server) twilioInbound(c echo.Context) error { return s.takeHook(c, service.HookInbound) }

// twilioStatus takes in a report about a message of ours, which the address names.
func (s *Server) twilioStatus(c echo.Context) error { return s.takeHook(c, service.HookStatus) }

// takeHook takes in a webhook of a kind. The answer is always the empty TwiML: any other text would be sent to the customer.
func (s *Server) takeHook(c echo.Context, kind service.HookKind) error {
	r := c.Request()
	body, err := io.ReadAll(io.LimitReader(r.Body, maxWebhook+1))
	if err != nil {
		return s.refuseHook(c, &models.Error{Kind: models.KindUnavailable, Key: "error.unavailable", Cause: err})
	}
	if len(body) > maxWebhook {
		return s.refuseHook(c, errTooLarge)
	}
	err = s.service.TakeHook(r.Context(), service.HookCall{
		Key: c.Param("key"), Kind: kind, Method: r.Method, URI: r.RequestURI, ContentType: r.Header.Get("Content-Type"),
		Signature: r.Header.Get(twilio.SignatureHeader), Body: body, ReceivedAt: s.store.Now(),
	})
	if err != nil {
		return s.refuseHook(c, err)
	}
	return c.Blob(http.StatusOK, "text/xml", []byte(twilio.EmptyResponse))
}

// refuseHook answers a webhook that is not taken in, without a word that Twilio would send on.
func (s *Server) refuseHook(c echo.Context, err error) error {
	var he *httpError
	status := http.StatusServiceUnavailable
	switch {
	case errors.As(err, &he):
		status = he.status
	case models.KindOf(err) == models.KindNotFound:
		status = http.StatusNotFound
	case models.KindOf(err) == models.KindForbidden:
		status = http.StatusForbidden
	default:
		s.log.Error("a webhook was not taken in", "err", err)
	}
	return c.Blob(status, "text/xml", []byte(twilio.EmptyResponse))
}

package web

import (
	"errors"
	"io"
	"net/http"
	"net/netip"
	"slices"

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

// twilioFallback takes in a customer's message that Twilio could not deliver to the inbound address.
func (s *Server) twilioFallback(c echo.Context) error { return s.takeHook(c, service.HookFallback) }

// twilioDebug takes in what Twilio's debugger says.
func (s *Server) twilioDebug(c echo.Context) error { return s.takeHook(c, service.HookDebug) }

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
		Key: c.Param("key"), Kind: kind, Method: r.Method, URI: r.RequestURI, Origin: s.cameTo(r), ContentType: r.Header.Get("Content-Type"),
		Signature: r.Header.Get(twilio.SignatureHeader), Body: body, ReceivedAt: s.store.Now(),
	})
	if err != nil {
		return s.refuseHook(c, err)
	}
	return c.Blob(http.StatusOK, "text/xml", []byte(twilio.EmptyResponse))
}

// cameTo gives the scheme and the host at which a request came, as far as they are known: without a proxy that is trusted
// nobody knows whether another one stands in front. It is shown and decides nothing.
func (s *Server) cameTo(r *http.Request) string {
	scheme, host := "", r.Host
	if r.TLS != nil {
		scheme = "https:"
	}
	if s.fromProxy(r) {
		if v := r.Header.Get(echo.HeaderXForwardedProto); v == "http" || v == "https" {
			scheme = v + ":"
		}
		if v := r.Header.Get("X-Forwarded-Host"); v != "" {
			host = v
		}
	}
	return shorten(scheme+"//"+host, maxOrigin)
}

// maxOrigin bounds what is kept of the address at which a webhook came.
const maxOrigin = 260

// fromProxy tells whether a trusted proxy passes a request on.
func (s *Server) fromProxy(r *http.Request) bool {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && slices.ContainsFunc(s.o.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(at.Addr().Unmap()) })
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

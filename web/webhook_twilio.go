package web

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"kanal/models"
	"kanal/service"
	"kanal/twilio"
)

// maxWebhook bounds the body of a webhook; Twilio's are a few KiB.
const maxWebhook = 64 << 10

// twilioInbound takes in a customer's message. The answer is always the empty TwiML: any other text would be sent to
// the customer.
func (s *Server) twilioInbound(c echo.Context) error {
	call, err := s.signedCall(c)
	if err != nil {
		return s.refuseHook(c, err)
	}
	if err := s.service.Receive(c.Request().Context(), call); err != nil {
		return s.refuseHook(c, notKept(err))
	}
	return c.Blob(http.StatusOK, "text/xml", []byte(twilio.EmptyResponse))
}

// twilioStatus takes in a report about a message of ours, which the address names.
func (s *Server) twilioStatus(c echo.Context) error {
	call, err := s.signedCall(c)
	if err != nil {
		return s.refuseHook(c, err)
	}
	status := service.StatusCall{Call: call}
	if id, err := models.ParseID[models.MessageID](c.QueryParam("m")); err == nil {
		status.Message = id
		status.Attempt, _ = strconv.Atoi(c.QueryParam("n"))
	}
	if err := s.service.ReceiveStatus(c.Request().Context(), status); err != nil {
		return s.refuseHook(c, notKept(err))
	}
	return c.Blob(http.StatusOK, "text/xml", []byte(twilio.EmptyResponse))
}

// errBadSignature says that nobody who knows the token made this call.
var errBadSignature = models.E(models.KindForbidden, "error.forbidden")

// signedCall reads a webhook and checks its signature over the address that was given to Twilio: the configured public
// address with the path and query as they came, never the request's own host.
func (s *Server) signedCall(c echo.Context) (service.Call, error) {
	hook, err := s.service.Hook(c.Request().Context(), c.Param("key"))
	if err != nil {
		return service.Call{}, err
	}
	r := c.Request()
	body, err := io.ReadAll(io.LimitReader(r.Body, maxWebhook+1))
	if err != nil {
		return service.Call{}, &models.Error{Kind: models.KindUnavailable, Key: "error.unavailable", Cause: err}
	}
	if len(body) > maxWebhook {
		return service.Call{}, errTooLarge
	}
	address := strings.TrimSuffix(s.service.PublicURL(), "/") + r.RequestURI
	signature := r.Header.Get(twilio.SignatureHeader)
	form, signed := readHook(r, body, hook.Tokens, address, signature)
	if !signed {
		if again, err := s.service.HookAgain(r.Context(), c.Param("key")); err == nil {
			form, signed = readHook(r, body, again.Tokens, address, signature)
		}
	}
	if !signed {
		if err := s.service.SignatureFailed(c.Request().Context(), hook.Account); err != nil {
			s.log.Warn("a signature failure was not noted", "account", hook.Account.ID, "err", err)
		}
		return service.Call{}, errBadSignature
	}
	return service.Call{Account: hook.Account, Form: form, ReceivedAt: s.store.Now()}, nil
}

// readHook reads a webhook's parameters, from the body or of a GET from the query, and tells whether it is signed. A
// signed body that is no form gives an empty one: the service keeps it in quarantine.
func readHook(r *http.Request, body []byte, tokens []string, address, signature string) (url.Values, bool) {
	if r.Method == http.MethodGet {
		return r.URL.Query(), twilio.Valid(tokens, address, nil, signature)
	}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind == "application/json" {
		return url.Values{"body": {string(body)}}, twilio.ValidBody(tokens, address, body, signature)
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return url.Values{"body": {string(body)}}, twilio.Valid(tokens, address, form, signature)
	}
	return form, twilio.Valid(tokens, address, form, signature)
}

// notKept is any error after the signature was checked: whatever it is, the call is not on disk and Twilio must try again.
func notKept(cause error) error {
	return &models.Error{Kind: models.KindUnavailable, Key: "error.unavailable", Cause: cause}
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

package service

import (
	"context"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"kanal/models"
	"kanal/store/spool"
	"kanal/twilio"
)

// HookCall is a webhook as it came. The spool keeps it like that.
type HookCall = spool.Record

// HookKind is what Twilio calls about.
type HookKind = spool.Kind

// The kinds of webhooks.
const (
	HookInbound  = spool.Inbound
	HookStatus   = spool.Status
	HookFallback = spool.Fallback
	HookDebug    = spool.Debug
)

// hookPatience is how long a webhook waits for the database before it goes into the spool, unspooled how long it waits when
// there is none. Twilio waits four seconds. A database that is only busy is waited for: agents
// see what goes into the spool of one instance later than what comes through another meanwhile.
const (
	hookPatience = 2500 * time.Millisecond
	unspooled    = 3500 * time.Millisecond
)

// ErrBadSignature says that nobody who knows the token made this call.
var ErrBadSignature = models.E(models.KindForbidden, "error.forbidden")

// TakeHook takes in a webhook. Nil means that it is on disk: in the database, or in the spool when the database is away.
// While the spool holds anything, what comes goes behind it: a message must not overtake the one before it, and nobody
// waits for a database that did not answer a moment ago. ErrNotFound for an address that is not ours, ErrBadSignature; any
// other error means that nothing was kept and that Twilio should try again.
func (s *Service) TakeHook(ctx context.Context, c HookCall) error {
	patience := hookPatience
	if s.spool == nil {
		patience = unspooled
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	hook, err := s.Hook(ctx, c.Key)
	switch {
	case errors.Is(err, models.ErrNotFound):
		return err
	case err != nil: // whose it is will be seen, and its signature checked, when the database is back
		return s.spoolCall(c, err)
	}
	call, err := s.signed(ctx, hook, c)
	if err != nil {
		return err
	}
	c.Verified = true
	if s.spool != nil && s.spool.Records() > 0 {
		return s.spoolCall(c, nil)
	}
	if err := s.deliverNow(ctx, c, call); err != nil {
		return s.spoolCall(c, err)
	}
	if s.away.Load() {
		s.away.Store(false)
	}
	s.signatureRight(ctx, hook.Account)
	return nil
}

// spoolCall keeps a call until the database is back. cause is why it is not in the database now.
func (s *Service) spoolCall(c HookCall, cause error) error {
	if s.spool == nil {
		return notKept(cause)
	}
	if cause != nil && !s.away.Swap(true) {
		s.log.Warn("the database does not take webhooks in: they go into the spool", "err", cause)
	}
	if err := s.spool.Append(c); err != nil {
		return notKept(errors.Join(err, cause))
	}
	s.log.Debug("a webhook went into the spool", "kind", c.Kind, "received", c.ReceivedAt)
	return nil
}

// notKept is any error after the account was found: whatever it is, the call is not on disk.
func notKept(cause error) error {
	return &models.Error{Kind: models.KindUnavailable, Key: "error.unavailable", Cause: cause}
}

// deliverNow delivers a call and waits until ctx ends. What takes longer may still come to its end: then the call is kept
// twice, and the second time changes nothing.
func (s *Service) deliverNow(ctx context.Context, c HookCall, call Call) error {
	done := make(chan error, 1)
	s.delivering.Go(func() { done <- guarded(func() error { return s.Keep(ctx, c.Kind, call) }) })
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// asStatus reads from the address which message of ours a report is about.
func asStatus(call Call) statusCall {
	status := statusCall{Call: call}
	q, _ := url.ParseQuery(call.Query)
	if id, err := models.ParseID[models.MessageID](q.Get("m")); err == nil {
		status.Message = id
		status.Attempt, _ = strconv.Atoi(q.Get("n"))
	}
	return status
}

// signed reads a webhook and checks its signature over the address that was given to Twilio: the configured public
// address with the path and query as they came, never the request's own host. ErrBadSignature.
func (s *Service) signed(ctx context.Context, hook Hook, c HookCall) (Call, error) {
	form, ok := s.readHook(c, hook.Tokens)
	if away := s.away.Load(); !ok && !away {
		if again, err := s.hookAgain(ctx, c.Key); err == nil {
			form, ok = s.readHook(c, again.Tokens)
		}
		if !ok {
			if err := s.signatureFailed(ctx, hook.Account, s.addresses(c)); err != nil {
				s.log.Warn("a signature failure was not noted", "account", hook.Account.ID, "err", err)
			}
		}
	}
	if !ok {
		return Call{}, ErrBadSignature
	}
	return s.callOf(hook, c, form), nil
}

func (s *Service) callOf(hook Hook, c HookCall, form url.Values) Call {
	_, query, _ := strings.Cut(c.URI, "?")
	return Call{Account: hook.Account, Form: form, Query: query, ReceivedAt: c.ReceivedAt}
}

// readHook reads a webhook's parameters, from the body or of a GET from the query, and tells whether one of the tokens
// has signed it. A signed body that is no form gives an empty one, which quarantine keeps.
func (s *Service) readHook(c HookCall, tokens []string) (url.Values, bool) {
	address := s.addressOf(c)
	if c.Method == http.MethodGet {
		_, query, _ := strings.Cut(c.URI, "?")
		form, _ := url.ParseQuery(query)
		return form, twilio.Valid(tokens, address, nil, c.Signature)
	}
	kind, _, _ := mime.ParseMediaType(c.ContentType)
	if kind == "application/json" {
		return url.Values{"body": {string(c.Body)}}, twilio.ValidBody(tokens, address, c.Body, c.Signature)
	}
	form, err := url.ParseQuery(string(c.Body))
	if err != nil {
		return url.Values{"body": {string(c.Body)}}, twilio.Valid(tokens, address, form, c.Signature)
	}
	return form, twilio.Valid(tokens, address, form, c.Signature)
}

// Package twilio speaks Twilio's protocol for WhatsApp: REST calls, webhook forms and signatures. It knows nothing of
// Kanal.
package twilio

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	sdk "github.com/twilio/twilio-go/client"
	api "github.com/twilio/twilio-go/rest/api/v2010"
	messaging "github.com/twilio/twilio-go/rest/messaging/v2"
)

// maxAnswer bounds what is read of one answer, maxCall how long a call may take when its context has no end.
const (
	maxAnswer = 4 << 20
	maxCall   = 30 * time.Second
)

// Options says where Twilio is. Base replaces all of Twilio's hosts, as for a stand-in; nil is the real Twilio.
// SimulatorBase is where accounts that IsSimulated names live, SimulatorMedia where their files lie.
type Options struct {
	Base           *url.URL
	SimulatorBase  *url.URL
	SimulatorMedia *url.URL
	IsSimulated    func(accountSID string) bool
}

// Client makes requests. It is safe for concurrent use.
type Client struct {
	o       Options
	http    *http.Client
	media   *http.Client // for files of a stand-in, and through a proxy
	guarded *http.Client // for files: no private address
}

// New makes a client with one transport for the whole process.
func New(o Options) *Client {
	t := &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
		MaxIdleConnsPerHost: 64, IdleConnTimeout: 90 * time.Second, TLSHandshakeTimeout: 5 * time.Second,
		ForceAttemptHTTP2: true,
	}
	// A redirect of a POST would send it again.
	noRedirect := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c := &Client{o: o, http: &http.Client{Transport: t, CheckRedirect: noRedirect, Timeout: maxCall}}
	c.media, c.guarded = newMediaClients()
	return c
}

// Credentials are an account's SID and auth token.
type Credentials struct{ AccountSID, AuthToken string }

func (c *Client) base(accountSID string) *url.URL {
	if c.o.SimulatorBase != nil && c.o.IsSimulated != nil && c.o.IsSimulated(accountSID) {
		return c.o.SimulatorBase
	}
	return c.o.Base
}

// StandsIn tells whether something stands in for the real Twilio for an account: it runs beside us and reaches what is
// not in public.
func (c *Client) StandsIn(accountSID string) bool { return c.base(accountSID) != nil }

func (c *Client) handler(ctx context.Context, cred Credentials) *sdk.RequestHandler {
	return &sdk.RequestHandler{Client: &session{ctx: ctx, c: c, cred: cred, base: c.base(cred.AccountSID)}}
}

func (c *Client) messages(ctx context.Context, cred Credentials) *api.ApiService {
	return api.NewApiService(c.handler(ctx, cred))
}

func (c *Client) senders(ctx context.Context, cred Credentials) *messaging.ApiService {
	return messaging.NewApiService(c.handler(ctx, cred))
}

// session is what the SDK calls for one of our calls: it adds the context, keeps queries as they are, and reads every
// answer to its end so that connections are used again.
type session struct {
	ctx  context.Context
	c    *Client
	cred Credentials
	base *url.URL
}

// AccountSid gives the account.
func (s *session) AccountSid() string { return s.cred.AccountSID }

// SetTimeout does nothing: the context bounds the call.
func (s *session) SetTimeout(time.Duration) {}

// SetOauth does nothing.
func (s *session) SetOauth(sdk.OAuth) {}

// OAuth gives nil.
func (s *session) OAuth() sdk.OAuth { return nil }

// SendRequest makes one request.
func (s *session) SendRequest(method, raw string, data url.Values, headers map[string]any, body ...byte) (*http.Response, error) {
	req, err := s.request(method, raw, data, headers, body)
	if err != nil {
		return nil, &Error{Outcome: NotProcessed, Cause: err}
	}
	var written atomic.Bool
	trace := &httptrace.ClientTrace{WroteHeaders: func() { written.Store(true) }}
	res, err := s.c.http.Do(req.WithContext(httptrace.WithClientTrace(s.ctx, trace)))
	if err != nil {
		outcome := NotProcessed
		if written.Load() {
			outcome = Unknown
		}
		return nil, &Error{Outcome: outcome, Code: codeOf(outcome), Cause: withoutAddress(err)}
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return nil, &Error{Outcome: Unknown, Status: res.StatusCode, Cause: withoutAddress(err)}
	}
	if res.StatusCode >= 300 {
		return nil, refused(res, b)
	}
	res.Body = io.NopCloser(bytes.NewReader(b))
	return res, nil
}

func codeOf(o Outcome) int {
	if o == NotProcessed {
		return CodeNoAnswer
	}
	return 0
}

func (s *session) request(method, raw string, data url.Values, headers map[string]any, body []byte) (*http.Request, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, err
	}
	var rd io.Reader
	switch {
	case method == http.MethodGet || method == http.MethodDelete:
		if len(data) > 0 {
			u.RawQuery = data.Encode()
		}
	case headers["Content-Type"] == "application/json":
		rd = bytes.NewReader(body)
	default:
		rd = strings.NewReader(data.Encode())
	}
	if s.base != nil {
		u.Scheme, u.Host, u.Path = s.base.Scheme, s.base.Host, strings.TrimSuffix(s.base.Path, "/")+u.Path
	}
	req, err := http.NewRequestWithContext(s.ctx, method, u.String(), rd)
	if err != nil {
		return nil, err
	}
	for k, v := range headers {
		req.Header.Set(k, fmt.Sprint(v))
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "kanal twilio-go/"+sdk.LibraryVersion)
	req.SetBasicAuth(s.cred.AccountSID, s.cred.AuthToken)
	return req, nil
}

// withoutAddress drops the request's address from an error: it holds the customer's number.
func withoutAddress(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// refused reads an answer that is not a success. A body that is not Twilio's JSON still has its status.
func refused(res *http.Response, body []byte) *Error {
	e := &Error{Outcome: Rejected, Status: res.StatusCode, RequestID: res.Header.Get("Twilio-Request-Id")}
	var said struct {
		Code int `json:"code"`
	}
	if json.Unmarshal(body, &said) == nil {
		e.Code = said.Code
	}
	if n, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil && n > 0 {
		e.RetryAfter = time.Duration(n) * time.Second
	}
	switch {
	case res.StatusCode == http.StatusTooManyRequests && e.Code != 63038: // the daily cap lasts for hours
		e.Outcome = NotProcessed
	case res.StatusCode >= 500 || res.StatusCode < 400:
		e.Outcome = Unknown
	}
	return e
}

// result turns the SDK's error into ours: an answer that cannot be read is an unknown outcome.
func result(err error) error {
	if err == nil {
		return nil
	}
	return AsError(err)
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// nextPage reads token and number of the next page from its address, "" when there is none.
func nextPage(address *string) (token, page string) {
	if address == nil {
		return "", ""
	}
	u, err := url.Parse(*address)
	if err != nil {
		return "", ""
	}
	return u.Query().Get("PageToken"), u.Query().Get("Page")
}

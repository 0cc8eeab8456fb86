package twilio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"syscall"
	"time"

	sdk "github.com/twilio/twilio-go/client"
)

// ErrMediaHost says that a file lies where we do not fetch from: not at Twilio, not over https, or at a private address.
var ErrMediaHost = errors.New("twilio: the file is not at an address of Twilio's")

const (
	maxMediaRedirects = 3
	mediaHeaderTime   = 20 * time.Second // until a file begins to come; the context bounds the rest
)

// MediaFile is a file that is being fetched. Size is -1 when it was not said. The caller closes Body.
type MediaFile struct {
	Body io.ReadCloser
	Size int64
}

// OpenMedia begins to fetch a file of a message. Credentials go to Twilio's API and nowhere else; it answers with the
// address where the file lies, which is followed by hand and only to Twilio's own stores. ErrMediaHost, or an Error as
// for every call: with Status 404 Twilio does not have the file, or not yet.
func (c *Client) OpenMedia(ctx context.Context, cred Credentials, address string) (MediaFile, error) {
	base := c.base(cred.AccountSID)
	u, err := mediaAddress(base, address)
	if err != nil {
		return MediaFile{}, err
	}
	for hop := range maxMediaRedirects + 1 {
		if hop > 0 && !c.mayFollow(cred, u) {
			return MediaFile{}, ErrMediaHost
		}
		res, err := c.getMedia(ctx, cred, u, hop == 0) //nolint:bodyclose // the caller closes it, redirect the others
		if err != nil {
			return MediaFile{}, err
		}
		if res.StatusCode == http.StatusOK {
			return MediaFile{Body: res.Body, Size: res.ContentLength}, nil
		}
		next, err := redirect(res, u)
		if err != nil {
			return MediaFile{}, err
		}
		u = next
	}
	return MediaFile{}, &Error{Outcome: Rejected, Cause: errors.New("too many redirects")}
}

// DeleteMedia removes a file at Twilio; one that Twilio does not have is no error. ErrMediaHost for an address that does
// not name a file of the account.
func (c *Client) DeleteMedia(ctx context.Context, cred Credentials, address string) error {
	u, err := mediaAddress(c.base(cred.AccountSID), address)
	if err != nil {
		return err
	}
	if m := mediaPath.FindStringSubmatch(u.Path); m == nil || m[1] != cred.AccountSID {
		return ErrMediaHost
	}
	u.Path, u.RawQuery = u.Path+".json", ""
	req, err := mediaRequest(ctx, http.MethodDelete, u)
	if err != nil {
		return err
	}
	req.SetBasicAuth(cred.AccountSID, cred.AuthToken)
	res, err := c.mediaClient(cred, req).Do(req)
	if err != nil {
		return noMedia(err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode < 300 || res.StatusCode == http.StatusNotFound {
		return nil
	}
	return refusedMedia(res)
}

var mediaPath = regexp.MustCompile(`/2010-04-01/Accounts/(\w+)/Messages/\w+/Media/\w+$`)

// mediaAddress gives where a file is asked for: at Twilio's API, over https. With a base, which stands for all of
// Twilio's hosts, it is that base.
func mediaAddress(base *url.URL, address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil || u.User != nil {
		return nil, ErrMediaHost
	}
	atTwilio := u.Scheme == "https" && u.Port() == "" && apiHost(u.Hostname())
	if !atTwilio && !sameOrigin(base, u) {
		return nil, ErrMediaHost
	}
	u.Fragment = ""
	if base != nil && !sameOrigin(base, u) {
		u.Scheme, u.Host, u.Path = base.Scheme, base.Host, strings.TrimSuffix(base.Path, "/")+u.Path
	}
	return u, nil
}

// apiHost tells whether a host is Twilio's API: api.twilio.com, below it, or of an edge and region (api.dublin.ie1.twilio.com).
func apiHost(host string) bool {
	return host == "api.twilio.com" || strings.HasSuffix(host, ".twilio.com") && (strings.HasPrefix(host, "api.") || strings.HasSuffix(host, ".api.twilio.com"))
}

// mayFollow tells whether a file may lie at an address: in one of Twilio's stores, or at the very origin of a stand-in.
func (c *Client) mayFollow(cred Credentials, u *url.URL) bool {
	if u.User != nil {
		return false
	}
	if c.exempt(cred, u) {
		return true
	}
	host := u.Hostname()
	ours := strings.HasSuffix(host, ".twilio.com") || strings.HasSuffix(host, ".twiliocdn.com") || host == "s3-external-1.amazonaws.com"
	return u.Scheme == "https" && u.Port() == "" && ours
}

// exempt tells whether an address is of a stand-in for Twilio, which may be private: the exact origin that a person, or
// the simulator, has named.
func (c *Client) exempt(cred Credentials, u *url.URL) bool {
	base := c.base(cred.AccountSID)
	return sameOrigin(base, u) || base == c.o.SimulatorBase && sameOrigin(c.o.SimulatorMedia, u)
}

func sameOrigin(base, u *url.URL) bool {
	return base != nil && base.Scheme == u.Scheme && base.Host == u.Host
}

func mediaRequest(ctx context.Context, method string, u *url.URL) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, method, u.String(), nil)
	if err != nil {
		return nil, ErrMediaHost
	}
	req.Header.Set("User-Agent", "kanal twilio-go/"+sdk.LibraryVersion)
	req.Header.Set("Accept-Encoding", "identity") // the bytes as they are, and their number
	return req, nil
}

func (c *Client) getMedia(ctx context.Context, cred Credentials, u *url.URL, signedIn bool) (*http.Response, error) {
	req, err := mediaRequest(ctx, http.MethodGet, u)
	if err != nil {
		return nil, err
	}
	if signedIn {
		req.SetBasicAuth(cred.AccountSID, cred.AuthToken)
	}
	res, err := c.mediaClient(cred, req).Do(req)
	if err != nil {
		return nil, noMedia(err)
	}
	return res, nil
}

// mediaClient gives the client for a request: the one that refuses private addresses, unless the address is of a stand-in.
// Behind a proxy it is the proxy that looks names up; then the list of hosts alone holds.
func (c *Client) mediaClient(cred Credentials, req *http.Request) *http.Client {
	if c.exempt(cred, req.URL) {
		return c.media
	}
	if proxy, err := http.ProxyFromEnvironment(req); err == nil && proxy != nil {
		return c.media
	}
	return c.guarded
}

// redirect gives where an answer leads. Its body is read no further.
func redirect(res *http.Response, from *url.URL) (*url.URL, error) {
	defer func() { _ = res.Body.Close() }()
	switch res.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		next, err := from.Parse(res.Header.Get("Location"))
		if err != nil || res.Header.Get("Location") == "" {
			return nil, ErrMediaHost
		}
		return next, nil
	}
	return nil, refusedMedia(res)
}

// refusedMedia reads an answer that is no file.
func refusedMedia(res *http.Response) error {
	b, _ := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	return refused(res, b)
}

// noMedia is a request without an answer.
func noMedia(err error) error {
	if errors.Is(err, ErrMediaHost) {
		return ErrMediaHost
	}
	return &Error{Outcome: NotProcessed, Code: CodeNoAnswer, Cause: withoutAddress(err)}
}

// newMediaClients makes the client that fetches files and the one that also refuses private addresses. Neither follows
// a redirect, and neither bounds how long a file may come: the context does.
func newMediaClients() (open, guarded *http.Client) {
	noRedirect := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	client := func(control func(string, string, syscall.RawConn) error) *http.Client {
		t := &http.Transport{
			DialContext:         (&net.Dialer{Timeout: 5 * time.Second, Control: control}).DialContext,
			MaxIdleConnsPerHost: 16, IdleConnTimeout: 90 * time.Second, TLSHandshakeTimeout: 5 * time.Second,
			ResponseHeaderTimeout: mediaHeaderTime, ForceAttemptHTTP2: true,
		}
		if control == nil {
			t.Proxy = http.ProxyFromEnvironment
		}
		return &http.Client{Transport: t, CheckRedirect: noRedirect}
	}
	return client(nil), client(publicOnly)
}

// publicOnly refuses a connection to an address that is not public. It sees the address itself, after the name was looked
// up: a name that leads elsewhere the second time gains nothing.
func publicOnly(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil || !public(at.Addr()) {
		return fmt.Errorf("%w: %s", ErrMediaHost, address)
	}
	return nil
}

// reserved are ranges that are not public and that netip does not know as such (RFC 6890 and its registries).
var reserved = func() []netip.Prefix {
	var all []netip.Prefix
	for _, p := range []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24",
		"203.0.113.0/24", "240.0.0.0/4", "::/8", "100::/64", "2001::/23", "2001:db8::/32", "fec0::/10",
	} {
		all = append(all, netip.MustParsePrefix(p))
	}
	return all
}()

var (
	nat64  = netip.MustParsePrefix("64:ff9b::/96")
	sixTo4 = netip.MustParsePrefix("2002::/16")
)

// public tells whether an address belongs to the public Internet. IPv4 inside IPv6 is judged as what it is.
func public(a netip.Addr) bool {
	a = a.Unmap()
	if a.Is6() {
		b := a.As16()
		switch {
		case nat64.Contains(a):
			return public(netip.AddrFrom4([4]byte(b[12:16])))
		case sixTo4.Contains(a):
			return public(netip.AddrFrom4([4]byte(b[2:6])))
		}
	}
	if !a.IsGlobalUnicast() || a.IsPrivate() || a.Zone() != "" {
		return false
	}
	for _, p := range reserved {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

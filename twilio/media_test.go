package twilio

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"testing"
)

const mediaURL = "https://api.twilio.com/2010-04-01/Accounts/AC00000000000000000000000000000000/Messages/MM1/Media/ME1"

// mediaStore is a stand-in whose files lie at a second origin.
func mediaStore(t *testing.T, first, second http.HandlerFunc) *Client {
	t.Helper()
	origin := func(h http.HandlerFunc) *url.URL {
		srv := httptest.NewServer(h)
		t.Cleanup(srv.Close)
		u, _ := url.Parse(srv.URL)
		return u
	}
	return New(Options{SimulatorBase: origin(first), SimulatorMedia: origin(second), IsSimulated: func(string) bool { return true }})
}

func TestOpenMedia(t *testing.T) {
	var c *Client
	c = mediaStore(t, func(w http.ResponseWriter, r *http.Request) {
		if user, pass, _ := r.BasicAuth(); user != cred.AccountSID || pass != cred.AuthToken || !strings.HasSuffix(r.URL.Path, "/MM1/Media/ME1") {
			t.Errorf("the first request: %s as %s", r.URL, user)
		}
		w.Header().Set("Location", c.o.SimulatorMedia.String()+"/file?Expires=1&Signature=a%2Fb.c")
		w.WriteHeader(http.StatusTemporaryRedirect)
	}, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" || r.URL.RawQuery != "Expires=1&Signature=a%2Fb.c" {
			t.Errorf("the second request: %s with %q", r.URL, r.Header.Get("Authorization"))
		}
		_, _ = w.Write([]byte("content"))
	})
	m, err := c.OpenMedia(context.Background(), cred, mediaURL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = m.Body.Close() }()
	if b, err := io.ReadAll(m.Body); err != nil || string(b) != "content" || m.Size != 7 {
		t.Errorf("%q, %d, %v", b, m.Size, err)
	}
}

// TestMediaGoesOnlyToTwilio holds the hosts of the first request and of what follows.
func TestMediaGoesOnlyToTwilio(t *testing.T) {
	base := &url.URL{Scheme: "http", Host: "127.0.0.1:8123", Path: "/stand-in"}
	for address, want := range map[string]string{
		mediaURL:                                     mediaURL,
		"https://api.dublin.ie1.twilio.com/x":        "https://api.dublin.ie1.twilio.com/x",
		"https://eu.api.twilio.com/x":                "https://eu.api.twilio.com/x",
		"http://api.twilio.com/x":                    "",
		"https://api.twilio.com:8443/x":              "",
		"https://api.twilio.com@evil.example/x":      "",
		"https://api.twilio.com.evil.example/x":      "",
		"https://evilapi.twilio.com/x":               "",
		"https://media.twiliocdn.com/x":              "",
		"https://169.254.169.254/latest/meta-data/":  "",
		"http://127.0.0.1:8123/x":                    "",
		"file:///etc/passwd":                         "",
		"//api.twilio.com/x":                         "",
		"https://user:secret@api.twilio.com/x":       "",
		"https://api.twilio.com/x#rc=3":              "https://api.twilio.com/x",
		"https://api.twilio.com/x y":                 "https://api.twilio.com/x%20y",
		"https://API.twilio.com/x":                   "",
		"https://api.twilio.com\r\nHost: evil/x":     "",
		"https://api.twilio.com/2010/../../etc/x?a=": "https://api.twilio.com/2010/../../etc/x?a=",
	} {
		u, err := mediaAddress(nil, address)
		if want == "" && !errors.Is(err, ErrMediaHost) || want != "" && (err != nil || u.String() != want) {
			t.Errorf("%q: %v, %v", address, u, err)
		}
	}
	for address, want := range map[string]string{
		"https://api.twilio.com/x": "http://127.0.0.1:8123/stand-in/x", "http://127.0.0.1:8123/y": "http://127.0.0.1:8123/y", "http://127.0.0.1:8124/y": "",
		"https://127.0.0.1:8123/y": "", "http://localhost:8123/y": "",
	} {
		u, err := mediaAddress(base, address)
		if want == "" && err == nil || want != "" && (err != nil || u.String() != want) {
			t.Errorf("with a base, %q: %v, %v", address, u, err)
		}
	}
	c := New(Options{Base: base})
	for address, may := range map[string]bool{
		"https://mms.twiliocdn.com/x": true, "https://media.twiliocdn.com/x": true, "https://s3-external-1.amazonaws.com/x": true, "https://api.twilio.com/x": true,
		"http://127.0.0.1:8123/x": true, "http://127.0.0.1/x": false, "http://mms.twiliocdn.com/x": false, "https://mms.twiliocdn.com:444/x": false,
		"https://twiliocdn.com.evil.example/x": false, "https://eviltwiliocdn.com/x": false, "https://s3.amazonaws.com/x": false, "https://u@mms.twiliocdn.com/x": false,
		"https://[::1]/x": false, "https://localhost/x": false, "ftp://mms.twiliocdn.com/x": false,
	} {
		u, err := url.Parse(address)
		if err != nil || c.mayFollow(cred, u) != may {
			t.Errorf("follow %s: %v, want %v", address, !may, may)
		}
	}
}

// TestMediaRedirects holds that no redirect leads out, and that they end.
func TestMediaRedirects(t *testing.T) {
	for name, tt := range map[string]struct {
		to   string
		want error
	}{
		"to a foreign host":    {"https://evil.example/x", ErrMediaHost},
		"to a private address": {"http://169.254.169.254/", ErrMediaHost},
		"without https":        {"http://mms.twiliocdn.com/x", ErrMediaHost},
		"nowhere":              {"", ErrMediaHost},
		"to nonsense":          {"https://%zz", nil},
		"round and round":      {"/again", nil},
	} {
		asked := 0
		c := answering(t, func(w http.ResponseWriter, _ *http.Request) {
			asked++
			w.Header().Set("Location", tt.to)
			w.WriteHeader(http.StatusFound)
		})
		_, err := c.OpenMedia(context.Background(), cred, mediaURL)
		if err == nil || tt.want != nil && !errors.Is(err, tt.want) || asked > maxMediaRedirects+1 {
			t.Errorf("%s: %v after %d requests", name, err, asked)
		}
	}
}

func TestMediaErrors(t *testing.T) {
	for status, outcome := range map[int]Outcome{404: Rejected, 401: Rejected, 429: NotProcessed, 500: Unknown, 204: Unknown} {
		c := answering(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			if status != 204 {
				_, _ = w.Write([]byte(`{"code":20404}`))
			}
		})
		_, err := c.OpenMedia(context.Background(), cred, mediaURL)
		if e := AsError(err); err == nil || e.Status != status || e.Outcome != outcome {
			t.Errorf("%d: %v", status, err)
		}
	}
	down := New(Options{Base: &url.URL{Scheme: "http", Host: "127.0.0.1:1"}})
	_, err := down.OpenMedia(context.Background(), cred, mediaURL)
	if e := AsError(err); e.Outcome != NotProcessed || strings.Contains(err.Error(), "MM1") {
		t.Errorf("no answer: %v", err)
	}
}

// TestPublicAddresses holds which addresses files may come from.
func TestPublicAddresses(t *testing.T) {
	for address, want := range map[string]bool{
		"54.231.0.1": true, "2600:1f18::1": true, "::ffff:54.231.0.1": true, "64:ff9b::36e7:1": true,
		"127.0.0.1": false, "10.1.2.3": false, "172.16.0.1": false, "192.168.1.1": false, "169.254.169.254": false, "100.64.0.1": false,
		"0.0.0.0": false, "224.0.0.1": false, "255.255.255.255": false, "198.18.0.1": false, "192.0.2.1": false,
		"::": false, "::1": false, "fe80::1": false, "fe80::1%eth0": false, "fc00::1": false, "fd12::1": false, "ff02::1": false, "2001:db8::1": false,
		"::ffff:127.0.0.1": false, "::ffff:10.0.0.1": false, "::ffff:169.254.169.254": false, "::127.0.0.1": false,
		"64:ff9b::7f00:1": false, "64:ff9b::a9fe:a9fe": false, "2002:7f00:1::": false, "2001::1": false,
	} {
		if got := public(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s is public: %v, want %v", address, got, want)
		}
	}
}

// TestGuardedDial shows that a name of Twilio's that leads to a private address is not connected to.
func TestGuardedDial(t *testing.T) {
	asked := false
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer srv.Close()
	c := New(Options{})
	port := srv.Listener.Addr().(*net.TCPAddr).Port
	transport := c.guarded.Transport.(*http.Transport)
	dial := transport.DialContext
	for _, to := range []string{"127.0.0.1", "::ffff:127.0.0.1", "localhost"} {
		transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return dial(ctx, network, net.JoinHostPort(to, strconv.Itoa(port)))
		}
		_, err := c.OpenMedia(context.Background(), cred, mediaURL)
		if !errors.Is(err, ErrMediaHost) || asked {
			t.Errorf("%s: %v, asked %v", to, err, asked)
		}
	}
}

func TestDeleteMedia(t *testing.T) {
	for status, fails := range map[int]bool{204: false, 404: false, 401: true, 500: true} {
		asked := ""
		c := answering(t, func(w http.ResponseWriter, r *http.Request) {
			_, pass, _ := r.BasicAuth()
			asked = r.Method + " " + r.URL.Path + " " + pass
			w.WriteHeader(status)
		})
		err := c.DeleteMedia(context.Background(), cred, mediaURL+"?x=y")
		if (err != nil) != fails || asked != "DELETE /stand-in/2010-04-01/Accounts/AC00000000000000000000000000000000/Messages/MM1/Media/ME1.json sesame" {
			t.Errorf("%d: %v, asked %q", status, err, asked)
		}
	}
	c := answering(t, func(http.ResponseWriter, *http.Request) { t.Error("something was removed") })
	for _, address := range []string{
		"https://api.twilio.com/2010-04-01/Accounts/AC00000000000000000000000000000000", "https://evil.example/2010-04-01/Accounts/AC00000000000000000000000000000000/Messages/MM1/Media/ME1",
		"https://api.twilio.com/2010-04-01/Accounts/AC1/Messages/MM1/Media/ME1", strings.TrimSuffix(mediaURL, "/Media/ME1"),
	} {
		if err := c.DeleteMedia(context.Background(), cred, address); !errors.Is(err, ErrMediaHost) {
			t.Errorf("%s: %v", address, err)
		}
	}
}

package simulator_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kanal/twilio"
	"kanal/twilio/simulator"
)

func TestAnswerOfTheWebhookIsSent(t *testing.T) {
	for _, tt := range []struct{ kind, answer, want string }{
		{"text/xml", twilio.EmptyResponse, ""},
		{"text/plain; charset=utf-8", "OK", "OK"},
		{"text/xml", "<Response><Message>Hi</Message></Response>", "Hi"},
		{"text/xml", "<Response><Message><Body>Hi there</Body></Message></Response>", "Hi there"},
		{"text/html", "<p>no", ""},
	} {
		s, a, _, _ := start(t)
		c := newCenter(t, &a.Token)
		c.kind, c.answer = tt.kind, tt.answer
		s.SetInboundURL(a.SID, number, c.URL+"/in")
		customer := a.Customers[0].Address
		s.Receive(a.SID, simulator.Write{Customer: customer, Number: number, Body: "x"})
		thread, got := s.Thread(a.SID, customer, number), ""
		if len(thread) > 1 {
			got = thread[1].Body
		}
		if got != tt.want {
			t.Errorf("%s %s: the customer reads %q, want %q", tt.kind, tt.answer, got, tt.want)
		}
	}
}

func TestOverridesDecideWhatIsTriedAgain(t *testing.T) {
	var calls atomic.Int32
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		_, _ = io.Copy(io.Discard, r.Body) // until then nobody notices that the client has left
		if r.URL.Path == "/hang" {
			<-r.Context().Done()
		}
		w.WriteHeader(http.StatusBadGateway)
	}))
	t.Cleanup(slow.Close)
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	for address, want := range map[string]int{
		slow.URL + "/":                               1, // by default only what could not be connected to
		slow.URL + "/#rc=2&rp=5xx":                   3,
		slow.URL + "/#rc=2&rp=4xx,ct":                1,
		slow.URL + "/hang#rt=100":                    1,
		slow.URL + "/hang#rt=100&rc=1&rp=ct,rt":      2,
		slow.URL + "/hang#rt=100&tt=250&rc=5&rp=all": 2, // and no longer than the total
		gone.URL + "/":                               2,
		gone.URL + "/#rc=0":                          1,
	} {
		s, a, _, _ := start(t)
		s.SetInboundURL(a.SID, number, address)
		if got := s.Receive(a.SID, simulator.Write{Customer: a.Customers[0].Address, Number: number}); len(got) != want {
			t.Errorf("%s: %d attempts, want %d", address, len(got), want)
		}
	}
}

func TestUserinfoIsNotSigned(t *testing.T) {
	s, a, _, _ := start(t)
	c := newCenter(t, &a.Token)
	s.SetInboundURL(a.SID, number, strings.Replace(c.URL, "://", "://me:pw@", 1)+"/in?a=1#rc=0")
	if got := s.Receive(a.SID, simulator.Write{Customer: a.Customers[0].Address, Number: number}); len(got) != 1 || got[0] != 200 {
		t.Error(got)
	}
}

func TestMedia(t *testing.T) {
	s, a, _, cred := start(t)
	c := newCenter(t, &a.Token)
	s.SetInboundURL(a.SID, number, c.URL+"/in")
	for kind, want := range map[string]string{"image": "image/jpeg", "document": "application/pdf", "audio": "application/ogg", "video": "video/mp4", "sticker": "image/webp"} {
		s.Receive(a.SID, simulator.Write{Customer: a.Customers[0].Address, Number: number, Kind: kind})
		in, err := twilio.ParseInbound(wait(t, c))
		if err != nil || len(in.Media) != 1 {
			t.Fatal(in, err)
		}
		u, _ := url.Parse(in.Media[0].URL)
		u.Scheme, u.Host = "http", s.URL().Host
		if res := get(t, u.String(), nil); res.StatusCode != 401 {
			t.Errorf("%s without credentials: %d", kind, res.StatusCode)
		}
		res := get(t, u.String(), &cred)
		next, err := u.Parse(res.Header.Get("Location"))
		if err != nil || res.StatusCode != 307 {
			t.Fatalf("%s: %d %v", kind, res.StatusCode, err)
		}
		if res := get(t, next.String(), &cred); res.StatusCode != 400 {
			t.Errorf("%s: the store takes credentials: %d", kind, res.StatusCode)
		}
		res = get(t, next.String(), nil)
		b, _ := io.ReadAll(res.Body)
		if got := http.DetectContentType(b); res.StatusCode != 200 || got != want {
			t.Errorf("%s: %d, the bytes are %s", kind, res.StatusCode, got)
		}
		if res := get(t, u.String()+"0", &cred); res.StatusCode != 404 {
			t.Errorf("unknown media: %d", res.StatusCode)
		}
	}
}

func get(t *testing.T, address string, cred *twilio.Credentials) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	if cred != nil {
		req.SetBasicAuth(cred.AccountSID, cred.AuthToken)
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = res.Body.Close() })
	return res
}

func TestForeignAndSuspended(t *testing.T) {
	s, a, client, cred := start(t)
	other := s.Mint("Other", number)
	if res := get(t, s.URL().String()+"/2010-04-01/Accounts/"+other.SID+".json", &cred); res.StatusCode != 404 {
		t.Errorf("somebody else's account: %d", res.StatusCode)
	}
	s.SetSuspended(a.SID, true)
	_, err := client.CreateMessage(context.Background(), cred, twilio.NewMessage{From: "whatsapp:" + number, To: string(a.Customers[0].Address), Body: "x"})
	if e := twilio.AsError(err); !e.Suspended() || e.Status != 403 || e.Outcome != twilio.Rejected {
		t.Errorf("suspended: %v", err)
	}
}

func TestQuoteNamesOurLastMessage(t *testing.T) {
	s, a, client, cred := start(t)
	c := newCenter(t, &a.Token)
	s.SetInboundURL(a.SID, number, c.URL+"/in")
	s.SetOutcome(a.SID, simulator.Outcome{Final: "none"})
	customer := a.Customers[0].Address
	m, err := client.CreateMessage(context.Background(), cred, twilio.NewMessage{From: "whatsapp:" + number, To: string(customer), Body: "x"})
	if err != nil {
		t.Fatal(err)
	}
	s.Receive(a.SID, simulator.Write{Customer: customer, Number: number, Kind: "quote", Body: "that one"})
	if f := wait(t, c); f.Get("OriginalRepliedMessageSid") != m.SID || f.Get("OriginalRepliedMessageSender") != "whatsapp:"+number {
		t.Error(f)
	}
}

func TestResetWhileAMessageIsOnItsWay(t *testing.T) {
	s, a, client, cred := start(t)
	c := newCenter(t, &a.Token)
	s.SetInboundURL(a.SID, number, c.URL+"/in")
	s.SetOutcome(a.SID, simulator.Outcome{Final: "read", Step: 20 * time.Millisecond})
	customer := a.Customers[0].Address
	s.Receive(a.SID, simulator.Write{Customer: customer, Number: number, Body: "x"})
	if left, written := s.Window(a.SID, customer, number); left < 23*time.Hour || !written {
		t.Error(left, written)
	}
	if left, written := s.Window(a.SID, a.Customers[1].Address, number); left != 0 || written {
		t.Error("the window is that of who wrote", left, written)
	}
	if _, err := client.CreateMessage(context.Background(), cred, twilio.NewMessage{From: "whatsapp:" + number, To: string(customer), Body: "x", StatusCallback: c.URL + "/s"}); err != nil {
		t.Fatal(err)
	}
	s.Advance(a.SID, time.Hour)
	s.Reset(a.SID)
	got, _ := s.Account(a.SID)
	if len(s.Thread(a.SID, customer, number)) != 0 || len(s.Ledger(a.SID)) != 0 || got.Token != a.Token || got.Ahead != time.Hour || got.Senders[0].InboundURL == "" {
		t.Errorf("%+v", got)
	}
	s.Report(a.SID, "SM0", "read", 0) // must not fail
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if n := s.Receive(a.SID, simulator.Write{Customer: customer, Number: number, Body: "x"}); n != nil {
		t.Errorf("closed, but posts: %v", n)
	}
}

func TestWatchHearsOfChanges(t *testing.T) {
	s, a, _, _ := start(t)
	heard, stop := s.Watch()
	defer stop()
	s.Advance(a.SID, time.Hour)
	select {
	case <-heard:
	case <-time.After(5 * time.Second):
		t.Error("nothing was heard")
	}
	if s.Ahead(a.SID) != time.Hour || s.Ahead("AC0") != 0 {
		t.Error("the clock of the account")
	}
}

func TestFileIsPrivateAndABrokenOneIsSaid(t *testing.T) {
	file := filepath.Join(t.TempDir(), "new", "simulator.json")
	s, err := simulator.Open(simulator.Options{File: file, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	s.Mint("Test", number)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	if err := os.WriteFile(file, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := simulator.Open(simulator.Options{File: file, Now: time.Now}); err == nil || !strings.Contains(err.Error(), file) {
		t.Error(err)
	}
}

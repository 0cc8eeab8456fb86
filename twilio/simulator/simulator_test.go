package simulator_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"kanal/twilio"
	"kanal/twilio/simulator"
)

const number = "+4721000040"

type center struct {
	*httptest.Server
	answer, kind string // of what is accepted
	mu           sync.Mutex
	forms        []url.Values
	codes        []int // answers to give first
	seen         chan url.Values
}

// newCenter is a webhook that checks the signature.
func newCenter(t *testing.T, token *string) *center {
	c := &center{seen: make(chan url.Values, 100)}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if !twilio.Valid([]string{*token}, c.URL+r.RequestURI, r.PostForm, r.Header.Get(twilio.SignatureHeader)) {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		if len(c.codes) > 0 {
			code := c.codes[0]
			c.codes = c.codes[1:]
			w.WriteHeader(code)
			return
		}
		w.Header().Set("Content-Type", c.kind)
		_, _ = w.Write([]byte(c.answer))
		c.forms = append(c.forms, r.PostForm)
		c.seen <- r.PostForm
	}))
	t.Cleanup(c.Close)
	return c
}

func start(t *testing.T) (*simulator.Simulator, simulator.Account, *twilio.Client, twilio.Credentials) {
	t.Helper()
	s, err := simulator.Open(simulator.Options{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	a := s.Mint("Test", number)
	client := twilio.New(twilio.Options{SimulatorBase: s.URL(), IsSimulated: s.Has})
	return s, a, client, twilio.Credentials{AccountSID: a.SID, AuthToken: a.Token}
}

func wait(t *testing.T, c *center) url.Values {
	t.Helper()
	select {
	case f := <-c.seen:
		return f
	case <-time.After(5 * time.Second):
		t.Fatal("no webhook came")
		return nil
	}
}

func TestClientAgainstSimulator(t *testing.T) {
	s, a, client, cred := start(t)
	ctx := context.Background()
	got, err := client.FetchAccount(ctx, cred)
	if err != nil || got.SID != a.SID || got.Status != "active" {
		t.Fatalf("%+v %v", got, err)
	}
	_, err = client.FetchAccount(ctx, twilio.Credentials{AccountSID: a.SID, AuthToken: "wrong"})
	if e := twilio.AsError(err); !e.Unauthorized() || e.Code != twilio.CodeUnauthorized {
		t.Errorf("wrong token: %v", err)
	}
	s.SetSuspended(a.SID, true)
	if got, _ := client.FetchAccount(ctx, cred); got.Status != "suspended" {
		t.Errorf("status %q", got.Status)
	}
	s.SetSuspended(a.SID, false)
	for i := range 60 {
		if !s.AddSender(a.SID, fmt.Sprintf("+4721000%03d", 100+i), "Second") {
			t.Fatal("the sender was not added")
		}
	}
	if s.AddSender(a.SID, number, "Again") {
		t.Error("a number twice")
	}
	senders, err := client.ListSenders(ctx, cred)
	if err != nil || len(senders) != 61 || senders[0].Address.Phone() != number || senders[0].Name != "Test" {
		t.Errorf("%d senders %v", len(senders), err)
	}
}

func TestCreateListAndReports(t *testing.T) {
	s, a, client, cred := start(t)
	ctx := context.Background()
	c := newCenter(t, &a.Token)
	s.SetInboundURL(a.SID, number, c.URL+"/in"+twilio.ConnectionOverrides)
	s.SetOutcome(a.SID, simulator.Outcome{Final: "read", Step: time.Millisecond})
	customer := a.Customers[0].Address
	if codes := s.Receive(a.SID, simulator.Write{Customer: customer, Number: number, Body: "Hei"}); len(codes) != 1 || codes[0] != 200 {
		t.Fatal(codes)
	}
	if f := wait(t, c); f.Get("Body") != "Hei" || f.Get("MessageSid") == "" {
		t.Fatal(f)
	}
	m, err := client.CreateMessage(ctx, cred, twilio.NewMessage{From: "whatsapp:" + number, To: string(customer), Body: "Svar", StatusCallback: c.URL + "/status?m=7"})
	if err != nil || m.Status != "queued" {
		t.Fatalf("%+v %v", m, err)
	}
	for _, want := range []string{"sent", "delivered", "read"} {
		if f := wait(t, c); f.Get("MessageStatus") != want || f.Get("MessageSid") != m.SID {
			t.Fatalf("%v, want %s", f, want)
		}
	}
	list, err := client.ListMessages(ctx, cred, twilio.MessageFilter{To: string(customer), SentAfter: time.Now().Add(-time.Hour)})
	if err != nil || len(list) != 1 || list[0].SID != m.SID || list[0].Body != "Svar" {
		t.Fatalf("%+v %v", list, err)
	}
}

func TestListingHasPages(t *testing.T) {
	s, a, client, cred := start(t)
	for range 230 {
		s.Receive(a.SID, simulator.Write{Customer: a.Customers[0].Address, Number: number, Body: "x"})
	}
	list, err := client.ListMessages(context.Background(), cred, twilio.MessageFilter{From: string(a.Customers[0].Address)})
	if err != nil || len(list) != 230 {
		t.Fatalf("%d of 230: %v", len(list), err)
	}
}

func TestCreateRefuses(t *testing.T) {
	_, a, client, cred := start(t)
	from, to := "whatsapp:"+number, string(a.Customers[0].Address)
	for name, tt := range map[string]struct {
		m    twilio.NewMessage
		code int
	}{
		"nobody":         {twilio.NewMessage{From: from, Body: "x"}, 21604},
		"from nobody":    {twilio.NewMessage{To: to, Body: "x"}, 21603},
		"nothing":        {twilio.NewMessage{From: from, To: to}, 21602},
		"other channel":  {twilio.NewMessage{From: from, To: "+4740000142", Body: "x"}, 21910},
		"unknown sender": {twilio.NewMessage{From: "whatsapp:+4799999999", To: to, Body: "x"}, 63007},
		"bad number":     {twilio.NewMessage{From: from, To: "whatsapp:+0", Body: "x"}, 21211},
	} {
		_, err := client.CreateMessage(context.Background(), cred, tt.m)
		if e := twilio.AsError(err); err == nil || e.Outcome != twilio.Rejected || e.Code != tt.code {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFaults(t *testing.T) {
	s, a, client, cred := start(t)
	n := twilio.NewMessage{From: "whatsapp:" + number, To: string(a.Customers[0].Address), Body: "x"}
	for _, tt := range []struct {
		fault   simulator.Fault
		outcome twilio.Outcome
		created bool
	}{
		{simulator.FaultTooMany, twilio.NotProcessed, false},
		{simulator.FaultHTML, twilio.Unknown, false},
		{simulator.FaultDown, twilio.Unknown, false},
		{simulator.FaultCommitDrop, twilio.Unknown, true},
		{simulator.FaultCommitHang, twilio.Unknown, true},
		{simulator.FaultRejected, twilio.Rejected, false},
		{simulator.FaultUnauth, twilio.Rejected, false},
	} {
		before := len(s.Thread(a.SID, a.Customers[0].Address, number))
		s.Fail(a.SID, tt.fault)
		ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
		_, err := client.CreateMessage(ctx, cred, n)
		cancel()
		if err == nil || twilio.AsError(err).Outcome != tt.outcome {
			t.Errorf("%s: %v", tt.fault, err)
		}
		if created := len(s.Thread(a.SID, a.Customers[0].Address, number)) > before; created != tt.created {
			t.Errorf("%s: created %v", tt.fault, created)
		}
	}
	down := twilio.New(twilio.Options{Base: &url.URL{Scheme: "http", Host: "127.0.0.1:1"}})
	if _, err := down.CreateMessage(context.Background(), cred, n); twilio.AsError(err).Outcome != twilio.NotProcessed {
		t.Errorf("connection refused: %v", err)
	}
}

func TestWebhookRetriesAndForgery(t *testing.T) {
	s, a, _, _ := start(t)
	c := newCenter(t, &a.Token)
	s.SetInboundURL(a.SID, number, c.URL+"/in"+twilio.ConnectionOverrides)
	c.codes = []int{503, 503}
	w := simulator.Write{Customer: a.Customers[0].Address, Number: number, Body: "x"}
	if codes := s.Receive(a.SID, w); len(codes) != 3 || codes[2] != 200 {
		t.Errorf("retries: %v", codes)
	}
	entries := s.Ledger(a.SID)
	if len(entries) != 3 || entries[0].Token == "" || entries[0].Token != entries[2].Token {
		t.Errorf("one event has one token: %+v", entries)
	}
	w.Fault = simulator.FaultForged
	s.SetInboundURL(a.SID, number, c.URL+"/in#rc=0")
	if codes := s.Receive(a.SID, w); len(codes) != 1 || codes[0] != 403 {
		t.Errorf("forged: %v", codes)
	}
	w.Fault = simulator.FaultInboundTwice
	if codes := s.Receive(a.SID, w); len(codes) != 2 {
		t.Errorf("twice: %v", codes)
	}
	if c.forms[1].Get("MessageSid") != c.forms[2].Get("MessageSid") {
		t.Error("a double has the same sid")
	}
}

func TestEveryKindIsReadable(t *testing.T) {
	s, a, _, _ := start(t)
	c := newCenter(t, &a.Token)
	s.SetInboundURL(a.SID, number, c.URL+"/in")
	for _, kind := range simulator.Kinds() {
		s.Receive(a.SID, simulator.Write{Customer: a.Customers[0].Address, Number: number, Kind: kind, Body: "Ja"})
		if _, err := twilio.ParseInbound(wait(t, c)); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

func TestClosedWindowFailsLater(t *testing.T) {
	s, a, client, cred := start(t)
	c := newCenter(t, &a.Token)
	s.SetOutcome(a.SID, simulator.Outcome{Final: "read", Step: time.Millisecond})
	customer := a.Customers[0].Address
	s.Receive(a.SID, simulator.Write{Customer: customer, Number: number, Body: "x"})
	s.Advance(a.SID, 25*time.Hour)
	if _, err := client.CreateMessage(context.Background(), cred, twilio.NewMessage{From: "whatsapp:" + number, To: string(customer), Body: "late", StatusCallback: c.URL + "/s"}); err != nil {
		t.Fatal(err)
	}
	wait(t, c)
	if f := wait(t, c); f.Get("MessageStatus") != "undelivered" || f.Get("ErrorCode") != "63016" {
		t.Error(f)
	}
}

func TestStateIsKept(t *testing.T) {
	file := filepath.Join(t.TempDir(), "simulator.json")
	s, err := simulator.Open(simulator.Options{File: file, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	a := s.Mint("Test", number)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s, err = simulator.Open(simulator.Options{File: file, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if got := s.Accounts(); len(got) != 1 || got[0].Token != a.Token || !s.Has(a.SID) || s.Has("AC0") {
		t.Errorf("%+v", got)
	}
}

package simulator_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kanal/twilio"
	"kanal/twilio/simulator"
)

// hook is one webhook as it came over the line, with what was answered.
type hook struct {
	path, signature string
	form            url.Values
	status          int
}

// wire keeps every webhook, whoever signed it. It answers as center does: 403 without a signature of the token.
type wire struct {
	*httptest.Server
	token string
	mu    sync.Mutex
	hooks []hook
	came  chan hook
	fails map[string]int // status for a path
	says  string
	kind  string
}

func newWire(t *testing.T, token string) *wire {
	t.Helper()
	w := &wire{token: token, came: make(chan hook, 1000), fails: map[string]int{}}
	w.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		h := hook{path: r.URL.Path, signature: r.Header.Get(twilio.SignatureHeader), form: r.PostForm, status: http.StatusOK}
		w.mu.Lock()
		defer w.mu.Unlock()
		if !w.signed(h, w.token) {
			h.status = http.StatusForbidden
		} else if w.fails[h.path] != 0 {
			h.status = w.fails[h.path]
		}
		w.hooks = append(w.hooks, h)
		w.came <- h
		rw.Header().Set("Content-Type", w.kind)
		rw.WriteHeader(h.status)
		_, _ = rw.Write([]byte(w.says))
	}))
	t.Cleanup(w.Close)
	return w
}

func (w *wire) signed(h hook, token string) bool {
	return twilio.Valid([]string{token}, w.URL+h.path, h.form, h.signature)
}

// next gives the next webhook.
func (w *wire) next(t *testing.T) hook {
	t.Helper()
	select {
	case h := <-w.came:
		return h
	case <-time.After(5 * time.Second):
		t.Fatal("no webhook came")
		return hook{}
	}
}

// all gives what came so far and forgets it.
func (w *wire) all() []hook {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := w.hooks
	w.hooks = nil
	for len(w.came) > 0 {
		<-w.came
	}
	return out
}

// always is a chaos in which some faults happen each time.
func always(late time.Duration, faults ...simulator.Fault) simulator.Chaos {
	c := simulator.Chaos{Seed: 1, Rates: map[simulator.Fault]float64{}, Late: late}
	for _, f := range faults {
		c.Rates[f] = 1
	}
	return c
}

// TestChaosOfCreates holds what each fault of a create is on the line, and whether the message was made.
func TestChaosOfCreates(t *testing.T) {
	s, a, _, _ := start(t)
	s.SetOutcome(a.SID, simulator.Outcome{Final: "sent", Step: time.Millisecond})
	w := newWire(t, a.Token)
	const hang = 300 * time.Millisecond
	for _, tt := range []struct {
		fault  simulator.Fault
		status int // 0 is no answer
		header string
		body   string
		made   bool
	}{
		{simulator.FaultTooMany, 429, "", `"code":20429`, false},
		{simulator.FaultTooManyWait, 429, "1", `"code":20429`, false},
		{simulator.FaultHTML, 500, "", "<html>", false},
		{simulator.FaultDown, 0, "", "reset", false},
		{simulator.FaultCommitDrop, 0, "", "EOF", true},
		{simulator.FaultCommitHang, 0, "", "deadline", true},
		{simulator.FaultCommitSlow, 201, "", `"sid":"SM`, true},
		{simulator.FaultSlow, 201, "", `"sid":"SM`, true},
		{simulator.FaultRejected, 400, "", `"code":21211`, false},
		{simulator.FaultUnauth, 401, "", `"code":20003`, false},
	} {
		if rated := slices.Contains(simulator.Faults(), tt.fault); rated {
			s.SetChaos(a.SID, always(100*time.Millisecond, tt.fault))
		} else {
			s.SetChaos(a.SID, simulator.Chaos{})
			s.Fail(a.SID, tt.fault)
		}
		before, began := len(s.Thread(a.SID, a.Customers[0].Address, number)), time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), hang)
		status, header, body := create(ctx, t, s, a, w.URL+"/status")
		cancel()
		took, made := time.Since(began), len(s.Thread(a.SID, a.Customers[0].Address, number)) > before
		if status != tt.status || header.Get("Retry-After") != tt.header || !strings.Contains(body, tt.body) || made != tt.made {
			t.Errorf("%s: %d %v %s, made is %v", tt.fault, status, header, body, made)
		}
		if tt.fault == simulator.FaultSlow && took < 100*time.Millisecond {
			t.Errorf("the first byte of a slow answer came after %v", took)
		}
		if tt.fault == simulator.FaultCommitSlow && len(w.all()) == 0 {
			t.Error("the answer came before the callback")
		}
		e := s.Newest(a.SID, 0)
		i := slices.IndexFunc(e, func(e simulator.Entry) bool { return e.What == "create" && e.Met(tt.fault) })
		if i < 0 || (e[i].SID != "") != tt.made {
			t.Errorf("%s is not in the ledger as it was: %+v", tt.fault, e)
		}
		s.Reset(a.SID)
		s.SetOutcome(a.SID, simulator.Outcome{Final: "sent", Step: time.Millisecond})
	}
}

// create posts one message; without an answer the body is what went wrong.
func create(ctx context.Context, t *testing.T, s *simulator.Simulator, a simulator.Account, callback string) (int, http.Header, string) {
	t.Helper()
	form := url.Values{"From": {"whatsapp:" + number}, "To": {string(a.Customers[0].Address)}, "Body": {"x"}, "StatusCallback": {callback}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL().String()+"/2010-04-01/Accounts/"+a.SID+"/Messages.json", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth(a.SID, a.Token)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return 0, nil, err.Error()
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	return res.StatusCode, res.Header, string(body)
}

// TestChaosOfStatus holds in which order which callbacks come. "!" is one with a bad signature.
func TestChaosOfStatus(t *testing.T) {
	for _, tt := range []struct {
		faults []simulator.Fault
		want   string
	}{
		{nil, "sent delivered read"},
		{[]simulator.Fault{simulator.FaultStatusLost}, ""},
		{[]simulator.Fault{simulator.FaultStatusTwice}, "sent sent delivered delivered read read"},
		{[]simulator.Fault{simulator.FaultStatusSwap}, "delivered sent read"},
		{[]simulator.Fault{simulator.FaultReadFirst}, "sent read delivered"},
		{[]simulator.Fault{simulator.FaultFailsLate}, "sent failed:63024"},
		{[]simulator.Fault{simulator.FaultForged}, "!failed:30008 sent !failed:30008 delivered !failed:30008 read"},
		{[]simulator.Fault{simulator.FaultOldToken}, "!sent !delivered !read"},
		{[]simulator.Fault{simulator.FaultWord}, "teleported sent teleported delivered teleported read"},
		{[]simulator.Fault{simulator.FaultFields}, "sent+ delivered+ read+"},
		{[]simulator.Fault{simulator.FaultStatusLost, simulator.FaultStatusTwice, simulator.FaultForged}, "!failed:30008 !failed:30008 !failed:30008"},
	} {
		s, a, client, cred := start(t)
		w := newWire(t, a.Token)
		s.SetOutcome(a.SID, simulator.Outcome{Final: "read", Step: time.Millisecond})
		s.Receive(a.SID, simulator.Write{Customer: a.Customers[0].Address, Number: number}) // the window
		s.SetChaos(a.SID, always(0, tt.faults...))
		m, err := client.CreateMessage(t.Context(), cred, twilio.NewMessage{
			From: "whatsapp:" + number, To: string(a.Customers[0].Address), Body: "x", StatusCallback: w.URL + "/status#rc=0",
		})
		if err != nil {
			t.Fatal(err)
		}
		told := until(t, s, a, func(es []simulator.Entry) bool { return told(es, m.SID, tt.faults) })
		var got []string
		for _, h := range w.all() {
			got = append(got, words(w, h))
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%v: %q, want %q", tt.faults, strings.Join(got, " "), tt.want)
		}
		for _, e := range told {
			if e.What == "status" && len(tt.faults) > 0 && len(e.Faults) == 0 && tt.faults[0] != simulator.FaultWord && tt.faults[0] != simulator.FaultForged {
				t.Errorf("%v: the ledger does not say so: %+v", tt.faults, e)
			}
		}
		if last, _ := client.FetchMessage(t.Context(), cred, m.SID); last.Status != "read" && last.Status != "failed" {
			t.Errorf("%v: at Twilio the message is %s", tt.faults, last.Status)
		}
	}
}

// told tells whether the last callback of a message is in the ledger.
func told(es []simulator.Entry, sid string, faults []simulator.Fault) bool {
	n, want := 0, 3
	if slices.Contains(faults, simulator.FaultFailsLate) {
		want = 2
	}
	if slices.Contains(faults, simulator.FaultStatusTwice) && !slices.Contains(faults, simulator.FaultStatusLost) {
		want = 6
	}
	for _, e := range es {
		if word := e.Params.Get("MessageStatus"); e.What == "status" && e.SID == sid && word != "teleported" && !e.Met(simulator.FaultForged) {
			n++
		} else if e.What == "status" && e.Met(simulator.FaultForged) && word != "failed" {
			n++
		}
	}
	return n >= want
}

// until waits for the ledger to be so.
func until(t *testing.T, s *simulator.Simulator, a simulator.Account, done func([]simulator.Entry) bool) []simulator.Entry {
	t.Helper()
	heard, stop := s.Watch()
	defer stop()
	for late := time.After(5 * time.Second); ; {
		if es := s.Ledger(a.SID); done(es) {
			return es
		}
		select {
		case <-heard:
		case <-late:
			t.Fatalf("%+v", s.Ledger(a.SID))
		}
	}
}

// words says what a status callback is.
func words(w *wire, h hook) string {
	out := h.form.Get("MessageStatus")
	if code := h.form.Get("ErrorCode"); code != "" {
		out += ":" + code
	}
	if h.form.Has("TwilioNewField") {
		out += "+"
	}
	if !w.signed(h, w.token) {
		out = "!" + out
	}
	return out
}

// TestLateCallback holds that a callback that is late does not keep the others waiting.
func TestLateCallback(t *testing.T) {
	s, a, client, cred := start(t)
	w := newWire(t, a.Token)
	s.SetOutcome(a.SID, simulator.Outcome{Final: "read", Step: time.Millisecond})
	s.Receive(a.SID, simulator.Write{Customer: a.Customers[0].Address, Number: number})
	s.SetChaos(a.SID, simulator.Chaos{Late: 200 * time.Millisecond})
	s.Fail(a.SID, simulator.FaultStatusLate)
	m := twilio.NewMessage{From: "whatsapp:" + number, To: string(a.Customers[0].Address), Body: "x", StatusCallback: w.URL + "/status"}
	if _, err := client.CreateMessage(t.Context(), cred, m); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"delivered", "read", "sent"} {
		if got := w.next(t).form.Get("MessageStatus"); got != want {
			t.Errorf("%s came, want %s", got, want)
		}
	}
}

// TestChaosOfInbound holds what reaches the center of a message that a customer writes.
func TestChaosOfInbound(t *testing.T) {
	for _, tt := range []struct {
		fault  simulator.Fault
		status string
		check  func(w *wire, hs []hook, a simulator.Account) bool
	}{
		{simulator.FaultInboundLost, "[0]", func(_ *wire, hs []hook, _ simulator.Account) bool { return len(hs) == 0 }},
		{simulator.FaultInboundTwice, "[200 200]", func(_ *wire, hs []hook, _ simulator.Account) bool {
			return len(hs) == 2 && hs[0].form.Get("MessageSid") == hs[1].form.Get("MessageSid")
		}},
		{simulator.FaultForged, "[403 200]", func(_ *wire, hs []hook, _ simulator.Account) bool {
			return len(hs) == 2 && hs[0].form.Get("MessageSid") != hs[1].form.Get("MessageSid") && hs[0].status == 403
		}},
		{simulator.FaultOldToken, "[403]", func(w *wire, hs []hook, a simulator.Account) bool {
			return len(hs) == 1 && w.signed(hs[0], a.Rotated)
		}},
		{simulator.FaultFields, "[200]", func(_ *wire, hs []hook, _ simulator.Account) bool { return hs[0].form.Get("TwilioNewField") == "x" }},
		{simulator.FaultWord, "[200]", func(_ *wire, hs []hook, _ simulator.Account) bool { return hs[0].form.Get("MessageType") == "hologram" }},
	} {
		s, a, client, cred := start(t)
		w := newWire(t, a.Token)
		s.SetInboundURL(a.SID, number, w.URL+"/in#rc=0")
		s.SetFallbackURL(a.SID, number, "")
		s.SetChaos(a.SID, always(0, tt.fault))
		got := s.Receive(a.SID, simulator.Write{Customer: a.Customers[0].Address, Number: number, Body: "Hei"})
		if hs := w.all(); fmt.Sprint(got) != tt.status || !tt.check(w, hs, a) {
			t.Errorf("%s: %v %+v", tt.fault, got, hs)
		}
		all, err := client.ListMessages(t.Context(), cred, twilio.MessageFilter{To: "whatsapp:" + number})
		if err != nil || len(all) != 1 || all[0].Body != "Hei" || all[0].Status != "received" {
			t.Errorf("%s: a listing has %+v %v", tt.fault, all, err)
		}
		if es := s.Ledger(a.SID); !es[0].Met(tt.fault) {
			t.Errorf("%s: the ledger does not say so: %+v", tt.fault, es)
		}
		s.SetChaos(a.SID, simulator.Chaos{})
		if got := s.Receive(a.SID, simulator.Write{Customer: a.Customers[0].Address, Number: number}); fmt.Sprint(got) != "[200]" {
			t.Errorf("after the chaos: %v", got)
		}
	}
}

// TestOldTokenIsThatBeforeTheRotation holds which token an old one is.
func TestOldTokenIsThatBeforeTheRotation(t *testing.T) {
	s, a, _, _ := start(t)
	w := newWire(t, s.AddSecondaryToken(a.SID))
	s.SetInboundURL(a.SID, number, w.URL+"/in#rc=0")
	s.PromoteToken(a.SID)
	s.Fail(a.SID, simulator.FaultOldToken)
	for _, want := range []int{403, 200} {
		got := s.Receive(a.SID, simulator.Write{Customer: a.Customers[0].Address, Number: number})
		if h := w.next(t); got[0] != want || want == 403 && !w.signed(h, a.Token) {
			t.Errorf("%v, want %d", got, want)
		}
	}
}

// TestChaosOfFiles holds that a late file is not there at first.
func TestChaosOfFiles(t *testing.T) {
	now := time.Now()
	s, err := simulator.Open(simulator.Options{Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	a := s.Mint("Test", number)
	w := newWire(t, a.Token)
	s.SetInboundURL(a.SID, number, w.URL+"/in")
	s.SetChaos(a.SID, always(3*time.Second, simulator.FaultLateFile))
	s.Receive(a.SID, simulator.Write{Customer: a.Customers[0].Address, Number: number, Kind: "image"})
	at := strings.Replace(w.next(t).form.Get("MediaUrl0"), "https://api.twilio.com", s.URL().String(), 1)
	cred := twilio.Credentials{AccountSID: a.SID, AuthToken: a.Token}
	for _, tt := range []struct {
		after time.Duration
		want  int
	}{{0, 404}, {2 * time.Second, 404}, {time.Second, 307}} {
		now = now.Add(tt.after)
		if res := get(t, at, &cred); res.StatusCode != tt.want {
			t.Errorf("after %v: %d", tt.after, res.StatusCode)
		}
	}
}

// decisions runs the same conversations and gives what each create and each message of each met, in its order.
func decisions(t *testing.T, c simulator.Chaos, together bool) map[string]string {
	t.Helper()
	s, a, client, cred := start(t)
	w := newWire(t, a.Token)
	s.SetInboundURL(a.SID, number, w.URL+"/in#rc=0")
	s.SetOutcome(a.SID, simulator.Outcome{Final: "none"})
	s.SetChaos(a.SID, c)
	var all sync.WaitGroup
	for _, customer := range a.Customers {
		talk := func() {
			for i := range 30 {
				s.Receive(a.SID, simulator.Write{Customer: customer.Address, Number: number, Body: fmt.Sprint(i)})
				_, _ = client.CreateMessage(context.Background(), cred, twilio.NewMessage{From: "whatsapp:" + number, To: string(customer.Address), Body: fmt.Sprint(i)})
			}
		}
		if together {
			all.Go(talk)
		} else {
			talk()
		}
	}
	all.Wait()
	out := map[string]string{}
	for _, e := range s.Ledger(a.SID) {
		if !e.Met(simulator.FaultForged) && e.Try < 2 { // of a double each attempt is in the ledger, at any time
			key := e.What + " " + e.Params.Get("From") + " " + e.Params.Get("To") + " " + e.Params.Get("Body")
			out[key] = fmt.Sprint(e.Faults)
		}
	}
	return out
}

// TestOneSeedOneSequence holds that chance can be repeated, also when conversations go on at the same time.
func TestOneSeedOneSequence(t *testing.T) {
	c := simulator.Worst(7)
	delete(c.Rates, simulator.FaultCommitHang) // takes its time
	c.Late = time.Millisecond
	first := decisions(t, c, false)
	met := map[string]bool{}
	for _, f := range first {
		met[f] = true
	}
	if len(first) < 150 || len(met) < 8 {
		t.Fatalf("%d decisions of %d sorts", len(first), len(met))
	}
	if again := decisions(t, c, true); fmt.Sprint(again) != fmt.Sprint(first) {
		t.Errorf("the same seed: %v\nand %v", first, again)
	}
	c.Seed = 8
	if other := decisions(t, c, true); fmt.Sprint(other) == fmt.Sprint(first) {
		t.Error("another seed decides alike")
	}
}

// TestFallbackAndDebugger holds what Twilio does when no attempt at an incoming message succeeded.
func TestFallbackAndDebugger(t *testing.T) {
	s, a, _, _ := start(t)
	w := newWire(t, a.Token)
	s.SetInboundURL(a.SID, number, w.URL+"/in#rc=1&rp=all")
	s.SetFallbackURL(a.SID, number, w.URL+"/fallback#rc=3&rp=all")
	s.SetDebugURL(a.SID, w.URL+"/debug")
	write := simulator.Write{Customer: a.Customers[0].Address, Number: number, Body: "Hei"}
	s.Receive(a.SID, write)
	if hs := w.all(); len(hs) != 1 {
		t.Fatalf("all is well: %+v", hs)
	}
	w.fails["/in"] = 503
	s.Receive(a.SID, write)
	hs := w.all()
	if len(hs) != 4 || hs[1].path != "/in" || hs[2].path != "/fallback" || hs[3].path != "/debug" {
		t.Fatalf("%+v", hs)
	}
	fallback := hs[2].form
	if fallback.Get("ErrorCode") != "11200" || fallback.Get("ErrorUrl") != w.URL+"/in" || hs[2].status != 200 {
		t.Errorf("%+v", hs[2])
	}
	fallback.Del("ErrorCode")
	fallback.Del("ErrorUrl")
	if fallback.Encode() != hs[1].form.Encode() {
		t.Errorf("the fallback has other fields: %v, not %v", fallback, hs[1].form)
	}
	if thread := s.Thread(a.SID, a.Customers[0].Address, number); !thread[1].Arrived() {
		t.Error("what the fallback has taken has arrived")
	}
	debug := hs[3].form
	var p struct {
		Resource string            `json:"resource_sid"`
		Code     string            `json:"error_code"`
		More     map[string]string `json:"more_info"`
		Webhook  struct {
			Type    string `json:"type"`
			Request struct {
				URL, Method string
				Parameters  map[string]string
			} `json:"request"`
			Response struct {
				Status  int               `json:"status_code"`
				Headers map[string]string `json:"headers"`
				Body    string            `json:"body"`
			} `json:"response"`
		} `json:"webhook"`
	}
	if err := json.Unmarshal([]byte(debug.Get("Payload")), &p); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(debug.Get("Sid"), "NO") || debug.Get("AccountSid") != a.SID || !debug.Has("ParentAccountSid") || debug.Get("Level") != "ERROR" ||
		debug.Get("PayloadType") != "application/json" || hs[3].status != 200 {
		t.Errorf("%+v", debug)
	}
	if _, err := time.Parse(time.RFC3339, debug.Get("Timestamp")); err != nil {
		t.Error(err)
	}
	if p.Code != "11200" || p.Resource != hs[0].form.Get("MessageSid") && p.Resource != hs[1].form.Get("MessageSid") || p.More["httpResponse"] != "503" ||
		p.More["url"] != w.URL+"/in" || p.Webhook.Request.URL != w.URL+"/in" || p.Webhook.Request.Method != "POST" ||
		p.Webhook.Request.Parameters["Body"] != "Hei" || p.Webhook.Response.Status != 503 || p.Webhook.Response.Headers["Date"] == "" {
		t.Errorf("%+v", p)
	}
	s.SetFallbackURL(a.SID, number, "")
	s.Receive(a.SID, write)
	if hs := w.all(); len(hs) != 3 || hs[2].path != "/debug" {
		t.Errorf("without a fallback: %+v", hs)
	}
	s.SetChaos(a.SID, always(0, simulator.FaultInboundLost))
	if s.Receive(a.SID, write); len(w.all()) != 0 {
		t.Error("what is lost reaches nobody")
	}
}

// TestWhatTheDebuggerSays holds the codes of what can be wrong with an answer.
func TestWhatTheDebuggerSays(t *testing.T) {
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	for _, tt := range []struct {
		kind, says, inbound string
		code, level         string
		fallback            bool
	}{
		{"text/xml", "<Response/>", "", "", "", false},
		{"text/html", "<p>no</p>", "", "12300", "ERROR", true},
		{"text/xml", "<Response>", "", "12100", "ERROR", true},
		{"text/xml", "<Response><Fly/></Response>", "", "12200", "WARNING", false},
		{"", "", gone.URL, "11205", "ERROR", true},
	} {
		s, a, _, _ := start(t)
		w, hooks := newWire(t, a.Token), newWire(t, a.Token)
		w.kind, w.says = tt.kind, tt.says
		if tt.inbound == "" {
			tt.inbound = w.URL + "/in"
		}
		s.SetInboundURL(a.SID, number, tt.inbound)
		s.SetFallbackURL(a.SID, number, hooks.URL+"/fallback")
		s.SetDebugURL(a.SID, hooks.URL+"/debug")
		s.Receive(a.SID, simulator.Write{Customer: a.Customers[0].Address, Number: number})
		hs := hooks.all()
		fallback := len(hs) > 0 && hs[0].path == "/fallback"
		code, level := "", ""
		if len(hs) > 0 {
			last := hs[len(hs)-1].form
			level = last.Get("Level")
			var p struct {
				Code string `json:"error_code"`
			}
			_ = json.Unmarshal([]byte(last.Get("Payload")), &p)
			code = p.Code
		}
		if fallback != tt.fallback || code != tt.code || level != tt.level {
			t.Errorf("%s %s: fallback %v, %s %s", tt.kind, tt.says, fallback, code, level)
		}
	}
}

// TestStatusURLOfTheSender holds that it is called for messages that name none, and that its failure is told.
func TestStatusURLOfTheSender(t *testing.T) {
	s, a, client, cred := start(t)
	w := newWire(t, a.Token)
	s.SetOutcome(a.SID, simulator.Outcome{Final: "sent", Step: time.Millisecond})
	s.SetStatusURL(a.SID, number, w.URL+"/status")
	s.SetDebugURL(a.SID, w.URL+"/debug")
	w.fails["/status"] = 500
	s.Receive(a.SID, simulator.Write{Customer: a.Customers[0].Address, Number: number})
	if _, err := client.CreateMessage(t.Context(), cred, twilio.NewMessage{From: "whatsapp:" + number, To: string(a.Customers[0].Address), Body: "x"}); err != nil {
		t.Fatal(err)
	}
	if h := w.next(t); h.path != "/status" || h.form.Get("MessageStatus") != "sent" {
		t.Errorf("%+v", h)
	}
	if h := w.next(t); h.path != "/debug" {
		t.Errorf("%+v", h)
	}
}

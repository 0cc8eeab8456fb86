package simulator

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"maps"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"kanal/twilio"
)

// call is one webhook to make.
type call struct {
	what    string // inbound, status, fallback or debugger
	address string
	form    url.Values
	message string
	faults  []Fault
}

func (c call) met(f Fault) bool { return slices.Contains(c.faults, f) }

// overrides are what the fragment of an address asks for (webhook connection overrides).
type overrides struct {
	retries int
	on      []string // 4xx, 5xx, ct (no connection), rt (no answer) or all
	read    time.Duration
	total   time.Duration
}

func parseOverrides(fragment string) overrides {
	v, _ := url.ParseQuery(fragment)
	o := overrides{retries: 1, on: []string{"ct"}, read: 15 * time.Second, total: 15 * time.Second}
	if n, err := strconv.Atoi(v.Get("rc")); err == nil {
		o.retries = min(max(n, 0), 5)
	}
	if v.Get("rp") != "" {
		o.on = strings.Split(v.Get("rp"), ",")
	}
	for name, limit := range map[string]*time.Duration{"rt": &o.read, "tt": &o.total} {
		if n, err := strconv.Atoi(v.Get(name)); err == nil && n >= 100 {
			*limit = min(time.Duration(n)*time.Millisecond, 15*time.Second)
		}
	}
	return o
}

// attempt is what became of one try of a webhook.
type attempt struct {
	status int    // 0 without an answer
	silent string // ct or rt when there is none
	says   string // what the answer lets Twilio send to the customer
	body   string
	header http.Header
	code   int // of what is wrong with the answer to an inbound webhook
}

func (o overrides) again(a attempt) bool {
	why := a.silent
	if a.status >= 400 {
		why = strconv.Itoa(a.status/100) + "xx"
	}
	return why != "" && (slices.Contains(o.on, "all") || slices.Contains(o.on, why))
}

// tell makes a webhook with what goes wrong with it, and gives the status of each attempt.
func (s *Simulator) tell(sid string, c call) []int {
	var out []int
	if c.met(FaultForged) {
		f := c.forgery()
		out = s.post(sid, f).statuses
		if c.what == onInbound && len(c.faults) == 1 && !s.onPhone(sid, c.message) {
			return out
		}
		c.faults = without(c.faults, FaultForged)
	}
	if c.met(FaultInboundLost) || c.met(FaultStatusLost) {
		s.lose(sid, c)
		return append(out, 0)
	}
	if c.met(FaultWord) && c.what == onStatus {
		x := c
		x.form, x.faults = changed(c.form, "MessageStatus", "teleported", "SmsStatus", "teleported"), []Fault{FaultWord}
		out = append(out, s.post(sid, x).statuses...)
		c.faults = without(c.faults, FaultWord)
	} else if c.met(FaultWord) {
		c.form = changed(c.form, "MessageType", "hologram")
	}
	if c.met(FaultFields) {
		c.form = changed(c.form, "TwilioNewField", "x", "AnotherField", "", "Event.Details", `{"a":[1]}`)
	}
	second := make(chan result, 1)
	twice := (c.met(FaultInboundTwice) || c.met(FaultStatusTwice)) && s.run(func() { second <- s.post(sid, c) })
	last := s.post(sid, c)
	out = append(out, last.statuses...)
	if twice {
		other := <-second
		out = append(out, other.statuses...)
		if !other.failed() {
			return out
		}
	}
	if last.failed() {
		s.complain(sid, c, last.attempt)
	} else if last.code != 0 {
		s.debug(sid, c, last.attempt)
	}
	return out
}

// forgery gives what somebody else posts before the true webhook: another message, or a status that is not true.
func (c call) forgery() call {
	f := call{what: c.what, address: c.address, message: c.message, faults: []Fault{FaultForged}}
	if c.what == onStatus {
		f.form = changed(c.form, "MessageStatus", "failed", "SmsStatus", "failed", "ErrorCode", "30008")
		return f
	}
	f.message = id("SM")
	f.form = changed(c.form, "MessageSid", f.message, "SmsSid", f.message, "SmsMessageSid", f.message)
	return f
}

// passedOn are the faults that what follows from the webhook has, too.
func (c call) passedOn() []Fault {
	if c.met(FaultOldToken) {
		return []Fault{FaultOldToken}
	}
	return nil
}

// changed gives a copy of a form with fields set.
func changed(form url.Values, pairs ...string) url.Values {
	out := maps.Clone(form)
	for i := 1; i < len(pairs); i += 2 {
		out.Set(pairs[i-1], pairs[i])
	}
	return out
}

func without(faults []Fault, f Fault) []Fault {
	return slices.DeleteFunc(slices.Clone(faults), func(x Fault) bool { return x == f })
}

// onPhone tells whether there is such a message.
func (s *Simulator) onPhone(sid, message string) (there bool) {
	s.look(sid, func(a *account) { there = a.message(message) != nil })
	return there
}

// lose notes a webhook that does not reach the center.
func (s *Simulator) lose(sid string, c call) {
	address, _, _ := strings.Cut(c.address, "#")
	s.with(sid, func(a *account) {
		s.note(a, Entry{At: a.now(s.o.Now()), What: c.what, SID: c.message, URL: address, Faults: c.faults, Params: c.form})
		if m := a.message(c.message); m != nil && c.what == onInbound {
			m.Posted++
		}
	})
}

// result is what became of a webhook: the status of each attempt, and the last one.
type result struct {
	statuses []int
	attempt
}

// failed tells whether Twilio takes it that the webhook failed.
func (a attempt) failed() bool {
	return a.status < 200 || a.status >= 300 || a.code != 0 && a.code != codeTwiMLWarning
}

// post makes a webhook with its retries.
func (s *Simulator) post(sid string, c call) (out result) {
	address, fragment, _ := strings.Cut(c.address, "#")
	o := parseOverrides(fragment)
	ctx, cancel := context.WithTimeout(s.ctx, o.total)
	defer cancel()
	headers := http.Header{}
	headers.Set("I-Twilio-Idempotency-Token", id(""))
	headers.Set(twilio.SignatureHeader, twilio.Sign(s.signer(sid, c), address, c.form))
	for try := 1; try <= o.retries+1; try++ {
		began := s.o.Now()
		out.attempt = s.attempt(ctx, o.read, address, c.form, headers)
		if out.statuses = append(out.statuses, out.status); c.what != onInbound && c.what != toFallback {
			out.says, out.code = "", 0 // nobody reads the body
		}
		s.with(sid, func(a *account) {
			s.note(a, Entry{
				At: a.now(s.o.Now()), What: c.what, SID: c.message, URL: address, Token: headers.Get("I-Twilio-Idempotency-Token"), Try: try,
				Status: out.status, Faults: c.faults, Params: c.form, Answer: out.body, Duration: s.o.Now().Sub(began),
			})
			a.posted(c, out.attempt, s.o.Now())
		})
		if !o.again(out.attempt) {
			break
		}
		select {
		case <-time.After(50 * time.Millisecond << try):
		case <-ctx.Done():
			return out
		}
	}
	return out
}

// signer gives the token with which a webhook is signed.
func (s *Simulator) signer(sid string, c call) (token string) {
	s.look(sid, func(a *account) {
		switch token = a.Token; {
		case c.met(FaultForged):
			token = "not the token"
		case c.met(FaultOldToken):
			token = a.Rotated
		}
	})
	return token
}

// posted keeps what an attempt means for the customer: whether the message has come, and what is answered.
func (a *account) posted(c call, got attempt, now time.Time) {
	if c.what != onInbound && c.what != toFallback {
		return
	}
	if m := a.message(c.message); m != nil && !m.Arrived() {
		m.Posted, m.Answered = m.Posted+1, got.status
	}
	if got.says != "" {
		a.say(c.form, got.says, now)
	}
}

func (s *Simulator) attempt(ctx context.Context, limit time.Duration, address string, form url.Values, headers http.Header) attempt {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return attempt{silent: "ct"}
	}
	req.URL.User = nil
	req.Header = headers.Clone()
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("User-Agent", "TwilioProxy/1.1")
	req.Header.Set("Accept", "*/*")
	req.Header.Set("X-Home-Region", "us1")
	res, err := s.client.Do(req)
	if err != nil {
		var op *net.OpError
		if errors.As(err, &op) && op.Op == "dial" {
			return attempt{silent: "ct"}
		}
		return attempt{silent: "rt"}
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	if err != nil {
		return attempt{silent: "rt"}
	}
	a := attempt{status: res.StatusCode, body: string(body[:min(len(body), maxAnswer)]), header: res.Header}
	a.says, a.code = saidBy(res, body)
	return a
}

// saidBy gives what the answer to an inbound webhook would send to the customer: a plain text as it is, TwiML by its
// first Message. The second result is the code of what is wrong with the answer, 0 for nothing.
func saidBy(res *http.Response, body []byte) (string, int) {
	kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	switch {
	case res.StatusCode >= 300 || len(bytes.TrimSpace(body)) == 0:
		return "", 0
	case kind == "text/plain":
		return strings.TrimSpace(string(body)), 0
	case kind != "text/xml" && kind != "application/xml":
		return "", codeContentType
	}
	var twiml struct {
		XMLName  xml.Name `xml:"Response"`
		Messages []struct {
			Text string `xml:",chardata"`
			Body string `xml:"Body"`
		} `xml:"Message"`
		Redirects []string   `xml:"Redirect"`
		Others    []struct{} `xml:",any"`
	}
	switch err := xml.Unmarshal(body, &twiml); {
	case err != nil:
		return "", codeTwiML
	case len(twiml.Messages) == 0 && len(twiml.Others) > 0:
		return "", codeTwiMLWarning
	case len(twiml.Messages) == 0:
		return "", 0
	}
	return strings.TrimSpace(twiml.Messages[0].Text + twiml.Messages[0].Body), 0
}

// say sends an answer, of the webhook or of Twilio itself, to the customer who wrote.
func (a *account) say(form url.Values, text string, now time.Time) {
	a.add(&Message{
		SID: id("SM"), AccountSID: a.SID, From: form.Get("To"), To: form.Get("From"), Body: text, Direction: "outbound-reply",
		Status: "delivered", Kind: "text", Created: a.now(now), Updated: a.now(now),
	})
}

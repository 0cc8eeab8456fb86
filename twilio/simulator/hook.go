package simulator

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
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
	address string
	form    url.Values
	token   string
	message string
	forged  bool
}

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
	failed string // ct or rt when there is none
	says   string // what the answer lets Twilio send to the customer
	body   string
}

func (o overrides) again(a attempt) bool {
	why := a.failed
	if a.status >= 400 {
		why = strconv.Itoa(a.status/100) + "xx"
	}
	return why != "" && (slices.Contains(o.on, "all") || slices.Contains(o.on, why))
}

// post makes a webhook with its retries and gives the status of each attempt.
func (s *Simulator) post(sid, what string, c call) []int {
	address, fragment, _ := strings.Cut(c.address, "#")
	o := parseOverrides(fragment)
	ctx, cancel := context.WithTimeout(s.ctx, o.total)
	defer cancel()
	token := c.token
	if c.forged {
		token = "not the token"
	}
	headers := http.Header{}
	headers.Set("I-Twilio-Idempotency-Token", id(""))
	headers.Set(twilio.SignatureHeader, twilio.Sign(token, address, c.form))
	var out []int
	for try := 0; try <= o.retries; try++ {
		began := s.o.Now()
		a := s.attempt(ctx, o.read, address, c.form, headers)
		out = append(out, a.status)
		s.with(sid, func(x *account) {
			x.note(Entry{
				At: x.now(s.o.Now()), What: what, SID: c.message, URL: address, Token: headers.Get("I-Twilio-Idempotency-Token"),
				Status: a.status, Params: c.form, Answer: a.body, Forged: c.forged, Duration: s.o.Now().Sub(began),
			})
			if m := x.message(c.message); m != nil && what == "inbound" {
				m.Posted, m.Answered = m.Posted+1, a.status
			}
			if what == "inbound" && a.says != "" {
				x.say(c.form, a.says, s.o.Now())
			}
		})
		if !o.again(a) {
			return out
		}
		select {
		case <-time.After(100 * time.Millisecond << try):
		case <-ctx.Done():
			return out
		}
	}
	return out
}

func (s *Simulator) attempt(ctx context.Context, limit time.Duration, address string, form url.Values, headers http.Header) attempt {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return attempt{failed: "ct"}
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
			return attempt{failed: "ct"}
		}
		return attempt{failed: "rt"}
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	if err != nil {
		return attempt{failed: "rt"}
	}
	return attempt{status: res.StatusCode, says: saidBy(res, body), body: string(body[:min(len(body), maxAnswer)])}
}

// saidBy gives what the answer to an inbound webhook would send to the customer: a plain text as it is, TwiML by its
// first Message.
func saidBy(res *http.Response, body []byte) string {
	kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	switch {
	case res.StatusCode >= 300:
		return ""
	case kind == "text/plain":
		return strings.TrimSpace(string(body))
	}
	var twiml struct {
		Messages []struct {
			Text string `xml:",chardata"`
			Body string `xml:"Body"`
		} `xml:"Message"`
	}
	if xml.Unmarshal(body, &twiml) != nil || len(twiml.Messages) == 0 {
		return ""
	}
	return strings.TrimSpace(twiml.Messages[0].Text + twiml.Messages[0].Body)
}

// say sends an answer, of the webhook or of Twilio itself, to the customer who wrote.
func (a *account) say(form url.Values, text string, now time.Time) {
	a.add(&Message{
		SID: id("SM"), AccountSID: a.SID, From: form.Get("To"), To: form.Get("From"), Body: text, Direction: "outbound-reply",
		Status: "delivered", Kind: "text", Created: a.now(now), Updated: a.now(now),
	})
}

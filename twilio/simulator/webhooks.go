package simulator

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"kanal/twilio"
)

// windowLength is WhatsApp's: free text reaches a customer for 24 hours after their last message.
const windowLength = 24 * time.Hour

// deliver runs a message through its life and calls back. A closed window fails it with 63016 whatever the outcome is.
func (s *Simulator) deliver(sid, message string, o Outcome) {
	step := o.Step
	if step == 0 {
		step = DefaultStep
	}
	if !s.windowOpen(sid, message) {
		o = Outcome{Final: "undelivered", Code: twilio.CodeOutsideWindow}
	}
	for _, status := range lifeOf(o.Final) {
		select {
		case <-time.After(step):
		case <-s.ctx.Done():
			return
		}
		s.Report(sid, message, status, o.Code)
	}
}

func lifeOf(final string) []string {
	switch final {
	case "none":
		return nil
	case "sent":
		return []string{"sent"}
	case "delivered":
		return []string{"sent", "delivered"}
	case "failed":
		return []string{"failed"}
	case "undelivered":
		return []string{"sent", "undelivered"}
	}
	return []string{"sent", "delivered", "read"}
}

func (s *Simulator) windowOpen(sid, message string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.account(sid)
	m := a.message(message)
	for _, in := range a.Messages {
		if in.Direction == "inbound" && in.From == m.To && in.To == m.From && a.now(s.o.Now()).Sub(in.Created) < windowLength {
			return true
		}
	}
	return false
}

func (a *account) message(sid string) *Message {
	for _, m := range a.Messages {
		if m.SID == sid {
			return m
		}
	}
	return nil
}

// Report sets a message's status and sends the callback, as often as it is called and in any order.
func (s *Simulator) Report(sid, message, status string, code int) {
	s.mu.Lock()
	a := s.account(sid)
	m := a.message(message)
	m.Status = status
	form := url.Values{
		"MessageSid": {m.SID}, "SmsSid": {m.SID}, "AccountSid": {sid}, "From": {m.From}, "To": {m.To}, "MessageStatus": {status},
		"SmsStatus": {status}, "ApiVersion": {"2010-04-01"}, "ChannelPrefix": {"whatsapp"}, "ChannelInstallSid": {id("XE")},
	}
	if status == "failed" || status == "undelivered" {
		m.ErrorCode = code
		form.Set("ErrorCode", strconv.Itoa(code))
	}
	if status == "read" {
		form.Set("EventType", "READ")
	}
	callback, token := m.Callback, a.Token
	s.changed()
	s.mu.Unlock()
	if callback != "" {
		s.post(sid, "status", call{address: callback, form: form, token: token, message: m.SID})
	}
}

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
	on      string
	read    time.Duration
}

func parseOverrides(fragment string) overrides {
	v, _ := url.ParseQuery(fragment)
	o := overrides{retries: 1, on: "ct", read: 15 * time.Second}
	if n, err := strconv.Atoi(v.Get("rc")); err == nil {
		o.retries = min(max(n, 0), 5)
	}
	if v.Get("rp") != "" {
		o.on = v.Get("rp")
	}
	if n, err := strconv.Atoi(v.Get("rt")); err == nil && n >= 100 {
		o.read = time.Duration(n) * time.Millisecond
	}
	return o
}

func (o overrides) again(status int) bool {
	switch {
	case status >= 200 && status < 400:
		return false
	case strings.Contains(o.on, "all"):
		return true
	case status == 0:
		return strings.Contains(o.on, "ct")
	}
	return strings.Contains(o.on, strconv.Itoa(status/100)+"xx")
}

// post makes a webhook with its retries and gives the status of each attempt.
func (s *Simulator) post(sid, what string, c call) []int {
	address, fragment, _ := strings.Cut(c.address, "#")
	o := parseOverrides(fragment)
	signature := twilio.Sign(c.token, address, c.form)
	if c.forged {
		signature = twilio.Sign("not the token", address, c.form)
	}
	idempotency := id("")
	var out []int
	for try := 0; try <= o.retries; try++ {
		began := time.Now() //nolint:forbidigo // how long the call took on the wire
		status := s.attempt(address, c.form, signature, idempotency, o.read)
		out = append(out, status)
		s.with(sid, func(a *account) {
			a.note(Entry{
				At: a.now(s.o.Now()), What: what, SID: c.message, URL: address, Token: idempotency, Status: status,
				Params: c.form, Duration: time.Since(began),
			})
		})
		if !o.again(status) {
			return out
		}
		select {
		case <-time.After(100 * time.Millisecond << try):
		case <-s.ctx.Done():
			return out
		}
	}
	return out
}

func (s *Simulator) attempt(address string, form url.Values, signature, idempotency string, limit time.Duration) int {
	ctx, cancel := context.WithTimeout(s.ctx, limit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return 0
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("User-Agent", "TwilioProxy/1.1")
	req.Header.Set("Accept", "*/*")
	req.Header.Set("I-Twilio-Idempotency-Token", idempotency)
	req.Header.Set("X-Home-Region", "us1")
	req.Header.Set(twilio.SignatureHeader, signature)
	res, err := s.client.Do(req)
	if err != nil {
		return 0
	}
	defer func() { _ = res.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10))
	return res.StatusCode
}

// Write is what a customer does.
type Write struct {
	Customer twilio.Address
	Number   string // the sender's
	Kind     string // one of Kinds; empty is text
	Body     string
	Forged   bool // with a signature that is wrong
	Twice    bool // the same message is posted again
}

// Kinds are the shapes of inbound messages that a customer can send.
func Kinds() []string {
	return []string{
		"text", "image", "audio", "video", "document", "sticker", "contacts", "location", "place", "button", "reply_button",
		"list_reply", "flow_reply", "quote", "forwarded", "ad", "call_permission", "reaction", "unsupported",
	}
}

// Receive lets a customer write. It gives the status of each attempt of the webhook; none when the sender has no
// address for incoming messages, or there is no such account, sender or customer.
func (s *Simulator) Receive(sid string, w Write) []int {
	s.mu.Lock()
	a := s.account(sid)
	if a == nil || a.sender(w.Number) == nil || a.customer(w.Customer) == nil {
		s.mu.Unlock()
		return nil
	}
	m, form := a.inbound(w, s.o.Now())
	address, token := a.sender(w.Number).InboundURL, a.Token
	if !w.Forged {
		a.Messages = append(a.Messages, m)
	}
	s.changed()
	s.mu.Unlock()
	if address == "" {
		return nil
	}
	c := call{address: address, form: form, token: token, message: m.SID, forged: w.Forged}
	out := s.post(sid, "inbound", c)
	if w.Twice {
		out = append(out, s.post(sid, "inbound", c)...)
	}
	return out
}

func (a *account) customer(address twilio.Address) *Customer {
	for _, c := range a.Customers {
		if c.Address == address {
			return c
		}
	}
	return nil
}

// inbound makes the message and its form in the shape that Twilio has for it.
func (a *account) inbound(w Write, now time.Time) (*Message, url.Values) {
	c := a.customer(w.Customer)
	kind := w.Kind
	if kind == "" {
		kind = "text"
	}
	shape := shapes[kind]
	sid := id("SM")
	if shape.media != "" {
		sid = id("MM")
	}
	to := "whatsapp:" + w.Number
	form := url.Values{
		"MessageSid": {sid}, "SmsSid": {sid}, "SmsMessageSid": {sid}, "AccountSid": {a.SID}, "From": {string(c.Address)}, "To": {to},
		"Body": {w.Body}, "NumMedia": {"0"}, "NumSegments": {"1"}, "SmsStatus": {"received"}, "ApiVersion": {"2010-04-01"},
		"MessageType": {shape.messageType}, "ProfileName": {c.Name}, "ReferralNumMedia": {"0"},
	}
	if c.BSUID != "" {
		form.Set("ExternalUserId", "whatsapp:"+c.BSUID)
	}
	if phone := c.Address.Phone(); phone != "" {
		form.Set("WaId", strings.TrimPrefix(phone, "+"))
	}
	if shape.media != "" {
		form.Set("NumMedia", "1")
		form.Set("MediaContentType0", shape.media)
		form.Set("MediaUrl0", "https://api.twilio.com/2010-04-01/Accounts/"+a.SID+"/Messages/"+sid+"/Media/"+id("ME"))
	}
	for k, v := range shape.more {
		form.Set(k, strings.ReplaceAll(v, "{body}", w.Body))
	}
	m := &Message{SID: sid, AccountSID: a.SID, From: string(c.Address), To: to, Body: form.Get("Body"), Direction: "inbound", Status: "received", Kind: kind, Created: a.now(now)}
	return m, form
}

// shape is how one kind differs from a text.
type shape struct {
	messageType string
	media       string
	more        map[string]string
}

const quoted = "SM000000000000000000000000000001f4"

var shapes = map[string]shape{
	"text":            {messageType: "text"},
	"image":           {messageType: "image", media: "image/jpeg"},
	"audio":           {messageType: "audio", media: "audio/ogg"},
	"video":           {messageType: "video", media: "video/mp4"},
	"document":        {messageType: "document", media: "application/pdf"},
	"sticker":         {messageType: "sticker", media: "image/webp"},
	"contacts":        {messageType: "contacts", media: "text/vcard"},
	"location":        {messageType: "location", more: map[string]string{"Latitude": "59.9138688", "Longitude": "10.7522454"}},
	"place":           {messageType: "location", more: map[string]string{"Latitude": "59.9073", "Longitude": "10.7531", "Address": "Kirsten Flagstads plass 1, Oslo", "Label": "Operaen"}},
	"button":          {messageType: "button", more: map[string]string{"ButtonText": "{body}", "ButtonPayload": "confirm_42", "OriginalRepliedMessageSid": quoted}},
	"reply_button":    {messageType: "interactive", more: map[string]string{"ButtonText": "{body}", "ButtonPayload": "yes", "OriginalRepliedMessageSid": quoted}},
	"list_reply":      {messageType: "interactive", more: map[string]string{"ListId": "row-1", "ListTitle": "{body}", "OriginalRepliedMessageSid": quoted}},
	"flow_reply":      {messageType: "interactive", more: map[string]string{"InteractiveData": `{"flowResponse":{"flow_token":"abcd1234"}}`, "FlowData": `{"flow_token":"abcd1234"}`}},
	"quote":           {messageType: "text", more: map[string]string{"OriginalRepliedMessageSid": quoted}},
	"forwarded":       {messageType: "text", more: map[string]string{"Forwarded": "true"}},
	"ad":              {messageType: "text", more: map[string]string{"ReferralBody": "Write to us on WhatsApp", "ReferralHeadline": "Write to us", "ReferralSourceType": "ad", "ReferralSourceId": "118588094077142"}},
	"call_permission": {messageType: "interactive", more: map[string]string{"Body": "VOICE_CALL_REQUEST", "ButtonText": "VOICE_CALL_REQUEST", "ButtonPayload": "REJECTED"}},
	"reaction":        {messageType: "reaction"},
	"unsupported":     {messageType: "unsupported", more: map[string]string{"NewTwilioField": "x"}},
}

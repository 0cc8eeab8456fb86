package simulator

import (
	"cmp"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"

	"kanal/twilio"
)

// Write is what a customer does.
type Write struct {
	Customer twilio.Address
	Number   string // the sender's
	Kind     string // one of Kinds; empty is text
	Body     string
	Reply    string // the message that is answered, of a kind that answers one; empty is the newest
	Payload  string // the id of what was tapped
	// Fault is what goes wrong, besides what chance says. With FaultForged nobody has written at all: there is only the
	// forgery, and nothing on the phone.
	Fault Fault
}

// Receive lets a customer write and waits until the webhook is done. It gives the status of each attempt; none when the
// sender has no address for incoming messages, or there is no such account, sender or customer.
func (s *Simulator) Receive(sid string, w Write) []int { return <-s.Send(sid, w) }

// Send is Receive without waiting: the statuses come on the channel. The message is on the phone at once.
func (s *Simulator) Send(sid string, w Write) <-chan []int {
	done := make(chan []int, 1)
	c, ok := s.take(sid, w)
	if !ok || !s.run(func() { done <- s.tell(sid, c) }) {
		done <- nil
	}
	return done
}

// take puts the message on the phone and gives the webhook to make; false when there is none to make.
func (s *Simulator) take(sid string, w Write) (call, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.account(sid)
	if _, known := shapes[w.kind()]; a == nil || !known || a.sender(w.Number) == nil || a.customer(w.Customer) == nil {
		return call{}, false
	}
	m, form := a.inbound(w, s.o.Now())
	c := call{what: onInbound, form: form, message: m.SID}
	var service *Service
	if c.address, _, service = a.hooksFor(a.sender(w.Number)); service != nil {
		form.Set("MessagingServiceSid", service.SID)
		m.Unlisted = c.address == ""
	}
	if w.Fault == FaultForged {
		c.faults = []Fault{FaultForged}
		return c, c.address != ""
	}
	m.Key = a.key(onInbound, m.line())
	if m.MediaSID != "" && (shapes[m.Kind].trouble == late || slices.Contains(a.faultsOf(onFile, m.Key), FaultLateFile)) {
		m.MediaFrom = s.o.Now().Add(a.Chaos.late())
	}
	a.add(m)
	a.takesWord(a.customer(w.Customer), form, s.o.Now())
	s.changed()
	if a.joins(w, s.o.Now()) {
		return call{}, false
	}
	if w.Fault != "" {
		c.faults = append(c.faults, w.Fault)
	}
	c.faults = append(c.faults, a.faultsOf(onInbound, m.Key)...)
	return c, c.address != ""
}

// inbound makes the message and its form in the shape that Twilio has for it.
func (a *account) inbound(w Write, now time.Time) (*Message, url.Values) {
	c, shape, to := a.customer(w.Customer), shapes[w.kind()], "whatsapp:"+w.Number
	m := &Message{
		SID: id("SM"), AccountSID: a.SID, From: string(c.Address), To: to, Direction: "inbound", Status: "received",
		Kind: w.kind(), Created: a.now(now), Updated: a.now(now),
	}
	if shape.media != "" {
		m.SID, m.MediaSID = id("MM"), id("ME")
	}
	if !shape.silent {
		m.Body = w.Body
	}
	form := url.Values{
		"MessageSid": {m.SID}, "SmsSid": {m.SID}, "SmsMessageSid": {m.SID}, "AccountSid": {a.SID}, "From": {m.From}, "To": {to},
		"Body": {m.Body}, "NumMedia": {"0"}, "NumSegments": {"1"}, "SmsStatus": {"received"}, "ApiVersion": {"2010-04-01"},
		"ReferralNumMedia": {"0"},
	}
	if shape.media != "" {
		form.Set("NumMedia", "1")
		form.Set("MediaContentType0", shape.media)
		form.Set("MediaUrl0", "https://api.twilio.com/2010-04-01/Accounts/"+a.SID+"/Messages/"+m.SID+"/Media/"+m.MediaSID)
	}
	if shape.messageType != "" { // the oldest shape has neither type nor profile
		form.Set("MessageType", shape.messageType)
		c.describe(form)
	}
	if shape.quotes {
		form.Set("OriginalRepliedMessageSid", cmp.Or(w.Reply, a.lastTo(m.From, to)))
		form.Set("OriginalRepliedMessageSender", to)
	}
	for k, v := range shape.more {
		form.Set(k, strings.ReplaceAll(v, "{body}", w.Body))
	}
	for _, field := range []string{"ButtonPayload", "ListId"} {
		if w.Payload != "" && form.Has(field) {
			form.Set(field, w.Payload)
		}
	}
	form.Del(shape.without)
	m.Body = form.Get("Body")
	return m, form
}

func (w Write) kind() string {
	if w.Kind == "" {
		return "text"
	}
	return w.Kind
}

// describe adds what Twilio tells of a customer.
func (c *Customer) describe(form url.Values) {
	about := map[string]string{"ProfileName": c.Name}
	if phone := c.Address.Phone(); phone != "" {
		about["WaId"] = strings.TrimPrefix(phone, "+")
	}
	for k, v := range about {
		form.Set(k, v)
	}
	if c.BSUID != "" {
		form.Set("ExternalUserId", "whatsapp:"+c.BSUID)
	}
	b, err := json.Marshal(map[string]any{"type": "whatsapp", "data": map[string]any{"context": about}})
	if err == nil {
		form.Set("ChannelMetadata", string(b))
	}
}

// lastTo gives the last message to a customer, which a quote or a button answers.
func (a *account) lastTo(customer, sender string) string {
	for _, m := range slices.Backward(a.indexed().lines[line{customer, sender}]) {
		if m.Direction != "inbound" {
			return m.SID
		}
	}
	return "SM000000000000000000000000000001f4"
}

// shape is how one kind differs from a text.
type shape struct {
	name        string
	messageType string
	media       string
	trouble     trouble
	silent      bool // what was typed is not sent along
	quotes      bool // it answers a message of ours
	more        map[string]string
	without     string // a field that this shape lacks
}

// kinds are the shapes of inbound messages, in the order of a menu.
var kinds = []shape{
	{name: "text", messageType: "text"},
	{name: "image", messageType: "image", media: "image/jpeg"},
	{name: "image_late", messageType: "image", media: "image/jpeg", trouble: late},
	{name: "image_large", messageType: "image", media: "image/jpeg", trouble: large},
	{name: "image_wrong", messageType: "image", media: "image/jpeg", trouble: wrong},
	{name: "audio", messageType: "audio", media: "audio/ogg", silent: true},
	{name: "video", messageType: "video", media: "video/mp4", silent: true},
	{name: "document", messageType: "document", media: "application/pdf", silent: true},
	{name: "sticker", messageType: "sticker", media: "image/webp", silent: true},
	{name: "contacts", messageType: "contacts", media: "text/vcard", silent: true},
	{name: "location", messageType: "location", silent: true, more: map[string]string{"Latitude": "59.9138688", "Longitude": "10.7522454"}},
	{name: "place", messageType: "location", silent: true, more: map[string]string{
		"Latitude": "59.9073", "Longitude": "10.7531", "Address": "Kirsten Flagstads plass 1, Oslo", "Label": "Operaen",
	}},
	{name: "quote", messageType: "text", quotes: true},
	{name: "forwarded", messageType: "text", more: map[string]string{"Forwarded": "true", "FrequentlyForwarded": "false"}},
	{name: "frequently_forwarded", messageType: "text", more: map[string]string{"Forwarded": "true", "FrequentlyForwarded": "true"}},
	{name: "button", messageType: "button", quotes: true, more: map[string]string{
		"ButtonText": "{body}", "ButtonPayload": "confirm_42", "Forwarded": "false", "FrequentlyForwarded": "false",
	}},
	{name: "reply_button", messageType: "interactive", quotes: true, more: map[string]string{
		"ButtonText": "{body}", "ButtonPayload": "yes", "Forwarded": "false", "FrequentlyForwarded": "false",
	}},
	{name: "list_reply", messageType: "interactive", quotes: true, more: map[string]string{"ListId": "row-1", "ListTitle": "{body}", "ListDescription": "Row 1"}},
	{name: "flow_reply", messageType: "interactive", silent: true, more: map[string]string{
		"InteractiveData": `{"flowResponse":{"flow_token":"abcd1234","screen_0_Choose_a_day_0":"1_Tomorrow","screen_0_Anything_else_1":"Ring twice"}}`,
		"FlowData":        `{"screen_0_Choose_a_day_0":"1_Tomorrow","screen_0_Anything_else_1":"Ring twice","flow_token":"abcd1234"}`,
	}},
	{name: "ad", messageType: "text", more: map[string]string{
		"ReferralBody": "Write to us on WhatsApp", "ReferralHeadline": "Write to us", "ReferralSourceId": "118588094077142",
		"ReferralSourceType": "ad", "ReferralSourceUrl": "https://fb.me/xyz123", "ReferralCtwaClid": "ARAkLkA8rmlFeiCktEJQ", "ReferralNumMedia": "1",
		"ReferralMediaId": "e420b130-f934-4acf-a5e6-f964f776bxyz", "ReferralMediaContentType": "image/jpeg",
		"ReferralMediaUrl": "https://api.twilio.com/2010-04-01/Accounts/AC0/Messages/MM0/Media/ME0",
	}},
	{name: "call_permission", messageType: "interactive", silent: true, more: map[string]string{
		"Body": "VOICE_CALL_REQUEST", "ButtonText": "VOICE_CALL_REQUEST", "ButtonPayload": "REJECTED",
	}},
	{name: "spaces", messageType: "text", more: map[string]string{"Body": " {body}\n  {body} "}},
	{name: "stop_word", messageType: "text", more: map[string]string{"Body": "STOP"}},
	{name: "opt_out", messageType: "text", more: map[string]string{"Body": "STOP", "OptOutType": "STOP"}},
	{name: "opt_in", messageType: "text", more: map[string]string{"Body": "START", "OptOutType": "START"}},
	{name: "service", messageType: "text", more: map[string]string{"MessagingServiceSid": "MG000000000000000000000000000000a1"}},
	{name: "fallback", messageType: "text", more: map[string]string{"ErrorCode": "11200", "ErrorUrl": "https://kanal.example/inbound"}},
	{name: "no_user_id", messageType: "text", without: "ExternalUserId"},
	{name: "oldest", messageType: ""},
	{name: "reaction", messageType: "reaction", more: map[string]string{"Body": "👍"}},
	{name: "unsupported", messageType: "unsupported", silent: true, more: map[string]string{"NewTwilioField": "x", "AnotherField": ""}},
}

var shapes = func() map[string]shape {
	m := map[string]shape{}
	for _, k := range kinds {
		m[k.name] = k
	}
	return m
}()

// Kinds are the names of the shapes of inbound messages that a customer can send.
func Kinds() []string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = k.name
	}
	return names
}

package twilio

import (
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Kind is what an inbound message is.
type Kind string

// The kinds of inbound messages. Whatever Twilio calls otherwise is Unsupported, with its own word kept.
const (
	Text        Kind = "text"
	Image       Kind = "image"
	Audio       Kind = "audio"
	Video       Kind = "video"
	Document    Kind = "document"
	Sticker     Kind = "sticker"
	Contacts    Kind = "contacts"
	Location    Kind = "location"
	Button      Kind = "button"
	ListReply   Kind = "list_reply"
	FlowReply   Kind = "flow_reply"
	Unsupported Kind = "unsupported"
)

// ErrUnreadable says that a form is not a message: something every message has is missing, or the text is not UTF-8.
var ErrUnreadable = errors.New("twilio: the form is not a message")

// Media is a file of an inbound message. Its URL needs the account's credentials.
type Media struct{ URL, ContentType string }

// Inbound is a message from a customer. The form stays the whole truth: Twilio adds parameters without notice.
type Inbound struct {
	MessageSID     string
	AccountSID     string
	From, To       Address
	ExternalUserID Address
	ProfileName    string // untrusted
	Body           string
	Kind           Kind
	RawType        string // Twilio's MessageType
	Media          []Media
	RepliedSID     string  // the message that the customer quoted, or whose button was tapped
	RepliedSender  Address // who had sent that one
	Forwarded      string  // ForwardedOnce, ForwardedOften or nothing
	Place          *Place
	Choice         *Choice // of Button and ListReply
	Flow           []Answer
	Referral       *Referral
	OptOut         string // STOP, START or HELP when the messaging service has taken the word as such
}

// ParseInbound reads the form of an inbound message. ErrUnreadable.
func ParseInbound(form url.Values) (Inbound, error) {
	if !readable(form) {
		return Inbound{}, ErrUnreadable
	}
	in := Inbound{
		MessageSID: first(form, "MessageSid", "SmsMessageSid", "SmsSid"), AccountSID: form.Get("AccountSid"),
		From: Address(form.Get("From")), To: Address(form.Get("To")), ExternalUserID: Address(form.Get("ExternalUserId")),
		ProfileName: form.Get("ProfileName"), Body: form.Get("Body"), RawType: form.Get("MessageType"),
		RepliedSID: form.Get("OriginalRepliedMessageSid"), RepliedSender: Address(cut(form.Get("OriginalRepliedMessageSender"))),
		Forwarded: forwarded(form), Place: placeOf(form), Referral: referralOf(form), OptOut: form.Get("OptOutType"),
	}
	if !sidPattern.MatchString(in.RepliedSID) {
		in.RepliedSID = ""
	}
	if !sidPattern.MatchString(in.MessageSID) || in.To.Phone() == "" || in.From.Phone() == "" && in.From.BSUID() == "" {
		return Inbound{}, ErrUnreadable
	}
	n, _ := strconv.Atoi(form.Get("NumMedia"))
	for i := range min(n, 10) {
		at := strconv.Itoa(i)
		in.Media = append(in.Media, Media{URL: form.Get("MediaUrl" + at), ContentType: form.Get("MediaContentType" + at)})
	}
	in.Kind = kindOf(form, in)
	switch in.Kind {
	case Button, ListReply:
		in.Choice = choiceOf(form)
	case FlowReply:
		in.Flow = flowOf(form)
	}
	return in, nil
}

// readable refuses what no database keeps: text that is not UTF-8, and NUL.
func readable(form url.Values) bool {
	for name, values := range form {
		if !isText(name) || slices.ContainsFunc(values, func(v string) bool { return !isText(v) }) {
			return false
		}
	}
	return true
}

func isText(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

func first(form url.Values, names ...string) string {
	for _, n := range names {
		if v := form.Get(n); v != "" {
			return v
		}
	}
	return ""
}

// kindOf names the kind. Old forms have no MessageType: then the rest tells.
func kindOf(form url.Values, in Inbound) Kind {
	switch k := Kind(in.RawType); k {
	case Text, Image, Audio, Video, Document, Sticker, Contacts, Location, Button:
		return k
	case "interactive":
		return interactive(form)
	case "":
		return guessed(form, in)
	}
	return Unsupported
}

func interactive(form url.Values) Kind {
	switch {
	case first(form, "ListId", "ListTitle") != "":
		return ListReply
	case hasFlow(form):
		return FlowReply
	case first(form, "ButtonText", "ButtonPayload", "Body") != "":
		return Button
	}
	return Unsupported
}

func guessed(form url.Values, in Inbound) Kind {
	switch {
	case form.Get("Latitude") != "":
		return Location
	case form.Get("ButtonText") != "":
		return Button
	case len(in.Media) == 0:
		return Text
	case strings.HasPrefix(in.Media[0].ContentType, "text/vcard"), strings.HasPrefix(in.Media[0].ContentType, "text/x-vcard"):
		return Contacts
	}
	kind, _, _ := strings.Cut(in.Media[0].ContentType, "/")
	switch k := Kind(kind); k {
	case Image, Audio, Video:
		return k
	}
	return Document
}

// StatusEvent is a report about a message of ours.
type StatusEvent struct {
	MessageSID string
	AccountSID string
	Status     string // Twilio's word; an unknown one is kept
	ErrorCode  int
}

// ParseStatus reads the form of a status callback. ErrUnreadable.
func ParseStatus(form url.Values) (StatusEvent, error) {
	ev := StatusEvent{
		MessageSID: first(form, "MessageSid", "SmsSid"), AccountSID: form.Get("AccountSid"),
		Status: first(form, "MessageStatus", "SmsStatus"),
	}
	if !readable(form) || !sidPattern.MatchString(ev.MessageSID) || ev.Status == "" {
		return StatusEvent{}, ErrUnreadable
	}
	if code, err := strconv.ParseInt(form.Get("ErrorCode"), 10, 32); err == nil {
		ev.ErrorCode = int(code)
	}
	return ev, nil
}

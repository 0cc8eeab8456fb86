// Package simulator holds the page on which a person plays the customers of simulated accounts: the phone, what steers
// it, and the log of what passed between the center and Twilio's stand-in.
package simulator

import (
	"context"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"kanal/views/components"
	"kanal/views/i18n"
)

// Place is what the page shows: whose phone, and which number it writes to.
type Place struct{ Account, Number, Customer string }

// URL gives the address of a part of the page at this place; "" is the page.
func (p Place) URL(part string) string {
	at := "/simulator"
	if part != "" {
		at += "/" + part
	}
	if p.Account == "" {
		return at
	}
	return at + "?" + url.Values{"account": {p.Account}, "number": {p.Number}, "customer": {p.Customer}}.Encode()
}

// Page is the whole page. Without an account there is nothing to play yet.
type Page struct {
	Place     Place
	Token     string
	Accounts  []Choice
	Customers []Choice
	Senders   []Sender
	Name      string // of the number
	Customer  string // its name
	Compose   Compose
	Log       []Bubble
	Typing    bool // the center is writing
	Outcome   Outcome
	Refusal   Refusal
	Ahead     time.Duration
	Left      time.Duration // of the service window
	Written   bool          // the customer has, so that there was a window
	InCenter  bool          // the center has the account
	Adding    Adding
	Events    []Event
	Contents  []Content // templates
	Chaos     Chaos
	Debug     Address
	Now       time.Time // by the account's clock
}

func (p Page) connected() bool {
	for _, s := range p.Senders {
		if s.Number == p.Place.Number {
			return s.Inbound.URL != ""
		}
	}
	return false
}

// firstName is what there is room for on the phone.
func (p Page) firstName() string {
	first, _, _ := strings.Cut(p.Customer, " ")
	return first
}

// Choice is a link to another place.
type Choice struct {
	Label string
	Place Place
	Now   bool
}

// Sender is a number of the account with the addresses that it calls.
type Sender struct {
	Name, Number string
	Inbound      Address
	More         []Address
	JoinCode     string // of the sandbox: what a phone sends after "join"
}

// Address is an address that Twilio calls, as a person would paste it into the console. Name is its field.
type Address struct{ Name, Label, URL, Problem string }

// addresses gives the sender's, the one for incoming messages first.
func (s Sender) addresses() []Address { return append([]Address{s.Inbound}, s.More...) }

func (p Page) hasSandbox() bool {
	return slices.ContainsFunc(p.Senders, func(s Sender) bool { return s.JoinCode != "" })
}

// Compose is what the customer writes.
type Compose struct {
	Body, Kind, Problem string
	Kinds               []string
}

// Refusal says who refuses the center's messages besides the rules of WhatsApp.
type Refusal struct {
	AtTwilio bool // Twilio acts on stop words itself
	Blocks   bool // the customer blocks the number
}

// Outcome says what becomes of the center's messages.
type Outcome struct {
	Value   string // of Choices
	Delay   string // of Delays
	Choices []string
	Delays  []string
}

// Adding is the form of a new customer.
type Adding struct {
	Name, Phone string
	Errors      components.Errors
}

// Bubble is a message on the phone.
type Bubble struct {
	SID     string
	Mine    bool // the customer's own
	Kind    string
	Body    string
	File    *File  // of the center's; nil for none
	Shown   *Shown // a template of the center's; nil for none
	At      time.Time
	Arrived bool
	Tried   bool
	Seen    bool // read by the center
	Status  int
}

// File is a file on the phone.
type File struct {
	URL, Name string
	Size      int64
	Picture   bool
}

// ending names a type of file in the few letters that people know it by.
func (f File) ending() string {
	return strings.ToUpper(strings.TrimPrefix(filepath.Ext(f.Name), "."))
}

func (b Bubble) plain() bool { return b.Kind == "text" || b.Kind == "" || b.File != nil }

// failed tells whether the center did not take the message.
func (b Bubble) failed() bool { return b.Mine && b.Tried && !b.Arrived }

func (b Bubble) tick() (icon, word string) {
	if b.Seen {
		return "ticks", "status.read"
	}
	if b.Arrived {
		return "ticks", "status.delivered"
	}
	return "tick", "status.sent"
}

func (b Bubble) tickClass() string {
	if b.Seen {
		return "is-read"
	}
	return ""
}

// Event is one row of the log.
type Event struct {
	ID     string
	At     time.Time
	Out    bool // from the center to Twilio
	What   string
	Status int
	Note   string // of a refusal
	Faults []string
	URL    string // of the request's page
}

// met says what was done to it on purpose, "" when nothing was.
func met(ctx context.Context, faults []string) string {
	var out []string
	for _, f := range faults {
		out = append(out, i18n.T(ctx, "simulator.fault."+f))
	}
	return strings.Join(out, ", ")
}

func (e Event) kind() string {
	if e.Status >= 200 && e.Status < 300 {
		return "s"
	}
	return "e"
}

func (e Event) answer(ctx context.Context) string {
	if e.Status == 0 {
		return i18n.T(ctx, "simulator.no_answer")
	}
	if e.Note == "" {
		return strconv.Itoa(e.Status)
	}
	return strconv.Itoa(e.Status) + " " + e.Note
}

// Request is what one row of the log opens, with secrets masked.
type Request struct {
	Title, Back string
	At          time.Time
	Took        time.Duration
	Faults      []string
	Text        string // the request: its line, its headers and its fields
	Status      int    // of the answer; 0 without one
	Answer      string
	Curl        string
}

func options(ctx context.Context, prefix string, values []string) []components.Option {
	var out []components.Option
	for _, v := range values {
		out = append(out, components.Option{Value: v, Label: i18n.T(ctx, prefix+v)})
	}
	return out
}

func newDay(ctx context.Context, bs []Bubble, i int) bool {
	return i == 0 || i18n.Date(ctx, bs[i].At) != i18n.Date(ctx, bs[i-1].At)
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// live gives the attributes of a part that is fetched again whenever the simulator changes.
func live(address string) templ.Attributes {
	return templ.Attributes{
		"data-live-on": "simulator", "hx-get": address, "hx-trigger": "part:refresh throttle:300ms", "hx-swap": "outerMorph",
		"hx-sync": "this:queue last",
	}
}

// Shown is what a template has beside its text.
type Shown struct {
	Header, Footer, Media string
	Button                string // opens the list
	Taps                  []Tap
}

// Tap is a button or a row of a list. One that does not answer opens a page or calls a number.
type Tap struct {
	Value, Title, More string
	Answers            bool
}

// Content is a template of the account.
type Content struct{ SID, Name, Language, Status, Reason string }

// decisions are what WhatsApp may do with the template now.
func (c Content) decisions() []string {
	switch c.Status {
	case "unsubmitted":
		return nil
	case "approved":
		return []string{"paused", "rejected"}
	case "paused", "rejected":
		return []string{"approved"}
	}
	return []string{"approved", "rejected"}
}

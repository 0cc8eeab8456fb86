package simulator

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"kanal/twilio"
)

// Content is a template of a simulated account.
type Content struct {
	SID       string                     `json:"sid"`
	Name      string                     `json:"name"`
	Language  string                     `json:"language"`
	Variables map[string]string          `json:"variables"`
	Types     map[string]json.RawMessage `json:"types"`
	Approval  Approval                   `json:"approval"`
	Created   time.Time                  `json:"created"` // by the account's own clock
}

// Approval is where a template stands with WhatsApp.
type Approval struct {
	Name      string    `json:"name"`
	Category  string    `json:"category"`
	Status    string    `json:"status"`
	Reason    string    `json:"reason"`
	Quality   string    `json:"quality"`
	Submitted time.Time `json:"submitted"` // by the account's own clock
}

// DefaultReview is how long the simulated WhatsApp looks at a template.
const DefaultReview = 30 * time.Second

// maxContents is how many templates an account may have (Twilio, templates of one WhatsApp account).
const maxContents = 6000

// settle moves an approval on: received, a third of the review later pending, then what the rules say.
func (a *account) settle(c *Content, now time.Time) {
	review := a.Review
	if review == 0 {
		review = DefaultReview
	}
	waiting := c.Approval.Status == "received" || c.Approval.Status == "pending"
	if !waiting || review < 0 {
		return
	}
	switch took := a.now(now).Sub(c.Approval.Submitted); {
	case took >= review:
		c.Approval.Status, c.Approval.Reason = "approved", c.fault()
		if c.Approval.Reason != "" {
			c.Approval.Status = "rejected"
		}
	case took >= review/3:
		c.Approval.Status = "pending"
	}
}

// fault gives the reason for which WhatsApp rejects a template, "" when it does not.
func (c *Content) fault() string {
	const refused = "INVALID_FORMAT. Facebook is not able to create template due to the following error: "
	body := strings.TrimSpace(c.shown(nil).Body)
	slots := slot.FindAllString(body, -1)
	switch {
	case strings.HasPrefix(body, "{{"):
		return refused + "Variables can't be at the start of the template."
	case strings.HasSuffix(strings.TrimRight(body, ".!?,:;"), "}}"):
		return refused + "Variables can't be at the end of the template."
	case len(slots) > 0 && len(strings.Fields(slot.ReplaceAllString(body, " "))) < 2*len(slots)+1:
		return refused + "This template has too many variables for its length."
	}
	for _, s := range slots {
		if c.Variables[s[2:len(s)-2]] == "" {
			return refused + "Sample values are missing."
		}
	}
	return ""
}

// SetReview says how long WhatsApp looks at the account's templates; below 0 it never decides on its own.
func (s *Simulator) SetReview(sid string, d time.Duration) bool {
	return s.with(sid, func(a *account) { a.Review = d })
}

// Review gives how long WhatsApp looks at the account's templates.
func (s *Simulator) Review(sid string) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.account(sid); a != nil && a.Review != 0 {
		return a.Review
	}
	return DefaultReview
}

// AddContent adds a template to an account and gives its SID; "" without such an account, or when it is full.
func (s *Simulator) AddContent(sid string, c Content) string {
	s.with(sid, func(a *account) { c.SID = a.addContent(c, s.o.Now()) })
	return c.SID
}

func (a *account) addContent(c Content, now time.Time) string {
	if len(a.Contents) >= maxContents {
		return ""
	}
	c.SID, c.Created = id("HX"), a.now(now)
	if c.Approval.Status == "" {
		c.Approval.Status = "unsubmitted"
	}
	a.Contents = append(a.Contents, &c)
	return c.SID
}

// Contents gives the templates of an account, the newest first.
func (s *Simulator) Contents(sid string) []Content {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.account(sid)
	if a == nil {
		return nil
	}
	var out []Content
	for _, c := range slices.Backward(a.Contents) {
		a.settle(c, s.o.Now())
		out = append(out, *c)
	}
	return out
}

// Decide does what WhatsApp does with a template: status is approved, rejected, paused or disabled. False when there is
// no such template.
func (s *Simulator) Decide(sid, content, status, reason string) bool {
	found := false
	return s.with(sid, func(a *account) {
		if c := a.contentBySID(content); c != nil {
			c.Approval.Status, c.Approval.Reason, found = status, reason, true
		}
	}) && found
}

// RemoveContent deletes a template, as somebody does in the console.
func (s *Simulator) RemoveContent(sid, content string) bool {
	return s.with(sid, func(a *account) {
		a.Contents = slices.DeleteFunc(a.Contents, func(c *Content) bool { return c.SID == content })
	})
}

// FailListings makes the next listings of an account's templates answer with these statuses, one each; 0 is no failure.
func (s *Simulator) FailListings(sid string, statuses ...int) bool {
	return s.with(sid, func(a *account) { a.listings = append(a.listings, statuses...) })
}

func (a *account) contentBySID(sid string) *Content {
	for _, c := range a.Contents {
		if c.SID == sid {
			return c
		}
	}
	return nil
}

// Shown is a template as it stands on the phone.
type Shown struct {
	Kind     string `json:"kind"`
	Header   string `json:"header,omitempty"`
	Body     string `json:"body,omitempty"`
	Footer   string `json:"footer,omitempty"`
	Media    string `json:"media,omitempty"`
	Button   string `json:"button,omitempty"` // opens the list
	Actions  []Tap  `json:"actions,omitempty"`
	Items    []Tap  `json:"items,omitempty"`
	Approved bool   `json:"approved,omitempty"`
}

// Tap is what a customer can tap: a button, or a row of a list.
type Tap struct {
	Kind  string `json:"kind"`
	Title string `json:"title"`
	Value string `json:"value,omitempty"`
	More  string `json:"more,omitempty"`
}

// richest are the types that the phone shows, the richest first.
var richest = []string{
	"whatsapp/card", "twilio/card", "twilio/list-picker", "twilio/call-to-action", "twilio/quick-reply", "twilio/media", "twilio/text",
}

// fields are those of all types together.
type fields struct {
	Title    string   `json:"title"`
	Body     string   `json:"body"`
	Subtitle string   `json:"subtitle"`
	Header   string   `json:"header_text"`
	Footer   string   `json:"footer"`
	Media    []string `json:"media"`
	Button   string   `json:"button"`
	Actions  []struct{ Type, Title, ID, URL, Phone, Code string }
	Items    []struct{ Item, ID, Description string }
}

// shown writes a template with values; a variable without value has its sample. What the phone cannot show is left out.
func (c *Content) shown(values map[string]string) Shown {
	kind := ""
	for _, k := range richest {
		if _, ok := c.Types[k]; ok {
			kind = k
			break
		}
	}
	var f fields
	_ = json.Unmarshal(c.Types[kind], &f) // what is not readable is empty
	fill := func(s string) string {
		return slot.ReplaceAllStringFunc(s, func(v string) string {
			switch name := v[2 : len(v)-2]; {
			case values == nil:
				return v
			case values[name] != "":
				return values[name]
			default:
				return c.Variables[name]
			}
		})
	}
	out := Shown{Kind: kind, Header: fill(f.Header), Body: fill(f.Body), Footer: fill(f.Footer), Button: fill(f.Button)}
	if kind == "twilio/card" {
		out.Body, out.Footer = fill(f.Title), fill(f.Subtitle)
	}
	if len(f.Media) > 0 {
		out.Media = fill(f.Media[0])
	}
	for _, x := range f.Actions {
		t := Tap{Kind: x.Type, Title: fill(x.Title), Value: fill(x.URL + x.Phone + x.Code)}
		if t.Kind == "" || t.Kind == "QUICK_REPLY" {
			t.Kind, t.Value = "QUICK_REPLY", fill(x.ID)
		}
		out.Actions = append(out.Actions, t)
	}
	for _, x := range f.Items {
		out.Items = append(out.Items, Tap{Kind: "ITEM", Title: fill(x.Item), Value: fill(x.ID), More: fill(x.Description)})
	}
	out.Approved = c.Approval.Status == "approved"
	return out
}

// one makes a template of one type, for samples and tests.
func one(kind string, shape any) map[string]json.RawMessage {
	b, err := json.Marshal(shape)
	if err != nil {
		panic(err) // a shape is a literal
	}
	return map[string]json.RawMessage{kind: b}
}

// Text makes the types of a template that is a text.
func Text(body string) map[string]json.RawMessage {
	return one("twilio/text", map[string]string{"body": body})
}

// sandboxContent gives one of the sandbox's own templates as a Content.
func sandboxContent(sid string) *Content {
	for _, c := range twilio.SandboxContents() {
		if c.SID == sid {
			return &Content{SID: sid, Name: c.Name, Language: "en", Variables: maps.Clone(c.Variables), Types: Text(c.Body), Approval: Approval{Status: "approved"}}
		}
	}
	return nil
}

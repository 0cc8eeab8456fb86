package models

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// TemplateStatus is how far WhatsApp's approval of a template has come; Twilio's words. Another word that Twilio uses is
// kept as it is: such a template is not usable.
type TemplateStatus string

// The statuses of a template. A typed template that nobody has asked Twilio about has none.
const (
	TemplateNone        TemplateStatus = ""
	TemplateUnsubmitted TemplateStatus = "unsubmitted"
	TemplateReceived    TemplateStatus = "received"
	TemplatePending     TemplateStatus = "pending"
	TemplateApproved    TemplateStatus = "approved"
	TemplateRejected    TemplateStatus = "rejected"
	TemplatePaused      TemplateStatus = "paused"
	TemplateDisabled    TemplateStatus = "disabled"
)

// CategoryMarketing is WhatsApp's category of templates that advertise; the others are UTILITY and AUTHENTICATION.
const CategoryMarketing = "MARKETING"

// Waiting tells whether WhatsApp is still to decide.
func (s TemplateStatus) Waiting() bool { return s == TemplateReceived || s == TemplatePending }

// TemplateSource says where a template came from.
type TemplateSource string

// Sources of templates.
const (
	TemplateTyped  TemplateSource = "typed"
	TemplateTwilio TemplateSource = "twilio"
)

// Limits of templates, each with its source.
const (
	// MaxTemplateBody is the longest text that WhatsApp approves, in characters (Meta, message templates).
	MaxTemplateBody = 1024
	// MaxTemplateVariables is how many variables one template may have (Twilio, using variables).
	MaxTemplateVariables = 100
	// MaxVariableName is the longest name of a variable (Twilio, using variables).
	MaxVariableName = 16
)

// Template is a message template of an account. One without Content SID can be used in the open window only, as text.
type Template struct {
	ID              TemplateID
	AccountID       AccountID
	Name            string
	Language        string // WhatsApp's code: nb, en, en_GB
	Category        string // UTILITY, MARKETING, AUTHENTICATION; "" when unknown
	Kind            string // Twilio's content type: twilio/text, twilio/quick-reply …; "" for a typed one
	Body            string // the WhatsApp-approved text, with {{1}} for variables
	ContentSID      string `gorm:"column:content_sid"`
	Types           string `gorm:"column:content"`   // the types as Twilio gives them, JSON; "" for a typed one
	Samples         string `gorm:"column:variables"` // sample values, JSON object
	FieldNames      string // what people call the variables, JSON object; "" for none
	InWindow        bool   // an open window needs no approval of it
	SearchText      string // what can be searched: name and text in small letters
	Status          TemplateStatus
	RejectionReason string
	Quality         string
	Source          TemplateSource
	CreatedBy       *UserID
	Version         int
	CreatedAt       time.Time
	UpdatedAt       time.Time
	SyncedAt        *time.Time
	RemovedAt       *time.Time // gone at Twilio, or deleted here
}

// Usable tells whether the template can be sent: an approved one always, one that WhatsApp has not been asked about only
// in an open window, and only when its kind needs no approval there.
func (t Template) Usable(windowOpen bool) bool {
	switch {
	case t.RemovedAt != nil:
		return false
	case t.Status == TemplateApproved:
		return t.ContentSID != "" || windowOpen
	case t.Status == TemplateNone, t.Status == TemplateUnsubmitted:
		return windowOpen && t.InWindow
	}
	return false
}

// Content gives what the customer gets. A typed template is its text.
func (t Template) Content() Content {
	if t.Types == "" {
		return Content{Kind: KindOfText, Body: t.Body}
	}
	return ReadContent([]byte(t.Types))
}

// Variables names the variables of the template, those with numbers first and in order.
func (t Template) Variables() []string { return t.Content().Variables() }

// SampleValues gives the sample of each variable that has one.
func (t Template) SampleValues() map[string]string {
	var raw map[string]any
	out := map[string]string{}
	if json.Unmarshal([]byte(t.Samples), &raw) != nil {
		return out
	}
	for k, v := range raw {
		if s, ok := v.(string); ok {
			out[k] = s
		}
	}
	return out
}

// NamesOfFields gives what people call the variables that have a name.
func (t Template) NamesOfFields() map[string]string {
	out := map[string]string{}
	_ = json.Unmarshal([]byte(t.FieldNames), &out) // none is no object
	return out
}

// NameFields sets what people call the variables; names of others and empty ones are left out.
func (t *Template) NameFields(names map[string]string) {
	kept := map[string]string{}
	for _, v := range t.Variables() {
		if names[v] != "" {
			kept[v] = names[v]
		}
	}
	t.FieldNames = ""
	if len(kept) > 0 {
		b, _ := json.Marshal(kept) // strings only
		t.FieldNames = string(b)
	}
}

// Index sets what follows from the rest: whether an open window needs no approval, and what can be searched.
func (t *Template) Index() {
	c := t.Content()
	t.InWindow = c.InWindow()
	t.SearchText = strings.ToLower(strings.Join([]string{t.Name, c.Header, t.Body, c.Footer}, "\n"))
}

// TemplateRow is a template in a list.
type TemplateRow struct {
	Template
	AccountName string
}

// TemplateSync is the newest fetching of an account's templates from Twilio.
type TemplateSync struct {
	AccountID  AccountID `gorm:"primaryKey"`
	StartedAt  time.Time
	UpdatedAt  time.Time // the newest page
	FinishedAt *time.Time
	NextToken  string // where the next page is
	NextPage   string
	Tries      int // of the next page
	Pages      int
	Templates  int
	Problem    string // message key, "" when it went well
}

// syncPatience is how long a fetching may stand still before it counts as one that was cut off.
const syncPatience = 5 * time.Minute

// Running tells whether the fetching goes on.
func (s TemplateSync) Running(now time.Time) bool {
	return !s.StartedAt.IsZero() && s.FinishedAt == nil && now.Sub(s.UpdatedAt) < syncPatience
}

// CutOff tells whether the fetching ended without an end: the program stopped.
func (s TemplateSync) CutOff(now time.Time) bool {
	return !s.StartedAt.IsZero() && s.FinishedAt == nil && !s.Running(now)
}

// TemplatePart is a piece of a template's text: a variable, or text as it is.
type TemplatePart struct {
	Text     string // as it stands in the template; of a variable with its brackets
	Variable string // the name; "" for text
}

// ParseTemplate cuts a template's text into its parts. Together their texts are the text again.
func ParseTemplate(s string) []TemplatePart {
	var parts []TemplatePart
	text := 0 // where the text before the next variable begins
	for at := 0; at < len(s); {
		name := variableAt(s[at:])
		if name == "" {
			at++
			continue
		}
		if at > text {
			parts = append(parts, TemplatePart{Text: s[text:at]})
		}
		end := at + len(name) + 4
		parts = append(parts, TemplatePart{Text: s[at:end], Variable: name})
		at, text = end, end
	}
	if text < len(s) {
		parts = append(parts, TemplatePart{Text: s[text:]})
	}
	return parts
}

// variableAt gives the name of the variable that a text begins with, "" for none: {{1}} or {{name}}, without spaces.
func variableAt(s string) string {
	if !strings.HasPrefix(s, "{{") {
		return ""
	}
	n := 0
	for _, c := range []byte(s[2:]) {
		if c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			break
		}
		if n++; n > MaxVariableName {
			return ""
		}
	}
	if n == 0 || !strings.HasPrefix(s[2+n:], "}}") {
		return ""
	}
	return s[2 : 2+n]
}

// RenderTemplate writes a text with the values of its variables. A variable without value stays as it is.
func RenderTemplate(s string, values map[string]string) string {
	var b strings.Builder
	for _, p := range ParseTemplate(s) {
		if v, ok := values[p.Variable]; ok && p.Variable != "" {
			b.WriteString(v)
			continue
		}
		b.WriteString(p.Text)
	}
	return b.String()
}

// TemplateVariables names the variables of texts, each once: those with numbers first and in order, then the others as
// they come.
func TemplateVariables(texts ...string) []string {
	var names []string
	for _, s := range texts {
		for _, p := range ParseTemplate(s) {
			if p.Variable != "" && !slices.Contains(names, p.Variable) {
				names = append(names, p.Variable)
			}
		}
	}
	slices.SortStableFunc(names, compareVariables)
	return names
}

func compareVariables(a, b string) int {
	na, nb := VariableNumber(a), VariableNumber(b)
	switch {
	case na == 0 && nb == 0:
		return 0
	case na == 0:
		return 1
	case nb == 0:
		return -1
	}
	return na - nb
}

// VariableNumber gives the number of a variable that has one in its usual form, 0 for a name.
func VariableNumber(name string) int {
	n := 0
	if name == "" || len(name) > 6 || name[0] == '0' {
		return 0
	}
	for _, c := range []byte(name) {
		if c < '0' || c > '9' {
			return 0
		}
		n = 10*n + int(c-'0')
	}
	return n
}

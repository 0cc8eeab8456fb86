// Package components holds the parts that pages are made of: one function each, strings in. None of them has a style
// attribute or a script: the look is app.css, the behaviour is static/js, found by data attributes.
package components

import (
	"context"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/a-h/templ"

	"kanal/models"
	"kanal/static"
	"kanal/views/i18n"
)

// Errors are the problems of a form as sentences, by field.
type Errors struct {
	list []fieldError
}

type fieldError struct{ field, text string }

// ErrorsOf writes the problems of a form in the context's language. A problem without a field is one of the whole form.
func ErrorsOf(ctx context.Context, fs models.FieldErrors) Errors {
	var e Errors
	for _, f := range fs {
		e.list = append(e.list, fieldError{f.Field, i18n.Field(ctx, f)})
	}
	return e
}

// With adds a sentence for a field, or for the whole form when field is empty.
func (e Errors) With(field, sentence string) Errors {
	e.list = append(e.list[:len(e.list):len(e.list)], fieldError{field, sentence})
	return e
}

// Any tells whether there are problems.
func (e Errors) Any() bool { return len(e.list) > 0 }

// For gives the first problem of a field, "" when there is none.
func (e Errors) For(field string) string {
	for _, f := range e.list {
		if f.field == field {
			return f.text
		}
	}
	return ""
}

// ConflictRow is one value that two people have changed: what is saved now and what this person wrote. Secrets are never
// in it.
type ConflictRow struct{ Label, Theirs, Yours string }

// Differing gives the rows whose two values are not the same.
func Differing(rows ...ConflictRow) []ConflictRow {
	return slices.DeleteFunc(rows, func(r ConflictRow) bool { return r.Theirs == r.Yours })
}

// PageForm gives the attributes of a form that is a plain POST and that htmx answers in place: the whole page between
// rail and edge is exchanged, so that a redirect to any page and a 422 or 409 with the same page both fit. A second submit
// while the first one runs is dropped.
func PageForm(id, action string) templ.Attributes {
	return templ.Attributes{
		"id": id, "method": "post", "action": action, "novalidate": true,
		"hx-post": action, "hx-select": "#app", "hx-target": "#app", "hx-swap": "outerHTML",
		"hx-sync": "this:drop", "hx-push-url": "true", "hx-status:422": "push:false", "hx-status:409": "push:false",
	}
}

// DialogForm gives the attributes of a form inside a dialog: a 422 or 409 stays in the dialog. Without script it is a page.
func DialogForm(id, action string) templ.Attributes {
	return templ.Attributes{
		"id": id, "method": "post", "action": action, "novalidate": true,
		"hx-post": action, "hx-target": "this", "hx-swap": "outerHTML ignoreTitle:true", "hx-sync": "this:drop",
		"hx-status:409": "push:false",
	}
}

// OpensDialog gives the attributes of a link whose page opens in the dialog. Without script the page itself opens.
func OpensDialog(url string) templ.Attributes {
	return templ.Attributes{"hx-get": url, "hx-target": "#dialog-body", "hx-swap": "innerHTML ignoreTitle:true"}
}

// describedBy names the hint and the error of a field.
func describedBy(id, hint, problem string) string {
	var ids []string
	if hint != "" {
		ids = append(ids, id+"-hint")
	}
	if problem != "" {
		ids = append(ids, id+"-error")
	}
	return strings.Join(ids, " ")
}

// Initials gives the letters of an avatar: of the first and the last word, # for a number.
func Initials(name string) string {
	words := strings.Fields(name)
	if len(words) == 0 || !unicode.IsLetter([]rune(words[0])[0]) {
		return "#"
	}
	first := string([]rune(words[0])[0])
	if len(words) > 1 {
		first += string([]rune(words[len(words)-1])[0])
	}
	return strings.ToUpper(first)
}

func tint(name string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name))
	return "av--" + strconv.Itoa(int(h.Sum32()%5)+1)
}

func iconURL(name string) string { return static.URL("icons.svg") + "#" + name }

// arrow adds the class that turns pictures with a direction around where text runs from right to left.
func arrow(class, icon string) string {
	switch icon {
	case "arrl", "arrr", "chevl", "chevr", "send":
		return class + " ic--flip"
	}
	return class
}

// Button is a button or, with a URL, a link that looks like one.
type Button struct {
	Label   string // the name; shown, or read aloud when the button is only an icon
	Kind    string // primary, secondary (""), tertiary or danger
	Icon    string // before the label
	IconEnd string // after the label
	Small   bool
	URL     string // of a link
	Type    string // of a button: button when empty
	Name    string
	Value   string
	Form    string // the id of the form that it belongs to when it stands outside of it
	Busy    string // the label while its form is on the way, such as "Saving …"
	Reason  string // why it cannot be used now; shown beside it. Empty: it can
	Class   string
	Attrs   templ.Attributes
}

func (b Button) classes() string {
	kinds := map[string]string{"primary": " btn--p", "tertiary": " btn--g", "danger": " btn--d"}
	c := "btn" + kinds[b.Kind]
	if b.Small {
		c += " btn--s"
	}
	if b.Class != "" {
		c += " " + b.Class
	}
	return c
}

func (b Button) kind() string {
	if b.Type == "" {
		return "button"
	}
	return b.Type
}

// Option is one choice of a list.
type Option struct {
	Value, Label string
	Hint         string // beside a disabled one: the reason
	Disabled     bool
}

func numberOptions(numbers []models.NumberRow) []Option {
	out := make([]Option, len(numbers))
	for i, n := range numbers {
		out[i] = Option{Value: numberID(n), Label: n.Name + " · " + i18n.Phone(n.Address)}
	}
	return out
}

func numberID(n models.NumberRow) string { return strconv.FormatInt(int64(n.ID), 10) }

// Field is a field of a form.
type Field struct {
	Name         string // also the id
	Label        string
	Hint         string
	Value        string
	Problem      string
	Type         string // text when empty
	Autocomplete string
	InputMode    string
	Placeholder  string
	Mono         bool
	Max          int // characters; 0 is no limit
	Rows         int // of a text area; 4 when 0
	Count        int // a text area shows how long its text is, of at most so many characters; 0 does not
	Focus        bool
	Optional     bool // says so beside the label
}

func (f Field) kind() string {
	if f.Type == "" {
		return "text"
	}
	return f.Type
}

func (f Field) rows() string {
	if f.Rows == 0 {
		return "4"
	}
	return strconv.Itoa(f.Rows)
}

// attrs are what every input of the field has.
func (f Field) attrs() templ.Attributes {
	a := templ.Attributes{"id": f.Name, "name": f.Name}
	set := func(name, value string) {
		if value != "" {
			a[name] = value
		}
	}
	set("aria-describedby", describedBy(f.Name, f.Hint, f.Problem))
	set("autocomplete", f.Autocomplete)
	set("inputmode", f.InputMode)
	set("placeholder", f.Placeholder)
	if f.Mono {
		a["spellcheck"], a["autocapitalize"], a["dir"] = "false", "off", "ltr"
	}
	if f.Max > 0 {
		a["maxlength"] = strconv.Itoa(f.Max)
	}
	if f.Problem != "" {
		a["aria-invalid"] = "true"
	}
	a["autofocus"] = f.Focus
	return a
}

// secretAttrs are attrs for a value that browsers must not keep, unless the field says otherwise.
func (f Field) secretAttrs() templ.Attributes {
	a := f.attrs()
	a["spellcheck"] = "false"
	if f.Autocomplete == "" {
		a["autocomplete"] = "off"
	}
	return a
}

// optionID gives the first option that can be chosen the field's own id: the error summary leads there.
func optionID(name string, options []Option, i int) string {
	first := max(slices.IndexFunc(options, func(o Option) bool { return !o.Disabled }), 0)
	switch i {
	case first:
		return name
	case 0:
		i = first
	}
	return name + "-" + strconv.Itoa(i)
}

func bannerIcon(kind string) string {
	switch kind {
	case "s":
		return "ok"
	case "i":
		return "info"
	case "e":
		return "no"
	}
	return "alert"
}

// Package components holds the parts that pages are made of: one function each, strings in.
package components

import (
	"context"
	"hash/fnv"
	"strconv"
	"strings"
	"unicode"

	"kanal/models"
	"kanal/static"
	"kanal/views/i18n"
)

// Errors are the problems of a form as sentences, by field.
type Errors struct {
	list []fieldError
}

type fieldError struct{ field, text string }

// ErrorsOf writes the problems of a form in the context's language.
func ErrorsOf(ctx context.Context, fs models.FieldErrors) Errors {
	var e Errors
	for _, f := range fs {
		e.list = append(e.list, fieldError{f.Field, i18n.Field(ctx, f)})
	}
	return e
}

// Any tells whether there are problems.
func (e Errors) Any() bool { return len(e.list) > 0 }

// For gives the problem of a field, "" when there is none.
func (e Errors) For(field string) string {
	for _, f := range e.list {
		if f.field == field {
			return f.text
		}
	}
	return ""
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

// Option is one choice of a list.
type Option struct {
	Value, Label, Hint string
	Disabled           bool
}

// Field is a field of a form.
type Field struct {
	Name         string // also the id
	Label        string
	Hint         string
	Value        string
	Problem      string
	Type         string // text when empty
	Autocomplete string
	Mono         bool
	Max          int
	Focus        bool
	Required     bool
}

func (f Field) kind() string {
	if f.Type == "" {
		return "text"
	}
	return f.Type
}

// Step is one step of a wizard as its side shows it.
type Step struct {
	Label, Detail, URL string
	Done, Now          bool
}

// Tab is one of a row of links.
type Tab struct {
	Label, URL, Count string
	Now               bool
}

// Task is one line of a task list. State is done, doing, todo or later; a later one is no link.
type Task struct {
	Label, Text, URL, State string
}

func taskChip(state string) string {
	switch state {
	case "done":
		return "chip chip--s"
	case "doing":
		return "chip chip--i"
	}
	return "chip"
}

// optionID gives the first option the field's own id.
func optionID(name string, i int) string {
	if i == 0 {
		return name
	}
	return name + "-" + strconv.Itoa(i)
}

func bannerIcon(kind string) string {
	switch kind {
	case "s":
		return "ok"
	case "i":
		return "info"
	}
	return "alert"
}

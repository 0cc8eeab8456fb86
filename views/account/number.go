package account

import (
	"context"
	"maps"
	"strconv"

	"github.com/a-h/templ"

	"kanal/models"
	"kanal/views/components"
	"kanal/views/i18n"
)

// Sender is a WhatsApp sender of the account at Twilio that is not among its numbers.
type Sender struct {
	SID, Name, Number, Status string
	Chosen                    bool
}

func (x Sender) label() string {
	if x.Name == "" {
		return i18n.Phone(x.Number)
	}
	return x.Name + " · " + i18n.Phone(x.Number)
}

// hint is Twilio's word for a sender that cannot send yet.
func (x Sender) hint() string {
	if x.Status == "ONLINE" {
		return ""
	}
	return x.Status
}

func id(a models.Account) string { return strconv.FormatInt(int64(a.ID), 10) }

func numberID(n models.NumberRow) string { return strconv.FormatInt(int64(n.ID), 10) }

// inUse tells that a number cannot be removed.
func inUse(n models.NumberRow) bool { return n.WorkstreamID != nil || n.Used }

// named gives a button that stands in a row the name of the row, too.
func named(ctx context.Context, key, name string) templ.Attributes {
	return templ.Attributes{"aria-label": i18n.T(ctx, key) + ": " + name}
}

// opens is named for a link that opens a dialog.
func opens(ctx context.Context, url, key, name string) templ.Attributes {
	a := named(ctx, key, name)
	maps.Copy(a, components.OpensDialog(url))
	return a
}

// numberForm gives the attributes of the form of the third step, apart from its id.
func (s Setup) numberForm() templ.Attributes {
	a := components.PageForm(formID, s.url())
	delete(a, "id")
	return a
}

// defaultAction is what Enter does: what is typed is added.
func (s Setup) defaultAction() string {
	if s.Number.Open {
		return "add"
	}
	return "next"
}

// fieldsID names the fields of a number; those of a new one stand in the place of the link that opens them.
func (s Setup) fieldsID() string {
	if s.Number.ID != "" {
		return "change"
	}
	return "add"
}

func (s Setup) numberTitle(ctx context.Context) string {
	if s.Number.ID != "" {
		return i18n.T(ctx, "number.change_title")
	}
	return i18n.T(ctx, "number.add_title")
}

func (s Setup) numberButton(ctx context.Context) components.Button {
	b := components.Button{Label: i18n.T(ctx, "button.add_number"), Kind: "", Type: "submit", Name: "action", Value: "add", Busy: i18n.T(ctx, "button.checking")}
	if s.Number.ID != "" {
		b.Label = i18n.T(ctx, "number.save")
	}
	if s.Finished() {
		b.Kind = "primary"
	}
	return b
}

func (s Setup) saveButton(ctx context.Context) components.Button {
	b := components.Button{Label: i18n.T(ctx, "button.save"), Kind: "primary", Type: "submit", Name: "action", Value: "next", Busy: i18n.T(ctx, "button.saving")}
	if s.Step == models.StepAccountDetails {
		b.Busy = i18n.T(ctx, "button.checking")
	}
	return b
}

// tokenField is the field of the auth token. It never has a value.
func (s Setup) tokenField(ctx context.Context) components.Field {
	return components.Field{Name: "token", Label: i18n.T(ctx, "account.token"), Hint: i18n.T(ctx, "account.token_hint"), Mono: true, Problem: s.Errors.For("token")}
}

// choosesHow are the attributes of a link that shows other steps in their place.
func choosesHow(url, id string) templ.Attributes {
	return templ.Attributes{"id": id, "hx-get": url, "hx-select": "#how", "hx-target": "#how", "hx-swap": "outerHTML"}
}

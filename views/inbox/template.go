package inbox

import (
	"context"
	"net/url"
	"path"
	"strings"

	"github.com/a-h/templ"

	"kanal/models"
	"kanal/views/components"
	"kanal/views/i18n"
)

// Picker is the choice of a template for a conversation, and the filling in of the chosen one.
type Picker struct {
	Row       models.ConversationRow
	Query     string
	When      string // when the template is to be sent, in the form of the time field of a scheduled message; "" means now
	Templates []models.Template
	More      bool // there are more than are shown
	Waiting   int  // templates on which WhatsApp is still to decide
	Chosen    *models.Template
	Asked     bool // a person has chosen it; else it is the first of the list
	Values    map[string]string
	Errors    components.Errors
	Refusal   models.ConsentRefusal // why the customer may not get the chosen one
	Key       string                // a fresh client key
	Stopped   bool                  // the chosen one cannot be sent now
	Admin     bool
	Viewer    models.Viewer
	Agent     string // the name of who writes
}

// TemplateKey names a template in forms and addresses: by its row, or one of the sandbox's own by its Content SID.
func TemplateKey(t models.Template) string {
	if t.ID == 0 {
		return t.ContentSID
	}
	return id(t.ID)
}

func (p Picker) url() string { return conversationURL(p.Row.ID, "", "/templates") }

// at gives the address of the picker with a template chosen.
func (p Picker) at(t models.Template) string {
	q := url.Values{"t": {TemplateKey(t)}}
	if p.Query != "" {
		q.Set("q", p.Query)
	}
	if p.When != "" {
		q.Set("when", p.When)
	}
	return p.url() + "?" + q.Encode()
}

// all gives the address of the picker with nothing chosen.
func (p Picker) all() string {
	if p.When == "" {
		return p.url()
	}
	return p.url() + "?when=" + url.QueryEscape(p.When)
}

// search gives the address from which the list is fetched while a person types.
func (p Picker) search() string {
	u := p.url() + "?part=list"
	if p.Chosen != nil {
		u += "&t=" + url.QueryEscape(TemplateKey(*p.Chosen))
	}
	if p.When != "" {
		u += "&when=" + url.QueryEscape(p.When)
	}
	return u
}

// empty tells whether there is nothing to choose from at all.
func (p Picker) empty() bool { return len(p.Templates) == 0 && p.Query == "" && p.Chosen == nil }

func (p Picker) is(t models.Template) bool {
	return p.Chosen != nil && TemplateKey(*p.Chosen) == TemplateKey(t)
}

// about is what the list says of a template under its name.
func about(ctx context.Context, t models.Template) string {
	n := len(t.Fields())
	if n == 0 {
		return i18n.LanguageName(ctx, t.Language) + " · " + i18n.T(ctx, "pick.no_fields")
	}
	return i18n.LanguageName(ctx, t.Language) + " · " + i18n.N(ctx, "pick.fields", n)
}

// Value gives what stands in the field of a variable: what was typed, else what is known of the customer.
func (p Picker) Value(f models.TemplateField) string {
	if v, ok := p.Values[f.Name]; ok {
		return v
	}
	switch f.Meaning {
	case models.MeansFirstName:
		if p.Row.ContactName != "" {
			return firstName(p.Row)
		}
	case models.MeansName:
		return p.Row.ContactName
	case models.MeansPhone:
		if a := address(p.Row); strings.HasPrefix(a, "+") {
			return a
		}
	case models.MeansAgent:
		return models.User{Name: p.Agent}.FirstName()
	}
	return ""
}

// label names the field of a variable: how it stands in the template, and what it means when that is known.
func label(ctx context.Context, f models.TemplateField) string {
	brackets := "{{" + f.Name + "}}"
	switch {
	case f.Label != "":
		return brackets + " " + f.Label
	case f.Meaning != models.MeansNothing:
		return brackets + " " + i18n.T(ctx, "pick.means."+string(f.Meaning))
	case models.VariableNumber(f.Name) > 0:
		return brackets + " " + i18n.T(ctx, "pick.field_n", "n", f.Name)
	}
	return brackets + " " + models.FieldWords(f.Name)
}

// field is the field of a variable.
func (p Picker) field(ctx context.Context, f models.TemplateField, focus bool) components.Field {
	out := components.Field{
		Name: models.ValueField(f.Name), Label: label(ctx, f), Value: p.Value(f), Problem: p.Errors.For(models.ValueField(f.Name)),
		Autocomplete: "off", Focus: focus,
	}
	if f.Sample != "" {
		out.Placeholder = i18n.T(ctx, "pick.sample", "sample", f.Sample)
	}
	return out
}

// focus gives the field that has the focus: the first with a problem, else the first empty one; "" for none.
func (p Picker) focus() string {
	if !p.Asked && !p.Errors.Any() {
		return ""
	}
	fields := p.Chosen.Fields()
	for _, f := range fields {
		if p.Errors.For(models.ValueField(f.Name)) != "" {
			return f.Name
		}
	}
	for _, f := range fields {
		if p.Value(f) == "" {
			return f.Name
		}
	}
	return ""
}

// placeholder stands in the preview for a variable without value.
func placeholder(ctx context.Context, fields []models.TemplateField, variable string) string {
	for _, f := range fields {
		switch {
		case f.Name != variable:
		case f.Label != "":
			return "[" + f.Label + "]"
		case f.Meaning != models.MeansNothing:
			return "[" + i18n.T(ctx, "pick.means."+string(f.Meaning)) + "]"
		case models.VariableNumber(variable) == 0:
			return "[" + models.FieldWords(variable) + "]"
		}
	}
	return "[" + i18n.T(ctx, "pick.field_n", "n", variable) + "]"
}

// consentURL is where the customer's consent is recorded; back comes here.
func (p Picker) consentURL() string {
	q := url.Values{"account": {id(p.Row.AccountID)}, "given": {"1"}, "back": {p.at(*p.Chosen)}}
	return "/customers/" + id(p.Row.ContactID) + "/consent?" + q.Encode()
}

// helps names who has the conversation when that is somebody else, else "".
func (p Picker) helps() string {
	return Composer{Row: p.Row, Viewer: p.Viewer}.helps()
}

// pickAttrs are those of the button in the composer's bar.
func pickAttrs(c Composer) templ.Attributes {
	a := components.OpensDialog(conversationURL(c.Row.ID, "", "/templates"))
	a["id"] = "pick"
	return a
}

// media is a file of a template. url is "" when it is not known where it is, or is no address of the web.
type media struct {
	kind      models.MessageKind
	name, url string
}

// mediaEndings are those of what WhatsApp shows or plays; any other file is a document.
var mediaEndings = map[string]models.MessageKind{
	".jpg": models.KindImage, ".jpeg": models.KindImage, ".png": models.KindImage, ".webp": models.KindImage, ".gif": models.KindImage,
	".mp4": models.KindVideo, ".3gp": models.KindVideo,
	".ogg": models.KindAudio, ".mp3": models.KindAudio, ".aac": models.KindAudio, ".amr": models.KindAudio, ".m4a": models.KindAudio,
}

// mediaAt tells what there is at an address, by its ending.
func mediaAt(address string) media {
	m := media{kind: models.KindDocument, name: address}
	at, err := url.Parse(address)
	if err != nil {
		return m
	}
	if kind, ok := mediaEndings[strings.ToLower(path.Ext(at.Path))]; ok {
		m.kind = kind
	}
	if at.Scheme != "https" && at.Scheme != "http" || at.Hostname() == "" || at.User != nil || len(models.TemplateVariables(address)) > 0 {
		return m
	}
	m.url = address
	if m.name = path.Base(at.Path); m.name == "." || m.name == "/" {
		m.name = at.Hostname()
	}
	return m
}

// isTemplate tells whether a message came of a template.
func isTemplate(m models.Message) bool { return m.Kind == models.KindTemplate }

// shown is what stands for a variable in the preview.
func (p Picker) shown(ctx context.Context, fields []models.TemplateField, variable string) string {
	for _, f := range fields {
		if f.Name != variable {
			continue
		}
		if v := p.Value(f); strings.TrimSpace(v) != "" {
			return v
		}
	}
	return placeholder(ctx, fields, variable)
}

// laterButton asks for the time at which the template is sent; it is the way on when a time was chosen before.
func (p Picker) laterButton(ctx context.Context) components.Button {
	b := components.Button{Label: i18n.T(ctx, "scheduled.open"), Kind: "tertiary", Type: "submit", Form: "tp-form", Name: "later", Value: "1"}
	if p.When != "" {
		b.Kind = "primary"
	}
	return b
}

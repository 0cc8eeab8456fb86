// Package views holds the frames that every page stands in: the shell with its rail, the admin center, the wizard, the
// centred card of signing in, and the pages that say what went wrong. The pages of one part of Kanal are in files of
// that part's name.
package views

import (
	"context"
	"strconv"

	"github.com/a-h/templ"

	"kanal/static"
	"kanal/views/components"
	"kanal/views/i18n"
)

// Page is what a frame needs to know. The language and the time zone come from the context (i18n.With).
type Page struct {
	Title        string // of the page alone: "Account details"
	Failed       bool   // a form on it was refused: the title starts with "Error:"
	Theme        string // light, dark or "" for the system's
	User         User   // the zero user is nobody: no rail
	Rail         Rail
	Waiting      Waiting  // what waits for an administrator
	AdminPages   []string // the pages of the admin center that exist and that this person may open, by key; nil is AdminPages()
	Alert        string   // a sentence that is true on the whole page, such as that an account sends nothing
	AlertURL     string   // where that is mended, "" for those who cannot
	Toast        string   // a confirmation of what led here
	ToastUndo    string   // the id of the form on the page that takes it back
	Live         bool     // opens the event stream
	NoShortcuts  bool     // the person has turned the single keys off
	EnterNewline bool     // Enter makes a new line; Ctrl+Enter sends
}

// User is who looks at the page. ID only has to differ between people: texts that one of them has not sent yet are not
// sent by the next one who signs in.
type User struct{ ID, Name, Role string }

// Rail is the state of the main navigation.
type Rail struct {
	Active        string // inbox, admin, simulator or me
	Unread        int    // conversations with something unread
	ShowAdmin     bool
	ShowSimulator bool
}

// Waiting counts what the navigation of the admin center tells: calls in quarantine that wait, and alerts of the last
// 24 hours.
type Waiting struct{ Quarantine, Alerts int }

// count gives what stands beside an entry of the navigation.
func (p Page) count(key string) int {
	switch key {
	case "quarantine":
		return p.Waiting.Quarantine
	case "alerts":
		return p.Waiting.Alerts
	}
	return 0
}

// DocumentTitle gives the title of the browser's tab, its state first.
func (p Page) DocumentTitle(ctx context.Context) string {
	t := i18n.T(ctx, "page.title", "title", p.Title)
	if p.Failed {
		t = i18n.T(ctx, "form.error_title", "title", t)
	}
	if p.Rail.Unread > 0 {
		t = i18n.T(ctx, "page.unread_title", "n", p.Rail.Unread, "title", t)
	}
	return t
}

// htmxConfig holds for every request of htmx: no answer of an error is put into the page except 422, an open part
// stays open in a morph, and nothing waits longer than 15 seconds.
const htmxConfig = `{"noSwap":[204,304,"40x","41x","429","5xx"],"morphIgnore":["data-htmx-powered","open"],"defaultTimeout":15000}`

// scriptTexts are the sentences that scripts say. They find them on the body.
var scriptTexts = map[string]string{
	"data-t-timeout": "js.timeout", "data-t-offline": "js.offline", "data-t-waiting": "js.waiting",
	"data-t-sending": "js.sending", "data-t-not-sent": "js.not_sent", "data-t-copied": "js.copied",
	"data-t-copy-failed": "js.copy_failed", "data-t-back": "conn.back", "data-t-lost": "conn.lost",
	"data-t-chars-left": "js.chars_left",
}

func (p Page) bodyAttrs(ctx context.Context) templ.Attributes {
	a := templ.Attributes{"hx-status:5xx:inherited": "swap:none"}
	for name, key := range scriptTexts {
		a[name] = i18n.T(ctx, key, "n", "{n}")
	}
	if p.User.ID != "" {
		a["data-user"] = p.User.ID
	}
	if p.NoShortcuts {
		a["data-keys"] = "off"
	}
	if p.EnterNewline {
		a["data-enter"] = "newline"
	}
	return a
}

func (p Page) favicon() string {
	if p.Rail.Unread > 0 {
		return static.URL("favicon-dot.svg")
	}
	return static.URL("favicon.svg")
}

type railItem struct{ key, url, icon, label string }

// railItems are the parts of Kanal that exist and that this person may open, in the order of every page.
func (p Page) railItems() []railItem {
	items := []railItem{{"inbox", "/inbox", "inbox", "nav.inbox"}}
	if p.Rail.ShowAdmin {
		items = append(items, railItem{"admin", p.adminNav()[0].items[0].url, "sliders", "nav.admin"})
	}
	if p.Rail.ShowSimulator {
		items = append(items, railItem{"simulator", "/simulator", "device", "nav.simulator"})
	}
	return items
}

// adminGroup is one part of the admin center's navigation.
type adminGroup struct {
	title string // "" has no heading
	items []railItem
}

var adminGroups = []adminGroup{
	{"", []railItem{{"start", "/admin", "home", "nav.get_started"}}},
	{"nav.support", []railItem{
		{"channels", "/admin/channels", "chat", "nav.channels"},
		{"workstreams", "/admin/workstreams", "flow", "nav.workstreams"},
		{"queues", "/admin/queues", "queue", "nav.queues"},
		{"users", "/admin/users", "users", "nav.users"},
	}},
	{"nav.content", []railItem{{"templates", "/admin/templates", "template", "nav.templates"}}},
	{"nav.operations", []railItem{
		{"check", "/admin/check", "pulse", "nav.check"},
		{"quarantine", "/admin/quarantine", "inbox", "nav.quarantine"},
		{"alerts", "/admin/alerts", "bell", "nav.alerts"},
		{"audit", "/admin/audit", "shield", "nav.audit"},
		{"components", "/admin/components", "template", "nav.components"},
	}},
}

// AdminPages are the keys of the admin center's pages that every installation has.
func AdminPages() []string {
	return []string{"start", "channels", "workstreams", "queues", "users", "templates", "check", "quarantine", "alerts"}
}

// SupervisorPages are the keys of those that supervisors may open, too.
func SupervisorPages() []string { return []string{"templates"} }

// adminNav gives the groups with the pages that exist.
func (p Page) adminNav() []adminGroup {
	shown := map[string]bool{}
	pages := p.AdminPages
	if pages == nil {
		pages = AdminPages()
	}
	for _, key := range pages {
		shown[key] = true
	}
	var out []adminGroup
	for _, g := range adminGroups {
		part := adminGroup{title: g.title}
		for _, item := range g.items {
			if shown[item.key] {
				part.items = append(part.items, item)
			}
		}
		if len(part.items) > 0 {
			out = append(out, part)
		}
	}
	return out
}

// WizardFrame is what stands around one step of a wizard. The step's fields are inside the frame's form, so that its
// buttons, which stand below, send them: the button pressed is the field "action" with back, save or next. A step that
// brings forms of its own leaves Action empty and gives FormID.
type WizardFrame struct {
	Crumbs    []components.Crumb
	CloseURL  string
	Name      string // of the wizard: "New WhatsApp account"
	Subject   string // what is being set up
	Steps     []components.Step
	Title     string // of the step
	Lead      string
	Errors    components.Errors
	Conflict  templ.Component // what somebody else has changed meanwhile; nil for none
	BodyFocus bool            // a field of the body takes the focus, not the title
	Unsaved   bool            // the fields show what is not saved: leaving asks, as it does once something is typed
	Action    string          // where the form is posted
	FormID    string          // "wizard" when empty
	Back      bool            // there is a step before this one
	Save      bool            // offers "Save and exit"
	Next      string          // the label of the main button; "Next" when empty
	NextBusy  string          // the same while it works: "Checking …"
	Secondary *components.Button
}

// refused tells that something above the title takes the focus.
func (w WizardFrame) refused() bool { return w.Errors.Any() || w.Conflict != nil }

func (w WizardFrame) formID() string {
	if w.FormID == "" {
		return "wizard"
	}
	return w.FormID
}

// action gives one of the wizard's buttons.
func (w WizardFrame) action(value, label, kind string) components.Button {
	return components.Button{Label: label, Kind: kind, Type: "submit", Name: "action", Value: value, Form: w.formID()}
}

func (w WizardFrame) next(ctx context.Context) components.Button {
	b := w.action("next", w.Next, "primary")
	if w.Next == "" {
		b.Label, b.IconEnd = i18n.T(ctx, "button.next"), "arrr"
	}
	b.Busy, b.Class = w.NextBusy, "ms-auto-s"
	if b.Busy == "" {
		b.Busy = i18n.T(ctx, "button.saving")
	}
	return b
}

func (w WizardFrame) back(ctx context.Context) components.Button {
	b := w.action("back", i18n.T(ctx, "button.back"), "")
	b.Icon = "arrl"
	return b
}

func (w WizardFrame) save(ctx context.Context) components.Button {
	b := w.action("save", i18n.T(ctx, "button.save_exit"), "tertiary")
	b.Class = "ms-auto wiz__save"
	return b
}

// saveDraft is "Save and exit" in the dialog that closing opens.
func (w WizardFrame) saveDraft(ctx context.Context) components.Button {
	b := w.action("save", i18n.T(ctx, "button.save_draft"), "primary")
	b.Busy = i18n.T(ctx, "button.saving")
	return b
}

// leaving are the attributes of the link that closes the wizard.
func (w WizardFrame) leaving() templ.Attributes {
	if !w.Save {
		return nil
	}
	a := templ.Attributes{"data-leave": w.formID()}
	if w.Unsaved {
		a["data-unsaved"] = true
	}
	return a
}

// errorIcon is the picture of a page that says what went wrong.
func errorIcon(status int) string {
	switch status {
	case 401, 403:
		return "lock"
	case 429, 503:
		return "clock"
	case 404:
		return "search"
	}
	return "alert"
}

// ErrorTitle gives the title of the page for a status, also for Page.Title.
func ErrorTitle(ctx context.Context, status int) string {
	if key := "error.title." + strconv.Itoa(status); i18n.Has(key) {
		return i18n.T(ctx, key)
	}
	return i18n.T(ctx, "error.title.500")
}

// galleryTokens are the colours that the gallery shows.
var galleryTokens = []string{
	"canvas", "surface", "surface-2", "surface-3", "text", "text-2", "text-3", "border", "border-strong", "primary",
	"primary-soft", "focus", "success", "warning", "danger", "info", "bubble-in", "bubble-out",
}

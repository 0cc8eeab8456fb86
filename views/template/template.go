// Package template holds the pages of message templates: the list, the dialog that adds one by its approved text, the form
// that makes one at Twilio, and what there is to know of one.
package template

import (
	"context"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"kanal/models"
	"kanal/views/components"
	"kanal/views/i18n"
)

// ListURL is the list of templates.
const ListURL = "/admin/templates"

// URL gives the address of a template; back is the page that its dialog was opened from, "" for the list.
func URL(id models.TemplateID, back string) string {
	return withBack(ListURL+"/"+strconv.FormatInt(int64(id), 10), back)
}

func deleteURL(id models.TemplateID, back string) string {
	return withBack(URL(id, "")+"/delete", back)
}

func withBack(address, back string) string {
	if back == "" || back == ListURL {
		return address
	}
	return address + "?" + url.Values{"back": {back}}.Encode()
}

// NewURL gives the dialog that adds a template to an account.
func NewURL(account models.AccountID, back string) string {
	q := url.Values{"account": {strconv.FormatInt(int64(account), 10)}}
	if back != "" {
		q.Set("back", back)
	}
	return ListURL + "/new?" + q.Encode()
}

func languageOptions(ctx context.Context) []components.Option {
	list := []components.Option{{Label: i18n.T(ctx, "template.language_choose")}}
	for _, l := range models.TemplateLanguages() {
		list = append(list, components.Option{Value: l, Label: i18n.LanguageName(ctx, l) + " (" + l + ")"})
	}
	return list
}

// kindName gives the name of a kind, Twilio's own word for one that has none here.
func kindName(ctx context.Context, kind string) string {
	key := "template.kind." + strings.NewReplacer("/", "_", "-", "_").Replace(kind)
	switch {
	case kind == "":
		return i18n.T(ctx, "template.kind.twilio_text")
	case i18n.Has(key):
		return i18n.T(ctx, key)
	}
	return kind
}

func categoryName(ctx context.Context, category string) string {
	if key := "template.category." + strings.ToLower(category); category != "" && i18n.Has(key) {
		return i18n.T(ctx, key)
	}
	return category
}

// statusName gives the word for where a template stands, and the colour of its chip. Without Content SID it is for open
// windows only.
func statusName(ctx context.Context, t models.Template) (kind, word string) {
	kinds := map[models.TemplateStatus]string{
		models.TemplateApproved: "s", models.TemplateReceived: "i", models.TemplatePending: "i", models.TemplateRejected: "e",
		models.TemplatePaused: "w", models.TemplateDisabled: "e",
	}
	key := "template.status." + string(t.Status)
	switch {
	case t.Status == models.TemplateNone && t.ContentSID == "", t.Status == models.TemplateUnsubmitted && t.InWindow && !t.Submittable():
		return "", i18n.T(ctx, "template.open_window")
	case t.Status == models.TemplateNone:
		return "", i18n.T(ctx, "template.status.none")
	case i18n.Has(key):
		return kinds[t.Status], i18n.T(ctx, key)
	}
	return "", string(t.Status)
}

func qualityKey(t models.Template) string {
	if key := "template.quality." + t.Quality; t.Quality != "" && i18n.Has(key) {
		return key
	}
	return ""
}

// Account is a finished messaging account with the newest fetching of its templates.
type Account struct {
	ID   models.AccountID
	Name string
	Sync models.TemplateSync
}

func (a Account) sentence(ctx context.Context, now time.Time) string {
	s := a.Sync
	switch {
	case s.StartedAt.IsZero():
		return i18n.T(ctx, "template.sync_never")
	case s.Running(now):
		return i18n.T(ctx, "template.sync_running", "n", s.Templates)
	case s.FinishedAt == nil:
		return i18n.T(ctx, "template.sync_cut_off")
	}
	return i18n.T(ctx, "template.sync_done", "n", s.Templates, "time", i18n.DateTime(ctx, *s.FinishedAt, now))
}

// List is the page of all templates.
type List struct {
	Rows     []models.TemplateRow
	Next     bool // there is a page after this one
	Previous bool
	Accounts []Account
	Account  string // filters
	Status   string
	Query    string
	After    string // the template before the page; "" for the first page
	Before   string // the template behind it, on the way back
	Admin    bool   // who looks may set up accounts
	Now      time.Time
}

// address gives a part of the page with the same filters.
func (l List) address(part string) string {
	q := url.Values{}
	for name, v := range map[string]string{"account": l.Account, "status": l.Status, "q": l.Query, "after": l.After, "before": l.Before} {
		if v != "" {
			q.Set(name, v)
		}
	}
	if len(q) == 0 {
		return ListURL + part
	}
	return ListURL + part + "?" + q.Encode()
}

func (l List) filtered() bool { return l.address("") != ListURL }

// nextURL gives the page after this one.
func (l List) nextURL() string {
	l.After, l.Before = strconv.FormatInt(int64(l.Rows[len(l.Rows)-1].ID), 10), ""
	return l.address("")
}

func (l List) previousURL() string {
	l.After, l.Before = "", strconv.FormatInt(int64(l.Rows[0].ID), 10)
	return l.address("")
}

func (l List) accountOptions(ctx context.Context) []components.Option {
	list := []components.Option{{Label: i18n.T(ctx, "template.all_accounts")}}
	return append(list, accountOptions(l.Accounts)...)
}

func accountOptions(accounts []Account) []components.Option {
	var list []components.Option
	for _, a := range accounts {
		list = append(list, components.Option{Value: strconv.FormatInt(int64(a.ID), 10), Label: a.Name})
	}
	return list
}

// first is the account that new templates go to unless somebody chooses another one.
func (l List) first() models.AccountID {
	for _, a := range l.Accounts {
		if strconv.FormatInt(int64(a.ID), 10) == l.Account {
			return a.ID
		}
	}
	return l.Accounts[0].ID
}

func statusOptions(ctx context.Context) []components.Option {
	list := []components.Option{{Label: i18n.T(ctx, "template.all_statuses")}}
	for _, s := range []string{"approved", "pending", "received", "unsubmitted", "rejected", "paused", "disabled", "none"} {
		list = append(list, components.Option{Value: s, Label: i18n.T(ctx, "template.status."+s)})
	}
	return list
}

func live(address string) templ.Attributes {
	return templ.Attributes{
		"data-live-on": "template", "hx-get": address, "hx-trigger": "part:refresh throttle:1s", "hx-swap": "outerMorph", "hx-sync": "this:queue last",
	}
}

// Form is the dialog Add message template, also for changing one.
type Form struct {
	ID         models.TemplateID // 0 for a new one
	Account    string
	Accounts   []Account // to choose from; nil when the account is given
	Name       string
	Language   string
	Body       string
	ContentSID string
	FieldNames map[string]string // what people call the variables
	Version    string
	Back       string
	Kept       []Kept          // what was typed on the page that it was opened from, where there is no script
	Known      models.Template // as it is saved
	Errors     components.Errors
	Conflict   []components.ConflictRow
	Stale      bool
}

// FormOf fills the form with a template.
func FormOf(t models.Template, back string) Form {
	return Form{
		ID: t.ID, Account: strconv.FormatInt(int64(t.AccountID), 10), Name: t.Name, Language: t.Language, Body: t.Body, ContentSID: t.ContentSID,
		FieldNames: t.NamesOfFields(), Version: strconv.Itoa(t.Version), Back: back, Known: t,
	}
}

// Kept is a field of a form on another page, on its way through this one.
type Kept struct{ Name, Value string }

// content is what the preview shows: Twilio's when it has the template, else the pasted text.
func (f Form) content() models.Content {
	if f.Known.Types != "" && f.Known.ContentSID == f.ContentSID {
		return f.Known.Content()
	}
	return models.Content{Kind: models.KindOfText, Body: f.Body}
}

// found are the variables of the template as they stand in its text.
func (f Form) found() string {
	var names []string
	for _, v := range f.content().Variables() {
		names = append(names, inBrackets(v))
	}
	return strings.Join(names, " ")
}

func inBrackets(variable string) string { return "{{" + variable + "}}" }

// called gives what people call a variable, in the preview; without a name the variable itself.
func (f Form) called(variable string) string {
	if name := strings.TrimSpace(f.FieldNames[variable]); name != "" {
		return name
	}
	return inBrackets(variable)
}

// Against gives the form with where it differs from what somebody else has saved.
func (f Form) Against(ctx context.Context, saved models.Template) Form {
	row := func(key, theirs, yours string) components.ConflictRow {
		return components.ConflictRow{Label: i18n.T(ctx, key), Theirs: theirs, Yours: yours}
	}
	f.Stale, f.Version, f.Known = true, strconv.Itoa(saved.Version), saved
	f.Conflict = components.Differing(row("template.name", saved.Name, f.Name),
		row("template.language", i18n.LanguageName(ctx, saved.Language), i18n.LanguageName(ctx, f.Language)),
		row("template.body", saved.Body, f.Body), row("template.content_sid", saved.ContentSID, f.ContentSID),
		row("template.field_names", namesOf(saved.NamesOfFields()), namesOf(f.FieldNames)))
	return f
}

// namesOf writes what people call the variables in one line.
func namesOf(names map[string]string) string {
	var list []string
	for _, v := range slices.Sorted(maps.Keys(names)) {
		if name := strings.TrimSpace(names[v]); name != "" {
			list = append(list, inBrackets(v)+" "+name)
		}
	}
	return strings.Join(list, ", ")
}

func (f Form) action() string {
	if f.ID == 0 {
		return ListURL
	}
	return URL(f.ID, "")
}

func (f Form) back() string {
	if f.Back == "" {
		return ListURL
	}
	return f.Back
}

func (f Form) title(ctx context.Context) string {
	if f.ID == 0 {
		return i18n.T(ctx, "template.add")
	}
	return i18n.T(ctx, "template.edit")
}

// Detail is the dialog of a template that is Twilio's.
type Detail struct {
	Template models.Template
	Account  string
	Back     string
	Category string
	Errors   components.Errors
}

func (d Detail) back() string {
	if d.Back == "" {
		return ListURL
	}
	return d.Back
}

// Maker is the page on which a template is made.
type Maker struct {
	Draft    models.TemplateDraft
	Account  string
	Accounts []Account
	Buttons  int // rows that are shown
	Items    int
	Errors   components.Errors
}

// MakerURL gives the page that makes a template of a kind.
func MakerURL(account, kind string) string {
	return ListURL + "/create?" + url.Values{"account": {account}, "kind": {kind}}.Encode()
}

func (m Maker) kinds(ctx context.Context) []components.Tab {
	var tabs []components.Tab
	for _, k := range models.TemplateKinds() {
		tabs = append(tabs, components.Tab{Label: kindName(ctx, k), URL: MakerURL(m.Account, k), Now: k == m.Draft.Kind})
	}
	return tabs
}

// button gives what was typed in a row, which may be empty.
func (m Maker) button(i int) models.Action {
	if i < len(m.Draft.Buttons) {
		return m.Draft.Buttons[i]
	}
	return models.Action{Kind: m.buttonKinds()[0]}
}

func (m Maker) item(i int) models.Choice {
	if i < len(m.Draft.Items) {
		return m.Draft.Items[i]
	}
	return models.Choice{}
}

// buttonKinds are those that the kind of template takes.
func (m Maker) buttonKinds() []string {
	all := []string{models.ActionQuickReply, models.ActionURL, models.ActionPhoneNumber, models.ActionCopyCode}
	switch m.Draft.Kind {
	case models.KindOfQuickReply:
		return all[:1]
	case models.KindOfCallToAction:
		return all[1:]
	}
	return all
}

func (m Maker) buttonOptions(ctx context.Context) []components.Option {
	var list []components.Option
	for _, k := range m.buttonKinds() {
		list = append(list, components.Option{Value: k, Label: i18n.T(ctx, "template.action."+strings.ToLower(k))})
	}
	return list
}

func categoryOptions(ctx context.Context) []components.Option {
	list := []components.Option{{Label: i18n.T(ctx, "template.category_choose")}}
	for _, c := range models.TemplateCategories() {
		list = append(list, components.Option{Value: c, Label: categoryName(ctx, c)})
	}
	return list
}

func (m Maker) has(kinds ...string) bool { return slices.Contains(kinds, m.Draft.Kind) }

// preview gives the template with its samples.
func (m Maker) preview() models.Content {
	values := map[string]string{}
	for n, v := range m.Draft.Samples {
		if strings.TrimSpace(v) != "" {
			values[n] = v
		}
	}
	return m.Draft.Content().Render(values)
}

// aboutKey ends the key of the sentence about a kind.
func aboutKey(kind string) string { return strings.NewReplacer("/", "_", "-", "_").Replace(kind) }

func makeLabel(ctx context.Context, m Maker) string {
	if m.Draft.Submittable() {
		return i18n.T(ctx, "template.make_and_submit")
	}
	return i18n.T(ctx, "template.make_only")
}

func withList(back string) string {
	if back == "" {
		return ListURL
	}
	return back
}

// ActionAdd asks the page for the dialog where there is no script: what is typed on the page goes along.
const ActionAdd = "template"

// NumberTemplates are the templates of a number's account in its Behaviors.
type NumberTemplates struct {
	Rows    []models.TemplateRow
	More    bool // there are more than are shown
	Account models.AccountID
	Back    string // the page that they stand on
	Form    string // the id of the form on that page
}

// addAttrs open the dialog that adds a template, with a name that says what is added.
func addAttrs(ctx context.Context, n NumberTemplates) templ.Attributes {
	a := components.OpensDialog(NewURL(n.Account, n.Back))
	a["id"], a["aria-label"] = "template-add", i18n.T(ctx, "template.add")
	return a
}

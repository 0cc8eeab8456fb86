package workstream

import (
	"context"
	"fmt"
	"strings"

	"github.com/a-h/templ"

	"kanal/models"
	"kanal/views"
	"kanal/views/components"
	"kanal/views/i18n"
)

// StepURL gives a step of the wizard Set up WhatsApp.
func StepURL(id models.WorkstreamID, s models.ChannelStep) string {
	return URL(id) + "/whatsapp/" + s.Path()
}

// NumberURL gives the settings of a number.
func NumberURL(id models.WorkstreamID, n models.NumberID) string {
	return URL(id) + "/numbers/" + number(n)
}

func discardURL(id models.WorkstreamID) string { return URL(id) + "/whatsapp/discard" }

func deleteURL(n models.NumberRow) string { return NumberURL(*n.WorkstreamID, n.ID) + "/delete" }

func stepName(ctx context.Context, s models.ChannelStep) string {
	return i18n.T(ctx, "channel.step."+strings.ReplaceAll(s.Path(), "-", "_"))
}

func stepLead(ctx context.Context, s models.ChannelStep) string {
	return i18n.T(ctx, "channel.lead."+strings.ReplaceAll(s.Path(), "-", "_"))
}

// StepOf gives the step that asks for a field.
func StepOf(field string) models.ChannelStep {
	switch field {
	case "language":
		return models.ChannelLanguage
	case "greeting":
		return models.ChannelBehaviors
	case "customers":
		return models.ChannelUserFeatures
	}
	return models.ChannelNumber
}

func languageName(ctx context.Context, l string) string {
	if l == "" {
		return ""
	}
	return i18n.T(ctx, "lang."+l)
}

// Settings are what steps and tabs ask for, as strings.
type Settings struct {
	Number           string
	Language         string
	Greeting         bool
	GreetingText     string
	Files            bool
	Customers        bool
	Agents           bool
	greetingLanguage string // whose built-in text is proposed
}

// SettingsOfDraft gives what the draft holds. A greeting that nobody has written yet is the built-in one.
func SettingsOfDraft(d models.ChannelDraft) Settings {
	s := Settings{
		Language: d.Language, Greeting: d.GreetingActive, GreetingText: models.GreetingIn(d.GreetingText, d.Language, d.Language),
		Files: d.Files, Customers: d.CustomerFiles, Agents: d.AgentFiles, greetingLanguage: d.Language,
	}
	if d.NumberID != nil {
		s.Number = number(*d.NumberID)
	}
	return s
}

// SettingsOfNumber gives what is set for a number of a workstream.
func SettingsOfNumber(n models.Number, m models.AutomatedMessage) Settings {
	return Settings{
		Number: number(n.ID), Language: n.Language, Greeting: m.Active, GreetingText: models.GreetingIn(m.Text, n.Language, n.Language),
		Files: n.Files, Customers: n.CustomerFiles, Agents: n.AgentFiles, greetingLanguage: n.Language,
	}
}

// With gives the settings with one step's part from what was typed.
func (s Settings) With(step models.ChannelStep, typed Settings) Settings {
	switch step {
	case models.ChannelNumber:
		s.Number = typed.Number
	case models.ChannelLanguage:
		s.Language = typed.Language
	case models.ChannelBehaviors:
		s.Greeting, s.GreetingText = typed.Greeting, typed.GreetingText
	case models.ChannelUserFeatures:
		s.Files, s.Customers, s.Agents = typed.Files, typed.Customers, typed.Agents
	}
	return s
}

// Against gives where one step's part differs from what somebody else has saved.
func (s Settings) Against(ctx context.Context, step models.ChannelStep, saved Settings, numbers []models.NumberRow) []components.ConflictRow {
	row := func(key, theirs, yours string) components.ConflictRow {
		return components.ConflictRow{Label: i18n.T(ctx, key), Theirs: theirs, Yours: yours}
	}
	switch step {
	case models.ChannelNumber:
		return components.Differing(row("channel.step.number", numberLabel(numbers, saved.Number), numberLabel(numbers, s.Number)))
	case models.ChannelLanguage:
		return components.Differing(row("channel.step.language", languageName(ctx, saved.Language), languageName(ctx, s.Language)))
	case models.ChannelBehaviors:
		return components.Differing(row("behaviors.greeting", onOff(ctx, saved.Greeting), onOff(ctx, s.Greeting)),
			row("behaviors.text", saved.GreetingText, s.GreetingText))
	case models.ChannelUserFeatures:
		return components.Differing(row("features.files", onOff(ctx, saved.Files), onOff(ctx, s.Files)),
			row("features.customers", onOff(ctx, saved.Customers), onOff(ctx, s.Customers)),
			row("features.agents", onOff(ctx, saved.Agents), onOff(ctx, s.Agents)))
	}
	return nil
}

func onOff(ctx context.Context, on bool) string {
	if on {
		return i18n.T(ctx, "channel.on")
	}
	return i18n.T(ctx, "channel.off")
}

func findNumber(numbers []models.NumberRow, id string) models.NumberRow {
	for _, n := range numbers {
		if number(n.ID) == id {
			return n
		}
	}
	return models.NumberRow{}
}

func numberLabel(numbers []models.NumberRow, id string) string {
	n := findNumber(numbers, id)
	if n.ID == 0 {
		return ""
	}
	return n.Name + ", " + i18n.Phone(n.Address)
}

// Setup is one step of the wizard Set up WhatsApp.
type Setup struct {
	Workstream models.WorkstreamRow
	Draft      models.ChannelDraft
	Version    string // of the draft that the form was filled from
	Step       models.ChannelStep
	Shown      Settings           // with what was typed
	Numbers    []models.NumberRow // of all finished accounts
	Tested     bool               // a message has come to the number's account
	Members    int                // of the fallback queue
	Return     bool               // the step was opened from the summary and leads back there
	Errors     components.Errors
	Stale      bool // somebody else has saved the draft meanwhile
	Conflict   []components.ConflictRow
	Templates  templ.Component // of Behaviors; nil for none
}

func (s Setup) saved() Settings { return SettingsOfDraft(s.Draft) }

func (s Setup) chosen() models.NumberRow { return findNumber(s.Numbers, s.saved().Number) }

// Frame gives what stands around the step.
func (s Setup) Frame(ctx context.Context) views.WizardFrame {
	f := views.WizardFrame{
		Crumbs:   crumbs(ctx, components.Crumb{Label: s.Workstream.Name, URL: URL(s.Workstream.ID)}, components.Crumb{Label: i18n.T(ctx, "button.set_up_whatsapp")}),
		CloseURL: URL(s.Workstream.ID), Name: i18n.T(ctx, "button.set_up_whatsapp"), Subject: s.Workstream.Name, Steps: s.steps(ctx),
		Title: stepName(ctx, s.Step), Lead: stepLead(ctx, s.Step), Errors: s.Errors, Action: StepURL(s.Workstream.ID, s.Step),
		Back: s.Step > models.ChannelNumber || s.Return, Save: true, Unsaved: s.Errors.Any() || s.Stale,
	}
	if s.Return {
		f.Action += "?return=summary"
	}
	if s.Step == models.ChannelSummary {
		f.Next = i18n.T(ctx, "button.finish")
	}
	if s.Stale {
		f.Conflict = components.ConflictAbout(i18n.T(ctx, "channel.conflict"), s.Conflict)
	}
	return f
}

func (s Setup) steps(ctx context.Context) []components.Step {
	steps := make([]components.Step, 0, models.ChannelSummary)
	for step := models.ChannelNumber; step <= models.ChannelSummary; step++ {
		x := components.Step{Label: stepName(ctx, step), Now: step == s.Step, Done: step <= s.Draft.Step && s.Draft.NumberID != nil}
		if x.Done && !x.Now {
			x.URL, x.Detail = StepURL(s.Workstream.ID, step), s.detail(ctx, step)
		}
		steps = append(steps, x)
	}
	return steps
}

// detail is what the side says of a step that is complete.
func (s Setup) detail(ctx context.Context, step models.ChannelStep) string {
	saved := s.saved()
	switch step {
	case models.ChannelNumber:
		return i18n.Phone(s.chosen().Address)
	case models.ChannelLanguage:
		return languageName(ctx, saved.Language)
	case models.ChannelBehaviors:
		return i18n.T(ctx, "behaviors.greeting") + ": " + strings.ToLower(onOff(ctx, saved.Greeting))
	case models.ChannelUserFeatures:
		if saved.Files {
			return i18n.T(ctx, "features.on")
		}
		return i18n.T(ctx, "features.off")
	}
	return ""
}

// changeURL opens a step from the summary, to come back to it.
func (s Setup) changeURL(step models.ChannelStep) string {
	return StepURL(s.Workstream.ID, step) + "?return=summary"
}

func (s Setup) numberOptions(ctx context.Context) []components.Option {
	list := make([]components.Option, len(s.Numbers))
	for i, n := range s.Numbers {
		list[i] = components.Option{Value: number(n.ID), Label: n.Name, Hint: i18n.Phone(n.Address) + " · " + n.AccountName}
		if n.WorkstreamID != nil {
			list[i].Disabled = true
			list[i].Hint += " · " + i18n.T(ctx, "channel.number_used", "workstream", n.WorkstreamName)
		}
	}
	return list
}

func (s Setup) hasFree() bool {
	for _, n := range s.Numbers {
		if n.WorkstreamID == nil {
			return true
		}
	}
	return false
}

func languageOptions(ctx context.Context) []components.Option {
	list := []components.Option{{Value: "", Label: i18n.T(ctx, "channel.language_none")}}
	for _, l := range models.CustomerLanguages() {
		list = append(list, components.Option{Value: l, Label: languageName(ctx, l)})
	}
	return list
}

func greetingHint(ctx context.Context, s Settings) string {
	return i18n.T(ctx, "behaviors.text_hint", "language", languageName(ctx, s.greetingLanguage), "n", models.MaxMessageLength)
}

// sandboxURL is where the steps stand that set the sandbox up.
func sandboxURL(n models.NumberRow) string {
	return fmt.Sprintf("/admin/accounts/%d/setup/callback?number=sandbox", n.AccountID)
}

// NumberPage is one tab of the settings of a number.
type NumberPage struct {
	Workstream models.WorkstreamRow
	Number     models.NumberRow
	Version    string // of the number that the form was filled from
	Part       models.ChannelStep
	Shown      Settings // with what was typed
	Errors     components.Errors
	Stale      bool // somebody else has saved the settings meanwhile
	Conflict   []components.ConflictRow
	Templates  templ.Component // of Behaviors; nil for none
}

func (p NumberPage) url(part models.ChannelStep) string {
	return NumberURL(p.Workstream.ID, p.Number.ID) + "/" + part.Path()
}

func (p NumberPage) tabs(ctx context.Context) []components.Tab {
	var tabs []components.Tab
	for part := models.ChannelLanguage; part <= models.ChannelUserFeatures; part++ {
		tabs = append(tabs, components.Tab{Label: stepName(ctx, part), URL: p.url(part), Now: part == p.Part})
	}
	return tabs
}

// ReleaseForm is the dialog that takes a number out of its workstream.
type ReleaseForm struct {
	Number  models.NumberRow
	Confirm string
	Errors  components.Errors
}

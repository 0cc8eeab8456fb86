// Package account holds the pages about messaging accounts: the channels, the list, the wizard New account and the same
// steps as tabs of a finished account.
package account

import (
	"context"
	"strconv"
	"strings"
	"time"

	"kanal/models"
	"kanal/views"
	"kanal/views/components"
	"kanal/views/i18n"
)

// Setup is one step of the wizard New account, or the same as a tab of a finished account.
type Setup struct {
	Account  models.Account // as it is saved; the zero account is not begun
	Step     models.AccountStep
	Numbers  []models.NumberRow
	Errors   components.Errors
	Stale    bool // somebody else has saved meanwhile: Conflict says what
	Conflict []components.ConflictRow
	Channel  ChannelForm
	Details  DetailsForm
	Number   NumberForm
	Callback Callback
	Now      time.Time
}

// ChannelForm is the first step.
type ChannelForm struct {
	Name, Channel string
	Typing        bool // customers see that somebody is answering; only of a finished account
	RemoveFiles   bool // at Twilio, once they are safe here; only of a finished account
}

// DetailsForm is the second step. The token is never in it.
type DetailsForm struct {
	SID         string
	Unreachable bool // Twilio did not answer: it may be saved without check
}

// NumberForm is the part of the third step in which one number is added or changed.
type NumberForm struct {
	Open    bool
	ID      string // of the number that is changed; empty adds one
	Version string
	Name    string
	Address string
	Pace    string // messages a minute, as it is typed
}

// Callback is the fourth step.
type Callback struct {
	URL       string // inbound
	Fallback  string
	Debugger  string
	PublicURL string
	Local     bool // Twilio cannot reach the public address
	CanSet    bool // Kanal can set the addresses at Twilio itself
	Sandbox   bool // shows how the sandbox is set up, not an own number
	Simulator bool // the simulator runs, for a simulated account
}

// Of fills a step with what is saved.
func Of(a models.Account, step models.AccountStep) Setup {
	return Setup{Account: a, Step: step, Channel: ChannelForm{a.Name, a.Channel, !a.HideTyping, a.RemoveFiles}, Details: DetailsForm{SID: a.SID}}
}

// Finished tells that the account is one of the list, so that its steps are tabs.
func (s Setup) Finished() bool { return s.Account.State == models.AccountActive }

// ListURL is the page that lists the accounts.
const ListURL = "/admin/accounts"

// URL is the page of an account.
func URL(id models.AccountID) string { return ListURL + "/" + strconv.FormatInt(int64(id), 10) }

// StepURL is the page of a step. The zero account is one that is not begun.
func StepURL(id models.AccountID, step models.AccountStep) string {
	if id == 0 {
		return ListURL + "/new/setup/" + models.StepChannelDetails.Path()
	}
	return URL(id) + "/setup/" + step.Path()
}

func (s Setup) url() string { return StepURL(s.Account.ID, s.Step) }

func numberURL(n models.NumberRow) string {
	return URL(n.AccountID) + "/numbers/" + strconv.FormatInt(int64(n.ID), 10)
}

// StepTitle gives the title of a step: Account details.
func StepTitle(ctx context.Context, step models.AccountStep) string {
	return i18n.T(ctx, "account.step."+strings.ReplaceAll(step.Path(), "-", "_"))
}

// Name gives the name of an account, or what stands for it as long as it has none.
func Name(ctx context.Context, a models.Account) string {
	switch {
	case a.Name != "":
		return a.Name
	case a.ID == 0:
		return i18n.T(ctx, "account.new")
	}
	return i18n.T(ctx, "account.untitled")
}

func crumbs(ctx context.Context, here string) []components.Crumb {
	return []components.Crumb{
		{Label: i18n.T(ctx, "nav.channels"), URL: "/admin/channels"}, {Label: i18n.T(ctx, "account.accounts"), URL: ListURL}, {Label: here},
	}
}

// steps are the steps of the wizard; complete ones are links.
func (s Setup) steps(ctx context.Context) []components.Step {
	var list []components.Step
	for i := range models.AccountSteps() {
		step := models.AccountStep(i + 1)
		x := components.Step{Label: StepTitle(ctx, step), Now: step == s.Step, Done: step <= s.Account.Step}
		if x.Done {
			x.URL, x.Detail = StepURL(s.Account.ID, step), s.detail(ctx, step)
		}
		list = append(list, x)
	}
	return list
}

// detail says what a complete step holds.
func (s Setup) detail(ctx context.Context, step models.AccountStep) string {
	switch step {
	case models.StepChannelDetails:
		return s.Account.Name + " · " + i18n.T(ctx, "account.whatsapp")
	case models.StepAccountDetails:
		return i18n.T(ctx, "account.sid") + " " + shortSID(s.Account.SID)
	case models.StepNumbers:
		return i18n.N(ctx, "account.n_numbers", len(s.Numbers))
	}
	return ""
}

func shortSID(sid string) string {
	if len(sid) < 10 {
		return sid
	}
	return sid[:4] + "…" + sid[len(sid)-4:]
}

// frame is what stands around a step of the wizard.
func (s Setup) frame(ctx context.Context) views.WizardFrame {
	w := views.WizardFrame{
		Crumbs: crumbs(ctx, Name(ctx, s.Account)), CloseURL: ListURL, Name: i18n.T(ctx, "account.wizard"), Subject: Name(ctx, s.Account),
		Steps: s.steps(ctx), Title: StepTitle(ctx, s.Step), Lead: i18n.T(ctx, "account.lead."+strings.ReplaceAll(s.Step.Path(), "-", "_")),
		Errors: s.Errors, Action: s.url(), Back: s.Step > models.StepChannelDetails, Save: true,
		BodyFocus: s.Step == models.StepNumbers && s.Number.Open, Unsaved: s.Errors.Any() || s.Stale,
	}
	if s.Stale {
		w.Conflict = components.ConflictAbout(i18n.T(ctx, "account.conflict"), s.Conflict)
	}
	switch s.Step {
	case models.StepAccountDetails:
		w.NextBusy = i18n.T(ctx, "button.checking")
	case models.StepNumbers:
		w.Action = ""
	case models.StepCallback:
		w.Action, w.Next = "", i18n.T(ctx, "button.done")
	}
	if s.Details.Unreachable {
		b := s.uncheckedButton(ctx)
		w.Secondary = &b
	}
	return w
}

func (s Setup) uncheckedButton(ctx context.Context) components.Button {
	return components.Button{
		Label: i18n.T(ctx, "button.save_unchecked"), Type: "submit", Name: "action", Value: "unchecked", Form: formID, Busy: i18n.T(ctx, "button.saving"),
	}
}

// formID is the form that the buttons of the frame send.
const formID = "wizard"

// tabs are the steps of a finished account.
func (s Setup) tabs(ctx context.Context) []components.Tab {
	var list []components.Tab
	for i := range models.AccountSteps() {
		step := models.AccountStep(i + 1)
		t := components.Tab{Label: StepTitle(ctx, step), URL: StepURL(s.Account.ID, step), Now: step == s.Step}
		if step == models.StepNumbers {
			t.Count = components.Number(len(s.Numbers))
		}
		list = append(list, t)
	}
	return list
}

// savedToken says what is known of the saved token.
func (s Setup) savedToken(ctx context.Context) string {
	a := s.Account
	if a.CheckedAt == nil {
		return i18n.T(ctx, "account.token_unchecked")
	}
	when := i18n.DateTime(ctx, *a.CheckedAt, s.Now)
	if a.CheckState == models.CheckOK {
		return i18n.T(ctx, "account.token_checked", "when", when)
	}
	return i18n.T(ctx, "account.token_state."+string(a.CheckState), "when", when)
}

// State is what the list says of an account.
type State struct{ Kind, Icon, Key string }

// StateOf gives the state of an account.
func StateOf(r models.AccountRow) State {
	switch {
	case r.State == models.AccountDraft:
		return State{"i", "", "account.state.draft"}
	case r.StoppedAt != nil:
		return State{"e", "x", "account.state.stopped"}
	case r.CheckState == models.CheckRejected:
		return State{"e", "x", "account.state.rejected"}
	case r.CheckState == models.CheckSuspended:
		return State{"e", "no", "account.state.suspended"}
	case r.FirstMessageAt == nil:
		return State{"w", "clock", "account.state.untested"}
	case r.Numbers > 0 && r.OwnNumbers == 0:
		return State{"w", "alert", "account.state.sandbox"}
	}
	return State{"s", "check", "account.state.active"}
}

// unknown gives the numbers that Twilio does not know as senders.
func (s Setup) unknown() string {
	var list []string
	for _, n := range s.Numbers {
		if n.KnownSender != nil && !*n.KnownSender {
			list = append(list, n.Name+" "+i18n.Phone(n.Address))
		}
	}
	return strings.Join(list, ", ")
}

// badSignature tells that the last call to the address did not carry our token's signature, and that the token was not
// found right since.
func badSignature(a models.Account) bool {
	at := a.LastSignatureFail
	return at != nil && a.SignatureFails > 0 && (a.CheckedAt == nil || at.After(*a.CheckedAt))
}

// seen gives the address at which the call with a wrong signature came, with a scheme only where it is known.
func seen(a models.Account) string { return strings.TrimPrefix(a.SignatureSeen, "//") }

// differs names the parts in which the address of that call is not the expected one; "" for none.
func differs(ctx context.Context, a models.Account) string {
	var names []string
	for _, part := range models.AddressDiffers(a.SignatureExpected, a.SignatureSeen) {
		names = append(names, i18n.T(ctx, "account.signature_part."+part))
	}
	return strings.Join(names, ", ")
}

// received says when the first message came.
func received(ctx context.Context, at, now time.Time) string {
	if i18n.Date(ctx, at, now) == i18n.Date(ctx, now, now) {
		return i18n.T(ctx, "account.received", "time", i18n.Clock(ctx, at))
	}
	return i18n.T(ctx, "account.received_on", "when", i18n.DateTime(ctx, at, now))
}

// marked cuts a sentence at its stars: what stands between two of them is marked.
func marked(sentence string) []string { return strings.Split(sentence, "*") }

// path cuts the way through a menu at its signs.
func path(way string) []string { return strings.Split(way, " › ") }

// how gives the steps in Twilio's console.
func (c Callback) how(ctx context.Context) []string {
	keys := []string{"open_own", "number", "paste_own", "post", "test_own"}
	if c.Sandbox {
		keys = []string{"open_sandbox", "paste_sandbox", "post", "join"}
	}
	list := make([]string, len(keys))
	for i, k := range keys {
		list[i] = i18n.T(ctx, "account.how."+k)
	}
	return list
}

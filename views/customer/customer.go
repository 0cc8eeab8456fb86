// Package customer holds the page of one customer and the dialogs about them.
package customer

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"kanal/models"
	"kanal/views/components"
	"kanal/views/i18n"
)

// Page is what is known of one customer.
type Page struct {
	Contact       models.Contact
	Identities    []models.ContactIdentity
	BlockedBy     string // the name of who has blocked them
	Accounts      []Account
	History       []models.Consent
	Conversations []models.ConversationRow
	Now           time.Time
}

// Account is a messaging account with what the customer has agreed to with it.
type Account struct {
	ID    models.AccountID
	Name  string
	State models.ConsentState
}

// URL is the address of a customer's page; rest follows it.
func URL(id models.ContactID, rest string) string {
	return "/customers/" + strconv.FormatInt(int64(id), 10) + rest
}

// EditURL is the address of the dialog that changes name and language; back is the page that it leads back to.
func EditURL(id models.ContactID, back string) string { return URL(id, "/edit"+backQuery("?", back)) }

// BlockURL is the address of the dialog that blocks a customer.
func BlockURL(id models.ContactID, back string) string { return URL(id, "/block"+backQuery("?", back)) }

// OutreachURL is the address of the dialog that starts a conversation with a customer.
func OutreachURL(id models.ContactID) string {
	return "/inbox/new?customer=" + strconv.FormatInt(int64(id), 10) + backQuery("&", URL(id, ""))
}

// ConsentURL is the address of the dialog that records a consent with an account, or an opt-out.
func ConsentURL(id models.ContactID, account models.AccountID, given bool, back string) string {
	q := "?account=" + strconv.FormatInt(int64(account), 10)
	if given {
		q += "&given=1"
	}
	return URL(id, "/consent"+q+backQuery("&", back))
}

func backQuery(sep, back string) string {
	if back == "" {
		return ""
	}
	return sep + "back=" + url.QueryEscape(back)
}

// Name is how a customer is named: by name, else by number.
func Name(ctx context.Context, c models.Contact, ids []models.ContactIdentity) string {
	if n := c.DisplayName(); n != "" {
		return n
	}
	for _, i := range ids {
		if i.Kind == models.IdentityPhone && !i.Derived {
			return i18n.Phone(i.Value)
		}
	}
	return i18n.T(ctx, "customer.nameless")
}

// LanguageName names the language that a customer speaks, or says that nobody knows.
func LanguageName(ctx context.Context, code string) string {
	if code == "" {
		return i18n.T(ctx, "customer.language_none")
	}
	return i18n.LanguageName(ctx, code)
}

func languageOptions(ctx context.Context) []components.Option {
	out := []components.Option{{Value: "", Label: LanguageName(ctx, "")}}
	for _, code := range models.SpokenLanguages() {
		out = append(out, components.Option{Value: code, Label: LanguageName(ctx, code)})
	}
	return out
}

// Form is the dialog that changes name and language.
type Form struct {
	ID, Name, Language, Version string
	ProfileName                 string
	Back                        string
	Errors                      components.Errors
	Stale                       bool
	Conflict                    []components.ConflictRow
}

// FormOf fills the form with what is saved.
func FormOf(c models.Contact, back string) Form {
	return Form{
		ID: strconv.FormatInt(int64(c.ID), 10), Name: c.Name, Language: c.Language, Version: strconv.Itoa(c.Version),
		ProfileName: c.ProfileName, Back: back,
	}
}

// Against compares what was typed with what somebody else has saved, and takes over the version that is saved now.
func (f Form) Against(ctx context.Context, saved models.Contact) Form {
	f.Stale, f.Version = true, strconv.Itoa(saved.Version)
	f.Conflict = components.Differing(
		components.ConflictRow{Label: i18n.T(ctx, "customer.name"), Theirs: saved.Name, Yours: f.Name},
		components.ConflictRow{Label: i18n.T(ctx, "customer.language"), Theirs: LanguageName(ctx, saved.Language), Yours: LanguageName(ctx, f.Language)},
	)
	return f
}

func (f Form) action() string { return "/customers/" + f.ID + "/edit" }

func (f Form) nameHint(ctx context.Context) string {
	if f.ProfileName == "" {
		return i18n.T(ctx, "customer.name_hint")
	}
	return i18n.T(ctx, "customer.name_profile", "name", f.ProfileName)
}

// ConsentForm is the dialog that records what a customer has said.
type ConsentForm struct {
	Contact models.ContactID
	Name    string
	Account models.AccountID
	Given   bool
	Scope   string
	Note    string
	Back    string
	Errors  components.Errors
}

func (f ConsentForm) title(ctx context.Context) string {
	if f.Given {
		return i18n.T(ctx, "consent.record_in")
	}
	return i18n.T(ctx, "consent.record_out")
}

// ConsentTitle is the title of the dialog.
func ConsentTitle(ctx context.Context, f ConsentForm) string { return f.title(ctx) }

func (f ConsentForm) given() string {
	if f.Given {
		return "1"
	}
	return ""
}

func scopeOptions(ctx context.Context) []components.Option {
	return []components.Option{
		{Value: string(models.ConsentAll), Label: i18n.T(ctx, "consent.scope.all"), Hint: i18n.T(ctx, "consent.scope_all_hint")},
		{Value: string(models.ConsentMarketing), Label: i18n.T(ctx, "consent.scope.marketing"), Hint: i18n.T(ctx, "consent.scope_marketing_hint")},
	}
}

// State says in words what holds of a scope, with the kind of its chip.
func State(ctx context.Context, c *models.Consent) (kind, word string) {
	switch {
	case c == nil:
		return "", i18n.T(ctx, "consent.state.none")
	case c.Given:
		return "s", i18n.T(ctx, "consent.state.in")
	}
	return "e", i18n.T(ctx, "consent.state.out")
}

// how says how a consent came about.
func how(ctx context.Context, c models.Consent) string {
	switch c.Source {
	case models.SourceAgent:
		return c.Note
	case models.SourceTwilio:
		return i18n.T(ctx, "consent.source.twilio", "note", c.Note)
	}
	return i18n.T(ctx, "consent.source."+c.Source)
}

// what says what a consent was about.
func what(ctx context.Context, c models.Consent) string {
	_, state := State(ctx, &c)
	return i18n.T(ctx, "consent.what", "state", state, "scope", i18n.T(ctx, "consent.scope."+string(c.Scope)))
}

func who(ctx context.Context, c models.Consent) string {
	if c.UserName != "" {
		return c.UserName
	}
	return i18n.T(ctx, "consent.customer")
}

// accountName names the account of a consent when there are several.
func (p Page) accountName(id models.AccountID) string {
	for _, a := range p.Accounts {
		if a.ID == id && len(p.Accounts) > 1 {
			return a.Name
		}
	}
	return ""
}

func conversationURL(id models.ConversationID) string {
	return "/inbox/" + strconv.FormatInt(int64(id), 10)
}

// lastLine is the last line of a conversation, or its state.
func lastLine(ctx context.Context, r models.ConversationRow) string {
	if _, words := models.SplitPreview(r.LastPreview); words != "" {
		return words
	}
	return i18n.T(ctx, "cstate."+string(r.State))
}

// shown is an identity as people read it.
func shown(i models.ContactIdentity) string {
	if i.Kind == models.IdentityPhone {
		return i18n.Phone(i.Value)
	}
	return i.Value
}

// known are the addresses of the customer that people may read, numbers first: not those that only find them, and not the
// one that stands for a name.
func (p Page) known(name string) []models.ContactIdentity {
	var out []models.ContactIdentity
	for _, i := range p.Identities {
		if !i.Derived && shown(i) != name {
			out = append(out, i)
		}
	}
	slices.SortStableFunc(out, func(a, b models.ContactIdentity) int { return strings.Compare(b.Kind, a.Kind) }) // phone, bsuid
	return out
}

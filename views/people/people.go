// Package people holds the pages about people: the first start, signing in, one-time links, one's own profile, and the
// users of the installation.
package people

import (
	"context"
	"net/url"
	"strconv"
	"strings"
	"time"

	"kanal/models"
	"kanal/views/components"
	"kanal/views/i18n"
)

// SetupForm is the form of the first start.
type SetupForm struct {
	Name, Email string
	AskToken    bool // the one-time token of the log must be given
	Errors      components.Errors
}

// LoginForm is the form of signing in. Next is where it leads.
type LoginForm struct {
	Email, Next string
	Remember    bool
	SignedOut   bool // whoever worked here was signed out in the middle of it
	Errors      components.Errors
}

// LinkForm is the form behind a one-time link.
type LinkForm struct {
	Token  models.Secret
	Name   string
	Email  string
	Errors components.Errors
}

// ProfileForm is what people set for themselves.
type ProfileForm struct {
	Name, Language, Theme, TimeZone string
	EnterSends, Shortcuts           bool
	Errors                          components.Errors
}

// ProfileOf fills the form with what is set.
func ProfileOf(u models.User) ProfileForm {
	return ProfileForm{
		Name: u.Name, Language: u.Language, Theme: u.Theme, TimeZone: u.TimeZone, EnterSends: u.EnterSends, Shortcuts: u.Shortcuts,
	}
}

// MePage is one's own page. Password holds the problems of the form that changes the password.
type MePage struct {
	Email    string
	Profile  ProfileForm
	Password components.Errors
	Sessions []Session
}

// Session is one signed-in browser.
type Session struct {
	ID      string
	Browser string
	IP      string
	Since   time.Time
	Current bool
}

// UserForm is what an administrator sets of a user. ID is empty for a new one.
type UserForm struct {
	ID, Name, Email, Role string
	Known                 string // the name that is saved
	Version               string
	State                 string // active, invited or deactivated
	Queues                []QueueBox
	Self                  bool // the administrator's own
	Errors                components.Errors
	Stale                 bool // somebody else has saved it meanwhile
	Conflict              []components.ConflictRow
}

// Against compares what was typed with what somebody else has saved, and takes over the version that is saved now.
func (f UserForm) Against(ctx context.Context, saved UserForm) UserForm {
	role := func(r string) string {
		if !models.Role(r).Valid() {
			return ""
		}
		return i18n.T(ctx, "role."+r)
	}
	f.Stale, f.Version = true, saved.Version
	f.Conflict = components.Differing(
		components.ConflictRow{Label: i18n.T(ctx, "user.name"), Theirs: saved.Name, Yours: f.Name},
		components.ConflictRow{Label: i18n.T(ctx, "user.role"), Theirs: role(saved.Role), Yours: role(f.Role)},
		components.ConflictRow{Label: i18n.T(ctx, "user.queues"), Theirs: saved.queueNames(ctx), Yours: f.queueNames(ctx)},
	)
	return f
}

// queueNames lists the queues of which the user is a member.
func (f UserForm) queueNames(ctx context.Context) string {
	var names []string
	for _, q := range f.Queues {
		if q.Member {
			names = append(names, q.Name)
		}
	}
	if len(names) == 0 {
		return i18n.T(ctx, "user.queues_none")
	}
	return strings.Join(names, ", ")
}

// QueueBox is one queue of which the user is a member or not.
type QueueBox struct {
	ID, Name string
	Member   bool
}

// UserState gives the state of a user: active, invited (no password yet) or deactivated.
func UserState(u models.User) string {
	switch {
	case !u.Active():
		return "deactivated"
	case u.PasswordHash == "":
		return "invited"
	}
	return "active"
}

func stateKind(state string) string {
	switch state {
	case "active":
		return "s"
	case "invited":
		return "i"
	}
	return ""
}

func userURL(id string) string { return "/admin/users/" + id }

func userID(u models.User) string { return strconv.FormatInt(int64(u.ID), 10) }

func (f UserForm) action() string {
	if f.ID == "" {
		return "/admin/users"
	}
	return userURL(f.ID)
}

func roleOptions(ctx context.Context) []components.Option {
	var list []components.Option
	for _, r := range models.Roles() {
		list = append(list, components.Option{
			Value: string(r), Label: i18n.T(ctx, "role."+string(r)), Hint: i18n.T(ctx, "user.role_hint."+string(r)),
		})
	}
	return list
}

func languageOptions(ctx context.Context) []components.Option {
	return []components.Option{
		{Value: "", Label: i18n.T(ctx, "me.language_browser")},
		{Value: "nb", Label: i18n.T(ctx, "lang.nb_own")},
		{Value: "en", Label: i18n.T(ctx, "lang.en_own")},
	}
}

func themeOptions(ctx context.Context) []components.Option {
	return []components.Option{
		{Value: "", Label: i18n.T(ctx, "theme.system")},
		{Value: "light", Label: i18n.T(ctx, "theme.light")},
		{Value: "dark", Label: i18n.T(ctx, "theme.dark")},
	}
}

// zones are the time zones that the profile offers; one that is set and not among them is offered too.
var zones = []string{
	"Africa/Cairo", "Africa/Johannesburg", "Africa/Lagos", "Africa/Nairobi", "America/Argentina/Buenos_Aires", "America/Bogota",
	"America/Chicago", "America/Denver", "America/Halifax", "America/Lima", "America/Los_Angeles", "America/Mexico_City",
	"America/New_York", "America/Santiago", "America/Sao_Paulo", "America/Toronto", "America/Vancouver", "Asia/Bangkok",
	"Asia/Dubai", "Asia/Hong_Kong", "Asia/Jakarta", "Asia/Jerusalem", "Asia/Karachi", "Asia/Kolkata", "Asia/Manila", "Asia/Riyadh",
	"Asia/Seoul", "Asia/Shanghai", "Asia/Singapore", "Asia/Tokyo", "Atlantic/Reykjavik", "Australia/Melbourne", "Australia/Perth",
	"Australia/Sydney", "Europe/Amsterdam", "Europe/Athens", "Europe/Berlin", "Europe/Brussels", "Europe/Bucharest",
	"Europe/Copenhagen", "Europe/Dublin", "Europe/Helsinki", "Europe/Istanbul", "Europe/Kyiv", "Europe/Lisbon", "Europe/London",
	"Europe/Madrid", "Europe/Oslo", "Europe/Paris", "Europe/Prague", "Europe/Riga", "Europe/Rome", "Europe/Stockholm",
	"Europe/Tallinn", "Europe/Vienna", "Europe/Vilnius", "Europe/Warsaw", "Europe/Zurich", "Pacific/Auckland", "Pacific/Honolulu", "UTC",
}

func zoneOptions(ctx context.Context, set string) []components.Option {
	list := []components.Option{{Value: "", Label: i18n.T(ctx, "me.time_zone_organisation")}}
	known := set == ""
	for _, z := range zones {
		known = known || z == set
		list = append(list, components.Option{Value: z, Label: strings.ReplaceAll(z, "_", " ")})
	}
	if !known {
		list = append(list, components.Option{Value: set, Label: set})
	}
	return list
}

// Browser names a browser and its system from what it says of itself; empty when it says nothing known.
func Browser(agent string) string {
	name := first(agent, "Edg/", "Edge", "OPR/", "Opera", "Firefox/", "Firefox", "Chrome/", "Chrome", "Safari/", "Safari", "curl/", "curl")
	system := first(agent, "Android", "Android", "iPhone", "iPhone", "iPad", "iPad", "Windows", "Windows", "Mac OS X", "macOS", "Linux", "Linux")
	return strings.Trim(name+", "+system, ", ")
}

// first gives the name of the first mark that the text has; marks and names take turns.
func first(text string, marksAndNames ...string) string {
	for i := 0; i+1 < len(marksAndNames); i += 2 {
		if strings.Contains(text, marksAndNames[i]) {
			return marksAndNames[i+1]
		}
	}
	return ""
}

// loginURL gives the page of signing in that leads to next.
func loginURL(next string) string {
	if next == "" {
		return "/login"
	}
	return "/login?next=" + url.QueryEscape(next)
}

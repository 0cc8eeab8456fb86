package people

import (
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"

	"kanal/models"
	"kanal/views/components"
	"kanal/views/i18n"
	"kanal/views/viewtest"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// Every page about people, as it is first seen and as it comes back, keeps the rules of markup and holds no secret.
func TestPagesKeepTheRules(t *testing.T) {
	wrong := components.Errors{}.With("name", "N").With("email", "E").With("password", "P")
	user := UserForm{ID: "7", Name: "Ida Holm", Email: "ida@kanal.test", Role: "agent", Version: "3", State: "active", Queues: []QueueBox{{ID: "1", Name: "Salg", Member: true}}}
	refused, gone := user, user
	refused.Errors = components.Errors{}.With("role", "R")
	gone.State = "deactivated"
	me := MePage{Email: "ida@kanal.test", Profile: ProfileOf(models.User{Name: "Ida Holm", TimeZone: "Antarctica/Troll"}), Sessions: []Session{
		{ID: "a", Browser: "Firefox, Linux", IP: "192.0.2.1", Since: noon, Current: true}, {ID: "b", IP: "192.0.2.2", Since: noon},
	}}
	profileRefused, passwordRefused := me, me
	profileRefused.Profile.Errors = components.Errors{}.With("name", "N").With("time_zone", "Z")
	passwordRefused.Password = components.Errors{}.With("current", "C").With("password", "P")
	for name, page := range map[string]templ.Component{
		"setup": Setup(SetupForm{AskToken: true}), "setup refused": Setup(SetupForm{Name: "Ida", Errors: wrong}),
		"login": Login(LoginForm{Next: "/me"}), "signed out": Login(LoginForm{SignedOut: true}), "login refused": Login(LoginForm{Email: "x", Errors: wrong}),
		"link": Link(LinkForm{Token: "TOKEN", Name: "Ida"}), "link refused": Link(LinkForm{Token: "TOKEN", Errors: components.Errors{}.With("password", "P")}),
		"me": Me(me, noon), "profile refused": Me(profileRefused, noon), "password refused": Me(passwordRefused, noon),
		"users": Users([]models.User{{ID: 1, Name: "Ida Holm", Email: "x", Role: models.Agent, PasswordHash: "HASH"}, {ID: 2, Name: "Mads", Role: models.Supervisor}, {ID: 3, Name: "Gone", Role: models.Administrator, DeactivatedAt: &noon}}),
		"new":   NewUser(UserForm{Role: "agent", Queues: user.Queues}), "user": User(user), "user refused": User(refused), "user deactivated": User(gone),
		"conflict": User(user.Against(viewtest.Context(i18n.NB), UserForm{Name: "Ida Berg", Role: "king", Version: "4"})),
		"shown":    UserLink(models.User{ID: 7, Name: "Ida Holm"}, "https://kanal.example/link/TOKEN"),
	} {
		t.Run(name, func(t *testing.T) {
			viewtest.Each(t, page, func(t *testing.T, _ i18n.Lang, html string) {
				if strings.Contains(html, "HASH") {
					t.Error("shows the hash of a password")
				}
			})
		})
	}
}

// What was typed stands beside what is saved, only where they differ, and the form goes on from the saved version.
func TestAgainst(t *testing.T) {
	typed := UserForm{Name: "Ida Berg", Role: "agent", Version: "1", Queues: []QueueBox{{Name: "Salg", Member: true}, {Name: "Støtte"}}}
	saved := UserForm{Name: "Ida Holm", Role: "agent", Version: "2", Queues: []QueueBox{{Name: "Salg", Member: true}, {Name: "Støtte", Member: true}}}
	got := typed.Against(viewtest.Context(i18n.NB), saved)
	if !got.Stale || got.Version != "2" || got.Name != "Ida Berg" || len(got.Conflict) != 2 {
		t.Fatalf("%+v", got)
	}
	if q := got.Conflict[1]; q.Theirs != "Salg, Støtte" || q.Yours != "Salg" {
		t.Errorf("%+v", q)
	}
}

func TestBrowser(t *testing.T) {
	for agent, want := range map[string]string{
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/149.0 Safari/537.36":               "Chrome, Linux",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/149.0 Safari/537.36 Edg/149.0":               "Edge, Windows",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 15_0) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1": "Safari, macOS",
		"Mozilla/5.0 (Android 16; Mobile; rv:150.0) Gecko/150.0 Firefox/150.0":                                            "Firefox, Android",
		"curl/8.5.0": "curl", "": "", "<script>": "",
	} {
		if got := Browser(agent); got != want {
			t.Errorf("%q: %q, want %q", agent, got, want)
		}
	}
}

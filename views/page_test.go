package views

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"

	"kanal/views/components"
	"kanal/views/i18n"
	"kanal/views/viewtest"
)

var noon = time.Date(2026, 11, 23, 11, 0, 0, 0, time.UTC)

func somePage() Page {
	return Page{Title: "Kari Nordli", Theme: "dark", User: User{ID: "7", Name: "Ingrid Haugen", Role: "administrator"},
		Rail: Rail{Active: "admin", Unread: 3, ShowAdmin: true, ShowSimulator: true}, Live: true}
}

func someWizard() WizardFrame {
	return WizardFrame{
		Crumbs: []components.Crumb{{Label: "Kanaler", URL: "/admin/channels"}, {Label: "Kundeservice Norge"}}, CloseURL: "/admin/accounts",
		Name: "Ny WhatsApp-konto", Subject: "Kundeservice Norge", Title: "Kontodetaljer", Lead: "Du finner verdiene i Twilio.",
		Steps:  []components.Step{{Label: "Kanaldetaljer", Done: true, URL: "/a"}, {Label: "Kontodetaljer", Now: true}, {Label: "WhatsApp-numre"}},
		Action: "/admin/accounts/1/setup/account-details", Back: true, Save: true,
	}
}

func TestFramesKeepTheRules(t *testing.T) {
	body := templ.Raw("<h1>x</h1>")
	for name, c := range map[string]templ.Component{
		"dialog": DialogPage(somePage(), GalleryDialog()), "plain": Plain(somePage(), body), "centre": Centre(Page{Title: "x"}, body), "admin": Admin(somePage(), "channels", body),
		"wizard":  Wizard(somePage(), someWizard(), templ.Raw("<p>x</p>"), templ.Raw("<p>y</p>")),
		"gallery": Gallery(somePage(), noon), "no help": Wizard(somePage(), someWizard(), templ.Raw(""), nil),
	} {
		t.Run(name, func(t *testing.T) { viewtest.Each(t, c, nil) })
	}
	viewtest.Each(t, GalleryDialog(), nil)
	viewtest.Each(t, Unread(3), nil)
	for _, status := range []int{400, 401, 403, 404, 405, 409, 413, 422, 429, 500, 503, 599} {
		for _, p := range []Page{{Title: "x"}, somePage()} {
			t.Run(fmt.Sprint(status), func(t *testing.T) { viewtest.Each(t, ErrorPage(p, status, "Noe er galt."), nil) })
		}
	}
}

func TestWizardConflictTakesTheFocus(t *testing.T) {
	w := someWizard()
	w.Conflict = components.ConflictAbout("Somebody else", nil)
	viewtest.Each(t, Wizard(somePage(), w, templ.Raw(""), nil), func(t *testing.T, _ i18n.Lang, page string) {
		if n := strings.Count(page, "autofocus"); n != 1 {
			t.Errorf("%d of autofocus", n)
		}
	})
}

func contains(t *testing.T, page string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(page, p) {
			t.Errorf("%q is missing", p)
		}
	}
}

func lacks(t *testing.T, page string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if strings.Contains(page, p) {
			t.Errorf("%q is there", p)
		}
	}
}

func TestShell(t *testing.T) {
	page := viewtest.Render(t, i18n.NB, Plain(somePage(), templ.Raw("<h1>x</h1>")))
	contains(t, page, `<html lang="nb" dir="ltr" data-theme="dark">`, `<title>(3) Kari Nordli – Kanal</title>`, `Hopp til hovedinnhold`,
		`data-live="/events"`, `data-live-page`, `data-user="7"`, `href="/simulator"`, `noSwap`, `3 uleste`, `favicon-dot.svg"`, `data-t-timeout="Det tok for lang tid. Prøv igjen."`)
	p := somePage()
	p.Rail = Rail{Active: "inbox"}
	p.Theme, p.Live, p.NoShortcuts, p.EnterNewline = "", false, true, true
	page = viewtest.Render(t, i18n.EN, Plain(p, templ.Raw("<h1>x</h1>")))
	contains(t, page, `<html lang="en" dir="ltr">`, `<title>Kari Nordli – Kanal</title>`, `data-keys="off"`, `data-enter="newline"`)
	lacks(t, page, `href="/admin"`, `href="/simulator"`, `data-live-page`, `class="badge`)
}

// A page that takes somebody out of a part of Kanal shows no way into it.
func TestNobodyHasNoRail(t *testing.T) {
	page := viewtest.Render(t, i18n.EN, Centre(Page{Title: "Sign in"}, templ.Raw("<h1>x</h1>")))
	lacks(t, page, `href="/inbox`, `href="/me"`, `id="keys"`, `class="rail`)
}

func TestTitleSaysItsStateFirst(t *testing.T) {
	p := Page{Title: "Kontodetaljer", Failed: true}
	if got := p.DocumentTitle(viewtest.Context(i18n.NB)); got != "Feil: Kontodetaljer – Kanal" {
		t.Error(got)
	}
}

func TestAdminNavigationShowsWhatExists(t *testing.T) {
	page := viewtest.Render(t, i18n.NB, Admin(somePage(), "users", templ.Raw("<h1>x</h1>")))
	contains(t, page, `<a href="/admin/users" aria-current="page">`, `href="/admin/channels"`, "Kundestøtte")
	lacks(t, page, "/admin/components", "/admin/audit", `class="anote"`, `class="badge"`)
	p := somePage()
	p.AdminPages = []string{"start", "audit"}
	page = viewtest.Render(t, i18n.NB, Admin(p, "audit", templ.Raw("<h1>x</h1>")))
	contains(t, page, "/admin/audit", ">Drift<")
	lacks(t, page, "/admin/users", "Kundestøtte")
}

// What waits for an administrator is told on every page of the admin center but its own, and counted beside its entry.
func TestAdminPagesTellWhatWaits(t *testing.T) {
	p := somePage()
	p.Waiting = Waiting{Quarantine: 3, Alerts: 1}
	page := viewtest.Render(t, i18n.EN, Admin(p, "users", templ.Raw("<h1>x</h1>")))
	contains(t, page, "3 calls from Twilio could not be taken in.", "3 waiting", "1 in the last 24 hours")
	viewtest.Check(t, page)
	lacks(t, viewtest.Render(t, i18n.EN, Admin(p, "quarantine", templ.Raw("<h1>x</h1>"))), "could not be taken in")
}

// Enter in a field presses the form's first button: that must be the one that goes on.
func TestWizardEnterMeansNext(t *testing.T) {
	page := viewtest.Render(t, i18n.NB, Wizard(somePage(), someWizard(), templ.Raw("<p>x</p>"), nil))
	next, back := strings.Index(page, `name="action" value="next"`), strings.Index(page, `name="action" value="back"`)
	if next < 0 || back < 0 || next > back {
		t.Errorf("next at %d, back at %d", next, back)
	}
	contains(t, page, `form="wizard"`, "Trinn 2 av 3: Kontodetaljer", `<progress max="3" value="2"`, "Lagre og avslutt", `hx-sync="this:drop"`, `tabindex="-1" autofocus`)
}

func TestWizardErrorsTakeTheFocus(t *testing.T) {
	w := someWizard()
	w.Errors = components.Errors{}.With("sid", "Skriv inn konto-SID")
	page := viewtest.Render(t, i18n.NB, Wizard(somePage(), w, templ.Raw(`<label for="sid">x</label><input id="sid"/>`), nil))
	contains(t, page, `id="errsum"`, `<a href="#sid">Skriv inn konto-SID</a>`)
	if n := strings.Count(page, "autofocus"); n != 1 {
		t.Errorf("%d of autofocus", n)
	}
}

func TestErrorPagesOfferOneWayOn(t *testing.T) {
	contains(t, viewtest.Render(t, i18n.NB, ErrorPage(somePage(), 404, "x")), "Fant ikke siden", `href="/"`)
	contains(t, viewtest.Render(t, i18n.NB, ErrorPage(Page{Title: "x"}, 401, "x")), "Du er logget av", `href="/login"`)
	contains(t, viewtest.Render(t, i18n.EN, ErrorPage(somePage(), 599, `<b>"</b>`)), "Something went wrong", "&lt;b&gt;")
}

func TestUnreadIsOutOfBand(t *testing.T) {
	part := viewtest.Render(t, i18n.EN, Unread(0))
	contains(t, part, `id="rail-unread"`, `id="tab-unread"`, `hx-swap-oob="true"`, `data-unread="0"`)
	lacks(t, part, "badge")
}

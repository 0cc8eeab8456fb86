package components

import (
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"

	"kanal/models"
	"kanal/views/i18n"
	"kanal/views/viewtest"
)

func html(t *testing.T, c templ.Component) string {
	t.Helper()
	page := viewtest.Render(t, i18n.NB, c)
	viewtest.Check(t, page)
	return page
}

func contains(t *testing.T, page string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(page, p) {
			t.Errorf("%q is missing in %s", p, page)
		}
	}
}

func lacks(t *testing.T, page string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if strings.Contains(page, p) {
			t.Errorf("%q is there in %s", p, page)
		}
	}
}

func TestErrors(t *testing.T) {
	ctx := viewtest.Context(i18n.NB)
	var none Errors
	if none.Any() || none.For("a") != "" || ErrorsOf(ctx, nil).Any() {
		t.Error("no errors are some")
	}
	var fs models.FieldErrors
	fs.Add("a", "error.conflict")
	e := ErrorsOf(ctx, fs).With("b", "second").With("", "whole form")
	if e.For("a") != i18n.T(ctx, "error.conflict") || e.For("b") != "second" || !e.Any() {
		t.Errorf("got %v", e)
	}
	contains(t, html(t, ErrorSummary(e)), `role="alert"`, `tabindex="-1"`, "autofocus", `<a href="#b">second</a>`, "<li>whole form</li>")
	if s := html(t, ErrorSummary(none)); s != "" {
		t.Error(s)
	}
}

// With must not write into a list that somebody else has grown from, too.
func TestErrorsDoNotShare(t *testing.T) {
	base := Errors{}.With("a", "1").With("b", "2").With("c", "3")
	x, y := base.With("d", "x"), base.With("d", "y")
	if x.For("d") != "x" || y.For("d") != "y" {
		t.Errorf("%v %v", x, y)
	}
}

func TestConflictShowsBothValues(t *testing.T) {
	rows := Differing(ConflictRow{"Navn", "Deres", "<Mitt>"}, ConflictRow{"Kanal", "WhatsApp", "WhatsApp"})
	page := html(t, ConflictAbout("Noen andre har endret dette.", rows))
	contains(t, page, `role="alert"`, `tabindex="-1"`, "autofocus", "Noen andre har endret dette", "Navn", "Deres", "&lt;Mitt&gt;", "Lagret nå")
	lacks(t, page, "Kanal")
	contains(t, html(t, ConflictAbout("Noen andre har endret kontoen.", nil)), "Noen andre har endret kontoen.")
	lacks(t, html(t, ConflictAbout("Noen andre har endret kontoen.", nil)), "<dl")
	contains(t, PageForm("f", "/")["hx-status:409"].(string), "push:false")
	contains(t, DialogForm("f", "/")["hx-status:409"].(string), "push:false")
}

func TestFieldsSayWhatIsWrong(t *testing.T) {
	f := Field{Name: "sid", Label: "Konto-SID", Hint: "Begynner med AC.", Problem: "Skriv inn konto-SID", Value: `"><script>`, Mono: true, Max: 34, Focus: true}
	for _, c := range []templ.Component{TextField(f), TextArea(f), Select(f, []Option{{Value: "a", Label: "A"}})} {
		page := html(t, c)
		contains(t, page, `aria-invalid="true"`, `aria-describedby="sid-hint sid-error"`, `for="sid"`, `maxlength="34"`, "autofocus", `dir="ltr"`)
		lacks(t, page, "<script>")
	}
	plain := html(t, TextField(Field{Name: "n", Label: "Navn", Optional: true}))
	contains(t, plain, "(valgfritt)", `type="text"`)
	lacks(t, plain, "aria-invalid", "aria-describedby", "autofocus", "maxlength")
}

func TestSecretsNeverComeBack(t *testing.T) {
	f := Field{Name: "token", Label: "Token", Value: "s3cret-value"}
	for _, c := range []templ.Component{SecretField(f), ReplaceSecret(f, "4f7a", "Lagret i går")} {
		page := html(t, c)
		lacks(t, page, "s3cret")
		contains(t, page, `type="password"`, `autocomplete="off"`, `data-reveal="token"`)
	}
	contains(t, html(t, ReplaceSecret(f, "4f7a", "")), "••••4f7a", "Bytt", "Behold det gamle")
	lacks(t, html(t, ReplaceSecret(f, "4f7a", "")), "<details class=\"secret\" data-secret open")
	f.Problem = "x"
	contains(t, html(t, ReplaceSecret(f, "4f7a", "")), "data-secret open")
	f.Autocomplete = "current-password"
	contains(t, html(t, SecretField(f)), `autocomplete="current-password"`)
}

func TestButtons(t *testing.T) {
	contains(t, html(t, Push(Button{Label: "Neste", Kind: "primary", Type: "submit", Name: "action", Value: "next", Form: "wizard", Busy: "Lagrer …", IconEnd: "arrr"})),
		`class="btn btn--p"`, `type="submit"`, `name="action"`, `value="next"`, `form="wizard"`, `data-busy="Lagrer …"`, "ic--flip")
	off := html(t, Push(Button{Label: "Løs", Reason: "Lagre først"}))
	contains(t, off, "disabled", "Lagre først", `type="button"`)
	link := html(t, Push(Button{Label: "Ny", URL: "/a?b=1&c=2", Kind: "danger", Small: true}))
	contains(t, link, `<a class="btn btn--d btn--s" href="/a?b=1&amp;c=2"`)
	contains(t, html(t, IconButton(Button{Label: "Lukk", Icon: "x"})), `aria-label="Lukk"`, `title="Lukk"`, "btn--i")
}

func TestLinksAreOursOrHarmless(t *testing.T) {
	for _, c := range []templ.Component{Push(Button{Label: "x", URL: "/x"}), Segments("v", []Tab{{Label: "x", URL: "/x", Now: true}}), Tabs("v", []Tab{{Label: "x", URL: "/x"}})} {
		contains(t, html(t, c), `href="/x"`)
	}
}

func TestChoices(t *testing.T) {
	opts := []Option{{Value: "a", Label: "A"}, {Value: "b", Label: "B", Hint: "brukt", Disabled: true}}
	page := html(t, Radios(Field{Name: "number", Label: "Nummer", Value: "a", Problem: "Velg"}, opts))
	contains(t, page, `id="number"`, `id="number-1"`, "checked", "disabled", "brukt", "<legend", `aria-describedby="number-error"`)
	contains(t, html(t, Switch(Field{Name: "s", Label: "S", Hint: "h"}, true, "part")), `role="switch"`, "checked", `data-shows="part"`, `aria-describedby="s-hint"`)
	contains(t, html(t, Checkbox(Field{Name: "c", Label: "C", Value: "7"}, false)), `value="7"`)
	lacks(t, html(t, Checkbox(Field{Name: "c", Label: "C"}, false)), "checked")
}

func TestTicksSayTheStateInWords(t *testing.T) {
	for state, want := range map[models.MessageState]string{
		models.Queued: "Sender", models.Sending: "Sender", models.Uncertain: "Usikkert", models.Accepted: "Sendt", models.Sent: "Sendt",
		models.Delivered: "Levert", models.Read: "Lest",
	} {
		contains(t, html(t, Ticks(state)), ">"+want+"<")
	}
	contains(t, html(t, Ticks(models.Read)), "is-read")
	for _, s := range []models.MessageState{models.Failed, models.Undelivered, models.Canceled, models.Received} {
		if page := strings.TrimSpace(html(t, Ticks(s))); page != "" {
			t.Errorf("%s: %s", s, page)
		}
	}
	if w := StateWord(viewtest.Context(i18n.EN), models.Undelivered); w != "Not sent" {
		t.Error(w)
	}
}

func TestReplyWindow(t *testing.T) {
	now := time.Date(2026, 11, 23, 9, 42, 0, 0, time.UTC)
	for left, want := range map[time.Duration][]string{
		22*time.Hour + 4*time.Minute: {"win--ok", "Svarvindu:", "22 t 4 min", `stroke-dasharray="92 100"`, "i morgen"},
		3 * time.Hour:                {"win--w", "Svarvindu:", "3 t 0 min", "i dag kl. 13:42"},
		42 * time.Minute:             {"win--e", "Lukkes om", "42 min"},
	} {
		page := html(t, ReplyWindow(now.Add(left), now))
		contains(t, page, want...)
		contains(t, page, `data-now="2026-11-23T09:42:00Z"`, `data-closed="Svarvinduet er lukket"`)
	}
	chip := func(left time.Duration) string {
		return html(t, WindowChip(models.ServiceWindow{LastInboundAt: now, ClosesAt: now.Add(left)}, now))
	}
	if s := strings.TrimSpace(chip(5 * time.Hour)); s != "" {
		t.Error(s)
	}
	contains(t, chip(52*time.Minute), "52 min", "chip--w")
	contains(t, chip(0), "Bare mal", "chip--e")
	if s := strings.TrimSpace(html(t, WindowChip(models.ServiceWindow{}, now))); s != "" {
		t.Error(s)
	}
}

func TestStepsAndTasks(t *testing.T) {
	page := html(t, Steps([]Step{{Label: "A", Done: true, URL: "/a"}, {Label: "B", Now: true, Done: true, URL: "/b"}, {Label: "C"}}))
	contains(t, page, `<a href="/a">`, "(ferdig)", `aria-current="step"`)
	lacks(t, page, `href="/b"`)
	page = html(t, Tasks([]Task{{Label: "A", URL: "/a", State: "done", N: 4}, {Label: "B", Text: "Lagre først", URL: "/b", State: "later", N: 5}}))
	contains(t, page, `id="task-4"`, "Ferdig", "Kan ikke starte ennå", "Lagre først")
	lacks(t, page, `href="/b"`)
}

func TestInitials(t *testing.T) {
	for name, want := range map[string]string{"Kari Nordli": "KN", "per olav lindqvist-hansen": "PL", "Øyvind": "Ø", "+4740000142": "#", "": "#", "  ": "#", "😀 Kari": "#"} {
		if got := Initials(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func TestToasts(t *testing.T) {
	contains(t, html(t, OOBToast("Lagret")), `hx-swap-oob="innerHTML:#toasts"`, `hx-swap-oob="innerHTML:#live-polite"`, "Lagret")
	contains(t, html(t, OOBError("Feil")), `hx-swap-oob="innerHTML:#live-assertive"`)
}

func TestSmallParts(t *testing.T) {
	if s := strings.TrimSpace(html(t, Badge(0, ""))); s != "" {
		t.Error(s)
	}
	contains(t, html(t, Badge(120, "120 uleste")), "99+", "120 uleste")
	contains(t, html(t, Phone("+4740000142")), "+47 400 00 142", `dir="ltr"`)
	contains(t, html(t, Crumbs([]Crumb{{"Kanaler", "/k"}, {"Her", ""}})), `href="/k"`, `aria-current="page"`)
	if s := strings.TrimSpace(html(t, MoreRows(Pager{}))); s != "" {
		t.Error(s)
	}
	contains(t, html(t, MoreRows(Pager{URL: "/a?n=100", Target: "#list"})), `hx-select="#list"`, "Vis flere")
	contains(t, html(t, Table("Kontoer", []string{"Navn", ""})), `<th scope="col">Navn</th>`, "<td></td>", "<caption")
}

// The error summary leads to an option that can be chosen.
func TestRadiosIDIsOfTheFirstThatCanBeChosen(t *testing.T) {
	options := []Option{{Value: "a", Label: "A", Disabled: true}, {Value: "b", Label: "B"}, {Value: "c", Label: "C"}}
	page := viewtest.Render(t, i18n.EN, Radios(Field{Name: "n", Label: "N"}, options))
	for _, want := range []string{`id="n-1" name="n" value="a"`, `id="n" name="n" value="b"`, `id="n-2" name="n" value="c"`} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s in\n%s", want, page)
		}
	}
}

// Which number sends is a choice only when there are several.
func TestOurNumber(t *testing.T) {
	some := func(id models.NumberID, name, address string) models.NumberRow {
		return models.NumberRow{Number: models.Number{ID: id, Name: name, Address: address}}
	}
	support, sales := some(3, "Kundeservice", "+4721000040"), some(5, "Salg", "+4721000050")
	page := html(t, OurNumber([]models.NumberRow{support}, "", ""))
	contains(t, page, `type="hidden" name="number" value="3"`, "Kundeservice", "+47 21 00 00 40")
	lacks(t, page, "<select")
	page = html(t, OurNumber([]models.NumberRow{support, sales}, "5", "Velg et nummer"))
	contains(t, page, `<option value="3">Kundeservice · +47 21 00 00 40</option>`, `<option value="5" selected>Salg`, `id="number-error"`, "Velg et nummer")
	lacks(t, page, "hidden\" name")
}

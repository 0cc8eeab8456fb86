package web

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"kanal/models"
	"kanal/store"
	"kanal/store/storetest"
	"kanal/views/i18n"
)

// templatesOf gives the templates of an account by name.
func (s *site) templatesOf(account models.AccountID) map[string]models.Template {
	s.t.Helper()
	rows, err := s.store.Templates(s.t.Context(), store.TemplateFilter{Account: account, Rows: 1000})
	if err != nil {
		s.t.Fatal(err)
	}
	out := map[string]models.Template{}
	for _, r := range rows {
		out[r.Name] = r.Template
	}
	return out
}

func TestTemplateAdministration(t *testing.T) {
	t.Parallel()
	for _, dialect := range storetest.Dialects {
		t.Run(string(dialect), func(t *testing.T) { administerTemplates(t, newTeam(t, dialect)) })
	}
}

func administerTemplates(t *testing.T, d *team) {
	b := d.signedIn(d.user(models.Administrator, "boss@kanal.test"))
	d.until("the templates come", func() bool { return len(d.templatesOf(1)) == 9 })
	b.get("/admin/templates").want(http.StatusOK, "timepaminnelse", "Approved", "Norwegian Bokmål", "Open window only", "Marketing", "High quality", "Templates: 9.")
	b.get("/admin/templates?q=paminn").want(http.StatusOK, "timepaminnelse").without("oppfolging")
	b.get("/admin/templates?q=nothing").want(http.StatusOK, "No template fits")
	b.get("/admin/templates?status=paused&account=1").want(http.StatusOK, "No template fits")
	for _, path := range []string{"?account=x", "/999", "/x", "/999/delete", "/create?kind=twilio/carousel"} {
		b.get("/admin/templates" + path).want(http.StatusNotFound)
	}
	b.get("/admin/templates/list").to("/admin/templates")
	b.htmx("partial").get("/admin/templates/list?q=paminn").want(http.StatusOK, `id="templates"`, "timepaminnelse").without("oppfolging", "<html")
	d.signedIn(d.ida).get("/admin/templates").want(http.StatusForbidden)
	pagedTemplates(t, d, b)
	supervised(t, d)

	typed(t, d, b)
	namedFields(t, d, b)
	made(t, d, b)
	hostile(t, d, b)
}

// A list of any length is reached page by page, and stands still while it is looked at.
func pagedTemplates(t *testing.T, d *team, b *browser) {
	t.Helper()
	d.must(d.store.InTx(t.Context(), func(tx *store.Tx) error {
		many := make([]models.Template, 120)
		for i := range many {
			many[i] = models.Template{AccountID: 1, Name: fmt.Sprintf("side%03d", i), Language: "nb", Body: "b", Source: models.TemplateTyped, Version: 1, CreatedAt: tx.Now(), UpdatedAt: tx.Now()}
		}
		return tx.InsertTemplates(t.Context(), many)
	}))
	all := d.templatesOf(1)
	at := func(where, name string) string {
		return fmt.Sprintf("/admin/templates?%s=%d&amp;q=side", where, all[name].ID)
	}
	b.get("/admin/templates?q=side").want(http.StatusOK, ">side000<", ">side049<", at("after", "side049"), "Next page").without(">side050<", "Previous page")
	address := func(where, name string) string { return strings.ReplaceAll(at(where, name), "&amp;", "&") }
	b.get(address("after", "side049")).want(http.StatusOK, ">side050<", ">side099<", at("after", "side099"), at("before", "side050"), "/admin/templates/list?after=").without(">side049<")
	b.get(address("after", "side099")).want(http.StatusOK, ">side119<", at("before", "side100")).without("Next page")
	b.get(address("before", "side100")).want(http.StatusOK, ">side050<", ">side099<", "Next page", "Previous page").without(">side100<", ">side049<")
	b.get(address("before", "side050")).want(http.StatusOK, ">side000<", ">side049<", "Next page").without("Previous page")
	b.get("/admin/templates?after=x").want(http.StatusNotFound)
	b.get("/admin/templates?before=0").want(http.StatusNotFound)
	d.must(d.store.InTx(t.Context(), func(tx *store.Tx) error {
		now := tx.Now()
		for name, m := range all {
			if m.RemovedAt = &now; strings.HasPrefix(name, "side") {
				if err := tx.SaveTemplate(t.Context(), &m); err != nil {
					return err
				}
			}
		}
		return nil
	}))
}

// Supervisors look after templates, and nothing else of the administration.
func supervised(t *testing.T, d *team) {
	t.Helper()
	b := d.as(models.Supervisor)
	page := b.get("/admin/templates").want(http.StatusOK, "timepaminnelse", `class="rail__a" href="/admin/templates"`, "Add message template")
	page.without(`href="/admin"`, `href="/admin/users"`, `href="/admin/channels"`, `href="/simulator"`)
	b.get("/inbox").want(http.StatusOK, `class="rail__a" href="/admin/templates"`)
	b.get("/admin").want(http.StatusForbidden)
	b.post("/admin/templates", "account", "1", "name", "Fra lederen", "language", "nb", "body", "Takk.").to("/admin/templates")
	b.post("/admin/templates/" + number(d.templatesOf(1)["Fra lederen"].ID) + "/delete").to("/admin/templates")
	d.signedIn(d.ida).get("/inbox").want(http.StatusOK).without("/admin/templates")
}

func typed(t *testing.T, d *team, b *browser) {
	t.Helper()
	form := []string{"account", "1", "name", "Takk for sist", "language", "nb", "body", "Hei {{1}},\r\ntakk."}
	b.post("/admin/templates", "account", "1", "name", "Takk", "body", "{{1}} {{3}}", "content_sid", "HX1").want(http.StatusUnprocessableEntity,
		"Choose the language the template is approved in", "Fields must be numbered {{1}}, {{2}} with no gaps", "Content SID must start with HX", `value="Takk"`, "{{1}} {{3}}")
	b.post("/admin/templates", form...).to("/admin/templates")
	b.post("/admin/templates", append(form, "language", "")...).want(http.StatusUnprocessableEntity, "The template already exists in Norwegian Bokmål")
	b.post("/admin/templates", "account", "999", "name", "a", "language", "nb", "body", "b").want(http.StatusNotFound)
	m := d.templatesOf(1)["Takk for sist"]
	at := "/admin/templates/" + number(m.ID)
	page := b.get(at+"?back=/admin/workstreams/1").want(http.StatusOK, "Takk for sist", "Open window only", "/admin/workstreams/1")
	version := page.version()
	b.post(at, "version", version, "name", "Takk", "language", "nb", "body", "Takk.").to("/admin/templates")
	b.post(at, "version", version, "name", "Mine", "language", "en", "body", "Mine.").want(http.StatusConflict, "Someone else has changed the template", "Takk.", "Mine.", "English")
	b.post(at, "version", "2", "name", "", "language", "nb", "body", "x").want(http.StatusUnprocessableEntity, "Enter a template name")
	// Only a page of ours is led back to.
	b.htmx("partial").post(at, "version", "2", "name", "Takk", "language", "nb", "body", "Ja.", "back", "//evil.example").want(http.StatusNoContent)
	b.get(at+"/delete").want(http.StatusOK, "Delete Takk?", "Agents cannot send it any more")
	b.post(at+"/delete", "back", "/admin/workstreams/1").to("/admin/workstreams/1")
	b.get(at).want(http.StatusNotFound)
}

// The variables of a pasted text get names; the preview shows what the customer gets. Without script a button shows it.
func namedFields(t *testing.T, d *team, b *browser) {
	t.Helper()
	form := []string{"account", "1", "name", "Levering", "language", "nb", "body", "Hei {{1}}! *Ordre {{2}}* er <b>klar</b>.", "field-1", "Fornavn", "field-2", "Ordrenummer"}
	preview := []string{
		"Fields found: {{1}} {{2}}.", "Name of {{2}}", `value="Ordrenummer"`, `value="Levering"`, "<strong>Ordre <mark>Ordrenummer</mark></strong>", "&lt;b&gt;klar", `lang="nb"`,
	}
	b.post("/admin/templates", append(form, "action", "preview")...).want(http.StatusOK, preview...)
	if m := d.templatesOf(1)["Levering"]; m.ID != 0 {
		t.Fatal("a preview is kept")
	}
	b.post("/admin/templates", append([]string{"field-2", strings.Repeat("x", 41)}, form...)...).want(http.StatusUnprocessableEntity, "At most 40 characters", `href="#field-2"`)
	b.post("/admin/templates", form...).to("/admin/templates")
	m := d.templatesOf(1)["Levering"]
	at := "/admin/templates/" + number(m.ID)
	b.get(at).want(http.StatusOK, preview...)
	b.post(at, append([]string{"action", "preview", "body", "Bare {{1}} her"}, form...)...).want(http.StatusOK, "Fields found: {{1}}.", "Bare <mark>Fornavn</mark> her").without("Name of {{2}}")
	b.post(at, append(form, "version", "9")...).want(http.StatusConflict)
	b.post(at, append([]string{"version", "1", "field-2", "Pakke"}, form...)...).to("/admin/templates")
	b.post(at, append(form, "version", "1")...).want(http.StatusConflict, "{{1}} Fornavn, {{2}} Pakke", "{{1}} Fornavn, {{2}} Ordrenummer")
	b.post(at + "/delete").to("/admin/templates")
}

func made(t *testing.T, d *team, b *browser) {
	t.Helper()
	at := "/admin/templates/create"
	b.get(at+"?kind=twilio/call-to-action").want(http.StatusOK, "Call to action", "Opens a page", `name="button-2-title"`)
	form := []string{"account", "1", "kind", "twilio/quick-reply", "name", "Bad Name", "language", "nb", "body", "Hei {{1}}", "button-2-title", strings.Repeat("x", 21)}
	b.post(at, append(form, "action", "button")...).want(http.StatusOK, `name="button-3-title"`, "Bad Name")
	b.post(at, append(form, "action", "preview")...).want(http.StatusOK, "Sample for {{1}}", "<mark>{{1}}</mark>")
	b.post(at, form...).want(http.StatusUnprocessableEntity, "Use small letters", "Choose a category", "The text cannot end with a field", "At most 20 characters",
		"Write a sample for {{1}}", `href="#button-1-title"`)
	b.post(at, "account", "1", "kind", "twilio/text", "name", "order_ready", "language", "nb", "category", "UTILITY", "body", "Hei {{1}}, ordren er klar.", "sample-1", "Ana").to("/admin/templates")
	m := d.templatesOf(1)["order_ready"]
	b.get("/admin/templates/"+number(m.ID)).want(http.StatusOK, "Submitted", "ordren er klar", m.ContentSID).without("Submit for approval")
	b.post("/admin/templates/"+number(m.ID), "version", "1", "name", "x", "language", "nb", "body", "x").want(http.StatusNotFound)
	b.post("/admin/templates/"+number(m.ID)+"/submit", "category", "UTILITY").want(http.StatusNotFound)
	b.get("/admin/templates/"+number(m.ID)+"/delete").want(http.StatusOK, "deleted at Twilio too")
	b.post("/admin/templates/" + number(m.ID) + "/delete").to("/admin/templates")
	for _, c := range d.sim.Contents(d.sid) {
		if c.SID == m.ContentSID {
			t.Error("it is still at Twilio")
		}
	}
	b.post("/admin/templates/fetch", "account", "999").want(http.StatusNotFound)
	b.post("/admin/templates/fetch", "account", "1").to("/admin/templates")
}

// Names and texts are anybody's.
func hostile(t *testing.T, d *team, b *browser) {
	t.Helper()
	const evil = `<script>alert(1)</script>"'{{1}}`
	b.post("/admin/templates", "account", "1", "name", evil, "language", "nb", "body", evil+" slutt").to("/admin/templates")
	m := d.templatesOf(1)[evil]
	if m.ID == 0 {
		t.Fatal("not added")
	}
	for _, path := range []string{"", "/" + number(m.ID), "/" + number(m.ID) + "/delete", "?q=" + url.QueryEscape(evil), "/create?account=" + url.QueryEscape(evil)} {
		b.get("/admin/templates" + path).want(http.StatusOK).without("<script>alert")
	}
	b.post("/admin/templates", "account", "1", "name", "n", "language", "nb", "body", strings.Repeat("x", 70<<10)).want(http.StatusRequestEntityTooLarge)
}

// Who adds a template from the Behaviors of a number finds there what was typed before, also without script.
func TestWhatIsTypedStaysWhenATemplateIsAdded(t *testing.T) {
	for _, dialect := range storetest.Dialects {
		t.Run(string(dialect), func(t *testing.T) {
			w := newWizard(t, func(o *Options) { o.Store = storetest.Open(t, dialect, nil) })
			w.save(i18n.EN, "number", "number", number(w.number.ID), "action", "next").to(w.step("language"))
			w.save(i18n.EN, "language", "language", "nb", "action", "next").to(w.step("behaviors"))
			keepsTyped(t, w, w.step("behaviors"), "wizard", "Takk")
			keepsTyped(t, w, w.step("behaviors")+"?return=summary", "wizard", "Hei")
			w.fill()
			keepsTyped(t, w, w.finish()+"/behaviors", "settings", "Velkommen")
		})
	}
}

func keepsTyped(t *testing.T, w *wizard, at, form, name string) {
	t.Helper()
	const text, shown = `Ikke "lagret" <ennå>`, `Ikke &#34;lagret&#34; &lt;ennå&gt;`
	before := w.b.get(at).want(http.StatusOK, `id="template-add"`, `form="`+form+`"`).without("lagret")
	v := before.version()
	w.b.post(at, "action", "template", "version", v, "greeting_on", "on", "greeting", text).
		want(http.StatusOK, `name="kept-greeting" value="`+shown+`"`, `name="kept-version" value="`+v+`"`, `formaction="`+at+`"`, `name="back" value="`+at+`"`)
	dialog := []string{
		"account", number(w.number.AccountID), "back", at, "kept-version", v, "kept-greeting_on", "on", "kept-greeting", text,
		"name", name, "language", "nb", "body", "Takk skal du ha.",
	}
	w.b.post("/admin/templates", append([]string{"body", ""}, dialog...)...).want(http.StatusUnprocessableEntity, `name="kept-greeting" value="`+shown+`"`)
	if a := w.b.post("/admin/templates", dialog...).want(http.StatusTemporaryRedirect); a.Location != at {
		t.Errorf("leads to %s", a.Location)
	}
	// The browser sends the same form there; Cancel sends it, too.
	w.b.post(at, dialog...).want(http.StatusOK, shown, ">"+name+"</a>", "checked", `name="version" value="`+v+`"`)
	w.b.get(at).want(http.StatusOK, ">"+name+"</a>").without("lagret")
	// With htmx only the templates change.
	b := w.b.htmx("partial")
	b.Headers.Set("HX-Current-URL", "http://kanal.test"+at)
	m := w.templatesOf(w.number.AccountID)[name]
	a := b.post("/admin/templates/"+number(m.ID), "version", "1", "name", name+" igjen", "language", "nb", "body", "Takk.", "back", at)
	a.want(http.StatusOK, `hx-swap-oob="innerMorph:#number-templates"`, name+" igjen", "back="+url.QueryEscape(at)).without("<form", `name="greeting"`)
	if a.Header.Get("HX-Reswap") != "none" || a.Header.Get("HX-Trigger") != "dialog:close" {
		t.Error(a.Header)
	}
	// A dialog that is a page of its own leads back.
	b.Headers.Set("HX-Current-URL", "http://kanal.test/admin/templates/1")
	if a := b.post("/admin/templates/"+number(m.ID)+"/delete", "back", at); a.Header.Get("HX-Redirect") != at {
		t.Errorf("%+v", a.Header)
	}
}

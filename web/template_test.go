package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"kanal/models"
	"kanal/store"
	"kanal/store/storetest"
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

	typed(t, d, b)
	made(t, d, b)
	hostile(t, d, b)
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

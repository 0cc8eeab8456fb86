package web

import (
	"net/http"
	"testing"

	"kanal/models"
)

func TestGetStarted(t *testing.T) {
	t.Parallel()
	s := newSite(t, withSimulator(t))
	b := s.as(models.Administrator)
	b.get("/").to("/admin")
	b.get("/admin").want(http.StatusOK, "0 of 8 done", "/admin/accounts/new/setup/channel-details", `action="/simulator/try"`)
	s.as(models.Agent).get("/admin").want(http.StatusForbidden)

	b.post("/simulator/try").want(http.StatusSeeOther)
	b.get("/admin").want(http.StatusOK, "5 of 8 done", "Write as the customer on the phone", `href="/simulator?account=`).without(`action="/simulator/try"`)
	b.post("/simulator/messages", "body", "Hei").want(http.StatusSeeOther)
	b.get("/admin").want(http.StatusOK, "6 of 8 done")
}

func TestGetStartedWithoutSimulator(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.as(models.Administrator).get("/admin").want(http.StatusOK, "Connect Twilio").without("/simulator/try")
}

func TestGalleryIsForDevelopers(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.as(models.Administrator)
	b.get("/admin/components").want(http.StatusNotFound)
	b.get("/admin/components/dialog").want(http.StatusNotFound)
	b.post("/admin/components/dialog").want(http.StatusNotFound)
	b.get("/me").want(http.StatusOK).without("/admin/components")

	s = newSite(t, func(o *Options) { o.Dev = true })
	b = s.as(models.Administrator)
	b.get("/admin").want(http.StatusOK, `href="/admin/components"`)
	b.get("/admin/components").want(http.StatusOK, "Components")
	b.get("/admin/components/dialog").want(http.StatusOK, "<!doctype html>")
	b.htmx("partial").get("/admin/components/dialog").want(http.StatusOK).without("<!doctype html>")
	b.post("/admin/components/dialog").to("/admin/components")
	if a := b.htmx("partial").post("/admin/components/dialog"); a.Header.Get("HX-Trigger") != "dialog:close" {
		t.Error(a.Header)
	}
}

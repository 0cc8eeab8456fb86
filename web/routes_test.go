package web

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"kanal/models"
)

var parameter = regexp.MustCompile(`:[a-z]+|\*`)

// example gives an address that a route matches and that names nothing that exists.
func example(r route) string { return parameter.ReplaceAllString(r.path, "999999") }

func request(b *browser, r route) *answer {
	if r.method == get {
		return b.get(example(r))
	}
	return b.post(example(r), "x", "y")
}

// Every page leads to the setup until it is done.
func TestRoutesBeforeSetup(t *testing.T) {
	t.Parallel()
	s := newSiteBeforeSetup(t)
	b := s.anonymous()
	for _, r := range s.routes() {
		a := request(b, r)
		switch {
		case r.need == nobody:
			if a.Location == "/setup" {
				t.Errorf("%s leads to the setup", a.request)
			}
		case r.need == beforeSetup:
			if a.Status != http.StatusOK && a.Status != http.StatusUnprocessableEntity {
				t.Errorf("%s: %d", a.request, a.Status)
			}
		case r.path == "/events":
			a.want(http.StatusUnauthorized)
		default:
			a.to("/setup")
		}
	}
}

func TestRoutesAskForTheirRole(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	who := map[models.Role]*browser{"": s.anonymous(), models.Agent: s.as(models.Agent), models.Supervisor: s.as(models.Supervisor)}
	for _, r := range s.routes() {
		if r.path == "/logout" || r.path == "/events" {
			continue // they have tests of their own
		}
		for role, b := range who {
			a := request(b, r)
			refused := a.Status == http.StatusForbidden && strings.Contains(a.Body, "You may not do this.")
			login := strings.HasPrefix(a.Location, "/login")
			switch {
			case r.need == beforeSetup:
				a.want(http.StatusNotFound)
			case role == "" && r.need >= agents:
				if !login {
					t.Errorf("anonymous %s: %d, %q", a.request, a.Status, a.Location)
				}
			case r.need == administrators || r.need == supervisors && role == models.Agent:
				if !refused {
					t.Errorf("%s %s: %d", role, a.request, a.Status)
				}
			case refused || login && r.path != "/login":
				t.Errorf("%s %s: refused", role, a.request)
			}
		}
	}
}

func TestRoutesForAdministrators(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.as(models.Administrator)
	for _, r := range s.routes() {
		if r.method != get || r.need < agents || r.path == "/events" {
			continue
		}
		if a := request(b, r); a.Status == http.StatusForbidden || a.Status >= http.StatusInternalServerError {
			t.Errorf("%s: %d", a.request, a.Status)
		}
	}
}

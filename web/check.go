package web

import (
	"bytes"
	"encoding/json"
	"net/http"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"kanal/models"
	"kanal/views"
	"kanal/views/check"
)

// checkPage shows the connection check: all of what it found when that is asked for, else what it is made of, and the
// page's script reads on.
func (s *Server) checkPage(c echo.Context) error {
	ctx := c.Request().Context()
	run, err := s.service.NewCheck(ctx)
	if err != nil {
		return err
	}
	p := check.Page{Found: run.Pending(), Now: s.store.Now(), Version: s.o.Version}
	if c.QueryParam("whole") != "" {
		p.Found = run.All(ctx)
	}
	page := s.adminPage(c, text(c, "check.title"))
	return s.render(c, http.StatusOK, page, views.Admin(page, "check", check.Show(p)), nil)
}

// checkRows runs the connection check. Each line of the answer is an object of JSON: what replaces the elements with these
// ids, now that one more part has ended.
func (s *Server) checkRows(c echo.Context) error {
	ctx := c.Request().Context()
	run, err := s.service.NewCheck(ctx)
	if err != nil {
		return err
	}
	header := c.Response().Header()
	header.Set("Content-Type", "application/x-ndjson")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Accel-Buffering", "no")
	c.Response().WriteHeader(http.StatusOK)
	c.Response().Flush()
	p := check.Page{Found: run.Pending(), Now: s.store.Now(), Version: s.o.Version}
	run.Each(ctx, func(part string, found []models.Finding) {
		p = p.Ended(part, found)
		if err == nil {
			err = s.replace(c, p.Change(part, found))
		}
	})
	return err
}

// replace writes one line of what replaces elements, by their ids.
func (s *Server) replace(c echo.Context, change map[string]templ.Component) error {
	line := map[string]string{}
	for id, with := range change {
		var b bytes.Buffer
		if err := with.Render(c.Request().Context(), &b); err != nil {
			return models.Wrap(err, "render")
		}
		line[id] = b.String()
	}
	if err := json.NewEncoder(c.Response()).Encode(line); err != nil {
		return err
	}
	c.Response().Flush()
	return nil
}

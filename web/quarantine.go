package web

import (
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"kanal/models"
	"kanal/store"
	"kanal/views"
	"kanal/views/components"
	"kanal/views/quarantine"
)

func (s *Server) quarantinePage(c echo.Context) error {
	ctx := c.Request().Context()
	l := quarantine.List{Done: c.QueryParam("show") == "done", Now: s.store.Now()}
	f := store.QuarantineFilter{Done: l.Done}
	var err error
	if f.Before, err = before[models.QuarantineID](c); err != nil {
		return err
	}
	if l.Rows, err = s.store.Quarantined(ctx, f); err != nil {
		return err
	}
	if len(l.Rows) > store.QuarantinePage {
		l.Rows = l.Rows[:store.QuarantinePage]
		l.Older = quarantine.ListURL + "?before=" + number(l.Rows[len(l.Rows)-1].ID)
		if l.Done {
			l.Older += "&show=done"
		}
	}
	if l.Counts, err = s.store.CountQuarantine(ctx); err != nil {
		return err
	}
	page := s.adminPage(c, text(c, "nav.quarantine"))
	return s.render(c, http.StatusOK, page, views.Admin(page, "quarantine", quarantine.Show(l)), nil)
}

// before gives the row that a page of a list comes after, 0 for the first page. ErrNotFound.
func before[T ~int64](c echo.Context) (T, error) {
	if c.QueryParam("before") == "" {
		return 0, nil
	}
	return models.ParseID[T](c.QueryParam("before"))
}

// quarantinedCall gives the call that the address names.
func (s *Server) quarantinedCall(c echo.Context) (models.QuarantineRow, error) {
	id, err := models.ParseID[models.QuarantineID](c.Param("call"))
	if err != nil {
		return models.QuarantineRow{}, err
	}
	return s.store.QuarantinedCall(c.Request().Context(), id)
}

func (s *Server) quarantinedPage(c echo.Context) error {
	row, err := s.quarantinedCall(c)
	if err != nil {
		return err
	}
	return s.showQuarantined(c, http.StatusOK, quarantine.Call{Row: row})
}

func (s *Server) showQuarantined(c echo.Context, status int, q quarantine.Call) error {
	q.Now = s.store.Now()
	page := s.adminPage(c, quarantine.Title(c.Request().Context(), q))
	page.Failed = q.Errors.Any()
	return s.render(c, status, page, views.Admin(page, "quarantine", quarantine.Open(q)), nil)
}

// replayCall takes a call in as when it came. One that fails again is shown with why.
func (s *Server) replayCall(c echo.Context) error {
	row, err := s.quarantinedCall(c)
	if err != nil {
		return err
	}
	problem, err := s.service.ReplayQuarantined(c.Request().Context(), viewer(c), row.ID)
	if err != nil {
		return err
	}
	if problem == "" {
		return s.done(c, quarantine.ListURL, "done.quarantine_replayed")
	}
	if row, err = s.quarantinedCall(c); err != nil {
		return err
	}
	errs := components.Errors{}.With("", text(c, "quarantine.still", "why", text(c, problem)))
	return s.showQuarantined(c, http.StatusUnprocessableEntity, quarantine.Call{Row: row, Errors: errs})
}

// replayReason replays all calls that wait for one reason.
func (s *Server) replayReason(c echo.Context) error {
	reason := field(c, "reason")
	if !slices.Contains(models.QuarantineReasons(), reason) {
		return models.ErrNotFound
	}
	failed, err := s.service.ReplayAllQuarantined(c.Request().Context(), viewer(c), reason)
	if err != nil {
		return err
	}
	if failed > 0 {
		return s.done(c, quarantine.ListURL, "done.quarantine_some")
	}
	return s.done(c, quarantine.ListURL, "done.quarantine_all")
}

func (s *Server) discardCall(c echo.Context) error {
	row, err := s.quarantinedCall(c)
	if err != nil {
		return err
	}
	if err := s.service.DiscardQuarantined(c.Request().Context(), viewer(c), row.ID); err != nil {
		return err
	}
	return s.done(c, quarantine.ListURL, "done.quarantine_discarded")
}

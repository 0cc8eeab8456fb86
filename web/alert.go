package web

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"kanal/models"
	"kanal/store"
	"kanal/views"
	"kanal/views/alert"
)

func (s *Server) alertsPage(c echo.Context) error {
	from, err := before[models.AlertID](c)
	if err != nil {
		return err
	}
	rows, err := s.store.Alerts(c.Request().Context(), from)
	if err != nil {
		return err
	}
	l := alert.List{Now: s.store.Now()}
	if len(rows) > store.AlertPage {
		rows = rows[:store.AlertPage]
		l.Older = alert.ListURL + "?before=" + number(rows[len(rows)-1].ID)
	}
	l.Groups = models.GroupAlerts(rows)
	page := s.adminPage(c, text(c, "nav.alerts"))
	return s.render(c, http.StatusOK, page, views.Admin(page, "alerts", alert.Show(l)), nil)
}

package web

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"kanal/models"
	"kanal/service"
	"kanal/store"
	"kanal/views"
	"kanal/views/components"
	"kanal/views/workstream"
)

func (s *Server) queuesPage(c echo.Context) error {
	rows, err := s.store.QueueRows(c.Request().Context())
	if err != nil {
		return err
	}
	page := s.adminPage(c, text(c, "queue.list_title"))
	return s.render(c, http.StatusOK, page, views.Admin(page, "queues", workstream.Queues(rows)), nil)
}

func (s *Server) newQueuePage(c echo.Context) error {
	return s.showNewQueue(c, http.StatusOK, workstream.QueueForm{})
}

func (s *Server) showNewQueue(c echo.Context, status int, f workstream.QueueForm) error {
	page := s.adminPage(c, text(c, "queue.new"))
	page.Failed = f.Errors.Any()
	return s.render(c, status, page, views.Admin(page, "queues", workstream.NewQueue(f)), nil)
}

func (s *Server) addQueue(c echo.Context) error {
	ctx, name := c.Request().Context(), field(c, "name")
	_, err := s.service.NewQueue(ctx, viewer(c), name)
	var problems models.FieldErrors
	if errors.As(err, &problems) {
		return s.showNewQueue(c, http.StatusUnprocessableEntity, workstream.QueueForm{Name: name, Errors: components.ErrorsOf(ctx, problems)})
	}
	if err != nil {
		return err
	}
	return s.done(c, "/admin/queues", "done.queue_made")
}

// queueOf gives the queue that the address names.
func (s *Server) queueOf(c echo.Context) (models.Queue, error) {
	id, err := models.ParseID[models.QueueID](c.Param("queue"))
	if err != nil {
		return models.Queue{}, err
	}
	return s.store.Queue(c.Request().Context(), id)
}

func (s *Server) queuePage(c echo.Context) error {
	q, err := s.queueOf(c)
	if err != nil {
		return err
	}
	return s.showQueue(c, http.StatusOK, q, workstream.QueueFormOf(q))
}

// showQueue shows a queue with what was filled in.
func (s *Server) showQueue(c echo.Context, status int, q models.Queue, f workstream.QueueForm) error {
	members, err := s.store.QueueMembers(c.Request().Context(), q.ID)
	if err != nil {
		return err
	}
	page := s.adminPage(c, q.Name)
	page.Failed = f.Errors.Any() || f.Stale
	return s.render(c, status, page, views.Admin(page, "queues", workstream.Queue(q, f, members)), nil)
}

func (s *Server) renameQueue(c echo.Context) error {
	ctx := c.Request().Context()
	q, err := s.queueOf(c)
	if err != nil {
		return err
	}
	f := workstream.QueueForm{ID: number(q.ID), Version: field(c, "version"), Name: field(c, "name")}
	err = s.service.RenameQueue(ctx, viewer(c), q.ID, f.Name, editOf(c))
	var problems models.FieldErrors
	switch {
	case errors.As(err, &problems):
		f.Errors = components.ErrorsOf(ctx, problems)
		return s.showQueue(c, http.StatusUnprocessableEntity, q, f)
	case errors.Is(err, store.ErrStale):
		if q, err = s.queueOf(c); err != nil {
			return err
		}
		return s.showQueue(c, http.StatusConflict, q, f.Against(ctx, q))
	case err != nil:
		return err
	}
	return s.done(c, "/admin/queues", "done.queue_saved")
}

// editOf gives the version that the form was filled from. Without one it is 0, which no row has.
func editOf(c echo.Context) service.Edit {
	v, _ := strconv.Atoi(field(c, "version"))
	return service.Edit{Version: v}
}

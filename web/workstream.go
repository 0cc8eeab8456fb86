package web

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"kanal/models"
	"kanal/service"
	"kanal/store"
	"kanal/views"
	"kanal/views/components"
	"kanal/views/workstream"
)

func (s *Server) workstreamsPage(c echo.Context) error {
	ctx := c.Request().Context()
	rows, err := s.store.Workstreams(ctx)
	if err != nil {
		return err
	}
	numbers, err := s.store.FinishedNumbers(ctx)
	if err != nil {
		return err
	}
	page := s.adminPage(c, text(c, "workstream.list_title"))
	return s.render(c, http.StatusOK, page, views.Admin(page, "workstreams", workstream.List(rows, numbers)), nil)
}

func (s *Server) newWorkstreamPage(c echo.Context) error {
	q, err := s.store.DefaultQueue(c.Request().Context())
	if err != nil {
		return err
	}
	return s.showNewWorkstream(c, http.StatusOK, workstream.Form{Distribution: string(models.Pick), Queue: number(q)})
}

func (s *Server) showNewWorkstream(c echo.Context, status int, f workstream.Form) (err error) {
	if f.Queues, err = s.store.Queues(c.Request().Context()); err != nil {
		return err
	}
	page := s.adminPage(c, text(c, "button.new_workstream"))
	page.Failed = f.Errors.Any()
	return s.render(c, status, page, views.Admin(page, "workstreams", workstream.New(f)), nil)
}

// workstreamForm reads what an administrator has filled in.
func workstreamForm(c echo.Context) (workstream.Form, service.WorkstreamDetails) {
	f := workstream.Form{Version: field(c, "version"), Name: field(c, "name"), Distribution: field(c, "distribution"), Queue: field(c, "queue")}
	in := service.WorkstreamDetails{Name: f.Name, Distribution: models.Distribution(f.Distribution)}
	in.Queue, _ = models.ParseID[models.QueueID](f.Queue) // 0 is no queue: it is refused
	return f, in
}

func (s *Server) addWorkstream(c echo.Context) error {
	ctx := c.Request().Context()
	f, in := workstreamForm(c)
	id, err := s.service.NewWorkstream(ctx, viewer(c), in)
	var problems models.FieldErrors
	if errors.As(err, &problems) {
		f.Errors = components.ErrorsOf(ctx, problems)
		return s.showNewWorkstream(c, http.StatusUnprocessableEntity, f)
	}
	if err != nil {
		return err
	}
	return s.done(c, workstream.URL(id), "done.workstream_made")
}

// workstreamOf gives the workstream that the address names.
func (s *Server) workstreamOf(c echo.Context) (models.WorkstreamRow, error) {
	id, err := models.ParseID[models.WorkstreamID](c.Param("workstream"))
	if err != nil {
		return models.WorkstreamRow{}, err
	}
	return s.store.WorkstreamRow(c.Request().Context(), id)
}

func (s *Server) workstreamPage(c echo.Context) error {
	ctx := c.Request().Context()
	w, err := s.workstreamOf(c)
	if err != nil {
		return err
	}
	p := workstream.Page{Workstream: w}
	if p.Numbers, err = s.store.NumbersIn(ctx, w.ID); err != nil {
		return err
	}
	if p.Draft, err = s.store.ChannelDraft(ctx, w.ID); err != nil {
		return err
	}
	members, err := s.store.QueueMembers(ctx, w.QueueID)
	if err != nil {
		return err
	}
	p.Members = len(members)
	page := s.adminPage(c, w.Name)
	return s.render(c, http.StatusOK, page, views.Admin(page, "workstreams", workstream.One(p)), nil)
}

func (s *Server) editWorkstreamPage(c echo.Context) error {
	w, err := s.workstreamOf(c)
	if err != nil {
		return err
	}
	return s.showWorkstream(c, http.StatusOK, w.Workstream, workstream.FormOf(w.Workstream))
}

// showWorkstream shows the form of a workstream with what was filled in. With StatusConflict somebody else was faster.
func (s *Server) showWorkstream(c echo.Context, status int, w models.Workstream, f workstream.Form) (err error) {
	ctx := c.Request().Context()
	if f.Queues, err = s.store.Queues(ctx); err != nil {
		return err
	}
	if status == http.StatusConflict {
		f = f.Against(ctx, w)
	}
	page := s.adminPage(c, text(c, "workstream.edit_title"))
	page.Failed = f.Errors.Any() || f.Stale
	return s.render(c, status, page, views.Admin(page, "workstreams", workstream.Edit(w, f)), nil)
}

func (s *Server) changeWorkstream(c echo.Context) error {
	ctx := c.Request().Context()
	w, err := s.workstreamOf(c)
	if err != nil {
		return err
	}
	f, in := workstreamForm(c)
	f.ID = number(w.ID)
	err = s.service.SaveWorkstream(ctx, viewer(c), w.ID, in, editOf(c))
	var problems models.FieldErrors
	switch {
	case errors.As(err, &problems):
		f.Errors = components.ErrorsOf(ctx, problems)
		return s.showWorkstream(c, http.StatusUnprocessableEntity, w.Workstream, f)
	case errors.Is(err, store.ErrStale):
		if w, err = s.workstreamOf(c); err != nil {
			return err
		}
		return s.showWorkstream(c, http.StatusConflict, w.Workstream, f)
	case err != nil:
		return err
	}
	return s.done(c, workstream.URL(w.ID), "done.workstream_saved")
}

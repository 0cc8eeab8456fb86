package web

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"

	"github.com/labstack/echo/v4"

	"kanal/models"
	"kanal/service"
	"kanal/store"
	"kanal/views"
	"kanal/views/components"
	"kanal/views/people"
)

func (s *Server) usersPage(c echo.Context) error {
	us, err := s.store.Users(c.Request().Context())
	if err != nil {
		return err
	}
	page := s.adminPage(c, text(c, "user.list_title"))
	return s.render(c, http.StatusOK, page, views.Admin(page, "users", people.Users(us)), nil)
}

func (s *Server) newUserPage(c echo.Context) error {
	ctx := c.Request().Context()
	q, err := s.store.DefaultQueue(ctx)
	if err != nil {
		return err
	}
	return s.showNewUser(c, http.StatusOK, people.UserForm{Role: string(models.Agent)}, []models.QueueID{q})
}

func (s *Server) showNewUser(c echo.Context, status int, f people.UserForm, in []models.QueueID) (err error) {
	if f.Queues, err = s.queueBoxes(c.Request().Context(), in); err != nil {
		return err
	}
	page := s.adminPage(c, text(c, "user.new"))
	page.Failed = f.Errors.Any()
	return s.render(c, status, page, views.Admin(page, "users", people.NewUser(f)), nil)
}

// queueBoxes gives every queue with whether it is among in.
func (s *Server) queueBoxes(ctx context.Context, in []models.QueueID) ([]people.QueueBox, error) {
	all, err := s.store.Queues(ctx)
	boxes := make([]people.QueueBox, len(all))
	for i, q := range all {
		boxes[i] = people.QueueBox{ID: number(q.ID), Name: q.Name, Member: slices.Contains(in, q.ID)}
	}
	return boxes, err
}

func number[T ~int64](id T) string { return strconv.FormatInt(int64(id), 10) }

// userForm reads what an administrator has filled in.
func (s *Server) userForm(c echo.Context) (service.UserForm, error) {
	f := service.UserForm{Name: field(c, "name"), Email: field(c, "email"), Role: models.Role(field(c, "role"))}
	f.Version, _ = strconv.Atoi(field(c, "version")) // 0 is no version: the change is refused
	all, err := s.store.Queues(c.Request().Context())
	for _, q := range all {
		if on(c, "queue-"+number(q.ID)) {
			f.Queues = append(f.Queues, q.ID)
		}
	}
	return f, err
}

func (s *Server) addUser(c echo.Context) error {
	ctx := c.Request().Context()
	f, err := s.userForm(c)
	if err != nil {
		return err
	}
	u, token, err := s.service.AddUser(ctx, viewer(c), f)
	var problems models.FieldErrors
	if errors.As(err, &problems) {
		shown := people.UserForm{Name: f.Name, Email: f.Email, Role: string(f.Role), Errors: components.ErrorsOf(ctx, problems)}
		return s.showNewUser(c, http.StatusUnprocessableEntity, shown, f.Queues)
	}
	if err != nil {
		return err
	}
	return s.showUserLink(c, u, token)
}

// showUserLink shows a one-time link, the only time. It is the answer to the post itself: a page to come back to would
// have to keep the link.
func (s *Server) showUserLink(c echo.Context, u models.User, token models.Secret) error {
	c.Response().Header().Set("HX-Push-Url", "/admin/users/"+number(u.ID))
	page := s.adminPage(c, text(c, "user.link"))
	return s.render(c, http.StatusOK, page, views.Admin(page, "users", people.UserLink(u, models.Secret(s.service.UserLinkURL(token)))), nil)
}

// userOf gives the user whom the address names.
func (s *Server) userOf(c echo.Context) (models.User, error) {
	id, err := models.ParseID[models.UserID](c.Param("user"))
	if err != nil {
		return models.User{}, err
	}
	return s.store.User(c.Request().Context(), id)
}

func (s *Server) userPage(c echo.Context) error {
	u, err := s.userOf(c)
	if err != nil {
		return err
	}
	f, err := s.savedUser(c, u)
	if err != nil {
		return err
	}
	return s.showUser(c, http.StatusOK, f)
}

// shownUser fills the form of a user with what is set, or was filled in.
func (s *Server) shownUser(c echo.Context, u models.User, f service.UserForm) (people.UserForm, error) {
	boxes, err := s.queueBoxes(c.Request().Context(), f.Queues)
	return people.UserForm{
		ID: number(u.ID), Known: u.Name, Name: f.Name, Email: u.Email, Role: string(f.Role), Version: strconv.Itoa(f.Version),
		State: people.UserState(u), Queues: boxes, Self: u.ID == viewer(c).User,
	}, err
}

// savedUser fills the form of a user with what is saved.
func (s *Server) savedUser(c echo.Context, u models.User) (people.UserForm, error) {
	in, err := s.store.QueuesOf(c.Request().Context(), u.ID)
	if err != nil {
		return people.UserForm{}, err
	}
	return s.shownUser(c, u, service.UserForm{Name: u.Name, Role: u.Role, Queues: in, Version: u.Version})
}

func (s *Server) showUser(c echo.Context, status int, f people.UserForm) error {
	page := s.adminPage(c, f.Known)
	page.Failed = f.Errors.Any() || f.Stale
	return s.render(c, status, page, views.Admin(page, "users", people.User(f)), nil)
}

func (s *Server) changeUser(c echo.Context) error {
	u, err := s.userOf(c)
	if err != nil {
		return err
	}
	f, err := s.userForm(c)
	if err != nil {
		return err
	}
	shown, err := s.shownUser(c, u, f)
	if err != nil {
		return err
	}
	return s.changedUser(c, shown, s.service.ChangeUser(c.Request().Context(), viewer(c), u.ID, f))
}

// changedUser answers how the change of a user went.
func (s *Server) changedUser(c echo.Context, shown people.UserForm, err error) error {
	var problems models.FieldErrors
	switch {
	case err == nil:
		return s.done(c, "/admin/users", "done.user_saved")
	case errors.As(err, &problems):
		shown.Errors = components.ErrorsOf(c.Request().Context(), problems)
		return s.showUser(c, http.StatusUnprocessableEntity, shown)
	case errors.Is(err, service.ErrLastAdministrator):
		shown.Errors = shown.Errors.With("role", errorText(c, err))
		return s.showUser(c, http.StatusUnprocessableEntity, shown)
	case errors.Is(err, store.ErrStale):
		return s.staleUser(c, shown)
	}
	return err
}

// staleUser shows what was typed beside what somebody else has saved. Saved again, it overwrites that.
func (s *Server) staleUser(c echo.Context, typed people.UserForm) error {
	u, err := s.userOf(c)
	if err != nil {
		return err
	}
	saved, err := s.savedUser(c, u)
	if err != nil {
		return err
	}
	typed.Known = u.Name
	return s.showUser(c, http.StatusConflict, typed.Against(c.Request().Context(), saved))
}

func (s *Server) resetUser(c echo.Context) error {
	u, err := s.userOf(c)
	if err != nil {
		return err
	}
	token, err := s.service.ResetUser(c.Request().Context(), viewer(c), u.ID)
	if err != nil {
		return err
	}
	return s.showUserLink(c, u, token)
}

func (s *Server) deactivateUser(c echo.Context) error {
	u, err := s.userOf(c)
	if err != nil {
		return err
	}
	if err := s.service.DeactivateUser(c.Request().Context(), viewer(c), u.ID); err != nil {
		return err
	}
	return s.done(c, "/admin/users", "done.user_deactivated")
}

func (s *Server) reactivateUser(c echo.Context) error {
	u, err := s.userOf(c)
	if err != nil {
		return err
	}
	if err := s.service.ReactivateUser(c.Request().Context(), viewer(c), u.ID); err != nil {
		return err
	}
	return s.done(c, "/admin/users", "done.user_reactivated")
}

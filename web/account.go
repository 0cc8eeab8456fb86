package web

import (
	"errors"
	"net/http"
	"slices"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"kanal/models"
	"kanal/service"
	"kanal/store"
	"kanal/views"
	"kanal/views/account"
	"kanal/views/components"
)

func (s *Server) channelsPage(c echo.Context) error {
	rows, err := s.store.Accounts(c.Request().Context())
	if err != nil {
		return err
	}
	page := s.adminPage(c, text(c, "nav.channels"))
	return s.render(c, http.StatusOK, page, views.Admin(page, "channels", account.Channels(len(rows))), nil)
}

func (s *Server) accountsPage(c echo.Context) error {
	rows, err := s.store.Accounts(c.Request().Context())
	if err != nil {
		return err
	}
	page := s.adminPage(c, text(c, "nav.accounts"))
	return s.render(c, http.StatusOK, page, views.Admin(page, "channels", account.List(rows, s.sim != nil)), nil)
}

// accountOf gives the account that the address names.
func (s *Server) accountOf(c echo.Context) (models.Account, error) {
	id, err := models.ParseID[models.AccountID](c.Param("account"))
	if err != nil {
		return models.Account{}, err
	}
	return s.store.Account(c.Request().Context(), id)
}

// accountRow gives the account that the address names, with its use.
func (s *Server) accountRow(c echo.Context) (models.AccountRow, error) {
	id, err := models.ParseID[models.AccountID](c.Param("account"))
	if err != nil {
		return models.AccountRow{}, err
	}
	rows, err := s.store.Accounts(c.Request().Context())
	if err != nil {
		return models.AccountRow{}, err
	}
	i := slices.IndexFunc(rows, func(r models.AccountRow) bool { return r.ID == id })
	if i < 0 {
		return models.AccountRow{}, models.ErrNotFound
	}
	return rows[i], nil
}

// openAccount leads to where a draft goes on, or to the first tab of a finished account.
func (s *Server) openAccount(c echo.Context) error {
	a, err := s.accountOf(c)
	if err != nil {
		return err
	}
	if a.State == models.AccountActive {
		return s.redirect(c, account.StepURL(a.ID, models.StepChannelDetails))
	}
	return s.redirect(c, account.StepURL(a.ID, a.Furthest()))
}

func (s *Server) newAccountPage(c echo.Context) error {
	return s.showStep(c, http.StatusOK, account.Of(models.Account{}, models.StepChannelDetails))
}

// newAccount makes the draft: the first step of the wizard.
func (s *Server) newAccount(c echo.Context) error {
	ctx := c.Request().Context()
	in := service.ChannelDetails{Name: field(c, "name"), Channel: field(c, "channel")}
	e := service.Edit{Unchecked: field(c, "action") == "save"}
	id, err := s.service.NewAccount(ctx, viewer(c), in, e)
	var problems models.FieldErrors
	switch {
	case errors.As(err, &problems):
		show := account.Of(models.Account{}, models.StepChannelDetails)
		show.Channel, show.Errors = account.ChannelForm(in), components.ErrorsOf(ctx, problems)
		return s.showStep(c, http.StatusUnprocessableEntity, show)
	case err != nil:
		return err
	}
	return s.leaveStep(c, models.Account{ID: id, State: models.AccountDraft}, models.StepChannelDetails)
}

// stepOf gives the account and the step that the address names.
func (s *Server) stepOf(c echo.Context) (models.Account, models.AccountStep, error) {
	step, err := models.ParseAccountStep(c.Param("step"))
	if err != nil {
		return models.Account{}, step, err
	}
	a, err := s.accountOf(c)
	return a, step, err
}

func (s *Server) accountStepPage(c echo.Context) error {
	a, step, err := s.stepOf(c)
	if err != nil {
		return err
	}
	if !a.Open(step) {
		return s.redirect(c, account.StepURL(a.ID, a.Furthest()))
	}
	show := account.Of(a, step)
	if step == models.StepNumbers {
		if show.Number, err = s.numberForm(c, a.ID); err != nil {
			return err
		}
	}
	return s.showStep(c, http.StatusOK, show)
}

// accountStep saves a step, as far as the pressed button wants it.
func (s *Server) accountStep(c echo.Context) error {
	a, step, err := s.stepOf(c)
	if err != nil {
		return err
	}
	if !a.Open(step) {
		return s.redirect(c, account.StepURL(a.ID, a.Furthest()))
	}
	switch step {
	case models.StepChannelDetails:
		return s.saveChannelDetails(c, a)
	case models.StepAccountDetails:
		return s.saveAccountDetails(c, a)
	case models.StepNumbers:
		return s.saveNumbers(c, a)
	default:
		return s.finishAccount(c, a)
	}
}

// stepEdit is editOf for a step of a wizard. Back and Save and exit keep what is typed unchecked.
func stepEdit(c echo.Context) service.Edit {
	e, action := editOf(c), field(c, "action")
	e.Unchecked = action == "back" || action == "save"
	return e
}

func (s *Server) saveChannelDetails(c echo.Context, a models.Account) error {
	in := service.ChannelDetails{Name: field(c, "name"), Channel: field(c, "channel"), Typing: on(c, "typing"), RemoveFiles: on(c, "remove_files")}
	err := s.service.SaveChannelDetails(c.Request().Context(), viewer(c), a.ID, in, stepEdit(c))
	if err == nil {
		return s.leaveStep(c, a, models.StepChannelDetails)
	}
	return s.refuseStep(c, refusal{a.ID, models.StepChannelDetails, err}, func(show *account.Setup) {
		show.Channel = account.ChannelForm(in)
		show.Conflict = components.Differing(components.ConflictRow{Label: text(c, "account.name"), Theirs: show.Account.Name, Yours: in.Name})
	})
}

func (s *Server) saveAccountDetails(c echo.Context, a models.Account) error {
	in := service.AccountDetails{SID: field(c, "sid"), Token: secret(c, "token"), WithoutCheck: field(c, "action") == "unchecked"}
	err := s.service.SaveAccountDetails(c.Request().Context(), viewer(c), a.ID, in, stepEdit(c))
	if err == nil {
		return s.leaveStep(c, a, models.StepAccountDetails)
	}
	return s.refuseStep(c, refusal{a.ID, models.StepAccountDetails, err}, func(show *account.Setup) {
		show.Details = account.DetailsForm{SID: in.SID, Unreachable: service.IsUnreachable(err)}
		show.Conflict = components.Differing(components.ConflictRow{Label: text(c, "account.sid"), Theirs: show.Account.SID, Yours: in.SID})
		if in.Token != "" {
			show.Conflict = append(show.Conflict, components.ConflictRow{
				Label: text(c, "account.token"), Theirs: "••••" + show.Account.TokenLast4, Yours: text(c, "account.token_typed"),
			})
		}
	})
}

// finishAccount ends the wizard. What another account has taken meanwhile is shown at the step where it is changed.
func (s *Server) finishAccount(c echo.Context, a models.Account) error {
	if a.State == models.AccountActive || stepEdit(c).Unchecked {
		return s.leaveStep(c, a, models.StepCallback)
	}
	err := s.service.FinishAccount(c.Request().Context(), viewer(c), a.ID)
	switch {
	case err == nil:
		return s.redirect(c, account.URL(a.ID)+"/added")
	case errors.Is(err, service.ErrNotComplete):
		return s.redirect(c, account.StepURL(a.ID, a.Furthest()))
	}
	return s.refuseStep(c, refusal{a.ID, stepOfProblem(err), err}, func(*account.Setup) {})
}

// stepOfProblem gives the step whose field has the first problem.
func stepOfProblem(err error) models.AccountStep {
	var problems models.FieldErrors
	if !errors.As(err, &problems) {
		return models.StepCallback
	}
	switch problems[0].Field {
	case "name", "channel":
		return models.StepChannelDetails
	case "add":
		return models.StepNumbers
	}
	return models.StepAccountDetails
}

// leaveStep leads on from a step that is saved, to where the pressed button points.
func (s *Server) leaveStep(c echo.Context, a models.Account, step models.AccountStep) error {
	switch action := field(c, "action"); {
	case a.State == models.AccountActive:
		return s.done(c, account.StepURL(a.ID, step), "done.account_saved")
	case action == "back":
		return s.redirect(c, account.StepURL(a.ID, max(step-1, models.StepChannelDetails)))
	case action == "save":
		return s.done(c, account.ListURL, "done.draft_saved")
	}
	return s.redirect(c, account.StepURL(a.ID, min(step+1, models.StepCallback)))
}

// refusal is why a step was not saved.
type refusal struct {
	id   models.AccountID
	step models.AccountStep
	why  error
}

// refuseStep shows a step again with what was typed, which fill puts in, and why it was not saved: 422 for problems, 409
// when somebody else was faster. It carries the version that is saved now. Other errors are given back.
func (s *Server) refuseStep(c echo.Context, r refusal, fill func(*account.Setup)) error {
	ctx := c.Request().Context()
	var problems models.FieldErrors
	stale := errors.Is(r.why, store.ErrStale)
	if !errors.As(r.why, &problems) && !stale {
		return r.why
	}
	a, err := s.store.Account(ctx, r.id)
	if err != nil {
		return err
	}
	show := account.Of(a, r.step)
	fill(&show)
	show.Errors, show.Stale = components.ErrorsOf(ctx, problems), stale
	if stale {
		return s.showStep(c, http.StatusConflict, show)
	}
	return s.showStep(c, http.StatusUnprocessableEntity, show)
}

// showStep shows a step in its frame; of the last one htmx may fetch only the part that waits for a message.
func (s *Server) showStep(c echo.Context, status int, show account.Setup) (err error) {
	ctx := c.Request().Context()
	show.Now = s.store.Now()
	if show.Account.ID != 0 {
		if show.Numbers, err = s.store.NumbersOf(ctx, show.Account.ID); err != nil {
			return err
		}
	}
	page := s.adminPage(c, account.StepTitle(ctx, show.Step))
	page.Failed = show.Errors.Any() || show.Stale
	page.Live = true // from the first step on: htmx brings the others, and the stream stands outside of what it exchanges
	var part templ.Component
	if show.Step == models.StepCallback {
		show.Callback = s.callback(c, show)
		part = account.Waiting(show.Account, show.Now)
	}
	return s.render(c, status, page, account.Show(page, show), part)
}

// callback gives what the last step shows. The steps of the sandbox are shown to an account that has its number.
func (s *Server) callback(c echo.Context, show account.Setup) account.Callback {
	sandbox := slices.ContainsFunc(show.Numbers, func(n models.NumberRow) bool { return n.Address == models.SandboxNumber })
	if kind := c.QueryParam("number"); kind != "" {
		sandbox = kind == "sandbox"
	}
	return account.Callback{
		URL: s.service.InboundURL(show.Account), Fallback: s.service.FallbackURL(show.Account), Debugger: s.service.DebuggerURL(show.Account),
		PublicURL: s.service.PublicURL(), Local: s.service.PublicURLIsLocal(), Sandbox: sandbox,
		Simulator: s.sim != nil, CanSet: s.service.Reachable(show.Account),
	}
}

// accountAdded confirms that the wizard is finished.
func (s *Server) accountAdded(c echo.Context) error {
	r, err := s.accountRow(c)
	if err != nil {
		return err
	}
	if r.State != models.AccountActive {
		return s.redirect(c, account.StepURL(r.ID, r.Furthest()))
	}
	page := s.adminPage(c, text(c, "account.added"))
	return s.render(c, http.StatusOK, page, views.Admin(page, "channels", account.Added(r)), nil)
}

// checkAccount asks Twilio again about a finished account.
func (s *Server) checkAccount(c echo.Context) error {
	a, err := s.accountOf(c)
	if err != nil {
		return err
	}
	state, err := s.service.CheckAccount(c.Request().Context(), viewer(c), a.ID)
	if err != nil {
		return err
	}
	return s.done(c, account.ListURL, "done.check_"+string(state))
}

func (s *Server) deleteAccountPage(c echo.Context) error {
	return s.showDeleteAccount(c, http.StatusOK)
}

func (s *Server) showDeleteAccount(c echo.Context, status int) error {
	r, err := s.accountRow(c)
	if err != nil {
		return err
	}
	name := account.Name(c.Request().Context(), r.Account)
	return s.dialog(c, status, text(c, "account.delete_title", "name", name), account.Delete(r))
}

func (s *Server) deleteAccount(c echo.Context) error {
	a, err := s.accountOf(c)
	if err != nil {
		return err
	}
	err = s.service.DeleteAccount(c.Request().Context(), viewer(c), a.ID)
	if errors.Is(err, store.ErrInUse) {
		return s.showDeleteAccount(c, http.StatusConflict)
	}
	if err != nil {
		return err
	}
	return s.doneDialog(c, account.ListURL, "done.account_deleted")
}

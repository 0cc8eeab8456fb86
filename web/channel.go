package web

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"kanal/models"
	"kanal/service"
	"kanal/store"
	"kanal/views"
	"kanal/views/components"
	"kanal/views/template"
	"kanal/views/workstream"
)

// setupOf gives one step of the wizard Set up WhatsApp as it is saved.
func (s *Server) setupOf(c echo.Context) (workstream.Setup, error) {
	ctx := c.Request().Context()
	var u workstream.Setup
	step, err := models.ParseChannelStep(stepParam(c))
	if err != nil {
		return u, err
	}
	u.Step, u.Return = step, c.QueryParam("return") == "summary" && step != models.ChannelSummary
	if u.Workstream, err = s.workstreamOf(c); err != nil {
		return u, err
	}
	if u.Draft, err = s.store.ChannelDraft(ctx, u.Workstream.ID); err != nil {
		return u, err
	}
	u.Shown, u.Version = workstream.SettingsOfDraft(u.Draft), strconv.Itoa(u.Draft.Version)
	u.Numbers, err = s.store.FinishedNumbers(ctx)
	return u, err
}

// stepParam gives the step that the address names; the summary has a route of its own.
func stepParam(c echo.Context) string {
	if step := c.Param("step"); step != "" {
		return step
	}
	return models.ChannelSummary.Path()
}

func (s *Server) channelStepPage(c echo.Context) error {
	u, err := s.setupOf(c)
	if err != nil {
		return err
	}
	if !u.Draft.Open(u.Step) {
		return s.redirect(c, workstream.StepURL(u.Workstream.ID, u.Draft.Furthest()))
	}
	return s.showChannelStep(c, http.StatusOK, u)
}

func (s *Server) showChannelStep(c echo.Context, status int, u workstream.Setup) error {
	ctx := c.Request().Context()
	if u.Step == models.ChannelBehaviors && u.Draft.NumberID != nil {
		n, err := s.store.Number(ctx, *u.Draft.NumberID)
		if err != nil {
			return err
		}
		if u.Templates, err = s.templatesOn(c, n.AccountID, "wizard"); err != nil {
			return err
		}
	}
	page := s.adminPage(c, text(c, "button.set_up_whatsapp"))
	frame := u.Frame(ctx)
	page.Title, page.Failed = frame.Title+" – "+page.Title, u.Errors.Any() || u.Stale
	var aside templ.Component
	if u.Step == models.ChannelSummary {
		if err := s.addWarnings(c, &u); err != nil {
			return err
		}
		aside = workstream.StepHelp(u)
	}
	return s.render(c, status, page, views.Wizard(page, frame, workstream.Step(u), aside), nil)
}

// addWarnings finds out what the summary warns of.
func (s *Server) addWarnings(c echo.Context, u *workstream.Setup) error {
	ctx := c.Request().Context()
	members, err := s.store.QueueMembers(ctx, u.Workstream.QueueID)
	if err != nil || u.Draft.NumberID == nil {
		return err
	}
	u.Members = len(members)
	n, err := s.store.Number(ctx, *u.Draft.NumberID)
	if err != nil {
		return err
	}
	a, err := s.store.Account(ctx, n.AccountID)
	u.Tested = a.FirstMessageAt != nil
	return err
}

// typedSettings reads what was filled in in a step or a tab.
func typedSettings(c echo.Context) workstream.Settings {
	return workstream.Settings{
		Number: field(c, "number"), Language: field(c, "language"), Greeting: on(c, "greeting_on"), GreetingText: field(c, "greeting"),
		Files: on(c, "files"), Customers: on(c, "customers"), Agents: on(c, "agents"),
	}
}

func greetingIn(t workstream.Settings) service.Greeting {
	return service.Greeting{Active: t.Greeting, Text: t.GreetingText}
}

func featuresIn(t workstream.Settings) service.Features {
	return service.Features{Files: t.Files, Customers: t.Customers, Agents: t.Agents}
}

func (s *Server) saveChannelStep(c echo.Context) error {
	ctx := c.Request().Context()
	u, err := s.setupOf(c)
	if err != nil {
		return err
	}
	if done, err := s.aboutTemplates(c, &u); done {
		return err
	}
	typed := typedSettings(c)
	in := service.ChannelInput{Step: u.Step, Language: typed.Language, Greeting: greetingIn(typed), Features: featuresIn(typed)}
	in.Number, _ = models.ParseID[models.NumberID](typed.Number) // 0 is none: it is refused
	err = s.service.SaveChannelStep(ctx, viewer(c), u.Workstream.ID, in, stepEdit(c))
	u.Shown = u.Shown.With(u.Step, typed)
	var problems models.FieldErrors
	switch {
	case errors.As(err, &problems):
		u.Errors, u.Version = components.ErrorsOf(ctx, problems), field(c, "version")
		return s.showChannelStep(c, http.StatusUnprocessableEntity, u)
	case errors.Is(err, store.ErrStale):
		return s.staleChannelStep(c, typed)
	case err != nil:
		return err
	}
	return s.leaveChannelStep(c, u, field(c, "action"))
}

// aboutTemplates answers the Behaviors step when it is left to add a template, or come back to, without script.
func (s *Server) aboutTemplates(c echo.Context, u *workstream.Setup) (bool, error) {
	if u.Step != models.ChannelBehaviors || u.Draft.NumberID == nil {
		return false, nil
	}
	if typed, version := keptBehaviors(c); version != "" {
		u.Shown, u.Version = u.Shown.With(u.Step, typed), version
		return true, s.showChannelStep(c, http.StatusOK, *u)
	}
	if field(c, "action") != template.ActionAdd {
		return false, nil
	}
	n, err := s.store.Number(c.Request().Context(), *u.Draft.NumberID)
	if err != nil {
		return true, err
	}
	return true, s.addTemplateFrom(c, n.AccountID)
}

// staleChannelStep shows a step that somebody else has saved meanwhile, with what both have entered.
func (s *Server) staleChannelStep(c echo.Context, typed workstream.Settings) error {
	u, err := s.setupOf(c)
	if err != nil {
		return err
	}
	saved := u.Shown
	u.Shown, u.Stale = saved.With(u.Step, typed), true
	u.Conflict = u.Shown.Against(c.Request().Context(), u.Step, saved, u.Numbers)
	return s.showChannelStep(c, http.StatusConflict, u)
}

// leaveChannelStep leads on from a step that was saved.
func (s *Server) leaveChannelStep(c echo.Context, u workstream.Setup, action string) error {
	id := u.Workstream.ID
	switch {
	case action == "save":
		return s.done(c, workstream.URL(id), "done.channel_saved")
	case u.Return:
		return s.redirect(c, workstream.StepURL(id, models.ChannelSummary))
	case action == "back":
		return s.redirect(c, workstream.StepURL(id, u.Step-1))
	}
	return s.redirect(c, workstream.StepURL(id, u.Step+1))
}

func (s *Server) finishChannel(c echo.Context) error {
	ctx := c.Request().Context()
	u, err := s.setupOf(c)
	if err != nil {
		return err
	}
	if action := field(c, "action"); action == "back" || action == "save" {
		return s.leaveChannelStep(c, u, action)
	}
	n, err := s.service.FinishChannel(ctx, viewer(c), u.Workstream.ID, editOf(c))
	var problems models.FieldErrors
	switch {
	case errors.As(err, &problems):
		u.Step, u.Return, u.Errors = workstream.StepOf(problems[0].Field), true, components.ErrorsOf(ctx, problems)
		return s.showChannelStep(c, http.StatusUnprocessableEntity, u) // where it can be put right
	case errors.Is(err, store.ErrStale) && u.Draft.Open(models.ChannelSummary):
		u.Stale = true
		return s.showChannelStep(c, http.StatusConflict, u)
	case errors.Is(err, store.ErrStale):
		return s.redirect(c, workstream.URL(u.Workstream.ID)) // finished or discarded by somebody else
	case err != nil:
		return err
	}
	return s.redirect(c, workstream.NumberURL(u.Workstream.ID, n)+"/ready")
}

func (s *Server) discardChannelPage(c echo.Context) error {
	w, err := s.workstreamOf(c)
	if err != nil {
		return err
	}
	return s.dialog(c, http.StatusOK, text(c, "channel.discard_title"), workstream.Discard(w.Workstream))
}

func (s *Server) discardChannel(c echo.Context) error {
	w, err := s.workstreamOf(c)
	if err != nil {
		return err
	}
	if err := s.service.DiscardChannelDraft(c.Request().Context(), viewer(c), w.ID); err != nil {
		return err
	}
	return s.doneDialog(c, workstream.URL(w.ID), "done.channel_discarded")
}

// claimedNumber gives the workstream and its number that the address names.
func (s *Server) claimedNumber(c echo.Context) (models.WorkstreamRow, models.NumberRow, error) {
	w, err := s.workstreamOf(c)
	if err != nil {
		return w, models.NumberRow{}, err
	}
	id, err := models.ParseID[models.NumberID](c.Param("number"))
	if err != nil {
		return w, models.NumberRow{}, err
	}
	n, err := s.store.NumberIn(c.Request().Context(), w.ID, id)
	return w, n, err
}

// numberSettings gives one tab of the settings of a number as it is saved.
func (s *Server) numberSettings(c echo.Context) (workstream.NumberPage, error) {
	var p workstream.NumberPage
	var err error
	if p.Part, err = partOf(c); err != nil {
		return p, err
	}
	if p.Workstream, p.Number, err = s.claimedNumber(c); err != nil {
		return p, err
	}
	m, err := s.store.AutomatedMessage(c.Request().Context(), p.Number.ID, models.TriggerStarted)
	p.Shown = workstream.SettingsOfNumber(p.Number.Number, m)
	p.Version = strconv.Itoa(p.Number.Version)
	return p, err
}

// partOf gives the tab that the address names, without one the first. ErrNotFound for a step that is no tab.
func partOf(c echo.Context) (models.ChannelStep, error) {
	if c.Param("step") == "" {
		return models.ChannelLanguage, nil
	}
	part, err := models.ParseChannelStep(c.Param("step"))
	if part < models.ChannelLanguage || part > models.ChannelUserFeatures {
		return part, models.ErrNotFound
	}
	return part, err
}

func (s *Server) numberPage(c echo.Context) error {
	p, err := s.numberSettings(c)
	if err != nil {
		return err
	}
	return s.showNumber(c, http.StatusOK, p)
}

func (s *Server) showNumber(c echo.Context, status int, p workstream.NumberPage) error {
	if p.Part == models.ChannelBehaviors {
		var err error
		if p.Templates, err = s.templatesOn(c, p.Number.AccountID, "settings"); err != nil {
			return err
		}
	}
	page := s.adminPage(c, p.Number.Name)
	page.Failed = p.Errors.Any() || p.Stale
	return s.render(c, status, page, views.Admin(page, "workstreams", workstream.Number(p)), nil)
}

func (s *Server) saveNumberSettings(c echo.Context) error {
	ctx := c.Request().Context()
	p, err := s.numberSettings(c)
	if err != nil {
		return err
	}
	if kept, version := keptBehaviors(c); version != "" && p.Part == models.ChannelBehaviors {
		p.Shown, p.Version = p.Shown.With(p.Part, kept), version
		return s.showNumber(c, http.StatusOK, p)
	}
	if p.Part == models.ChannelBehaviors && field(c, "action") == template.ActionAdd {
		return s.addTemplateFrom(c, p.Number.AccountID)
	}
	typed := typedSettings(c)
	in := service.NumberSettings{Number: p.Number.ID, Part: p.Part, Language: typed.Language, Greeting: greetingIn(typed), Features: featuresIn(typed)}
	err = s.service.SaveNumberSettings(ctx, viewer(c), p.Workstream.ID, in, editOf(c))
	var problems models.FieldErrors
	switch {
	case errors.As(err, &problems):
		p.Shown, p.Errors, p.Version = p.Shown.With(p.Part, typed), components.ErrorsOf(ctx, problems), field(c, "version")
		return s.showNumber(c, http.StatusUnprocessableEntity, p)
	case errors.Is(err, store.ErrStale):
		return s.staleNumber(c, typed)
	case err != nil:
		return err
	}
	return s.done(c, workstream.NumberURL(p.Workstream.ID, p.Number.ID)+"/"+p.Part.Path(), "done.settings_saved")
}

// staleNumber shows a tab that somebody else has saved meanwhile, with what both have entered.
func (s *Server) staleNumber(c echo.Context, typed workstream.Settings) error {
	p, err := s.numberSettings(c)
	if err != nil {
		return err
	}
	saved := p.Shown
	p.Shown, p.Stale = saved.With(p.Part, typed), true
	p.Conflict = p.Shown.Against(c.Request().Context(), p.Part, saved, nil)
	return s.showNumber(c, http.StatusConflict, p)
}

// channelReadyPage confirms that a number is set up.
func (s *Server) channelReadyPage(c echo.Context) error {
	w, n, err := s.claimedNumber(c)
	if err != nil {
		return err
	}
	page := s.adminPage(c, text(c, "channel.ready"))
	return s.render(c, http.StatusOK, page, views.Admin(page, "workstreams", workstream.Ready(w, n, n.Simulated && page.Rail.ShowSimulator)), nil)
}

func (s *Server) releaseNumberPage(c echo.Context) error {
	_, n, err := s.claimedNumber(c)
	if err != nil {
		return err
	}
	return s.showRelease(c, http.StatusOK, workstream.ReleaseForm{Number: n})
}

func (s *Server) showRelease(c echo.Context, status int, f workstream.ReleaseForm) error {
	return s.dialog(c, status, text(c, "channel.delete_title", "name", f.Number.Name), workstream.Release(f))
}

func (s *Server) releaseNumber(c echo.Context) error {
	ctx := c.Request().Context()
	w, n, err := s.claimedNumber(c)
	if err != nil {
		return err
	}
	f := workstream.ReleaseForm{Number: n, Confirm: field(c, "confirm")}
	err = s.service.ReleaseNumber(ctx, viewer(c), w.ID, n.ID, f.Confirm)
	var problems models.FieldErrors
	if errors.As(err, &problems) {
		f.Errors = components.ErrorsOf(ctx, problems)
		return s.showRelease(c, http.StatusUnprocessableEntity, f)
	}
	if err != nil {
		return err
	}
	return s.doneDialog(c, workstream.URL(w.ID), "done.channel_removed")
}

package web

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"kanal/models"
	"kanal/service"
	"kanal/store"
	"kanal/views"
	"kanal/views/components"
	"kanal/views/i18n"
	"kanal/views/template"
)

// maxTemplateRows is the most rows that one page of templates shows; then a search finds more.
const maxTemplateRows = 1000

// templateAccounts gives the finished accounts with the newest fetching of each.
func (s *Server) templateAccounts(ctx context.Context) ([]template.Account, error) {
	rows, err := s.store.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	var out []template.Account
	for _, r := range rows {
		if r.State != models.AccountActive {
			continue
		}
		y, err := s.store.TemplateSync(ctx, r.ID)
		if err != nil {
			return nil, err
		}
		out = append(out, template.Account{ID: r.ID, Name: r.Name, Sync: y})
	}
	return out, nil
}

// templateList gives the list that the address asks for.
func (s *Server) templateList(c echo.Context) (template.List, error) {
	ctx := c.Request().Context()
	l := template.List{Account: c.QueryParam("account"), Status: c.QueryParam("status"), Query: shorten(c.QueryParam("q"), 200), Now: s.store.Now()}
	f := store.TemplateFilter{Status: l.Status, Query: l.Query, Rows: store.TemplatePage}
	if l.Account != "" {
		var err error
		if f.Account, err = models.ParseID[models.AccountID](l.Account); err != nil {
			return l, err
		}
	}
	if n, err := strconv.Atoi(c.QueryParam("rows")); err == nil && n > f.Rows {
		f.Rows = min(n, maxTemplateRows)
	}
	var err error
	if l.Accounts, err = s.templateAccounts(ctx); err != nil {
		return l, err
	}
	if l.Rows, err = s.store.Templates(ctx, f); err != nil {
		return l, err
	}
	if len(l.Rows) > f.Rows {
		l.Rows = l.Rows[:f.Rows]
		if f.Rows < maxTemplateRows {
			l.More = l.MoreURL(f.Rows + store.TemplatePage)
		}
	}
	return l, nil
}

func (s *Server) templatesPage(c echo.Context) error {
	l, err := s.templateList(c)
	if err != nil {
		return err
	}
	page := s.adminPage(c, text(c, "nav.templates"))
	page.Live = true
	return s.render(c, http.StatusOK, page, views.Admin(page, "templates", template.Show(l)), nil)
}

// templatesPart answers the list when templates have changed.
func (s *Server) templatesPart(c echo.Context) error {
	l, err := s.templateList(c)
	if err != nil {
		return err
	}
	if !isPartial(c) {
		return s.redirect(c, template.ListURL)
	}
	return s.part(c, http.StatusOK, template.Part(l))
}

// fetchTemplates begins to fetch an account's templates.
func (s *Server) fetchTemplates(c echo.Context) error {
	id, err := models.ParseID[models.AccountID](field(c, "account"))
	if err != nil {
		return err
	}
	if err := s.service.SyncTemplates(c.Request().Context(), viewer(c), id); err != nil {
		return err
	}
	return s.done(c, template.ListURL, "done.templates_fetching")
}

// templateOf gives the template that the address names.
func (s *Server) templateOf(c echo.Context) (models.Template, error) {
	id, err := models.ParseID[models.TemplateID](c.Param("template"))
	if err != nil {
		return models.Template{}, err
	}
	return s.store.Template(c.Request().Context(), id)
}

// backOf gives the page that a dialog leads back to, "" for the list of templates.
func backOf(c echo.Context) string { return ownPath(anyField(c, "back")) }

// leaveTemplate leads on from a dialog to the page that it was opened from.
func (s *Server) leaveTemplate(c echo.Context, key string) error {
	to := backOf(c)
	if to == "" {
		to = template.ListURL
	}
	return s.doneDialog(c, to, key)
}

func (s *Server) newTemplatePage(c echo.Context) error {
	return s.showTemplateForm(c, http.StatusOK, template.Form{Account: c.QueryParam("account"), Back: backOf(c)})
}

// showTemplateForm shows the dialog of a template that is typed.
func (s *Server) showTemplateForm(c echo.Context, status int, f template.Form) error {
	title := "template.edit"
	if f.ID == 0 {
		title = "template.add"
		accounts, err := s.templateAccounts(c.Request().Context())
		if err != nil {
			return err
		}
		if f.Back == "" { // from a number its account is meant
			f.Accounts = accounts
		}
	}
	return s.dialog(c, status, text(c, title), template.Dialog(f))
}

// typedTemplate reads what was filled in in the dialog.
func typedTemplate(c echo.Context) (template.Form, service.TemplateDetails) {
	f := template.Form{
		Account: field(c, "account"), Name: field(c, "name"), Language: field(c, "language"), Body: c.Request().PostFormValue("body"),
		ContentSID: field(c, "content_sid"), Version: field(c, "version"), Back: backOf(c),
	}
	return f, service.TemplateDetails{Name: f.Name, Language: f.Language, Body: f.Body, ContentSID: f.ContentSID}
}

func (s *Server) addTemplate(c echo.Context) error {
	ctx := c.Request().Context()
	f, in := typedTemplate(c)
	account, err := models.ParseID[models.AccountID](f.Account)
	if err != nil {
		return err
	}
	_, err = s.service.AddTemplate(ctx, viewer(c), account, in)
	var problems models.FieldErrors
	if errors.As(err, &problems) {
		f.Errors = components.ErrorsOf(ctx, named(problems, f.Language, c))
		return s.showTemplateForm(c, http.StatusUnprocessableEntity, f)
	}
	if err != nil {
		return err
	}
	return s.leaveTemplate(c, "done.template_added")
}

// named gives the sentence about a name that is taken the name of the language.
func named(problems models.FieldErrors, language string, c echo.Context) models.FieldErrors {
	for i, p := range problems {
		if p.Key == "template.name_taken" {
			problems[i].Args = []any{"language", i18n.LanguageName(c.Request().Context(), language)}
		}
	}
	return problems
}

func (s *Server) templatePage(c echo.Context) error {
	t, err := s.templateOf(c)
	if err != nil {
		return err
	}
	if t.Source == models.TemplateTyped {
		return s.showTemplateForm(c, http.StatusOK, template.FormOf(t, backOf(c)))
	}
	return s.showTemplate(c, http.StatusOK, template.Detail{Template: t, Back: backOf(c), Category: t.Category})
}

// showTemplate shows a template that is Twilio's.
func (s *Server) showTemplate(c echo.Context, status int, d template.Detail) error {
	a, err := s.store.Account(c.Request().Context(), d.Template.AccountID)
	if err != nil {
		return err
	}
	d.Account = a.Name
	return s.dialog(c, status, d.Template.Name, template.Opened(d))
}

func (s *Server) changeTemplate(c echo.Context) error {
	ctx := c.Request().Context()
	t, err := s.templateOf(c)
	if err != nil {
		return err
	}
	f, in := typedTemplate(c)
	f.ID, f.Known = t.ID, t
	err = s.service.SaveTemplate(ctx, viewer(c), t.ID, in, editOf(c))
	var problems models.FieldErrors
	switch {
	case errors.As(err, &problems):
		f.Errors = components.ErrorsOf(ctx, named(problems, f.Language, c))
		return s.showTemplateForm(c, http.StatusUnprocessableEntity, f)
	case errors.Is(err, store.ErrStale):
		if t, err = s.templateOf(c); err != nil {
			return err
		}
		return s.showTemplateForm(c, http.StatusConflict, f.Against(ctx, t))
	case err != nil:
		return err
	}
	return s.leaveTemplate(c, "done.template_saved")
}

// submitTemplate asks WhatsApp to approve a template.
func (s *Server) submitTemplate(c echo.Context) error {
	ctx := c.Request().Context()
	t, err := s.templateOf(c)
	if err != nil {
		return err
	}
	d := template.Detail{Template: t, Back: backOf(c), Category: field(c, "category")}
	err = s.service.SubmitTemplate(ctx, viewer(c), t.ID, d.Category)
	var problems models.FieldErrors
	switch {
	case errors.As(err, &problems):
		d.Errors = components.ErrorsOf(ctx, problems)
		return s.showTemplate(c, http.StatusUnprocessableEntity, d)
	case errors.Is(err, service.ErrNotSubmitted):
		d.Errors = d.Errors.With("", errorText(c, err))
		return s.showTemplate(c, http.StatusUnprocessableEntity, d)
	case err != nil:
		return err
	}
	return s.leaveTemplate(c, "done.template_submitted")
}

func (s *Server) deleteTemplatePage(c echo.Context) error {
	t, err := s.templateOf(c)
	if err != nil {
		return err
	}
	return s.dialog(c, http.StatusOK, text(c, "template.delete_title", "name", t.Name), template.Delete(t, backOf(c)))
}

func (s *Server) deleteTemplate(c echo.Context) error {
	t, err := s.templateOf(c)
	if err != nil {
		return err
	}
	if err := s.service.DeleteTemplate(c.Request().Context(), viewer(c), t.ID); err != nil {
		return err
	}
	return s.leaveTemplate(c, "done.template_deleted")
}

// numberTemplates gives what the Behaviors of a number show of the templates of its account.
func (s *Server) numberTemplates(c echo.Context, account models.AccountID) (templ.Component, error) {
	const shown = 20
	rows, err := s.store.Templates(c.Request().Context(), store.TemplateFilter{Account: account, Rows: shown})
	return template.OfNumber(rows[:min(shown, len(rows))], account, c.Request().URL.Path, len(rows) > shown), err
}

// trimLines removes the carriage returns that forms send.
func trimLines(s string) string { return strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n")) }

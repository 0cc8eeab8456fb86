package web

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"kanal/models"
	"kanal/service"
	"kanal/store"
	"kanal/views"
	"kanal/views/components"
	"kanal/views/i18n"
	"kanal/views/template"
	"kanal/views/workstream"
)

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
	l := template.List{After: c.QueryParam("after"), Before: c.QueryParam("before"), Account: c.QueryParam("account"), Status: c.QueryParam("status"), Query: shorten(c.QueryParam("q"), 200), Admin: viewer(c).Role == models.Administrator, Now: s.store.Now()}
	f, err := filterOf(l)
	if err != nil {
		return l, err
	}
	if l.Accounts, err = s.templateAccounts(ctx); err != nil {
		return l, err
	}
	if l.Rows, err = s.store.Templates(ctx, f); err != nil {
		return l, err
	}
	more := len(l.Rows) > f.Rows
	switch f.Before {
	case 0:
		l.Rows = l.Rows[:min(f.Rows, len(l.Rows))]
		l.Next, l.Previous = more, f.After != 0
	default:
		l.Rows = l.Rows[max(0, len(l.Rows)-f.Rows):]
		l.Next, l.Previous = true, more
	}
	return l, nil
}

// filterOf reads what the address of a list asks for. ErrNotFound.
func filterOf(l template.List) (f store.TemplateFilter, err error) {
	f = store.TemplateFilter{Status: l.Status, Query: l.Query, Rows: store.TemplatePage}
	if l.Account != "" {
		f.Account, err = models.ParseID[models.AccountID](l.Account)
	}
	if l.After != "" && err == nil {
		f.After, err = models.ParseID[models.TemplateID](l.After)
	}
	if l.Before != "" && err == nil {
		f.Before, err = models.ParseID[models.TemplateID](l.Before)
	}
	return f, err
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

// leaveTemplate leads on from a dialog to the page that it was opened from. What is typed on that page stays: with htmx
// only its templates change, without it the page comes back with what it was left with.
func (s *Server) leaveTemplate(c echo.Context, account models.AccountID, key string) error {
	back := backOf(c)
	path, _, _ := strings.Cut(back, "?")
	switch {
	case back == "":
		return s.doneDialog(c, template.ListURL, key)
	case isPartial(c) && currentPath(c) == path:
		n, err := s.numberTemplates(c, account, back)
		if err != nil {
			return err
		}
		c.Response().Header().Set("HX-Reswap", "none")
		c.Response().Header().Set("HX-Trigger", "dialog:close")
		return s.part(c, http.StatusOK, templ.Join(template.ChangedOfNumber(n), components.OOBToast(text(c, key))))
	case field(c, keptPrefix+"version") != "":
		s.setCookie(c, flashCookie, key, time.Minute)
		c.Response().Header().Set("Cache-Control", "no-store")
		return c.Redirect(http.StatusTemporaryRedirect, back) // the same form again: it holds what was typed
	}
	return s.doneDialog(c, back, key)
}

// keptPrefix begins the names of the fields of another page on their way through the dialog.
const keptPrefix = "kept-"

// keptFields reads the fields of a Behaviors form, from that page or from the dialog.
func keptFields(c echo.Context, prefix string) []template.Kept {
	var kept []template.Kept
	for _, name := range []string{"version", "greeting_on", "greeting"} {
		if v := c.Request().PostFormValue(prefix + name); v != "" {
			kept = append(kept, template.Kept{Name: keptPrefix + name, Value: v})
		}
	}
	return kept
}

// addTemplateFrom shows the dialog to who has pressed Add on the Behaviors of a number, without script.
func (s *Server) addTemplateFrom(c echo.Context, account models.AccountID) error {
	return s.showTemplateForm(c, http.StatusOK, template.Form{Account: number(account), Back: ownAddress(c), Kept: keptFields(c, "")})
}

// keptBehaviors gives what was typed in the Behaviors of a number before the dialog was opened, with the version that it
// was typed on; "" when nothing has come through the dialog.
func keptBehaviors(c echo.Context) (t workstream.Settings, version string) {
	t.Greeting, t.GreetingText = on(c, keptPrefix+"greeting_on"), field(c, keptPrefix+"greeting")
	return t, field(c, keptPrefix+"version")
}

// ownAddress is the address of this page as a dialog leads back to it.
func ownAddress(c echo.Context) string {
	if c.QueryParam("return") == "summary" {
		return c.Request().URL.Path + "?return=summary"
	}
	return c.Request().URL.Path
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
		ContentSID: field(c, "content_sid"), Version: field(c, "version"), Back: backOf(c), Kept: keptFields(c, keptPrefix), FieldNames: map[string]string{},
	}
	for name := range c.Request().PostForm {
		if v, ok := strings.CutPrefix(name, models.NameField("")); ok {
			f.FieldNames[v] = field(c, name)
		}
	}
	return f, service.TemplateDetails{Name: f.Name, Language: f.Language, Body: f.Body, ContentSID: f.ContentSID, FieldNames: f.FieldNames}
}

func (s *Server) addTemplate(c echo.Context) error {
	ctx := c.Request().Context()
	f, in := typedTemplate(c)
	if field(c, "action") == "preview" {
		return s.showTemplateForm(c, http.StatusOK, f)
	}
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
	return s.leaveTemplate(c, account, "done.template_added")
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
	if field(c, "action") == "preview" {
		return s.showTemplateForm(c, http.StatusOK, f)
	}
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
	return s.leaveTemplate(c, t.AccountID, "done.template_saved")
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
	return s.leaveTemplate(c, t.AccountID, "done.template_submitted")
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
	return s.leaveTemplate(c, t.AccountID, "done.template_deleted")
}

// numberTemplates gives what the Behaviors of a number show of the templates of its account.
func (s *Server) numberTemplates(c echo.Context, account models.AccountID, back string) (template.NumberTemplates, error) {
	const shown = 20
	rows, err := s.store.Templates(c.Request().Context(), store.TemplateFilter{Account: account, Rows: shown})
	return template.NumberTemplates{Rows: rows[:min(shown, len(rows))], More: len(rows) > shown, Account: account, Back: back}, err
}

// templatesOn gives the same for a page with the form of that id.
func (s *Server) templatesOn(c echo.Context, account models.AccountID, form string) (templ.Component, error) {
	n, err := s.numberTemplates(c, account, ownAddress(c))
	n.Form = form
	return template.OfNumber(n), err
}

// trimLines removes the carriage returns that forms send.
func trimLines(s string) string { return strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n")) }

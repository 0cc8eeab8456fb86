package web

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"kanal/models"
	"kanal/service"
	"kanal/views"
	"kanal/views/components"
	"kanal/views/template"
)

// Rows of buttons and of a list that a new form shows.
const (
	firstButtons = 2
	firstItems   = 3
)

func (s *Server) makeTemplatePage(c echo.Context) error {
	kind := c.QueryParam("kind")
	if kind == "" {
		kind = models.KindOfText
	}
	return s.showMaker(c, http.StatusOK, template.Maker{
		Draft: models.TemplateDraft{Kind: kind}, Account: c.QueryParam("account"), Buttons: firstButtons, Items: firstItems,
	})
}

func (s *Server) showMaker(c echo.Context, status int, m template.Maker) (err error) {
	if !slices.Contains(models.TemplateKinds(), m.Draft.Kind) {
		return models.ErrNotFound
	}
	if m.Accounts, err = s.templateAccounts(c.Request().Context()); err != nil {
		return err
	}
	if m.Account == "" && len(m.Accounts) > 0 {
		m.Account = number(m.Accounts[0].ID)
	}
	page := s.adminPage(c, text(c, "template.make"))
	page.Failed = m.Errors.Any()
	return s.render(c, status, page, views.Admin(page, "templates", template.Make(m)), nil)
}

// madeTemplate reads what was filled in. Rows that are empty are left out.
func madeTemplate(c echo.Context) template.Maker {
	d := models.TemplateDraft{
		Name: field(c, "name"), Language: field(c, "language"), Category: field(c, "category"), Kind: field(c, "kind"), Header: field(c, "header"),
		Body: trimLines(c.Request().PostFormValue("body")), Footer: field(c, "footer"), Media: field(c, "media"), ListButton: field(c, "list_button"),
		Samples: map[string]string{},
	}
	m := template.Maker{Draft: d, Account: field(c, "account"), Buttons: rowsOf(c, "button_rows", firstButtons, models.MaxTemplateButtons), Items: rowsOf(c, "item_rows", firstItems, models.MaxListItems)}
	for i := 1; i <= models.MaxTemplateButtons; i++ {
		at := "button-" + strconv.Itoa(i)
		a := models.Action{Kind: field(c, at+"-kind"), Title: field(c, at+"-title"), Value: field(c, at+"-value")}
		if d.Kind == models.KindOfQuickReply {
			a.Kind = models.ActionQuickReply
		}
		if a.Title != "" || a.Value != "" {
			m.Draft.Buttons = append(m.Draft.Buttons, a)
		}
	}
	for i := 1; i <= models.MaxListItems; i++ {
		at := "item-" + strconv.Itoa(i)
		x := models.Choice{Title: field(c, at+"-title"), Description: field(c, at+"-description")}
		if x.Title != "" || x.Description != "" {
			m.Draft.Items = append(m.Draft.Items, x)
		}
	}
	for name := range c.Request().PostForm {
		if n, ok := strings.CutPrefix(name, "sample-"); ok {
			m.Draft.Samples[n] = c.Request().PostFormValue(name)
		}
	}
	return m
}

func rowsOf(c echo.Context, name string, least, most int) int {
	n, _ := strconv.Atoi(field(c, name))
	return min(max(n, least), most)
}

func (s *Server) makeTemplate(c echo.Context) error {
	m := madeTemplate(c)
	switch field(c, "action") {
	case "preview":
		return s.showMaker(c, http.StatusOK, m)
	case "button":
		m.Buttons = min(m.Buttons+1, models.MaxTemplateButtons)
		return s.showMaker(c, http.StatusOK, m)
	case "item":
		m.Items = min(m.Items+1, models.MaxListItems)
		return s.showMaker(c, http.StatusOK, m)
	}
	account, err := models.ParseID[models.AccountID](m.Account)
	if err != nil {
		return err
	}
	_, err = s.service.CreateTemplate(c.Request().Context(), viewer(c), account, m.Draft)
	return s.madeOrNot(c, m, err)
}

// madeOrNot answers how making a template went.
func (s *Server) madeOrNot(c echo.Context, m template.Maker, err error) error {
	ctx := c.Request().Context()
	var problems models.FieldErrors
	switch {
	case errors.As(err, &problems):
		m.Errors = components.ErrorsOf(ctx, named(problems, m.Draft.Language, c))
		return s.showMaker(c, http.StatusUnprocessableEntity, m)
	case errors.Is(err, service.ErrTemplateRefused), errors.Is(err, service.ErrTemplateUnsure):
		m.Errors = m.Errors.With("", errorText(c, err))
		return s.showMaker(c, http.StatusUnprocessableEntity, m)
	case errors.Is(err, service.ErrNotSubmitted):
		return s.done(c, template.ListURL, "done.template_not_submitted")
	case err != nil:
		return err
	case m.Draft.Submittable():
		return s.done(c, template.ListURL, "done.template_submitted")
	}
	return s.done(c, template.ListURL, "done.template_made")
}

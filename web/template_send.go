package web

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"kanal/models"
	"kanal/service"
	"kanal/store"
	"kanal/views/components"
	"kanal/views/inbox"
)

// pickTemplatePage shows the templates that may be sent in a conversation, and the one that was chosen.
func (s *Server) pickTemplatePage(c echo.Context) error {
	row, err := s.conversation(c)
	if err != nil {
		return err
	}
	if row.State == models.Closed {
		return models.E(models.KindConflict, "conversation.closed")
	}
	p, err := s.picker(c, row, c.QueryParam("t"))
	if err != nil {
		return err
	}
	if c.QueryParam("part") == "list" && isPartial(c) {
		return s.part(c, http.StatusOK, inbox.PickerList(p))
	}
	return s.showPicker(c, http.StatusOK, p)
}

func (s *Server) showPicker(c echo.Context, status int, p inbox.Picker) error {
	return s.inboxDialog(c, status, text(c, "pick.title", "name", threadTitle(p.Row)), inbox.PickerDialog(p))
}

// picker reads what the dialog shows. chosen names a template; without it the first of the list is shown.
func (s *Server) picker(c echo.Context, row models.ConversationRow, chosen string) (inbox.Picker, error) {
	ctx, me := c.Request().Context(), personOf(c)
	p := inbox.Picker{
		Row: row, Query: strings.TrimSpace(c.QueryParam("q")), Key: newClientKey(), Admin: me.viewer.Role != models.Agent,
		When:   c.FormValue("when"),
		Viewer: me.viewer, Agent: me.user.Name, Asked: chosen != "",
	}
	number, err := s.store.Number(ctx, row.NumberID)
	if err != nil {
		return p, err
	}
	if err := s.listTemplates(c, &p, number); err != nil {
		return p, err
	}
	if p.Waiting, err = s.store.WaitingTemplates(ctx, row.AccountID); err != nil {
		return p, err
	}
	if err := s.chooseTemplate(c, &p, number, chosen); err != nil || p.Chosen == nil {
		return p, err
	}
	said, err := s.store.ConsentState(ctx, row.AccountID, row.ContactID)
	p.Refusal = said.Template(p.Chosen.Category, row.Window(), row.Now(s.store.Now()))
	return p, err
}

// listTemplates reads the list: the customer's language first, else the number's. The sandbox has its own templates, and
// sends no other that WhatsApp has approved.
func (s *Server) listTemplates(c echo.Context, p *inbox.Picker, number models.Number) error {
	contact, _, err := s.store.Contact(c.Request().Context(), p.Row.ContactID)
	if err != nil {
		return err
	}
	choice := store.TemplateChoice{
		Account: p.Row.AccountID, WindowOpen: p.Row.Window().IsOpen(p.Row.Now(s.store.Now())), Language: contact.Language, Query: p.Query,
	}
	if choice.Language == "" {
		choice.Language = number.Language
	}
	ts, err := s.store.UsableTemplates(c.Request().Context(), choice)
	if p.More = len(ts) > store.TemplatePage; p.More {
		ts = ts[:store.TemplatePage]
	}
	if number.Address == models.SandboxNumber {
		ts = slices.DeleteFunc(ts, func(t models.Template) bool { return t.ContentSID != "" })
	}
	for _, t := range service.SandboxTemplates(number) {
		if strings.Contains(strings.ToLower(t.Name+"\n"+t.Body), strings.ToLower(p.Query)) {
			p.Templates = append(p.Templates, t)
		}
	}
	p.Templates = append(p.Templates, ts...)
	return err
}

// chooseTemplate finds the template that was chosen. One that cannot be sent now is shown and says so.
func (s *Server) chooseTemplate(c echo.Context, p *inbox.Picker, number models.Number, chosen string) error {
	if chosen == "" {
		if len(p.Templates) > 0 {
			p.Chosen = &p.Templates[0]
		}
		return nil
	}
	use, err := templateNamed(chosen)
	if err != nil {
		return err
	}
	for _, t := range service.SandboxTemplates(number) {
		if t.ContentSID == use.ContentSID {
			p.Chosen = &t
			return nil
		}
	}
	t, err := s.store.TemplateOf(c.Request().Context(), p.Row.AccountID, use.Template)
	if err != nil {
		return err
	}
	p.Chosen = &t
	if !t.Usable(p.Row.Window().IsOpen(p.Row.Now(s.store.Now()))) {
		p.Stopped = true
		p.Errors = p.Errors.With("", errorText(c, service.ErrTemplateStopped))
	}
	return nil
}

// templateNamed reads which template a form or an address names. ErrNotFound.
func templateNamed(key string) (service.TemplateUse, error) {
	if strings.HasPrefix(key, "HX") {
		return service.TemplateUse{ContentSID: key}, nil
	}
	id, err := models.ParseID[models.TemplateID](key)
	return service.TemplateUse{Template: id}, err
}

// templateUse reads the template of a form with the values of its fields. ErrNotFound.
func templateUse(c echo.Context) (service.TemplateUse, error) {
	use, err := templateNamed(field(c, "t"))
	use.Values = typedValues(c)
	return use, err
}

// typedValues reads what was typed for the variables of a template.
func typedValues(c echo.Context) map[string]string {
	values := map[string]string{}
	for name, v := range c.Request().PostForm {
		if variable, ok := strings.CutPrefix(name, models.ValueField("")); ok {
			values[variable] = strings.TrimSpace(v[0])
		}
	}
	return values
}

// sendTemplate takes in a template with the values of its fields; it is sent now, or its time is asked for.
func (s *Server) sendTemplate(c echo.Context) error {
	row, err := s.conversation(c)
	if err != nil {
		return err
	}
	use, err := templateUse(c)
	if err != nil {
		return err
	}
	in := service.Reply{Conversation: row.ID, Key: field(c, "client_key"), Decision: decision(c), Template: &use}
	if field(c, "later") != "" {
		return s.templateLater(c, row, in, field(c, "when"))
	}
	if _, err := s.service.Reply(c.Request().Context(), personOf(c).viewer, in); err != nil {
		return s.templateRefused(c, in, err)
	}
	if isPartial(c) && !strings.HasSuffix(currentPath(c), "/templates") {
		c.Response().Header().Set("HX-Trigger", "dialog:close")
		return s.toast(c, "done.template_sent")
	}
	return s.doneDialog(c, "/inbox/"+number(row.ID), "done.template_sent")
}

// templateRefused shows the dialog again with what was typed and what is wrong, or the question who answers.
func (s *Server) templateRefused(c echo.Context, in service.Reply, err error) error {
	var fields models.FieldErrors
	status := http.StatusUnprocessableEntity
	switch {
	case errors.Is(err, service.ErrOtherAgent):
		status = http.StatusConflict
	case models.KindOf(err) != models.KindInvalid:
		return err
	}
	ctx := c.Request().Context()
	row, readErr := s.store.Conversation(ctx, personOf(c).viewer, in.Conversation)
	if readErr != nil {
		return readErr
	}
	p, readErr := s.picker(c, row, field(c, "t"))
	if readErr != nil {
		return readErr
	}
	p.Key, p.Values = in.Key, in.Template.Values
	switch {
	case errors.As(err, &fields):
		p.Errors = components.ErrorsOf(ctx, fields)
	case p.Refusal == models.ConsentAllows && !p.Stopped:
		p.Errors = p.Errors.With("", errorText(c, err))
	}
	return s.showPicker(c, status, p)
}

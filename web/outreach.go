package web

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"kanal/models"
	"kanal/service"
	"kanal/views/components"
	"kanal/views/customer"
	"kanal/views/i18n"
	"kanal/views/inbox"
)

// maxMatches bounds how many customers with a name are offered.
const maxMatches = 10

// outreachPage asks whom to write to first.
func (s *Server) outreachPage(c echo.Context) error {
	o, err := s.outreach(c, c.QueryParam("customer"))
	if err != nil {
		return err
	}
	if o.Back = ownPath(c.QueryParam("back")); o.Back == "" {
		o.Back = "/inbox"
	}
	return s.showOutreach(c, http.StatusOK, o)
}

func (s *Server) showOutreach(c echo.Context, status int, o inbox.Outreach) error {
	return s.inboxDialog(c, status, text(c, "outreach.title"), inbox.OutreachDialog(o))
}

// outreach reads what the dialog shows; contact names a customer who is known, "" when a number is to be written.
func (s *Server) outreach(c echo.Context, contact string) (o inbox.Outreach, err error) {
	ctx := c.Request().Context()
	if o.Numbers, err = s.store.NumbersToStart(ctx, viewer(c)); err != nil || contact == "" {
		return o, err
	}
	id, err := models.ParseID[models.ContactID](contact)
	if err != nil {
		return o, err
	}
	known, ids, err := s.store.Customer(ctx, viewer(c), id)
	if err != nil {
		return o, err
	}
	o.Contact, o.Name, o.Known = contact, customer.Name(ctx, known, ids), len(o.Numbers) > 0
	for _, n := range o.Numbers {
		state, err := s.store.ConsentState(ctx, n.AccountID, id)
		if err != nil {
			return o, err
		}
		o.Known = o.Known && state.OptedIn("")
	}
	return o, nil
}

// startConversation gives the agent the conversation with whom the form names, and leads on to the templates.
func (s *Server) startConversation(c echo.Context) error {
	o, err := s.outreach(c, field(c, "contact"))
	if err != nil {
		return err
	}
	o.To, o.Number, o.Consent, o.Note = field(c, "to"), field(c, "number"), on(c, "consent"), field(c, "note")
	if o.Back = ownPath(field(c, "back")); o.Back == "" {
		o.Back = "/inbox"
	}
	in := service.Outreach{To: o.To, Consent: o.Consent, Note: o.Note}
	in.Number, _ = models.ParseID[models.NumberID](o.Number) // 0 is no number: refused
	in.Contact, _ = models.ParseID[models.ContactID](o.Contact)
	if isName(o) {
		return s.offerCustomers(c, o)
	}
	id, err := s.service.StartConversation(c.Request().Context(), viewer(c), in)
	if err != nil {
		return s.outreachRefused(c, o, err)
	}
	if isPartial(c) {
		c.Response().Header().Set("HX-Redirect", afterStart(id))
		return c.NoContent(http.StatusNoContent)
	}
	return s.redirect(c, afterStart(id))
}

// afterStart is where an agent goes on with a conversation that was started: to the templates.
func afterStart(id models.ConversationID) string { return "/inbox/" + number(id) + "/templates" }

// isName tells whether what was written for a number is the name of a customer.
func isName(o inbox.Outreach) bool {
	return o.Contact == "" && o.To != "" && !strings.ContainsAny(o.To, "0123456789")
}

func (s *Server) outreachRefused(c echo.Context, o inbox.Outreach, err error) error {
	var problems models.FieldErrors
	switch {
	case errors.As(err, &problems):
		o.Errors = components.ErrorsOf(c.Request().Context(), problems)
		return s.showOutreach(c, http.StatusUnprocessableEntity, o)
	case models.KindOf(err) == models.KindConflict:
		o.Taken = errorText(c, err)
		return s.showOutreach(c, http.StatusConflict, o)
	}
	return err
}

// offerCustomers lets the agent choose among the customers with a name.
func (s *Server) offerCustomers(c echo.Context, o inbox.Outreach) (err error) {
	ctx := c.Request().Context()
	found, err := s.store.CustomersNamed(ctx, viewer(c), o.To, maxMatches)
	if err != nil {
		return err
	}
	if o.Matches, err = s.matches(ctx, found); err != nil {
		return err
	}
	problem := models.FieldErrors{{Field: "contact", Key: "outreach.choose"}}
	if len(found) == 0 {
		problem = models.FieldErrors{{Field: "to", Key: "outreach.no_match", Args: []any{"name", o.To}}}
	}
	o.Errors = components.ErrorsOf(ctx, problem)
	return s.showOutreach(c, http.StatusUnprocessableEntity, o)
}

func (s *Server) matches(ctx context.Context, found []models.Contact) ([]components.Option, error) {
	ids := make([]models.ContactID, len(found))
	for i, k := range found {
		ids[i] = k.ID
	}
	phones, err := s.store.PhonesOf(ctx, ids)
	out := make([]components.Option, len(found))
	for i, k := range found {
		out[i] = components.Option{Value: number(k.ID), Label: k.DisplayName(), Hint: i18n.Phone(phones[k.ID])}
	}
	return out, err
}

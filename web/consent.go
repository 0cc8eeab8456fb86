package web

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"kanal/models"
	"kanal/service"
	"kanal/views/components"
	"kanal/views/customer"
)

// consentForm begins the form that records what the customer of the path has said to an account.
func (s *Server) consentForm(c echo.Context, account string) (customer.ConsentForm, error) {
	known, ids, err := s.customerOf(c)
	if err != nil {
		return customer.ConsentForm{}, err
	}
	f := customer.ConsentForm{Contact: known.ID, Name: customer.Name(c.Request().Context(), known, ids), Scope: string(models.ConsentAll)}
	f.Account, err = models.ParseID[models.AccountID](account)
	return f, err
}

func (s *Server) consentPage(c echo.Context) error {
	f, err := s.consentForm(c, c.QueryParam("account"))
	if err != nil {
		return err
	}
	f.Given, f.Back = c.QueryParam("given") != "", backTo(f.Contact, c.QueryParam("back"))
	return s.showConsent(c, http.StatusOK, f)
}

func (s *Server) showConsent(c echo.Context, status int, f customer.ConsentForm) error {
	return s.inboxDialog(c, status, customer.ConsentTitle(c.Request().Context(), f), customer.Consent(f))
}

func (s *Server) recordConsent(c echo.Context) error {
	ctx := c.Request().Context()
	f, err := s.consentForm(c, field(c, "account"))
	if err != nil {
		return err
	}
	f.Given, f.Scope, f.Note, f.Back = on(c, "given"), field(c, "scope"), field(c, "note"), backTo(f.Contact, field(c, "back"))
	err = s.service.RecordConsent(ctx, viewer(c), f.Contact, service.ConsentForm{
		Account: f.Account, Scope: models.ConsentScope(f.Scope), Given: f.Given, Note: f.Note,
	})
	var problems models.FieldErrors
	switch {
	case err == nil:
		return s.doneDialog(c, f.Back, "done.consent_saved")
	case errors.As(err, &problems):
		f.Errors = components.ErrorsOf(ctx, problems)
	case errors.Is(err, service.ErrOnlyCustomer):
		f.Errors = f.Errors.With("", errorText(c, err))
	default:
		return err
	}
	return s.showConsent(c, http.StatusUnprocessableEntity, f)
}

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
	"kanal/views/customer"
)

// maxHistory bounds what the page of a customer lists of conversations and consents.
const maxHistory = 100

// customerOf reads the customer of the path as the viewer may see them.
func (s *Server) customerOf(c echo.Context) (models.Contact, []models.ContactIdentity, error) {
	id, err := models.ParseID[models.ContactID](c.Param("customer"))
	if err != nil {
		return models.Contact{}, nil, err
	}
	return s.store.Customer(c.Request().Context(), viewer(c), id)
}

// customerPage shows what is known of a customer.
func (s *Server) customerPage(c echo.Context) error {
	p, err := s.knownCustomer(c)
	if err != nil {
		return err
	}
	page := s.inboxFrame(c, customer.Name(c.Request().Context(), p.Contact, p.Identities))
	return s.render(c, http.StatusOK, page, views.Plain(page, customer.Show(p)), nil)
}

func (s *Server) knownCustomer(c echo.Context) (p customer.Page, err error) {
	ctx, v := c.Request().Context(), viewer(c)
	p.Now = s.store.Now()
	if p.Contact, p.Identities, err = s.customerOf(c); err != nil {
		return p, err
	}
	if p.Conversations, err = s.store.CustomerConversations(ctx, v, p.Contact.ID, maxHistory); err != nil {
		return p, err
	}
	if p.History, err = s.store.Consents(ctx, v, p.Contact.ID, maxHistory); err != nil {
		return p, err
	}
	if p.Contact.BlockedBy != nil {
		by, err := s.store.User(ctx, *p.Contact.BlockedBy)
		if err != nil {
			return p, err
		}
		p.BlockedBy = by.Name
	}
	accounts, err := s.store.CustomerAccounts(ctx, v, p.Contact.ID)
	for _, a := range accounts {
		state, err := s.store.ConsentState(ctx, a.ID, p.Contact.ID)
		if err != nil {
			return p, err
		}
		p.Accounts = append(p.Accounts, customer.Account{ID: a.ID, Name: a.Name, State: state})
	}
	return p, err
}

// backTo gives the page that a dialog about a customer leads back to.
func backTo(id models.ContactID, asked string) string {
	if back := ownPath(asked); back != "" {
		return back
	}
	return customer.URL(id, "")
}

func (s *Server) editCustomerPage(c echo.Context) error {
	known, _, err := s.customerOf(c)
	if err != nil {
		return err
	}
	return s.showCustomerForm(c, http.StatusOK, customer.FormOf(known, backTo(known.ID, c.QueryParam("back"))))
}

func (s *Server) showCustomerForm(c echo.Context, status int, f customer.Form) error {
	return s.inboxDialog(c, status, text(c, "customer.edit"), customer.Edit(f))
}

func (s *Server) changeCustomer(c echo.Context) error {
	ctx := c.Request().Context()
	known, _, err := s.customerOf(c)
	if err != nil {
		return err
	}
	f := customer.FormOf(known, backTo(known.ID, field(c, "back")))
	f.Name, f.Language, f.Version = field(c, "name"), field(c, "language"), field(c, "version")
	err = s.service.ChangeCustomer(ctx, viewer(c), known.ID, service.CustomerForm{Name: f.Name, Language: f.Language}, editOf(c))
	var problems models.FieldErrors
	switch {
	case err == nil:
		return s.doneDialog(c, f.Back, "done.customer_saved")
	case errors.As(err, &problems):
		f.Errors = components.ErrorsOf(ctx, problems)
		return s.showCustomerForm(c, http.StatusUnprocessableEntity, f)
	case errors.Is(err, store.ErrStale):
		if known, _, err = s.customerOf(c); err != nil {
			return err
		}
		return s.showCustomerForm(c, http.StatusConflict, f.Against(ctx, known))
	}
	return err
}

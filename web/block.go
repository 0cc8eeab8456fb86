package web

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"kanal/views/customer"
)

func (s *Server) blockCustomerPage(c echo.Context) error {
	known, ids, err := s.customerOf(c)
	if err != nil {
		return err
	}
	name := customer.Name(c.Request().Context(), known, ids)
	body := customer.Block(known.ID, name, backTo(known.ID, c.QueryParam("back")))
	return s.inboxDialog(c, http.StatusOK, text(c, "customer.block_title", "name", name), body)
}

func (s *Server) blockCustomer(c echo.Context) error {
	known, _, err := s.customerOf(c)
	if err != nil {
		return err
	}
	if err := s.service.BlockCustomer(c.Request().Context(), viewer(c), known.ID); err != nil {
		return err
	}
	return s.doneDialog(c, backTo(known.ID, field(c, "back")), "done.customer_blocked")
}

func (s *Server) unblockCustomer(c echo.Context) error {
	known, _, err := s.customerOf(c)
	if err != nil {
		return err
	}
	if err := s.service.UnblockCustomer(c.Request().Context(), viewer(c), known.ID); err != nil {
		return err
	}
	return s.done(c, customer.URL(known.ID, ""), "done.customer_unblocked")
}

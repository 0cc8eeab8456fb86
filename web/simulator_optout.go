package web

import (
	"github.com/labstack/echo/v4"

	"kanal/twilio/simulator"
	"kanal/views/i18n"
)

// phoneName names a simulated customer; one whom the center has written to first has a number only.
func phoneName(c simulator.Customer) string {
	if c.Name == "" {
		return i18n.Phone(c.Address.Phone())
	}
	return c.Name
}

// setRefusal says whether Twilio acts on stop words of the account, and whether the customer blocks its numbers.
func (s *Server) setRefusal(c echo.Context) error {
	at, err := s.play(c)
	if err != nil {
		return err
	}
	s.sim.SetAdvancedOptOut(at.account.SID, on(c, "at_twilio"))
	s.sim.SetBlocks(at.account.SID, at.customer.Address, on(c, "blocks"))
	return s.done(c, at.place().URL(""), "done.simulator_refusal")
}

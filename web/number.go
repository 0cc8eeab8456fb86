package web

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"kanal/models"
	"kanal/service"
	"kanal/store"
	"kanal/views/account"
	"kanal/views/components"
	"kanal/views/i18n"
)

// numberForm gives what the third step shows open: a number to change, one to add, or what was typed before the person
// went back.
func (s *Server) numberForm(c echo.Context, id models.AccountID) (account.NumberForm, error) {
	if edit := c.QueryParam("edit"); edit != "" {
		n, err := s.numberOf(c, id, edit)
		return account.NumberForm{Open: true, ID: number(n.ID), Version: strconv.Itoa(n.Version), Name: n.Name, Address: i18n.Phone(n.Address), Pace: paceText(n.Pace)}, err
	}
	f := keptNumber(c, id)
	f.Open = f.Open || c.QueryParam("add") != ""
	return f, nil
}

// numberOf gives a number of the account by the text of its id.
func (s *Server) numberOf(c echo.Context, account models.AccountID, text string) (models.NumberRow, error) {
	id, err := models.ParseID[models.NumberID](text)
	if err != nil {
		return models.NumberRow{}, err
	}
	return s.store.NumberOf(c.Request().Context(), account, id)
}

// numberCookie keeps a number that was typed and not added, so that going back does not lose it.
const (
	numberCookie = "number"
	numberKept   = time.Hour
)

func keptNumber(c echo.Context, id models.AccountID) account.NumberForm {
	kept, err := url.ParseQuery(cookieOf(c, numberCookie))
	if err != nil || kept.Get("account") != number(id) {
		return account.NumberForm{}
	}
	return account.NumberForm{Open: true, Name: kept.Get("name"), Address: kept.Get("address"), Pace: kept.Get("pace")}
}

func (s *Server) keepNumber(c echo.Context, id models.AccountID, f account.NumberForm) {
	if f.ID != "" || f.Name == "" && f.Address == "" {
		s.forgetNumber(c)
		return
	}
	kept := url.Values{"account": {number(id)}, "name": {shorten(f.Name, 400)}, "address": {shorten(f.Address, 100)}, "pace": {shorten(f.Pace, 20)}}
	s.setCookie(c, numberCookie, kept.Encode(), numberKept)
}

func (s *Server) forgetNumber(c echo.Context) { s.setCookie(c, numberCookie, "", -1) }

// saveNumbers is the third step. Next adds what is typed, too.
func (s *Server) saveNumbers(c echo.Context, a models.Account) error {
	f := account.NumberForm{ID: field(c, "number"), Version: field(c, "number_version"), Name: field(c, "name"), Address: field(c, "address"), Pace: field(c, "pace")}
	typed := f.Name != "" || f.Address != ""
	switch action := field(c, "action"); {
	case action == "back" || action == "save":
		s.keepNumber(c, a.ID, f)
		return s.leaveStep(c, a, models.StepNumbers)
	case action == "cancel":
		s.forgetNumber(c)
		return s.redirect(c, account.StepURL(a.ID, models.StepNumbers))
	case action == "add" || typed:
		key, err := s.saveNumber(c, a.ID, f)
		if err != nil {
			return s.refuseNumber(c, a, f, err)
		}
		s.forgetNumber(c)
		if action == "add" {
			return s.done(c, account.StepURL(a.ID, models.StepNumbers), key)
		}
	}
	if err := s.service.CompleteNumbers(c.Request().Context(), viewer(c), a.ID); err != nil {
		return s.refuseNumber(c, a, account.NumberForm{}, err)
	}
	return s.leaveStep(c, a, models.StepNumbers)
}

// saveNumber adds or changes the number of the form and gives the confirmation.
func (s *Server) saveNumber(c echo.Context, id models.AccountID, f account.NumberForm) (string, error) {
	ctx := c.Request().Context()
	in := service.NumberDetails{Name: f.Name, Address: f.Address, Pace: f.Pace}
	if f.ID == "" {
		_, err := s.service.AddNumber(ctx, viewer(c), id, in)
		return "done.number_added", err
	}
	var err error
	if in.ID, err = models.ParseID[models.NumberID](f.ID); err != nil {
		return "", err
	}
	version, _ := strconv.Atoi(f.Version) // 0 is no version: the change is refused
	return "done.number_saved", s.service.EditNumber(ctx, viewer(c), id, in, service.Edit{Version: version})
}

// refuseNumber shows the third step again with what was typed.
func (s *Server) refuseNumber(c echo.Context, a models.Account, f account.NumberForm, why error) error {
	theirs, err := models.NumberRow{}, error(nil)
	if f.ID != "" {
		if theirs, err = s.numberOf(c, a.ID, f.ID); err != nil {
			return err
		}
		f.Version = strconv.Itoa(theirs.Version)
	}
	return s.refuseStep(c, refusal{a.ID, models.StepNumbers, why}, func(show *account.Setup) {
		f.Open = f.Name != "" || f.Address != "" || f.ID != "" || field(c, "action") == "add"
		show.Number = f
		show.Conflict = components.Differing(
			components.ConflictRow{Label: text(c, "account.name"), Theirs: theirs.Name, Yours: f.Name},
			components.ConflictRow{Label: text(c, "account.number"), Theirs: i18n.Phone(theirs.Address), Yours: i18n.Phone(strings.ReplaceAll(f.Address, " ", ""))},
		)
	})
}

func (s *Server) removeNumberPage(c echo.Context) error {
	return s.showRemoveNumber(c, http.StatusOK)
}

func (s *Server) showRemoveNumber(c echo.Context, status int) error {
	a, err := s.accountOf(c)
	if err != nil {
		return err
	}
	n, err := s.numberOf(c, a.ID, c.Param("number"))
	if err != nil {
		return err
	}
	return s.dialog(c, status, text(c, "number.remove_title", "name", n.Name), account.Remove(n))
}

func (s *Server) removeNumber(c echo.Context) error {
	a, err := s.accountOf(c)
	if err != nil {
		return err
	}
	n, err := s.numberOf(c, a.ID, c.Param("number"))
	if err != nil {
		return err
	}
	err = s.service.RemoveNumber(c.Request().Context(), viewer(c), a.ID, n.ID)
	if errors.Is(err, store.ErrInUse) {
		return s.showRemoveNumber(c, http.StatusConflict)
	}
	if err != nil {
		return err
	}
	return s.doneDialog(c, account.StepURL(a.ID, models.StepNumbers), "done.number_removed")
}

func (s *Server) sendersPage(c echo.Context) error {
	a, err := s.accountOf(c)
	if err != nil {
		return err
	}
	return s.showSenders(c, http.StatusOK, a, nil)
}

// showSenders lists the senders that the account has at Twilio and not here.
func (s *Server) showSenders(c echo.Context, status int, a models.Account, problems models.FieldErrors) error {
	ctx := c.Request().Context()
	senders, err := s.service.Senders(ctx, a.ID)
	if err != nil {
		return err
	}
	list := make([]account.Sender, len(senders))
	for i, x := range senders {
		list[i] = account.Sender{SID: x.SID, Name: x.Name, Number: x.Address.Phone(), Status: x.Status, Chosen: len(senders) == 1}
	}
	return s.dialog(c, status, text(c, "number.senders_title"), account.Senders(a, list, components.ErrorsOf(ctx, problems)))
}

func (s *Server) addSenders(c echo.Context) error {
	a, err := s.accountOf(c)
	if err != nil {
		return err
	}
	var chosen []string
	for name := range c.Request().PostForm {
		if sid, ok := strings.CutPrefix(name, "sender-"); ok {
			chosen = append(chosen, sid)
		}
	}
	err = s.service.AddSenders(c.Request().Context(), viewer(c), a.ID, chosen)
	var problems models.FieldErrors
	if errors.As(err, &problems) {
		return s.showSenders(c, http.StatusUnprocessableEntity, a, problems)
	}
	if err != nil {
		return err
	}
	return s.doneDialog(c, account.StepURL(a.ID, models.StepNumbers), "done.numbers_added")
}

// paceText shows a pace as it is typed: nothing for the usual one.
func paceText(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

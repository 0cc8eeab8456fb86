package web

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"kanal/models"
	"kanal/twilio/simulator"
	simview "kanal/views/simulator"
)

// shownContents is how many templates the simulator's page shows.
const shownContents = 30

// contentsView gives the newest templates of an account with what WhatsApp may do with each.
func (s *Server) contentsView(sid string) []simview.Content {
	var out []simview.Content
	for _, c := range s.sim.Contents(sid) {
		if len(out) == shownContents {
			break
		}
		out = append(out, simview.Content{SID: c.SID, Name: c.Name, Language: c.Language, Status: c.Approval.Status, Reason: c.Approval.Reason})
	}
	return out
}

// templateOnPhone gives a template as it stands on the phone; nil for a message that is none.
func templateOnPhone(m simulator.Message) *simview.Shown {
	if m.Shown == nil {
		return nil
	}
	v := simview.Shown{Header: m.Shown.Header, Footer: m.Shown.Footer, Media: m.Shown.Media, Button: m.Shown.Button}
	for i, t := range m.Shown.Actions {
		v.Taps = append(v.Taps, simview.Tap{Value: "a" + strconv.Itoa(i), Title: t.Title, Answers: t.Kind == models.ActionQuickReply, More: t.Value})
	}
	for i, t := range m.Shown.Items {
		v.Taps = append(v.Taps, simview.Tap{Value: "i" + strconv.Itoa(i), Title: t.Title, Answers: true, More: t.More})
	}
	return &v
}

// tapOf finds what was tapped and gives what the customer sends with it.
func tapOf(m simulator.Message, tap string) (simulator.Write, bool) {
	if m.Shown == nil || tap == "" {
		return simulator.Write{}, false
	}
	i, err := strconv.Atoi(tap[1:])
	list, kind := m.Shown.Actions, "reply_button"
	switch {
	case strings.HasPrefix(tap, "i"):
		list, kind = m.Shown.Items, "list_reply"
	case m.Shown.Approved:
		kind = "button"
	}
	if err != nil || i < 0 || i >= len(list) || kind != "list_reply" && list[i].Kind != models.ActionQuickReply {
		return simulator.Write{}, false
	}
	return simulator.Write{Kind: kind, Body: list[i].Title, Payload: list[i].Value, Reply: m.SID}, true
}

// simulateTap lets the customer tap a button or a row of a list.
func (s *Server) simulateTap(c echo.Context) error {
	at, err := s.play(c)
	if err != nil {
		return err
	}
	thread := s.sim.Thread(at.account.SID, at.customer.Address, at.sender.Number)
	i := slices.IndexFunc(thread, func(m simulator.Message) bool { return m.SID == field(c, "message") && m.Direction != "inbound" })
	if i < 0 {
		return models.ErrNotFound
	}
	w, ok := tapOf(thread[i], field(c, "tap"))
	if !ok {
		return models.ErrNotFound
	}
	w.Customer, w.Number = at.customer.Address, at.sender.Number
	select {
	case <-s.sim.Send(at.account.SID, w):
	case <-time.After(answerWait):
	case <-c.Request().Context().Done():
	}
	return s.redirect(c, at.place().URL(""))
}

// decideTemplate does what WhatsApp does with a template.
func (s *Server) decideTemplate(c echo.Context) error {
	at, err := s.play(c)
	if err != nil {
		return err
	}
	status, reason := field(c, "status"), ""
	switch status {
	case "approved":
	case "rejected":
		reason = "TAG_CONTENT_MISMATCH"
	case "paused":
		reason = "LOW_QUALITY"
	default:
		return errUnreadable
	}
	if !s.sim.Decide(at.account.SID, field(c, "content"), status, reason) {
		return models.ErrNotFound
	}
	return s.done(c, at.place().URL(""), "done.simulator_template")
}

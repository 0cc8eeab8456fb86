package web

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"kanal/models"
	"kanal/twilio"
	"kanal/twilio/simulator"
	"kanal/views"
	simview "kanal/views/simulator"
)

// shownEvents is how many rows the log shows.
const shownEvents = 50

// hookPart is the unguessable part of a webhook's address, as it is and as a value of a form.
var hookPart = regexp.MustCompile(`(/hooks/twilio/|%2Fhooks%2Ftwilio%2F)[A-Za-z0-9_-]+`)

// mask hides what must not be shown: the unguessable part of webhook addresses.
func mask(text string) string { return hookPart.ReplaceAllString(text, "${1}***") }

// simEvents gives the log of an account, the newest first.
func (s *Server) simEvents(c echo.Context, at playing) []simview.Event {
	entries := s.sim.Newest(at.account.SID, shownEvents)
	out := make([]simview.Event, 0, len(entries))
	for _, e := range slices.Backward(entries) {
		n := strconv.FormatInt(e.N, 10)
		v := simview.Event{ID: n, At: e.At, Out: outbound(e), What: eventName(e), Status: e.Status, Faults: faultsView(e), URL: at.place().URL("events/" + n)}
		if e.Status == http.StatusForbidden && !v.Out {
			v.Note = text(c, "simulator.event_signature")
		}
		if e.Code != 0 {
			v.Note = strconv.Itoa(e.Code)
		}
		out = append(out, v)
	}
	return out
}

func faultsView(e simulator.Entry) []string {
	var out []string
	for _, f := range e.Faults {
		out = append(out, string(f))
	}
	return out
}

// outbound tells whether the center called Twilio.
func outbound(e simulator.Entry) bool { return e.What == "create" || e.What == "typing" }

// eventName gives what a row of the log says.
func eventName(e simulator.Entry) string {
	switch e.What {
	case "create":
		return "POST Messages.json"
	case "typing":
		return "POST Indicators/Typing.json"
	case "status":
		return "status: " + e.Params.Get("MessageStatus") + " " + shortSID(e.SID)
	}
	u, err := url.Parse(e.URL)
	if err != nil {
		return "POST"
	}
	return "POST " + mask(u.Path)
}

func shortSID(sid string) string {
	if len(sid) < 8 {
		return sid
	}
	return sid[:4] + "…" + sid[len(sid)-2:]
}

// simulatorEvent opens one row of the log: a dialog, or a page of its own.
func (s *Server) simulatorEvent(c echo.Context) error {
	at, err := s.play(c)
	if err != nil {
		return err
	}
	n, err := strconv.ParseInt(c.Param("entry"), 10, 64)
	if err != nil {
		return models.ErrNotFound
	}
	e, ok := s.sim.Entry(at.account.SID, n)
	if !ok {
		return models.ErrNotFound
	}
	page := s.page(c, eventName(e))
	page.Rail.Active = "simulator"
	body := simview.Opened(requestOf(at, e))
	return s.render(c, http.StatusOK, page, views.DialogPage(page, body), body)
}

// requestOf writes a request as it went over the line, with secrets masked.
func requestOf(at playing, e simulator.Entry) simview.Request {
	address, headers := mask(e.URL), []string{"Content-Type: application/x-www-form-urlencoded"}
	if outbound(e) {
		if e.What == "create" {
			address = "https://api.twilio.com/2010-04-01/Accounts/" + at.account.SID + "/Messages.json"
		}
		headers = append(headers, "Authorization: Basic ***")
	} else {
		headers = append(headers, twilio.SignatureHeader+": ***", "I-Twilio-Idempotency-Token: "+e.Token, "User-Agent: TwilioProxy/1.1")
	}
	params := paramsOf(e.Params)
	return simview.Request{
		Title: eventName(e), Back: at.place().URL(""), At: e.At, Took: e.Duration, Faults: faultsView(e), Status: e.Status, Answer: mask(e.Answer),
		Text: "POST " + address + "\n" + strings.Join(headers, "\n") + "\n\n" + strings.Join(params, "\n"),
		Curl: curl(address, at.account.SID, headers, params),
	}
}

// paramsOf lists the fields of a form by name, masked.
func paramsOf(form url.Values) []string {
	names := make([]string, 0, len(form))
	for name := range form {
		names = append(names, name)
	}
	sort.Strings(names)
	var out []string
	for _, name := range names {
		for _, v := range form[name] {
			out = append(out, name+"="+mask(v))
		}
	}
	return out
}

// curl writes the request as a command; what is masked has to be filled in.
func curl(address, sid string, headers, params []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "curl -X POST %s", quoted(address))
	for _, h := range headers {
		switch {
		case strings.HasPrefix(h, "Authorization:"):
			fmt.Fprintf(&b, " \\\n  -u %s", quoted(sid+":***"))
		case !strings.HasPrefix(h, "Content-Type:"):
			fmt.Fprintf(&b, " \\\n  -H %s", quoted(h))
		}
	}
	for _, p := range params {
		fmt.Fprintf(&b, " \\\n  --data-urlencode %s", quoted(p))
	}
	return b.String()
}

// quoted writes a word of a shell.
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

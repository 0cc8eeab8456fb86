package web

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"kanal/models"
	"kanal/service"
	"kanal/twilio"
	"kanal/twilio/simulator"
	"kanal/views"
	"kanal/views/components"
	"kanal/views/i18n"
	simview "kanal/views/simulator"
)

const (
	firstNumber   = "+4721000040" // of the first simulated account; the others count on
	skipBy        = 20 * time.Hour
	answerWait    = 2 * time.Second // how long a post waits for the webhook that it causes
	maxSimName    = 100
	maxSimulated  = 50 // accounts, and numbers and customers of one
	tryPurpose    = "try"
	maxPhoneWords = 4096 // WhatsApp's longest text
)

// simulated lets a handler run only when the simulator is on.
func (s *Server) simulated(h echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if s.sim == nil {
			return models.ErrNotFound
		}
		return h(c)
	}
}

// playing is the place of a request: whose phone, and the number it writes to.
type playing struct {
	account  simulator.Account
	sender   simulator.Sender
	customer simulator.Customer
}

func (p playing) place() simview.Place {
	return simview.Place{Account: p.account.SID, Number: p.sender.Number, Customer: string(p.customer.Address)}
}

// playing reads the place. What is not named is the first there is; an account of 0 entries gives the zero place.
// ErrNotFound for what is named and is not there.
func (s *Server) playing(c echo.Context) (playing, error) {
	var p playing
	sid := anyField(c, "account")
	if sid == "" {
		sid = s.firstAccount()
	}
	if sid == "" {
		return p, nil
	}
	var ok bool
	if p.account, ok = s.sim.Account(sid); !ok {
		return p, models.ErrNotFound
	}
	number, customer := anyField(c, "number"), anyField(c, "customer")
	i := slices.IndexFunc(p.account.Senders, func(x simulator.Sender) bool { return number == "" || x.Number == number })
	j := slices.IndexFunc(p.account.Customers, func(x simulator.Customer) bool { return customer == "" || string(x.Address) == customer })
	if i < 0 || j < 0 {
		return p, models.ErrNotFound
	}
	p.sender, p.customer = p.account.Senders[i], p.account.Customers[j]
	return p, nil
}

// firstAccount gives the account to show when none is named: one that the center has, else the oldest.
func (s *Server) firstAccount() string {
	known, all := s.service.SimulatorClocks(), s.sim.Accounts()
	for _, a := range all {
		if _, ok := known[a.SID]; ok {
			return a.SID
		}
	}
	if len(all) == 0 {
		return ""
	}
	return all[0].SID
}

// anyField gives a value of the form, or of the address.
func anyField(c echo.Context, name string) string {
	if v := field(c, name); v != "" {
		return v
	}
	return c.QueryParam(name)
}

func (s *Server) simulatorPage(c echo.Context) error {
	return s.showSimulator(c, http.StatusOK, nil)
}

// showSimulator shows the page at the place of the request; change fills in what was typed.
func (s *Server) showSimulator(c echo.Context, status int, change func(*simview.Page)) error {
	s.alignSimulator()
	at, err := s.playing(c)
	if err != nil {
		return err
	}
	body := s.simulatorView(c, at)
	if change != nil {
		change(&body)
	}
	page := s.page(c, text(c, "simulator.title"))
	page.Rail.Active, page.Live, page.Failed = "simulator", true, status >= http.StatusBadRequest
	return s.render(c, status, page, views.Plain(page, simview.Show(body)), nil)
}

func (s *Server) simulatorView(c echo.Context, at playing) simview.Page {
	if at.account.SID == "" {
		return simview.Page{}
	}
	clocks := s.service.SimulatorClocks()
	_, inCenter := clocks[at.account.SID]
	left, written := s.sim.Window(at.account.SID, at.customer.Address, at.sender.Number)
	p := simview.Page{
		Place: at.place(), Token: at.account.Token, Name: at.sender.Name, Customer: phoneName(at.customer),
		Refusal: simview.Refusal{AtTwilio: at.account.AdvancedOptOut, Blocks: at.customer.Blocks},
		Compose: simview.Compose{Kind: "text", Kinds: simulator.Kinds()}, Log: s.bubbles(at), Typing: s.sim.Typing(at.account.SID, at.customer.Address, at.sender.Number), Events: s.simEvents(c, at), Contents: s.contentsView(at.account.SID),
		Ahead: at.account.Ahead, Left: left, Written: written, InCenter: inCenter,
		Chaos: chaosView(at.account.Chaos), Debug: simview.Address{Name: "debug", Label: text(c, "simulator.debug_url"), URL: at.account.DebugURL},
		Outcome: outcomeView(at.account.Outcome), Now: s.store.Now().Add(at.account.Ahead),
	}
	for _, a := range s.sim.Accounts() {
		place := simview.Place{Account: a.SID, Number: a.Senders[0].Number, Customer: string(a.Customers[0].Address)}
		p.Accounts = append(p.Accounts, simview.Choice{Label: a.Name, Place: place, Now: a.SID == at.account.SID})
	}
	for _, x := range at.account.Customers {
		place := p.Place
		place.Customer = string(x.Address)
		p.Customers = append(p.Customers, simview.Choice{Label: phoneName(x), Place: place, Now: x.Address == at.customer.Address})
	}
	for _, x := range at.account.Senders {
		shown := senderView(c, x)
		if x.Number == twilio.SandboxNumber {
			shown.JoinCode = simulator.JoinCode
		}
		p.Senders = append(p.Senders, shown)
	}
	return p
}

// bubbles gives what is on the phone: the customer's own messages, and those of the center that have arrived.
func (s *Server) bubbles(at playing) []simview.Bubble {
	var out []simview.Bubble
	for _, m := range s.sim.Thread(at.account.SID, at.customer.Address, at.sender.Number) {
		mine := m.Direction == "inbound"
		if !mine && !m.Arrived() {
			continue
		}
		out = append(out, simview.Bubble{
			SID: m.SID, Mine: mine, Kind: m.Kind, Body: m.Text(), File: fileOnPhone(at, m), Shown: templateOnPhone(m), At: m.Created, Arrived: m.Arrived(), Tried: m.Posted > 0, Status: m.Answered, Seen: m.Seen,
		})
	}
	return out
}

// fileOnPhone gives the file of a message of the center's; nil when there is none.
func fileOnPhone(at playing, m simulator.Message) *simview.File {
	if m.File == nil {
		return nil
	}
	return &simview.File{URL: at.place().URL("messages/" + m.SID + "/file"), Name: m.File.Name, Size: m.File.Size, Picture: m.File.Kind == "image"}
}

// simulatorFile gives a file that is on the phone.
func (s *Server) simulatorFile(c echo.Context) error {
	in, f, ok := s.sim.OpenFile(anyField(c, "account"), c.Param("message"))
	if !ok {
		return models.ErrNotFound
	}
	defer func() { _ = in.Close() }()
	how := "attachment"
	if f.Kind == "image" {
		how = "inline"
	}
	h := c.Response().Header()
	h.Set("Content-Type", f.ContentType)
	h.Set("Content-Disposition", mime.FormatMediaType(how, map[string]string{"filename": f.Name}))
	h.Set("Cache-Control", "private, max-age=3600")
	http.ServeContent(c.Response(), c.Request(), "", time.Time{}, in)
	return nil
}

// simulatorPhone answers the phone's thread when the simulator has changed.
func (s *Server) simulatorPhone(c echo.Context) error {
	return s.simulatorPart(c, func(p simview.Page) templ.Component { return simview.Log(p.Place, p.Log, p) })
}

// simulatorWindow answers what is said of the reply window when the simulator has changed.
func (s *Server) simulatorWindow(c echo.Context) error {
	return s.simulatorPart(c, simview.Window)
}

// simulatorEvents answers the log when the simulator has changed.
func (s *Server) simulatorEvents(c echo.Context) error {
	return s.simulatorPart(c, func(p simview.Page) templ.Component { return simview.Events(p.Place, p.Events) })
}

func (s *Server) simulatorPart(c echo.Context, part func(simview.Page) templ.Component) error {
	at, err := s.playing(c)
	if err != nil {
		return err
	}
	if !isPartial(c) {
		return s.redirect(c, at.place().URL(""))
	}
	if at.account.SID == "" {
		return models.ErrNotFound
	}
	return s.part(c, http.StatusOK, part(s.simulatorView(c, at)))
}

// trySimulator makes, once, a simulated account with number and workstream, and opens the phone.
func (s *Server) trySimulator(c echo.Context) error {
	language := string(i18n.From(c.Request().Context()).Lang)
	sim := s.sim.MintFor(tryPurpose, text(c, "simulator.number_name"), s.freeNumber())
	sender := sim.Senders[0]
	a, err := s.service.TrySimulator(c.Request().Context(), viewer(c), service.SimulatedAccount{
		SID: sim.SID, Token: models.Secret(sim.Token), Number: sender.Number, Language: language, Account: text(c, "simulator.account_name"),
		NumberName: sender.Name, Workstream: text(c, "simulator.workstream_name"),
	})
	if err != nil {
		return err
	}
	if sender.InboundURL == "" {
		s.sim.SetInboundURL(sim.SID, sender.Number, s.service.InboundURL(a))
	}
	if sender.FallbackURL == "" {
		s.sim.SetFallbackURL(sim.SID, sender.Number, s.service.FallbackURL(a))
	}
	if sender.StatusURL == "" {
		s.sim.SetStatusURL(sim.SID, sender.Number, s.service.StatusURL(a))
	}
	if sim.DebugURL == "" {
		s.sim.SetDebugURL(sim.SID, s.service.DebuggerURL(a))
	}
	s.alignSimulator()
	return s.redirect(c, "/simulator?account="+url.QueryEscape(sim.SID))
}

// alignSimulator sets the clocks of the simulator to those of the center's accounts. The database is the source: a stop
// between the two writes of a skip is mended here.
func (s *Server) alignSimulator() {
	if s.sim == nil {
		return
	}
	for sid, ahead := range s.service.SimulatorClocks() {
		if a, ok := s.sim.Account(sid); ok && a.Ahead != ahead {
			s.sim.SetAhead(sid, ahead)
		}
	}
}

// followSimulator tells the open pages when the simulator changes, until ctx ends.
func (s *Server) followSimulator(ctx context.Context) {
	changes, stop := s.sim.Watch()
	defer stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-changes:
			s.hub.Publish(models.Event{Name: models.EventSimulator})
		}
	}
}

// freeNumber gives a number that no simulated account has.
func (s *Server) freeNumber() string {
	used := map[string]bool{}
	for _, a := range s.sim.Accounts() {
		for _, x := range a.Senders {
			used[x.Number] = true
		}
	}
	first, _ := strconv.ParseInt(firstNumber[1:], 10, 64)
	for n := first; ; n++ {
		if number := fmt.Sprintf("+%d", n); !used[number] {
			return number
		}
	}
}

// newSimulated mints an account that is not in the center yet, so that the wizard can be followed by hand.
func (s *Server) newSimulated(c echo.Context) error {
	n := len(s.sim.Accounts())
	if n >= maxSimulated {
		return models.E(models.KindConflict, "simulator.full")
	}
	a := s.sim.Mint(text(c, "simulator.account_name_n", "n", n+1), s.freeNumber())
	return s.done(c, "/simulator?account="+url.QueryEscape(a.SID), "done.simulator_account")
}

// play reads the place that a form names; there must be one.
func (s *Server) play(c echo.Context) (playing, error) {
	at, err := s.playing(c)
	if err == nil && at.account.SID == "" {
		err = models.ErrNotFound
	}
	return at, err
}

// newSender gives the account another number.
func (s *Server) newSender(c echo.Context) error {
	at, err := s.play(c)
	if err != nil {
		return err
	}
	n := len(at.account.Senders)
	if n >= maxSimulated {
		return models.E(models.KindConflict, "simulator.full")
	}
	if on(c, "sandbox") {
		s.sim.AddSender(at.account.SID, twilio.SandboxNumber, text(c, "account.state.sandbox"))
		return s.done(c, at.place().URL(""), "done.simulator_number")
	}
	s.sim.AddSender(at.account.SID, s.freeNumber(), text(c, "simulator.number_name_n", "n", n+1))
	return s.done(c, at.place().URL(""), "done.simulator_number")
}

// simulateMessage lets the customer write.
func (s *Server) simulateMessage(c echo.Context) error {
	at, err := s.play(c)
	if err != nil {
		return err
	}
	w, problem := writeOf(c, at)
	if problem != "" {
		return s.showSimulator(c, http.StatusUnprocessableEntity, func(p *simview.Page) {
			p.Compose.Body, p.Compose.Kind, p.Compose.Problem = w.Body, w.Kind, problem
		})
	}
	select {
	case <-s.sim.Send(at.account.SID, w):
	case <-time.After(answerWait):
	case <-c.Request().Context().Done():
	}
	switch w.Fault {
	case simulator.FaultForged:
		return s.done(c, at.place().URL(""), "done.simulator_forged")
	case simulator.FaultInboundTwice:
		return s.done(c, at.place().URL(""), "done.simulator_twice")
	}
	return s.redirect(c, at.place().URL(""))
}

// writeOf reads what the customer does; the second result is what is wrong with it.
func writeOf(c echo.Context, at playing) (simulator.Write, string) {
	quick := field(c, "quick")
	w := simulator.Write{
		Customer: at.customer.Address, Number: at.sender.Number, Kind: field(c, "kind"), Body: c.Request().PostFormValue("body"),
	}
	switch quick {
	case "image":
		w.Kind = "image"
	case "forged":
		w.Fault = simulator.FaultForged
	case "twice":
		w.Fault = simulator.FaultInboundTwice
	}
	if w.Kind == "" || !slices.Contains(simulator.Kinds(), w.Kind) {
		w.Kind = "text"
	}
	blank := strings.TrimSpace(w.Body) == ""
	switch {
	case twilio.TextLength(w.Body) > maxPhoneWords:
		return w, text(c, "simulator.long_body", "max", maxPhoneWords)
	case blank && w.Kind == "text" && quick == "":
		return w, text(c, "simulator.empty_body")
	case blank && slices.Contains([]string{"button", "reply_button", "list_reply"}, w.Kind):
		w.Body = text(c, "simulator.sample_answer")
	case blank && w.Kind != "image":
		w.Body = text(c, "simulator.sample")
	}
	return w, ""
}

// addCustomer adds a person with a phone.
func (s *Server) addCustomer(c echo.Context) error {
	at, err := s.play(c)
	if err != nil {
		return err
	}
	name, phone := field(c, "name"), strings.NewReplacer(" ", "", "\u00a0", "", "-", "", "(", "", ")", "").Replace(field(c, "phone_number"))
	problems := checkCustomer(name, phone)
	if len(problems) == 0 {
		customer := simulator.Customer{Name: name, Address: twilio.PhoneAddress(phone)}
		if len(at.account.Customers) < maxSimulated && s.sim.AddCustomer(at.account.SID, customer) {
			place := at.place()
			place.Customer = string(customer.Address)
			return s.done(c, place.URL(""), "done.simulator_customer")
		}
		problems.Add("phone_number", "simulator.customer_phone_taken")
	}
	return s.showSimulator(c, http.StatusUnprocessableEntity, func(p *simview.Page) {
		p.Adding = simview.Adding{Name: name, Phone: field(c, "phone_number"), Errors: components.ErrorsOf(c.Request().Context(), problems)}
	})
}

func checkCustomer(name, phone string) models.FieldErrors {
	var f models.FieldErrors
	switch n := utf8.RuneCountInString(name); {
	case n == 0:
		f.Add("name", "simulator.customer_name_empty")
	case n > maxSimName:
		f.Add("name", "simulator.customer_name_long", "max", maxSimName)
	}
	if !twilio.PhonePattern.MatchString(phone) {
		f.Add("phone_number", "simulator.customer_phone_bad")
	}
	return f
}

// outcomes and delays are what a person can choose for the center's messages.
var (
	outcomes = []string{
		"read", "delivered", "sent", "none", "failed_63016", "failed_63003", "failed_63024", "undelivered_63014", "undelivered_30008", onceTemporary,
	}
	delays = []string{"300ms", "2s", "10s", "30s"}
)

// onceTemporary is the outcome of one message only; what comes after it is read.
const onceTemporary = "once_63012"

func outcomeView(o simulator.Outcome) simview.Outcome {
	v := simview.Outcome{Value: o.Final, Delay: delays[0], Choices: outcomes, Delays: delays}
	if o.Code != 0 {
		v.Value += "_" + strconv.Itoa(o.Code)
	}
	for _, d := range delays {
		if step, err := time.ParseDuration(d); err == nil && step == o.Step {
			v.Delay = d
		}
	}
	return v
}

// setOutcome says what becomes of the center's messages from now on.
func (s *Server) setOutcome(c echo.Context) error {
	at, err := s.play(c)
	if err != nil {
		return err
	}
	chosen, delay := field(c, "outcome"), field(c, "delay")
	if !slices.Contains(outcomes, chosen) || !slices.Contains(delays, delay) {
		return errUnreadable
	}
	if chosen == onceTemporary {
		chosen = "read"
		s.sim.Fail(at.account.SID, simulator.FaultTemporary)
	}
	final, code, _ := strings.Cut(chosen, "_")
	o := simulator.Outcome{Final: final}
	o.Code, _ = strconv.Atoi(code)
	o.Step, _ = time.ParseDuration(delay)
	s.sim.SetOutcome(at.account.SID, o)
	return s.done(c, at.place().URL(""), "done.simulator_outcome")
}

// skipAhead moves the account's clock, in the center first.
func (s *Server) skipAhead(c echo.Context) error {
	at, err := s.play(c)
	if err != nil {
		return err
	}
	by := skipBy
	if field(c, "by") == "window" {
		left, _ := s.sim.Window(at.account.SID, at.customer.Address, at.sender.Number)
		if left == 0 {
			return s.redirect(c, at.place().URL(""))
		}
		by = left + time.Second
	}
	err = s.service.SkipAhead(c.Request().Context(), viewer(c), at.account.SID, by)
	if errors.Is(err, models.ErrNotFound) {
		return models.E(models.KindConflict, "simulator.not_in_center")
	}
	if err != nil {
		return err
	}
	s.alignSimulator()
	return s.done(c, at.place().URL(""), "done.simulator_skipped")
}

// resetSimulator empties the phones and the log of an account. What the center has stays.
func (s *Server) resetSimulator(c echo.Context) error {
	at, err := s.play(c)
	if err != nil {
		return err
	}
	s.sim.Reset(at.account.SID)
	return s.done(c, at.place().URL(""), "done.simulator_reset")
}

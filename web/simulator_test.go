package web

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"kanal/models"
	"kanal/twilio/simulator"
)

func TestSimulatorOffIsNotThere(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.as(models.Administrator)
	b.get("/simulator").want(http.StatusNotFound)
	b.post("/simulator/try").want(http.StatusNotFound)
	b.get("/me").want(http.StatusOK).without(`href="/simulator"`)
}

func TestSimulatorIsForAdministrators(t *testing.T) {
	t.Parallel()
	s := newSite(t, withSimulator(t))
	s.as(models.Administrator).get("/me").want(http.StatusOK, `href="/simulator"`)
	for _, role := range []models.Role{models.Supervisor, models.Agent} {
		b := s.as(role)
		b.get("/simulator").want(http.StatusForbidden)
		b.post("/simulator/try").want(http.StatusForbidden)
		b.get("/me").want(http.StatusOK).without(`href="/simulator"`)
	}
}

// try lets a new administrator try the simulator, and gives the browser and the page's address.
func try(t *testing.T, s *site) (*browser, string) {
	t.Helper()
	b := s.as(models.Administrator)
	a := b.post("/simulator/try").want(http.StatusSeeOther)
	if !strings.HasPrefix(a.Location, "/simulator?account=AC") {
		t.Fatal(a.Location)
	}
	return b, a.Location
}

func TestTrySimulator(t *testing.T) {
	t.Parallel()
	s := newSite(t, withSimulator(t))
	b, page := try(t, s)
	b.get("/simulator").want(http.StatusOK, "Simulation mode. Nothing is sent to WhatsApp.", "Customer service", "Kari Nordli")
	b.post("/simulator/try").to(page)
	accounts, err := s.store.Accounts(t.Context())
	if err != nil || len(accounts) != 1 {
		t.Fatal(accounts, err)
	}
	a := accounts[0]
	if a.State != models.AccountActive || !a.Simulated || a.Numbers != 1 || a.Workstreams != "Simulator" {
		t.Errorf("%+v", a)
	}
	minted := s.sim.Accounts()[0]
	if x := minted.Senders[0]; x.InboundURL != s.service.InboundURL(a.Account) || x.FallbackURL != s.service.FallbackURL(a.Account) || x.StatusURL != s.service.StatusURL(a.Account) || minted.DebugURL != s.service.DebuggerURL(a.Account) {
		t.Errorf("Twilio calls %s, %s, %s and %s", x.InboundURL, x.FallbackURL, x.StatusURL, minted.DebugURL)
	}
	b.post("/simulator/messages", "body", "Hei").to(s.place(0))
	ms := s.messages()
	if len(ms) != 1 || ms[0].Body != "Hei" {
		t.Fatalf("%+v", ms)
	}
	b.get(s.place(0)).want(http.StatusOK, "Hei", "Delivered", "POST /hooks/twilio/***/inbound").without(a.HookKey + "</a>")
}

// place gives the page of the first account's customer number n.
func (s *site) place(n int) string {
	a := s.sim.Accounts()[0]
	return playing{a, a.Senders[0], a.Customers[n]}.place().URL("")
}

// messages gives every message of the only conversation.
func (s *site) messages() []models.Message {
	s.t.Helper()
	v := models.Viewer{Role: models.Administrator}
	c, err := s.store.Conversation(s.t.Context(), v, 1)
	if err != nil {
		s.t.Fatal(err)
	}
	ms, err := s.store.Messages(s.t.Context(), c.Conversation, 0)
	if err != nil {
		s.t.Fatal(err)
	}
	return ms
}

// What is said of the reply window follows the customer and the clock.
func TestSimulatorWindow(t *testing.T) {
	t.Parallel()
	s := newSite(t, withSimulator(t))
	b, _ := try(t, s)
	part := strings.Replace(s.place(0), "/simulator?", "/simulator/window?", 1)
	const never, open, closed, button = "The customer has not written yet.", "The reply window stays open", "The reply window is closed.", "Close the reply window"
	b.get(s.place(0)).want(http.StatusOK, never, ">Customer: Kari<").without(open, closed, button)
	b.htmx("partial").get(part).want(http.StatusOK, never, `data-live-on="simulator"`).without("<html", button)
	b.post("/simulator/messages", "body", "Hei").to(s.place(0))
	b.htmx("partial").get(part).want(http.StatusOK, open, button).without(never, closed)
	b.post("/simulator/skip", "by", "window").want(http.StatusSeeOther)
	b.htmx("partial").get(part).want(http.StatusOK, closed, "clock").without(never, open, button)
	ahead := s.sim.Accounts()[0].Ahead
	b.post("/simulator/skip", "by", "window").to(s.place(0))
	if s.sim.Accounts()[0].Ahead != ahead {
		t.Error("a closed window moved the clock")
	}
	b.get(part).to(s.place(0))
}

func TestSimulatorRefuses(t *testing.T) {
	t.Parallel()
	s := newSite(t, withSimulator(t))
	b := s.as(models.Administrator)
	b.get("/simulator").want(http.StatusOK, "No simulated account yet")
	b.post("/simulator/messages", "body", "Hei").want(http.StatusNotFound)
	b.post("/simulator/accounts").want(http.StatusSeeOther)
	for _, bad := range [][]string{{"account", "AC0"}, {"number", "+4799999999"}, {"customer", "whatsapp:+4799999999"}} {
		b.post("/simulator/messages", append(bad, "body", "Hei")...).want(http.StatusNotFound)
	}
	b.post("/simulator/messages", "body", " ").want(http.StatusUnprocessableEntity, "Write something first.")
	b.post("/simulator/messages", "body", strings.Repeat("x", 4097)).want(http.StatusUnprocessableEntity, "4096")
	b.post("/simulator/outcome", "outcome", "eaten", "delay", "2s").want(http.StatusBadRequest)
	b.post("/simulator/outcome", "outcome", "read", "delay", "9h").want(http.StatusBadRequest)
	b.post("/simulator/url", "url", "javascript:alert(1)").want(http.StatusUnprocessableEntity, "javascript:alert(1)", "begins with http")
	b.post("/simulator/skip", "by", "20h").want(http.StatusConflict, "not in the center yet")
	b.get("/simulator").want(http.StatusOK, "has no address for incoming messages").without("Skip ahead")
	b.get("/simulator/events/1").want(http.StatusNotFound)
	b.get("/simulator/events/x").want(http.StatusNotFound)
}

func TestSimulatorCustomers(t *testing.T) {
	t.Parallel()
	s := newSite(t, withSimulator(t))
	b, _ := try(t, s)
	b.post("/simulator/customers", "name", "", "phone_number", "123").want(http.StatusUnprocessableEntity, "Enter a name", "Enter the number with +", `value="123"`)
	b.post("/simulator/customers", "name", strings.Repeat("x", 101), "phone_number", "+4740000199").want(http.StatusUnprocessableEntity, "100")
	b.post("/simulator/customers", "name", "Ola", "phone_number", "+47 400 00 142").want(http.StatusUnprocessableEntity, "already has this number")
	b.post("/simulator/customers", "name", "Ola", "phone_number", "+47 400 00 199").to(s.place(3))
	b.get(s.place(3)).want(http.StatusOK, "Customer: Ola", "The customer has been added.")
}

// Every shape in the menu arrives in the center, with its raw form.
func TestSimulatorKinds(t *testing.T) {
	t.Parallel()
	s := newSite(t, withSimulator(t))
	b, _ := try(t, s)
	for i, kind := range simulator.Kinds() {
		b.post("/simulator/messages", "kind", kind, "body", "Ja").to(s.place(0))
		ms := slices.DeleteFunc(s.messages(), func(m models.Message) bool { return m.Direction != models.In })
		if len(ms) != i+1 {
			t.Fatalf("%s did not arrive", kind)
		}
		if m := ms[i]; !strings.Contains(m.Form, "MessageSid="+*m.ProviderSID) {
			t.Errorf("%s: form %q", kind, m.Form)
		}
	}
	page := b.get(s.place(0)).want(http.StatusOK)
	if left := regexp.MustCompile(`simulator\.[a-z_.]+`).FindString(page.Body); left != "" {
		t.Errorf("no text for %s", left)
	}
}

func TestSimulatorBadSignatureAndDuplicate(t *testing.T) {
	t.Parallel()
	s := newSite(t, withSimulator(t))
	b, _ := try(t, s)
	b.post("/simulator/messages", "quick", "twice").to(s.place(0))
	if ms := s.messages(); len(ms) != 1 {
		t.Errorf("%d messages from a duplicate", len(ms))
	}
	b.post("/simulator/messages", "quick", "forged", "body", "Falsk").to(s.place(0))
	if ms := s.messages(); len(ms) != 1 {
		t.Errorf("a forged message was taken in")
	}
	a, err := s.store.Account(t.Context(), 1)
	if err != nil || a.LastSignatureFail == nil {
		t.Error("the failure was not noted")
	}
	b.get(s.place(0)).want(http.StatusOK, "403 signature")
	sid := s.sim.Accounts()[0].SID
	entries := s.sim.Ledger(sid)
	last := entries[len(entries)-1]
	if last.Status != http.StatusForbidden {
		t.Fatalf("%+v", last)
	}
	token := s.sim.Accounts()[0].Token
	open := b.get(playing{account: s.sim.Accounts()[0]}.place().URL("events/3")).want(http.StatusOK, "curl -X POST", "wrong on purpose", "X-Twilio-Signature: ***")
	open.without(token, a.HookKey)
}

func TestSimulatorReset(t *testing.T) {
	t.Parallel()
	s := newSite(t, withSimulator(t))
	b, _ := try(t, s)
	b.post("/simulator/messages", "body", "Hei").to(s.place(0))
	b.post("/simulator/reset").to(s.place(0))
	b.get(s.place(0)).want(http.StatusOK, "Nothing has passed").without("bub__t")
	if len(s.messages()) != 1 {
		t.Error("the center lost a message")
	}
}

func TestSimulatedAccountByHand(t *testing.T) {
	t.Parallel()
	s := newSite(t, withSimulator(t))
	b := s.as(models.Administrator)
	b.post("/simulator/accounts").want(http.StatusSeeOther)
	b.post("/simulator/senders").want(http.StatusSeeOther)
	a := s.sim.Accounts()[0]
	b.get("/simulator").want(http.StatusOK, a.SID, a.Token, "+47 21 00 00 40", "+47 21 00 00 41")
	b.post("/simulator/url", "url", "https://kanal.example/in#rc=3", "number", a.Senders[1].Number).want(http.StatusSeeOther)
	if got := s.sim.Accounts()[0].Senders[1].InboundURL; got != "https://kanal.example/in#rc=3" {
		t.Error(got)
	}
}

// What was chosen for the center's messages becomes of them.
func TestSimulatorOutcomes(t *testing.T) {
	t.Parallel()
	s := newSite(t, withSimulator(t))
	s.startJobs()
	b, _ := try(t, s)
	b.post("/simulator/messages", "body", "Hei").to(s.place(0))
	events, stop := s.store.Subscribe()
	defer stop()
	wanted := map[string]models.MessageState{
		"delivered": models.Delivered, "sent": models.Sent, "failed_63003": models.Failed, "undelivered_63014": models.Undelivered,
		"once_63012": models.Queued, // it waits to be sent again
	}
	for _, outcome := range slices.Sorted(maps.Keys(wanted)) { // who blocks us, as the last one says, gets nothing more
		want := wanted[outcome]
		b.post("/simulator/outcome", "outcome", outcome, "delay", "300ms").to(s.place(0))
		stays := outcome
		if want == models.Queued {
			stays = "read" // this one message only
		}
		b.get(s.place(0)).want(http.StatusOK, `value="`+stays+`" selected`)
		b.post("/inbox/1/messages", "client_key", outcome, "body", "Svar "+outcome).want(http.StatusSeeOther)
		late := time.After(patience)
		for {
			ms := slices.DeleteFunc(s.messages(), func(m models.Message) bool { return m.Direction != models.Out })
			if m := ms[len(ms)-1]; m.State == want && (want != models.Queued || m.RetryAt != nil) {
				break
			}
			select {
			case <-events:
			case <-late:
				t.Fatalf("%s: %s", outcome, ms[len(ms)-1].State)
			}
		}
		page := b.get(s.place(0)).want(http.StatusOK)
		if onPhone := strings.Contains(page.Body, "Svar "+outcome); onPhone != (want == models.Delivered) {
			t.Errorf("%s: on the phone is %v", outcome, onPhone)
		}
	}
}

package web

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"kanal/models"
	"kanal/twilio/simulator"
)

// Every fault that can happen by chance is on the page, once.
func TestChaosGroups(t *testing.T) {
	n := 0
	for _, g := range chaosGroups {
		n += len(g.faults)
	}
	if n != len(simulator.Faults()) {
		t.Errorf("%d faults on the page, %d there are", n, len(simulator.Faults()))
	}
	c := simulator.Chaos{Rates: map[simulator.Fault]float64{}}
	for _, g := range chaosGroups {
		for _, f := range g.faults {
			c.Rates[f] = 1
		}
	}
	for _, f := range simulator.Faults() {
		if c.Rates[f] != 1 {
			t.Errorf("%s is not on the page", f)
		}
	}
}

// The page sets a preset or single rates, and says what was done to each event.
func TestSimulatorChaos(t *testing.T) {
	s := newSite(t, withSimulator(t))
	b, _ := try(t, s)
	sid := s.sim.Accounts()[0].SID
	chaos := func() simulator.Chaos {
		a, _ := s.sim.Account(sid)
		return a.Chaos
	}
	current := func(name string) string { return `value="` + name + `" aria-current="true"` }
	b.get(s.place(0)).want(http.StatusOK, "Twilio at its worst", current("off"), `id="rate_inbound_twice"`)
	b.post("/simulator/chaos", "preset", "terrible").want(http.StatusBadRequest)
	b.post("/simulator/chaos", "preset", "worst").to(s.place(0))
	if got := chaos(); !got.Same(simulator.Worst(0)) {
		t.Errorf("%+v", got)
	}
	b.get(s.place(0)).want(http.StatusOK, current("worst"))
	b.post("/simulator/chaos", "preset", "bad_day").to(s.place(0))
	b.get(s.place(0)).want(http.StatusOK, current("bad_day"))

	own := []string{"seed", "42", "late", "50", "rate_inbound_twice", "100", "rate_fields", "99,5", "rate_429", ""}
	for _, g := range chaosGroups {
		for _, f := range g.faults {
			if !strings.Contains(strings.Join(own, " "), "rate_"+string(f)+" ") {
				own = append(own, "rate_"+string(f), "0")
			}
		}
	}
	b.post("/simulator/chaos", own...).to(s.place(0))
	if got := chaos(); got.Seed != 42 || got.Late != 50*time.Millisecond || got.Rates[simulator.FaultInboundTwice] != 1 || got.Rates[simulator.FaultFields] != 0.995 ||
		got.Rates[simulator.FaultTooMany] != 0 {
		t.Errorf("%+v", got)
	}
	b.get(s.place(0)).want(http.StatusOK, "Own rates", `value="99.5"`).without(current("off"), current("worst"))
	for _, bad := range [][]string{{"rate_fields", "101", "from 0 to 100"}, {"rate_fields", "x", "from 0 to 100"}, {"seed", "-1", "whole number from 0"}, {"late", "0", "1 to 60000"}, {"late", "x", "1 to 60000"}} {
		typed := append([]string{}, own...)
		for i := 0; i < len(typed); i += 2 {
			if typed[i] == bad[0] {
				typed[i+1] = bad[1]
			}
		}
		b.post("/simulator/chaos", typed...).want(http.StatusUnprocessableEntity, bad[2], `value="`+bad[1]+`"`, "<details open")
	}
	if got := chaos(); got.Seed != 42 {
		t.Errorf("a refused post has set %+v", got)
	}

	b.post("/simulator/messages", "body", "Hei").to(s.place(0))
	if ms := s.messages(); len(ms) != 1 {
		t.Errorf("%d messages of one that came twice", len(ms))
	}
	b.get(s.place(0)).want(http.StatusOK, "Message comes twice")
	b.get(playing{account: s.sim.Accounts()[0]}.place().URL("events/1")).want(http.StatusOK, "Went wrong on purpose: ", "Message comes twice")
	b.post("/simulator/chaos", "preset", "off").to(s.place(0))
	if chaos().On() {
		t.Error("it is still on")
	}
}

// The addresses beside the one for incoming messages are set as in Twilio's console.
func TestSimulatorAddresses(t *testing.T) {
	s := newSite(t, withSimulator(t))
	b := s.as(models.Administrator)
	b.post("/simulator/accounts").want(http.StatusSeeOther)
	const at = "https://kanal.example/"
	b.post("/simulator/url", "url", at+"in", "fallback", at+"fallback", "status", at+"status").want(http.StatusSeeOther)
	b.post("/simulator/url", "debug", at+"debug").want(http.StatusSeeOther)
	a := s.sim.Accounts()[0]
	if x := a.Senders[0]; x.InboundURL != at+"in" || x.FallbackURL != at+"fallback" || x.StatusURL != at+"status" || a.DebugURL != at+"debug" {
		t.Errorf("%+v", a)
	}
	b.get("/simulator").want(http.StatusOK, `value="`+at+`fallback"`, `value="`+at+`status"`, `value="`+at+`debug"`)
	for _, name := range []string{"fallback", "status", "debug"} {
		b.post("/simulator/url", name, "ftp://x").want(http.StatusUnprocessableEntity, `value="ftp://x"`, "begins with http")
	}
	if again := s.sim.Accounts()[0]; again.Senders[0].FallbackURL != at+"fallback" || again.DebugURL != at+"debug" {
		t.Errorf("a refused address is set: %+v", again)
	}
}

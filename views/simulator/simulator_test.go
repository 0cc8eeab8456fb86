package simulator

import (
	"strings"
	"testing"
	"time"

	"kanal/views/components"
	"kanal/views/i18n"
	"kanal/views/viewtest"
)

var now = time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)

func page() Page {
	at := Place{"AC1", "+4721000040", "whatsapp:+4740000142"}
	return Page{
		Place: at, Token: "0123", Name: "Kundeservice", Customer: "Kari Nordli", InCenter: true, Left: 3 * time.Hour, Ahead: 20 * time.Hour, Now: now,
		Accounts:  []Choice{{"En", at, true}, {"To", Place{"AC2", "+4721000041", "whatsapp:+4740000142"}, false}},
		Customers: []Choice{{"Kari Nordli", at, true}, {"Jonas Bakke", at, false}},
		Senders:   []Sender{{Name: "Kundeservice", Number: "+4721000040", Inbound: Address{Name: "url", Label: "Inn", URL: "http://x/in"}, More: []Address{{Name: "status", Label: "Status"}}}, {Name: "Andre", Number: "+4721000041", Inbound: Address{Name: "url", Label: "Inn", Problem: "Nei"}}},
		Debug:     Address{Name: "debug", Label: "Debugger"},
		Chaos: Chaos{
			Preset: "own", Presets: []string{"off", "worst"}, Seed: Rate{Value: "7"}, Late: Rate{Value: "2000"},
			Groups: []Rates{{"create", []Rate{{Fault: "429", Value: "3"}, {Fault: "down", Value: "x", Problem: "Nei"}}}},
		},
		Compose: Compose{Kind: "text", Kinds: []string{"text", "image"}},
		Outcome: Outcome{Value: "read", Delay: "2s", Choices: []string{"read", "failed_63016"}, Delays: []string{"300ms", "2s"}},
		Log: []Bubble{
			{SID: "SM1", Mine: true, Kind: "text", Body: "Hei", At: now.Add(-24 * time.Hour), Tried: true, Arrived: true},
			{SID: "SM2", Mine: true, Kind: "image", At: now, Tried: true, Status: 503},
			{SID: "SM3", Kind: "text", Body: "Hei, Kari", At: now, Arrived: true},
		},
		Events: []Event{
			{ID: "2", At: now, Out: true, What: "POST Messages.json", Status: 201, URL: at.URL("events/2")},
			{ID: "1", At: now, What: "POST /hooks/twilio/***/inbound", Status: 403, Note: "signatur", Faults: []string{"forged", "fields"}, URL: at.URL("events/1")},
			{ID: "0", At: now, What: "status: read", URL: at.URL("events/0")},
		},
	}
}

func TestShow(t *testing.T) {
	refused := page()
	refused.Compose.Problem = "Skriv noe"
	refused.Adding.Errors = components.Errors{}.With("phone_number", "Nei")
	for name, p := range map[string]Page{"empty": {}, "full": page(), "refused": refused} {
		t.Run(name, func(t *testing.T) { viewtest.Each(t, Show(p), nil) })
	}
}

func TestShowSaysWhatBecameOfAMessage(t *testing.T) {
	viewtest.Each(t, Log(page().Place, page().Log, page()), func(t *testing.T, lang i18n.Lang, html string) {
		for _, want := range []string{i18n.Lookup(lang, "status.delivered"), i18n.Lookup(lang, "simulator.not_taken", "status", 503)} {
			if !strings.Contains(html, want) {
				t.Errorf("no %q", want)
			}
		}
		if n := strings.Count(html, `class="day"`); n != 2 {
			t.Errorf("%d days", n)
		}
	})
}

func TestOpened(t *testing.T) {
	r := Request{Title: "POST", Back: "/simulator", At: now, Took: 12 * time.Millisecond, Faults: []string{"forged"}, Text: "POST x", Status: 403, Answer: "<Response/>", Curl: "curl"}
	viewtest.Each(t, Opened(r), nil)
	viewtest.Each(t, Opened(Request{Title: "POST", Back: "/simulator", At: now}), nil)
}

func TestStates(t *testing.T) {
	if (Bubble{Mine: true}).failed() || !(Bubble{Mine: true, Tried: true}).failed() || (Bubble{Tried: true}).failed() {
		t.Error("only a message of the customer that was tried and did not arrive has failed")
	}
}

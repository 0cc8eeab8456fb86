package web

import (
	"net/http"
	"testing"

	"kanal/models"
	"kanal/twilio/simulator"
)

// Each kind of message comes into the open thread by itself and is told in the reader's language.
func TestInboxKinds(t *testing.T) { eachPair(t, inboxKinds) }

func inboxKinds(d *team) {
	id := d.has(d.ida, d.says("Kari Nordli", "Hei"))
	ida := d.at(d.ida, thread(id))
	ida.js("window.last = () => [...document.querySelectorAll('#msgs .msg--in')].at(-1)")
	types(ida, "Hva gjelder det?")
	ida.send()
	ida.wait(lastState(models.Read))
	for i, k := range []struct {
		kind  string
		parts []string // in the bubble
	}{
		{"forwarded", []string{d.text("forwarded.once"), "Svar"}},
		{"frequently_forwarded", []string{d.text("forwarded.often")}},
		{"place", []string{"Operaen", d.text("place.map")}},
		{"location", []string{d.text("kind.location"), d.text("place.map")}},
		{"quote", []string{d.text("thread.you"), "Hva gjelder det?", "Svar"}},
		{"button", []string{d.text("choice.button"), "Svar"}},
		{"reply_button", []string{d.text("choice.button"), "Svar"}},
		{"list_reply", []string{d.text("choice.list_reply"), "Svar"}},
		{"flow_reply", []string{d.text("kind.flow_reply"), "Ring twice"}},
		{"call_permission", []string{d.text("choice.call_rejected")}},
		{"ad", []string{d.text("referral.ad"), "Write to us on WhatsApp", d.text("referral_open.ad"), "Svar"}},
		{"reaction", []string{d.text("kind.unsupported"), "👍"}},
		{"unsupported", []string{d.text("kind.unsupported")}},
	} {
		codes := d.sim.Receive(d.sid, simulator.Write{Customer: d.phone("Kari Nordli"), Number: d.number, Kind: k.kind, Body: "Svar"})
		if len(codes) != 1 || codes[0] != http.StatusOK {
			d.t.Fatalf("%s: webhook: %v", k.kind, codes)
		}
		ida.wait("document.querySelectorAll('#msgs .msg--in').length === " + number(models.MessageID(i+2)))
		for _, part := range k.parts {
			ida.wait("last().innerText.includes(" + jsText(part) + ")")
		}
	}
	ida.picture("kinds")
	ida.narrow()
}

package web

import (
	"fmt"
	"net/http"
	"testing"

	"kanal/models"
	"kanal/service"
	"kanal/twilio/simulator"
)

// quotes lets a customer answer the last message of ours.
func (d *team) quotes(name, body string) models.ConversationID {
	d.t.Helper()
	from := d.phone(name)
	codes := d.sim.Receive(d.sid, simulator.Write{Customer: from, Number: d.number, Kind: "quote", Body: body})
	if len(codes) != 1 || codes[0] != http.StatusOK {
		d.t.Fatalf("webhook: %v", codes)
	}
	return d.newest(from)
}

// A quote leads to its message by pointer and by keyboard: on the page, and on the older page that has it.
func TestInboxQuoteLeadsToItsMessage(t *testing.T) {
	eachPair(t, func(d *team) {
		id := d.has(d.ida, d.says("Kari Nordli", "Hei"))
		ours, err := d.service.Reply(d.t.Context(), viewerOf(d.ida), service.Reply{Conversation: id, Key: "quotedmessage", Body: "Hva er *ordrenummeret*?"})
		d.must(err)
		ida := d.at(d.ida, thread(id))
		ida.wait(lastState(models.Read))
		d.quotes("Kari Nordli", "48107")
		ida.wait("document.querySelector('#msgs .msg:last-child .quo b')?.textContent === " + jsText(d.text("thread.you")))
		ida.wait("document.querySelector('#msgs .msg:last-child .quo__t').textContent.trim() === 'Hva er ordrenummeret?'")
		ida.focus("#msgs .msg:last-child .quo")
		ida.press("\r")
		ida.wait("document.activeElement.id === 'm-quotedmessage' && document.activeElement.matches('.is-found')")
		ida.wait("location.hash === ''")

		for i := range 60 {
			d.says("Kari Nordli", fmt.Sprint("linje ", i))
		}
		d.quotes("Kari Nordli", "Fant du den?")
		ida.open(thread(id))
		ida.wait("document.getElementById('m-quotedmessage') === null")
		ida.click("#msgs .msg:last-child .quo")
		ida.wait(fmt.Sprintf("location.search === '?before=%g' && location.hash === '#m-quotedmessage'", ours.Seq+20))
		ida.wait("document.getElementById('m-quotedmessage').matches('.is-found') && document.getElementById('log').hasAttribute('data-past')")
		ida.wait("(r => r.top >= 0 && r.bottom <= innerHeight)(document.getElementById('m-quotedmessage').getBoundingClientRect())")
	})
}

package web

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"kanal/models"
	"kanal/twilio/simulator"
)

// unheard lets a customer write while every webhook is lost.
func (d *team) unheard(name, body string) {
	d.t.Helper()
	const nobody = "http://127.0.0.1:1/nobody"
	d.sim.SetInboundURL(d.sid, d.number, nobody)
	d.sim.SetFallbackURL(d.sid, d.number, nobody)
	codes := d.sim.Receive(d.sid, simulator.Write{Customer: d.phone(name), Number: d.number, Body: body})
	if len(codes) == 0 || slices.Contains(codes, http.StatusOK) {
		d.t.Fatalf("the webhook was not lost: %v", codes)
	}
	d.sim.SetInboundURL(d.sid, d.number, d.service.InboundURL(d.account))
}

// A message that comes late appears where the customer wrote it, as the first of its day; the open thread moves the day's
// mark before it, and the line at the end leads to it by keyboard. A page that is opened later shows the same, and marks
// what is new.
func TestInboxLateMessageTakesItsPlace(t *testing.T) {
	const lines = `[...document.querySelectorAll('#msgs > li')].map(li => li.matches('.day') ? 'day' : li.matches('.newline') ? 'new' :
		li.matches('.sys') ? (li.querySelector('a') ? 'late' : 'sys') : li.querySelector('.bub__t').textContent.trim()).join(' ')`
	eachPair(t, func(d *team) {
		id := d.has(d.ida, d.says("Kari Nordli", "one"))
		d.ahead(24 * time.Hour)
		d.unheard("Kari Nordli", "two")
		d.says("Kari Nordli", "three")
		d.ahead(time.Minute)
		ida := d.at(d.ida, thread(id))
		ida.wait(lines + " === 'day new one sys day three'")
		ida.wait("!document.querySelector('#list .badge')")
		ida.open(thread(id))
		ida.wait(lines + " === 'day one sys day three'")
		d.must(d.service.CatchUp(d.t.Context(), models.CatchUp{Account: d.account.ID}))
		const all = "day one sys day two three late"
		ida.wait(lines + " === '" + all + "'")
		ida.see(d.text("system.came_late"))
		ida.picture("late")
		ida.focus("#msgs .sys a")
		ida.press("\r")
		ida.wait("document.activeElement.matches('.is-found') && document.activeElement.querySelector('.bub__t').textContent.trim() === 'two'")
		ida.open(thread(id))
		ida.wait(lines + " === '" + all + "'")

		// Nobody looks: what is new is marked where it stands, not at the end.
		ida.open("/inbox")
		d.unheard("Kari Nordli", "four")
		d.says("Kari Nordli", "five")
		d.ahead(time.Minute)
		d.must(d.service.CatchUp(d.t.Context(), models.CatchUp{Account: d.account.ID}))
		ida.open(thread(id))
		ida.wait(lines + " === '" + all + " new four five late'")
	})
}

package web

import (
	"net/http"
	"testing"

	"kanal/models"
	"kanal/store"
)

// Without script: the question is a page with the text and the key; each way out keeps the text.
func TestAnswerWithoutScript(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *team) {
		id := d.has(d.mads, d.says("Kari Nordli", "Hei"))
		ida := d.signedIn(d.ida)
		ida.get(thread(id)).want(http.StatusOK, "Mads Berg has the conversation", `name="client_key"`)
		ask := func() *answer {
			return ida.post(thread(id)+"/messages", "body", "Et <svar>", "client_key", "k1")
		}
		ask().want(http.StatusConflict, "Mads has the conversation. Reply anyway?", `value="Et &lt;svar&gt;"`, `name="client_key" value="k1"`,
			`name="owner" value="`+number(d.mads.ID)+`"`, "Take over and send", "Send as helper", "<title>")
		ida.get(thread(id)).want(http.StatusOK, "Et &lt;svar&gt;</textarea>") // Cancel leads here

		// Somebody else has it by now: the question comes again, with the new name.
		tor := d.agentNamed("Tor Vik")
		d.must(d.service.TakeOver(t.Context(), viewerOf(tor), id, d.mads.ID))
		ida.post(thread(id)+"/messages", "body", "Et svar", "client_key", "k1", "as", "take", "owner", number(d.mads.ID)).
			want(http.StatusConflict, "Tor has the conversation. Reply anyway?")
		ida.post(thread(id)+"/messages", "body", "Et svar", "client_key", "k1", "as", "help", "owner", number(tor.ID)).to(thread(id))
		ida.post(thread(id)+"/messages", "body", "Et svar", "client_key", "k1", "as", "help", "owner", number(tor.ID)).to(thread(id)) // twice is once
		ida.get(thread(id)).want(http.StatusOK, "Et svar", "Tor Vik has the conversation").without("Et svar</textarea>")
		d.signedIn(tor).get(thread(id)).want(http.StatusOK, `<div class="bub__who">Ida Holm`)
		ida.get(thread(id)).want(http.StatusOK).without(`<div class="bub__who">Ida Holm`)
		ida.post(thread(id)+"/messages", "body", "Mitt", "client_key", "k2", "as", "take", "owner", number(tor.ID)).to(thread(id)) // helped already, takes now
		row, err := d.store.Conversation(t.Context(), viewerOf(d.ida), id)
		d.must(err)
		if *row.UserID != d.ida.ID {
			t.Errorf("%d has it", *row.UserID)
		}
	})
}

// Every other conflict without script keeps what was typed, too.
func TestReplyConflictKeepsTheText(t *testing.T) {
	t.Parallel()
	d := newTeam(t, store.SQLite)
	id := d.has(d.ida, d.says("Kari Nordli", "Hei"))
	b := d.signedIn(d.ida)
	b.post(thread(id)+"/messages", "body", "Et svar", "client_key", "k1").to(thread(id))
	b.post(thread(id)+"/messages", "body", "Et annet", "client_key", "k1").
		want(http.StatusConflict, "already been sent with another text", "Et annet</textarea>").without(`name="client_key" value="k1"`)
	d.must(d.service.Resolve(t.Context(), viewerOf(d.ida), id))
	d.must(d.service.CloseNow(t.Context(), viewerOf(d.ida), id))
	b.post(thread(id)+"/messages", "body", "For sent", "client_key", "k2").want(http.StatusConflict, "The conversation is closed", `<blockquote id="kept" dir="auto">For sent`)
	b.htmx("partial").post(thread(id)+"/messages", "body", "For sent", "client_key", "k2").want(http.StatusConflict).without("kept")
}

// Those who may not see a conversation are not told who has it.
func TestAnswerIsNotForStrangers(t *testing.T) {
	t.Parallel()
	d := newTeam(t, store.SQLite)
	id := d.has(d.mads, d.says("Kari Nordli", "Hei"))
	d.must(d.store.InTx(t.Context(), func(tx *store.Tx) error {
		q, err := tx.DefaultQueue(t.Context())
		if err != nil {
			return err
		}
		return tx.SetQueueMember(t.Context(), q, d.ida.ID, false)
	}))
	for _, b := range []*browser{d.signedIn(d.ida), d.signedIn(d.ida).htmx("partial")} {
		b.post(thread(id)+"/messages", "body", "x", "client_key", "k", "as", "take", "owner", number(d.mads.ID)).want(http.StatusNotFound).without("Mads")
	}
}

// The script: the question is a dialog; closed, the text is back in the box; decided, the message goes.
func TestAnswerDialog(t *testing.T) { eachPair(t, answerDialog) }

func answerDialog(d *team) {
	id := d.has(d.mads, d.says("Kari Nordli", "Hei"))
	ida := d.at(d.ida, thread(id))
	ida.expect("status of 409")
	types(ida, "Hei fra Ida")
	ida.send()
	ida.wait("document.querySelector('dialog[open] #answer blockquote').textContent === 'Hei fra Ida'")
	ida.picture("answer")
	ida.size(390, 844)
	ida.picture("answer-phone")
	ida.size(1440, 900)
	ida.click("#answer a.btn--g[data-close]:not(.btn--i)")
	ida.wait("document.getElementById('body').value === 'Hei fra Ida' && document.activeElement.id === 'body' && " + bubbles + " === 'Hei'")
	ida.send()
	ida.wait("document.querySelector('dialog[open] #answer')")
	ida.open(thread(id)) // left without an answer: the text is there and asks for nothing
	ida.wait("document.getElementById('body').value === 'Hei fra Ida' && " + bubbles + " === 'Hei' && !document.querySelector('dialog[open]')")
	ida.focus("#body")
	ida.send()
	ida.click("#answer [value=help]")
	ida.wait(lastState(models.Read))
	ida.wait("document.getElementById('body').value === ''")
	types(ida, "Mer fra Ida") // asked once
	ida.send()
	ida.wait(bubbles + " === 'Hei|Hei fra Ida|Mer fra Ida'")
	ida.wait(lastState(models.Read))
	ida.see(d.text("composer.other", "name", "Mads Berg"))
	mads := d.at(d.mads, thread(id))
	mads.wait("document.querySelectorAll('#msgs .bub__who').length === 1") // over the first of two
	mads.picture("helped")

	// Mads takes part too; then Ida takes the conversation over.
	types(mads, "Og fra meg")
	mads.send()
	ida.wait("[...document.querySelectorAll('#msgs .bub__who')].at(-1)?.textContent.startsWith('Mads Berg')")
	tor := d.at(d.agentNamed("Tor Vik"), thread(id))
	tor.expect("status of 409")
	types(tor, "Jeg tar den")
	tor.send()
	tor.click("#answer [value=take]")
	tor.wait(lastState(models.Read))
	tor.wait("!document.getElementById('comp-owner').textContent.trim()")
	ida.wait("document.getElementById('comp-owner').textContent.includes('Tor Vik')")
}

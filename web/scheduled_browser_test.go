package web

import (
	"fmt"
	"testing"
	"time"

	"kanal/models"
	"kanal/store"
	"kanal/views/browsertest"
)

// plansFor types a moment into the dialog about a scheduled message and saves it.
func plansFor(b *seat, at time.Time) {
	b.t.Helper()
	b.js(fmt.Sprintf("document.getElementById('date').value = %q; document.getElementById('clock').value = %q", at.Format("2006-01-02"), at.Format("15:04")))
	b.click("#later-form button[type=submit]")
}

const planned = "[...document.querySelectorAll('#later li .bub')].map(x => x.innerText).join('|')"

// Files wait with their text, the words can be changed, and all of it goes at its time.
func TestLaterWithFilesInTheBrowser(t *testing.T) {
	browsertest.Require(t)
	eachDatabase(t, func(_ *testing.T, d *team) {
		id := d.has(d.ida, d.says("Kari Nordli", "Hei"))
		ida, mads := d.at(d.ida, thread(id)), d.at(d.mads, thread(id))
		brings(ida, "choose", "kontrakt.pdf", somePDF, "Bilde.jpg", someJPG)
		ida.wait("document.querySelectorAll('#uploads li[data-file]').length === 2")
		types(ida, "Her er kontrakten")
		ida.click("#send-later")
		ida.wait("document.querySelectorAll('#later-form .up').length === 2 && document.getElementById('later_body').value === 'Her er kontrakten'")
		ida.picture("later-files-dialog")
		plansFor(ida, time.Now().Add(2*time.Hour))
		ida.wait("document.querySelectorAll('#later li .att').length === 2 && " + rowsOfFiles + " === '' && document.getElementById('body').value === ''")
		mads.wait(planned + ".includes('kontrakt.pdf') && " + planned + ".includes('Her er kontrakten')")
		types(ida, "noe annet")
		d.draft(d.ida, id, "noe annet")
		ida.click("#later li a[id^='later-time-']")
		ida.wait("document.querySelector('dialog[open] #later_body')?.value === 'Her er kontrakten'")
		ida.js("document.getElementById('later_body').value = 'Her er den nye kontrakten'")
		plansFor(ida, time.Now().Add(3*time.Hour))
		mads.wait(planned + ".includes('Her er den nye kontrakten')")
		ida.wait(planned + ".includes('Her er den nye kontrakten') && document.getElementById('body').value === 'noe annet'")
		ida.picture("later-files")
		ida.narrow()
		ida.size(1440, 900)
		d.ahead(4 * time.Hour)
		for _, b := range []*seat{ida, mads} {
			b.wait("document.querySelectorAll('#msgs .msg--out').length === 3 && !document.querySelector('#later li') && " + bubbles + ".endsWith('Her er den nye kontrakten')")
		}
		d.waitFor(id, models.Read)
		if d.creates() != 3 {
			d.t.Errorf("%d messages at Twilio", d.creates())
		}
	})
}

// The window is closed then: it is said before anything is saved, and a template is the way on, for the same moment. A text
// that was scheduled all the same is not sent, and the list, the thread and its next steps say so.
func TestLaterInTheClosedWindow(t *testing.T) {
	browsertest.Require(t)
	eachDatabase(t, func(_ *testing.T, d *team) {
		tpl := d.addTemplate(d.account, parcel)
		id := d.has(d.ida, d.says("Kari Nordli", "Hei"))
		d.agreed(viewerOf(d.ida), id)
		ida := d.at(d.ida, thread(id))
		ida.expect(refused)
		at := time.Now().Add(30 * time.Hour)
		types(ida, "Vi sees")
		ida.click("#send-later")
		ida.wait("document.querySelector('dialog[open] #later_body')")
		plansFor(ida, at)
		ida.see("The reply window is closed then. Choose a template")
		ida.picture("later-closed-then")
		ida.click("#later-form .dlg__f a[href*='/templates?when=']")
		ida.click("#tp-" + number(tpl.ID))
		ida.wait("document.querySelector('dialog[open] #tp-form input[name=t]')?.value === '" + number(tpl.ID) + "'")
		ida.wait("!document.querySelector('#tp button[form=tp-form]:not([name=later])')")
		ida.js("for (const f of document.querySelectorAll('#tp-form input.inp')) f.value = 'i morgen'")
		ida.picture("later-template")
		ida.click("#tp button[name=later]")
		ida.wait("document.querySelector('dialog[open] #later-form blockquote')?.innerText.includes('i morgen')")
		ida.wait(fmt.Sprintf("document.getElementById('date').value === %q && document.getElementById('clock').value === %q", at.Format("2006-01-02"), at.Format("15:04")))
		ida.click("#later-form button[type=submit]")
		ida.wait(planned + ".includes('i morgen') && document.getElementById('body').value === 'Vi sees'")
		ida.picture("later-template-waits")
		ida.click("#later li a[id^='later-time-']")
		ida.wait("document.querySelector('dialog[open] #v-3')?.value === 'i morgen'")
		ida.js("document.getElementById('v-3').value = 'på torsdag'; document.getElementById('v-3').dispatchEvent(new Event('input', {bubbles: true}))")
		ida.wait("document.querySelector('#later-form .bub').innerText.includes('leveres på torsdag.')")
		ida.picture("later-template-change")
		ida.narrow()
		ida.size(1440, 900)
		ida.click("#later-form button[type=submit]")
		ida.wait("!document.querySelector('dialog[open]') && " + planned + ".includes('leveres på torsdag.') && " + planned + ".includes('Velg en annen tid')")

		ida.click("#send-later")
		ida.wait("document.querySelector('dialog[open] #later_body')?.value === 'Vi sees'")
		plansFor(ida, at)
		ida.see("Schedule anyway")
		ida.click("#later-form button[type=submit]")
		ida.wait("document.querySelectorAll('#later li.msg').length === 2 && document.getElementById('body').value === ''")
		d.ahead(31 * time.Hour)
		ida.wait(bubbles + ".includes('på torsdag') && document.querySelectorAll('#later li.msg').length === 1")
		ida.see("Not sent. The reply window was closed. Send a template")
		ida.wait("document.querySelector('#row-" + number(id) + "').innerText.includes('Not sent')")
		ida.wait("document.querySelector('#later a[href$=\"/templates\"]')")
		ida.picture("later-failed")
		ida.size(390, 844)
		ida.picture("later-failed-phone")
		ida.narrow()
		ida.size(1440, 900)
		d.waitFor(id, models.Read)
		if d.creates() != 1 {
			d.t.Errorf("%d messages at Twilio: free text went out in the closed window", d.creates())
		}
		d.says("Kari Nordli", "Hei igjen")
		ida.wait("document.getElementById('composer').dataset.mode === 'form'")
		ida.click("#later button[id^='latersend-']")
		ida.wait(bubbles + ".endsWith('Vi sees') && !document.querySelector('#later li') && !document.querySelector('#row-" + number(id) + "').innerText.includes('Not sent')")
	})
}

// The list is drawn again before the answer of a button in it has come: what the answer says is still said.
func TestToastOutlivesWhatAskedForIt(t *testing.T) {
	browsertest.Require(t)
	d := newTeam(t, store.SQLite)
	id := d.has(d.ida, d.says("Kari Nordli", "Hei"))
	ida := d.at(d.ida, thread(id))
	types(ida, "Vi sees")
	ida.click("#send-later")
	ida.wait("document.querySelector('dialog[open] #later_body')")
	plansFor(ida, time.Now().Add(2*time.Hour))
	ida.wait("document.querySelector('#later li') && !document.querySelector('dialog[open]')")
	ida.js(`{ const send = window.fetch; window.fetch = async (...a) => {
		const r = await send(...a);
		if (String(a[0]).endsWith('/cancel')) await new Promise(go => { window.answer = go; });
		return r;
	}; }`)
	ida.click("#later button[id^='latercancel-']")
	ida.wait("window.answer && !document.querySelector('#later li')")
	ida.js("window.answer()")
	ida.wait("document.getElementById('toasts').innerText.includes('The message will not be sent')")
}

// Without script: files, a template, the closed window and the emoji come and go as forms.
func TestComposerWithoutScript(t *testing.T) {
	eachDatabase(t, func(_ *testing.T, d *team) {
		tpl := d.addTemplate(d.account, parcel)
		id := d.has(d.ida, d.says("Kari Nordli", "Hei"))
		d.agreed(viewerOf(d.ida), id)
		ida := d.signedIn(d.ida)
		ida.sends(thread(id)+"/later/new", "body", "Her", "client_key", "k0", "upload", "kontrakt.pdf|"+somePDF).want(200, "kontrakt.pdf", "Her</textarea>", `name="file"`)
		ida.get(thread(id)).want(200, "Her</textarea>", "kontrakt.pdf") // the way back has it all
		row, err := d.store.Conversation(t.Context(), models.Viewer{Role: models.Administrator}, id)
		d.must(err)
		fs, err := d.store.Uploads(t.Context(), row.Conversation, d.ida.ID)
		d.must(err)
		at := time.Now().Add(time.Hour)
		date, clock := at.Format("2006-01-02"), at.Format("15:04")
		ida.post(thread(id)+"/later", "client_key", "k1", "later_body", "Her", "file", number(fs[0].ID), "date", "x", "clock", "").want(422, "kontrakt.pdf", `name="file" value="`+number(fs[0].ID)+`"`)
		ida.post(thread(id)+"/later", "client_key", "k1", "later_body", "Her", "file", number(fs[0].ID), "date", date, "clock", clock).to(thread(id))
		ida.get(thread(id)).want(200, "To be sent later", "kontrakt.pdf").without("Her</textarea>")
		d.signedIn(d.mads).get(fmt.Sprintf("/files/%d", fs[0].ID)).want(200)
		ida.post(fmt.Sprintf("/later/%d/cancel", d.onlyLater(id).ID)).to(thread(id))
		ida.get(fmt.Sprintf("/files/%d", fs[0].ID)).want(404)

		use := []string{"client_key", "k2", "t", number(tpl.ID), "later", "1", "when", date + " " + clock}
		ida.post(thread(id)+"/templates", use...).want(422, "Fill in")
		for _, f := range tpl.Fields() {
			use = append(use, models.ValueField(f.Name), "i morgen")
		}
		ida.post(thread(id)+"/templates", use...).want(200, "i morgen", `value="`+clock+`"`, `name="t" value="`+number(tpl.ID)+`"`)
		ida.post(thread(id)+"/later", append(use, "date", "2020-01-01", "clock", clock)...).want(422, "The time has passed", "i morgen")
		ida.post(thread(id)+"/later", append(use, "date", date, "clock", clock)...).to(thread(id))
		m := d.onlyLater(id)
		if m.TemplateName != parcel.Name || m.TemplateID == nil {
			d.t.Errorf("%+v", m)
		}
		change, form := fmt.Sprintf("/later/%d", m.ID), []string{"date", date, "clock", clock, "v-1", "Kari", "v-2", "*4711*"}
		ida.get(thread(id)).want(200, "leveres i morgen.", "Din pakke", "Kanal AS", "Det passer")
		ida.get(change).want(200, `value="i morgen" autocomplete="off" id="v-1" name="v-1"`, `name="v-3"`).without("later_body", `name="t"`)
		d.signedIn(d.mads).post(change, append(form, "v-3", "onsdag")...).want(403)
		boss := d.as(models.Supervisor)
		boss.get(change).want(200, "leveres i morgen.").without(`name="v-1"`)
		boss.post(change, append(form, "v-3", "onsdag")...).want(403)
		boss.post(change, form[:4]...).to(thread(id)) // the time alone
		ida.post(change, append(form, "v-3", " ")...).want(422, "Fill in", `value="*4711*"`)
		ida.get(thread(id)).want(200, "leveres i morgen.")
		ida.post(change, append(form, "v-3", "onsdag")...).to(thread(id))
		ida.get(thread(id)).want(200, "Hei Kari! Pakken med ordre <strong>4711</strong> leveres onsdag.")

		ida.post(thread(id)+"/emoji", "body", "Hei ").want(200, "<!doctype", "Hei</textarea>", `href="`+thread(id)+`"`)
		ida.post(thread(id)+"/emoji", "body", "Hei", "emoji", "👍").want(200, "Hei👍</textarea>")
		ida.post(thread(id)+"/emoji", "body", "Hei", "emoji", "<b>").want(404)
		ida.get(thread(id)+"/emoji").want(200, "Hei👍</textarea>")
		ida.post(thread(id)+"/emoji", "body", "Hei 👍👍", "done", "1").to(thread(id))
		ida.get(thread(id)).want(200, "Hei 👍👍</textarea>", `formaction="`+thread(id)+`/emoji"`)
		ida.get("/inbox/999/emoji").want(404)
	})
}

package web

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"kanal/models"
)

// bringing is the script with which files come into the page: how is choose, paste or drop; files are name and content.
func bringing(how string, files ...string) string {
	js := "{ const d = new DataTransfer();"
	for i := 0; i+1 < len(files); i += 2 {
		js += fmt.Sprintf("d.items.add(new File([Uint8Array.from(atob(%q), c => c.charCodeAt(0))], %q));", base64.StdEncoding.EncodeToString([]byte(files[i+1])), files[i])
	}
	js += map[string]string{
		"choose": "const i = document.getElementById('attach'); i.files = d.files; i.dispatchEvent(new Event('change', {bubbles: true}))",
		"paste":  "document.getElementById('body').dispatchEvent(new ClipboardEvent('paste', {clipboardData: d, bubbles: true, cancelable: true}))",
		"drop":   "for (const t of ['dragover', 'drop']) document.getElementById('log').dispatchEvent(new DragEvent(t, {dataTransfer: d, bubbles: true, cancelable: true}))",
	}[how] + " }"
	return js
}

func brings(b *seat, how string, files ...string) {
	b.t.Helper()
	b.js(bringing(how, files...))
}

const rowsOfFiles = "[...document.querySelectorAll('#uploads li')].map(x => x.dataset.name + (x.dataset.file ? '' : '?')).join('|')"

// Files are chosen, pasted and dropped, taken out, kept over a reload, sent and on the phone.
func TestAttach(t *testing.T) { eachPair(t, attach) }

func attach(d *team) {
	id := d.has(d.ida, d.says("Kari Nordli", "Hei"))
	ida := d.at(d.ida, thread(id))
	ida.expect("status of 422")
	brings(ida, "choose", "Bilde.jpg", someJPG)
	ida.wait(rowsOfFiles + " === 'Bilde.jpg' && " + polite + " === " + jsText(d.text("upload.added", "name", "Bilde.jpg")))
	brings(ida, "paste", "image.png", "\x89PNG\r\n\x1a\n"+strings.Repeat("x", 100))
	brings(ida, "drop", "kontrakt.pdf", somePDF, "liste.PDF", somePDF)
	ida.wait("document.querySelectorAll('#uploads li[data-file]').length === 4 && document.activeElement.id === 'body'")

	// What cannot be sent is said: before it leaves the browser by name and size, after it by what it is.
	brings(ida, "drop", "side.html", "<html>", "tom.pdf", "", "stor.png", strings.Repeat("x", models.MaxImageSize+1), "falsk.jpg", "<html>")
	ida.wait("document.querySelectorAll('#uploads .up--fail').length === 4")
	for _, says := range []string{d.text("file.type"), d.text("file.empty"), d.text("file.image_size", "max", 5)} {
		ida.see(says)
	}
	ida.picture("attach")
	ida.size(390, 844)
	ida.picture("attach-phone")
	ida.narrow()
	ida.size(1440, 900)
	ida.js("document.querySelector('#uploads .up--fail button').click()")
	ida.wait("document.querySelectorAll('#uploads .up--fail').length === 3 && document.activeElement.closest('#uploads')")

	// One is taken out; the others are there after a reload and in a thread that is opened again.
	ida.click("#uploads [aria-label=" + jsText(d.text("upload.remove", "name", "image.png")) + "]")
	ida.wait("document.querySelectorAll('#uploads li[data-file]').length === 3")
	ida.open(thread(id))
	ida.wait(rowsOfFiles + " === 'Bilde.jpg|kontrakt.pdf|liste.PDF'")
	other := d.has(d.ida, d.says("Jonas Bakke", "Hallo"))
	ida.click("#row-" + number(other))
	ida.wait("document.getElementById('log').dataset.conversation === '" + number(other) + "' && " + rowsOfFiles + " === ''")
	ida.click("#row-" + number(id))
	ida.wait(rowsOfFiles + " === 'Bilde.jpg|kontrakt.pdf|liste.PDF'")

	types(ida, "Se her")
	ida.wait("document.getElementById('uploads-hint').hidden")
	ida.send()
	ida.wait("document.querySelectorAll('#msgs .msg--out').length === 3 && " + rowsOfFiles + " === ''")
	ida.wait("[...document.querySelectorAll('#msgs .msg--out')].every(m => m.dataset.state === 'read')")
	ida.wait(bubbles + ".startsWith('Hei|Se her')")
	ida.wait("document.querySelector('#msgs .msg--out .pic img').naturalWidth === 320 && document.querySelectorAll('#msgs .msg--out a.att').length === 2")

	// A document's text is a message of its own, and the composer says so.
	brings(ida, "choose", "faktura.pdf", somePDF)
	types(ida, "Fakturaen")
	ida.wait("!document.getElementById('uploads-hint').hidden")
	ida.see(d.text("upload.text_apart"))
	ida.send()
	ida.wait("document.querySelectorAll('#msgs .msg--out').length === 5")
	ida.wait("[...document.querySelectorAll('#msgs .msg--out')].every(m => m.dataset.state === 'read')")
	ida.picture("attached")

	phone := d.at(d.user(models.Administrator, "phone@kanal.test"), "/simulator?account="+d.sid+"&customer="+strings.ReplaceAll(string(d.phone("Kari Nordli")), "+", "%2B"))
	phone.wait("document.querySelector('#phone-log .pic img').naturalWidth === 320 && document.querySelectorAll('#phone-log .att').length === 3")
	phone.see("faktura.pdf")
	phone.picture("attached-on-the-phone")
}

// The window closes while files wait: the panel takes the form's place, and they are there when it opens again. What is
// sent before it is uploaded goes once it is.
func TestAttachAndTheWindow(t *testing.T) { eachPair(t, attachAndTheWindow) }

func attachAndTheWindow(d *team) {
	id := d.has(d.ida, d.says("Kari Nordli", "Hei"))
	ida := d.at(d.ida, thread(id))
	brings(ida, "choose", "a.pdf", somePDF)
	ida.wait(rowsOfFiles + " === 'a.pdf'")
	d.ahead(25 * 3600e9)
	ida.wait("document.getElementById('composer').dataset.mode === 'closed'")
	ida.see(d.text("upload.kept"))
	ida.wait("document.querySelector('.ups--kept a').textContent === 'a.pdf'")
	ida.picture("attached-closed")
	d.says("Kari Nordli", "Hallo?")
	ida.wait("document.getElementById('composer').dataset.mode === 'form' && " + rowsOfFiles + " === 'a.pdf'")
	ida.js("window.held = XMLHttpRequest.prototype.send; XMLHttpRequest.prototype.send = function (b) { window.go = () => held.call(this, b) }")
	brings(ida, "choose", "b.pdf", somePDF)
	ida.wait("document.querySelector('#uploads progress')")
	types(ida, "Her")
	ida.send()
	ida.wait(polite + " === " + jsText(d.text("upload.wait")) + " && document.getElementById('body').value === 'Her'")
	ida.js("window.go()")
	ida.wait("document.querySelectorAll('#msgs .msg--out').length === 3 && document.getElementById('body').value === ''")
	ida.wait(bubbles + ".includes('|Her')")
}

package web

import (
	"testing"

	"github.com/chromedp/chromedp/kb"

	"kanal/store"
)

// By keyboard: search, walk through the grid, and the emoji is at the caret.
func TestEmojiByKeyboard(t *testing.T) {
	d := newTeam(t, store.SQLite)
	id := d.has(d.ida, d.says("Kari Nordli", "Hei"))
	b := d.at(d.ida, thread(id))
	types(b, "Hei Kari")
	b.js("document.getElementById('body').setSelectionRange(4, 4)")
	b.click("#emoji-open")
	b.wait("document.activeElement.id === 'emoji-search'")
	b.press("thumbs")
	b.wait("[...document.querySelectorAll('[data-emoji]')].filter(e => !e.hidden).length === 2")
	b.picture("emoji-search")
	b.press(kb.ArrowDown)
	b.wait("document.activeElement.dataset.emoji === '👍'")
	b.press(kb.ArrowRight)
	b.wait("document.activeElement.dataset.emoji === '👎' && document.activeElement.tabIndex === 0")
	b.press(kb.Home)
	b.press(" ")
	b.wait("document.getElementById('body').value === 'Hei 👍Kari' && document.activeElement.id === 'body' && document.getElementById('body').selectionStart === 6")
	b.click("#emoji-open")
	b.wait("document.activeElement.id === 'emoji-search'")
	b.picture("emoji")
	b.press("nothing at all")
	b.see("No results. Try another word.")
	b.press(kb.Escape) // the first one empties a search field
	b.wait("document.getElementById('emoji-search').value === '' && document.querySelector('[data-emoji-none]').hidden")
	b.press(kb.Escape)
	b.wait("!document.querySelector('dialog[open]')")
}

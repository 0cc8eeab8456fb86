package web

import (
	"testing"

	"github.com/chromedp/chromedp/kb"

	"kanal/views/i18n"
)

// By keyboard: search, walk through the grid, and the emoji is at the caret.
func TestEmojiByKeyboard(t *testing.T) { eachPair(t, emojiByKeyboard) }

func emojiByKeyboard(d *team) {
	id := d.has(d.ida, d.says("Kari Nordli", "Hei"))
	b := d.at(d.ida, thread(id))
	types(b, "Hei Kari")
	b.js("document.getElementById('body').setSelectionRange(4, 4)")
	b.click("#emoji-open")
	b.wait("document.activeElement.id === 'emoji-search'")
	b.press(map[i18n.Lang]string{i18n.EN: "thumbs", i18n.NB: "tommel"}[d.lang])
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
	b.see(d.text("emoji.none"))
	b.press(kb.Escape) // the first one empties a search field
	b.wait("document.getElementById('emoji-search').value === '' && document.querySelector('[data-emoji-none]').hidden")
	b.press(kb.Escape)
	b.wait("!document.querySelector('dialog[open]')")
}

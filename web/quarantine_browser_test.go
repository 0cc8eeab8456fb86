package web

import (
	"fmt"
	"testing"

	"kanal/models"
	"kanal/views/browsertest"
	"kanal/views/i18n"
)

// An administrator is told on the way that something waits, looks why, replays it in vain, and after the cause is gone
// replays it by keyboard.
func TestQuarantineIsReplayed(t *testing.T) {
	browser := browsertest.Browser(t)
	for i, lang := range i18n.Langs() {
		t.Run(string(lang), func(t *testing.T) {
			s := newSite(t)
			a := s.connect()
			s.hook(hookPath, toElsewhere(t, i+1))
			b := s.tab(browser, s.user(models.Administrator, "admin@kanal.test"))
			b.expect(refused)
			b.open("/admin")
			b.js(fmt.Sprintf("document.cookie = 'lang=%s; path=/'", lang))
			b.open("/admin")
			b.says(i18n.Lookup(lang, "quarantine.notice_open"))
			b.tabTo(".anote a")
			b.enter()
			b.at("/admin/quarantine")
			b.says(i18n.Lookup(lang, "quarantine.unknown_number"))
			b.picture("quarantine-" + string(lang))
			b.size(320, 800)
			b.wait("document.documentElement.scrollWidth <= innerWidth")
			b.wait("[...document.querySelectorAll('td[data-label]')].length === 3 && [...document.querySelectorAll('td[data-label]')].every(td => getComputedStyle(td, '::before').content.includes(td.dataset.label))")
			b.picture("quarantine-phone-" + string(lang))
			b.size(1440, 900)
			b.tabTo("a[href='/admin/quarantine/1']")
			b.enter()
			b.at("/admin/quarantine/1")
			b.says(fmt.Sprint("secret words ", i+1))
			b.tabTo("#replay button")
			b.enter()
			b.wait("document.activeElement.id === 'errsum'")
			b.says(i18n.Lookup(lang, "quarantine.still", "why", i18n.Lookup(lang, "quarantine.unknown_number")))
			b.picture("quarantined-" + string(lang))
			s.addNumber(a, elsewhere)
			b.tabTo("#replay button")
			b.enter()
			b.wait("location.pathname === '/admin/quarantine'")
			b.says(i18n.Lookup(lang, "quarantine.none"))
			b.wait(fmt.Sprintf("document.getElementById('toasts').innerText.includes(%q)", i18n.Lookup(lang, "done.quarantine_replayed")))
			if got := s.conversations(); fmt.Sprint(got) != "[1]" {
				t.Errorf("messages: %v", got)
			}
		})
	}
}

package web

import (
	"fmt"
	"testing"

	"kanal/models"
	"kanal/views/browsertest"
)

// What only a browser can tell of the look: rings, surfaces and widths.
func TestBrowserLook(t *testing.T) {
	t.Parallel()
	browsertest.Require(t)
	s := newSite(t, withSimulator(t))
	s.user(models.Agent, "somebody.with.a.long.address@customer-service.kanal.test")
	b := s.tab(browsertest.Browser(t), s.user(models.Administrator, "admin@kanal.test"))

	b.open("/admin/accounts/new/setup/channel-details")
	b.wait("document.activeElement.tagName === 'H1' && getComputedStyle(document.activeElement).outlineStyle === 'none'")
	b.tabTo("input[name=name]")
	b.wait("getComputedStyle(document.activeElement).outlineStyle === 'solid'")

	b.open("/admin/users")
	b.wait("getComputedStyle(document.querySelector('.tscroll')).backgroundColor === 'rgb(255, 255, 255)'")
	b.wait("getComputedStyle(document.querySelector('.tbl tbody tr:last-child td')).borderBlockEndWidth === '0px'")
	b.size(320, 700)
	b.wait("[...document.querySelectorAll('th[scope=row] a')].every(a => a.getBoundingClientRect().width > 60)")
	b.wait("document.documentElement.scrollWidth <= innerWidth")

	// What is hidden in rows of the log that are scrolled away does not make the page longer.
	b.size(1440, 900)
	b.open("/admin")
	b.js("document.getElementById('try').requestSubmit()")
	b.at("/simulator")
	b.wait("document.getElementById('phone-body')")
	for range 20 {
		b.js("fetch('/simulator/messages', {method: 'POST', body: new URLSearchParams({body: 'Hei'})}).then(() => { window.sent = (window.sent || 0) + 1 })")
	}
	b.wait("window.sent === 20")
	b.open("/simulator")
	b.wait("document.querySelectorAll('#events tbody tr').length >= 20 && document.documentElement.scrollHeight <= Math.ceil(document.getElementById('app').getBoundingClientRect().height) + 1")
}

// What is read or typed is not as wide as a wide page, and on a phone nothing leaves its line.
func TestAdminWidths(t *testing.T) {
	t.Parallel()
	browser := browsertest.Browser(t)
	s := newSite(t, withSimulator(t))
	b := s.tab(browser, s.user(models.Administrator, "admin@kanal.test"))
	b.open("/admin")
	b.js("document.getElementById('try').requestSubmit()")
	b.at("/simulator")
	b.size(1440, 900)
	for _, tt := range []struct {
		path, selector string
		rem            int
	}{{"/admin/quarantine", ".seg", 24}, {"/admin/alerts", ".empty p", 36}, {"/admin/accounts/1/token", "#add", 44}} {
		b.open(tt.path)
		b.wait(fmt.Sprintf("document.querySelector('%s').getBoundingClientRect().width <= %d", tt.selector, 16*tt.rem))
	}

	// The arrow stays beside a heading of two lines; the lines of an address are full, wherever it has a hyphen.
	b.size(320, 700)
	b.open("/admin/accounts/1/setup/callback")
	b.wait("(s => s.lastElementChild.getBoundingClientRect().top < s.firstElementChild.getBoundingClientRect().bottom)(document.querySelector('summary.card__h'))")
	b.open("/admin/accounts/1/webhooks")
	b.js("document.querySelector('.hooks .mono').textContent = 'POST https://kanal.test/-' + 'x'.repeat(200)")
	b.wait("(e => [...e.getClientRects()].slice(0, -1).every(r => r.width > e.parentElement.clientWidth * .8))(document.querySelector('.hooks .mono'))")
}

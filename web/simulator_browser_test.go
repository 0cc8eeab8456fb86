package web

import (
	"context"
	"testing"
	"time"

	"kanal/jobs"
	"kanal/models"
	"kanal/twilio/simulator"
	"kanal/views/browsertest"
)

// startJobs lets messages be sent.
func (s *site) startJobs() {
	s.t.Helper()
	runner, err := jobs.New(s.store, s.service)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := runner.Start(context.Background()); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := runner.Stop(ctx); err != nil {
			s.t.Error(err)
		}
	})
}

// From Get started to an answer that the customer has read, with everything live in two tabs.
func TestBrowserSimulator(t *testing.T) {
	t.Parallel()
	browsertest.Require(t)
	s := newSite(t, withSimulator(t))
	s.startJobs()
	// Two browsers: two people.
	admin := s.tab(browsertest.Browser(t), s.user(models.Administrator, "admin@kanal.test"))
	admin.open("/admin")
	admin.js("document.getElementById('try').requestSubmit()")
	admin.at("/simulator")
	admin.wait("document.getElementById('phone-body')")
	admin.says("The customer has not written yet.")
	s.sim.SetOutcome(s.sim.Accounts()[0].SID, simulator.Outcome{Final: "read", Step: 20 * time.Millisecond})

	agent := s.tab(browsertest.Browser(t), s.user(models.Agent, "agent@kanal.test"))
	agent.open("/inbox?view=queue")
	admin.js("document.getElementById('phone-body').value = 'Hei, er dere der?'; document.getElementById('phone-form').requestSubmit()")
	admin.wait("document.querySelector('#phone-log .msg--out .meta .vh')?.textContent === 'Delivered'")
	admin.wait("document.getElementById('phone-body').value === ''")
	agent.says("Hei, er dere der?")
	admin.says("The reply window stays open")
	admin.says("Close the reply window")

	agent.js("document.querySelector('#list a.conv').click()")
	agent.wait("document.getElementById('body')")
	agent.js("document.getElementById('body').value = 'Ja, vi er her'; document.getElementById('composer').requestSubmit()")
	admin.wait("document.querySelector('#phone-log .msg--in')?.innerText.includes('Ja, vi er her')")
	agent.wait("document.querySelector('#log .msg--out .is-read')")
	admin.wait("document.querySelector('#events').innerText.includes('status: read')")

	// A row opens its request in a dialog.
	admin.js("document.querySelector('#events td a').click()")
	admin.wait("document.getElementById('dialog').open && document.getElementById('sim-curl').textContent.startsWith('curl ')")
	admin.js("document.querySelector('#dialog [data-close]').click()")
	admin.wait("!document.getElementById('dialog').open")

	// The window closes by the account's clock, also in the tab that is open.
	for range 2 {
		admin.js("document.querySelector('#sim-skip button').click()")
		admin.wait("document.getElementById('toasts').innerText.includes('The clock has been moved ahead.')")
		admin.js("document.getElementById('toasts').replaceChildren()")
	}
	agent.wait("document.querySelector('#composer .closed')")
}

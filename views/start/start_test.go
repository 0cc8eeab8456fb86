package start

import (
	"fmt"
	"strings"
	"testing"

	"kanal/models"
	"kanal/views/i18n"
	"kanal/views/viewtest"
)

// whole is an installation in which everything is done.
var whole = models.Progress{
	Accounts: 1, Credentials: true, FirstMessage: true, Workstreams: 1, Claimed: 1, Team: 3, Colleagues: 2, Answered: true, Templates: true,
}

func TestStates(t *testing.T) {
	draft := func(step models.AccountStep) *models.Account {
		return &models.Account{ID: 7, Name: "Norge", State: models.AccountDraft, Step: step}
	}
	stream := &models.Workstream{ID: 3, Name: "Salg"}
	for name, tt := range map[string]struct {
		p      models.Progress
		states string // of the seven tasks
		urls   map[int]string
	}{
		"nothing": {models.Progress{Team: 1}, "todo todo later todo later later todo later", map[int]string{0: "/admin/accounts/new/setup/channel-details"}},
		"a draft without details": {
			models.Progress{AccountDraft: draft(models.StepChannelDetails)}, "todo doing later todo later later todo later",
			map[int]string{0: "/admin/accounts/7/setup/account-details", 1: "/admin/accounts/7/setup/account-details"},
		},
		"a draft at its end": {
			models.Progress{Credentials: true, AccountDraft: draft(models.StepNumbers)}, "done doing todo todo later later todo later",
			map[int]string{2: "/admin/accounts/7/setup/callback"},
		},
		"finished, and silent": {
			models.Progress{Accounts: 1, Credentials: true, Silent: &models.Account{ID: 8, State: models.AccountActive}}, "done done todo todo later todo todo later",
			map[int]string{0: "/admin/accounts", 2: "/admin/accounts/8/setup/callback"},
		},
		"a workstream without an account": {models.Progress{Workstreams: 1, Workstream: stream}, "todo todo later done later later todo later", nil},
		"a workstream without a number": {
			models.Progress{Accounts: 1, Credentials: true, FirstMessage: true, Workstreams: 1, Workstream: stream}, "done done done done todo todo todo todo",
			map[int]string{4: "/admin/workstreams/3/whatsapp/number"},
		},
		"its wizard begun": {
			models.Progress{Accounts: 1, Credentials: true, FirstMessage: true, Workstreams: 1, Workstream: stream, ChannelStep: models.ChannelLanguage},
			"done done done done doing todo todo todo", map[int]string{4: "/admin/workstreams/3/whatsapp/behaviors"},
		},
		"everything": {whole, "done done done done done done done done", map[int]string{7: "/inbox"}},
	} {
		t.Run(name, func(t *testing.T) {
			var states, urls []string
			for _, g := range (Page{Progress: tt.p}).groups(viewtest.Context(i18n.NB)) {
				for _, task := range g.tasks {
					states, urls = append(states, task.State), append(urls, task.URL)
				}
			}
			if got := strings.Join(states, " "); got != tt.states {
				t.Errorf("%s\nwant %s", got, tt.states)
			}
			for i, want := range tt.urls {
				if urls[i] != want {
					t.Errorf("task %d leads to %s, want %s", i+1, urls[i], want)
				}
			}
		})
	}
}

func TestShow(t *testing.T) {
	for i, p := range []Page{
		{}, {Simulator: true, Local: true}, {Progress: whole, Simulator: true}, {Progress: models.Progress{Team: 1, FirstMessage: true}},
	} {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			viewtest.Each(t, Show(p), func(t *testing.T, _ i18n.Lang, html string) {
				if strings.Contains(html, `action="/simulator/try"`) != (p.Simulator && p.Progress.Accounts == 0) {
					t.Error("the simulator is offered where it can be tried for the first time, and only there")
				}
				if strings.Contains(html, "started.") {
					t.Error("a text is missing")
				}
			})
		})
	}
}

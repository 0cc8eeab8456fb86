// Package start holds Get started: the tasks between a new installation and its first answered customer.
package start

import (
	"context"
	"strconv"

	"kanal/models"
	"kanal/views/components"
	"kanal/views/i18n"
)

// Page is what Get started shows.
type Page struct {
	Progress  models.Progress
	Simulator bool // it is on
	Local     bool // Twilio cannot reach the public address
}

// group is one card of tasks.
type group struct {
	id, title string
	tasks     []components.Task
}

// groups gives the tasks with their states.
func (p Page) groups(ctx context.Context) []group {
	out := []group{
		{"start-twilio", "started.twilio", []components.Task{p.details(ctx), p.channel(ctx), p.firstMessage(ctx)}},
		{"start-receive", "started.receive", []components.Task{p.workstream(ctx), p.whatsApp(ctx)}},
		{"start-team", "started.team", []components.Task{p.templates(ctx), p.people(ctx), p.answer(ctx)}},
	}
	n := 0
	for _, g := range out {
		for i := range g.tasks {
			n++
			g.tasks[i].N = n
		}
	}
	return out
}

// done counts the tasks that are done, and all of them.
func done(groups []group) (n, total int) {
	for _, g := range groups {
		for _, t := range g.tasks {
			total++
			if t.State == "done" {
				n++
			}
		}
	}
	return n, total
}

func task(ctx context.Context, name, url string) components.Task {
	return components.Task{Label: i18n.T(ctx, "started."+name), Text: i18n.T(ctx, "started."+name+"_text"), URL: url, State: "todo"}
}

// newAccount is where the wizard New account begins, or where its newest draft stopped.
func (p Page) newAccount() string {
	if d := p.Progress.AccountDraft; d != nil {
		return accountURL(*d) + "/setup/" + d.Furthest().Path()
	}
	return "/admin/accounts/new/setup/channel-details"
}

func accountURL(a models.Account) string {
	return "/admin/accounts/" + strconv.FormatInt(int64(a.ID), 10)
}

// details: SID and token of a Twilio account are kept.
func (p Page) details(ctx context.Context) components.Task {
	t := task(ctx, "details", p.newAccount())
	if p.Progress.Credentials {
		t.State = "done"
		if p.Progress.AccountDraft == nil {
			t.URL = "/admin/accounts"
		}
	}
	return t
}

// channel: an account is finished.
func (p Page) channel(ctx context.Context) components.Task {
	t := task(ctx, "channel", p.newAccount())
	d := p.Progress.AccountDraft
	switch {
	case p.Progress.Accounts > 0:
		t.State, t.URL = "done", "/admin/accounts"
	case d != nil:
		t.State = "doing"
		if d.Name != "" {
			t.Text = i18n.T(ctx, "started.channel_draft", "name", d.Name)
		}
	}
	return t
}

// firstMessage: a signed message has come in.
func (p Page) firstMessage(ctx context.Context) components.Task {
	t := task(ctx, "message", "/admin/accounts")
	d, silent := p.Progress.AccountDraft, p.Progress.Silent
	switch {
	case p.Progress.FirstMessage:
		t.State = "done"
	case silent != nil && silent.Simulated && p.Simulator:
		t.URL, t.Text = "/simulator?account="+silent.SID, i18n.T(ctx, "started.message_simulated")
	case silent != nil:
		t.URL = accountURL(*silent) + "/setup/callback"
	case d != nil && d.Furthest() == models.StepCallback:
		t.URL = accountURL(*d) + "/setup/callback"
	default:
		t.State, t.Text = "later", i18n.T(ctx, "started.message_later")
	}
	return t
}

func (p Page) workstream(ctx context.Context) components.Task {
	t := task(ctx, "workstream", "/admin/workstreams")
	if p.Progress.Workstreams > 0 {
		t.State = "done"
	}
	return t
}

// whatsApp: a workstream has a number.
func (p Page) whatsApp(ctx context.Context) components.Task {
	t := task(ctx, "whatsapp", "/admin/workstreams")
	w := p.Progress.Workstream
	switch {
	case p.Progress.Claimed > 0:
		t.State = "done"
	case w == nil:
		t.State, t.Text = "later", i18n.T(ctx, "started.whatsapp_later")
	case p.Progress.Accounts == 0:
		t.State, t.Text = "later", i18n.T(ctx, "started.whatsapp_account")
	default:
		t.URL = "/admin/workstreams/" + strconv.FormatInt(int64(w.ID), 10) + "/whatsapp/" + min(p.Progress.ChannelStep+1, models.ChannelSummary).Path()
		if p.Progress.ChannelStep > models.ChannelNone {
			t.State, t.Text = "doing", i18n.T(ctx, "started.whatsapp_draft", "name", w.Name)
		}
	}
	return t
}

// templates: an account has a message template.
func (p Page) templates(ctx context.Context) components.Task {
	t := task(ctx, "templates", "/admin/templates")
	switch {
	case p.Progress.Templates:
		t.State = "done"
	case p.Progress.Accounts == 0:
		t.State, t.Text = "later", i18n.T(ctx, "started.templates_later")
	}
	return t
}

// people: somebody who is not an administrator is in a queue.
func (p Page) people(ctx context.Context) components.Task {
	t := task(ctx, "people", "/admin/users")
	switch {
	case p.Progress.Colleagues > 0:
		t.State, t.Text = "done", i18n.N(ctx, "started.people_n", p.Progress.Team)
	case p.Progress.Team == 0:
		t.Text = i18n.T(ctx, "started.people_none")
	}
	return t
}

// answer: a customer has got an answer.
func (p Page) answer(ctx context.Context) components.Task {
	t := task(ctx, "answer", "/inbox?view=queue")
	switch {
	case p.Progress.Answered:
		t.State, t.URL = "done", "/inbox"
	case !p.Progress.FirstMessage:
		t.State, t.Text = "later", i18n.T(ctx, "started.answer_later")
	}
	return t
}

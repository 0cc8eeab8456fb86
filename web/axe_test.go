package web

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"kanal/models"
	"kanal/service"
	"kanal/store"
	"kanal/store/storetest"
	"kanal/views/browsertest"
	"kanal/views/viewtest"
)

func TestMain(m *testing.M) { browsertest.Main(m) }

// visit is one page in one of its states. route is its line of the list of routes; path gives its address.
type visit struct {
	name   string
	route  string
	who    models.Role // "" is nobody
	path   func(w *world) string
	do     func(b *browsertest.Tab) // brings it into the state; nil: as it opens
	status int                      // of the page itself; 0 is 200
	in     string                   // "fresh": in the center before its first start; "empty": in the one that has nothing yet
}

func at(path string) func(*world) string { return func(*world) string { return path } }

// thread gives the address of a conversation, with more behind it.
func threadAt(what, more string) func(*world) string {
	return func(w *world) string { return fmt.Sprintf("/inbox/%d%s", w.rows[what], more) }
}

// templateAt gives the address of the picker with a template that has fields.
func templateAt(w *world) string {
	return threadAt("window closed", fmt.Sprint("/templates?t=", w.template))(w)
}

// sentEmpty fills nothing in, sends the form and waits for the sentences.
func sentEmpty(form string) func(*browsertest.Tab) {
	return func(b *browsertest.Tab) {
		b.Expect("422")
		b.JS("document.getElementById('" + form + "').requestSubmit()")
		b.Wait("document.getElementById('errsum')")
		b.Ready()
	}
}

// opened clicks on what opens the dialog.
func opened(selector string) func(*browsertest.Tab) {
	return func(b *browsertest.Tab) {
		b.Click(selector)
		b.Wait("document.querySelector('dialog[open]')")
	}
}

const (
	admin      = models.Administrator
	supervisor = models.Supervisor
	agent      = models.Agent
)

// visits are all pages in all their states.
var visits = slices.Concat(peopleVisits, inboxVisits, customerVisits, outreachVisits, accountVisits, workstreamVisits, templateVisits, troubleVisits, simulatorVisits, errorVisits)

var peopleVisits = []visit{
	{name: "setup", route: "/setup", path: at("/setup"), in: "fresh"},
	{name: "setup refused", route: "/setup", path: at("/setup"), in: "fresh", do: sentEmpty("setup")},
	{name: "login", route: "/login", path: at("/login")},
	{name: "login refused", route: "/login", path: at("/login?next=/me"), do: sentEmpty("login")},
	{name: "link", route: "/link/:token", path: func(w *world) string { return "/link/" + w.link.Reveal() }},
	{name: "link refused", route: "/link/:token", path: func(w *world) string { return "/link/" + w.link.Reveal() }, do: sentEmpty("link")},
	{name: "link gone", route: "/link/:token", path: at("/link/gone"), status: http.StatusNotFound},
	{name: "me", route: "/me", who: agent, path: at("/me")},
	{name: "me refused", route: "/me", who: agent, path: at("/me"), do: func(b *browsertest.Tab) {
		b.JS("document.querySelector('#profile [name=name]').value = ''")
		sentEmpty("profile")(b)
	}},
	{name: "me password refused", route: "/me", who: agent, path: at("/me"), do: sentEmpty("change-password")},
	{name: "users", route: "/admin/users", who: admin, path: at("/admin/users")},
	{name: "connection check", route: "/admin/check", who: admin, path: at("/admin/check"), do: checkEnded},
	{name: "connection check at once", route: "/admin/check", who: admin, path: at("/admin/check?whole=1")},
	{name: "test message", route: "/admin/check/message", who: admin, path: at("/admin/check"), do: func(b *browsertest.Tab) {
		checkEnded(b)
		opened("[hx-get='/admin/check/message']")(b)
	}},
	{name: "test message page refused", route: "/admin/check/message", who: admin, path: at("/admin/check/message"), do: sentEmpty("test-message")},
	{name: "test message to confirm", route: "/admin/check/message", who: admin, path: at("/admin/check/message"), do: func(b *browsertest.Tab) {
		b.Fill("#to", "+4740000155")
		b.Enter()
		b.Focused("#test-confirm")
	}},
	{name: "test message without numbers", route: "/admin/check/message", who: admin, path: at("/admin/check/message"), in: "empty"},
	{name: "connection check without accounts", route: "/admin/check", who: admin, path: at("/admin/check"), in: "empty", do: checkEnded},
	{name: "new user", route: "/admin/users/new", who: admin, path: at("/admin/users/new")},
	{name: "new user refused", route: "/admin/users/new", who: admin, path: at("/admin/users/new"), do: sentEmpty("user")},
	{name: "user", route: "/admin/users/:user", who: admin, path: userPath},
	{name: "user's link", route: "/admin/users/:user", who: admin, path: userPath, do: func(b *browsertest.Tab) {
		b.JS("document.getElementById('make-link').requestSubmit()")
		b.Wait("document.querySelector('[data-copy=link]')")
	}},
}

func checkEnded(b *browsertest.Tab) { b.Focused("#check-summary") }

func userPath(w *world) string { return fmt.Sprintf("/admin/users/%d", w.browsers[agent].User.ID) }

var inboxVisits = []visit{
	{name: "inbox mine", route: "/inbox", who: agent, path: at("/inbox?view=mine")},
	{name: "inbox queue", route: "/inbox", who: agent, path: at("/inbox?view=queue")},
	{name: "inbox all", route: "/inbox", who: supervisor, path: at("/inbox?view=all")},
	{name: "inbox empty", route: "/inbox", who: supervisor, path: at("/inbox?view=mine")},
	{name: "conversation", route: "/inbox/:conversation", who: agent, path: threadAt("mine", "")},
	{name: "conversation with keys", route: "/inbox/:conversation", who: agent, path: threadAt("mine", ""), do: func(b *browsertest.Tab) {
		b.JS("document.activeElement.blur()")
		b.Press("?")
		b.Wait("document.getElementById('keys').open")
	}},
	{name: "conversation with files attached", route: "/inbox/:conversation", who: agent, path: threadAt("closing", ""), do: func(b *browsertest.Tab) {
		b.JS(bringing("choose", "kontrakt.pdf", somePDF, "side.html", "<html>"))
		b.Wait("document.querySelector('#uploads li[data-file]') && document.querySelector('#uploads .up--fail')")
	}},
	{name: "conversation failed", route: "/inbox/:conversation", who: agent, path: threadAt("failed", "")},
	{name: "window closing", route: "/inbox/:conversation", who: agent, path: threadAt("closing", "")},
	{name: "window closed", route: "/inbox/:conversation", who: agent, path: threadAt("window closed", "")},
	{name: "templates", route: "/inbox/:conversation/templates", who: agent, path: threadAt("window closed", "/templates")},
	{name: "template refused", route: "/inbox/:conversation/templates", who: agent, path: templateAt, do: func(b *browsertest.Tab) {
		b.Expect("422")
		b.JS("document.getElementById('tp-form').requestSubmit()")
		b.Wait("document.querySelector('#tp-form [aria-invalid]')")
	}},
	{name: "template without consent", route: "/inbox/:conversation/templates", who: admin, path: threadAt("never agreed", "/templates")},
	{name: "templates in the dialog", route: "/inbox/:conversation", who: agent, path: threadAt("window closed", ""), do: opened("#composer [hx-get$='/templates']")},
	{name: "wrap-up", route: "/inbox/:conversation", who: agent, path: threadAt("wrap-up", "")},
	{name: "closed", route: "/inbox/:conversation", who: agent, path: threadAt("closed", "")},
	{name: "waits in the queue", route: "/inbox/:conversation", who: agent, path: threadAt("waits", "")},
	{name: "somebody else's", route: "/inbox/:conversation", who: admin, path: threadAt("theirs", "")},
	{name: "somebody else's, asked", route: "/inbox/:conversation", who: admin, path: threadAt("theirs", ""), do: func(b *browsertest.Tab) {
		b.Expect("409")
		b.JS("document.getElementById('body').value = 'Hei'; document.getElementById('composer').requestSubmit()")
		b.Wait("document.querySelector('dialog[open] #answer')")
	}},
	{name: "message", route: "/messages/:message/details", who: agent, path: failedMessage},
	{name: "message in the dialog", route: "/inbox/:conversation", who: agent, path: threadAt("failed", ""), do: opened("#msgs .msg--out .meta__a")},
	{name: "send later", route: "/inbox/:conversation/later/new", who: agent, path: threadAt("closing", "/later/new")},
	{name: "send later refused", route: "/inbox/:conversation", who: agent, path: threadAt("mine", ""), do: func(b *browsertest.Tab) {
		b.Expect("422")
		b.JS("document.getElementById('body').value = 'Hei'; document.getElementById('send-later').click()")
		b.Wait("document.querySelector('dialog[open] #later-form')")
		b.JS("document.getElementById('date').value = ''; document.getElementById('later-form').requestSubmit()")
		b.Wait("document.getElementById('errsum')")
	}},
	{name: "another time", route: "/later/:scheduled", who: agent, path: laterPath(nil)},
	{name: "another template", route: "/later/:scheduled", who: agent, path: laterPath(map[string]string{"1": "Kari", "2": "48213", "3": "mandag"})},
	{name: "waits for its time", route: "/inbox/:conversation", who: agent, path: threadAt("mine", "")},
	{name: "picture", route: "/files/:file/show", who: agent, path: pictureAt("/show")},
	{name: "picture in the dialog", route: "/inbox/:conversation", who: agent, path: threadAt("mine", ""), do: opened(".pic")},
	{name: "picture's description", route: "/files/:file/description", who: agent, path: pictureAt("/description")},
	{name: "picture's description refused", route: "/files/:file/description", who: agent, path: pictureAt("/description"), do: func(b *browsertest.Tab) {
		b.Expect("422")
		b.JS("document.querySelector('#describe [name=description]').value = 'x'.repeat(301); document.getElementById('describe').requestSubmit()")
		b.Wait("document.querySelector('#describe [aria-invalid=true]')")
	}},
	{name: "transcript", route: "/inbox/:conversation/transcript", who: agent, path: threadAt("mine", "/transcript")},
	{name: "conversation with its menu", route: "/inbox/:conversation", who: agent, path: threadAt("mine", ""), do: func(b *browsertest.Tab) {
		b.JS("document.getElementById('thread-menu').open = true")
	}},
	{name: "emoji", route: "/inbox/:conversation/emoji", who: agent, path: threadAt("closing", "/emoji")},
	{name: "emoji in the dialog", route: "/inbox/:conversation", who: agent, path: threadAt("mine", ""), do: opened("#emoji-open")},
	{name: "details", route: "/inbox/:conversation/details", who: agent, path: threadAt("mine", "/details")},
}

// pictureAt gives an address of the first picture that is here.
func pictureAt(rest string) func(*world) string {
	return func(w *world) string {
		row, err := w.store.Conversation(w.t.Context(), w.viewer(agent), w.rows["mine"])
		w.must(err)
		for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
			files, err := w.store.FilesOfConversation(w.t.Context(), row.Conversation, 50)
			w.must(err)
			for _, f := range files {
				if f.ThumbKey != "" {
					return fileAt(f, rest)
				}
			}
		}
		w.t.Fatal("no picture came")
		return ""
	}
}

// failedMessage gives the address of the details of the message that failed.
func failedMessage(w *world) string {
	row, err := w.store.Conversation(w.t.Context(), w.viewer(agent), w.rows["failed"])
	w.must(err)
	ms, err := w.store.Messages(w.t.Context(), row.Conversation, 0)
	w.must(err)
	for _, m := range ms {
		if m.State.Final() {
			return "/messages/" + number(m.ID) + "/details"
		}
	}
	w.t.Fatal("no message failed")
	return ""
}

// laterPath schedules a message, with values the template of the world, and gives its address.
func laterPath(values map[string]string) func(*world) string {
	return func(w *world) string {
		at := time.Now().Add(3 * time.Hour)
		in := service.Scheduling{
			Conversation: w.rows["mine"], Key: newClientKey(), Body: "Vi ringer deg.",
			When: service.When{Date: at.Format("2006-01-02"), Clock: at.Format("15:04"), Zone: at.Location()},
		}
		if values != nil {
			in.Body, in.Template = "", &service.TemplateUse{Template: w.template, Values: values}
		}
		v := w.viewer(agent)
		w.must(w.service.Schedule(w.t.Context(), v, in))
		row, err := w.store.Conversation(w.t.Context(), v, w.rows["mine"])
		w.must(err)
		m, err := w.store.ScheduledByKey(w.t.Context(), row.Conversation, v.User, in.Key)
		w.must(err)
		return "/later/" + number(m.ID)
	}
}

// emptied sends a form with one field emptied.
func emptied(form, name string) func(*browsertest.Tab) {
	return func(b *browsertest.Tab) {
		b.JS("document.getElementById('" + name + "').value = ''")
		sentEmpty(form)(b)
	}
}

// inDraft gives an address within the draft of an account that is complete but for its first message.
func inDraft(more string) func(*world) string {
	return func(w *world) string { return w.draft + more }
}

func inStream(more string) func(*world) string {
	return func(w *world) string { return w.draftStream + more }
}

func inSettings(more string) func(*world) string {
	return func(w *world) string { return w.settings + more }
}

const (
	stepRoute    = "/admin/accounts/:account/setup/:step"
	hooksRoute   = "/admin/accounts/:account/webhooks"
	channelRoute = "/admin/workstreams/:workstream/whatsapp/:step"
	tabRoute     = "/admin/workstreams/:workstream/numbers/:number/:step"
)

var accountVisits = []visit{
	{name: "get started", route: "/admin", who: admin, path: at("/admin")},
	{name: "get started from nothing", route: "/admin", who: admin, path: at("/admin"), in: "empty"},
	{name: "gallery", route: "/admin/components", who: admin, path: at("/admin/components")},
	{name: "gallery's dialog", route: "/admin/components/dialog", who: admin, path: at("/admin/components/dialog")},
	{name: "gallery with its dialog", route: "/admin/components", who: admin, path: at("/admin/components"), do: opened("[hx-get='/admin/components/dialog']")},
	{name: "channels", route: "/admin/channels", who: admin, path: at("/admin/channels")},
	{name: "no channels", route: "/admin/channels", who: admin, path: at("/admin/channels"), in: "empty"},
	{name: "accounts", route: "/admin/accounts", who: admin, path: at("/admin/accounts")},
	{name: "no accounts", route: "/admin/accounts", who: admin, path: at("/admin/accounts"), in: "empty"},
	{name: "new account", route: newAccountURL, who: admin, path: at(newAccountURL)},
	{name: "new account refused", route: newAccountURL, who: admin, path: at(newAccountURL), do: sentEmpty("wizard")},
	{name: "step channel details", route: stepRoute, who: admin, path: inDraft("/channel-details")},
	{name: "step account details", route: stepRoute, who: admin, path: inDraft("/account-details")},
	{name: "step account details empty", route: stepRoute, who: admin, path: func(w *world) string { return w.begun + "/account-details" }},
	{name: "step account details refused", route: stepRoute, who: admin, path: func(w *world) string { return w.begun + "/account-details" }, do: sentEmpty("wizard")},
	{name: "step numbers", route: stepRoute, who: admin, path: inDraft("/numbers")},
	{name: "step numbers with form", route: stepRoute, who: admin, path: inDraft("/numbers?add=1")},
	{name: "step numbers refused", route: stepRoute, who: admin, path: inDraft("/numbers?add=1"), do: func(b *browsertest.Tab) {
		b.Expect("422")
		b.JS("document.querySelector('[name=action][value=add]').click()")
		b.Wait("document.getElementById('errsum')")
	}},
	{name: "step callback", route: stepRoute, who: admin, path: inDraft("/callback")},
	{name: "step callback, sandbox", route: stepRoute, who: admin, path: inDraft("/callback?number=sandbox")},
	{name: "tab channel details", route: stepRoute, who: admin, path: at("/admin/accounts/1/setup/channel-details")},
	{name: "tab channel details refused", route: stepRoute, who: admin, path: at("/admin/accounts/1/setup/channel-details"), do: func(b *browsertest.Tab) {
		b.Expect("422")
		b.JS("document.getElementById('name').value = ''; document.getElementById('name').form.requestSubmit()")
		b.Wait("document.getElementById('errsum')")
	}},
	{name: "tab account details", route: stepRoute, who: admin, path: at("/admin/accounts/1/setup/account-details")},
	{name: "tab numbers", route: stepRoute, who: admin, path: at("/admin/accounts/1/setup/numbers")},
	{name: "tab callback", route: stepRoute, who: admin, path: at("/admin/accounts/1/setup/callback")},
	{name: "rotate token", route: "/admin/accounts/:account/token", who: admin, path: at("/admin/accounts/1/token")},
	{name: "webhooks", route: hooksRoute, who: admin, path: at("/admin/accounts/1/webhooks")},
	{name: "webhooks, not in place", route: hooksRoute, who: admin, path: func(w *world) string { return strings.TrimSuffix(w.draft, "/setup") + "/webhooks" }},
	{name: "webhooks set in the dialog", route: stepRoute, who: admin, path: at("/admin/accounts/1/setup/callback"), do: func(b *browsertest.Tab) {
		b.JS("document.getElementById('set-webhooks').requestSubmit()")
		b.Wait("document.querySelector('dialog[open] .hooks')")
	}},
	{name: "account added", route: "/admin/accounts/:account/added", who: admin, path: at("/admin/accounts/1/added")},
	{name: "delete account", route: "/admin/accounts/:account/delete", who: admin, path: at("/admin/accounts/2/delete")},
	{name: "account in use", route: "/admin/accounts/:account/delete", who: admin, path: at("/admin/accounts/1/delete")},
	{name: "senders", route: "/admin/accounts/:account/senders", who: admin, path: at("/admin/accounts/1/senders")},
	{name: "senders in the dialog", route: stepRoute, who: admin, path: inDraft("/numbers"), do: opened("[hx-get$='/senders']")},
	{name: "remove number", route: "/admin/accounts/:account/numbers/:number/remove", who: admin, path: at("/admin/accounts/1/numbers/1/remove")},
	{name: "remove number in the dialog", route: stepRoute, who: admin, path: inDraft("/numbers"), do: opened("[hx-get$='/remove']")},
}

var workstreamVisits = []visit{
	{name: "workstreams", route: "/admin/workstreams", who: admin, path: at("/admin/workstreams")},
	{name: "no workstreams", route: "/admin/workstreams", who: admin, path: at("/admin/workstreams"), in: "empty"},
	{name: "new workstream", route: "/admin/workstreams/new", who: admin, path: at("/admin/workstreams/new")},
	{name: "new workstream refused", route: "/admin/workstreams/new", who: admin, path: at("/admin/workstreams/new"), do: sentEmpty("workstream")},
	{name: "workstream", route: "/admin/workstreams/:workstream", who: admin, path: at("/admin/workstreams/1")},
	{name: "workstream with a draft", route: "/admin/workstreams/:workstream", who: admin, path: inStream("")},
	{name: "workstream without a channel", route: "/admin/workstreams/:workstream", who: admin, path: func(w *world) string { return w.emptyStream }},
	{name: "edit workstream", route: "/admin/workstreams/:workstream/edit", who: admin, path: at("/admin/workstreams/1/edit")},
	{name: "discard channel", route: "/admin/workstreams/:workstream/whatsapp/discard", who: admin, path: inStream("/whatsapp/discard")},
	{name: "discard channel in the dialog", route: "/admin/workstreams/:workstream", who: admin, path: inStream(""), do: opened("[hx-get$='/discard']")},
	{name: "channel number", route: channelRoute, who: admin, path: inStream("/whatsapp/number")},
	{name: "channel number, none chosen", route: channelRoute, who: admin, path: func(w *world) string { return w.emptyStream + "/whatsapp/number" }, do: sentEmpty("wizard")},
	{name: "channel language", route: channelRoute, who: admin, path: inStream("/whatsapp/language")},
	{name: "channel behaviors", route: channelRoute, who: admin, path: inStream("/whatsapp/behaviors")},
	{name: "channel behaviors refused", route: channelRoute, who: admin, path: inStream("/whatsapp/behaviors"), do: emptied("wizard", "greeting")},
	{name: "channel features", route: channelRoute, who: admin, path: inStream("/whatsapp/user-features")},
	{name: "channel features refused", route: channelRoute, who: admin, path: inStream("/whatsapp/user-features"), do: func(b *browsertest.Tab) {
		b.JS("document.getElementById('customers').checked = document.getElementById('agents').checked = false")
		sentEmpty("wizard")(b)
	}},
	{name: "channel summary", route: channelRoute, who: admin, path: inStream("/whatsapp/summary")},
	{name: "channel ready", route: "/admin/workstreams/:workstream/numbers/:number/ready", who: admin, path: inSettings("/ready")},
	{name: "settings of a number", route: "/admin/workstreams/:workstream/numbers/:number", who: admin, path: inSettings("")},
	{name: "settings, behaviors", route: tabRoute, who: admin, path: inSettings("/behaviors")},
	{name: "settings, features", route: tabRoute, who: admin, path: inSettings("/user-features")},
	{name: "delete channel", route: "/admin/workstreams/:workstream/numbers/:number/delete", who: admin, path: inSettings("/delete")},
	{name: "delete channel in the dialog", route: tabRoute, who: admin, path: inSettings("/language"), do: opened("[hx-get$='/delete']")},
	{name: "queues", route: "/admin/queues", who: admin, path: at("/admin/queues")},
	{name: "new queue", route: "/admin/queues/new", who: admin, path: at("/admin/queues/new")},
	{name: "new queue refused", route: "/admin/queues/new", who: admin, path: at("/admin/queues/new"), do: sentEmpty("queue")},
	{name: "queue", route: "/admin/queues/:queue", who: admin, path: at("/admin/queues/1")},
}

var simulatorVisits = []visit{
	{name: "simulator", route: "/simulator", who: admin, path: at("/simulator")},
	{name: "simulator with no account", route: "/simulator", who: admin, path: at("/simulator"), in: "empty"},
	{name: "simulator, event", route: "/simulator/events/:entry", who: admin, path: at("/simulator/events/1")},
	{name: "simulator, event in the dialog", route: "/simulator", who: admin, path: at("/simulator"), do: opened("#events a[hx-get]")},
	{name: "simulator, all open", route: "/simulator", who: admin, path: at("/simulator"), do: func(b *browsertest.Tab) {
		b.JS("document.querySelectorAll('#main details').forEach(d => d.open = true)")
	}},
}

var errorVisits = []visit{
	{name: "not found, nobody", route: "/login", path: at("/nothing"), status: http.StatusNotFound},
	{name: "not found, agent", route: "/login", who: agent, path: at("/inbox/999999"), status: http.StatusNotFound},
	{name: "not found, administrator", route: "/login", who: admin, path: at("/admin/users/999999"), status: http.StatusNotFound},
	{name: "forbidden, agent", route: "/admin/users", who: agent, path: at("/admin/users"), status: http.StatusForbidden},
	{name: "forbidden, supervisor", route: "/admin/users", who: supervisor, path: at("/admin/users"), status: http.StatusForbidden},
}

var templateVisits = []visit{
	{name: "templates", route: "/admin/templates", who: admin, path: at("/admin/templates")},
	{name: "templates, supervisor", route: "/admin/templates", who: supervisor, path: at("/admin/templates")},
	{name: "templates not found", route: "/admin/templates", who: admin, path: at("/admin/templates?q=nothing")},
	{name: "templates empty", route: "/admin/templates", who: admin, in: "empty", path: at("/admin/templates")},
	{name: "new template", route: "/admin/templates/new", who: admin, path: at("/admin/templates/new?account=1")},
	{name: "new template refused", route: "/admin/templates/new", who: admin, path: at("/admin/templates/new?account=1"), do: sentEmpty("template")},
	{name: "template", route: "/admin/templates/:template", who: admin, path: templatePath("")},
	{name: "delete template", route: "/admin/templates/:template/delete", who: admin, path: templatePath("/delete")},
	{name: "make template", route: "/admin/templates/create", who: admin, path: at("/admin/templates/create?account=1&kind=whatsapp/card")},
	{name: "make template refused", route: "/admin/templates/create", who: admin, path: at("/admin/templates/create?account=1&kind=twilio/list-picker"), do: sentEmpty("make")},
}

// templatePath waits until the templates of the simulated account are fetched.
func templatePath(what string) func(w *world) string {
	return func(w *world) string {
		for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
			rows, err := w.store.Templates(w.t.Context(), store.TemplateFilter{Status: "approved"})
			w.must(err)
			if len(rows) > 0 {
				return fmt.Sprintf("/admin/templates/%d%s", rows[0].ID, what)
			}
		}
		w.t.Fatal("no templates came")
		return ""
	}
}

// troubleVisits are what Twilio says that could not be taken in, and what it says went wrong.
var troubleVisits = []visit{
	{name: "quarantine", route: "/admin/quarantine", who: admin, path: at("/admin/quarantine")},
	{name: "quarantine, done", route: "/admin/quarantine", who: admin, path: at("/admin/quarantine?show=done")},
	{name: "quarantine empty", route: "/admin/quarantine", who: admin, in: "empty", path: at("/admin/quarantine")},
	{name: "quarantined call", route: "/admin/quarantine/:call", who: admin, path: at("/admin/quarantine/1")},
	{name: "quarantined call, in vain", route: "/admin/quarantine/:call", who: admin, path: at("/admin/quarantine/1"), do: sentEmpty("replay")},
	{name: "alerts", route: "/admin/alerts", who: admin, path: at("/admin/alerts")},
	{name: "alerts, all open", route: "/admin/alerts", who: admin, path: at("/admin/alerts"), do: func(b *browsertest.Tab) {
		b.JS("document.querySelectorAll('#main details').forEach(d => d.open = true)")
	}},
	{name: "alerts empty", route: "/admin/alerts", who: admin, in: "empty", path: at("/admin/alerts")},
	{name: "wrong address", route: stepRoute, who: admin, path: func(w *world) string { return fmt.Sprintf("/admin/accounts/%d/setup/callback", w.free.AccountID) }},
}

// noPages are the routes that answer machines and scripts, or lead elsewhere.
var noPages = []string{
	"/healthz", "/readyz", "/static/*", "/favicon.ico", "/events", "/admin/check/rows", "/", "/admin/accounts/:account",
	"/hooks/twilio/:key/inbound", "/hooks/twilio/:key/status", "/hooks/twilio/:key/fallback", "/hooks/twilio/:key/debug",
	"/media/:token",
	"/simulator/messages/:message/file", "/admin/templates/list", "/simulator/phone", "/simulator/window", "/simulator/events",
	"/inbox/list", "/inbox/:conversation/later", "/inbox/:conversation/messages", "/inbox/:conversation/composer",
	"/files/:file", "/files/:file/view", "/files/:file/thumb",
	"/inbox/list", "/inbox/:conversation/messages", "/inbox/:conversation/composer",
}

// A page that is added is also looked at.
func TestEveryPageIsVisited(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(o *Options) { o.Dev = true }, withSimulator(t))
	visited := map[string]bool{}
	for _, v := range visits {
		visited[v.route] = true
	}
	for _, r := range s.routes() {
		known := visited[r.path] || slices.Contains(noPages, r.path)
		if r.method == get && !known {
			t.Errorf("%s is visited by no line of visits and is not among noPages", r.path)
		}
		delete(visited, r.path)
	}
	for route := range visited {
		t.Errorf("%s is visited and is no route", route)
	}
}

// look is one way to look at all pages; both themes are part of each.
type look struct {
	dialect store.Dialect
	lang    string
	phone   bool
}

func (l look) String() string {
	size := "desktop"
	if l.phone {
		size = "phone"
	}
	return fmt.Sprintf("%s/%s/%s", l.dialect, l.lang, size)
}

// looks are one in each language, on another database and of another size; with KANAL_TEST_AXE=all everything there is.
func looks() []look {
	if os.Getenv("KANAL_TEST_AXE") != "all" {
		return []look{{store.SQLite, "en", false}, {store.Postgres, "nb", true}}
	}
	var all []look
	for _, d := range storetest.Dialects {
		for _, lang := range []string{"en", "nb"} {
			all = append(all, look{d, lang, false}, look{d, lang, true})
		}
	}
	return all
}

// TestPagesAreAccessible holds that no page, in no state, has a violation that axe finds, scrolls sideways, complains on
// the console or has a focus that cannot be seen.
func TestPagesAreAccessible(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser visits every page")
	}
	for _, l := range looks() {
		t.Run(l.String(), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, l.dialect, func(o *Options) { o.Dev = true })
			tabs := map[string]*browsertest.Tab{}
			for _, v := range visits {
				whose := v.in + string(v.who)
				if tabs[whose] == nil {
					tabs[whose] = w.tab(l, v)
				}
				t.Run(v.name, func(t *testing.T) { w.visit(t, tabs[whose], l, v) })
				tabs[whose].In(w.t)
			}
		})
	}
}

// desk gives the center of a visit and who makes it.
func (w *world) desk(v visit) (*site, *browser) {
	switch v.in {
	case "fresh":
		return w.fresh, w.fresh.anonymous()
	case "empty":
		return w.empty, w.owner
	}
	return w.site, w.browsers[v.who]
}

// tab opens a tab in which the person of a visit is signed in.
func (w *world) tab(l look, v visit) *browsertest.Tab {
	s, b := w.desk(v)
	tab := browsertest.Open(w.t, s.url)
	tab.Cookie(languageCookie, l.lang)
	tab.Cookie(themeCookie, "light")
	if c := b.sessionCookie(); c != "" {
		tab.Cookie(sessionCookie, c)
	}
	return tab
}

func (w *world) visit(t *testing.T, tab *browsertest.Tab, l look, v visit) {
	tab.In(t)
	tab.Desktop()
	if l.phone {
		tab.Phone()
	}
	path, status := v.path(w), max(v.status, http.StatusOK)
	if status >= http.StatusBadRequest {
		tab.Expect(fmt.Sprint("status of ", status))
	}
	_, b := w.desk(v)
	other := *b
	other.t, other.Headers = t, http.Header{"Accept-Language": {l.lang}}
	viewtest.Check(t, other.get(path).want(status, `lang="`+l.lang+`"`).Body)
	tab.Go(path)
	if v.do != nil {
		v.do(tab)
	}
	tab.Wait("document.documentElement.lang === '" + l.lang + "' && document.documentElement.dataset.theme === 'light'")
	tab.Check(v.name)
	l.keep(tab, v.name+"-light")
	tab.Dark()
	tab.CheckColors(v.name + ", dark")
	l.keep(tab, v.name+"-dark")
	if !l.phone {
		tab.CheckNarrow(v.name)
	}
}

// keep writes what the tab shows into the folder that KANAL_TEST_SCREENSHOTS names.
func (l look) keep(tab *browsertest.Tab, name string) {
	if dir := os.Getenv("KANAL_TEST_SCREENSHOTS"); dir != "" {
		tab.Screenshot(dir + "/" + strings.NewReplacer("/", "_", " ", "_").Replace(l.String()+"-"+name) + ".png")
	}
}

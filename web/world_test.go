package web

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"kanal/jobs"
	"kanal/models"
	"kanal/service"
	"kanal/store"
	"kanal/store/storetest"
	"kanal/twilio"
	"kanal/twilio/simulator"
)

// world is a center in the middle of its work: accounts and workstreams in all states, customers who have written, jobs
// that run, and a user of each role.
type world struct {
	*site
	sid, number  string
	account      models.Account
	browsers     map[models.Role]*browser
	rows         map[string]models.ConversationID // conversations by what is special about them
	link         models.Secret                    // a one-time link
	invited      models.User                      // whose link it is
	draft, begun string                           // addresses of the steps of two drafts of accounts
	free         models.Number                    // belongs to no workstream
	draftStream  string                           // addresses of a workstream with the draft of a channel, and of one without anything
	emptyStream  string
	template     models.TemplateID // one with fields, that is approved
	settings     string            // address of the settings of a number

	fresh *site    // another center, before its first start
	empty *site    // and one in which nothing is but an administrator
	owner *browser // that administrator
}

// newWorld makes one. Its customers and conversations are those of rows below.
func newWorld(t *testing.T, d store.Dialect, change ...func(*Options)) *world {
	t.Helper()
	change = append(change, withSimulator(t), func(o *Options) { o.Store = storetest.Open(t, d, nil) })
	w := &world{site: newSite(t, change...), browsers: map[models.Role]*browser{}, rows: map[string]models.ConversationID{}}
	w.fresh = newSiteBeforeSetup(t, func(o *Options) { o.SetupToken = "code" })
	w.empty = newSite(t, withSimulator(t))
	w.owner = w.empty.as(models.Administrator)
	w.browsers[""] = w.anonymous()
	for _, r := range models.Roles() {
		w.browsers[r] = w.as(r)
	}
	w.configure()
	w.run()
	w.talk()
	w.trouble()
	var err error
	in := service.UserForm{Name: "Berit Berg", Email: "berit@kanal.test", Role: models.Agent}
	if w.invited, w.link, err = w.service.AddUser(t.Context(), w.viewer(models.Administrator), in); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) viewer(r models.Role) models.Viewer {
	return models.Viewer{User: w.browsers[r].User.ID, Role: r}
}

// configure makes what an administrator makes: a simulated account in use, one that waits for its first message, one that
// is begun, workstreams with a channel, with a draft of one and with none.
func (w *world) configure() {
	w.t.Helper()
	b, ctx := w.browsers[models.Administrator], w.t.Context()
	b.post("/simulator/try").want(http.StatusSeeOther)
	a := w.sim.Accounts()[0]
	w.sid, w.number = a.SID, a.Senders[0].Number
	w.sim.SetOutcome(w.sid, simulator.Outcome{Final: "read", Step: time.Millisecond})
	rows, err := w.store.Accounts(ctx)
	w.must(err)
	w.account = rows[0].Account

	b.post("/simulator/accounts").want(http.StatusSeeOther)
	other := w.sim.Accounts()[1]
	w.draft = w.begin("Kundeservice Norge")
	v := b.get(w.draft + "/account-details").want(http.StatusOK).version()
	b.post(w.draft+"/account-details", "version", v, "sid", other.SID, "token", other.Token, "action", "next").to(w.draft + "/numbers")
	b.post(w.draft+"/numbers", "name", "Kundeservice", "address", other.Senders[0].Number, "action", "next").to(w.draft + "/callback")
	w.begun = w.begin("Påbegynt")

	w.free = w.testAccount("Ekstra", "+4721000077")
	w.draftStream, w.emptyStream = workstreamURL(w.testWorkstream("Norge")), workstreamURL(w.testWorkstream("Sverige"))
	for _, step := range [][]string{
		{"number", "number", number(w.free.ID)}, {"language", "language", "nb"}, {"behaviors", "greeting_on", "on", "greeting", "Hei!"},
		{"user-features", "files", "on", "customers", "on"},
	} {
		at := w.draftStream + "/whatsapp/" + step[0]
		form := slices.Concat(step[1:], []string{"action", "next", "version", b.get(at).want(http.StatusOK).version()})
		b.post(at, form...).want(http.StatusSeeOther)
	}
	numbers, err := w.store.NumbersIn(ctx, 1)
	w.must(err)
	w.settings = workstreamURL(1) + "/numbers/" + number(numbers[0].ID)
}

// begin makes the draft of an account and gives the address of its steps.
func (w *world) begin(name string) string {
	w.t.Helper()
	a := w.browsers[models.Administrator].post(newAccountURL, "name", name, "channel", "whatsapp", "action", "next").want(http.StatusSeeOther)
	return strings.TrimSuffix(a.Location, "/account-details")
}

// run starts the jobs, which send what agents write.
func (w *world) run() {
	w.t.Helper()
	runner, err := jobs.New(w.store, w.service)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := runner.Start(context.WithoutCancel(w.t.Context())); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := runner.Stop(ctx); err != nil {
			w.t.Error(err)
		}
	})
}

// talk makes the conversations: one of each kind that the inbox shows.
func (w *world) talk() {
	w.t.Helper()
	agent, other := w.viewer(models.Agent), w.viewer(models.Supervisor)
	now := time.Now()
	w.template = w.addTemplates(w.account).ID
	for _, what := range []string{"mine", "failed", "wrap-up", "closed", "waits", "theirs", "blocked", "opted out", "opted out at Twilio"} {
		w.rows[what] = w.write(what, "")
	}
	w.write("opted out", "stop_word")
	w.write("opted out at Twilio", "opt_out")
	w.must(w.service.BlockCustomer(w.t.Context(), agent, w.customerOf("blocked")))
	w.rows["closing"] = w.wrote("closing", now.Add(-23*time.Hour-30*time.Minute))
	w.rows["window closed"] = w.wrote("window closed", now.Add(-25*time.Hour))
	w.rows["never agreed"] = w.wrote("never agreed", now.Add(-26*time.Hour))
	w.agreed(w.viewer(models.Administrator), w.rows["window closed"])
	for _, kind := range simulator.Kinds() {
		w.write("mine", kind)
	}
	for _, what := range []string{"mine", "failed", "closing", "window closed", "wrap-up", "closed"} {
		w.must(w.service.TakeOver(w.t.Context(), agent, w.rows[what], 0))
	}
	w.must(w.service.TakeOver(w.t.Context(), other, w.rows["theirs"], 0))
	_, err := w.service.Reply(w.t.Context(), agent, service.Reply{
		Conversation: w.rows["window closed"], Key: newClientKey(),
		Template: &service.TemplateUse{Template: w.template, Values: map[string]string{"1": "Kari", "2": "48213", "3": "mandag 23. november"}},
	})
	w.must(err)
	w.reply("mine", "Hei, det skal vi ordne.", models.Read)
	w.sim.SetOutcome(w.sid, simulator.Outcome{Final: "failed", Code: 63024, Step: time.Millisecond})
	w.reply("failed", "Hei!", models.Failed)
	w.sim.SetOutcome(w.sid, simulator.Outcome{Final: "read", Step: time.Millisecond})
	for _, what := range []string{"wrap-up", "closed"} {
		w.must(w.service.Resolve(w.t.Context(), agent, w.rows[what]))
	}
	w.must(w.service.CloseNow(w.t.Context(), agent, w.rows["closed"]))
	w.write("closed", "") // the customer's next one: the closed one is among the earlier ones
	w.must(w.service.SaveDraft(w.t.Context(), agent, w.rows["closing"], "Vi er straks"))
}

// trouble makes calls that wait in quarantine, one that does not, alerts, and an account whose address is wrong.
func (w *world) trouble() {
	w.t.Helper()
	ctx := w.t.Context()
	keep := func(kind service.HookKind, form url.Values) {
		w.must(w.service.Keep(ctx, kind, service.Call{Account: w.account, Form: form, Query: "m=7&n=1", ReceivedAt: w.store.Now()}))
	}
	for n := range 3 {
		keep(service.HookInbound, url.Values{
			"MessageSid": {fmt.Sprintf("SM%032d", n)}, "AccountSid": {w.sid}, "From": {"whatsapp:+4790012345"}, "To": {"whatsapp:+4721999977"},
			"Body": {strings.Repeat("Hvor er pakken min? ", 20)}, "MessageType": {"text"},
		})
	}
	keep(service.HookStatus, url.Values{"Body": {"x"}})
	w.must(w.service.DiscardQuarantined(ctx, w.viewer(models.Administrator), 2))
	for n, code := range []string{"11200", "11200", "12200", "63041", "99999"} {
		form := debugging(n, code, "")
		form.Set("AccountSid", w.sid)
		keep(service.HookDebug, form)
	}
	w.must(w.store.InTx(ctx, func(tx *store.Tx) error {
		return tx.MarkSignatureFail(ctx, w.free.AccountID, 12, "https://cc.example.com/hooks/twilio/0123456789abcdef0123456789abcdef/inbound", "//kanal-test-and-a-long-name.example.com:8443/hooks/twilio/0123456789abcdef0123456789abcdef/inbound")
	}))
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// customer gives the address of a customer; the name is what is special about the conversation.
func (w *world) customer(what string) twilio.Address {
	c := simulator.Customer{Name: "Customer " + what, Address: twilio.Address(fmt.Sprintf("whatsapp:+47900%05d", len(what)*997+int(what[0])))}
	w.sim.AddCustomer(w.sid, c)
	return c.Address
}

// write lets a customer write now, on the simulator's phone, and gives the conversation.
func (w *world) write(what, kind string) models.ConversationID {
	w.t.Helper()
	from := w.customer(what)
	codes := w.sim.Receive(w.sid, simulator.Write{Customer: from, Number: w.number, Kind: kind, Body: "Hei, hvor er pakken min?"})
	if len(codes) != 1 || codes[0] != http.StatusOK {
		w.t.Fatalf("webhook: %v", codes)
	}
	return w.conversationOf(from)
}

// customerOf gives the customer of a conversation.
func (w *world) customerOf(what string) models.ContactID {
	w.t.Helper()
	row, err := w.store.Conversation(w.t.Context(), w.viewer(models.Administrator), w.rows[what])
	w.must(err)
	return row.ContactID
}

// wrote lets a customer have written at a moment in the past.
func (w *world) wrote(what string, at time.Time) models.ConversationID {
	w.t.Helper()
	from := w.customer(what)
	form := url.Values{
		"MessageSid": {"SM" + "00000000" + newClientKey()}, "AccountSid": {w.sid}, "From": {string(from)}, "To": {"whatsapp:" + w.number},
		"Body": {"Er dere der?"}, "ProfileName": {"Customer " + what}, "MessageType": {"text"}, "NumMedia": {"0"},
	}
	w.must(w.service.Receive(w.t.Context(), service.Call{Account: w.account, Form: form, ReceivedAt: at}))
	return w.conversationOf(from)
}

func (w *world) conversationOf(address twilio.Address) models.ConversationID {
	w.t.Helper()
	rows, err := w.store.Conversations(w.t.Context(), w.viewer(models.Administrator), store.InboxFilter{View: models.ViewAll})
	w.must(err)
	for _, r := range rows {
		if r.Address == string(address) {
			return r.ID
		}
	}
	w.t.Fatalf("no conversation of %s", address)
	return 0
}

// reply answers in a conversation and waits for the state.
func (w *world) reply(what, body string, state models.MessageState) {
	w.t.Helper()
	m, err := w.service.Reply(w.t.Context(), w.viewer(models.Agent), service.Reply{Conversation: w.rows[what], Key: newClientKey(), Body: body})
	w.must(err)
	for end := time.Now().Add(patience); m.State != state; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			w.t.Fatalf("%s: the message is %s, not %s", what, m.State, state)
		}
		m, err = w.store.Message(w.t.Context(), m.ID)
		w.must(err)
	}
}

// sessionCookie gives the cookie with which a browser is signed in.
func (b *browser) sessionCookie() string {
	req, _ := http.NewRequest(http.MethodGet, b.url, nil)
	for _, c := range b.client.Jar.Cookies(req.URL) {
		if c.Name == sessionCookie {
			return c.Value
		}
	}
	return ""
}

package web

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
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

// world is a center in the middle of its work: a simulated account with customers who have written, jobs that run, and a
// user of each role.
type world struct {
	*site
	sid, number string
	account     models.Account
	browsers    map[models.Role]*browser
	rows        map[string]models.ConversationID // conversations by what is special about them
	link        models.Secret                    // a one-time link
	invited     models.User                      // whose link it is
	fresh       *site                            // another center, before its first start
}

const worldNumber = "+4721000040"

// newWorld makes one. Its customers and conversations are those of rows below.
func newWorld(t *testing.T, d store.Dialect, change ...func(*Options)) *world {
	t.Helper()
	change = append(change, withSimulator(t), func(o *Options) { o.Store = storetest.Open(t, d, nil) })
	w := &world{site: newSite(t, change...), browsers: map[models.Role]*browser{}, rows: map[string]models.ConversationID{}, number: worldNumber}
	w.fresh = newSiteBeforeSetup(t, func(o *Options) { o.SetupToken = "code" })
	w.browsers[""] = w.anonymous()
	for _, r := range models.Roles() {
		w.browsers[r] = w.as(r)
	}
	w.mint()
	w.run()
	w.talk()
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

// mint makes the account with its number.
func (w *world) mint() {
	w.t.Helper()
	a := w.sim.Mint("Kundeservice", worldNumber)
	w.sid = a.SID
	w.sim.SetOutcome(a.SID, simulator.Outcome{Final: "read", Step: time.Millisecond})
	err := w.store.InTx(w.t.Context(), func(tx *store.Tx) error {
		now := tx.Now()
		w.account = models.Account{
			Name: "Kundeservice", Channel: models.ChannelWhatsApp, SID: a.SID, HookKey: "key", State: models.AccountActive,
			Step: models.StepCallback, Simulated: true, Version: 1, CreatedAt: now, UpdatedAt: now,
		}
		if err := tx.Insert(w.t.Context(), &w.account); err != nil {
			return err
		}
		sealed := w.store.Seal(models.Secret(a.Token), fmt.Sprintf("accounts/%d", w.account.ID))
		if err := tx.SetAccountToken(w.t.Context(), w.account.ID, sealed, "abcd"); err != nil {
			return err
		}
		return tx.Insert(w.t.Context(), &models.Number{AccountID: w.account.ID, Name: "Kundeservice", Address: worldNumber, Version: 1, CreatedAt: now, UpdatedAt: now})
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.must(w.service.Reload(w.t.Context()))
	w.sim.SetInboundURL(a.SID, worldNumber, w.service.InboundURL(w.account))
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
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
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
	for _, what := range []string{"mine", "failed", "wrap-up", "closed", "waits", "theirs"} {
		w.rows[what] = w.write(what, "")
	}
	w.rows["closing"] = w.wrote("closing", now.Add(-23*time.Hour-30*time.Minute))
	w.rows["window closed"] = w.wrote("window closed", now.Add(-25*time.Hour))
	for _, kind := range simulator.Kinds() {
		w.write("mine", kind)
	}
	for _, what := range []string{"mine", "failed", "closing", "window closed", "wrap-up", "closed"} {
		w.must(w.service.AssignToMe(w.t.Context(), agent, w.rows[what]))
	}
	w.must(w.service.AssignToMe(w.t.Context(), other, w.rows["theirs"]))
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
	codes := w.sim.Receive(w.sid, simulator.Write{Customer: from, Number: worldNumber, Kind: kind, Body: "Hei, hvor er pakken min?"})
	if len(codes) != 1 || codes[0] != http.StatusOK {
		w.t.Fatalf("webhook: %v", codes)
	}
	return w.conversationOf(from)
}

// wrote lets a customer have written at a moment in the past.
func (w *world) wrote(what string, at time.Time) models.ConversationID {
	w.t.Helper()
	from := w.customer(what)
	form := url.Values{
		"MessageSid": {"SM" + "00000000" + newClientKey()}, "AccountSid": {w.sid}, "From": {string(from)}, "To": {"whatsapp:" + worldNumber},
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
	for end := time.Now().Add(10 * time.Second); m.State != state; time.Sleep(5 * time.Millisecond) {
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

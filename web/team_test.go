package web

import (
	"context"
	"fmt"
	"hash/fnv"
	"net/http"
	"sync"
	"testing"
	"time"

	"kanal/jobs"
	"kanal/models"
	"kanal/store"
	"kanal/store/storetest"
	"kanal/twilio"
	"kanal/twilio/simulator"
	"kanal/views/browsertest"
	"kanal/views/i18n"
)

// team is a center with two agents at work, for tests of the inbox in the browser: customers write on the simulator's
// phone, and jobs send what agents write.
type team struct {
	*site
	sid, number string
	account     models.Account
	ida, mads   models.User
	lang        i18n.Lang // of the pages in the browser
}

// pairs are a database and a language each: everything is seen on both databases and in both languages, twice instead of
// four times.
var pairs = []struct {
	dialect store.Dialect
	lang    i18n.Lang
}{{store.SQLite, i18n.NB}, {store.Postgres, i18n.EN}}

// eachPair runs a test of what is seen in a browser.
func eachPair(t *testing.T, f func(d *team)) {
	browsertest.Require(t)
	t.Parallel()
	for _, p := range pairs {
		t.Run(string(p.dialect)+" "+string(p.lang), func(t *testing.T) {
			t.Parallel()
			d := newTeam(t, p.dialect)
			d.lang = p.lang
			f(d)
		})
	}
}

// text gives a text in the language of the pages.
func (d *team) text(key string, args ...any) string { return i18n.Lookup(d.lang, key, args...) }

// count gives a text that counts.
func (d *team) count(key string, n int, args ...any) string {
	return i18n.N(i18n.With(d.t.Context(), i18n.Locale{Lang: d.lang}), key, n, args...)
}

func newTeam(t *testing.T, dialect store.Dialect, change ...func(*Options)) *team {
	t.Helper()
	change = append([]func(*Options){withSimulator(t), func(o *Options) { o.Store = storetest.Open(t, dialect, nil) }}, change...)
	d := &team{site: newSite(t, change...), lang: i18n.EN}
	d.listen()
	d.as(models.Administrator).post("/simulator/try").want(http.StatusSeeOther)
	a := d.sim.Accounts()[0]
	d.sid, d.number = a.SID, a.Senders[0].Number
	d.outcome("read", 0)
	accounts, err := d.store.Accounts(t.Context())
	d.must(err)
	d.account = accounts[0].Account
	d.work()
	d.ida, d.mads = d.agentNamed("Ida Holm"), d.agentNamed("Mads Berg")
	return d
}

func (d *team) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

// listen hears what other instances, and on PostgreSQL this one too, publish.
func (s *site) listen() {
	ctx, stop := context.WithCancel(context.Background())
	var listening sync.WaitGroup
	listening.Go(func() { s.store.Listen(ctx) })
	s.t.Cleanup(func() { stop(); listening.Wait() })
}

// work starts the jobs.
func (d *team) work() {
	d.t.Helper()
	runner, err := jobs.New(d.store, d.service)
	d.must(err)
	d.must(runner.Start(context.WithoutCancel(d.t.Context())))
	d.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := runner.Stop(ctx); err != nil {
			d.t.Error(err)
		}
	})
}

func (d *team) agentNamed(name string) models.User {
	d.t.Helper()
	u := d.user(models.Agent, fmt.Sprintf("%x@kanal.test", name))
	d.must(d.store.InTx(d.t.Context(), func(tx *store.Tx) error {
		u.Name = name
		return tx.SaveUser(d.t.Context(), &u)
	}))
	return u
}

// says lets a customer with this name write and gives the conversation.
func (d *team) says(name, body string) models.ConversationID {
	d.t.Helper()
	from := d.phone(name)
	codes := d.sim.Receive(d.sid, simulator.Write{Customer: from, Number: d.number, Body: body})
	if len(codes) != 1 || codes[0] != http.StatusOK {
		d.t.Fatalf("webhook: %v", codes)
	}
	return d.newest(from)
}

// phone gives the address of the customer with this name.
func (d *team) phone(name string) twilio.Address {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name))
	a := twilio.Address(fmt.Sprintf("whatsapp:+47%08d", 40000000+h.Sum32()%50000000))
	d.sim.AddCustomer(d.sid, simulator.Customer{Name: name, Address: a})
	return a
}

// newest gives the customer's newest conversation.
func (d *team) newest(address twilio.Address) models.ConversationID {
	d.t.Helper()
	rows, err := d.store.Conversations(d.t.Context(), models.Viewer{Role: models.Administrator}, store.InboxFilter{View: models.ViewAll})
	d.must(err)
	for _, r := range rows {
		if r.Address == string(address) {
			return r.ID
		}
	}
	d.t.Fatalf("no conversation of %s", address)
	return 0
}

// has gives a conversation to an agent.
func (d *team) has(u models.User, id models.ConversationID) models.ConversationID {
	d.t.Helper()
	d.must(d.service.TakeOver(d.t.Context(), viewerOf(u), id, 0))
	return id
}

func viewerOf(u models.User) models.Viewer { return models.Viewer{User: u.ID, Role: u.Role} }

func thread(id models.ConversationID) string { return fmt.Sprintf("/inbox/%d", id) }

// outcome says what becomes of the messages that are sent from now on.
func (d *team) outcome(final string, code int) {
	d.sim.SetOutcome(d.sid, simulator.Outcome{Final: final, Code: code, Step: time.Millisecond})
}

// ahead moves the clock of the simulated account; the open pages hear of it.
func (d *team) ahead(by time.Duration) {
	d.t.Helper()
	d.must(d.service.SkipAhead(d.t.Context(), models.Viewer{Role: models.Administrator}, d.sid, by))
	d.alignSimulator()
}

// waitFor waits until the last message of ours in a conversation has come to a state.
func (d *team) waitFor(id models.ConversationID, state models.MessageState) (m models.Message) {
	d.t.Helper()
	row, err := d.store.Conversation(d.t.Context(), models.Viewer{Role: models.Administrator}, id)
	d.must(err)
	for end := time.Now().Add(patience); m.State != state; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			d.t.Fatalf("the last message is %q, not %q", m.State, state)
		}
		ms, err := d.store.Messages(d.t.Context(), row.Conversation, 0)
		d.must(err)
		for _, x := range ms {
			if x.Direction == models.Out {
				m = x
			}
		}
	}
	return m
}

package web

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"kanal/models"
	"kanal/service"
	"kanal/store"
	"kanal/views/i18n"
	"kanal/views/viewtest"
)

// testAccount adds a finished account with a number, and gives the number.
func (s *site) testAccount(name, address string) models.Number {
	s.t.Helper()
	var n models.Number
	err := s.store.InTx(s.t.Context(), func(tx *store.Tx) error {
		now := tx.Now()
		a := models.Account{Name: name, Channel: models.ChannelWhatsApp, SID: "AC" + fmt.Sprintf("%032x", address), HookKey: name, State: models.AccountActive, Step: models.StepCallback, Version: 1, CreatedAt: now, UpdatedAt: now}
		if err := tx.InsertAccount(s.t.Context(), &a); err != nil {
			return err
		}
		n = models.Number{AccountID: a.ID, Name: "Support " + name, Address: address, Version: 1, CreatedAt: now, UpdatedAt: now}
		return tx.InsertNumber(s.t.Context(), &n)
	})
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.service.Reload(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	return n
}

func (s *site) admin() models.Viewer { return models.Viewer{User: 1, Role: models.Administrator} }

// testWorkstream adds a workstream with the default queue.
func (s *site) testWorkstream(name string) models.WorkstreamID {
	s.t.Helper()
	q, err := s.store.DefaultQueue(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	id, err := s.service.NewWorkstream(s.t.Context(), s.admin(), service.WorkstreamDetails{Name: name, Distribution: models.Pick, Queue: q})
	if err != nil {
		s.t.Fatal(err)
	}
	return id
}

// says fails the test unless the answer has the status and the text in the browser's language, and keeps the rules of pages.
func (a *answer) says(lang i18n.Lang, status int, key string, args ...any) *answer {
	a.t.Helper()
	viewtest.Check(a.t, a.Body)
	return a.want(status, html(i18n.Lookup(lang, key, args...)))
}

func html(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;").Replace(s)
}

// in gives the same browser in a language.
func (b *browser) in(lang i18n.Lang) *browser {
	other := *b
	other.Headers = b.Headers.Clone()
	other.Headers.Set("Accept-Language", string(lang))
	return &other
}

func TestWorkstreamPages(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.as(models.Administrator)
	b.get("/admin/workstreams").says(i18n.EN, http.StatusOK, "workstream.empty").want(200, `href="/admin/workstreams/new"`, `href="/admin/queues"`)
	b.get("/admin/workstreams/new").want(200, `value="pick" checked`, "Conversations wait in the queue until an agent takes them.", `<option value="1" selected>Default queue</option>`)
	made := b.post("/admin/workstreams", "name", " Norway ", "distribution", "pick", "queue", "1").want(http.StatusSeeOther)
	b.get(made.Location).says(i18n.EN, 200, "workstream.channel_none").want(200, "The workstream is created", "Not finished", made.Location+"/whatsapp/number", `<a href="/admin/queues/1">Default queue</a>`)
	b.get("/admin/workstreams").want(200, "Norway", "Default queue", "Not finished", "None yet")
	b.in("nb").get("/admin/workstreams").want(200, "Arbeidsflyter", "Ikke ferdig", "Ny arbeidsflyt")
	edit := b.get(made.Location+"/edit").want(200, `value="Norway"`)
	b.post(made.Location, "name", "Norge", "distribution", "pick", "queue", "1", "version", edit.version()).to(made.Location)
	b.get(made.Location).want(200, "Norge", "The workstream is saved")
}

func TestWorkstreamFormSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.as(models.Administrator)
	s.testWorkstream("Norway")
	other := workstreamURL(s.testWorkstream("Sweden"))
	for _, lang := range i18n.Langs() {
		b := b.in(lang)
		for _, tt := range []struct {
			form []string
			key  string
			args []any
			id   string
		}{
			{[]string{"name", "", "distribution", "pick", "queue", "1"}, "workstream.name_empty", nil, "#name"},
			{[]string{"name", strings.Repeat("x", 101), "distribution", "pick", "queue", "1"}, "workstream.name_long", nil, "#name"},
			{[]string{"name", "norway", "distribution", "pick", "queue", "1"}, "workstream.name_taken", []any{"name", "norway"}, "#name"},
			{[]string{"name", "kept", "queue", "1"}, "workstream.distribution_none", nil, "#distribution"},
			{[]string{"name", "kept", "distribution", "pick", "queue", "77"}, "workstream.queue_none", nil, "#queue"},
			{[]string{"name", "kept", "distribution", "pick"}, "workstream.queue_none", nil, "#queue"},
		} {
			b.post("/admin/workstreams", tt.form...).says(lang, 422, tt.key, tt.args...).want(422, `href="`+tt.id+`"`, `value="`+tt.form[1]+`"`)
			b.post(other, append(tt.form, "version", "1")...).says(lang, 422, tt.key, tt.args...).want(422, `href="`+tt.id+`"`)
		}
	}
	if rows, err := s.store.Workstreams(t.Context()); err != nil || len(rows) != 2 {
		t.Errorf("%d workstreams, %v", len(rows), err)
	}
}

// workstreamURL gives the page of a workstream.
func workstreamURL(id models.WorkstreamID) string { return "/admin/workstreams/" + number(id) }

// failedTitle is how the title of a page begins that did not save.
var failedTitle = map[i18n.Lang]string{i18n.EN: "<title>Error: ", i18n.NB: "<title>Feil: "}

func TestWorkstreamConflict(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.as(models.Administrator)
	at := workstreamURL(s.testWorkstream("Norway"))
	old := b.get(at + "/edit").version()
	b.post(at, "name", "Theirs", "distribution", "pick", "queue", "1", "version", old).to(at)
	for _, lang := range i18n.Langs() {
		conflict := b.in(lang).post(at, "name", "Mine", "distribution", "pick", "queue", "1", "version", old).
			says(lang, http.StatusConflict, "workstream.conflict").want(409, failedTitle[lang], "Theirs", `value="Mine"`).without("Default queue</dd>")
		if conflict.version() == old {
			t.Error("saving again must be a decision that works")
		}
	}
	// A mistake in between does not forget that somebody else was faster.
	if v := b.post(at, "name", "", "distribution", "pick", "queue", "1", "version", old).want(422).version(); v != old {
		t.Errorf("version %s", v)
	}
	now := b.post(at, "name", "Mine", "distribution", "pick", "queue", "1", "version", old).want(409).version()
	b.post(at, "name", "Mine", "distribution", "pick", "queue", "1", "version", now).to(at)
}

func TestQueuePages(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.as(models.Administrator)
	b.get("/admin/queues").says(i18n.EN, 200, "queue.list_lead").want(200, "Default queue", ">Default<")
	b.get("/admin/queues/new").says(i18n.EN, 200, "queue.new_lead")
	b.post("/admin/queues", "name", "Sales").to("/admin/queues")
	b.get("/admin/queues").want(200, "Sales", "The queue is created")
	b.get("/admin/queues/1").says(i18n.EN, 200, "queue.default_text").want(200, "Test administrator")
	empty := b.get("/admin/queues/2").says(i18n.EN, 200, "queue.no_members")
	for _, lang := range i18n.Langs() {
		b := b.in(lang)
		for name, key := range map[string]string{"": "queue.name_empty", strings.Repeat("x", 101): "queue.name_long", "Default queue": "queue.name_taken"} {
			b.post("/admin/queues", "name", name).says(lang, 422, key, "name", name)
			b.post("/admin/queues/2", "name", name, "version", "1").says(lang, 422, key, "name", name)
		}
	}
	b.post("/admin/queues/2", "name", "Salg", "version", empty.version()).to("/admin/queues")
	b.post("/admin/queues/2", "name", "Mine", "version", empty.version()).says(i18n.EN, 409, "queue.conflict").want(409, failedTitle[i18n.EN], "Salg", `value="Mine"`)
	b.in("nb").get("/admin/queues").want(200, "Køer", "Salg", "Ny kø")
	// Users choose among all queues, and a workstream does too.
	u := s.user(models.Agent, "agent@kanal.test")
	at := "/admin/users/" + number(u.ID)
	form := b.get(at).want(200, `name="queue-1" value="on" checked`, `name="queue-2" value="on">`)
	b.post(at, "name", "Ada", "role", "agent", "queue-2", "on", "version", form.version()).to("/admin/users")
	if in, err := s.store.QueuesOf(t.Context(), u.ID); err != nil || len(in) != 1 || in[0] != 2 {
		t.Error(in, err)
	}
	b.get("/admin/queues/2").want(200, "Ada")
	made := b.post("/admin/workstreams", "name", "Norway", "distribution", "pick", "queue", "2").want(303)
	b.get(made.Location).want(200, `<a href="/admin/queues/2">Salg</a>`)
	b.get("/admin/queues/999").want(404)
	b.get("/admin/queues/0").want(404)
}

func TestPathEscapes(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.as(models.Administrator)
	id := workstreamURL(s.testWorkstream("<b>&\"'"))
	b.get("/admin/workstreams").without("<b>&").want(200, html("<b>&\"'"))
	for _, path := range []string{"/whatsapp/nothing", "/whatsapp/summary/x", "/numbers/1", "/numbers/x/language", "/numbers/1/number", "/numbers/1/delete", "/numbers/1/ready", "/whatsapp/" + url.PathEscape("../number")} {
		b.get(id + path).want(404)
	}
	for _, path := range []string{"/admin/workstreams/0", "/admin/workstreams/007", "/admin/workstreams/99/edit", "/admin/workstreams/99/whatsapp/number"} {
		b.get(path).want(404)
	}
}

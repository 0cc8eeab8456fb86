package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"kanal/models"
	"kanal/service"
	"kanal/store"
	"kanal/views/i18n"
)

// wizard is the wizard Set up WhatsApp of a workstream in an administrator's browser.
type wizard struct {
	*site
	b      *browser
	at     string // the workstream
	number models.Number
}

func newWizard(t *testing.T, change ...func(*Options)) *wizard {
	t.Helper()
	s := newSite(t, change...)
	b := s.as(models.Administrator)
	n := s.testAccount("Norge", "+4721000040")
	return &wizard{s, b, workstreamURL(s.testWorkstream("Norway")), n}
}

// What is special about the sandbox stands on the last page of its set-up and on its settings, with the way to the join
// code; not on those of another number.
func TestSandboxIsExplained(t *testing.T) {
	w := newWizard(t)
	for _, address := range []string{"+4721000040", models.SandboxNumber} {
		if address == models.SandboxNumber {
			w.number, w.at = w.testAccount("Sandbox", address), workstreamURL(w.testWorkstream("Trying out"))
		}
		w.fill()
		at := w.finish()
		for _, page := range []string{at + "/ready", at} {
			for _, lang := range i18n.Langs() {
				got, how := w.b.in(lang).get(page), "/setup/callback?number=sandbox"
				if address == models.SandboxNumber {
					got.says(lang, http.StatusOK, "sandbox.text").want(http.StatusOK, how)
				} else {
					got.want(http.StatusOK).without(html(i18n.Lookup(lang, "sandbox.text")), how)
				}
			}
		}
	}
}

func (w *wizard) step(name string) string { return w.at + "/whatsapp/" + name }

// save posts a step in a language with the version that its page carries.
func (w *wizard) save(lang i18n.Lang, step string, pairs ...string) *answer {
	w.t.Helper()
	v := w.b.get(w.step(step)).want(http.StatusOK).version()
	return w.b.in(lang).post(w.step(step), append(pairs, "version", v)...)
}

// fill completes every step with the wizard's number.
func (w *wizard) fill() {
	w.t.Helper()
	w.fillWith(w.number.ID)
}

func (w *wizard) fillWith(n models.NumberID) {
	w.t.Helper()
	w.save(i18n.EN, "number", "number", number(n), "action", "next").to(w.step("language"))
	w.save(i18n.EN, "language", "language", "nb", "action", "next").to(w.step("behaviors"))
	w.save(i18n.EN, "behaviors", "greeting_on", "on", "greeting", "Velkommen", "action", "next").to(w.step("user-features"))
	w.save(i18n.EN, "user-features", "files", "on", "agents", "on", "action", "next").to(w.step("summary"))
}

func (w *wizard) finish() string {
	w.t.Helper()
	ready := w.save(i18n.EN, "summary", "action", "next").want(http.StatusSeeOther)
	at, ok := strings.CutSuffix(ready.Location, "/ready")
	if !ok {
		w.t.Fatalf("leads to %q", ready.Location)
	}
	return at
}

func TestSetUpWhatsApp(t *testing.T) {
	t.Parallel()
	w := newWizard(t)
	w.b.get(w.step("summary")).to(w.step("number"))
	w.b.get(w.step("number")).says(i18n.EN, 200, "channel.available").want(200, "Support Norge", "+47 21 00 00 40").without("disabled", `value="back"`)
	w.save(i18n.EN, "number", "number", number(w.number.ID), "action", "next").to(w.step("language"))
	w.b.get(w.step("language")).says(i18n.EN, 200, "channel.lead.language").want(200, `href="`+w.step("number")+`"`).without(`href="` + w.step("behaviors") + `"`)
	w.save(i18n.EN, "language", "language", "nb", "action", "next").to(w.step("behaviors"))
	w.b.get(w.step("behaviors")).says(i18n.EN, 200, "behaviors.greeting_hint").want(200, models.DefaultGreeting("nb")).without("checked")
	w.save(i18n.EN, "behaviors", "greeting_on", "on", "greeting", "Hei\r\nog <velkommen>", "action", "next").to(w.step("user-features"))
	w.b.get(w.step("user-features")).says(i18n.EN, 200, "features.files_hint", "limit", models.MaxFileSize>>20).without("checked")
	w.save(i18n.EN, "user-features", "files", "on", "customers", "on", "action", "next").to(w.step("summary"))
	for _, lang := range i18n.Langs() {
		w.b.in(lang).get(w.step("summary")).says(lang, 200, "channel.not_tested").
			says(lang, 200, "features.customers").says(lang, 200, "channel.finish_help").says(lang, 200, "button.finish").
			want(200, "Hei\nog &lt;velkommen&gt;", "Support Norge", w.step("language")+"?return=summary").without(html(i18n.Lookup(lang, "features.agents")))
		w.b.in(lang).get(w.at).says(lang, 200, "workstream.draft").says(lang, 200, "button.continue")
		w.b.in(lang).get("/admin/workstreams").says(lang, 200, "workstream.state.not_finished").says(lang, 200, "task.doing")
	}
	at := w.finish()
	for _, lang := range i18n.Langs() {
		w.b.in(lang).get(at+"/ready").says(lang, 200, "channel.ready").want(200, "Support Norge (+47 21 00 00 40)", `href="/inbox"`)
	}
	w.b.get(w.at).want(200, "Active", at).without("Not finished", "Continue")
	w.b.get("/admin/workstreams").want(200, "Active", "Support Norge")
	// The number is now taken for everybody else.
	other := workstreamURL(w.testWorkstream("Sweden")) + "/whatsapp/number"
	for _, lang := range i18n.Langs() {
		w.b.in(lang).get(other).says(lang, 200, "channel.number_used", "workstream", "Norway").says(lang, 200, "channel.no_free").want(200, "disabled", "/admin/accounts/new/setup/channel-details")
	}
}

func TestSetUpWhatsAppSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	w := newWizard(t)
	empty := newSite(t)
	b := empty.as(models.Administrator)
	at := workstreamURL(empty.testWorkstream("Norway")) + "/whatsapp/number"
	for _, lang := range i18n.Langs() {
		b.in(lang).get(at).says(lang, 200, "channel.no_free").says(lang, 200, "button.new_account")
		b.in(lang).post(at, "version", "0", "action", "next").says(lang, 422, "channel.number_none").want(422, `href="#number"`, `id="number"`)
	}
	for _, lang := range i18n.Langs() {
		for _, number := range []string{"", "0", "99", "x"} {
			w.save(lang, "number", "number", number, "action", "next").says(lang, 422, "channel.number_none").want(422, `href="#number"`, `id="number"`)
		}
	}
	w.fill()
	for _, lang := range i18n.Langs() {
		w.save(lang, "language", "language", "xx", "action", "next").says(lang, 422, "channel.language_none").want(422, `href="#language"`)
		w.save(lang, "behaviors", "greeting_on", "on", "greeting", " ", "action", "next").says(lang, 422, "behaviors.text_empty").want(422, `href="#greeting"`, "checked")
		long := strings.Repeat("å", models.MaxMessageLength+1)
		w.save(lang, "behaviors", "greeting_on", "on", "greeting", long, "action", "next").says(lang, 422, "behaviors.text_long", "n", models.MaxMessageLength).want(422, long)
		w.save(lang, "user-features", "files", "on", "action", "next").says(lang, 422, "features.who").want(422, `href="#customers"`, `id="customers"`)
	}
	// Nothing of it was kept.
	w.b.get(w.step("summary")).want(200, "Velkommen", "Norwegian Bokmål")
}

func TestSetUpWhatsAppBackAndSave(t *testing.T) {
	t.Parallel()
	w := newWizard(t)
	// Save and exit keeps what was chosen, valid or not.
	w.save(i18n.EN, "number", "number", number(w.number.ID), "action", "save").to(w.at)
	w.b.get(w.at).want(200, "The set-up is saved for later", "Next step: WhatsApp number")
	w.b.get(w.step("number")).want(200, `value="`+number(w.number.ID)+`" checked`)
	w.fill()
	w.save(i18n.EN, "behaviors", "greeting_on", "on", "greeting", "", "action", "back").to(w.step("language"))
	w.b.get(w.step("behaviors")).want(200, "checked")
	w.b.get(w.step("summary")).to(w.step("behaviors"))
	w.save(i18n.EN, "behaviors", "greeting", "x", "action", "next").to(w.step("user-features"))
	w.save(i18n.EN, "user-features", "action", "next").to(w.step("summary"))
	// From the summary a step leads back there.
	change := w.step("language") + "?return=summary"
	v := w.b.get(change).want(200, `action="`+change+`"`).version()
	w.b.post(change, "language", "en", "version", v, "action", "next").to(w.step("summary"))
	w.b.post(change, "language", "nb", "version", w.b.get(change).version(), "action", "back").to(w.step("summary"))
	w.b.get(w.step("summary")).want(200, "Norwegian Bokmål")
	w.save(i18n.EN, "summary", "action", "back").to(w.step("user-features"))
	w.save(i18n.EN, "summary", "action", "save").to(w.at)
}

func TestSetUpWhatsAppConflict(t *testing.T) {
	t.Parallel()
	w := newWizard(t)
	w.fill()
	old := w.b.get(w.step("language")).version()
	w.save(i18n.EN, "language", "language", "en", "action", "next").to(w.step("behaviors"))
	w.save(i18n.EN, "behaviors", "greeting_on", "on", "greeting", "Theirs", "action", "next").to(w.step("user-features"))
	for _, lang := range i18n.Langs() {
		b := w.b.in(lang)
		b.post(w.step("language"), "language", "nb", "version", old, "action", "next").says(lang, 409, "channel.conflict").
			says(lang, 409, "lang.en").says(lang, 409, "lang.nb").want(409, failedTitle[lang], `<option value="nb" selected>`)
		b.post(w.step("behaviors"), "greeting", "Mine", "version", old, "action", "save").says(lang, 409, "channel.conflict").want(409, "Theirs</dd>", "Mine</dd>")
		b.post(w.step("user-features"), "files", "on", "customers", "on", "version", old, "action", "back").says(lang, 409, "channel.conflict").says(lang, 409, "features.customers")
		b.post(w.step("number"), "version", old, "action", "next").says(lang, 409, "channel.conflict").want(409, "Support Norge, +47 21 00 00 40")
		b.post(w.step("summary"), "version", old, "action", "next").says(lang, 409, "channel.conflict").want(409, "Theirs")
	}
	if v := w.b.post(w.step("language"), "language", "nb", "version", old, "action", "next").version(); v == old {
		t.Error("saving again must be a decision that works")
	}
	// Finished by somebody else: there is nothing to finish any more.
	old = w.b.get(w.step("summary")).version()
	w.finish()
	w.b.post(w.step("summary"), "version", old, "action", "next").to(w.at)
}

// The number went to another workstream between summary and Finish: the step that asks for it says so.
func TestFinishWithATakenNumber(t *testing.T) {
	t.Parallel()
	w := newWizard(t)
	w.fill()
	other := &wizard{w.site, w.b, workstreamURL(w.testWorkstream("Sweden")), w.number}
	other.fill()
	other.finish()
	for _, lang := range i18n.Langs() {
		w.save(lang, "summary", "action", "next").says(lang, 422, "channel.number_taken").want(422, `href="#number"`, `action="`+w.step("number")+`?return=summary"`)
	}
	n := w.testAccount("Sverige", "+4681234567")
	change := w.step("number") + "?return=summary"
	w.b.post(change, "number", number(n.ID), "version", w.b.get(change).version(), "action", "next").to(w.step("summary"))
	w.finish()
}

func TestSummaryWarnsOnlyWhileItIsTrue(t *testing.T) {
	t.Parallel()
	w := newWizard(t)
	w.fill()
	page := w.b.get(w.step("summary")).want(200, "The account is not tested", "/admin/accounts/"+number(w.number.AccountID)+"/setup/callback").without("No agents in the queue")
	err := w.store.InTx(t.Context(), func(tx *store.Tx) error {
		if err := tx.SetQueueMember(t.Context(), 1, w.b.User.ID, false); err != nil {
			return err
		}
		return tx.MarkFirstMessage(t.Context(), w.number.AccountID, tx.Now())
	})
	if err != nil {
		t.Fatal(err)
	}
	w.b.get(w.step("summary")).without("The account is not tested").want(200, "No agents in the queue", "“Default queue”")
	w.b.get(w.at).want(200, "No agents in the queue")
	w.b.post(w.step("summary"), "version", page.version(), "action", "next").want(303)
}

func TestDiscardSetUp(t *testing.T) {
	t.Parallel()
	w := newWizard(t)
	w.fill()
	for _, lang := range i18n.Langs() {
		w.b.in(lang).get(w.step("discard")).says(lang, 200, "channel.discard_title").want(200, "<!doctype")
	}
	w.b.htmx("partial").get(w.step("discard")).want(200, "dialog-title").without("<!doctype")
	w.b.htmx("partial").post(w.step("discard"), "x", "y").want(http.StatusNoContent)
	w.b.get(w.at).want(200, "The set-up is discarded", "Set up WhatsApp")
	w.b.get(w.step("summary")).to(w.step("number"))
}

func TestNumberSettingsPages(t *testing.T) {
	t.Parallel()
	w := newWizard(t)
	w.fill()
	at := w.finish()
	b := w.b
	tab := map[string]string{"language": "channel.lead.language", "behaviors": "channel.lead.behaviors", "user-features": "channel.lead.user_features"}
	for _, lang := range i18n.Langs() {
		b.in(lang).get(at).says(lang, 200, "channel.lead.language")
		for path, key := range tab {
			b.in(lang).get(at+"/"+path).says(lang, 200, key).want(200, `href="`+at+"/"+path+`" aria-current="page"`)
		}
		v := b.get(at).version()
		b.in(lang).post(at+"/language", "version", v).says(lang, 422, "channel.language_none").want(422, `href="#language"`)
		b.in(lang).post(at+"/behaviors", "greeting_on", "on", "version", v).says(lang, 422, "behaviors.text_empty")
		b.in(lang).post(at+"/behaviors", "greeting_on", "on", "greeting", strings.Repeat("x", 1601), "version", v).says(lang, 422, "behaviors.text_long", "n", 1600)
		b.in(lang).post(at+"/user-features", "files", "on", "version", v).says(lang, 422, "features.who")
	}
	old := b.get(at+"/behaviors").want(200, "Velkommen", "checked").version()
	b.post(at+"/behaviors", "greeting_on", "on", "greeting", "Theirs", "version", old).to(at + "/behaviors")
	b.get(at+"/behaviors").want(200, "Theirs", "The settings are saved")
	for _, lang := range i18n.Langs() {
		b.in(lang).post(at+"/behaviors", "greeting", "Mine", "version", old).says(lang, 409, "channel.settings_conflict").want(409, failedTitle[lang], "Theirs</dd>", "Mine</dd>", ">Mine</textarea>")
		b.in(lang).post(at+"/language", "language", "en", "version", old).says(lang, 409, "channel.settings_conflict").says(lang, 409, "lang.nb")
		b.in(lang).post(at+"/user-features", "version", old).says(lang, 409, "channel.settings_conflict").says(lang, 409, "features.agents")
	}
	if v := b.post(at+"/behaviors", "greeting_on", "on", "version", old).want(422).version(); v != old {
		t.Errorf("a mistake in between must not hide that somebody else was faster: version %s", v)
	}
	// A number is only found in its own workstream.
	other := workstreamURL(w.testWorkstream("Sweden")) + "/numbers/" + number(w.number.ID)
	for _, path := range []string{"", "/language", "/delete", "/ready"} {
		b.get(other + path).want(404)
	}
	b.post(other+"/language", "language", "en", "version", old).want(404)
	b.post(other+"/delete", "confirm", w.number.Name).want(404)
	b.post(at+"/number", "version", old).want(404)
	b.post(at+"/summary", "version", old).want(404)
}

func TestDeleteChannel(t *testing.T) {
	t.Parallel()
	w := newWizard(t)
	w.fill()
	at := w.finish()
	b := w.b
	for _, lang := range i18n.Langs() {
		b.in(lang).get(at+"/delete").says(lang, 200, "channel.delete_title", "name", w.number.Name).says(lang, 200, "channel.delete_settings").want(200, "<!doctype")
		b.in(lang).post(at+"/delete", "confirm", "wrong").says(lang, 422, "channel.confirm_wrong", "name", w.number.Name).want(422, `href="#confirm"`, `value="wrong"`)
		b.in(lang).htmx("partial").post(at+"/delete", "confirm", "").want(422, html(i18n.Lookup(lang, "channel.confirm_wrong", "name", w.number.Name))).without("<!doctype")
	}
	b.get(at + "/delete").without("not closed")
	call := service.Call{Account: models.Account{ID: w.number.AccountID}, ReceivedAt: w.store.Now(), Form: url.Values{
		"MessageSid": {"SM00000000000000000000000000000001"}, "From": {"whatsapp:+4740000142"}, "To": {"whatsapp:" + w.number.Address}, "Body": {"Hei"},
	}}
	if err := w.service.Receive(t.Context(), call); err != nil {
		t.Fatal(err)
	}
	b.get(at+"/delete").want(200, "1 conversation is not closed. It stays where it is")
	b.get(at + "/ready").want(200)
	gone := b.htmx("partial").post(at+"/delete", "confirm", w.number.Name).want(http.StatusNoContent)
	if gone.Header.Get("HX-Redirect") != w.at {
		t.Errorf("leads to %q", gone.Header.Get("HX-Redirect"))
	}
	b.get(w.at).want(200, "The channel is deleted", "Not finished")
	b.get(at).want(404)
	w.fill() // it is free again
	w.finish()
	b.post(at+"/delete", "confirm", w.number.Name).to(w.at)
}

package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"kanal/models"
	"kanal/service"
	"kanal/store"
	"kanal/twilio/simulator"
	"kanal/views/browsertest"
)

// addTemplate adds a template to an account of the simulator's and to the center.
func (s *site) addTemplate(account models.Account, t models.Template) models.Template {
	s.t.Helper()
	if t.Status == models.TemplateApproved {
		var types map[string]json.RawMessage
		if err := json.Unmarshal([]byte(t.Types), &types); err != nil {
			s.t.Fatal(err)
		}
		t.ContentSID = s.sim.AddContent(account.SID, simulator.Content{Name: t.Name, Language: t.Language, Types: types, Approval: simulator.Approval{Status: "approved"}})
	}
	c := t.Content()
	t.Kind, t.Body, t.AccountID, t.Version, t.Source = c.Kind, c.Body, account.ID, 1, models.TemplateTwilio
	insert := func(tx *store.Tx) error {
		known, err := tx.TemplatesBySID(s.t.Context(), account.ID, []string{t.ContentSID})
		if have, ok := known[t.ContentSID]; err != nil || ok && t.ContentSID != "" {
			t = have
			return err
		}
		t.CreatedAt, t.UpdatedAt = tx.Now(), tx.Now()
		return tx.InsertTemplate(s.t.Context(), &t)
	}
	err := s.store.InTx(s.t.Context(), insert)
	if errors.Is(err, store.ErrTemplateSID) { // the fetching was faster
		err = s.store.InTx(s.t.Context(), insert)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return t
}

// parcel is an approved template with everything that a bubble shows.
var parcel = models.Template{
	Name: "Leveringsvarsel", Language: "nb", Category: "UTILITY", Status: models.TemplateApproved, Samples: `{"1": "Ana", "2": "4711", "3": "onsdag"}`,
	Types: `{"whatsapp/card": {"header_text": "Din pakke", "body": "Hei {{1}}! Pakken med ordre {{2}} leveres {{3}}. Svar på meldingen hvis tidspunktet ikke passer.",
		"footer": "Kanal AS", "actions": [{"type": "QUICK_REPLY", "title": "Det passer", "id": "ok"}, {"type": "QUICK_REPLY", "title": "Velg en annen tid", "id": "other"}]}}`,
}

// addTemplates adds some in both languages, and one on which WhatsApp is still to decide.
func (s *site) addTemplates(account models.Account) models.Template {
	text := func(body string) string { return fmt.Sprintf(`{"twilio/text": {"body": %q}}`, body) }
	for _, t := range []models.Template{
		{Name: "Faktura klar", Language: "en", Status: models.TemplateApproved, Types: text("Your invoice {{invoice_no}} is ready, {{1}}.")},
		{Name: "Oppfølging", Language: "nb", Status: models.TemplateApproved, Types: text("Hei, har du fått den hjelpen du trengte?")},
		{Name: "Timepåminnelse", Language: "nb", Status: models.TemplatePending, Types: text("Hei {{1}}")},
		{Name: "Gammel", Language: "nb", Status: models.TemplatePaused, Types: text("Gammel {{1}}")},
		{Name: "Skrevet inn", Language: "nb", Types: text("Takk for praten")},
	} {
		if t.Status == models.TemplatePending || t.Status == models.TemplatePaused {
			t.ContentSID = "HX" + fmt.Sprintf("%032x", len(t.Name))
		}
		s.addTemplate(account, t)
	}
	return s.addTemplate(account, parcel)
}

// agreed records that the customer of a conversation agrees to messages.
func (s *site) agreed(v models.Viewer, id models.ConversationID) {
	s.t.Helper()
	row, err := s.store.Conversation(s.t.Context(), v, id)
	if err == nil {
		form := service.ConsentForm{Account: row.AccountID, Scope: models.ConsentAll, Given: true, Note: "Sa det på telefon"}
		err = s.service.RecordConsent(s.t.Context(), v, row.ContactID, form)
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

const previewed = "document.querySelector('#tp-form .bub__t').textContent"

// chooses takes a template of the list and waits until its form is there: another one's may be before.
func (b *seat) chooses(key string) {
	b.t.Helper()
	b.click("#tp-" + key)
	b.wait("document.querySelector('#tp-form [name=t]')?.value === " + jsText(key) + " && document.activeElement.form?.id === 'tp-form'")
}

// The window has closed: a template is chosen in the dialog, filled in and sent, and stands in the thread with its buttons.
func TestInboxPickTemplate(t *testing.T) {
	eachPair(t, func(d *team) {
		chosen := d.addTemplates(d.account)
		id := d.has(d.ida, d.says("Kari Nordli", "Hei"))
		d.agreed(viewerOf(d.ida), id)
		b := d.at(d.ida, thread(id))
		types(b, "Jeg sjekker")
		d.ahead(25 * time.Hour)
		b.click("#composer .closed .btn--p")
		b.wait("document.getElementById('dialog').open && document.activeElement.id === 'tp-q'")
		names := "[...document.querySelectorAll('#tp-list .tp__i')].map(x => x.innerText.replace('\\n', ' / ')).filter(x => /^(Faktura|Levering|Oppf)/.test(x)).join('|')"
		nb, en := d.text("lang.nb"), d.text("lang.en")
		b.wait(names + " === " + jsText("Faktura klar / "+en+" · "+d.count("pick.fields", 2)+"|Leveringsvarsel / "+nb+" · "+d.count("pick.fields", 3)+"|Oppfølging / "+nb+" · "+d.text("pick.no_fields"))) // the number's language first
		b.see(strings.TrimPrefix(d.count("pick.waiting", 2), "2"))                                                                                                                                         // as many as the account has
		b.press("faktura kl")
		b.wait("document.querySelectorAll('#tp-list .tp__i').length === 1 && document.activeElement.id === 'tp-q'")
		b.js("document.getElementById('tp-q').value = ''; document.getElementById('tp-q').dispatchEvent(new Event('input', { bubbles: true }))")
		b.wait("document.querySelectorAll('#tp-list .tp__i').length >= 3")
		b.chooses(number(chosen.ID))
		b.wait("document.activeElement.id === 'v-2' && document.getElementById('v-1').value === 'Kari'")
		b.press("48213")
		b.wait(previewed + ".includes('Hei Kari! Pakken med ordre 48213 leveres [" + d.text("pick.field_n", "n", 3) + "].')")
		b.expect("422")
		b.click("#tp .dlg__f .btn--p")
		b.wait("document.querySelector('#v-3[aria-invalid]') && document.activeElement.id === 'v-3' && document.getElementById('v-2').value === '48213'")
		b.see(d.text("pick.value_empty", "n", 3))
		b.press("mandag")
		b.click("#tp .dlg__f .btn--p")
		b.wait("!document.getElementById('dialog').open")
		b.wait(lastState(models.Read))
		b.see("Hei Kari! Pakken med ordre 48213 leveres mandag. Svar på meldingen hvis tidspunktet ikke passer.")
		for _, part := range []string{d.text("pick.label", "name", "Leveringsvarsel"), "Din pakke", "Kanal AS", "Det passer", "Velg en annen tid"} {
			b.see(part)
		}
		b.wait("document.getElementById('kept').textContent === 'Jeg sjekker'")
		d.draft(d.ida, id, "Jeg sjekker")
	})
}

// 63016 closes the window; the bubble leads to the templates.
func TestInboxTemplateInstead(t *testing.T) {
	t.Parallel()
	browsertest.Require(t)
	d := newTeam(t, store.SQLite)
	d.addTemplates(d.account)
	id := d.has(d.ida, d.says("Kari Nordli", "Hei"))
	b := d.at(d.ida, thread(id))
	d.outcome("undelivered", 63016)
	types(b, "Hei")
	b.send()
	b.see("Send a template instead")
	b.click("#msgs .fail a")
	b.wait("document.getElementById('dialog').open && document.querySelectorAll('#tp-list .tp__i').length >= 3")
	b.see("The customer has not agreed to templates")
	b.wait("!document.querySelector('#tp .dlg__f [type=submit]')")

	// Consent is recorded in the same dialog, which leads back to the template.
	b.click("#tp .dlg__f .btn--p")
	b.focus("#note")
	b.press("Sa det på telefon")
	b.js("document.getElementById('note').form.requestSubmit()")
	b.wait("location.pathname.endsWith('/templates') && document.querySelector('#tp .dlg__f [type=submit]')")
	d.outcome("read", 0)
	b.click("#tp-list a:last-of-type")
	b.wait("document.querySelector('.is-chosen')")
}

// The same without script: pages, a list to search, a form that is sent, refused with what was typed and accepted.
func TestTemplatePages(t *testing.T) {
	t.Parallel()
	s, b, id, key := newPickerSite(t)
	path := thread(id) + "/templates"
	b.get(path).want(http.StatusOK, "Leveringsvarsel", "Faktura klar", "Skrevet inn", "waiting for approval").without("Gammel", "Timepåminnelse")
	b.get(path+"?q=FAKTURA").want(http.StatusOK, "Faktura klar").without("Oppfølging")
	b.get(path+"?q=nothing+like+it").want(http.StatusOK, "No results for “nothing like it”")
	b.get(path+"?t="+key).want(http.StatusOK, ">Kari</span>", `value="Kari"`, "Velg en annen tid")
	for _, tt := range []struct {
		key, two string
		status   int
		says     string
	}{
		{key, "", http.StatusUnprocessableEntity, "Fill in field 2. Templates cannot have empty fields."},
		{key, "a\nb", http.StatusUnprocessableEntity, "Write it all on one line."},
		{"999999", "x", http.StatusNotFound, ""},
		{"x", "x", http.StatusNotFound, ""},
		{"HX0", "x", http.StatusNotFound, ""},
	} {
		b.post(path, "client_key", "k", "t", tt.key, "v-1", "Kari & co", "v-2", tt.two, "v-3", "i dag").want(tt.status, tt.says)
	}
	refused := b.post(path, "client_key", "k", "t", key, "v-1", "Kari & co", "v-2", "", "v-3", "i dag").want(http.StatusUnprocessableEntity, `value="Kari &amp; co"`, `value="i dag"`)
	if refused.value("client_key") != "k" {
		t.Error("another key: sent again it would be another message")
	}
	b.post(path, "client_key", "k", "t", key, "v-1", "Kari", "v-2", "1", "v-3", "2").to(thread(id))
	b.get(thread(id)).want(http.StatusOK, "Template · Leveringsvarsel", "The template is on its way")
	b.post(path, "client_key", "k", "t", key, "v-1", "Kari", "v-2", "other", "v-3", "2").want(http.StatusConflict)
	if n := len(messagesOf(s, id, models.KindTemplate)); n != 1 {
		t.Errorf("%d templates", n)
	}
}

// newPickerSite is a center with templates and a conversation of an agent whose customer agrees to messages.
func newPickerSite(t *testing.T) (*site, *browser, models.ConversationID, string) {
	t.Helper()
	s := newSite(t, withSimulator(t))
	s.as(models.Administrator).post("/simulator/try").want(http.StatusSeeOther)
	b := s.as(models.Agent)
	v := models.Viewer{User: b.User.ID, Role: models.Agent}
	accounts, err := s.store.Accounts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	chosen := s.addTemplates(accounts[0].Account)
	a := s.sim.Accounts()[0]
	s.sim.Receive(a.SID, simulator.Write{Customer: a.Customers[0].Address, Number: a.Senders[0].Number, Body: "Hei"})
	id, err := s.service.TakeNext(t.Context(), v)
	if err != nil {
		t.Fatal(err)
	}
	s.agreed(v, id)
	return s, b, id, number(chosen.ID)
}

func messagesOf(s *site, id models.ConversationID, kind models.MessageKind) (out []models.Message) {
	s.t.Helper()
	row, err := s.store.ConversationByID(s.t.Context(), id)
	if err != nil {
		s.t.Fatal(err)
	}
	ms, err := s.store.Messages(s.t.Context(), row, 0)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, m := range ms {
		if m.Kind == kind {
			out = append(out, m)
		}
	}
	return out
}

// The sandbox offers its own templates without anybody adding them, and none that WhatsApp has approved for the account.
func TestTemplatesOfTheSandbox(t *testing.T) {
	t.Parallel()
	s, b, _, key := newPickerSite(t)
	admin := s.signedIn(s.user(models.Administrator, "second@kanal.test"))
	admin.post("/simulator/senders", "sandbox", "on").want(http.StatusSeeOther)
	admin.get("/simulator").want(http.StatusOK, "join "+simulator.JoinCode).without("Add the sandbox")
	accounts, err := s.store.Accounts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	a, sim := accounts[0].Account, s.sim.Accounts()[0]
	err = s.store.InTx(t.Context(), func(tx *store.Tx) error {
		n := models.Number{AccountID: a.ID, Name: "Sandbox", Address: models.SandboxNumber, Version: 1, CreatedAt: tx.Now(), UpdatedAt: tx.Now()}
		return tx.InsertNumber(t.Context(), &n)
	})
	if err == nil {
		err = s.service.Reload(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	s.sim.SetInboundURL(sim.SID, models.SandboxNumber, s.service.InboundURL(a))
	for _, body := range []string{"join " + simulator.JoinCode, "Hei"} {
		s.sim.Receive(sim.SID, simulator.Write{Customer: sim.Customers[1].Address, Number: models.SandboxNumber, Body: body})
	}
	id, err := s.service.TakeNext(t.Context(), models.Viewer{User: b.User.ID, Role: models.Agent})
	if err != nil {
		t.Fatal(err)
	}
	path := thread(id) + "/templates"
	b.get(path).want(http.StatusOK, "appointment_reminder", "order_notification", "verification_code", "Skrevet inn").without("Leveringsvarsel")
	b.get(path+"?q=shipped").want(http.StatusOK, "order_notification").without("verification_code")
	form := []string{"client_key", "k", "v-1", "i dag", "v-2", "kl. 10", "v-3", "x"}
	b.post(path, append(form, "t", key)...).want(http.StatusUnprocessableEntity, "The sandbox sends its own three templates only.")
	b.post(path, append(form, "t", service.SandboxTemplates(models.Number{Address: models.SandboxNumber})[0].ContentSID)...).to(thread(id))
	b.get(thread(id)).want(http.StatusOK, "Your appointment is coming up on i dag at kl. 10", "Template · appointment_reminder")
}

// Another agent has the conversation: the dialog asks who answers.
func TestTemplateInAnotherAgentsConversation(t *testing.T) {
	t.Parallel()
	s, _, id, key := newPickerSite(t)
	boss := s.as(models.Supervisor)
	path := thread(id) + "/templates"
	page := boss.get(path+"?t="+key).want(http.StatusOK, "Take over and send", "Send as helper")
	form := []string{"client_key", "k", "t", key, "v-1", "Kari", "v-2", "1", "v-3", "2"}
	boss.post(path, form...).want(http.StatusConflict, "Take over and send", `value="Kari"`)
	boss.post(path, append(form, "owner", page.value("owner"), "as", "help")...).to(thread(id))
}

// A closed conversation takes no template, and strangers see nothing.
func TestTemplatesOfClosedAndForeignConversations(t *testing.T) {
	t.Parallel()
	s, b, id, _ := newPickerSite(t)
	v := models.Viewer{User: b.User.ID, Role: models.Agent}
	path := thread(id) + "/templates"
	stranger := s.user(models.Agent, "stranger@kanal.test")
	err := s.store.InTx(t.Context(), func(tx *store.Tx) error {
		q, err := tx.DefaultQueue(t.Context())
		if err != nil {
			return err
		}
		return tx.SetQueueMember(t.Context(), q, stranger.ID, false)
	})
	if err != nil {
		t.Fatal(err)
	}
	s.signedIn(stranger).get(path).want(http.StatusNotFound)
	for _, f := range []func() error{
		func() error { return s.service.Resolve(t.Context(), v, id) }, func() error { return s.service.CloseNow(t.Context(), v, id) },
	} {
		if err := f(); err != nil {
			t.Fatal(err)
		}
	}
	b.get(path).want(http.StatusConflict)
	b.post(path, "client_key", "k", "t", "1").want(http.StatusConflict)
}

// value gives what stands in a hidden field.
func (a *answer) value(name string) string {
	a.t.Helper()
	m := regexp.MustCompile(`name="` + name + `" value="([^"]*)"`).FindStringSubmatch(a.Body)
	if m == nil {
		a.t.Fatalf("%s: no field %s", a.request, name)
	}
	return m[1]
}

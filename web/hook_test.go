package web

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"kanal/models"
	"kanal/store"
	"kanal/store/storetest"
	"kanal/twilio"
	"kanal/views/i18n"
)

// What Twilio's examples are about.
const (
	hookSID   = "AC00000000000000000000000000000000"
	hookToken = "0123456789abcdef0123456789abcdef"
	hookPath  = "/hooks/twilio/unguessable/inbound"
)

// connect adds a finished account with the sandbox number, whose webhook key is "unguessable".
func (s *site) connect() models.Account {
	s.t.Helper()
	ctx := s.t.Context()
	a := models.Account{Name: "Test", Channel: models.ChannelWhatsApp, SID: hookSID, HookKey: "unguessable", State: models.AccountActive, Step: models.StepCallback, Version: 1}
	err := s.store.InTx(ctx, func(tx *store.Tx) error {
		if err := tx.Insert(ctx, &a); err != nil {
			return err
		}
		if err := tx.SetAccountToken(ctx, a.ID, s.store.Seal(hookToken, fmt.Sprintf("accounts/%d", a.ID)), "cdef"); err != nil {
			return err
		}
		return tx.InsertNumber(ctx, &models.Number{AccountID: a.ID, Name: "Sandbox", Address: models.SandboxNumber, Version: 1})
	})
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.service.Reload(ctx); err != nil {
		s.t.Fatal(err)
	}
	return a
}

// hook posts a form as Twilio does, signed.
func (s *site) hook(path string, form url.Values) *answer {
	s.t.Helper()
	b := s.anonymous()
	b.Headers.Set(twilio.SignatureHeader, twilio.Sign(hookToken, s.url+path, form))
	return b.do(http.MethodPost, path, "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
}

func (a *answer) emptyTwiML(status int) *answer {
	a.t.Helper()
	if a.Status != status || a.Body != twilio.EmptyResponse || a.Header.Get("Content-Type") != "text/xml" {
		a.t.Errorf("%s: %d, %q, %q", a.request, a.Status, a.Header.Get("Content-Type"), a.Body)
	}
	return a
}

// beside opens the SQLite database of a site once more, to look at it or to change it behind its back.
func beside(t *testing.T, address string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+strings.TrimPrefix(address, "sqlite:")+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// shapes are the inbound examples of Twilio's forms, in the order of the file.
func shapes(t *testing.T) (names []string, forms map[string]url.Values) {
	t.Helper()
	b, err := os.ReadFile("../twilio/testdata/payloads.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []struct {
		Kind   string
		Params map[string]string
	}
	var raw []json.RawMessage
	if err := json.Unmarshal(b, &raw); err != nil {
		t.Fatal(err)
	}
	forms = map[string]url.Values{}
	for _, r := range raw {
		one := all[:0]
		if json.Unmarshal([]byte("["+string(r)+"]"), &one) != nil || !strings.HasPrefix(one[0].Kind, "inbound_") {
			continue
		}
		names = append(names, one[0].Kind)
		form := url.Values{}
		for k, v := range one[0].Params {
			form.Set(k, v)
		}
		forms[one[0].Kind] = form
	}
	return names, forms
}

// Every shape of an inbound message is taken in: one row with its kind and its raw form, and the agent sees it.
func TestEveryInboundShape(t *testing.T) {
	t.Parallel()
	for _, d := range storetest.Dialects {
		t.Run(string(d), func(t *testing.T) {
			s := newSite(t, func(o *Options) { o.Store = storetest.Open(t, d, nil) })
			s.connect()
			agent := s.as(models.Agent)
			names, forms := shapes(t)
			if len(names) != 29 {
				t.Fatalf("%d shapes", len(names))
			}
			kept := map[string]bool{}
			for _, name := range names {
				s.hook(hookPath, forms[name]).emptyTwiML(http.StatusOK)
				if name == "inbound_sandbox_join" { // the sandbox keeps it for itself; without a sid it is no message
					qs, err := s.store.Quarantined(t.Context(), store.QuarantineFilter{})
					if err != nil || len(qs) != 1 || qs[0].Form != forms[name].Encode() {
						t.Errorf("%+v %v", qs, err)
					}
					continue
				}
				s.checkShape(name, forms[name])
				kept[forms[name].Get("MessageSid")] = true
			}
			rows, err := s.store.Conversations(t.Context(), models.Viewer{Role: models.Supervisor}, store.InboxFilter{View: models.ViewAll})
			if err != nil || len(rows) != 1 || len(kept) != 28 {
				t.Fatalf("%d conversations, %d sids: %v", len(rows), len(kept), err)
			}
			ms, err := s.store.Messages(t.Context(), rows[0].Conversation, 0)
			wrote := slices.DeleteFunc(ms, func(m models.Message) bool { return m.Direction != models.In }) // one is a stop word: it is answered
			if err != nil || len(wrote) != len(kept) {
				t.Errorf("%d messages of the customer: %v", len(wrote), err)
			}
			page := fmt.Sprintf("/inbox/%d", rows[0].ID)
			for _, lang := range []i18n.Lang{i18n.NB, i18n.EN} {
				agent.Headers.Set("Accept-Language", string(lang))
				a := agent.get(page).want(http.StatusOK)
				a.want(http.StatusOK, "Hola, ¿qué tal? 👍", "hi from a username user", "line 1\nline 2", "look at this", "Confirm", "SFO to NYC for $299", i18n.Lookup(lang, "choice.call_rejected"), "reaction")
			}
		})
	}
}

func (s *site) checkShape(name string, form url.Values) {
	s.t.Helper()
	account, err := s.service.Hook(s.t.Context(), "unguessable")
	if err != nil {
		s.t.Fatal(err)
	}
	m, err := s.store.MessageBySID(s.t.Context(), account.Account.ID, form.Get("MessageSid"))
	in, _ := twilio.ParseInbound(form)
	switch {
	case err != nil:
		s.t.Errorf("%s: %v", name, err)
	case m.Form != form.Encode():
		s.t.Errorf("%s: the raw form is %q", name, m.Form)
	case m.Kind != models.MessageKind(in.Kind) || m.Body != form.Get("Body") || m.RawKind != form.Get("MessageType"):
		s.t.Errorf("%s: %+v", name, m)
	}
}

// A customer whose number is hidden is answered at the user id, and the list names the kind of a message without text
// but never changes a text that looks like one.
func TestHiddenNumberAndPreview(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.connect()
	agent := s.as(models.Agent)
	_, forms := shapes(t)
	form := forms["inbound_text_bsuid_only"]
	form.Set("Body", "[image]")
	s.hook(hookPath, form).emptyTwiML(http.StatusOK)
	agent.get("/inbox?view=queue").want(http.StatusOK, "[image]")
	rows, err := s.store.Conversations(t.Context(), models.Viewer{Role: models.Supervisor}, store.InboxFilter{View: models.ViewAll})
	if err != nil || len(rows) != 1 || rows[0].Address != "whatsapp:MX.1A2B3C4D5E6F7G8H9I0J" {
		t.Fatalf("%+v %v", rows, err)
	}
	s.hook(hookPath, forms["inbound_audio"]).emptyTwiML(http.StatusOK)
	agent.get("/inbox?view=queue").want(http.StatusOK, "Audio").without("[audio]")
}

// During a rotation either token signs; a GET is signed by its address alone, a JSON body by its hash in the address.
// A port that the scheme implies may be there or not, and the fragment is not signed.
func TestSignatures(t *testing.T) {
	t.Parallel()
	public, _ := url.Parse("https://cc.example.com")
	address := storetest.URL(t, store.SQLite)
	s := newSite(t, func(o *Options) { o.PublicURL, o.Store = public, storetest.OpenURL(t, address, nil) })
	a := s.connect()
	_, forms := shapes(t)
	form := forms["inbound_text"]
	at := "https://cc.example.com" + hookPath
	post := func(signature string) *answer {
		b := s.anonymous()
		b.Headers.Set(twilio.SignatureHeader, signature)
		return b.do(http.MethodPost, hookPath, "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
	}
	post(twilio.Sign(hookToken, at, form)).emptyTwiML(http.StatusOK)
	post(twilio.Sign(hookToken, "https://cc.example.com:443"+hookPath, form)).emptyTwiML(http.StatusOK)
	post(twilio.Sign(hookToken, at+twilio.ConnectionOverrides, form)).emptyTwiML(http.StatusOK)
	post(twilio.Sign(hookToken, "https://cc.example.com:8443"+hookPath, form)).emptyTwiML(http.StatusForbidden)
	post(twilio.Sign(hookToken, "http://cc.example.com"+hookPath, form)).emptyTwiML(http.StatusForbidden)
	post(twilio.Sign(hookToken, s.url+hookPath, form)).emptyTwiML(http.StatusForbidden)
	post(twilio.Sign("the next token", at, form)).emptyTwiML(http.StatusForbidden)

	b := s.anonymous()
	query := hookPath + "?" + form.Encode()
	b.Headers.Set(twilio.SignatureHeader, twilio.Sign(hookToken, "https://cc.example.com"+query, nil))
	b.get(query).emptyTwiML(http.StatusOK)
	b.get(query + "&x=1").emptyTwiML(http.StatusForbidden)

	const body = `{"a":1,"t":"é"}`
	signed := hookPath + "?bodySHA256=3103db2657a10ebdc4537d54a08114498db55ed4ab5e4e6955ed26b3e2dbc2fd"
	b.Headers.Set(twilio.SignatureHeader, twilio.Sign(hookToken, "https://cc.example.com"+signed, nil))
	b.do(http.MethodPost, signed, "application/json", strings.NewReader(body)).emptyTwiML(http.StatusOK)
	b.do(http.MethodPost, signed, "application/json", strings.NewReader(body+" ")).emptyTwiML(http.StatusForbidden)
	qs, err := s.store.Quarantined(t.Context(), store.QuarantineFilter{})
	if err != nil || len(qs) != 1 || !strings.Contains(qs[0].Form, url.QueryEscape(body)) {
		t.Errorf("a signed call that is no form is kept: %+v %v", qs, err)
	}

	// Both tokens count while one takes over from the other, also when another instance has begun the rotation.
	next := s.store.Seal("the next token", fmt.Sprintf("accounts/%d", a.ID))
	if _, err := beside(t, address).ExecContext(t.Context(), "UPDATE accounts SET next_token_sealed = ?", next); err != nil {
		t.Fatal(err)
	}
	if err := s.service.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	post(twilio.Sign(hookToken, at, form)).emptyTwiML(http.StatusOK)
	post(twilio.Sign("the next token", at, form)).emptyTwiML(http.StatusOK)
	post(twilio.Sign("another token", at, form)).emptyTwiML(http.StatusForbidden)

	// A name that comes twice is signed with both values.
	form = url.Values{"Twice": {"b", "a", "b"}}
	for k, v := range forms["inbound_forwarded"] {
		form[k] = v
	}
	post(twilio.Sign(hookToken, at, form)).emptyTwiML(http.StatusOK)
	post(twilio.Sign(hookToken, at, forms["inbound_forwarded"])).emptyTwiML(http.StatusForbidden)
}

// When nothing can be stored Twilio has to try again.
func TestWebhookWithoutDatabase(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.connect()
	_, forms := shapes(t)
	s.store.Close()
	s.hook(hookPath, forms["inbound_text"]).emptyTwiML(http.StatusServiceUnavailable)
	s.hook("/hooks/twilio/unguessable/status?m=1&n=1", url.Values{"MessageSid": {"SM00000000000000000000000000000001"}, "MessageStatus": {"sent"}}).
		emptyTwiML(http.StatusServiceUnavailable)
	s.hook(hookPath, url.Values{"Body": {"no message"}}).emptyTwiML(http.StatusServiceUnavailable)
}

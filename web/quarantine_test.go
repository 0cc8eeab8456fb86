package web

import (
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"kanal/models"
	"kanal/store"
	"kanal/store/storetest"
	"kanal/twilio"
	"kanal/views/i18n"
)

const elsewhere = "+4721999977" // a number that is not added

// toElsewhere gives a message to a number that is not added.
func toElsewhere(t *testing.T, n int) url.Values {
	t.Helper()
	_, forms := shapes(t)
	form := forms["inbound_text"]
	form.Set("MessageSid", fmt.Sprintf("SM%032d", n))
	form.Set("To", "whatsapp:"+elsewhere)
	form.Set("Body", fmt.Sprint("secret words ", n))
	return form
}

func (s *site) addNumber(a models.Account, address string) {
	s.t.Helper()
	err := s.store.InTx(s.t.Context(), func(tx *store.Tx) error {
		return tx.InsertNumber(s.t.Context(), &models.Number{AccountID: a.ID, Name: "New", Address: address, Version: 1})
	})
	if err == nil {
		err = s.service.Reload(s.t.Context())
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// conversations counts the messages of customers in each conversation.
func (s *site) conversations() (out []int) {
	s.t.Helper()
	rows, err := s.store.Conversations(s.t.Context(), models.Viewer{Role: models.Supervisor}, store.InboxFilter{View: models.ViewAll})
	for _, r := range rows {
		var ms []models.Message
		if ms, err = s.store.Messages(s.t.Context(), r.Conversation, 0); err != nil {
			break
		}
		out = append(out, len(ms))
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return out
}

// A call that was signed but not understood waits in quarantine. An administrator sees why, replays it in vain, mends the
// cause, and then it is taken in at the time at which it came, once.
func TestQuarantine(t *testing.T) {
	for _, d := range storetest.Dialects {
		t.Run(string(d), func(t *testing.T) {
			clock := storetest.NewClock()
			s := newSite(t, func(o *Options) { o.Store = storetest.Open(t, d, clock.Now) })
			a := s.connect()
			admin := s.as(models.Administrator)
			admin.get("/admin/quarantine").says(i18n.EN, http.StatusOK, "quarantine.none")
			admin.get("/admin").want(http.StatusOK).without("Open quarantine")

			came := clock.Now()
			for n := range 3 {
				s.hook(hookPath, toElsewhere(t, n+1)).emptyTwiML(http.StatusOK)
			}
			s.hook("/hooks/twilio/unguessable/status?m=7&n=1", url.Values{"Body": {"no report"}}).emptyTwiML(http.StatusOK)
			admin.get("/admin").want(http.StatusOK, "4 calls from Twilio could not be taken in.", "4 waiting")
			list := admin.get("/admin/quarantine").want(http.StatusOK, "The message was to a number that is not added.", "3 calls", "Delivery report", "+47 ••• 977", "Never")
			list.without("secret words", elsewhere)
			admin.in(i18n.NB).get("/admin/quarantine").want(http.StatusOK, "Karantene", "Leveringsrapport")
			admin.get("/admin/quarantine/1").want(http.StatusOK, "secret words 1", elsewhere, "Add the number to the account")
			admin.get("/admin/quarantine/4").want(http.StatusOK, "m=7&amp;n=1")

			clock.Advance(time.Hour)
			admin.post("/admin/quarantine/1/replay").want(http.StatusUnprocessableEntity, "It could still not be taken in.", "Once", "Test administrator")
			admin.post("/admin/quarantine/replay", "reason", models.QuarantineUnknownNumber).to("/admin/quarantine")
			admin.get("/admin/quarantine").want(http.StatusOK, "Some calls still could not be taken in", "2 times")
			if got := s.conversations(); len(got) != 0 {
				t.Fatalf("%v", got)
			}

			s.addNumber(a, elsewhere)
			admin.post("/admin/quarantine/2/replay").to("/admin/quarantine")
			admin.post("/admin/quarantine/2/replay").to("/admin/quarantine") // somebody was faster
			s.hook(hookPath, toElsewhere(t, 2)).emptyTwiML(http.StatusOK)    // and Twilio tries again
			admin.post("/admin/quarantine/replay", "reason", models.QuarantineUnknownNumber).to("/admin/quarantine")
			if got := s.conversations(); fmt.Sprint(got) != "[3]" {
				t.Errorf("messages: %v", got)
			}
			hook, err := s.service.Hook(t.Context(), "unguessable")
			if err != nil {
				t.Fatal(err)
			}
			m, err := s.store.MessageBySID(t.Context(), hook.Account.ID, fmt.Sprintf("SM%032d", 1))
			if err != nil || !m.CreatedAt.Equal(came) {
				t.Errorf("it came %v: %+v %v", came, m, err)
			}

			admin.post("/admin/quarantine/4/discard").to("/admin/quarantine")
			admin.get("/admin/quarantine").want(http.StatusOK, "Nothing is in quarantine").without("Open quarantine")
			admin.get("/admin/quarantine?show=done").want(http.StatusOK, "Discarded", "Taken in", "3 times")
			admin.get("/admin/quarantine?show=done&before=4").want(http.StatusOK).without("Discarded")
			admin.get("/admin/quarantine/4").want(http.StatusOK, "Replay").without("/discard")
			s.auditedAs(map[string]int{store.QuarantineReplayed: 7, "quarantine.discarded": 1})
		})
	}
}

// auditedAs holds how often each act was noted.
func (s *site) auditedAs(want map[string]int) {
	s.t.Helper()
	as, err := s.store.Audits(s.t.Context(), 100)
	if err != nil {
		s.t.Fatal(err)
	}
	got := map[string]int{}
	for _, a := range as {
		if _, ok := want[a.Action]; ok {
			got[a.Action]++
		}
		if strings.Contains(a.Details, "secret") {
			s.t.Errorf("%s", a.Details)
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		s.t.Errorf("audited %v, not %v", got, want)
	}
}

// Only administrators see what is in quarantine, and an address that names nothing is not found.
func TestQuarantineIsForAdministrators(t *testing.T) {
	s := newSite(t)
	s.connect()
	s.hook(hookPath, toElsewhere(t, 1)).emptyTwiML(http.StatusOK)
	for _, role := range []models.Role{models.Agent, models.Supervisor} {
		b := s.as(role)
		for _, path := range []string{"/admin/quarantine", "/admin/quarantine/1", "/admin/alerts"} {
			b.get(path).want(http.StatusForbidden).without("secret words")
		}
		for _, path := range []string{"/admin/quarantine/1/replay", "/admin/quarantine/1/discard", "/admin/quarantine/replay"} {
			b.post(path).want(http.StatusForbidden)
		}
	}
	admin := s.as(models.Administrator)
	for _, path := range []string{"/admin/quarantine/2", "/admin/quarantine/x", "/admin/quarantine?before=x", "/admin/alerts?before=0"} {
		admin.get(path).want(http.StatusNotFound)
	}
	admin.post("/admin/quarantine/2/replay").want(http.StatusNotFound)
	admin.post("/admin/quarantine/2/discard").want(http.StatusNotFound)
	admin.post("/admin/quarantine/replay", "reason", "other").want(http.StatusNotFound)
}

// The list comes page by page.
func TestQuarantineHasPages(t *testing.T) {
	s := newSite(t)
	a := s.connect()
	err := s.store.InTx(t.Context(), func(tx *store.Tx) error {
		for range store.QuarantinePage + 1 {
			if err := tx.InsertQuarantine(t.Context(), &models.Quarantine{AccountID: a.ID, Kind: "inbound", Reason: models.QuarantineFailed, ReceivedAt: tx.Now()}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	admin := s.as(models.Administrator)
	admin.get("/admin/quarantine").want(http.StatusOK, "51 calls", `"/admin/quarantine/51"`, `"/admin/quarantine/2"`, "/admin/quarantine?before=2").without(`"/admin/quarantine/1"`)
	admin.get("/admin/quarantine?before=2").want(http.StatusOK, `"/admin/quarantine/1"`).without(`"/admin/quarantine/2"`, "Older")
}

// A message that comes to the fallback address is a message like any, once, and an alert says why it came there; what the
// debugger says is an alert too, once.
func TestFallbackAndDebugger(t *testing.T) {
	for _, d := range storetest.Dialects {
		t.Run(string(d), func(t *testing.T) {
			s := newSite(t, func(o *Options) { o.Store = storetest.Open(t, d, nil) })
			s.connect()
			admin := s.as(models.Administrator)
			admin.get("/admin/alerts").want(http.StatusOK, "No alerts")
			_, forms := shapes(t)
			form := forms["inbound_text"]
			sid := form.Get("MessageSid")
			s.hook(hookPath, form).emptyTwiML(http.StatusOK) // it came, but Twilio did not hear our answer
			form.Set("ErrorCode", "11200")
			form.Set("ErrorUrl", s.url+hookPath)
			at := "/hooks/twilio/unguessable/fallback"
			for range 2 {
				s.hook(at, form).emptyTwiML(http.StatusOK)
			}
			form.Set("MessageSid", fmt.Sprintf("SM%032d", 5))
			form.Set("ErrorCode", "11205")
			s.hook(at, form).emptyTwiML(http.StatusOK) // this one came nowhere else
			if got := s.conversations(); fmt.Sprint(got) != "[2]" {
				t.Errorf("messages: %v", got)
			}
			debug := debugging(1, "63046", sid)
			for range 2 {
				s.hook("/hooks/twilio/unguessable/debug", debug).emptyTwiML(http.StatusOK)
			}
			s.hook("/hooks/twilio/unguessable/debug", debugging(2, "99999", "")).emptyTwiML(http.StatusOK)
			s.hook("/hooks/twilio/unguessable/debug", debugging(3, "63016", "")).emptyTwiML(http.StatusOK)
			rows, err := s.store.Alerts(t.Context(), 0)
			if err != nil || len(rows) != 5 {
				t.Fatalf("%d alerts: %v", len(rows), err)
			}
			page := admin.get("/admin/alerts").want(http.StatusOK, "Twilio called Kanal and got an error", "Twilio could not connect to Kanal", "WhatsApp has approved a template",
				"Twilio reports code 99999.", "The reply window is closed", "Fallback URL", "/inbox/1", "https://www.twilio.com/docs/api/errors/11205", "5 in the last 24 hours")
			page.without("unguessable", "Hola")
			admin.in(i18n.NB).get("/admin/alerts").want(http.StatusOK, "Twilio fikk ikke forbindelse med Kanal.", "Dette kan du gjøre:")

			// What cannot be read, or is another account's, waits in quarantine; what is not signed is refused.
			debug = debugging(4, "11200", "")
			debug.Set("AccountSid", "AC11111111111111111111111111111111")
			s.hook("/hooks/twilio/unguessable/debug", debug).emptyTwiML(http.StatusOK)
			s.hook("/hooks/twilio/unguessable/debug", url.Values{"Payload": {"{"}}).emptyTwiML(http.StatusOK)
			form.Set("MessageSid", fmt.Sprintf("SM%032d", 6))
			form.Set("To", "whatsapp:"+elsewhere)
			s.hook(at, form).emptyTwiML(http.StatusOK)
			counts, err := s.store.CountQuarantine(t.Context())
			if err != nil || counts[models.QuarantineOtherAccount] != 1 || counts[models.QuarantineUnreadable] != 1 || counts[models.QuarantineUnknownNumber] != 1 {
				t.Errorf("%v %v", counts, err)
			}
			for _, path := range []string{at, "/hooks/twilio/unguessable/debug"} {
				s.anonymous().post(path, "Body", "x").emptyTwiML(http.StatusForbidden)
				s.anonymous().get(path).emptyTwiML(http.StatusForbidden)
				s.anonymous().post(strings.Replace(path, "unguessable", "guessed", 1)).emptyTwiML(http.StatusNotFound)
				s.hook(path, url.Values{"Body": {strings.Repeat("x", maxWebhook)}}).want(http.StatusRequestEntityTooLarge)
			}
		})
	}
}

// debugging is what Twilio's debugger says.
func debugging(n int, code, about string) url.Values {
	return url.Values{
		"Sid": {fmt.Sprintf("NO%032d", n)}, "AccountSid": {hookSID}, "Level": {"ERROR"}, "Timestamp": {time.Now().UTC().Format(time.RFC3339)}, "PayloadType": {"application/json"},
		"Payload": {fmt.Sprintf(`{"resource_sid":%q,"error_code":%q,"more_info":{"Msg":"Bad Gateway\u0000"},"webhook":{"request":{"url":"https://x/hooks/twilio/unguessable/inbound"}}}`, about, code)},
	}
}

// The callback page shows where a call with a wrong signature was expected and where it came, until one has the right
// signature; a burst is written once a second.
func TestWrongAddressIsShown(t *testing.T) {
	for _, d := range storetest.Dialects {
		t.Run(string(d), func(t *testing.T) {
			clock := storetest.NewClock()
			public, _ := url.Parse("https://cc.example.com")
			s := newSite(t, func(o *Options) {
				o.PublicURL, o.Store = public, storetest.Open(t, d, clock.Now)
				o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
			})
			a := s.connect()
			admin := s.as(models.Administrator)
			_, forms := shapes(t)
			form := forms["inbound_text"]
			post := func(origin string, headers ...string) *answer {
				b := s.anonymous()
				b.Headers.Set(twilio.SignatureHeader, twilio.Sign(hookToken, origin+hookPath, form))
				for i := 0; i+1 < len(headers); i += 2 {
					b.Headers.Set(headers[i], headers[i+1])
				}
				return b.do(http.MethodPost, hookPath, "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
			}
			fails := func() int {
				fresh, err := s.store.Account(t.Context(), a.ID)
				if err != nil {
					t.Fatal(err)
				}
				return fresh.SignatureFails
			}
			page := fmt.Sprintf("/admin/accounts/%d/setup/callback", a.ID)

			for range 5 {
				post("https://old.example.com", "X-Forwarded-Proto", "http", "X-Forwarded-Host", "old.example.com").emptyTwiML(http.StatusForbidden)
			}
			if fails() != 1 {
				t.Errorf("%d writes in a second", fails())
			}
			admin.get(page).want(http.StatusOK, "https://cc.example.com"+hookPath, "http://old.example.com"+hookPath, "http or https, the host", "Set KANAL_PUBLIC_URL", "fallback#rc=3", "/debug#rc=3")
			admin.in(i18n.NB).get(page).want(http.StatusOK, "Forskjellig: http eller https, verten.")
			clock.Advance(2 * time.Second)
			post("https://old.example.com").emptyTwiML(http.StatusForbidden)
			if fails() != 6 {
				t.Errorf("%d failures", fails())
			}
			admin.get(page).want(http.StatusOK, strings.TrimPrefix(s.url, "http://")+hookPath, "the host, the port", "6 calls since")
			clock.Advance(2 * time.Second)
			post("x", "X-Forwarded-Proto", "https", "X-Forwarded-Host", "cc.example.com").emptyTwiML(http.StatusForbidden)
			admin.get(page).want(http.StatusOK, "the auth token is not the one").without("Set KANAL_PUBLIC_URL")

			if err := s.service.Reload(t.Context()); err != nil {
				t.Fatal(err)
			}
			clock.Advance(2 * time.Second)
			post("https://cc.example.com").emptyTwiML(http.StatusOK)
			if fails() != 0 {
				t.Errorf("%d failures after a right one", fails())
			}
			admin.get(page).want(http.StatusOK).without("did not match", "old.example.com")
		})
	}
}

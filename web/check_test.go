package web

import (
	"net/http"
	"strings"
	"testing"

	"kanal/models"
	"kanal/service"
	"kanal/store/storetest"
	"kanal/twilio"
)

// Without script the page holds everything at once: what was found, what to do, and the report.
func TestConnectionCheck(t *testing.T) {
	for _, dialect := range storetest.Dialects {
		t.Run(string(dialect), func(t *testing.T) {
			d := newTeam(t, dialect)
			admin := d.signedIn(d.user(models.Administrator, "boss@kanal.test"))
			admin.post(d.hooksPath()).want(http.StatusOK)
			d.says("Kari Nordli", "Hei")
			page := admin.get("/admin/check").want(http.StatusOK, "<title>Connection check", `aria-current="page"`, `id="check-summary"`,
				"1 warning. What to do stands", "Twilio accepted the values.", "Registered as a WhatsApp sender.", "Twilio calls the right addresses",
				"set KANAL_PUBLIC_URL", "Connected. The schema is up to date.", "No messages wait.", `data-copy="report"`)
			_, report, _ := strings.Cut(page.Body, `id="report"`)
			for _, secret := range []string{d.number, d.sid, d.account.HookKey} {
				if strings.Contains(report, secret) {
					t.Errorf("the report holds %s", secret)
				}
			}
			d.sim.SetSuspended(d.sid, true)
			admin.get("/admin/check").want(http.StatusOK, "1 error and 1 warning.", "Twilio has suspended or closed the account.", "Runs when Twilio accepts SID and token.", "Not run")
			d.signedIn(d.ida).get("/admin/check").want(http.StatusForbidden)
		})
	}
}

// An address with a wrong signature is shown without the part of ours that is secret.
func TestConnectionCheckHidesTheKey(t *testing.T) {
	d := newTeam(t, storetest.Dialects[0])
	admin := d.signedIn(d.user(models.Administrator, "boss@kanal.test"))
	call := service.HookCall{
		Key: d.account.HookKey, Kind: service.HookInbound, Method: http.MethodPost, URI: "/hooks/twilio/" + d.account.HookKey + "/inbound",
		ContentType: "application/x-www-form-urlencoded", Origin: "https://wrong.example", Signature: twilio.Sign("x", "y", nil), Body: []byte("Body=x"), ReceivedAt: d.store.Now(),
	}
	if err := d.service.TakeHook(t.Context(), call); err == nil {
		t.Fatal("taken")
	}
	admin.get("/admin/check").want(http.StatusOK, "wrong.example/hooks/twilio/***/inbound", "or let the proxy leave the address").without(d.account.HookKey)
}

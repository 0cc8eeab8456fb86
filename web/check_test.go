package web

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"kanal/models"
	"kanal/service"
	"kanal/store"
	"kanal/store/storetest"
	"kanal/twilio"
	"kanal/views/check"
	"kanal/views/viewtest"
)

// Without script the page holds everything at once: what was found, what to do, and the report.
func TestConnectionCheck(t *testing.T) {
	for _, dialect := range storetest.Dialects {
		t.Run(string(dialect), func(t *testing.T) {
			d := newTeam(t, dialect)
			admin := d.signedIn(d.user(models.Administrator, "boss@kanal.test"))
			admin.post(d.hooksPath()).want(http.StatusOK)
			d.says("Kari Nordli", "Hei")
			page := admin.get(check.WholeURL).want(http.StatusOK, "<title>Connection check", `aria-current="page"`, `id="check-summary"`,
				"1 warning</p>", "What to look at: Public HTTPS address. Do what stands there, then run the check again.", "Twilio accepted the values.", "Registered as a WhatsApp sender.", "Twilio calls the right addresses",
				"set KANAL_PUBLIC_URL", "Connected. The schema is up to date.", "No messages wait.", `data-copy="report"`)
			_, report, _ := strings.Cut(page.Body, `id="report"`)
			for _, secret := range []string{d.number, d.sid, d.account.HookKey} {
				if strings.Contains(report, secret) {
					t.Errorf("the report holds %s", secret)
				}
			}
			d.sim.SetSuspended(d.sid, true)
			admin.get(check.WholeURL).want(http.StatusOK, "1 error and 1 warning</p>", "What fails: Account SID and auth token. What to look at: Public HTTPS address. Begin with “Account SID and auth token”", "Twilio has suspended or closed the account.", "Runs when Twilio accepts SID and token.", "Not run")
			for _, path := range []string{check.URL, check.WholeURL, check.RowsURL} {
				d.signedIn(d.ida).get(path).want(http.StatusForbidden)
				d.anonymous().get(path).to("/login?next=" + url.QueryEscape(path))
			}
		})
	}
}

// The page with script comes before any check has ended; what it then reads are the rows of the whole page, part by part.
func TestConnectionCheckByParts(t *testing.T) {
	d := newTeam(t, store.SQLite)
	admin := d.signedIn(d.user(models.Administrator, "boss@kanal.test"))
	shell := admin.get(check.URL).want(http.StatusOK, `data-check="/admin/check/rows"`, "13 parts are left.", `href="/admin/check?whole=1"`).without("Connected.")
	viewtest.Check(t, shell.Body)
	lines := strings.Split(strings.TrimSpace(admin.get(check.RowsURL).want(http.StatusOK).Body), "\n")
	for i, line := range lines {
		var change map[string]string
		if err := json.Unmarshal([]byte(line), &change); err != nil {
			t.Fatal(line, err)
		}
		_, reported := change["check-report"]
		if last := i == len(lines)-1; reported != last || strings.Contains(change["check-summary"], "autofocus") != last {
			t.Errorf("line %d of %d: %s", i, len(lines), line)
		}
		for id := range change {
			if strings.Count(shell.Body, `id="`+id+`"`) == 0 {
				t.Errorf("%s replaces nothing", id)
			}
		}
	}
	if len(lines) != 13 {
		t.Errorf("%d lines", len(lines))
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
	admin.get(check.WholeURL).want(http.StatusOK, "wrong.example/hooks/twilio/***/inbound", "or let the proxy leave the address").without(d.account.HookKey)
}

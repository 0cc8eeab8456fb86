package web

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"kanal/models"
	"kanal/twilio/simulator"
)

// deskOf is a site with the simulator, an account at it, and an administrator.
type desk struct {
	*site
	sim   simulator.Account
	admin *browser
}

const deskNumber = "+4721000040"

func newDesk(t *testing.T) *desk {
	t.Helper()
	s := newSite(t, withSimulator(t))
	return &desk{site: s, sim: s.sim.Mint("Kundeservice", deskNumber), admin: s.as(models.Administrator)}
}

const newAccountURL = "/admin/accounts/new/setup/channel-details"

var versionField = regexp.MustCompile(`name="version" value="(\d+)"`)

// version reads which version a form carries.
func (a *answer) version() string {
	a.t.Helper()
	m := versionField.FindStringSubmatch(a.Body)
	if m == nil {
		a.t.Fatalf("%s: no version in\n%s", a.request, a.Body)
	}
	return m[1]
}

// begin makes a draft and gives the address of its steps.
func (d *desk) begin(name string) string {
	d.t.Helper()
	a := d.admin.post(newAccountURL, "name", name, "channel", "whatsapp", "action", "next").want(http.StatusSeeOther)
	base, found := strings.CutSuffix(a.Location, "/account-details")
	if !found {
		d.t.Fatalf("leads to %q", a.Location)
	}
	return base
}

// details saves the second step with the simulator's SID and token.
func (d *desk) details(base string) {
	d.t.Helper()
	v := d.admin.get(base + "/account-details").want(http.StatusOK).version()
	d.admin.post(base+"/account-details", "version", v, "sid", d.sim.SID, "token", d.sim.Token, "action", "next").to(base + "/numbers")
}

// finished makes a finished account with one number.
func (d *desk) finished(name string) string {
	d.t.Helper()
	base := d.begin(name)
	d.details(base)
	d.admin.post(base+"/numbers", "name", "Kundeservice", "address", deskNumber, "action", "next").to(base + "/callback")
	d.admin.post(base+"/callback", "action", "next").to(strings.TrimSuffix(base, "/setup") + "/added")
	return base
}

func accountID(t *testing.T, base string) models.AccountID {
	t.Helper()
	n, err := strconv.Atoi(strings.Split(base, "/")[3])
	if err != nil {
		t.Fatal(err)
	}
	return models.AccountID(n)
}

func TestWizardNewAccount(t *testing.T) {
	d := newDesk(t)
	d.admin.get("/admin/channels").want(http.StatusOK, "Messaging accounts", `href="/admin/accounts"`, "0 accounts")
	d.admin.get("/admin/accounts").want(http.StatusOK, "No accounts yet", newAccountURL, `action="/simulator/try"`)
	d.admin.get(newAccountURL).want(http.StatusOK, "Channel details", `value="whatsapp"`, "Save and exit").without(">Back<")

	base := d.begin("  Customer service Norway ")
	d.admin.get(base+"/account-details").want(http.StatusOK, "Customer service Norway", "Customer service Norway · WhatsApp", ">Back<", "Checking …")
	d.details(base)
	page := d.admin.get(base+"/numbers").want(http.StatusOK, "No numbers yet.", "Fetch from Twilio", d.sim.SID[:4]+"…"+d.sim.SID[30:])
	page.without("?edit=")
	d.admin.get(base+"/numbers?add=1").want(http.StatusOK, `name="address"`, "Add number")
	d.admin.post(base+"/numbers", "name", "Customer service", "address", "(+47) 21-00.00 40", "action", "add").to(base + "/numbers")
	d.admin.get(base+"/numbers").want(http.StatusOK, "+47 21 00 00 40", "Number added").without("does not know")
	d.admin.post(base+"/numbers", "action", "next").to(base + "/callback")

	a, err := d.store.Account(t.Context(), accountID(t, base))
	if err != nil {
		t.Fatal(err)
	}
	d.admin.get(base+"/callback").want(http.StatusOK, d.url+"/hooks/twilio/"+a.HookKey+"/inbound#rc=3&amp;rp=all&amp;ct=2000&amp;rt=4000",
		"Waiting for the first message from Twilio", "simulated account", `href="/simulator"`, "1 number", ">Done<")
	d.admin.post(base+"/callback", "action", "next").to("/admin/accounts/1/added")
	d.admin.get("/admin/accounts/1/added").want(http.StatusOK, "The account is added to the list", `href="/admin/workstreams"`, "Set up WhatsApp", "Not tested")
	d.admin.get("/admin/accounts").want(http.StatusOK, "Customer service Norway", "1 number", "Not in use", "Not tested", "Simulated")
	// The tabs.
	d.admin.get("/admin/accounts/1").to(base + "/channel-details")
	for _, step := range models.AccountSteps() {
		d.admin.get(base+"/"+step).want(http.StatusOK, `aria-current="page"`, `class="ptabs"`).without("wiz__foot")
	}
}

package web

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"kanal/models"
	"kanal/store"
	"kanal/twilio/simulator"
	"kanal/views/i18n"
)

// desk is a site with the simulator, an account at it, and an administrator.
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
	t.Parallel()
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

// refused posts and wants the sentence at its field and in the summary, in a language.
func (b *browser) refused(lang, sentence, path string, pairs ...string) *answer {
	b.t.Helper()
	a := b.in(i18n.Lang(lang)).post(path, pairs...).want(http.StatusUnprocessableEntity, sentence, `id="errsum"`)
	if n := strings.Count(a.Body, sentence); n < 2 {
		b.t.Errorf("%s: %q is there %d times", a.request, sentence, n)
	}
	title := map[string]string{"nb": "<title>Feil: ", "en": "<title>Error: "}[lang]
	return a.want(http.StatusUnprocessableEntity, title)
}

type sentence struct {
	nb, en string
	typed  []string
}

// Every sentence of the wizard, in both languages, and what was typed comes back.
func TestWizardSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.finished("Taken")
	base := d.begin("Draft")
	other := d.site.sim.Mint("Other", "+4721000077")
	v := func(step string) []string {
		return []string{"version", d.admin.get(base + "/" + step).version(), "action", "next"}
	}
	all := func(path string, common []string, list []sentence) {
		for _, x := range list {
			for lang, want := range map[string]string{"nb": x.nb, "en": x.en} {
				a := d.admin.refused(lang, want, path, append(common, x.typed...)...)
				for i := 0; i+1 < len(x.typed); i += 2 {
					if name, value := x.typed[i], x.typed[i+1]; name != "token" && value != "" && name != "channel" {
						a.want(http.StatusUnprocessableEntity, `value="`+value+`"`)
					}
				}
			}
		}
	}
	channel := []sentence{
		{"Skriv inn et navn", "Enter a name", []string{"name", "", "channel", "whatsapp"}},
		{"Navnet kan ha høyst 100 tegn", "Name must be 100 characters or fewer", []string{"name", strings.Repeat("å", 101), "channel", "whatsapp"}},
		{"Det finnes allerede en konto som heter «Taken»", "There is already an account named “Taken”", []string{"name", "tAKEN", "channel", "whatsapp"}},
		{"Velg en kanal", "Choose a channel", []string{"name", "New"}},
		{"Velg en kanal", "Choose a channel", []string{"name", "New", "channel", "fax"}},
	}
	all(newAccountURL, []string{"action", "next"}, channel)
	all(base+"/channel-details", v("channel-details"), channel)
	all(base+"/account-details", v("account-details"), []sentence{
		{"Skriv inn konto-SID", "Enter the account SID", []string{"sid", "", "token", "x"}},
		{"Konto-SID må begynne med AC og ha 34 tegn", "Account SID must start with AC and be 34 characters", []string{"sid", "AC12", "token", "x"}},
		{"Dette er en API-nøkkel. Bruk konto-SID, som begynner med AC", "This is an API key. Use the account SID, which starts with AC", []string{"sid", "SK" + d.sim.SID[2:]}},
		{"Kontoen er allerede lagt til som «Taken»", "This account is already added as “Taken”", []string{"sid", d.sim.SID, "token", "x"}},
		{"Skriv inn godkjenningstokenet", "Enter the auth token", []string{"sid", other.SID}},
		{"Twilio godtok ikke konto-SID og token. Kopier begge på nytt fra konsollen", "Twilio did not accept the SID and token. Copy both again from the console", []string{"sid", other.SID, "token", "0123456789abcdef0123456789abcdef"}},
	})
	d.site.sim.SetSuspended(other.SID, true)
	all(base+"/account-details", v("account-details"), []sentence{
		{"Twilio-kontoen er sperret. Logg på Twilio for å se hvorfor", "The Twilio account is suspended. Sign in to Twilio to see why", []string{"sid", other.SID, "token", other.Token}},
	})
	d.site.sim.SetSuspended(other.SID, false)
	pasted := append(v("account-details"), "sid", " “"+other.SID+"” ", "token", "'"+other.Token+"'\n")
	d.admin.post(base+"/account-details", pasted...).to(base + "/numbers") // quotes and spaces of the clipboard

	all(base+"/numbers", nil, []sentence{{"Legg til minst ett nummer", "Add at least one number", []string{"action", "next"}}})
	d.admin.post(base+"/numbers", "action", "add", "name", "Sandbox", "address", models.SandboxNumber).to(base + "/numbers")
	all(base+"/numbers", []string{"action", "add"}, []sentence{
		{"Skriv inn et navn for nummeret", "Enter a name for the number", []string{"name", "", "address", "+4721000077"}},
		{"Navnet kan ha høyst 100 tegn", "Name must be 100 characters or fewer", []string{"name", strings.Repeat("n", 101), "address", "+4721000077"}},
		{"Nummeret må begynne med + og landkode", "The number must start with + and a country code", []string{"name", "A", "address", "21 00 00 77"}},
		{"Nummeret må begynne med + og landkode", "The number must start with + and a country code", []string{"name", "A", "address", ""}},
		{"Nummeret er for kort eller for langt", "The number is too short or too long", []string{"name", "A", "address", "+47210"}},
		{"Nummeret er allerede lagt til i «Draft»", "The number is already added in “Draft”", []string{"name", "A", "address", "+1 (415) 523-8886"}},
	})
	// Not a sender: a warning, and the way on is open.
	d.admin.post(base+"/numbers", "action", "next", "name", "A", "address", "+4721000078").to(base + "/callback")
	d.admin.get(base+"/numbers").want(http.StatusOK, "Twilio does not know this number as a WhatsApp sender. You can continue, but messages will fail", "A +47 21 00 00 78")
	d.admin.in("nb").get(base+"/numbers").want(http.StatusOK, "Twilio kjenner ikke nummeret som WhatsApp-avsender. Du kan fortsette, men meldinger vil feile")
}

func TestTwilioDoesNotAnswer(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	base := d.begin("Draft")
	_ = d.site.sim.Close() // its account is still known, nobody listens
	form := func(action, token string) []string {
		return []string{"version", d.admin.get(base + "/account-details").version(), "sid", d.sim.SID, "token", token, "action", action}
	}
	d.admin.refused("nb", "Vi fikk ikke kontakt med Twilio. Prøv igjen, eller velg «Lagre uten test»", base+"/account-details", form("next", d.sim.Token)...)
	a := d.admin.refused("en", "We could not reach Twilio. Try again, or choose “Save without check”", base+"/account-details", form("next", "")...)
	// The draft keeps the token, so that it is not typed twice, but the step is not complete.
	a.want(http.StatusUnprocessableEntity, ">Save without check<", "••••"+d.sim.Token[28:]).without(d.sim.Token)
	d.admin.get(base + "/numbers").to(base + "/account-details")
	d.admin.post(base+"/account-details", form("unchecked", "")...).to(base + "/numbers")
	d.admin.get(base+"/account-details").want(http.StatusOK, "Not checked with Twilio.")
	d.admin.get(base + "/numbers").want(http.StatusOK).without("Fetch from Twilio")
	d.admin.post(base+"/numbers", "action", "next", "name", "A", "address", deskNumber).to(base + "/callback")
	d.admin.get(base + "/numbers").want(http.StatusOK).without("does not know") // nobody could be asked
	d.admin.post(base+"/callback", "action", "next").to("/admin/accounts/1/added")

	// A finished account keeps the token that works.
	d.admin.refused("en", "We could not reach Twilio.", base+"/account-details", form("next", "another-token")...)
	if got, _ := d.store.Account(t.Context(), 1); got.TokenLast4 != d.sim.Token[28:] {
		t.Errorf("replaced by an unchecked one: %q", got.TokenLast4)
	}
	d.admin.post("/admin/accounts/1/check").to("/admin/accounts")
	d.admin.get("/admin/accounts").want(http.StatusOK, "Twilio did not answer")
	d.admin.get("/admin/accounts/1/senders").want(http.StatusServiceUnavailable, "Twilio did not answer, or did not accept")
}

// Back and Save and exit check nothing and lose nothing; a draft goes on where it was left.
func TestDraftsLoseNothing(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.admin.post(newAccountURL, "name", "", "action", "save").to("/admin/accounts")
	d.admin.get("/admin/accounts").want(http.StatusOK, "Untitled", "Started", "Draft saved", "Continue: Untitled")
	d.admin.in("nb").get("/admin/accounts").want(http.StatusOK, "Uten navn", "Påbegynt")
	base := "/admin/accounts/1/setup"
	d.admin.get("/admin/accounts/1").to(base + "/channel-details")
	d.admin.get(base + "/account-details").to(base + "/channel-details")
	d.admin.get(base + "/callback").to(base + "/channel-details")
	d.admin.post(base+"/numbers", "action", "next").to(base + "/channel-details")
	d.admin.get("/admin/accounts/1/added").to(base + "/channel-details")

	d.admin.post(base+"/channel-details", "version", "1", "name", "Norway", "channel", "whatsapp", "action", "next").to(base + "/account-details")
	v := func() string { return d.admin.get(base + "/account-details").version() }
	d.admin.post(base+"/account-details", "version", v(), "sid", "SK half", "token", "secret-half-token", "action", "back").to(base + "/channel-details")
	d.admin.get(base+"/account-details").want(http.StatusOK, `value="SKhalf"`, "••••oken").without("secret-half")
	d.admin.get(base + "/numbers").to(base + "/account-details")

	d.admin.post(base+"/account-details", "version", v(), "sid", d.sim.SID, "token", d.sim.Token, "action", "save").to("/admin/accounts")
	d.admin.get("/admin/accounts/1").to(base + "/account-details") // not checked yet
	d.admin.post(base+"/account-details", "version", v(), "sid", d.sim.SID, "token", "", "action", "next").to(base + "/numbers")

	// A number that is typed and not added.
	d.admin.post(base+"/numbers", "name", "Half", "address", "+47 2", "action", "back").to(base + "/account-details")
	d.admin.get(base+"/numbers").want(http.StatusOK, `value="Half"`, `value="+47 2"`)
	d.admin.post(base+"/numbers", "name", "Half", "address", "+47 2", "action", "cancel").to(base + "/numbers")
	d.admin.get(base + "/numbers").want(http.StatusOK).without(`value="Half"`)

	// Going back through the steps without a change changes nothing.
	before, _ := d.store.Account(t.Context(), 1)
	d.admin.post(base+"/account-details", "version", v(), "sid", d.sim.SID, "token", "", "action", "back").to(base + "/channel-details")
	if after, _ := d.store.Account(t.Context(), 1); after.Version != before.Version || after.Step != before.Step {
		t.Errorf("%d %d, before %d %d", after.Version, after.Step, before.Version, before.Step)
	}
	// A name that is wrong now takes the way to the later steps, until it is right again.
	d.admin.post(base+"/channel-details", "version", v(), "name", "", "channel", "whatsapp", "action", "save").to("/admin/accounts")
	d.admin.get(base + "/numbers").to(base + "/channel-details")
}

// What another account has taken meanwhile is shown where it is changed, with the address of the last step.
func TestFinishChecksAgain(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	one := d.begin("Norway")
	d.details(one)
	d.admin.post(one+"/numbers", "name", "A", "address", deskNumber, "action", "next").to(one + "/callback")
	d.finished("Sweden")
	d.admin.refused("en", "This account is already added as “Sweden”", one+"/callback", "action", "next").want(http.StatusUnprocessableEntity, `action="`+one+`/account-details"`)
	d.admin.post(one+"/callback", "action", "back").to(one + "/numbers")
	d.admin.post(one+"/callback", "action", "save").to("/admin/accounts")
	d.admin.post("/admin/accounts/1/numbers/1/remove").to(one + "/numbers")
	a, _ := d.store.Account(t.Context(), 1)
	if a.State != models.AccountDraft {
		t.Error(a.State)
	}
}

// Two administrators at once: 409 with both values, and saving again is a decision.
func TestTwoAdministrators(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for name, base := range map[string]string{"draft": d.begin("Draft"), "finished": d.finished("Finished")} {
		t.Run(name, func(t *testing.T) {
			b := *d.admin
			b.t = t
			old := b.get(base + "/channel-details").version()
			b.post(base+"/channel-details", "version", old, "name", name+" theirs", "channel", "whatsapp", "action", "next").want(http.StatusSeeOther)
			for _, action := range []string{"next", "back", "save"} {
				a := b.post(base+"/channel-details", "version", old, "name", name+" mine", "channel", "whatsapp", "action", action)
				a.want(http.StatusConflict, "Somebody else has changed the account. Look at the changes before you save.", name+" theirs", `value="`+name+` mine"`, "<title>Error: ")
				if a.version() == old {
					t.Error("the form carries the old version")
				}
			}
			b.in("nb").post(base+"/channel-details", "version", old, "name", "x", "channel", "whatsapp", "action", "next").
				want(http.StatusConflict, "Noen andre har endret kontoen. Se endringene før du lagrer.", "Lagret nå")
			sid := d.site.sim.Mint("Third", "+4721000042").SID
			a := b.post(base+"/account-details", "version", old, "sid", sid, "token", "another-token-1234", "action", "next")
			a.want(http.StatusConflict, sid, "New token, enter it again").without("another-token")

			now := a.version()
			b.post(base+"/channel-details", "version", now, "name", name+" mine", "channel", "whatsapp", "action", "next").want(http.StatusSeeOther)
			b.get(base+"/channel-details").want(http.StatusOK, `value="`+name+` mine"`)
			b.post(base+"/channel-details", "version", "nonsense", "name", "x", "channel", "whatsapp", "action", "next").want(http.StatusConflict)
		})
	}
	base := "/admin/accounts/2/setup"
	if a, _ := d.store.Account(t.Context(), 1); a.State == models.AccountActive {
		base = "/admin/accounts/1/setup"
	}
	edit := d.admin.get(base+"/numbers?edit=1").want(http.StatusOK, `name="number_version" value="1"`, "Save number")
	edit.want(http.StatusOK, `value="+47 21 00 00 40"`)
	change := func(version, name string) *answer {
		return d.admin.post(base+"/numbers", "number", "1", "number_version", version, "name", name, "address", "+47 21 00 00 40", "action", "add")
	}
	change("1", "Theirs").to(base + "/numbers")
	change("1", "Mine").want(http.StatusConflict, "Theirs", `value="Mine"`, `name="number_version" value="2"`)
	change("2", "Mine").to(base + "/numbers")
}

func TestNumbersOfOthersAreNotFound(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	mine := d.finished("Mine") // number 1
	other := d.begin("Other")
	theirs := strings.TrimSuffix(other, "/setup") + "/numbers/1/remove"
	sim := d.site.sim.Mint("Other", "+4721000041")
	v := d.admin.get(other + "/account-details").version()
	d.admin.post(other+"/account-details", "version", v, "sid", sim.SID, "token", sim.Token, "action", "next").to(other + "/numbers")
	d.admin.get(theirs).want(http.StatusNotFound)
	d.admin.post(theirs).want(http.StatusNotFound)
	d.admin.get(other + "/numbers?edit=1").want(http.StatusNotFound)
	d.admin.get(other + "/numbers?edit=x").want(http.StatusNotFound)
	d.admin.post(other+"/numbers", "number", "1", "number_version", "1", "name", "X", "address", "+4721000041", "action", "add").want(http.StatusNotFound)
	if n, err := d.store.Number(t.Context(), 1); err != nil || n.Name != "Kundeservice" {
		t.Errorf("%+v %v", n, err)
	}
	for _, path := range []string{"/admin/accounts/99", "/admin/accounts/0", "/admin/accounts/x", "/admin/accounts/01", "/admin/accounts/new", mine + "/nonsense", "/admin/accounts/new/setup/numbers"} {
		d.admin.get(path).want(http.StatusNotFound)
	}
}

func TestFetchFromTwilio(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	base := d.begin("Norway")
	d.details(base)
	d.site.sim.AddSender(d.sim.SID, "+4721000041", "Sales")
	sender := func(number string) string {
		a, _ := d.site.sim.Account(d.sim.SID)
		for _, x := range a.Senders {
			if x.Number == number {
				return "sender-" + x.SID
			}
		}
		t.Fatal(number)
		return ""
	}
	const path = "/admin/accounts/1/senders"
	d.admin.get(path).want(http.StatusOK, "Sales · +47 21 00 00 41", "Kundeservice · +47 21 00 00 40", "<html")
	d.admin.htmx("partial").get(path).want(http.StatusOK, "Sales").without("<html")
	d.admin.post(path, "x", "y").want(http.StatusUnprocessableEntity, "Choose at least one number")
	d.admin.post(path, "sender-XEunknown", "on").want(http.StatusUnprocessableEntity)
	a := d.admin.htmx("partial").post(path, sender("+4721000041"), "on").want(http.StatusNoContent)
	if to := a.Header.Get("HX-Redirect"); to != base+"/numbers" {
		t.Error(to)
	}
	d.admin.get(base+"/numbers").want(http.StatusOK, "Sales", "+47 21 00 00 41", "Numbers added").without("does not know")
	d.admin.get(path).want(http.StatusOK).without("Sales")
	d.admin.post(path, sender(deskNumber), "on").to(base + "/numbers")
	d.admin.get(path).want(http.StatusOK, "There are no more senders to add.")
}

// What is in use says what uses it and stays.
func TestDeleteAccountsAndNumbers(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	base := d.finished("Norway")
	draft := d.begin("Draft")
	d.admin.get("/admin/accounts/2/delete").want(http.StatusOK, "The draft is deleted")
	d.admin.post("/admin/accounts/2/delete").to("/admin/accounts")
	d.admin.get("/admin/accounts").want(http.StatusOK, "Account deleted")
	d.admin.get(draft + "/channel-details").want(http.StatusNotFound)
	d.admin.post("/admin/accounts/2/delete").want(http.StatusNotFound)

	// A customer has written.
	a, _ := d.store.Account(t.Context(), 1)
	d.site.sim.SetInboundURL(d.sim.SID, deskNumber, d.service.InboundURL(a))
	d.site.sim.Receive(d.sim.SID, simulator.Write{Customer: d.sim.Customers[0].Address, Number: deskNumber, Body: "Hello"})
	d.admin.get("/admin/accounts/1/delete").want(http.StatusOK, "The account has conversations and cannot be deleted.").without("btn--d")
	d.admin.post("/admin/accounts/1/delete").want(http.StatusConflict, "The account has conversations")
	d.admin.get("/admin/accounts/1/numbers/1/remove").want(http.StatusOK, "The number has conversations and cannot be removed.").without("btn--d")
	d.admin.post("/admin/accounts/1/numbers/1/remove").want(http.StatusConflict)
	d.admin.refused("en", "The number has conversations and cannot be changed. Add a new number", base+"/numbers", "number", "1", "number_version", "1", "name", "A", "address", "+4721000049", "action", "add")
	d.admin.post(base+"/numbers", "number", "1", "number_version", "1", "name", "New name", "address", deskNumber, "action", "add").to(base + "/numbers")

	// A workstream has claimed the number.
	err := d.store.InTx(t.Context(), func(tx *store.Tx) error {
		q, err := tx.DefaultQueue(t.Context())
		if err != nil {
			return err
		}
		w := models.Workstream{Name: "WhatsApp Norway", QueueID: q, Distribution: models.Pick, Version: 1, CreatedAt: tx.Now(), UpdatedAt: tx.Now()}
		if err := tx.Insert(t.Context(), &w); err != nil {
			return err
		}
		n, err := tx.Number(t.Context(), 1)
		n.WorkstreamID = &w.ID
		return errors.Join(err, tx.SaveNumber(t.Context(), &n))
	})
	if err != nil {
		t.Fatal(err)
	}
	d.admin.get("/admin/accounts").want(http.StatusOK, "WhatsApp Norway")
	d.admin.get("/admin/accounts/1/delete").want(http.StatusOK, "The account is used by WhatsApp Norway and cannot be deleted.")
	d.admin.get("/admin/accounts/1/numbers/1/remove").want(http.StatusOK, "The number is used by the workstream “WhatsApp Norway” and cannot be removed.")
	d.admin.in("nb").post("/admin/accounts/1/numbers/1/remove").want(http.StatusConflict, "Nummeret brukes av arbeidsflyten «WhatsApp Norway» og kan ikke fjernes.")
	if rows, _ := d.store.Accounts(t.Context()); len(rows) != 1 || rows[0].Numbers != 1 {
		t.Errorf("%+v", rows)
	}
}

// The last step without script: waiting, a wrong signature, the first message; the part alone for htmx.
func TestCallbackPage(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	base := d.begin("Norway")
	d.details(base)
	d.admin.post(base+"/numbers", "name", "A", "address", deskNumber, "action", "next").to(base + "/callback")
	a, _ := d.store.Account(t.Context(), 1)
	d.site.sim.SetInboundURL(d.sim.SID, deskNumber, d.service.InboundURL(a))
	d.admin.htmx("partial").get(base+"/callback").want(http.StatusOK, "Waiting for the first message from Twilio", `data-account="1"`, `hx-trigger="account:refresh"`).without("<html", "inbound-url")
	w := simulator.Write{Customer: d.sim.Customers[0].Address, Number: deskNumber, Body: "Hello", Fault: simulator.FaultForged}
	d.site.sim.Receive(d.sim.SID, w)
	d.admin.get(base+"/callback").want(http.StatusOK, "A call came from Twilio, but the signature did not match. Check the address and the token.", "Waiting")
	d.admin.in("nb").get(base+"/callback").want(http.StatusOK, "Et kall kom fra Twilio, men signaturen stemte ikke. Kontroller adressen og tokenet.", "Venter på første melding fra Twilio")
	w.Fault = ""
	d.site.sim.Receive(d.sim.SID, w)
	d.admin.get(base+"/callback").want(http.StatusOK, "First message received at ", "The callback works.").without("Waiting for the first", "did not match")
	d.admin.in("nb").get(base+"/callback").want(http.StatusOK, "Første melding mottatt kl. ", "Tilbakeringingen virker.")
	d.admin.post(base+"/callback", "action", "next").to("/admin/accounts/1/added")
	d.admin.get("/admin/accounts").want(http.StatusOK, ">Active").without("Not tested")
}

// The console's steps of the sandbox and of an own number, and the address that Twilio cannot reach.
func TestCallbackOfARealAccount(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	base := d.begin("Norway")
	err := d.store.InTx(t.Context(), func(tx *store.Tx) error {
		a, err := tx.Account(t.Context(), 1)
		a.SID, a.TokenSealed, a.Step = "AC00000000000000000000000000000001", d.store.Seal("token-of-twilio", "accounts/1"), models.StepNumbers
		return errors.Join(err, tx.SaveAccount(t.Context(), &a))
	})
	if err != nil {
		t.Fatal(err)
	}
	d.admin.get(base+"/callback").want(http.StatusOK, "WhatsApp senders", "incoming webhook", "paste the fallback URL beside the inbound URL", "Twilio cannot reach "+d.url+". Set a public HTTPS address in the server settings.",
		"Cannot find the menu?").without("WHEN A MESSAGE COMES IN", "simulated")
	d.admin.get(base+"/callback?number=sandbox").want(http.StatusOK, "Programmable SMS", "WHEN A MESSAGE COMES IN", "HTTP POST")
	d.admin.in("nb").get(base+"/callback?number=sandbox").want(http.StatusOK, "Programmerbare meldinger", "NÅR EN MELDING KOMMER INN", "Twilio kan ikke nå ")
}

// The token is nowhere: not in a page, a list, a log, an error or the audit.
func TestTokenIsNowhere(t *testing.T) {
	t.Parallel()
	var logged syncBuffer
	s := newSite(t, withSimulator(t), func(o *Options) {
		o.Log = slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	d := &desk{site: s, sim: s.sim.Mint("Kundeservice", deskNumber), admin: s.as(models.Administrator)}
	wrong := "feedbeeffeedbeeffeedbeeffeedbeef"
	base := d.begin("Norway")
	v := d.admin.get(base + "/account-details").version()
	seen := []string{
		d.admin.post(base+"/account-details", "version", v, "sid", d.sim.SID, "token", wrong, "action", "next").want(http.StatusUnprocessableEntity).Body,
		d.admin.post(base+"/account-details", "version", "77", "sid", d.sim.SID, "token", d.sim.Token, "action", "next").want(http.StatusConflict).Body,
		d.admin.post(base+"/account-details", "version", v, "sid", "AC", "token", d.sim.Token, "action", "next").want(http.StatusUnprocessableEntity).Body,
	}
	d.details(base)
	d.admin.post(base+"/numbers", "name", "A", "address", deskNumber, "action", "next").to(base + "/callback")
	d.admin.post(base+"/callback", "action", "next")
	_ = d.site.sim.Close()
	v = d.admin.get(base + "/account-details").version()
	seen = append(seen, d.admin.post(base+"/account-details", "version", v, "sid", d.sim.SID, "token", d.sim.Token, "action", "next").want(http.StatusUnprocessableEntity).Body)
	d.admin.post("/admin/accounts/1/check")
	for _, path := range []string{"/admin/accounts", "/admin/channels", base + "/channel-details", base + "/account-details", base + "/numbers", base + "/callback", "/admin/accounts/1/delete", "/admin/accounts/1/senders"} {
		seen = append(seen, d.admin.get(path).Body)
	}
	audits, err := d.store.Audits(t.Context(), 100)
	if err != nil {
		t.Fatal(err)
	}
	actions := map[string]bool{}
	for _, x := range audits {
		seen = append(seen, x.Details)
		actions[x.Action] = true
	}
	for _, want := range []string{"account.created", "account.account_details", "number.added", "account.numbers", "account.finished", "account.checked"} {
		if !actions[want] {
			t.Errorf("no audit of %s: %v", want, actions)
		}
	}
	a, _ := d.store.Account(t.Context(), 1)
	seen = append(seen, logged.String(), fmt.Sprintf("%+v", a))
	for i, text := range seen {
		if strings.Contains(text, d.sim.Token) || strings.Contains(text, wrong) {
			t.Errorf("the token is in text %d: %.300s", i, text)
		}
	}
	if !strings.Contains(logged.String(), "did not answer") {
		t.Error("the log was not listened to")
	}
}

// A token is replaced in its tab; an empty field keeps the old one.
func TestReplaceToken(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	base := d.finished("Norway")
	v := func() string { return d.admin.get(base + "/account-details").version() }
	d.admin.get(base+"/account-details").want(http.StatusOK, "••••"+d.sim.Token[28:], "Replace", "Checked with Twilio today at")
	d.admin.refused("en", "Twilio did not accept the SID and token.", base+"/account-details", "version", v(), "sid", d.sim.SID, "token", "feedbeeffeedbeeffeedbeeffeedbeef", "action", "next")
	d.admin.post(base+"/account-details", "version", v(), "sid", d.sim.SID, "token", "", "action", "next").to(base + "/account-details")
	d.admin.get(base+"/account-details").want(http.StatusOK, "Account saved")
	before, _ := d.store.Account(t.Context(), 1)
	d.admin.post(base+"/account-details", "version", v(), "sid", d.sim.SID, "token", d.sim.Token, "action", "next").to(base + "/account-details")
	after, _ := d.store.Account(t.Context(), 1)
	if after.TokenSealed == before.TokenSealed {
		t.Error("not sealed anew")
	}
	audits, _ := d.store.Audits(t.Context(), 1)
	if !strings.Contains(audits[0].Details, `"token":"replaced"`) {
		t.Error(audits[0].Details)
	}
	d.site.sim.SetSuspended(d.sim.SID, true)
	d.admin.post("/admin/accounts/1/check").to("/admin/accounts")
	d.admin.get("/admin/accounts").want(http.StatusOK, "Suspended", "The Twilio account is suspended")
	d.admin.get(base+"/account-details").want(http.StatusOK, "Twilio said that the account is suspended")
}

// syncBuffer is a buffer that several goroutines write to.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

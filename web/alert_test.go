package web

import (
	"net/http"
	"strconv"
	"testing"

	"kanal/models"
	"kanal/store"
	"kanal/twilio"
)

// An account that sends nothing is said on every page, to each as far as they can do something about it.
func TestStoppedAccountIsSaid(t *testing.T) {
	d := newTeam(t, store.SQLite)
	admin := d.signedIn(d.user(models.Administrator, "boss@kanal.test"))
	agent := d.signedIn(d.ida)
	name := d.account.Name
	agent.get("/inbox").want(http.StatusOK).without("Twilio does not accept")
	d.must(d.store.InTx(t.Context(), func(tx *store.Tx) error {
		_, err := tx.StopAccount(t.Context(), d.account.ID, twilio.CodeUnauthorized)
		return err
	}))
	d.must(d.service.Reload(t.Context()))
	agent.get("/inbox").want(http.StatusOK, "Twilio does not accept “"+name+"”: messages wait until an administrator has mended it.").without("Open the account")
	admin.get("/admin/queues").want(http.StatusOK, "Twilio does not accept “"+name+"”: nothing is sent.", "Open the account")
	admin.get("/admin/accounts").want(http.StatusOK, "Sending stopped")
	admin.post("/admin/accounts/" + number(d.account.ID) + "/check").want(http.StatusSeeOther)
	d.must(d.service.Reload(t.Context()))
	agent.get("/inbox").want(http.StatusOK).without("Twilio does not accept")
}

// How many messages a number sends a minute is a setting.
func TestPaceOfANumber(t *testing.T) {
	d := newTeam(t, store.SQLite)
	admin := d.signedIn(d.user(models.Administrator, "boss@kanal.test"))
	numbers, err := d.store.NumbersOf(t.Context(), d.account.ID)
	d.must(err)
	at := "/admin/accounts/" + number(d.account.ID) + "/setup/numbers"
	save := func(pace string) *answer {
		n, err := d.store.NumberOf(t.Context(), d.account.ID, numbers[0].ID)
		d.must(err)
		return admin.post(at, "number", number(n.ID), "number_version", strconv.Itoa(n.Version), "name", n.Name, "address", n.Address, "pace", pace, "action", "add")
	}
	for _, wrong := range []string{"0", "-1", "24001", "many"} {
		save(wrong).want(http.StatusUnprocessableEntity, "Enter a whole number from 1 to 24,000, or nothing")
	}
	save("600").want(http.StatusSeeOther)
	if n, err := d.store.Number(t.Context(), numbers[0].ID); err != nil || n.Pace != 600 {
		t.Errorf("%d, %v", n.Pace, err)
	}
	admin.get(at+"?edit="+number(numbers[0].ID)).want(http.StatusOK, `value="600" aria-describedby="pace-hint"`)
	save("").want(http.StatusSeeOther)
	if n, err := d.store.Number(t.Context(), numbers[0].ID); err != nil || n.Pace != 0 {
		t.Errorf("%d, %v", n.Pace, err)
	}
}

package account

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"

	"kanal/models"
	"kanal/views"
	"kanal/views/components"
	"kanal/views/i18n"
	"kanal/views/viewtest"
)

var noon = time.Date(2026, 11, 23, 11, 0, 0, 0, time.UTC)

func somePage() views.Page {
	return views.Page{Title: "x", User: views.User{ID: "7", Name: "Ingrid Haugen"}, Rail: views.Rail{Active: "admin", ShowAdmin: true}}
}

func someAccount(state models.AccountState) models.Account {
	return models.Account{
		ID: 7, Name: "<Norway>", Channel: models.ChannelWhatsApp, SID: "AC3f00000000000000000000000000091d2", TokenSealed: "sealed-text", TokenLast4: "4f7a",
		State: state, Step: models.StepNumbers, CheckState: models.CheckOK, CheckedAt: &noon, Version: 3,
	}
}

func someNumbers() []models.NumberRow {
	no, w := false, models.WorkstreamID(3)
	return []models.NumberRow{
		{Number: models.Number{ID: 1, AccountID: 7, Name: "<Support>", Address: "+4721000040", KnownSender: &no, WorkstreamID: &w, Version: 1}, WorkstreamName: "<Flow>"},
		{Number: models.Number{ID: 2, AccountID: 7, Name: "Sandbox", Address: models.SandboxNumber, Version: 1}},
	}
}

// Every step, as a step and as a tab, fresh, refused and overtaken by somebody else.
func TestStepsKeepTheRules(t *testing.T) {
	problems := components.Errors{}.With("name", "Name!").With("address", "Address").With("sid", "SID").With("token", "Token").With("channel", "Channel")
	for _, state := range []models.AccountState{models.AccountDraft, models.AccountActive} {
		for i, path := range models.AccountSteps() {
			base := Of(someAccount(state), models.AccountStep(i+1))
			base.Numbers, base.Now, base.Callback.URL = someNumbers(), noon, "https://x/hooks/twilio/k/inbound"
			bad, stale, typed := base, base, base
			bad.Errors, bad.Number, bad.Details.Unreachable = problems, NumberForm{Open: true, Name: "<x>"}, i == 1
			stale.Stale, stale.Conflict = true, []components.ConflictRow{{Label: "Name", Theirs: "<a>", Yours: "<b>"}}
			typed.Number = NumberForm{Open: true, ID: "1", Version: "1", Name: "<x>", Address: "+47"}
			for name, s := range map[string]Setup{"fresh": base, "refused": bad, "stale": stale, "typed": typed} {
				t.Run(fmt.Sprint(state, path, name), func(t *testing.T) {
					viewtest.Each(t, Show(somePage(), s), func(t *testing.T, _ i18n.Lang, page string) {
						if strings.Contains(page, "sealed-text") || strings.Contains(page, "<x>") || strings.Contains(page, "<Norway>") {
							t.Error("a secret or text that is not escaped")
						}
						if n := strings.Count(page, "autofocus"); n > 1 || n == 0 && state == models.AccountDraft {
							t.Errorf("%d of autofocus", n)
						}
					})
				})
			}
		}
	}
	viewtest.Each(t, Show(somePage(), Of(models.Account{}, models.StepChannelDetails)), nil)
}

func TestDialogsAndListsKeepTheRules(t *testing.T) {
	draft := models.AccountRow{Account: models.Account{ID: 8, State: models.AccountDraft}}
	row := models.AccountRow{Account: someAccount(models.AccountActive), Numbers: 2, Workstreams: "<A>, B", InUse: true}
	free := models.AccountRow{Account: someAccount(models.AccountActive)}
	numbers := someNumbers()
	used := numbers[1]
	used.Used = true
	for name, c := range map[string]templ.Component{
		"channels": Channels(1), "list": List([]models.AccountRow{row, draft}, true), "added": Added(row), "delete draft": Delete(draft), "delete used": Delete(row),
		"delete": Delete(free), "remove claimed": Remove(numbers[0]), "remove": Remove(numbers[1]), "remove used": Remove(used),
		"senders":    Senders(row.Account, []Sender{{SID: "XE1", Number: "+4721000040"}, {SID: "XE2", Name: "<S>", Number: "+4721000041", Status: "ONLINE"}, {SID: "XE3", Number: "+4721000042", Status: "OFFLINE"}}, components.Errors{}.With("senders", "Choose")),
		"no senders": Senders(row.Account, nil, components.Errors{}),
	} {
		t.Run(name, func(t *testing.T) {
			viewtest.Each(t, c, func(t *testing.T, _ i18n.Lang, html string) {
				if strings.Contains(html, "ONLINE") || strings.Contains(html, "OFFLINE") != (name == "senders") {
					t.Error("only what a sender lacks is said")
				}
			})
		})
	}
}

// The simulator is offered where it runs, and only in an empty list.
func TestTheEmptyListOffersTheSimulator(t *testing.T) {
	for _, x := range []struct {
		rows      []models.AccountRow
		simulator bool
		want      bool
	}{{nil, true, true}, {nil, false, false}, {[]models.AccountRow{{Account: someAccount(models.AccountActive)}}, true, false}} {
		viewtest.Each(t, List(x.rows, x.simulator), func(t *testing.T, _ i18n.Lang, page string) {
			if got := strings.Contains(page, "/simulator/try"); got != x.want {
				t.Errorf("%d rows, simulator %v: %v", len(x.rows), x.simulator, got)
			}
		})
	}
}

func TestStateOf(t *testing.T) {
	row := func(f func(*models.AccountRow)) models.AccountRow {
		r := models.AccountRow{Account: someAccount(models.AccountActive), Numbers: 1, OwnNumbers: 1}
		r.FirstMessageAt = &noon
		f(&r)
		return r
	}
	for want, f := range map[string]func(*models.AccountRow){
		"active":    func(*models.AccountRow) {},
		"draft":     func(r *models.AccountRow) { r.State = models.AccountDraft },
		"rejected":  func(r *models.AccountRow) { r.CheckState = models.CheckRejected },
		"suspended": func(r *models.AccountRow) { r.CheckState = models.CheckSuspended },
		"untested":  func(r *models.AccountRow) { r.FirstMessageAt = nil },
		"sandbox":   func(r *models.AccountRow) { r.OwnNumbers = 0 },
	} {
		if got := StateOf(row(f)); got.Key != "account.state."+want {
			t.Errorf("%s: %+v", want, got)
		}
	}
}

// A wrong signature is shown until one is right, or a check shows that the token is.
func TestBadSignature(t *testing.T) {
	at := func(m int) *time.Time { x := noon.Add(time.Duration(m) * time.Minute); return &x }
	for name, x := range map[string]struct {
		fail, checked *time.Time
		fails         int
		want          bool
	}{
		"none": {nil, nil, 0, false}, "only": {at(5), nil, 1, true}, "a right one since": {at(5), nil, 0, false},
		"token replaced since": {at(7), at(8), 1, false}, "after the check": {at(9), at(8), 1, true},
	} {
		if got := badSignature(models.Account{LastSignatureFail: x.fail, SignatureFails: x.fails, CheckedAt: x.checked}); got != x.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestReceived(t *testing.T) {
	ctx := viewtest.Context(i18n.NB)
	if s := received(ctx, noon, noon.Add(time.Hour)); s != "Første melding mottatt kl. 12:00. Tilbakeringingen virker." {
		t.Error(s)
	}
	if s := received(ctx, noon, noon.Add(72*time.Hour)); s != "Første melding mottatt 23. november kl. 12:00. Tilbakeringingen virker." {
		t.Error(s)
	}
}

func TestWaysThroughTheConsole(t *testing.T) {
	ctx := viewtest.Context(i18n.EN)
	for _, c := range []Callback{{}, {Sandbox: true}} {
		for _, sentence := range c.how(ctx) {
			if len(marked(sentence))%2 == 0 {
				t.Errorf("%q: a star without its other one", sentence)
			}
		}
	}
	if s := shortSID("SK3f"); s != "SK3f" {
		t.Error(s)
	}
}

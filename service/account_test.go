package service_test

import (
	"errors"
	"net/url"
	"testing"
	"time"

	"kanal/models"
	"kanal/service"
	"kanal/store"
	"kanal/store/storetest"
	"kanal/twilio"
	"kanal/twilio/simulator"
)

var boss = models.Viewer{Role: models.Administrator}

// office is a service whose Twilio is the simulator, for every SID.
func office(t *testing.T, public string) (*service.Service, *store.Store, *simulator.Simulator) {
	t.Helper()
	return officeOver(t, storetest.Open(t, store.SQLite, nil), public)
}

func officeOver(t *testing.T, s *store.Store, public string) (*service.Service, *store.Store, *simulator.Simulator) {
	t.Helper()
	sim, err := simulator.Open(simulator.Options{Now: time.Now, Log: storetest.Log(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sim.Close() })
	u, _ := url.Parse(public)
	svc, err := service.New(ctx, service.Options{Store: s, Twilio: twilio.New(twilio.Options{Base: sim.URL()}), PublicURL: u, Log: storetest.Log(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(svc.Close)
	return svc, s, sim
}

func keyOf(err error) string {
	var f models.FieldErrors
	if !errors.As(err, &f) {
		return ""
	}
	return f[0].Key
}

func TestSIDIsKeptAsItIs(t *testing.T) {
	svc, s, _ := office(t, "https://kanal.example.com")
	id, err := svc.NewAccount(ctx, boss, service.ChannelDetails{Name: "A", Channel: models.ChannelWhatsApp}, service.Edit{})
	if err != nil {
		t.Fatal(err)
	}
	const sid = "AC00ac00ac00ac00ac00ac00ac00ac00ac"
	in := service.AccountDetails{SID: sid, Token: "token-of-twilio", WithoutCheck: true}
	if err := svc.SaveAccountDetails(ctx, boss, id, in, service.Edit{Version: 1}); err != nil {
		t.Fatal(err)
	}
	a, err := s.Account(ctx, id)
	if err != nil || a.SID != sid || a.Step != models.StepAccountDetails {
		t.Errorf("%q, step %d, %v", a.SID, a.Step, err)
	}
	// Twilio knows no such account.
	in.WithoutCheck = false
	if err := svc.SaveAccountDetails(ctx, boss, id, in, service.Edit{Version: a.Version}); keyOf(err) != "account.rejected" {
		t.Error(err)
	}
	if state, err := svc.CheckAccount(ctx, boss, id); state != models.CheckRejected || err != nil {
		t.Error(state, err)
	}
	if a, _ = s.Account(ctx, id); a.CheckState != models.CheckRejected || a.CheckedAt == nil {
		t.Errorf("%+v", a.CheckState)
	}
}

// What Twilio says about a token that was replaced meanwhile is not kept.
func TestCheckOfAnOldTokenIsNotKept(t *testing.T) {
	svc, s, sim := office(t, "https://kanal.example.com")
	x := sim.Mint("A", number)
	id, _ := svc.NewAccount(ctx, boss, service.ChannelDetails{Name: "A", Channel: models.ChannelWhatsApp}, service.Edit{})
	if err := svc.SaveAccountDetails(ctx, boss, id, service.AccountDetails{SID: x.SID, Token: models.Secret(x.Token)}, service.Edit{Version: 1}); err != nil {
		t.Fatal(err)
	}
	old, _ := s.Account(ctx, id)
	old.TokenSealed = "another"
	err := s.InTx(ctx, func(tx *store.Tx) error {
		noted, err := tx.SetAccountCheck(ctx, old, models.CheckRejected)
		if noted {
			t.Error("noted")
		}
		return err
	})
	if a, _ := s.Account(ctx, id); err != nil || a.CheckState != models.CheckOK {
		t.Errorf("%q, %v", a.CheckState, err)
	}
	if _, err := svc.CheckAccount(ctx, boss, 99); !errors.Is(err, models.ErrNotFound) {
		t.Error(err)
	}
	empty, _ := svc.NewAccount(ctx, boss, service.ChannelDetails{}, service.Edit{Unchecked: true})
	if _, err := svc.CheckAccount(ctx, boss, empty); !errors.Is(err, service.ErrNotComplete) {
		t.Error(err)
	}
	if err := svc.FinishAccount(ctx, boss, empty); !errors.Is(err, service.ErrNotComplete) {
		t.Error(err)
	}
}

// A finished account is never kept unchecked.
func TestFinishedAccountIsAlwaysChecked(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, _ *storetest.Clock) { finishedIsChecked(t, s) })
}

func finishedIsChecked(t *testing.T, s *store.Store) {
	svc, s, sim := officeOver(t, s, "https://kanal.example.com")
	x := sim.Mint("A", number)
	id, _ := svc.NewAccount(ctx, boss, service.ChannelDetails{Name: "A", Channel: models.ChannelWhatsApp}, service.Edit{})
	if err := svc.SaveAccountDetails(ctx, boss, id, service.AccountDetails{SID: x.SID, Token: models.Secret(x.Token)}, service.Edit{Version: 1}); err != nil {
		t.Fatal(err)
	}
	if err := svc.AddSenders(ctx, boss, id, nil); keyOf(err) != "number.none_chosen" {
		t.Error(err)
	}
	if err := svc.AddSenders(ctx, boss, id, []string{x.Senders[0].SID}); err != nil {
		t.Fatal(err)
	}
	if err := svc.CompleteNumbers(ctx, boss, id); err != nil {
		t.Fatal(err)
	}
	if err := svc.FinishAccount(ctx, boss, id); err != nil {
		t.Fatal(err)
	}
	a, _ := s.Account(ctx, id)
	e := service.Edit{Version: a.Version, Unchecked: true}
	if err := svc.SaveChannelDetails(ctx, boss, id, service.ChannelDetails{}, e); keyOf(err) != "account.name_empty" {
		t.Error(err)
	}
	if err := svc.SaveAccountDetails(ctx, boss, id, service.AccountDetails{SID: "half"}, e); keyOf(err) != "account.sid_format" {
		t.Error(err)
	}
	if after, _ := s.Account(ctx, id); after.Version != a.Version {
		t.Error("saved")
	}
	rows, err := s.Accounts(ctx)
	if err != nil || len(rows) != 1 || rows[0].Numbers != 1 || rows[0].OwnNumbers != 1 || rows[0].InUse {
		t.Errorf("%+v, %v", rows, err)
	}
	numbers, err := s.NumbersOf(ctx, id)
	if err != nil || len(numbers) != 1 {
		t.Fatal(numbers, err)
	}
	if n, err := s.NumberOf(ctx, id, numbers[0].ID); err != nil || n.Used || n.Address != number || n.AccountName != "A" {
		t.Errorf("%+v, %v", n, err)
	}
	if _, err := s.NumberOf(ctx, id+1, numbers[0].ID); !errors.Is(err, models.ErrNotFound) {
		t.Error(err)
	}
}

func TestPublicURLIsLocal(t *testing.T) {
	for public, want := range map[string]bool{
		"http://127.0.0.1:8080": true, "https://127.0.0.1": true, "https://localhost": true, "https://[::1]": true, "https://10.0.0.5": true,
		"https://192.168.1.7": true, "https://kanal.local": true, "https://kanal": true, "http://kanal.example.com": true,
		"https://kanal.example.com": false, "https://kanal.example.com:8443": false, "https://93.184.216.34": false,
	} {
		svc, _, _ := office(t, public)
		if got := svc.PublicURLIsLocal(); got != want {
			t.Errorf("%s: %v", public, got)
		}
	}
}

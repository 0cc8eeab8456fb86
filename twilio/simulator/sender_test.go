package simulator_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"testing"

	"kanal/twilio"
	"kanal/twilio/simulator"
)

func hooksAt(base string) twilio.Webhooks {
	post := func(what string) twilio.Webhook {
		return twilio.Webhook{URL: base + "/" + what + "#rc=3", Method: http.MethodPost}
	}
	return twilio.Webhooks{Inbound: post("inbound"), Fallback: post("fallback"), Status: post("status")}
}

func TestSenderShowsAnUpdateAWhileLater(t *testing.T) {
	s, a, client, cred := start(t)
	ctx := context.Background()
	sid := a.Senders[0].SID
	if err := client.SetWebhooks(ctx, cred, sid, hooksAt("https://old.example")); err != nil {
		t.Fatal(err)
	}
	if x, err := client.FetchSender(ctx, cred, sid); err != nil || x.Webhooks != hooksAt("https://old.example") || x.Status != "ONLINE" || x.Quality != "HIGH" {
		t.Fatalf("%+v, %v", x, err)
	}
	s.SetLag(a.SID, 1)
	if err := client.SetWebhooks(ctx, cred, sid, hooksAt("https://new.example")); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"ONLINE:UPDATING https://old.example/inbound#rc=3", "ONLINE https://new.example/inbound#rc=3"} {
		x, err := client.FetchSender(ctx, cred, sid)
		if got := x.Status + " " + x.Webhooks.Inbound.URL; err != nil || got != want {
			t.Errorf("fetch %d: %s, %v", i+1, got, err)
		}
	}
	s.SetOffline(a.SID, number, true)
	if list, err := client.ListSenders(ctx, cred); err != nil || len(list) != 1 || list[0].Status != "OFFLINE" || list[0].Webhooks != hooksAt("https://new.example") {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestSenderRefusesWhatItCannotTake(t *testing.T) {
	s, a, client, cred := start(t)
	ctx := context.Background()
	s.AddSender(a.SID, twilio.SandboxNumber, "Sandbox")
	a, _ = s.Account(a.SID)
	put := hooksAt("https://new.example")
	put.Inbound.Method = http.MethodGet
	for _, tt := range []struct {
		name, sid string
		hooks     twilio.Webhooks
		status    int
	}{
		{"a method that no sender has", a.Senders[0].SID, put, http.StatusBadRequest},
		{"no address", a.Senders[0].SID, hooksAt("new.example"), http.StatusBadRequest},
		{"somebody else's", "XE00000000000000000000000000000000", hooksAt("https://new.example"), http.StatusNotFound},
		{"the sandbox", a.Senders[1].SID, hooksAt("https://new.example"), http.StatusNotFound},
	} {
		if err := client.SetWebhooks(ctx, cred, tt.sid, tt.hooks); twilio.AsError(err).Status != tt.status {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	if x, err := client.FetchSender(ctx, cred, a.Senders[0].SID); err != nil || x.Webhooks != (twilio.Webhooks{}) {
		t.Errorf("%+v, %v", x.Webhooks, err)
	}
}

// A Messaging Service takes the messages of its senders, unless it defers to them; one without an address takes them away.
func TestServiceDecidesWhereMessagesGo(t *testing.T) {
	s, a, client, cred := start(t)
	ctx := context.Background()
	own, others := newCenter(t, &a.Token), newCenter(t, &a.Token)
	s.SetInboundURL(a.SID, number, own.URL+"/own")
	write := func() []int {
		return s.Receive(a.SID, simulator.Write{Customer: a.Customers[0].Address, Number: number, Body: "Hei"})
	}
	v := simulator.Service{Name: "Marketing", InboundURL: others.URL + "/theirs", Senders: []string{number}}
	v.SID = s.SetService(a.SID, v)
	if got := write(); !slices.Equal(got, []int{200}) {
		t.Fatalf("%v", got)
	}
	if form := wait(t, others); form.Get("MessagingServiceSid") != v.SID {
		t.Errorf("it came for the service %q", form.Get("MessagingServiceSid"))
	}
	list, err := client.OverridingServices(ctx, cred)
	if err != nil || len(list) != 1 || fmt.Sprint(list[0]) != fmt.Sprint(twilio.MessagingService{SID: v.SID, Name: "Marketing", InboundURL: v.InboundURL, Senders: []string{a.Senders[0].SID}}) {
		t.Errorf("%+v, %v", list, err)
	}

	v.InboundURL = ""
	s.SetService(a.SID, v)
	if got := write(); len(got) != 0 {
		t.Errorf("with nowhere to go it came all the same: %v", got)
	}
	if list, err := client.ListMessages(ctx, cred, twilio.MessageFilter{}); err != nil || len(list) != 1 {
		t.Errorf("Twilio has %d messages, %v", len(list), err)
	}

	v.Defers = true
	s.SetService(a.SID, v)
	if got := write(); !slices.Equal(got, []int{200}) {
		t.Fatalf("%v", got)
	}
	if form := wait(t, own); form.Has("MessagingServiceSid") {
		t.Error("it came for a service that defers")
	}
	if list, err := client.OverridingServices(ctx, cred); err != nil || len(list) != 0 {
		t.Errorf("%+v, %v", list, err)
	}
}

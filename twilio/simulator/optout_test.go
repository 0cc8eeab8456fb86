package simulator_test

import (
	"errors"
	"testing"
	"time"

	"kanal/twilio"
	"kanal/twilio/simulator"
)

func TestAdvancedOptOut(t *testing.T) {
	s, a, client, cred := start(t)
	c := newCenter(t, &a.Token)
	s.SetInboundURL(a.SID, number, c.URL+"/in")
	kari := a.Customers[0].Address
	send := func() error {
		_, err := client.CreateMessage(t.Context(), cred, twilio.NewMessage{From: "whatsapp:" + number, To: string(kari), Body: "x"})
		return err
	}
	write := func(body string) string {
		s.Receive(a.SID, simulator.Write{Customer: kari, Number: number, Body: body})
		return wait(t, c).Get("OptOutType")
	}
	if got := write("stop"); got != "" || send() != nil {
		t.Errorf("without it a stop word is a text like any other: %q", got)
	}
	s.SetAdvancedOptOut(a.SID, true)
	if got := write("hello"); got != "" {
		t.Errorf("a text: %q", got)
	}
	if got := write(" Stop "); got != "STOP" {
		t.Errorf("OptOutType %q", got)
	}
	var e *twilio.Error
	if err := send(); !errors.As(err, &e) || e.Code != twilio.CodeOptedOut || e.Outcome != twilio.Rejected {
		t.Errorf("to who opted out: %v", err)
	}
	thread := s.Thread(a.SID, kari, number)
	if last := thread[len(thread)-1]; last.Direction != "outbound-reply" {
		t.Errorf("Twilio answers itself: %+v", last)
	}
	if got := write("START"); got != "START" || send() != nil {
		t.Errorf("after the start word: %q", got)
	}
	write("STOP")
	if s.SetAdvancedOptOut(a.SID, false); send() != nil {
		t.Error("switched off it refuses nobody")
	}
}

func TestWhoBlocksGetsNothing(t *testing.T) {
	s, a, client, cred := start(t)
	c := newCenter(t, &a.Token)
	s.SetInboundURL(a.SID, number, c.URL+"/in")
	s.SetOutcome(a.SID, simulator.Outcome{Final: "read", Step: time.Millisecond})
	kari := a.Customers[0].Address
	s.Receive(a.SID, simulator.Write{Customer: kari, Number: number, Body: "x"})
	wait(t, c)
	for _, tt := range []struct {
		blocks bool
		want   string
	}{{true, "63014"}, {false, ""}} {
		if !s.SetBlocks(a.SID, kari, tt.blocks) {
			t.Fatal("no such customer")
		}
		m := twilio.NewMessage{From: "whatsapp:" + number, To: string(kari), Body: "x", StatusCallback: c.URL + "/status"}
		if _, err := client.CreateMessage(t.Context(), cred, m); err != nil {
			t.Fatal(err)
		}
		wait(t, c) // sent
		if got := wait(t, c).Get("ErrorCode"); got != tt.want {
			t.Errorf("blocks %v: error %q, want %q", tt.blocks, got, tt.want)
		}
	}
	if s.SetBlocks(a.SID, "whatsapp:+4700000000", true) {
		t.Error("blocked by nobody")
	}
}

func TestWhoIsWrittenToFirstHasAPhone(t *testing.T) {
	s, a, client, cred := start(t)
	const stranger = "whatsapp:+4740000999"
	for range 2 {
		if _, err := client.CreateMessage(t.Context(), cred, twilio.NewMessage{From: "whatsapp:" + number, To: stranger, Body: "x"}); err != nil {
			t.Fatal(err)
		}
	}
	v, _ := s.Account(a.SID)
	if n := len(v.Customers); n != len(a.Customers)+1 || v.Customers[n-1].Address != stranger {
		t.Errorf("%+v", v.Customers)
	}
}

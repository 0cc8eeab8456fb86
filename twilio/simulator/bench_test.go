package simulator_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kanal/twilio"
	"kanal/twilio/simulator"
)

// crowd opens a simulator with customers and a center that takes everything.
func crowd(tb testing.TB, customers int) (*simulator.Simulator, simulator.Account, string) {
	tb.Helper()
	s, err := simulator.Open(simulator.Options{Now: time.Now, Ledger: 200_000})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = s.Close() })
	a := s.Mint("Test", number)
	for i := range customers {
		s.AddCustomer(a.SID, simulator.Customer{Address: twilio.PhoneAddress(fmt.Sprintf("+4741%06d", i))})
	}
	hooks := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _ = r.ParseForm() }))
	tb.Cleanup(hooks.Close)
	s.SetInboundURL(a.SID, number, hooks.URL+"/in"+twilio.ConnectionOverrides)
	s.SetOutcome(a.SID, simulator.Outcome{Final: "none"})
	a, _ = s.Account(a.SID)
	return s, a, hooks.URL
}

// BenchmarkCreates measures creates over HTTP, of a client that has a hundred at a time.
func BenchmarkCreates(b *testing.B) {
	s, a, _ := crowd(b, 1000)
	client := twilio.New(twilio.Options{SimulatorBase: s.URL(), IsSimulated: s.Has})
	cred := twilio.Credentials{AccountSID: a.SID, AuthToken: a.Token}
	var n atomic.Int64
	b.SetParallelism(50)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			to := string(a.Customers[int(n.Add(1))%len(a.Customers)].Address)
			if _, err := client.CreateMessage(b.Context(), cred, twilio.NewMessage{From: "whatsapp:" + number, To: to, Body: "x"}); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "creates/s")
}

// BenchmarkWebhooks measures signed webhooks to a center that does nothing with them.
func BenchmarkWebhooks(b *testing.B) {
	s, a, _ := crowd(b, 1000)
	var n atomic.Int64
	b.SetParallelism(50)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			who := a.Customers[int(n.Add(1))%len(a.Customers)].Address
			s.Receive(a.SID, simulator.Write{Customer: who, Number: number, Body: "x"})
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "webhooks/s")
}

// TestTwoThousandEachWay holds that the ledger has all of 2,000 messages each way on a bad day: each message of a customer
// in its order, and for each create that made one exactly one message at Twilio.
func TestTwoThousandEachWay(t *testing.T) {
	customers, each := 100, 20
	if testing.Short() {
		customers = 10
	}
	s, a, hooks := crowd(t, customers)
	s.SetOutcome(a.SID, simulator.Outcome{Final: "read", Step: time.Millisecond})
	c := simulator.Worst(3)
	c.Late = time.Millisecond
	delete(c.Rates, simulator.FaultCommitHang)
	delete(c.Rates, simulator.FaultOldToken) // this center takes everything
	s.SetChaos(a.SID, c)
	client := twilio.New(twilio.Options{SimulatorBase: s.URL(), IsSimulated: s.Has})
	cred := twilio.Credentials{AccountSID: a.SID, AuthToken: a.Token}
	var all sync.WaitGroup
	for _, who := range a.Customers[3:] {
		all.Go(func() {
			for i := range each {
				s.Receive(a.SID, simulator.Write{Customer: who.Address, Number: number, Body: fmt.Sprint(i)})
				m := twilio.NewMessage{From: "whatsapp:" + number, To: string(who.Address), Body: fmt.Sprint(i), StatusCallback: hooks + "/status"}
				_, _ = client.CreateMessage(t.Context(), cred, m)
			}
		})
	}
	all.Wait()
	made, heard := map[string]int{}, map[string]int{}
	creates, last := 0, map[string]string{}
	for _, e := range s.Ledger(a.SID) {
		switch from := e.Params.Get("From"); {
		case e.What == "create":
			creates++
			if e.SID != "" {
				made[e.SID]++
			}
		case e.What == "inbound" && !e.Met(simulator.FaultForged) && heard[e.SID] == 0:
			heard[e.SID]++
			if want := fmt.Sprint(atoi(last[from]) + 1); last[from] != "" && e.Params.Get("Body") != want {
				t.Errorf("of %s came %s after %s", from, e.Params.Get("Body"), last[from])
			}
			last[from] = e.Params.Get("Body")
		}
	}
	out, in := 0, 0
	for _, who := range a.Customers[3:] {
		for _, m := range s.Thread(a.SID, who.Address, number) {
			if m.Direction == "inbound" {
				in += heard[m.SID]
			} else if out++; made[m.SID] != 1 {
				t.Errorf("%s was made by %d creates", m.SID, made[m.SID])
			}
		}
	}
	if creates != customers*each || in != customers*each || out != len(made) || out == 0 {
		t.Errorf("%d creates made %d messages, %d are there; %d of %d messages came or were lost", creates, len(made), out, in, customers*each)
	}
}

func atoi(s string) (n int) {
	_, _ = fmt.Sscan(s, &n)
	return n
}

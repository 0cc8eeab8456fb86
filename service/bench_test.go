package service_test

import (
	"context"
	"fmt"
	"net/url"
	"sync/atomic"
	"testing"

	"kanal/models"
	"kanal/service"
	"kanal/store"
	"kanal/store/storetest"
	"kanal/twilio/simulator"
)

// BenchmarkReceive takes in messages from many goroutines at the same time: of 500 customers who write again and again,
// and of customers each of whom writes for the first time.
func BenchmarkReceive(b *testing.B) {
	b.Run("known", func(b *testing.B) { benchmarkReceive(b, 500) })
	b.Run("new", func(b *testing.B) { benchmarkReceive(b, 1_000_000) })
}

func benchmarkReceive(b *testing.B, customers int64) {
	for _, d := range storetest.Dialects {
		for _, at := range []int{1, 32, 64} {
			b.Run(fmt.Sprintf("%s/%d", d, at), func(b *testing.B) {
				c := newCenter(b, storetest.Open(b, d, nil), nil)
				var n atomic.Int64
				b.SetParallelism((at + 1) / 2)
				if at == 1 {
					b.SetParallelism(1)
				}
				b.ResetTimer()
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						if err := c.service.Receive(context.Background(), service.Call{Account: c.account, Form: inboundForm(n.Add(1), customers), ReceivedAt: c.store.Now()}); err != nil {
							b.Fatal(err)
						}
					}
				})
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
			})
		}
	}
}

func inboundForm(n, customers int64) url.Values {
	from := fmt.Sprintf("+4790%06d", n%customers)
	sid := fmt.Sprintf("SM%032x", n)
	return url.Values{
		"MessageSid": {sid}, "From": {"whatsapp:" + from}, "To": {"whatsapp:" + number}, "Body": {"When will my order arrive?"},
		"NumMedia": {"0"}, "MessageType": {"text"}, "ProfileName": {"Customer"}, "SmsStatus": {"received"}, "ApiVersion": {"2010-04-01"},
	}
}

// BenchmarkReplay brings a spool of 1,500 webhooks into the database, as an outage leaves them: of 100 customers who write,
// and three reports about each of our answers between their messages.
func BenchmarkReplay(b *testing.B) {
	for _, d := range storetest.Dialects {
		b.Run(string(d), func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				c := newCenter(b, storetest.Open(b, d, nil), nil)
				c.fillSpool(b, 100, 1500)
				b.StartTimer()
				c.replay()
			}
			b.ReportMetric(1500*float64(b.N)/b.Elapsed().Seconds(), "webhooks/s")
		})
	}
}

// fillSpool sends each customer answers and puts webhooks into the spool: in turn a message of a customer and three reports.
func (c *center) fillSpool(b *testing.B, customers int64, webhooks int) {
	b.Helper()
	c.sim.SetOutcome(c.sid, simulator.Outcome{Final: "none"})
	for n := range customers {
		c.take(c.webhook(service.HookInbound, inboundForm(n, customers), c.token()))
	}
	rows, err := c.store.Conversations(ctx, c.agent, store.InboxFilter{View: models.ViewAll})
	if err != nil {
		b.Fatal(err)
	}
	keep := func(kind service.HookKind, form url.Values) {
		call := c.webhook(kind, form, c.token())
		call.Verified = true
		if err := c.spool.Append(call); err != nil {
			b.Fatal(err)
		}
	}
	for n := range webhooks / 4 {
		m := c.reply(rows[n%len(rows)].ID, fmt.Sprint(n), fmt.Sprint("answer ", n))
		c.send(m.ConversationID)
		keep(service.HookInbound, inboundForm(customers+int64(n), customers))
		for _, status := range []string{"sent", "delivered", "read"} {
			keep(service.HookStatus, url.Values{"MessageSid": {*c.message(m.ID).ProviderSID}, "AccountSid": {c.sid}, "MessageStatus": {status}})
		}
	}
}

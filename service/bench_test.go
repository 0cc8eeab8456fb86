package service_test

import (
	"context"
	"fmt"
	"net/url"
	"sync/atomic"
	"testing"

	"kanal/service"
	"kanal/store/storetest"
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

// Command loadgen sends signed inbound webhooks to a center on this machine and prints how fast they were answered.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"kanal/twilio"
)

// load is what is sent, and how.
type load struct {
	address     string
	token       string
	account     string
	number      string
	connections int
	rate        int // a second; 0 is as fast as answers come
	customers   int
	duration    time.Duration
}

// result is what came of it.
type result struct {
	took   []time.Duration
	failed int
	wall   time.Duration
}

func main() {
	var l load
	flag.StringVar(&l.address, "url", "", "the inbound URL of an account")
	flag.StringVar(&l.token, "token", "", "its auth token")
	flag.StringVar(&l.account, "account", "", "its SID")
	flag.StringVar(&l.number, "number", "", "its number, E.164")
	flag.IntVar(&l.connections, "connections", 32, "connections at the same time")
	flag.IntVar(&l.rate, "rate", 0, "requests a second, 0 for as many as are answered")
	flag.IntVar(&l.customers, "customers", 20000, "different customers")
	flag.DurationVar(&l.duration, "duration", 10*time.Second, "how long, a minute at most")
	flag.Parse()
	if err := l.check(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	r := l.run(context.Background())
	fmt.Println(r)
	if r.failed > 0 {
		os.Exit(1)
	}
}

// check refuses anything but this machine.
func (l *load) check() error {
	l.address, _, _ = strings.Cut(l.address, "#")
	u, err := url.Parse(l.address)
	if err != nil || l.token == "" || l.number == "" {
		return errors.New("url, token, account and number are needed")
	}
	ip := net.ParseIP(u.Hostname())
	if u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return errors.New("only a center on this machine")
	}
	l.duration = min(l.duration, time.Minute)
	return nil
}

// run sends until the time is over.
func (l *load) run(ctx context.Context) result {
	ctx, cancel := context.WithTimeout(ctx, l.duration)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: l.connections, MaxConnsPerHost: l.connections}}
	var (
		n    atomic.Int64
		mu   sync.Mutex
		all  result
		wg   sync.WaitGroup
		pace = l.pace(ctx)
	)
	began := time.Now()
	for range l.connections {
		wg.Add(1)
		go func() {
			defer wg.Done()
			var mine result
			for ctx.Err() == nil && pace() {
				at := time.Now()
				if l.send(ctx, client, n.Add(1)) {
					mine.took = append(mine.took, time.Since(at))
				} else if ctx.Err() == nil {
					mine.failed++
				}
			}
			mu.Lock()
			all.took, all.failed = append(all.took, mine.took...), all.failed+mine.failed
			mu.Unlock()
		}()
	}
	wg.Wait()
	all.wall = time.Since(began)
	return all
}

// pace gives a function that waits for the next request's turn; false when the time is over.
func (l *load) pace(ctx context.Context) func() bool {
	if l.rate == 0 {
		return func() bool { return true }
	}
	t := time.NewTicker(time.Second / time.Duration(l.rate))
	return func() bool {
		select {
		case <-t.C:
			return true
		case <-ctx.Done():
			t.Stop()
			return false
		}
	}
}

func (l *load) send(ctx context.Context, client *http.Client, n int64) bool {
	sid := fmt.Sprintf("SM%016x%016x", time.Now().UnixNano(), n)
	from := fmt.Sprintf("+4790%06d", n%int64(l.customers))
	form := url.Values{
		"MessageSid": {sid}, "SmsSid": {sid}, "SmsMessageSid": {sid}, "AccountSid": {l.account}, "From": {"whatsapp:" + from},
		"To": {"whatsapp:" + l.number}, "Body": {fmt.Sprintf("Message %d: when will my order arrive?", n)}, "NumMedia": {"0"},
		"NumSegments": {"1"}, "SmsStatus": {"received"}, "ApiVersion": {"2010-04-01"}, "MessageType": {"text"},
		"ProfileName": {"Customer"}, "WaId": {from[1:]}, "ReferralNumMedia": {"0"},
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, l.address, strings.NewReader(form.Encode()))
	if err != nil {
		return false
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set(twilio.SignatureHeader, twilio.Sign(l.token, l.address, form))
	res, err := client.Do(req)
	if err != nil {
		return false
	}
	defer func() { _ = res.Body.Close() }()
	_, _ = io.Copy(io.Discard, res.Body)
	return res.StatusCode == http.StatusOK
}

// String writes the result as one line.
func (r result) String() string {
	slices.Sort(r.took)
	at := func(q float64) time.Duration {
		if len(r.took) == 0 {
			return 0
		}
		return r.took[min(len(r.took)-1, int(q*float64(len(r.took))))].Round(10 * time.Microsecond)
	}
	return fmt.Sprintf("%d answered in %.1f s: %.0f/s, p50 %v, p95 %v, p99 %v, %d failed",
		len(r.took), r.wall.Seconds(), float64(len(r.took))/r.wall.Seconds(), at(0.5), at(0.95), at(0.99), r.failed)
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"kanal/store/sample"
	"kanal/twilio"
)

// Bounds of one run.
const (
	maxDuration    = time.Minute
	maxConnections = 256
	maxRate        = 20_000
)

// sendCommand sends webhooks to a center that runs already.
type sendCommand struct {
	URL         string        `required:"" help:"The inbound URL of the account, on this machine."`
	Token       string        `required:"" env:"LOADGEN_TOKEN" help:"The auth token of the account; from the environment it does not show in the list of processes."`
	Account     string        `required:"" help:"The account's SID."`
	Number      string        `required:"" help:"The account's number, like +4721000000."`
	Connections int           `default:"32" help:"Connections at the same time."`
	Rate        int           `default:"0" help:"Webhooks a second; 0 is as fast as answers come."`
	Customers   int           `default:"20000" help:"Different customers."`
	Duration    time.Duration `default:"10s" help:"How long, a minute at most."`
}

// Run sends and prints how fast it was answered. An error when an answer was not 200.
func (s sendCommand) Run(ctx context.Context, out io.Writer) error {
	l := load{
		hook:        hook{address: s.URL, token: s.Token, account: s.Account, number: s.Number},
		connections: s.Connections, rate: s.Rate, customers: s.Customers, duration: s.Duration,
	}
	r, err := l.run(ctx)
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintln(out, r)
	return r.failure()
}

// hook is an account's webhook for inbound messages.
type hook struct{ address, token, account, number string }

// load is what is sent, and how.
type load struct {
	hook
	connections int
	rate        int // a second; 0 is as fast as answers come
	customers   int
	duration    time.Duration
	most        int                      // webhooks at most; 0 is no bound
	customer    func(n int) int          // who writes the n-th message; nil is one after the other
	sending     func(n int, t time.Time) // hears of each message before it goes; nil for nobody
}

// result is what came of it.
type result struct {
	took   []time.Duration
	failed int
	first  error // why the first one failed
	wall   time.Duration
}

// check brings the load into its bounds and refuses anything but this machine.
func (l *load) check() error {
	l.address, _, _ = strings.Cut(l.address, "#")
	u, err := url.Parse(l.address)
	switch {
	case err != nil || l.token == "" || l.number == "" || l.account == "":
		return errors.New("url, token, account and number are needed")
	case !loopback(u):
		return errors.New("only a center on this machine: the address must be a loopback address with http")
	case l.connections < 1 || l.customers < 1 || l.rate < 0:
		return errors.New("connections and customers must be at least 1, the rate not negative")
	}
	l.connections, l.rate, l.duration = min(l.connections, maxConnections), min(l.rate, maxRate), min(l.duration, maxDuration)
	return nil
}

// loopback tells whether an address is on this machine. A name is not asked for: it could lead anywhere.
func loopback(u *url.URL) bool {
	ip := net.ParseIP(u.Hostname())
	return u.Scheme == "http" && u.User == nil && (u.Hostname() == "localhost" || ip != nil && ip.IsLoopback())
}

// newClient gives a client that keeps its connections and reaches no other machine, whatever name or redirect says so.
func newClient(connections int) *http.Client {
	// Asked after names are looked up and before anything is sent.
	only := func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil || !at.Addr().Unmap().IsLoopback() {
			return fmt.Errorf("%s is not on this machine", address)
		}
		return nil
	}
	dialer := &net.Dialer{Timeout: 5 * time.Second, Control: only}
	return &http.Client{
		Transport:     &http.Transport{DialContext: dialer.DialContext, MaxIdleConnsPerHost: connections, MaxConnsPerHost: connections, DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// run sends until the time is over or enough is sent. An error when it refuses to.
func (l *load) run(ctx context.Context) (result, error) {
	if err := l.check(); err != nil {
		return result{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, l.duration)
	defer cancel()
	client := newClient(l.connections)
	defer client.CloseIdleConnections()
	var (
		n         atomic.Int64
		mu        sync.Mutex
		all       result
		wg        sync.WaitGroup
		turn, end = l.pace(ctx)
	)
	defer end()
	began := time.Now()
	for range l.connections {
		wg.Go(func() {
			mine := l.work(ctx, client, func() (int, bool) { ok := turn(); return int(n.Add(1)), ok })
			mu.Lock()
			defer mu.Unlock()
			all.add(mine)
		})
	}
	wg.Wait()
	all.wall = time.Since(began)
	return all, nil
}

// work is one connection: it sends message after message.
func (l *load) work(ctx context.Context, client *http.Client, next func() (int, bool)) result {
	var r result
	for {
		n, more := next()
		if !more || ctx.Err() != nil || l.most > 0 && n > l.most {
			return r
		}
		at := time.Now()
		if l.sending != nil {
			l.sending(n, at)
		}
		switch err := l.send(ctx, client, n, at); {
		case err == nil:
			r.took = append(r.took, time.Since(at))
		case ctx.Err() == nil:
			r.failed++
			if r.first == nil {
				r.first = err
			}
		}
	}
}

func (r *result) add(other result) {
	r.took = append(r.took, other.took...)
	r.failed += other.failed
	if r.first == nil {
		r.first = other.first
	}
}

// failure gives an error when a message was not taken in.
func (r result) failure() error {
	switch {
	case r.failed > 0:
		return fmt.Errorf("%d webhooks failed: %w", r.failed, r.first)
	case len(r.took) == 0:
		return errors.New("nothing was answered")
	}
	return nil
}

// pace gives a function that waits for the next message's turn, false when the time is over.
func (l *load) pace(ctx context.Context) (turn func() bool, end func()) {
	if l.rate == 0 {
		return func() bool { return true }, func() {}
	}
	t := time.NewTicker(time.Second / time.Duration(l.rate))
	return func() bool {
		select {
		case <-t.C:
			return true
		case <-ctx.Done():
			return false
		}
	}, t.Stop
}

// send sends the n-th message. An error unless the center has taken it in.
func (l *load) send(ctx context.Context, client *http.Client, n int, at time.Time) error {
	customer := n
	if l.customer != nil {
		customer = l.customer(n)
	}
	form := sample.Form(fmt.Sprintf("SM%016x%016x", at.UnixNano(), n), sample.Phone(customer%l.customers), fmt.Sprintf("Message %d: when will my order arrive?", n))
	form.Set("AccountSid", l.account)
	form.Set("To", "whatsapp:"+l.number)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, l.address, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set(twilio.SignatureHeader, twilio.Sign(l.token, l.address, form))
	return expect(client, req, http.StatusOK)
}

// expect sends a request and reads its answer to the end. An error unless the answer has the status.
func expect(client *http.Client, req *http.Request, status int) error {
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return err
	}
	if res.StatusCode != status {
		return fmt.Errorf("%s %s: %s", req.Method, req.URL.Path, res.Status)
	}
	return nil
}

// rate gives the answers a second.
func (r result) rate() float64 { return float64(len(r.took)) / r.wall.Seconds() }

// String writes the result as one line.
func (r result) String() string {
	return fmt.Sprintf("%d answered in %.1f s: %.0f/s, p50 %s, p95 %s, p99 %s ms, %d failed", len(r.took), r.wall.Seconds(), r.rate(),
		millis(quantile(r.took, 0.5)), millis(quantile(r.took, 0.95)), millis(quantile(r.took, 0.99)), r.failed)
}

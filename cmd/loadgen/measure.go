package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"kanal/models"
	"kanal/store/sample"
)

// How much is measured.
const (
	startRuns    = 7
	pageRuns     = 150
	pageWarmUp   = 10
	streamRate   = 200
	streamTime   = 10 * time.Second
	openStreams  = 1000
	settleFor    = 5 * time.Second // until memory counts as idle
	heardWithin  = 5 * time.Second
	hookWarmUp   = time.Second
	agentsOwning = streamRate * 10 // conversations that agents have: each is written to once
)

// minConversations gives the agents enough conversations of their own; every fifth of the sample is one.
const minConversations = agentsOwning * 5

// restart ends the center, if there is one, and starts it again.
func (e *engine) restart(ctx context.Context) error {
	if e.center != nil {
		if err := e.center.stop(); err != nil {
			return err
		}
	}
	var err error
	e.center, err = startCenter(ctx, e.Program, e.dir, e.settings)
	return err
}

// starts measures how long the program takes until it is ready, on the database as it is, and its memory then.
func (e *engine) starts(ctx context.Context) (figures, error) {
	var took []time.Duration
	for range startRuns {
		if err := e.restart(ctx); err != nil {
			return nil, err
		}
		took = append(took, e.center.started)
	}
	if err := pause(ctx, settleFor); err != nil {
		return nil, err
	}
	idle, err := e.center.resident()
	return figures{
		{"Start, until `/readyz` answers 200", millis(quantile(took, 0.5)) + " ms", "under 300 ms", quantile(took, 0.5) < 300*time.Millisecond},
		{"Resident memory, idle", mebi(idle), "under 60 MB", idle < 60e6},
	}, err
}

func mebi(bytes int64) string { return fmt.Sprintf("%.1f MB", float64(bytes)/1e6) }

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// page is one page that is measured.
type page struct {
	name, path string
	partial    bool
}

// pages measures what an agent opens, one after the other.
func (e *engine) pages(ctx context.Context) (figures, error) {
	client, err := e.center.signIn(ctx, sample.AgentEmail(0), password, 1)
	if err != nil {
		return nil, err
	}
	defer client.CloseIdleConnections()
	thread := fmt.Sprintf("/inbox/%d", e.world.Conversations[e.world.Owned(0)[0]].ID)
	var all figures
	for _, p := range []page{
		{"Inbox, All, 50 rows", "/inbox?view=all", false}, {"Inbox, Mine, 50 rows", "/inbox?view=mine", false},
		{"Inbox, Queue, 50 rows", "/inbox?view=queue", false}, {"Inbox, the list alone", "/inbox/list?view=all", true},
		{"Thread of 50 messages with the list", thread, false}, {"Thread of 50 messages alone", thread, true},
	} {
		took, err := e.page(ctx, client, p)
		if err != nil {
			return nil, err
		}
		all = append(all, figure{what: p.name + ", p50 / p99", value: millis(quantile(took, 0.5)) + " / " + millis(quantile(took, 0.99)) + " ms"})
	}
	return all, nil
}

func (e *engine) page(ctx context.Context, client *http.Client, p page) ([]time.Duration, error) {
	var took []time.Duration
	for i := range pageWarmUp + pageRuns {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, e.center.base+p.path, nil)
		if err != nil {
			return nil, err
		}
		if p.partial {
			req.Header.Set("HX-Request", "true")
			req.Header.Set("HX-Request-Type", "partial")
		}
		began := time.Now()
		if err := expect(client, req, http.StatusOK); err != nil {
			return nil, err
		}
		if i >= pageWarmUp {
			took = append(took, time.Since(began))
		}
	}
	return took, nil
}

// hook is the sample's webhook at the running center.
func (e *engine) hook() hook {
	return hook{address: e.center.base + "/hooks/twilio/" + sample.HookKey + "/inbound", token: sample.Token, account: sample.AccountSID, number: sample.Number}
}

// clock notes when the message of each conversation went out and when its agent's page heard of it.
type clock struct {
	mu   sync.Mutex
	sent map[models.ConversationID]time.Time
	took []time.Duration
	all  chan struct{} // closed when as many were heard of as are wanted
	want int
}

func (c *clock) sending(id models.ConversationID, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sent[id] = at
}

func (c *clock) heard(id models.ConversationID) {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	at, ok := c.sent[id]
	if !ok {
		return
	}
	delete(c.sent, id)
	if c.took = append(c.took, now.Sub(at)); len(c.took) == c.want {
		close(c.all)
	}
}

// toStream measures the time from the POST of a message to the event in the stream of the agent who has the
// conversation. Each conversation is written to once, so that each event is the answer to one message.
func (e *engine) toStream(ctx context.Context) (figures, error) {
	var customers []int
	for i := range e.world.Agents {
		customers = append(customers, e.world.Owned(i)...)
	}
	c := &clock{sent: map[models.ConversationID]time.Time{}, all: make(chan struct{}), want: int(streamTime.Seconds()) * streamRate}
	closeAll, err := e.listen(ctx, c)
	defer closeAll()
	if err != nil {
		return nil, err
	}
	l := load{hook: e.hook(), connections: 32, rate: streamRate, customers: e.Conversations, duration: 2 * streamTime, most: c.want}
	of := func(n int) int { return customers[(n*7919)%len(customers)] } // spread over the agents; 7919 is prime
	l.customer = of
	l.sending = func(n int, at time.Time) { c.sending(e.world.Conversations[of(n)].ID, at) }
	r, err := l.run(ctx)
	if err := errors.Join(err, r.failure()); err != nil {
		return nil, err
	}
	select {
	case <-c.all:
	case <-time.After(heardWithin):
	case <-ctx.Done():
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.took) < c.want {
		return nil, fmt.Errorf("of %d messages only %d reached a stream", c.want, len(c.took))
	}
	p50, p99 := quantile(c.took, 0.5), quantile(c.took, 0.99)
	return figures{{
		fmt.Sprintf("From POST to the event in the agent's stream at %d/s, p50 / p99", streamRate), millis(p50) + " / " + millis(p99) + " ms",
		"p99 under 150 ms", p99 < 150*time.Millisecond,
	}}, nil
}

// listen opens the page of every agent.
func (e *engine) listen(ctx context.Context, c *clock) (closeAll func(), err error) {
	var (
		open    []*stream
		hearing sync.WaitGroup
	)
	closeAll = func() {
		for _, s := range open {
			s.close()
		}
		hearing.Wait()
	}
	for i := range e.world.Agents {
		client, err := e.center.signIn(ctx, sample.AgentEmail(i), password, 1)
		if err != nil {
			return closeAll, err
		}
		s, err := openStream(ctx, client, e.center.base)
		if err != nil {
			return closeAll, err
		}
		open = append(open, s)
		hearing.Go(func() { s.hear(c.heard) })
	}
	return closeAll, nil
}

// webhooks measures how many messages the center takes in, on connections that each wait for their answer.
func (e *engine) webhooks(ctx context.Context) (figures, error) {
	var all figures
	for _, connections := range []int{1, 32, 64} {
		r, spread, err := e.rounds(ctx, connections)
		if err != nil {
			return nil, err
		}
		p50, p99 := quantile(r.took, 0.5), quantile(r.took, 0.99)
		f := figure{
			what:  fmt.Sprintf("Webhooks a second at %d connections, p50 / p99", connections),
			value: fmt.Sprintf("%.0f (%s), %s / %s ms", r.rate(), spread, millis(p50), millis(p99)),
		}
		if connections == 32 && strings.HasPrefix(e.title, "PostgreSQL") {
			f.target, f.met = "at least 1,000 on PostgreSQL", r.rate() >= 1000
		}
		all = append(all, f)
	}
	return all, nil
}

// rounds measures several times and gives the round with the median rate, and the lowest and highest rate.
func (e *engine) rounds(ctx context.Context, connections int) (result, string, error) {
	l := load{hook: e.hook(), connections: connections, customers: e.Conversations, duration: hookWarmUp}
	if _, err := l.run(ctx); err != nil {
		return result{}, "", err
	}
	l.duration = e.Each
	var all []result
	for range e.Rounds {
		done := e.profile(ctx, connections)
		r, err := l.run(ctx)
		if err := errors.Join(err, r.failure(), done()); err != nil {
			return r, "", err
		}
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b result) int { return int(a.rate() - b.rate()) })
	return all[len(all)/2], fmt.Sprintf("%.0f to %.0f", all[0].rate(), all[len(all)-1].rate()), nil
}

// memory measures the program after the load, and then with many open pages.
func (e *engine) memory(ctx context.Context) (figures, error) {
	if err := pause(ctx, settleFor); err != nil {
		return nil, err
	}
	after, err := e.center.resident()
	if err != nil {
		return nil, err
	}
	if err := e.restart(ctx); err != nil {
		return nil, err
	}
	client, err := e.center.signIn(ctx, administrator, password, openStreams+1)
	if err != nil {
		return nil, err
	}
	for range openStreams {
		s, err := openStream(ctx, client, e.center.base)
		if err != nil {
			return nil, err
		}
		defer s.close()
	}
	if err := pause(ctx, settleFor); err != nil {
		return nil, err
	}
	open, err := e.center.resident()
	return figures{
		{what: "Resident memory after the webhooks", value: mebi(after)},
		{what: fmt.Sprintf("Resident memory with %d open streams", openStreams), value: mebi(open)},
	}, err
}

// profile begins to note what the program does when profiles are wanted; the function that it gives waits for the end.
func (e *engine) profile(ctx context.Context, connections int) (done func() error) {
	if e.Profile == "" {
		return func() error { return nil }
	}
	failed := make(chan error, 1)
	go func() {
		name := filepath.Join(e.Profile, fmt.Sprintf("%s-%d.pprof", e.dialect, connections))
		failed <- e.fetchProfile(ctx, name, max(int(e.Each.Seconds())-1, 1))
	}()
	return func() error { return <-failed }
}

func (e *engine) fetchProfile(ctx context.Context, name string, seconds int) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", e.settings["KANAL_METRICS_ADDR"], seconds), nil)
	if err != nil {
		return err
	}
	client := newClient(1)
	defer client.CloseIdleConnections()
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	f, err := os.Create(name) //nolint:gosec // the folder that was asked for
	if err != nil {
		return err
	}
	_, err = io.Copy(f, res.Body)
	return errors.Join(err, f.Close())
}

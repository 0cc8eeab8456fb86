package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"kanal/twilio"
	"kanal/twilio/simulator"
)

// ordeal is how much TestFaults does: KANAL_TEST_FAULTS=full is all of it.
type ordeal struct {
	customers, each, kills int
	traffic, rest          time.Duration // bounds
}

func theOrdeal() ordeal {
	if os.Getenv("KANAL_TEST_FAULTS") == "full" {
		return ordeal{customers: 100, each: 20, kills: 20, traffic: 15 * time.Minute, rest: 10 * time.Minute}
	}
	return ordeal{customers: 20, each: 5, kills: 2, traffic: 2 * time.Minute, rest: 4 * time.Minute}
}

func (o ordeal) messages() int { return o.customers * o.each }

// Customers and agents write while Twilio is at its worst and the program is killed again and again. When all has come to
// rest, what Twilio has and what the database has agree: nothing acknowledged is lost, nothing is sent twice, and each
// conversation is in its order. KANAL_TEST_SEED repeats the chance of a run.
func TestFaults(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a while")
	}
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("KANAL_TEST_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	eachTown(t, func(t *testing.T, w *town) {
		t.Logf("KANAL_TEST_SEED=%d", seed)
		r := &faultRun{fleet: newFleet(w), ordeal: theOrdeal(), chance: rand.New(rand.NewPCG(seed, 1))}
		r.begin()
		chaos := simulator.Worst(seed)
		chaos.Late = 500 * time.Millisecond
		w.sim.SetOutcome(w.sid, simulator.Outcome{Final: "read", Step: 20 * time.Millisecond})
		w.sim.SetChaos(w.sid, chaos)
		began := time.Now()
		r.traffic()
		busy := time.Since(began)
		r.crashAll()
		r.settle()
		r.tell(busy, time.Since(began))
	})
}

// faultRun is one run of the ordeal.
type faultRun struct {
	*fleet
	ordeal
	chance  *rand.Rand
	pages   map[string]string // of the conversations, by the customer's address
	replies map[string]bool
	rotated time.Time // when Twilio made the next token the primary one
}

func (r *faultRun) customer(i int) twilio.Address {
	return twilio.Address(fmt.Sprintf("whatsapp:+4741%06d", i))
}

func reply(i, n int) string { return fmt.Sprintf("answer %d to %d", n, i) }

// begin sets the center up and lets each customer write once, while nothing goes wrong.
func (r *faultRun) begin() {
	r.t.Helper()
	if res := fetch(r.t, r.client, "POST", r.url+"/setup", administrator); res.Header.Get("Location") != "/admin" {
		r.t.Fatalf("setup: %d", res.StatusCode)
	}
	r.pages, r.replies = map[string]string{}, map[string]bool{}
	for i := range r.customers {
		r.sim.AddCustomer(r.sid, simulator.Customer{Name: fmt.Sprint("Customer ", i), Address: r.customer(i)})
		if codes := r.sim.Receive(r.sid, simulator.Write{Customer: r.customer(i), Number: townNumber, Body: "Hei"}); !slices.Equal(codes, []int{http.StatusOK}) {
			r.t.Fatal(codes)
		}
		for n := range r.each {
			r.replies[reply(i, n)] = true
		}
	}
	r.query("SELECT address, id FROM conversations", func(scan func(...any) error) error {
		var address string
		var id int64
		err := scan(&address, &id)
		r.pages[address] = fmt.Sprintf("%s/inbox/%d", r.url, id)
		return err
	})
}

// traffic lets all write, and kills a member at random moments of the sending, until all is written.
func (r *faultRun) traffic() {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), r.ordeal.traffic)
	var people sync.WaitGroup
	defer func() { cancel(); people.Wait() }()
	for i := range r.customers {
		people.Go(func() { r.talk(ctx, i) })
	}
	look, hurry := time.NewTicker(100*time.Millisecond), time.NewTicker(time.Second)
	defer look.Stop()
	defer hurry.Stop()
	for kill, moment := range r.moments() {
		for sent := 0; sent < moment; sent = r.count("SELECT count(*) FROM messages WHERE direction = 'out' AND provider_sid IS NOT NULL") {
			select {
			case <-look.C:
			case <-hurry.C:
				r.hurry()
			case <-ctx.Done():
				r.t.Fatalf("only %d of %d messages were sent", sent, r.messages())
			}
		}
		select {
		case <-time.After(time.Duration(r.chance.IntN(100)) * time.Millisecond):
		case <-ctx.Done():
		}
		if kill == r.kills/2 {
			token := r.sim.AddSecondaryToken(r.sid)
			r.rotate(ctx, url.Values{"token": {token}}, "SELECT count(*) FROM accounts WHERE next_token_sealed <> ''")
		}
		r.crash(r.chance.IntN(len(r.members)))
		if kill == r.kills/2 {
			r.rotated = time.Now()
			r.sim.PromoteToken(r.sid)
		}
	}
	people.Wait()
	r.rotate(ctx, url.Values{"action": {"promote"}}, "SELECT count(*) FROM accounts WHERE next_token_sealed = ''")
}

// rotate lets an administrator take a step of rotating the token, again until it is done.
func (r *faultRun) rotate(ctx context.Context, form url.Values, done string) {
	r.t.Helper()
	account := r.count("SELECT id FROM accounts")
	for r.count(done) == 0 {
		form.Set("version", strconv.Itoa(r.count("SELECT version FROM accounts")))
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, fmt.Sprintf("%s/admin/accounts/%d/token", r.url, account), strings.NewReader(form.Encode()))
		if err != nil {
			r.t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if res, err := r.client.Do(req); err == nil {
			_ = res.Body.Close()
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			r.t.Fatalf("the token was not rotated: %v", ctx.Err())
		}
	}
}

// justRotated tells whether a webhook came after the rotation: then signatures of the token before are still good.
func (r *faultRun) justRotated(at time.Time) bool {
	return !r.rotated.IsZero() && at.After(r.rotated.Add(-time.Second))
}

// moments gives after how many sent messages a member is killed.
func (r *faultRun) moments() []int {
	out := make([]int, r.kills)
	for i := range out {
		out[i] = r.chance.IntN(r.messages() * 9 / 10)
	}
	slices.Sort(out)
	return out
}

// talk is one conversation: the customer writes, whatever becomes of it, and then somebody answers.
func (r *faultRun) talk(ctx context.Context, i int) {
	for n := range r.each {
		w := simulator.Write{Customer: r.customer(i), Number: townNumber, Body: fmt.Sprintf("question %d of %d", n, i)}
		if n%4 == 3 {
			w.Kind = "image"
		}
		r.sim.Receive(r.sid, w)
		if err := r.answer(ctx, r.pages[string(r.customer(i))], reply(i, n)); err != nil {
			r.t.Errorf("%s: %v", reply(i, n), err)
			return
		}
	}
}

// answer posts a reply until it is answered, with the same key each time, as the page does.
func (r *faultRun) answer(ctx context.Context, conversation, body string) error {
	form := url.Values{"client_key": {body}, "body": {body}}.Encode()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, conversation+"/messages", strings.NewReader(form))
		if err != nil {
			return err
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		res, err := r.client.Do(req)
		if err == nil {
			_, _ = io.Copy(io.Discard, res.Body)
			_ = res.Body.Close()
			switch {
			case res.StatusCode == http.StatusSeeOther && !strings.Contains(res.Header.Get("Location"), "login"):
				return nil
			case res.StatusCode < http.StatusInternalServerError:
				return fmt.Errorf("%d %s", res.StatusCode, res.Header.Get("Location"))
			}
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// settle waits until both sides agree, while time passes for what waits.
func (r *faultRun) settle() {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), r.rest)
	defer cancel()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		v := r.compare()
		if len(v.wrong) == 0 && len(v.open) == 0 {
			return
		}
		select {
		case <-tick.C:
			r.hurry()
		case <-ctx.Done():
			v.wrong = append(v.wrong, v.open...)
		}
		if len(v.wrong) > 0 {
			for _, p := range r.members {
				r.t.Logf("the log of a member ends with:\n%s", p.log.String()[max(0, len(p.log.String())-3000):])
			}
			r.t.Fatalf("%d things do not agree:\n%s", len(v.wrong), strings.Join(v.wrong[:min(len(v.wrong), 30)], "\n"))
		}
	}
}

// tell says what happened.
func (r *faultRun) tell(busy, all time.Duration) {
	met, creates, webhooks, refused := map[simulator.Fault]int{}, 0, 0, 0
	for _, e := range r.sim.Ledger(r.sid) {
		if e.Try <= 1 { // those of a webhook stay with it on each try
			for _, f := range e.Faults {
				met[f]++
			}
		}
		switch {
		case e.What == "create":
			creates++
		case e.Status == http.StatusOK:
			webhooks++
		default:
			refused++
		}
	}
	var sum int
	for _, n := range met {
		sum += n
	}
	in, lost := r.count("SELECT count(*) FROM messages WHERE direction = 'in'"), r.count("SELECT count(*) FROM send_attempts WHERE state = 'lost'")
	r.t.Logf("%s: %d messages in, %d out, %d kills and one of all; %d creates for them, %d attempts lost; %d webhooks taken in, %d not; %d faults: %v; traffic %.1f s, until both agree %.1f s",
		r.dialect, in, len(r.replies), r.kills, creates, lost, webhooks, refused, sum, sorted(met), busy.Seconds(), all.Seconds())
}

func sorted(met map[simulator.Fault]int) (out []string) {
	for _, f := range slices.Sorted(maps.Keys(met)) {
		out = append(out, fmt.Sprintf("%s %d", f, met[f]))
	}
	return out
}

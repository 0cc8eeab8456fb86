package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"kanal/twilio"
)

// The program dies while a message is on its way. Whether Twilio has it or not: after the next start it is there once.
func TestKilledWhileSending(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a while")
	}
	for _, c := range []struct{ name, gate, want string }{
		{"Twilio never saw it", "before", "accepted"},
		{"Twilio has it", "after", "accepted"},
		{"Twilio has it and reports", "after", "delivered"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			eachTown(t, func(t *testing.T, w *town) {
				p := w.launch()
				conversation := w.conversation()
				w.gate.set(c.gate)
				w.reply(conversation, "once")
				w.waitHeld()
				p.kill()
				if state, _ := w.sent(); state != "sending" {
					t.Fatalf("it is %s", state)
				}
				w.gate.set("")
				w.forget()
				w.age()
				w.launch()
				if c.want == "delivered" {
					for _, m := range w.sim.Thread(w.sid, w.sim.Accounts()[0].Customers[0].Address, townNumber) {
						if m.Direction != "inbound" {
							w.sim.Report(w.sid, m.SID, "delivered", 0)
						}
					}
				}
				w.until(c.want)
				if _, n := w.sent(); n != 1 {
					t.Errorf("Twilio has taken it %d times", n)
				}
			})
		})
	}
}

// Whatever was answered with 200 is kept, once, also when Twilio comes again after the program was killed.
func TestKilledUnderLoad(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a while")
	}
	eachTown(t, func(t *testing.T, w *town) {
		p := w.launch()
		w.conversation()
		var mu sync.Mutex
		var answered, all []string
		enough, dead := make(chan struct{}), make(chan struct{})
		var senders sync.WaitGroup
		for s := range 8 {
			senders.Go(func() {
				for i := 0; ; i++ {
					select {
					case <-dead:
						return
					default:
					}
					id := fmt.Sprintf("SM%016x%016x", s+1, i)
					status := w.post(id)
					mu.Lock()
					all = append(all, id)
					if status == http.StatusOK {
						if answered = append(answered, id); len(answered) == 200 {
							close(enough)
						}
					}
					mu.Unlock()
				}
			})
		}
		select {
		case <-enough:
		case <-time.After(20 * time.Second):
			t.Fatal("too slow")
		}
		p.kill()
		close(dead)
		senders.Wait()
		w.launch()
		w.checkKept(answered)
		for _, id := range all {
			if status := w.post(id); status != http.StatusOK {
				t.Fatalf("the repeat: %d", status)
			}
		}
		w.checkKept(all)
	})
}

// post posts a signed message of a customer and gives the status, 0 without an answer.
func (w *town) post(id string) int {
	address := w.url + "/hooks/twilio/unguessable/inbound"
	customer := fmt.Sprintf("whatsapp:+4740%06d", 100*int(id[17])+int(id[33])) // some customers write more than once
	form := url.Values{"MessageSid": {id}, "AccountSid": {w.sid}, "From": {customer}, "To": {"whatsapp:" + townNumber}, "Body": {id}}
	req, err := http.NewRequest(http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return 0
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set(twilio.SignatureHeader, twilio.Sign(w.token, address, form))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0
	}
	defer func() { _ = res.Body.Close() }()
	if b, err := io.ReadAll(res.Body); err != nil || string(b) != twilio.EmptyResponse {
		return 0
	}
	return res.StatusCode
}

func (w *town) checkKept(ids []string) {
	w.t.Helper()
	rows, err := w.db.QueryContext(w.t.Context(), "SELECT provider_sid FROM messages WHERE direction = 'in'")
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	kept := map[string]int{}
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			w.t.Fatal(err)
		}
		kept[id]++
	}
	if err := rows.Err(); err != nil {
		w.t.Fatal(err)
	}
	for _, id := range ids {
		if kept[id] != 1 {
			w.t.Errorf("%s was answered and is kept %d times", id, kept[id])
		}
	}
}

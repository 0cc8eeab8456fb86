package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"
)

// SIGTERM while a message is on its way and a stream is open: the stream ends, /readyz says so, what can be finished is
// finished, what cannot is left for the next start, and the program ends with 0 within ten seconds.
func TestStopsWhileSending(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a while")
	}
	for _, answers := range []bool{true, false} {
		t.Run(fmt.Sprintf("answers=%v", answers), func(t *testing.T) {
			t.Parallel()
			eachTown(t, func(t *testing.T, w *town) {
				p := w.launch()
				conversation := w.conversation()
				stream := bufio.NewReader(fetch(t, w.client, "GET", w.url+"/events", nil).Body)
				if line, err := stream.ReadString('\n'); err != nil || line != "event: ping\n" {
					t.Fatal(line, err)
				}
				w.gate.set("after")
				w.reply(conversation, "once")
				w.waitHeld()
				began := time.Now()
				p.terminate()
				if _, err := io.ReadAll(stream); err != nil {
					t.Error("the stream did not end well:", err)
				}
				if res := fetch(t, w.client, "GET", w.url+"/readyz", nil); res.StatusCode != http.StatusServiceUnavailable {
					t.Error("readyz while it stops:", res.StatusCode)
				}
				w.write("a message while it stops is taken in")
				if answers {
					close(w.gate.open)
				}
				if code := p.wait(); code != exitOK {
					t.Errorf("exit code %d:\n%s", code, p.log)
				}
				if d := time.Since(began); answers && d > 5*time.Second {
					t.Errorf("it took %v", d)
				}
				state, n := w.sent()
				if want := map[bool]string{true: "accepted", false: "sending"}[answers]; state != want || n != 1 {
					t.Errorf("%s after %d creates, want %s", state, n, want)
				}
				if !answers {
					w.gate.set("")
					w.forget()
					w.age()
					w.launch()
					w.until("accepted")
				}
			})
		})
	}
}

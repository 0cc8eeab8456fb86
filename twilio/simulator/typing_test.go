package simulator_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"kanal/twilio"
	"kanal/twilio/simulator"
)

// Both versions of the resource show the indicator and mark what the customer wrote as read; each refuses what Twilio does.
func TestTyping(t *testing.T) {
	s, a, client, cred := start(t)
	from, to := a.Customers[0].Address, a.Senders[0].Number
	thread := func() []simulator.Message { return s.Thread(a.SID, from, to) }
	for range 3 {
		s.Receive(a.SID, simulator.Write{Customer: from, Number: to, Body: "Hei"})
	}
	post := func(path, kind, body string) int {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL().String()+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.SetBasicAuth(a.SID, a.Token)
		req.Header.Set("Content-Type", kind)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
		return res.StatusCode
	}
	const v2, v3, form, json = "/v2/Indicators/Typing.json", "/v3/Indicators/Typing.json", "application/x-www-form-urlencoded", "application/json"
	first := thread()[0].SID
	for _, bad := range [][3]string{
		{v2, form, "channel=sms&messageId=" + first}, {v2, form, "channel=whatsapp&messageId=SM00"}, {v2, form, "channel=whatsapp"},
		{v3, json, `{"channel":"whatsapp","messageId":"` + first + `"}`}, {v3, json, `{"channel":"WHATSAPP","messageId":"` + first + `","from":""}`},
		{v3, json, `{`},
	} {
		if got := post(bad[0], bad[1], bad[2]); got != http.StatusBadRequest {
			t.Errorf("%s %s: %d", bad[0], bad[2], got)
		}
	}
	if s.Typing(a.SID, from, to) || thread()[0].Seen {
		t.Fatal("a refused call shows something")
	}
	if got := post(v3, json, `{"channel":"WHATSAPP","messageId":"`+thread()[1].SID+`"}`); got != http.StatusOK {
		t.Fatal(got)
	}
	if m := thread(); !s.Typing(a.SID, from, to) || !m[0].Seen || !m[1].Seen || m[2].Seen {
		t.Errorf("typing %v, seen %v %v %v", s.Typing(a.SID, from, to), m[0].Seen, m[1].Seen, m[2].Seen)
	}
	if _, err := client.CreateMessage(t.Context(), cred, twilio.NewMessage{From: "whatsapp:" + to, To: string(from), Body: "Svar"}); err != nil {
		t.Fatal(err)
	}
	if s.Typing(a.SID, from, to) {
		t.Error("it shows after the answer")
	}
	if err := client.ShowTyping(t.Context(), cred, thread()[2].SID); err != nil || !thread()[2].Seen || !s.Typing(a.SID, from, to) {
		t.Error(err)
	}
	sent := thread()[3].SID
	if err := client.ShowTyping(t.Context(), cred, sent); twilio.AsError(err).Status != http.StatusBadRequest {
		t.Error("for a message of our own:", err)
	}
	cred.AuthToken = "wrong"
	if err := client.ShowTyping(t.Context(), cred, first); twilio.AsError(err).Status != http.StatusUnauthorized {
		t.Error(err)
	}
}

package simulator_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"kanal/twilio"
	"kanal/twilio/simulator"
)

// listing is one page of messages.
type listing struct {
	Messages []struct {
		SID       string            `json:"sid"`
		Body      string            `json:"body"`
		Direction string            `json:"direction"`
		NumMedia  string            `json:"num_media"`
		Parts     map[string]string `json:"subresource_uris"`
	} `json:"messages"`
	Next     *string `json:"next_page_uri"`
	Previous *string `json:"previous_page_uri"`
	Start    int     `json:"start"`
	End      int     `json:"end"`
}

func list(t *testing.T, s *simulator.Simulator, cred twilio.Credentials, at string) listing {
	t.Helper()
	res := get(t, s.URL().String()+at, &cred)
	var l listing
	if err := json.NewDecoder(res.Body).Decode(&l); err != nil || res.StatusCode != 200 {
		t.Fatalf("%s: %d %v", at, res.StatusCode, err)
	}
	return l
}

func (l listing) bodies() string {
	var out []string
	for _, m := range l.Messages {
		out = append(out, m.Body)
	}
	return strings.Join(out, " ")
}

func TestListingOfManyMessages(t *testing.T) {
	now := time.Date(2026, 3, 1, 23, 59, 50, 0, time.UTC)
	s, err := simulator.Open(simulator.Options{Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	a := s.Mint("Test", number)
	cred := twilio.Credentials{AccountSID: a.SID, AuthToken: a.Token}
	kari, jonas := a.Customers[0].Address, a.Customers[1].Address
	for i := range 20 { // one a second, over midnight
		who := kari
		if i%2 == 1 {
			who = jonas
		}
		s.Receive(a.SID, simulator.Write{Customer: who, Number: number, Body: fmt.Sprint(i)})
		now = now.Add(time.Second)
	}
	base := "/2010-04-01/Accounts/" + a.SID + "/Messages.json?"
	q := func(pairs ...string) string {
		v := url.Values{}
		for i := 0; i < len(pairs); i += 2 {
			v.Set(pairs[i], pairs[i+1])
		}
		return base + v.Encode()
	}
	for at, want := range map[string]string{
		q("From", string(kari), "PageSize", "3"):                                                          "18 16 14",
		q("From", string(kari), "To", "whatsapp:"+number, "PageSize", "3"):                                "18 16 14",
		q("From", "whatsapp:"+number):                                                                     "",
		q("To", "whatsapp:"+number, "PageSize", "2"):                                                      "19 18",
		q("DateSent", "2026-03-01", "From", string(jonas)):                                                "9 7 5 3 1",
		q("DateSent>", "2026-03-02", "From", string(kari)):                                                "18 16 14 12 10",
		q("DateSent>", "2026-03-02T00:00:05Z", "From", string(jonas)):                                     "19 17 15",
		q("DateSent<", "2026-03-01T23:59:53Z"):                                                            "3 2 1 0",
		q("DateSent>", "2026-03-01T23:59:52Z", "DateSent<", "2026-03-01T23:59:54Z", "From", string(kari)): "4 2",
		q("DateSent>", "2026-03-03", "From", string(kari)):                                                "",
		q("PageSize", "2", "Page", "1"):                                                                   "17 16",
	} {
		if got := list(t, s, cred, at).bodies(); got != want {
			t.Errorf("%s: %q, want %q", at, got, want)
		}
	}
	var all []string
	at, pages := q("PageSize", "7"), 0
	for ; ; pages++ {
		l := list(t, s, cred, at)
		all = append(all, strings.Fields(l.bodies())...)
		if l.Next == nil {
			if l.Previous == nil || list(t, s, cred, *l.Previous).bodies() != "12 11 10 9 8 7 6" {
				t.Errorf("the page before: %v", l.Previous)
			}
			break
		}
		next, _ := url.Parse(*l.Next)
		if !strings.Contains(next.Query().Get("PageToken"), ".") {
			t.Errorf("a token without a dot: %s", *l.Next)
		}
		at = *l.Next
		s.Receive(a.SID, simulator.Write{Customer: kari, Number: number, Body: "meanwhile"}) // moves nothing
	}
	if pages != 2 || strings.Join(all, " ") != "19 18 17 16 15 14 13 12 11 10 9 8 7 6 5 4 3 2 1 0" {
		t.Errorf("%d pages: %v", pages, all)
	}
}

func TestMediaOfAMessage(t *testing.T) {
	s, a, client, cred := start(t)
	s.Receive(a.SID, simulator.Write{Customer: a.Customers[0].Address, Number: number, Kind: "image", Body: "Hei"})
	m := list(t, s, cred, "/2010-04-01/Accounts/"+a.SID+"/Messages.json").Messages[0]
	if m.Direction != "inbound" || m.NumMedia != "1" || !strings.HasSuffix(m.Parts["media"], "/Messages/"+m.SID+"/Media.json") {
		t.Fatalf("%+v", m)
	}
	type media struct {
		SID    string `json:"sid"`
		Parent string `json:"parent_sid"`
		Type   string `json:"content_type"`
		URI    string `json:"uri"`
	}
	read := func(at string, v any) int {
		res := get(t, s.URL().String()+at, &cred)
		_ = json.NewDecoder(res.Body).Decode(v)
		return res.StatusCode
	}
	var l struct {
		List []media `json:"media_list"`
	}
	if read(m.Parts["media"], &l); len(l.List) != 1 || l.List[0].Type != "image/jpeg" || l.List[0].Parent != m.SID {
		t.Fatalf("%+v", l)
	}
	var one media
	if status := read(l.List[0].URI, &one); status != 200 || one != l.List[0] {
		t.Errorf("%d %+v", status, one)
	}
	if err := client.DeleteMedia(t.Context(), cred, "https://api.twilio.com"+strings.TrimSuffix(one.URI, ".json")); err != nil {
		t.Fatal(err)
	}
	if read(m.Parts["media"], &l); len(l.List) != 0 {
		t.Errorf("removed, but listed: %+v", l)
	}
	if status := read("/2010-04-01/Accounts/"+a.SID+"/Messages/SM0/Media.json", &l); status != 404 {
		t.Errorf("of no message: %d", status)
	}
}

// TestLedgerIsBounded holds that the oldest entries leave, by the bound that was asked for.
func TestLedgerIsBounded(t *testing.T) {
	s, err := simulator.Open(simulator.Options{Now: time.Now, Ledger: 40})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	a := s.Mint("Test", number)
	w := newWire(t, a.Token)
	s.SetInboundURL(a.SID, number, w.URL+"/in")
	for range 50 {
		s.Receive(a.SID, simulator.Write{Customer: a.Customers[0].Address, Number: number})
	}
	es := s.Ledger(a.SID)
	if len(es) > 40 || len(es) < 30 || es[len(es)-1].N != 50 {
		t.Errorf("%d entries, the last is %d", len(es), es[len(es)-1].N)
	}
	if _, ok := s.Entry(a.SID, 1); ok {
		t.Error("the first is still there")
	}
	if e, ok := s.Entry(a.SID, 45); !ok || e.N != 45 {
		t.Errorf("%+v", e)
	}
	if last := s.Newest(a.SID, 3); len(last) != 3 || last[2].N != 50 {
		t.Errorf("%+v", last)
	}
}

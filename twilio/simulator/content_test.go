package simulator_test

import (
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kanal/twilio"
	"kanal/twilio/simulator"
)

// every lists all templates of an account, size a page.
func every(t *testing.T, c *twilio.Client, cred twilio.Credentials, size int) []twilio.Content {
	t.Helper()
	var out []twilio.Content
	for at, first := (twilio.ContentPage{}), true; first || !at.End(); first = false {
		page, next, err := c.ListContents(context.Background(), cred, at, size)
		if err != nil {
			t.Fatal(err)
		}
		out, at = append(out, page...), next
	}
	return out
}

func TestContentsOfNewAccount(t *testing.T) {
	s, a, client, cred := start(t)
	all := every(t, client, cred, 2)
	if len(all) < 9 || len(all) != len(s.Contents(a.SID)) {
		t.Fatalf("%d templates are listed", len(all))
	}
	seen, approved := map[string]bool{}, map[string]int{}
	for _, c := range all {
		if seen[c.SID] {
			t.Errorf("%s is listed twice", c.Name)
		}
		seen[c.SID] = true
		if c.Approval.Status == "approved" {
			approved[c.Language+c.Approval.Category]++
		}
	}
	for _, want := range []string{"nbUTILITY", "nbMARKETING", "enUTILITY", "enMARKETING"} {
		if approved[want] == 0 {
			t.Errorf("no template of %s", want)
		}
	}
}

func TestContentWorkflow(t *testing.T) {
	s, a, client, cred := start(t)
	ctx := context.Background()
	create := func(body, sample string) string {
		t.Helper()
		types, err := json.Marshal(simulator.Text(body))
		if err != nil {
			t.Fatal(err)
		}
		c, err := client.CreateContent(ctx, cred, twilio.NewContent{Name: "ready", Language: "nb", Variables: map[string]string{"1": sample}, Types: types})
		if err != nil || c.Approval.Status != "unsubmitted" {
			t.Fatal(c, err)
		}
		return c.SID
	}
	good, bad := create("Hei, {{1}} er klar til henting nå.", "4711"), create("{{1}} er klar til henting nå.", "4711")
	for _, wrong := range [][2]string{{"Ready", "UTILITY"}, {"ready", "TRANSACTIONAL"}, {"", "UTILITY"}} {
		if _, err := client.SubmitApproval(ctx, cred, good, wrong[0], wrong[1]); twilio.AsError(err).Outcome != twilio.Rejected {
			t.Errorf("%v: %v", wrong, err)
		}
	}
	for _, sid := range []string{good, bad} {
		if p, err := client.SubmitApproval(ctx, cred, sid, "ready", "UTILITY"); err != nil || p.Status != "received" {
			t.Fatal(p, err)
		}
	}
	if _, err := client.SubmitApproval(ctx, cred, good, "ready", "UTILITY"); err == nil {
		t.Error("submitted twice")
	}
	status := func(sid string) string {
		t.Helper()
		p, err := client.FetchApproval(ctx, cred, sid)
		if err != nil {
			t.Fatal(err)
		}
		return p.Status + " " + p.Category + " " + strings.SplitN(p.Reason, ".", 2)[0]
	}
	for _, step := range []struct {
		by        time.Duration
		good, bad string
	}{
		{0, "received UTILITY ", "received UTILITY "},
		{simulator.DefaultReview / 2, "pending UTILITY ", "pending UTILITY "},
		{simulator.DefaultReview, "approved UTILITY ", "rejected UTILITY INVALID_FORMAT"},
	} {
		s.Advance(a.SID, step.by)
		if g, b := status(good), status(bad); g != step.good || b != step.bad {
			t.Errorf("after %s: %q and %q", step.by, g, b)
		}
	}
	s.Decide(a.SID, good, "paused", "")
	if got := status(good); got != "paused UTILITY " {
		t.Error(got)
	}
	if s.Decide(a.SID, "HX", "paused", "") {
		t.Error("a template that is not there was paused")
	}
	if c, err := client.FetchContent(ctx, cred, good); err != nil || c.Name != "ready" || !strings.Contains(c.Types, "klar til henting") {
		t.Error(c, err)
	}
	if err := client.DeleteContent(ctx, cred, good); err != nil {
		t.Error(err)
	}
	if _, err := client.FetchContent(ctx, cred, good); twilio.AsError(err).Status != 404 {
		t.Error(err)
	}
	s.FailListings(a.SID, 0, 500)
	if _, next, err := client.ListContents(ctx, cred, twilio.ContentPage{}, 2); err != nil {
		t.Error(err)
	} else if _, _, err := client.ListContents(ctx, cred, next, 2); twilio.AsError(err).Status != 500 {
		t.Error(err)
	}
}

func TestReviewByHand(t *testing.T) {
	s, a, client, cred := start(t)
	s.SetReview(a.SID, -1)
	sid := s.AddContent(a.SID, simulator.Content{Name: "x", Language: "nb", Types: simulator.Text("Hei.")})
	if _, err := client.SubmitApproval(context.Background(), cred, sid, "x", "UTILITY"); err != nil {
		t.Fatal(err)
	}
	s.Advance(a.SID, 1000*time.Hour)
	if p, err := client.FetchApproval(context.Background(), cred, sid); err != nil || p.Status != "received" {
		t.Error(p, err)
	}
}

func TestTemplateOnThePhone(t *testing.T) {
	s, a, client, cred := start(t)
	c := newCenter(t, &cred.AuthToken)
	s.SetInboundURL(a.SID, number, c.URL+"/in")
	kari := a.Customers[0].Address
	find := func(name string) string {
		for _, x := range s.Contents(a.SID) {
			if x.Name == name {
				return x.SID
			}
		}
		t.Fatal(name)
		return ""
	}
	send := func(content, variables string) (twilio.Message, error) {
		return client.CreateMessage(context.Background(), cred, twilio.NewMessage{
			From: "whatsapp:" + number, To: string(kari), ContentSID: content, ContentVariables: variables, StatusCallback: c.URL + "/status",
		})
	}
	for want, tt := range map[int][2]string{
		twilio.CodeContentSID:    {"HX00000000000000000000000000000000", ""},
		twilio.CodeContentValues: {find("timepaminnelse"), `{"1":"a\nb"}`},
	} {
		if _, err := send(tt[0], tt[1]); twilio.AsError(err).Code != want {
			t.Errorf("%d: %v", want, err)
		}
	}
	m, err := send(find("timepaminnelse"), `{"1":"Kari","2":"onsdag"}`)
	if err != nil || m.Body != "Hei Kari, vi minner om timen din onsdag kl. 10.30. Passer det fortsatt?" {
		t.Fatal(m, err)
	}
	for _, want := range []string{"sent", "delivered", "read"} { // nobody has written: it is approved
		if f := wait(t, c); f.Get("MessageStatus") != want || f.Get("StructuredMessage") != "true" {
			t.Errorf("%v", f)
		}
	}
	shown := s.Thread(a.SID, kari, number)[0].Shown
	if shown == nil || len(shown.Actions) != 2 || !shown.Approved {
		t.Fatalf("%+v", shown)
	}
	tap := shown.Actions[0]
	s.Receive(a.SID, simulator.Write{Customer: kari, Number: number, Kind: "button", Body: tap.Title, Payload: tap.Value, Reply: m.SID})
	f := wait(t, c)
	for field, want := range map[string]string{
		"MessageType": "button", "Body": "Ja, jeg kommer", "ButtonText": "Ja, jeg kommer", "ButtonPayload": "Ja, jeg kommer", "OriginalRepliedMessageSid": m.SID,
	} {
		if f.Get(field) != want {
			t.Errorf("%s is %q", field, f.Get(field))
		}
	}
	s.Decide(a.SID, find("oppfolging"), "paused", "")
	if _, err := send(find("oppfolging"), `{"1":"Kari"}`); err != nil {
		t.Fatal(err)
	}
	wait(t, c)
	if f := wait(t, c); f.Get("ErrorCode") != "63041" {
		t.Errorf("a paused template: %v", f)
	}
}

func TestContentsAreKept(t *testing.T) {
	file := filepath.Join(t.TempDir(), "simulator.json")
	open := func() *simulator.Simulator {
		s, err := simulator.Open(simulator.Options{Now: time.Now, File: file})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := open()
	a := s.Mint("Test", number)
	s.AddContent(a.SID, simulator.Content{Name: "mine", Language: "nb", Types: simulator.Text("Hei.")})
	was := s.Contents(a.SID)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open()
	defer func() { _ = s.Close() }()
	if is := s.Contents(a.SID); len(is) != len(was) || is[0].Name != "mine" || is[0].SID != was[0].SID {
		t.Errorf("%d templates were, %d are", len(was), len(is))
	}
}

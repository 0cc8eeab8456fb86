package simulator_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"kanal/twilio"
	"kanal/twilio/simulator"
)

// sent lets a customer send a file and gives its address at Twilio.
func sent(t *testing.T, s *simulator.Simulator, c *center, a simulator.Account, kind string) string {
	t.Helper()
	s.Receive(a.SID, simulator.Write{Customer: a.Customers[0].Address, Number: number, Kind: kind})
	return wait(t, c).Get("MediaUrl0")
}

func TestFilesOfCustomers(t *testing.T) {
	s, a, _, cred := start(t)
	c := newCenter(t, &a.Token)
	s.SetInboundURL(a.SID, number, c.URL+"/in")
	client := twilio.New(twilio.Options{SimulatorBase: s.URL(), SimulatorMedia: s.MediaURL(), IsSimulated: s.Has})
	for kind, begins := range map[string]string{
		"image": "\xff\xd8\xff", "audio": "OggS", "video": "\x00\x00\x00", "document": "%PDF", "sticker": "RIFF", "contacts": "BEGIN:VCARD",
		"image_wrong": "<!DOCTYPE html>",
	} {
		f, err := client.OpenMedia(context.Background(), cred, sent(t, s, c, a, kind))
		if err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		b, err := io.ReadAll(f.Body)
		if err != nil || !strings.HasPrefix(string(b), begins) || f.Size != int64(len(b)) {
			t.Errorf("%s: %d bytes of %d begin with %q: %v", kind, len(b), f.Size, b[:min(len(b), 12)], err)
		}
		_ = f.Body.Close()
	}
	if f, err := client.OpenMedia(context.Background(), cred, sent(t, s, c, a, "image_large")); err != nil || f.Size <= twilio.MaxMedia {
		t.Errorf("large: %d bytes, %v", f.Size, err)
	} else {
		_ = f.Body.Close()
	}
	s.SetChaos(a.SID, simulator.Chaos{Late: 50 * time.Millisecond})
	late := sent(t, s, c, a, "image_late")
	if _, err := client.OpenMedia(context.Background(), cred, late); twilio.AsError(err).Status != 404 {
		t.Errorf("a late file at first: %v", err)
	}
	for {
		f, err := client.OpenMedia(context.Background(), cred, late)
		if err == nil {
			_ = f.Body.Close()
			break
		}
		if twilio.AsError(err).Status != 404 {
			t.Fatalf("late: %v", err)
		}
	}
	gone := sent(t, s, c, a, "document")
	for range 2 {
		if err := client.DeleteMedia(context.Background(), cred, gone); err != nil {
			t.Error(err)
		}
	}
	if _, err := client.OpenMedia(context.Background(), cred, gone); twilio.AsError(err).Status != 404 {
		t.Errorf("removed: %v", err)
	}
}

// TestFileAddresses holds that the store of files refuses credentials and addresses that were changed or have run out.
func TestFileAddresses(t *testing.T) {
	now := time.Now()
	s, err := simulator.Open(simulator.Options{Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	a := s.Mint("Test", number)
	c := newCenter(t, &a.Token)
	s.SetInboundURL(a.SID, number, c.URL+"/in")
	address := strings.Replace(sent(t, s, c, a, "image"), "https://api.twilio.com", s.URL().String(), 1)
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	req.SetBasicAuth(a.SID, a.Token)
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil || res.StatusCode != http.StatusTemporaryRedirect {
		t.Fatal(res, err)
	}
	_ = res.Body.Close()
	to := res.Header.Get("Location")
	if !strings.HasPrefix(to, s.MediaURL().String()+"/") || strings.HasPrefix(to, s.URL().String()) {
		t.Errorf("the file lies at %s", to)
	}
	status := func(address string, change func(*http.Request)) int {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
		if change != nil {
			change(req)
		}
		res, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		return res.StatusCode
	}
	if got := status(to, nil); got != 200 {
		t.Errorf("as given: %d", got)
	}
	if got := status(to, func(r *http.Request) { r.SetBasicAuth(a.SID, a.Token) }); got != 400 {
		t.Errorf("with credentials: %d", got)
	}
	if got := status(strings.Replace(to, "Signature=", "Signature=0", 1), nil); got != 403 {
		t.Errorf("with another signature: %d", got)
	}
	now = now.Add(10 * time.Minute)
	if got := status(to, nil); got != 403 {
		t.Errorf("too late: %d", got)
	}
}

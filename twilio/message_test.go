package twilio

import (
	"context"
	"net/http"
	"strings"
	"testing"
)

func TestMessageWithAFile(t *testing.T) {
	var form map[string][]string
	c := answering(t, func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		form = r.PostForm
		w.WriteHeader(http.StatusCreated)
		_, _ = w.Write([]byte(strings.Replace(outgoing, "{", `{"num_media":"1",`, 1)))
	})
	m, err := c.CreateMessage(context.Background(), cred, NewMessage{From: "whatsapp:+4721000040", To: "whatsapp:+4740000142", MediaURL: "https://kanal.example/media/abc"})
	if err != nil || m.Files != 1 {
		t.Fatalf("%d files: %v", m.Files, err)
	}
	if got := form["MediaUrl"]; len(got) != 1 || got[0] != "https://kanal.example/media/abc" {
		t.Errorf("MediaUrl: %q", got)
	}
	if got, sent := form["Body"]; sent {
		t.Errorf("a text that is none is sent: %q", got)
	}
	if _, err = c.CreateMessage(context.Background(), cred, NewMessage{From: "whatsapp:+4721000040", To: "whatsapp:+4740000142", Body: "Hei"}); err != nil {
		t.Fatal(err)
	}
	if _, sent := form["MediaUrl"]; sent || form["Body"][0] != "Hei" {
		t.Errorf("form %v", form)
	}
}

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

// Every code of a message that Twilio documents for WhatsApp has advice, and so a sentence.
func TestCodesOfWhatsApp(t *testing.T) {
	codes := []int{
		63016, 63015, 63003, 63024, 63014, 63032, 63033, 63050, 63049, 63005, 63006, 63013, 63021, 63019, 63025, 63034, 63037, 11751, 63027,
		63028, 63029, 63030, 63041, 63042, 63007, 63001, 63002, 63008, 63022, 63020, 63051, 63010, 63012, 63009, 63023, 63011, 63018, 63017,
		63038, 63031, 21211, 21408, 21610, 21617, 21620, 21623, 21655, 21656, 21703, 21704, 21705, 21910, 20003, 20005, 20404, 20429, 30001,
		30036, 30003, 30004, 30005, 30006, 30007, 30008, 30409,
	}
	for _, code := range codes {
		if _, known := AdviceFor(code); !known {
			t.Errorf("%d", code)
		}
	}
	if a, known := AdviceFor(64999); known || a != AdviceRetry {
		t.Errorf("an unknown code: %v, %s", known, a)
	}
}

package models

import (
	"strings"
	"testing"
)

func TestOptOutWords(t *testing.T) {
	for body, want := range map[string]OptOutWord{
		"STOP": StopWord, "stop": StopWord, "Stopp!": StopWord, "  Avmeld. ": StopWord, "«STOPP»": StopWord, "Meld meg  av": StopWord,
		"Unsubscribe": StopWord, "STOP ALL": StopWord, "opt-out": StopWord, "Arrêt": StopWord, "stop\n": StopWord, "STOP 🛑": StopWord,
		"START": StartWord, "Start!": StartWord, "unstop": StartWord, "Påmeld": StartWord, "M’abonner": StartWord, "m'abonner": StartWord,
		"": NoWord, "!": NoWord, "Stopp å sende meg dette": NoWord, "Kan dere stoppe?": NoWord, "Når starter dere?": NoWord, "stop stop": NoWord,
		"avbestilling": NoWord, "yes": NoWord, "Slutt": NoWord,
		strings.Repeat(" ", longestWord) + "STOP": NoWord,
	} {
		if got := ParseOptOut(KindText, body); got != want {
			t.Errorf("%q: %q, want %q", body, got, want)
		}
	}
}

func TestOptOutByButton(t *testing.T) {
	for _, tt := range []struct {
		kind MessageKind
		body string
		want OptOutWord
	}{
		{KindButton, "Stopp", StopWord},
		{KindButton, "START", StartWord},
		{KindButton, "Cancel", NoWord},
		{KindButton, "End", NoWord},
		{KindImage, "STOP", NoWord},
		{KindListReply, "STOP", NoWord},
	} {
		if got := ParseOptOut(tt.kind, tt.body); got != tt.want {
			t.Errorf("%s %q: %q, want %q", tt.kind, tt.body, got, tt.want)
		}
	}
}

// A word that stands in both lists would opt out and in again.
func TestNoWordStopsAndStarts(t *testing.T) {
	for w := range stopWords {
		if startWords[w] {
			t.Errorf("%q is both", w)
		}
	}
}

func TestConfirmationsAreOfTheLanguage(t *testing.T) {
	seen := map[string]bool{}
	for _, l := range append(CustomerLanguages(), "fr") {
		for _, w := range []OptOutWord{StopWord, StartWord} {
			text := OptOutConfirmation(l, w)
			if want := l != "fr"; seen[text] == want {
				t.Errorf("%s %s: %q", l, w, text)
			}
			seen[text] = true
		}
	}
}

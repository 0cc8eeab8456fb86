package models

import (
	"testing"
	"time"
)

func TestConsentDecidesTemplates(t *testing.T) {
	out := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	now := out.Add(time.Hour)
	consent := func(scope ConsentScope, given bool, source, note string) Consent {
		return Consent{Scope: scope, Given: given, Source: source, Note: note, At: out}
	}
	never := ServiceWindow{}
	open := ServiceWindow{}.CustomerWrote(now.Add(-time.Minute))
	atStop := ServiceWindow{}.CustomerWrote(out)
	closed := ServiceWindow{}.CustomerWrote(now.Add(-48 * time.Hour))
	all, in := consent(ConsentAll, false, SourceStopWord, ""), consent(ConsentAll, true, SourceAgent, "form")
	noAds, ads := consent(ConsentMarketing, false, SourceTwilio, "63050"), consent(ConsentMarketing, true, SourceAgent, "form")
	blocked, unsubscribed := consent(ConsentAll, false, SourceTwilio, "63014"), consent(ConsentAll, false, SourceTwilio, "21610")
	for _, tt := range []struct {
		what               string
		history            []Consent
		window             ServiceWindow
		utility, marketing ConsentRefusal
	}{
		{"nothing said, never written", nil, never, RefusedNoOptIn, RefusedNoOptIn},
		{"nothing said, window closed", nil, closed, RefusedNoOptIn, RefusedNoOptIn},
		{"nothing said, window open", nil, open, ConsentAllows, ConsentAllows},
		{"agreed to all", []Consent{in}, never, ConsentAllows, ConsentAllows},
		{"agreed to marketing only", []Consent{ads}, never, RefusedNoOptIn, ConsentAllows},
		{"opted out, window open by the stop word itself", []Consent{in, all}, atStop, RefusedOptedOut, RefusedOptedOut},
		{"opted out and wrote again", []Consent{in, all}, open, ConsentAllows, RefusedOptedOut},
		{"opted out and wrote again, then the window closed", []Consent{all}, closed, RefusedOptedOut, RefusedOptedOut},
		{"opted out, but agreed to marketing before", []Consent{ads, all}, closed, RefusedOptedOut, RefusedOptedOut},
		{"opted out and in again", []Consent{all, in}, closed, ConsentAllows, ConsentAllows},
		{"out of marketing alone, window closed", []Consent{in, noAds}, closed, ConsentAllows, RefusedNoMarketing},
		{"out of marketing alone, window open", []Consent{noAds}, open, ConsentAllows, RefusedNoMarketing},
		{"out of marketing, then in to all: the newest of each scope holds", []Consent{noAds, in}, closed, ConsentAllows, RefusedNoMarketing},
		{"Twilio refuses, also who writes", []Consent{unsubscribed}, open, RefusedOptedOut, RefusedOptedOut},
		{"blocks us", []Consent{blocked}, atStop, RefusedOptedOut, RefusedOptedOut},
		{"blocked us and wrote again", []Consent{blocked}, open, ConsentAllows, RefusedOptedOut},
	} {
		s := ConsentStateOf(tt.history...)
		if got := s.Template("UTILITY", tt.window, now); got != tt.utility {
			t.Errorf("%s: utility %q, want %q", tt.what, got, tt.utility)
		}
		if got := s.Template(CategoryMarketing, tt.window, now); got != tt.marketing {
			t.Errorf("%s: marketing %q, want %q", tt.what, got, tt.marketing)
		}
	}
}

func TestConsentDecidesReplies(t *testing.T) {
	out := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	before, after := ServiceWindow{}.CustomerWrote(out), ServiceWindow{}.CustomerWrote(out.Add(time.Second))
	for _, tt := range []struct {
		source, note  string
		before, after ConsentRefusal
	}{
		{SourceStopWord, "", ConsentAllows, ConsentAllows},
		{SourceAgent, "phone", ConsentAllows, ConsentAllows},
		{SourceTwilio, "STOP", RefusedOptedOut, RefusedOptedOut},
		{SourceTwilio, "21610", RefusedOptedOut, RefusedOptedOut},
		{SourceTwilio, "63014", RefusedOptedOut, ConsentAllows},
	} {
		s := ConsentStateOf(Consent{Scope: ConsentAll, Source: tt.source, Note: tt.note, At: out})
		if got := s.Reply(before); got != tt.before {
			t.Errorf("%s %s: %q before the customer writes, want %q", tt.source, tt.note, got, tt.before)
		}
		if got := s.Reply(after); got != tt.after {
			t.Errorf("%s %s: %q after the customer wrote, want %q", tt.source, tt.note, got, tt.after)
		}
	}
	if got := (ConsentState{}).Reply(before); got != ConsentAllows {
		t.Errorf("nothing said: %q", got)
	}
}

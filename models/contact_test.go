package models

import "testing"

func TestPlainPhone(t *testing.T) {
	for in, want := range map[string]string{
		"+5511987654321": "+551187654321", "+551187654321": "+551187654321", // Brazil, a mobile phone
		"+5511932345678": "+5511932345678", "+551132345678": "+551132345678", // a mobile phone without a short form; a landline
		"+5491123456789": "+541123456789", "+541123456789": "+541123456789", "+54911234567": "+54911234567",
		"+5215512345678": "+525512345678", "+525512345678": "+525512345678", "+521551234567": "+521551234567",
		"+4740000199": "+4740000199", "+5": "+5", "": "", "+55": "+55",
	} {
		if got := PlainPhone(in); got != want || PlainPhone(got) != got {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

func TestProfileName(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "Ann": "Ann", " Ann\n  Lie\t": "Ann Lie", "مريم علي": "مريم علي", "👩\u200d👧": "👩\u200d👧", "می\u200cخواهم": "می\u200cخواهم", "❤\ufe0f": "❤\ufe0f", "'": "'",
		"\u202enimda\u202c": "nimda", "\u2066a\u2069\u200eb\u061c": "ab", "a\x07b": "ab", // what turns the text around, or rings
		"\u3164": "", "\u2800 \u2800": "", "\u200b\u200d\ufeff": "", "\u00ad\u115f\uffa0": "", "\u0301": "", " \n\u00a0": "", // nothing is seen
	} {
		if got := ProfileName(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

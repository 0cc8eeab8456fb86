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

package models

import "testing"

func TestRoomVerdict(t *testing.T) {
	for _, tt := range []struct {
		free, total int64
		want        Verdict
	}{
		{100 << 20, 100 << 30, VerdictFailed}, {1 << 30, 100 << 30, VerdictWarning}, {1 << 30, 10 << 30, VerdictOK}, {50 << 30, 4 << 40, VerdictOK},
	} {
		if got := RoomVerdict(tt.free, tt.total); got != tt.want {
			t.Errorf("%d of %d: %s, want %s", tt.free, tt.total, got, tt.want)
		}
	}
}

func TestMasked(t *testing.T) {
	for in, want := range map[string]string{"+4721000040": "+47…40", "MG0123456789": "MG0…89", "secret": "…", "": "…"} {
		if got := Masked(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

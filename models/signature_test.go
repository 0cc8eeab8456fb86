package models

import (
	"slices"
	"testing"
	"time"
)

func TestAddressDiffers(t *testing.T) {
	for _, x := range []struct {
		expected, seen string
		want           []string
	}{
		{"https://cc.example.com/hooks/x", "https://cc.example.com/hooks/x", nil},
		{"https://cc.example.com/hooks/x", "//CC.example.com/hooks/x", nil}, // nobody knows the scheme
		{"https://cc.example.com/hooks/x", "//cc.example.com:443/hooks/x", nil},
		{"http://cc.example.com/hooks/x", "http://cc.example.com:80/hooks/x", nil},
		{"https://cc.example.com/hooks/x", "http://cc.example.com/hooks/x", []string{PartScheme}},
		{"https://cc.example.com/hooks/x", "//old.example.com/hooks/x", []string{PartHost}},
		{"https://cc.example.com:8443/hooks/x", "https://cc.example.com/hooks/x", []string{PartPort}},
		{"https://cc.example.com/kanal/hooks/x", "//127.0.0.1:8080/hooks/x", []string{PartHost, PartPort, PartPath}},
		{"https://cc.example.com/hooks/x", "", nil},
		{"https://cc.example.com/hooks/x", "//%zz/hooks", nil},
	} {
		if got := AddressDiffers(x.expected, x.seen); !slices.Equal(got, x.want) {
			t.Errorf("%s, %s: %v", x.expected, x.seen, got)
		}
	}
}

// What is said about the same within an hour stands together; what is older, of another account or code does not.
func TestAlertsAreGrouped(t *testing.T) {
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	row := func(id AlertID, account AccountID, code, minutes int) AlertRow {
		return AlertRow{Alert: Alert{ID: id, AccountID: account, ErrorCode: code, HappenedAt: noon.Add(time.Duration(minutes) * time.Minute)}}
	}
	groups := GroupAlerts([]AlertRow{
		row(7, 1, 11200, 59), row(6, 1, 12300, 58), row(5, 2, 11200, 57), row(4, 1, 11200, 1), row(3, 1, 11200, -1), row(2, 1, 12300, -2), row(1, 1, 11200, -30),
	})
	var got [][]AlertID
	for _, g := range groups {
		var ids []AlertID
		for _, a := range g {
			ids = append(ids, a.ID)
		}
		got = append(got, ids)
	}
	want := [][]AlertID{{7, 4, 3}, {6, 2}, {5}, {1}}
	if !slices.EqualFunc(got, want, slices.Equal[[]AlertID]) {
		t.Errorf("%v", got)
	}
}

package models_test

import (
	"testing"
	"time"

	"kanal/models"
)

// TestLock holds how long each wrong password in a row makes the user wait.
func TestLock(t *testing.T) {
	var u models.User
	for i, want := range []time.Duration{0, 0, 0, 0, 1, 2, 4, 8, 15, 15, 15, 15} {
		want *= time.Minute
		u = u.AfterWrongPassword(noon)
		if want == 0 {
			if u.Locked(noon) {
				t.Errorf("locked after %d wrong passwords", i+1)
			}
			continue
		}
		if !u.Locked(noon.Add(want-1)) || u.Locked(noon.Add(want)) {
			t.Errorf("after %d wrong passwords: until %v, want %v", i+1, u.LockedUntil, want)
		}
	}
	for range 100 {
		u = u.AfterWrongPassword(noon)
	}
	if !u.LockedUntil.Equal(noon.Add(15 * time.Minute)) {
		t.Errorf("a long attack locks until %v", u.LockedUntil)
	}
}

func TestADayWithoutBeginsTheCountAnew(t *testing.T) {
	u := models.User{}
	for range 6 {
		u = u.AfterWrongPassword(noon)
	}
	if again := u.AfterWrongPassword(u.LockedUntil.Add(24 * time.Hour)); again.FailedLogins != 7 {
		t.Errorf("exactly a day later: %d", again.FailedLogins)
	}
	again := u.AfterWrongPassword(u.LockedUntil.Add(24*time.Hour + 1))
	if again.FailedLogins != 1 || again.Locked(u.LockedUntil.Add(24*time.Hour+1)) {
		t.Errorf("more than a day later: %d, locked until %v", again.FailedLogins, again.LockedUntil)
	}
}

func TestRoles(t *testing.T) {
	for role, want := range map[models.Role][2]bool{
		models.Administrator: {true, true}, models.Supervisor: {true, true}, models.Agent: {true, false},
		"": {false, false}, "Administrator": {false, false}, "operator": {false, false},
	} {
		if got := [2]bool{role.Valid(), role.SeesAll()}; got != want {
			t.Errorf("%q: valid, sees all = %v, want %v", role, got, want)
		}
	}
	for _, r := range models.Roles() {
		if !r.Valid() {
			t.Errorf("%s is offered and not valid", r)
		}
	}
}

func TestNormalEmail(t *testing.T) {
	if got := models.NormalEmail("  Kari.Nordli@Example.COM\n"); got != "kari.nordli@example.com" {
		t.Error(got)
	}
}

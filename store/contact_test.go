package store_test

import (
	"slices"
	"testing"
	"time"

	"kanal/models"
	"kanal/store"
	"kanal/store/storetest"
)

// The profile name follows the last message that has one; the name that a person typed stays.
func TestProfileNames(t *testing.T) {
	const phone, user = "+4790000001", "NO.1234"
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		seen := clock.Now()
		for _, tt := range []struct {
			what  string
			names []string
			want  string
			moves bool
		}{
			{"a new customer without a name", []string{""}, "", true},
			{"the first name", []string{"Ann"}, "Ann", true},
			{"the same name", []string{"Ann"}, "Ann", false},
			{"no name", []string{""}, "Ann", false},
			{"the last of several", []string{"Berit", "Cecilie", ""}, "Cecilie", true},
			{"there and back", []string{"Dagny", "Cecilie"}, "Cecilie", false},
		} {
			clock.Advance(time.Minute)
			var addresses []store.Address
			for _, name := range tt.names {
				addresses = append(addresses, store.Address{Phone: phone, ProfileName: name}, store.Address{Phone: phone, BSUID: user, ProfileName: name})
			}
			ids := contacts(t, s, addresses)
			if len(slices.Compact(ids)) != 1 {
				t.Fatalf("%s: contacts %v of one customer", tt.what, ids)
			}
			c, known, err := s.Contact(ctx, ids[0])
			if err != nil || len(known) != 2 {
				t.Fatal(tt.what, known, err)
			}
			if tt.moves {
				seen = clock.Now()
			}
			if c.ProfileName != tt.want || c.Name != "" || !c.UpdatedAt.Equal(seen) {
				t.Errorf("%s: %+v, want %q since %s", tt.what, c, tt.want, seen)
			}
		}
	})
}

// A user id wins over a number, and each value is looked for among its own kind.
func TestUserIDWinsOverNumber(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, _ *storetest.Clock) {
		ids := contacts(t, s, []store.Address{{Phone: "+1", ProfileName: "A"}, {BSUID: "US.1", ProfileName: "B"}, {BSUID: "+1", ProfileName: "C"}})
		if ids[0] == ids[1] || ids[1] == ids[2] || ids[0] == ids[2] {
			t.Fatalf("three customers: %v", ids)
		}
		both := contacts(t, s, []store.Address{{Phone: "+1", BSUID: "US.1", ProfileName: "B"}})
		if both[0] != ids[1] {
			t.Errorf("number and user id of two: %v, want the user id's %v", both, ids[1])
		}
		for i, want := range []string{"A", "B", "C"} {
			if c, _, err := s.Contact(ctx, ids[i]); err != nil || c.ProfileName != want {
				t.Errorf("%+v, %v, want %s", c, err, want)
			}
		}
	})
}

func contacts(t *testing.T, s *store.Store, addresses []store.Address) (ids []models.ContactID) {
	t.Helper()
	err := s.InTx(ctx, func(tx *store.Tx) error {
		var err error
		ids, err = tx.Contacts(ctx, addresses)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

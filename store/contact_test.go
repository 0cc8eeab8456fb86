package store_test

import (
	"slices"
	"strconv"
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

// A name that a person typed stays, whatever the customer's profile says and by whichever address the customer writes.
func TestTypedNameStays(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, _ *storetest.Clock) {
		id := contacts(t, s, []store.Address{{Phone: "+5215512345678", ProfileName: "ana"}})[0]
		err := s.InTx(ctx, func(tx *store.Tx) error {
			c, _, err := tx.Contact(ctx, id)
			if err != nil {
				return err
			}
			c.Name = "Ana Ruiz"
			return tx.SaveCustomer(ctx, c)
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range []store.Address{
			{Phone: "+5215512345678", ProfileName: "Boss"}, {Phone: "+525512345678", ProfileName: "Boss 2"}, {Phone: "+525512345678", BSUID: "MX.1", ProfileName: "Boss 3"},
			{BSUID: "MX.1", ProfileName: "Boss 4"},
		} {
			if got := contacts(t, s, []store.Address{a}); got[0] != id {
				t.Fatalf("%+v is contact %v, not %v", a, got[0], id)
			}
			if c, _, err := s.Contact(ctx, id); err != nil || c.Name != "Ana Ruiz" || c.ProfileName != a.ProfileName {
				t.Errorf("%+v %v", c, err)
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

// The two forms of a number of Brazil, Argentina and Mexico are one customer, whichever came first and also when both
// come at once; only the forms from which somebody has written are the customer's.
func TestNumberVariantsAreOneContact(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, _ *storetest.Clock) {
		for i, pair := range [][2]string{
			{"+5511987654321", "+551187654321"}, {"+5491123456789", "+541123456789"}, {"+5215512345678", "+525512345678"},
			{"+552187654322", "+5521987654322"}, {"+541123456780", "+5491123456780"}, {"+525512345670", "+5215512345670"},
		} {
			first := contacts(t, s, []store.Address{{Phone: pair[0]}})
			if known := phones(t, s, first[0]); !slices.Equal(known, []string{pair[0]}) {
				t.Errorf("%s: known as %v", pair[0], known)
			}
			second := contacts(t, s, []store.Address{{Phone: pair[1]}, {Phone: pair[0]}, {Phone: pair[1]}})
			if second[0] != first[0] || second[1] != first[0] || second[2] != first[0] {
				t.Errorf("%v: contacts %v and %v", pair, first, second)
			}
			want := []string{pair[0], pair[1]}
			slices.Sort(want)
			if known := phones(t, s, first[0]); !slices.Equal(known, want) {
				t.Errorf("%v: known as %v", pair, known)
			}
			at := func(n string) string { return n[:len(n)-3] + "77" + strconv.Itoa(i) } // another customer
			both := contacts(t, s, []store.Address{{Phone: at(pair[1])}, {Phone: at(pair[0])}})
			if both[0] != both[1] || both[0] == first[0] {
				t.Errorf("%v at once: contacts %v, the first customer is %v", pair, both, first)
			}
		}
		for _, pair := range [][2]string{{"+5511932345678", "+551132345678"}, {"+47140000199", "+4740000199"}, {"+521551234567", "+52551234567"}} {
			if ids := contacts(t, s, []store.Address{{Phone: pair[0]}, {Phone: pair[1]}}); ids[0] == ids[1] {
				t.Errorf("%v are two customers", pair)
			}
		}
	})
}

func phones(t *testing.T, s *store.Store, id models.ContactID) (out []string) {
	t.Helper()
	_, ids, err := s.Contact(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range ids {
		out = append(out, i.Value)
	}
	return out
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

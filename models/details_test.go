package models

import (
	"reflect"
	"testing"
)

func TestDetailsAreKeptAsJSON(t *testing.T) {
	for _, d := range []Details{
		{},
		{Place: &Place{Latitude: 59.91, Longitude: 10.75, Label: "Oslo"}, Forwarded: "once"},
		{Cards: []Card{{Name: "Kari", Phones: []string{"+4790000001"}}}, Flow: []Answer{{"day", "monday"}}},
	} {
		v, err := d.Value()
		if err != nil {
			t.Fatal(err)
		}
		if reflect.DeepEqual(d, Details{}) != (v == "") {
			t.Errorf("%+v is kept as %q", d, v)
		}
		got := Details{Footer: "left over"}
		if err := got.Scan(v); err != nil || !reflect.DeepEqual(got, d) {
			t.Errorf("%+v comes back as %+v, %v", d, got, err)
		}
	}
	var d Details
	if d.Scan([]byte("{")) == nil || d.Scan(7) == nil {
		t.Error("what is not details was read")
	}
}

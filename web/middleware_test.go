package web

import (
	"net/http/httptest"
	"strings"
	"testing"
)

// A browser without script ends each line of a text area with CR and LF; what is kept and sent has LF alone, so that
// the same text is the same text.
func TestFormLinesEndWithLF(t *testing.T) {
	r := httptest.NewRequest("POST", "/", strings.NewReader("body=one%0D%0Atwo%0D%0A%0D%0Athree%0Dx"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if err := readForm(r, false); err != nil {
		t.Fatal(err)
	}
	if got, want := r.PostFormValue("body"), "one\ntwo\n\nthree\rx"; got != want {
		t.Errorf("body = %q, want %q", got, want)
	}
}

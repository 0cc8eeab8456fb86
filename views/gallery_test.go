package views

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var publicTempl = regexp.MustCompile(`(?m)^templ ([A-Z]\w*)\(`)

// The gallery shows every component; what htmx puts beside an answer shows as a toast.
func TestGalleryShowsEveryComponent(t *testing.T) {
	gallery, err := os.ReadFile("gallery.templ")
	if err != nil {
		t.Fatal(err)
	}
	sources, err := filepath.Glob("components/*.templ")
	if err != nil || len(sources) == 0 {
		t.Fatal(sources, err)
	}
	for _, path := range sources {
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range publicTempl.FindAllSubmatch(src, -1) {
			name := string(found[1])
			if !slices.Contains([]string{"OOBToast", "OOBFlash", "OOBError"}, name) && !strings.Contains(string(gallery), "@components."+name+"(") {
				t.Errorf("the gallery does not show %s of %s", name, path)
			}
		}
	}
}

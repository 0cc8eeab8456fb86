package kanal_test

import (
	"go/ast"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// floor is what a package may import. "views/..." means the package views and all below it; "..." means everything.
type floor struct {
	ours  []string
	third []string
}

// floors are the packages of the program. Imports only go down. A package that is not here fails the test: add it
// where it belongs.
var floors = map[string]floor{
	".":                {ours: all, third: nil},
	"cmd/kanal":        {ours: all, third: []string{"kong", "prometheus", "x/sync", "x/sys"}},
	"cmd/loadgen":      {ours: all, third: []string{"kong", "x/sync", "x/sys"}},
	"cmd/seed":         {ours: all, third: []string{"kong"}},
	"web":              {ours: webMay, third: []string{"echo", "scs", "x/time", "templ", "x/sync", "prometheus"}},
	"web/live":         {ours: webMay, third: []string{"echo", "x/sync", "prometheus"}},
	"jobs":             {ours: []string{"models", "store", "service"}, third: []string{"river", "x/sync", "prometheus"}},
	"views/...":        {ours: []string{"models", "static", "views/..."}, third: []string{"templ", "x/text"}},
	"service":          {ours: []string{"models", "routing", "store", "store/blob", "store/spool", "twilio"}, third: []string{"argon2id", "phonenumbers", "x/sync", "prometheus"}},
	"store":            {ours: []string{"models", "migrations"}, third: []string{"gorm", "pgx", "sqlite", "goose", "river", "x/sync", "x/sys", "prometheus"}},
	"store/blob":       {ours: []string{"models"}, third: []string{"minio", "x/image", "mimetype", "x/sync", "x/sys"}},
	"store/spool":      {ours: []string{"models"}, third: []string{"x/sys"}},
	"store/cluster":    {third: []string{"pgx"}},
	"store/sample":     {ours: []string{"models", "store"}},
	"store/storetest":  {ours: []string{"models", "store", "store/blob", "store/cluster"}},
	"routing":          {ours: []string{"models"}},
	"twilio/simulator": {ours: []string{"twilio"}},
	"models":           {},
	"twilio":           {third: []string{"twilio-go"}},
	"migrations":       {},
	"static":           {},
}

var (
	all = []string{"..."}
	// web passes on the templ.Component values that views made: it may import templ for the name of that type and to put
	// two behind one another. TestWebMakesNoMarkup holds that.
	webMay = []string{"models", "store", "service", "routing", "twilio", "twilio/simulator", "views/...", "static", "web/live"}
)

// modules names the third-party modules. One that is not here may be imported by nobody. The root of twilio-go is left
// out on purpose: it imports every product of Twilio and takes a minute to build.
var modules = map[string][]string{
	"echo":         {"github.com/labstack/echo/v4/..."},
	"scs":          {"github.com/alexedwards/scs/v2/..."},
	"templ":        {"github.com/a-h/templ/..."},
	"kong":         {"github.com/alecthomas/kong"},
	"river":        {"github.com/riverqueue/river/..."},
	"gorm":         {"gorm.io/gorm/...", "gorm.io/driver/postgres"},
	"pgx":          {"github.com/jackc/pgx/v5/..."},
	"sqlite":       {"modernc.org/sqlite/..."},
	"goose":        {"github.com/pressly/goose/v3/..."},
	"argon2id":     {"github.com/alexedwards/argon2id"},
	"phonenumbers": {"github.com/nyaruka/phonenumbers"},
	"twilio-go":    {"github.com/twilio/twilio-go/client/...", "github.com/twilio/twilio-go/rest/..."},
	"minio":        {"github.com/minio/minio-go/v7/..."},
	"mimetype":     {"github.com/gabriel-vasile/mimetype"},
	"prometheus":   {"github.com/prometheus/client_golang/..."},
	"chromedp":     {"github.com/chromedp/chromedp/...", "github.com/chromedp/cdproto/..."},
	"x/image":      {"golang.org/x/image/..."},
	"x/net":        {"golang.org/x/net/..."},
	"x/mod":        {"golang.org/x/mod/..."},
	"x/sync":       {"golang.org/x/sync/..."},
	"x/sys":        {"golang.org/x/sys/..."},
	"x/text":       {"golang.org/x/text/..."},
	"x/time":       {"golang.org/x/time/..."},
}

// testsMay is what the tests of every package may import beside their own floor, and what test helpers may import.
var testsMay = floor{
	ours:  []string{"twilio/simulator", "store", "store/sample", "models"},
	third: []string{"chromedp", "x/net", "x/mod", "x/sync"},
}

// testsOf widens the tests of single packages: use cases and handlers are tested with the jobs that they start.
var testsOf = map[string]floor{
	"cmd/kanal": {third: []string{"pgx", "x/time"}},
	"web":       {ours: []string{"jobs"}, third: []string{"argon2id"}},
	"service":   {ours: []string{"jobs"}},
	"jobs":      {ours: []string{"twilio"}},
}

func TestFloors(t *testing.T) {
	for _, f := range sources(t) {
		for _, why := range brokenImports(f) {
			t.Errorf("%s: %s", f.path, why)
		}
	}
}

// brokenImports gives the imports of a file that its floor does not allow.
func brokenImports(f sourceFile) []string {
	may, known := floorOf(f.pkg)
	if !known {
		return []string{"package " + f.pkg + " is on no floor: add it to floors in floors_test.go"}
	}
	if !f.shipped() {
		extra := testsOf[f.pkg]
		may.ours = slices.Concat(may.ours, testsMay.ours, extra.ours, []string{f.pkg})
		may.third = slices.Concat(may.third, testsMay.third, extra.third)
	}
	var broken []string
	for _, path := range f.imports() {
		if !allowed(f, may, path) {
			broken = append(broken, f.pkg+" may not import "+path)
		}
	}
	return broken
}

func allowed(f sourceFile, may floor, path string) bool {
	if ours, is := strings.CutPrefix(path, "kanal/"); is {
		if helper(ours) {
			return !f.shipped()
		}
		return slices.ContainsFunc(may.ours, func(p string) bool { return matches(p, ours) })
	}
	if !strings.Contains(strings.Split(path, "/")[0], ".") {
		return path != "C"
	}
	return slices.ContainsFunc(may.third, func(name string) bool {
		return slices.ContainsFunc(modules[name], func(p string) bool { return matches(p, path) })
	})
}

func floorOf(pkg string) (floor, bool) {
	if f, ok := floors[pkg]; ok {
		return f, true
	}
	for pattern, f := range floors {
		if strings.HasSuffix(pattern, "/...") && matches(pattern, pkg) {
			return f, true
		}
	}
	return floor{}, helper(pkg)
}

func matches(pattern, path string) bool {
	prefix, wide := strings.CutSuffix(pattern, "...")
	if !wide {
		return path == pattern
	}
	return strings.HasPrefix(path+"/", prefix)
}

// TestWebMakesNoMarkup holds that web uses nothing of templ but the type Component and Join.
func TestWebMakesNoMarkup(t *testing.T) {
	for _, f := range sources(t) {
		if !f.shipped() || !matches("web/...", f.pkg) {
			continue
		}
		for _, used := range selectors(f, "github.com/a-h/templ", "templ") {
			if used.Sel.Name != "Component" && used.Sel.Name != "Join" {
				t.Errorf("%s: templ.%s belongs into views", f.at(used.Pos()), used.Sel.Name)
			}
		}
	}
}

// selectors gives what a file uses of an imported package.
func selectors(f sourceFile, path, name string) []*ast.SelectorExpr {
	for _, i := range f.tree.Imports {
		if i.Path.Value == `"`+path+`"` && i.Name != nil {
			name = i.Name.Name
		}
	}
	if !slices.Contains(f.imports(), path) {
		return nil
	}
	var used []*ast.SelectorExpr
	ast.Inspect(f.tree, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok && x.Name == name {
				used = append(used, s)
			}
		}
		return true
	})
	return used
}

// TestFloorsNamesItsModules holds the table itself: a name without a module would allow nothing and say nothing.
func TestFloorsNamesItsModules(t *testing.T) {
	for pkg, f := range floors {
		for _, name := range f.third {
			if modules[name] == nil {
				t.Errorf("%s: %q is not in modules", pkg, name)
			}
		}
	}
}

// TestFloorsCatchWhatIsForbidden shows that the rule can fail.
func TestFloorsCatchWhatIsForbidden(t *testing.T) {
	for _, c := range []struct {
		path, imports string
		broken        bool
	}{
		{"models/a.go", "time", false},
		{"models/a.go", "kanal/store", true},
		{"models/a.go", "gorm.io/gorm", true},
		{"models/a_test.go", "kanal/store/storetest", false},
		{"service/a.go", "kanal/store/storetest", true},
		{"service/a.go", "kanal/twilio/simulator", true},
		{"service/a_test.go", "kanal/twilio/simulator", false},
		{"service/a.go", "github.com/labstack/echo/v4", true},
		{"web/a.go", "github.com/labstack/echo/v4/middleware", false},
		{"web/a.go", "kanal/jobs", true},
		{"web/a.go", "kanal/views/components", false},
		{"views/inbox/a.go", "kanal/views/i18n", false},
		{"views/inbox/a.go", "kanal/service", true},
		{"twilio/a.go", "github.com/twilio/twilio-go", true},
		{"twilio/a.go", "github.com/twilio/twilio-go/rest/api/v2010", false},
		{"store/a.go", "example.com/unknown", true},
		{"helpers/a.go", "fmt", true},
		{"cmd/kanal/main.go", "kanal/web", false},
		{"cmd/kanal/main.go", "gorm.io/gorm", true},
	} {
		f := parse(t, c.path, []byte("package a\nimport _ \""+c.imports+"\"\n"))
		if got := brokenImports(f); (len(got) > 0) != c.broken {
			t.Errorf("%s imports %s: broken = %v, want %v", c.path, c.imports, got, c.broken)
		}
	}
}

// clocks are the files below cmd that may read the machine's clock.
var clocks = []string{"store/store.go"}

// TestOneClock holds that time is passed in: only cmd, the store's clock and tests read it from the machine.
func TestOneClock(t *testing.T) {
	for _, f := range sources(t) {
		if !f.shipped() || strings.HasPrefix(f.pkg, "cmd/") || slices.Contains(clocks, f.path) {
			continue
		}
		for _, place := range clockReads(f) {
			t.Errorf("%s reads the machine's clock: take now, or a func() time.Time, from the caller", place)
		}
	}
}

// clockReads gives the places that name time.Now, time.Since or time.Until, called or passed on.
func clockReads(f sourceFile) []string {
	var places []string
	for _, s := range selectors(f, "time", "time") {
		if slices.Contains([]string{"Now", "Since", "Until"}, s.Sel.Name) {
			places = append(places, f.at(s.Pos()))
		}
	}
	return places
}

func TestOneClockCatchesReads(t *testing.T) {
	for src, want := range map[string]int{
		"package a\nimport \"time\"\nvar t = time.Now()":                      1,
		"package a\nimport clock \"time\"\nvar f = clock.Now":                 1,
		"package a\nimport \"time\"\nvar d = time.Since(time.Time{})":         1,
		"package a\nimport \"time\"\nfunc f(c struct{Now int}) { _ = c.Now }": 0,
	} {
		if got := clockReads(parse(t, "a/a.go", []byte(src))); len(got) != want {
			t.Errorf("%s: %d reads, want %d", src, len(got), want)
		}
	}
}

// forbiddenMarkup is what the Content-Security-Policy refuses, so no page may hold it.
var forbiddenMarkup = regexp.MustCompile(`(?i)\bhx-on\b|\bjs:|javascript:|(?:^|\s)style\s*=|\son[a-z]+\s*=\s*["'{]|<style\b|<script\b[^>]*>\s*(?:[^<\s]|$)`)

// TestPagesHoldNoInlineCode holds that templates have no inline style, script or code in attributes.
func TestPagesHoldNoInlineCode(t *testing.T) {
	for _, path := range files(t, ".templ") {
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(src), "\n") {
			if m := forbiddenMarkup.FindString(line); m != "" {
				t.Errorf("%s:%d: %q is refused by the Content-Security-Policy", path, i+1, m)
			}
		}
	}
}

func TestForbiddenMarkup(t *testing.T) {
	for line, bad := range map[string]bool{
		`<p hx-on:click="x()">`:                       true,
		`<p style="color: red">`:                      true,
		`<p hx-vals="js:{a: 1}">`:                     true,
		`<a href="javascript:void(0)">`:               true,
		`<p onclick="x()">`:                           true,
		`<script>alert(1)</script>`:                   true,
		`<script type="module" src={ u }></script>`:   false,
		`<p class="style">`:                           false,
		`<p hx-trigger="click once">`:                 false,
		`<input data-once={ "x" } autocomplete="on">`: false,
	} {
		if got := forbiddenMarkup.MatchString(line); got != bad {
			t.Errorf("%s: forbidden = %v, want %v", line, got, bad)
		}
	}
}

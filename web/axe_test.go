package web

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"kanal/models"
	"kanal/store"
	"kanal/store/storetest"
	"kanal/views/browsertest"
	"kanal/views/viewtest"
)

func TestMain(m *testing.M) { browsertest.Main(m) }

// visit is one page in one of its states. route is its line of the list of routes; path gives its address.
type visit struct {
	name   string
	route  string
	who    models.Role // "" is nobody
	path   func(w *world) string
	do     func(b *browsertest.Tab) // brings it into the state; nil: as it opens
	status int                      // of the page itself; 0 is 200
	fresh  bool                     // in the center before its first start
}

func at(path string) func(*world) string { return func(*world) string { return path } }

// thread gives the address of a conversation, with more behind it.
func threadAt(what, more string) func(*world) string {
	return func(w *world) string { return fmt.Sprintf("/inbox/%d%s", w.rows[what], more) }
}

// refused fills nothing in, sends the form and waits for the sentences.
func refused(form string) func(*browsertest.Tab) {
	return func(b *browsertest.Tab) {
		b.Expect("422")
		b.JS("document.getElementById('" + form + "').requestSubmit()")
		b.Wait("document.getElementById('errsum')")
		b.Ready()
	}
}

// opened clicks on what opens the dialog.
func opened(selector string) func(*browsertest.Tab) {
	return func(b *browsertest.Tab) {
		b.Click(selector)
		b.Wait("document.querySelector('dialog[open]')")
	}
}

const (
	admin      = models.Administrator
	supervisor = models.Supervisor
	agent      = models.Agent
)

// visits are all pages in all their states.
var visits = slices.Concat(peopleVisits, inboxVisits, errorVisits)

var peopleVisits = []visit{
	{name: "setup", route: "/setup", path: at("/setup"), fresh: true},
	{name: "setup refused", route: "/setup", path: at("/setup"), fresh: true, do: refused("setup")},
	{name: "login", route: "/login", path: at("/login")},
	{name: "login refused", route: "/login", path: at("/login?next=/me"), do: refused("login")},
	{name: "link", route: "/link/:token", path: func(w *world) string { return "/link/" + w.link.Reveal() }},
	{name: "link refused", route: "/link/:token", path: func(w *world) string { return "/link/" + w.link.Reveal() }, do: refused("link")},
	{name: "link gone", route: "/link/:token", path: at("/link/gone"), status: http.StatusNotFound},
	{name: "me", route: "/me", who: agent, path: at("/me")},
	{name: "me refused", route: "/me", who: agent, path: at("/me"), do: func(b *browsertest.Tab) {
		b.JS("document.querySelector('#profile [name=name]').value = ''")
		refused("profile")(b)
	}},
	{name: "me password refused", route: "/me", who: agent, path: at("/me"), do: refused("change-password")},
	{name: "users", route: "/admin/users", who: admin, path: at("/admin/users")},
	{name: "new user", route: "/admin/users/new", who: admin, path: at("/admin/users/new")},
	{name: "new user refused", route: "/admin/users/new", who: admin, path: at("/admin/users/new"), do: refused("user")},
	{name: "user", route: "/admin/users/:user", who: admin, path: userPath},
	{name: "user's link", route: "/admin/users/:user", who: admin, path: userPath, do: func(b *browsertest.Tab) {
		b.JS("document.getElementById('make-link').requestSubmit()")
		b.Wait("document.querySelector('[data-copy=link]')")
	}},
}

func userPath(w *world) string { return fmt.Sprintf("/admin/users/%d", w.browsers[agent].User.ID) }

var inboxVisits = []visit{
	{name: "inbox mine", route: "/inbox", who: agent, path: at("/inbox?view=mine")},
	{name: "inbox queue", route: "/inbox", who: agent, path: at("/inbox?view=queue")},
	{name: "inbox all", route: "/inbox", who: supervisor, path: at("/inbox?view=all")},
	{name: "inbox empty", route: "/inbox", who: supervisor, path: at("/inbox?view=mine")},
	{name: "conversation", route: "/inbox/:conversation", who: agent, path: threadAt("mine", "")},
	{name: "conversation with keys", route: "/inbox/:conversation", who: agent, path: threadAt("mine", ""), do: func(b *browsertest.Tab) {
		b.JS("document.activeElement.blur()")
		b.Press("?")
		b.Wait("document.getElementById('keys').open")
	}},
	{name: "conversation failed", route: "/inbox/:conversation", who: agent, path: threadAt("failed", "")},
	{name: "window closing", route: "/inbox/:conversation", who: agent, path: threadAt("closing", "")},
	{name: "window closed", route: "/inbox/:conversation", who: agent, path: threadAt("window closed", "")},
	{name: "wrap-up", route: "/inbox/:conversation", who: agent, path: threadAt("wrap-up", "")},
	{name: "closed", route: "/inbox/:conversation", who: agent, path: threadAt("closed", "")},
	{name: "waits in the queue", route: "/inbox/:conversation", who: agent, path: threadAt("waits", "")},
	{name: "somebody else's", route: "/inbox/:conversation", who: admin, path: threadAt("theirs", "")},
	{name: "details", route: "/inbox/:conversation/details", who: agent, path: threadAt("mine", "/details")},
}

var errorVisits = []visit{
	{name: "not found, nobody", route: "/login", path: at("/nothing"), status: http.StatusNotFound},
	{name: "not found, agent", route: "/login", who: agent, path: at("/inbox/999999"), status: http.StatusNotFound},
	{name: "not found, administrator", route: "/login", who: admin, path: at("/admin/users/999999"), status: http.StatusNotFound},
	{name: "forbidden, agent", route: "/admin/users", who: agent, path: at("/admin/users"), status: http.StatusForbidden},
	{name: "forbidden, supervisor", route: "/admin/users", who: supervisor, path: at("/admin/users"), status: http.StatusForbidden},
}

// noPages are the routes that answer machines and scripts, or lead elsewhere.
var noPages = []string{
	"/healthz", "/readyz", "/static/*", "/favicon.ico", "/events", "/",
	"/hooks/twilio/:key/inbound", "/hooks/twilio/:key/status",
	"/inbox/list", "/inbox/:conversation/messages", "/inbox/:conversation/composer",
}

// A page that is added is also looked at.
func TestEveryPageIsVisited(t *testing.T) {
	s := newSite(t, func(o *Options) { o.Dev = true }, withSimulator(t))
	visited := map[string]bool{}
	for _, v := range visits {
		visited[v.route] = true
	}
	for _, r := range s.routes() {
		known := visited[r.path] || slices.Contains(noPages, r.path)
		if r.method == get && !known {
			t.Errorf("%s is visited by no line of visits and is not among noPages", r.path)
		}
		delete(visited, r.path)
	}
	for route := range visited {
		t.Errorf("%s is visited and is no route", route)
	}
}

// look is one way to look at all pages.
type look struct {
	dialect     store.Dialect
	lang, theme string
	phone       bool
}

func (l look) String() string {
	size := "desktop"
	if l.phone {
		size = "phone"
	}
	return fmt.Sprintf("%s/%s/%s/%s", l.dialect, l.lang, l.theme, size)
}

// looks are English in both themes and Norwegian in light; with KANAL_TEST_AXE=all everything there is.
func looks() []look {
	if os.Getenv("KANAL_TEST_AXE") != "all" {
		return []look{{store.SQLite, "en", "light", false}, {store.SQLite, "en", "dark", false}, {store.SQLite, "nb", "light", true}}
	}
	var all []look
	for _, d := range storetest.Dialects {
		for _, lang := range []string{"en", "nb"} {
			for _, theme := range []string{"light", "dark"} {
				all = append(all, look{d, lang, theme, false}, look{d, lang, theme, true})
			}
		}
	}
	return all
}

// TestPagesAreAccessible holds that no page, in no state, has a violation that axe finds, scrolls sideways, complains on
// the console or has a focus that cannot be seen.
func TestPagesAreAccessible(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser visits every page")
	}
	for _, l := range looks() {
		t.Run(l.String(), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, l.dialect, func(o *Options) { o.Dev = true })
			for _, v := range visits {
				t.Run(v.name, func(t *testing.T) { w.visit(t, l, v) })
			}
		})
	}
}

func (w *world) visit(t *testing.T, l look, v visit) {
	s, b := w.site, w.browsers[v.who]
	if v.fresh {
		s, b = w.fresh, w.fresh.anonymous()
	}
	tab := browsertest.Open(t, s.url)
	tab.Cookie(languageCookie, l.lang)
	tab.Cookie(themeCookie, l.theme)
	if c := b.sessionCookie(); c != "" {
		tab.Cookie(sessionCookie, c)
	}
	if l.phone {
		tab.Phone()
	}
	path, status := v.path(w), max(v.status, http.StatusOK)
	if status >= http.StatusBadRequest {
		tab.Expect(fmt.Sprint("status of ", status))
	}
	if l.theme == "light" {
		other := *b
		other.t, other.Headers = t, http.Header{"Accept-Language": {l.lang}}
		viewtest.Check(t, other.get(path).want(status, `lang="`+l.lang+`"`).Body)
	}
	tab.Go(path)
	if v.do != nil {
		v.do(tab)
	}
	tab.Wait("document.documentElement.lang === '" + l.lang + "' && document.documentElement.dataset.theme === '" + l.theme + "'")
	tab.Check(v.name)
	if !l.phone {
		tab.CheckNarrow(v.name)
	}
	if dir := os.Getenv("KANAL_TEST_SCREENSHOTS"); dir != "" {
		tab.Screenshot(dir + "/" + strings.NewReplacer("/", "_", " ", "_").Replace(l.String()+"-"+v.name) + ".png")
	}
}

package web

import (
	"bufio"
	"database/sql"
	"fmt"
	"hash/fnv"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"kanal/models"
	"kanal/store"
	"kanal/store/storetest"
	"kanal/twilio"
)

// bad is one hostile or broken request. What it may change of the database is named: everything else stays as it is.
type bad struct {
	name    string
	who     *browser
	method  string
	path    string
	headers http.Header
	kind    string // of the body
	body    string
	status  int
	says    answerKind
	keeps   string // a table that gets exactly one more row
	changes string // a table that may change
}

// answerKind is what an answer has to be.
type answerKind int

const (
	page     answerKind = iota // a whole page with a sentence
	fragment                   // a part for htmx that replaces nothing
	twiml                      // the empty TwiML
	bare                       // nothing that is looked at
)

const form = "application/x-www-form-urlencoded"

// target is a site with what an attacker would like to have.
type target struct {
	*site
	t            *testing.T
	address      string
	owner        *browser // an agent with a conversation
	stranger     *browser // an agent of no queue
	conversation int64
	message      models.MessageID
	account      models.Account
	good         url.Values // a form of a customer's message
}

func newTarget(t *testing.T) *target {
	t.Helper()
	address := storetest.URL(t, store.SQLite)
	s := newSite(t, func(o *Options) { o.Store = storetest.OpenURL(t, address, nil) })
	x := &target{site: s, t: t, address: address, account: s.connect(), owner: s.as(models.Agent)}
	lonely := models.User{Name: "Lonely", Email: "lonely@kanal.test", Role: models.Agent, PasswordHash: testHash()}
	if err := s.store.InTx(t.Context(), func(tx *store.Tx) error { return tx.InsertUser(t.Context(), &lonely) }); err != nil {
		t.Fatal(err)
	}
	x.stranger = s.signedIn(lonely)
	_, forms := shapes(t)
	x.good = forms["inbound_text"]
	s.hook(hookPath, x.good).emptyTwiML(http.StatusOK)
	rows, err := s.store.Conversations(t.Context(), models.Viewer{Role: models.Supervisor}, store.InboxFilter{View: models.ViewAll})
	if err != nil || len(rows) != 1 {
		t.Fatal(len(rows), err)
	}
	x.conversation = int64(rows[0].ID)
	x.owner.post(x.inbox("/messages"), "client_key", "k1", "body", "Hei").want(http.StatusSeeOther)
	ms, err := s.store.Messages(t.Context(), rows[0].Conversation, 0)
	if err != nil {
		t.Fatal(err)
	}
	x.message = ms[len(ms)-1].ID
	return x
}

func (x *target) inbox(rest string) string { return fmt.Sprintf("/inbox/%d%s", x.conversation, rest) }

// state gives for each table how many rows it has and a sum over their content.
func (x *target) state() map[string][2]uint64 {
	x.t.Helper()
	db := beside(x.t, x.address)
	defer func() { _ = db.Close() }()
	out := map[string][2]uint64{}
	for _, table := range []string{
		"settings", "users", "user_links", "login_sessions", "audits", "queues", "queue_members", "workstreams", "accounts", "numbers", "automated_messages",
		"channel_drafts", "contacts", "contact_identities", "service_windows", "conversations", "messages", "files", "send_attempts", "provider_events",
		"quarantines", "alerts", "drafts", "agent_sessions", "river_job",
	} {
		out[table] = x.tableSum(db, table)
	}
	return out
}

// tableSum gives the number of rows of a table and a sum over what they hold.
func (x *target) tableSum(db *sql.DB, table string) [2]uint64 {
	rows, err := db.QueryContext(x.t.Context(), "SELECT * FROM "+table)
	if err != nil {
		x.t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	columns, _ := rows.Columns()
	sum := fnv.New64a()
	n := uint64(0)
	for rows.Next() {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			x.t.Fatal(err)
		}
		for i, name := range columns { // it is noted that somebody tries, and with what
			if name == "last_signature_fail" || strings.HasPrefix(name, "signature_") {
				values[i] = nil
			}
		}
		n++
		_, _ = fmt.Fprintln(sum, values...)
	}
	if err := rows.Err(); err != nil {
		x.t.Fatal(err)
	}
	return [2]uint64{n, sum.Sum64()}
}

// try makes the request and checks answer and database.
func (x *target) try(t *testing.T, b bad) {
	t.Helper()
	before := x.state()
	who := *x.anonymous()
	if b.who != nil {
		who = *b.who
	}
	who.t = t
	who.Headers = who.Headers.Clone()
	for k, v := range b.headers {
		who.Headers[k] = v
	}
	var body io.Reader
	if b.body != "" {
		body = strings.NewReader(b.body)
		if b.kind == "" {
			b.kind = form
		}
	}
	if slices.Contains(who.Headers["Transfer-Encoding"], "chunked") {
		delete(who.Headers, "Transfer-Encoding")
		body = io.MultiReader(body) // of unknown length
	}
	if b.method == "" {
		b.method = http.MethodGet
	}
	a := who.do(b.method, b.path, b.kind, body)
	if a.Status != b.status {
		t.Fatalf("%s %.80s: %d, want %d (to %q)\n%.300s", b.method, b.path, a.Status, b.status, a.Location, a.Body)
	}
	x.checkAnswer(t, b, a)
	for table, now := range x.state() {
		switch was := before[table]; {
		case table == b.keeps:
			if now[0] != was[0]+1 {
				t.Errorf("%s has %d rows, want %d", table, now[0], was[0]+1)
			}
		case table != b.changes && now != was:
			t.Errorf("%s has changed", table)
		}
	}
}

func (x *target) checkAnswer(t *testing.T, b bad, a *answer) {
	t.Helper()
	switch b.says {
	case twiml:
		a.t = t
		a.emptyTwiML(b.status)
	case page:
		if b.method != http.MethodHead && (!strings.HasPrefix(a.Body, "<!doctype html>") || !strings.Contains(a.Body, "<h1")) {
			t.Errorf("no page: %.200s", a.Body)
		}
	case fragment:
		if strings.Contains(a.Body, "<!doctype") || a.Header.Get("HX-Reswap") != "none" || !strings.Contains(a.Body, "toast") {
			t.Errorf("no fragment: %q %.200s", a.Header.Get("HX-Reswap"), a.Body)
		}
	}
	if a.Header.Get("X-Content-Type-Options") != "nosniff" || a.Header.Get("Content-Security-Policy") != contentPolicy {
		t.Error("the headers that protect are missing")
	}
	for _, leak := range []string{"goroutine", "SQL", "sqlite", "panic", "evil.example", "<script>alert", hookToken} {
		if strings.Contains(a.Body, leak) || strings.Contains(a.Location, leak) {
			t.Errorf("the answer holds %q: to %q\n%.400s", leak, a.Location, a.Body)
		}
	}
}

// signed gives the headers of a call that knows the token; at is the path that was signed.
func (x *target) signed(at string, f url.Values) http.Header {
	return http.Header{twilio.SignatureHeader: {twilio.Sign(hookToken, x.url+at, f)}}
}

// with gives the good form with other values and a sid of its own.
func (x *target) with(n int, pairs ...string) url.Values {
	f := url.Values{}
	for k, v := range x.good {
		f[k] = v
	}
	f.Set("MessageSid", fmt.Sprintf("SM%032x", 0xbad000+n))
	for i := 0; i+1 < len(pairs); i += 2 {
		f.Set(pairs[i], pairs[i+1])
	}
	return f
}

func (x *target) hooks() []bad {
	good, status := x.good.Encode(), "/hooks/twilio/unguessable/status"
	fresh := x.with(1)
	forged := func(sig string) http.Header { return http.Header{twilio.SignatureHeader: {sig}} }
	hook := func(name string, code int, h http.Header, body string) bad {
		return bad{name: "webhook " + name, method: "POST", path: hookPath, headers: h, body: body, status: code, says: twiml}
	}
	kept := func(name string, f url.Values) bad {
		b := hook(name, 200, x.signed(hookPath, f), f.Encode())
		b.keeps = "quarantines"
		return b
	}
	list := []bad{
		hook("without a signature", 403, nil, fresh.Encode()),
		hook("with an empty signature", 403, forged(""), fresh.Encode()),
		hook("with a made-up signature", 403, forged("AAAAAAAAAAAAAAAAAAAAAAAAAAA="), fresh.Encode()),
		hook("signed with another token", 403, forged(twilio.Sign("x", x.url+hookPath, fresh)), fresh.Encode()),
		hook("signed for another host", 403, forged(twilio.Sign(hookToken, "https://evil.example"+hookPath, fresh)), fresh.Encode()),
		hook("changed after signing", 403, x.signed(hookPath, fresh), x.with(1, "Body", "changed").Encode()),
		hook("with one more value", 403, x.signed(hookPath, fresh), fresh.Encode()+"&x=1"),
		hook("replayed", 200, x.signed(hookPath, x.good), good),
		hook("over 64 KiB", 413, x.signed(hookPath, x.with(2, "Body", strings.Repeat("x", maxWebhook))), x.with(2, "Body", strings.Repeat("x", maxWebhook)).Encode()),
		hook("far over 64 KiB", 413, nil, strings.Repeat("x", 1<<20)),
		hook("without a body", 403, nil, ""),
		kept("with invalid UTF-8", x.with(3, "Body", "a\xff\xfe")),
		kept("with NUL", x.with(4, "Body", "a\x00b")),
		kept("for a number of others", x.with(5, "To", "whatsapp:+4799999999")),
		kept("of another account", x.with(6, "AccountSid", "AC11111111111111111111111111111111")),
		kept("from an SMS number", x.with(7, "From", "+4740000142")),
		kept("with a sid that is SQL", x.with(8, "MessageSid", "SM' OR 1=1 --")),
	}
	chunked := hook("in chunks over 64 KiB", 413, http.Header{"Transfer-Encoding": {"chunked"}}, strings.Repeat("x", 200<<10))
	forwarded := hook("with a forwarded host", 403, http.Header{
		twilio.SignatureHeader: {twilio.Sign(hookToken, "https://evil.example"+hookPath, fresh)}, "X-Forwarded-Host": {"evil.example"}, "X-Forwarded-Proto": {"https"},
	}, fresh.Encode())
	multipart := hook("as multipart", 403, x.signed(hookPath, fresh), "--b\r\nContent-Disposition: form-data; name=\"Body\"\r\n\r\nx\r\n--b--\r\n")
	multipart.kind = "multipart/form-data; boundary=b"
	asJSON := hook("as JSON without its hash", 403, x.signed(hookPath, nil), `{"Body":"x"}`)
	asJSON.kind = "application/json"
	broken := hook("with a broken form", 200, x.signed(hookPath, url.Values{}), "%zz")
	broken.keeps = "quarantines"
	list = append(list, chunked, forwarded, multipart, asJSON, broken)
	for name, path := range map[string]string{
		"with an unknown key": "/hooks/twilio/guessed/inbound", "with a long key": "/hooks/twilio/" + strings.Repeat("k", 5000) + "/inbound",
		"with NUL in the key": "/hooks/twilio/%00/inbound", "with SQL in the key": "/hooks/twilio/'%20OR%201=1--/inbound",
	} {
		list = append(list, bad{name: "webhook " + name, method: "POST", path: path, headers: x.signed(path, x.good), body: good, status: 404, says: twiml})
	}
	report := url.Values{"MessageSid": {"SM0000000000000000000000000000ffff"}, "MessageStatus": {"read"}}
	for _, query := range []string{"?m=-1&n=1", "?m=99999999999999999999&n=1", "?m=999999&n=1", "?m=0x1&n=", fmt.Sprintf("?m=%d&n=-1", x.message), fmt.Sprintf("?m=%d&n=99999999999999999999", x.message), ""} {
		list = append(list, bad{name: "report with " + query, method: "POST", path: status + query, headers: x.signed(status+query, report), body: report.Encode(), status: 200, says: twiml, keeps: "provider_events"})
	}
	return append(list,
		bad{name: "a message's signature on a report", method: "POST", path: status, headers: x.signed(hookPath, fresh), body: fresh.Encode(), status: 403, says: twiml},
		bad{name: "a report that is none", method: "POST", path: status, headers: x.signed(status, url.Values{"a": {"b"}}), body: "a=b", status: 200, says: twiml, keeps: "quarantines"},
		bad{name: "webhook by GET unsigned", path: hookPath + "?" + good, status: 403, says: twiml},
		bad{name: "webhook by HEAD", method: "HEAD", path: hookPath, status: 403, says: bare},
		bad{name: "webhook by PUT", method: "PUT", path: hookPath, body: good, status: 405, says: bare},
		bad{name: "webhook with a dot segment in the key", method: "POST", path: "/hooks/twilio/..%2Funguessable/inbound", body: good, status: 404, says: bare},
	)
}

func (x *target) strangers() []bad {
	s := x.stranger
	list := []bad{}
	for _, part := range []string{"", "/messages", "/composer", "/details"} {
		list = append(list, bad{name: "another's conversation" + part, who: s, path: x.inbox(part), status: 404})
		list = append(list, bad{name: "another's conversation to htmx" + part, who: s.htmx("partial"), path: x.inbox(part), status: 404, says: fragment})
	}
	for _, part := range []string{"/messages", "/files", "/files/1/remove", "/draft", "/seen", "/assign", "/resolve", "/reopen", "/close"} {
		list = append(list, bad{name: "act on another's conversation" + part, who: s, method: "POST", path: x.inbox(part), body: "client_key=k&body=stolen", status: 404})
	}
	for _, part := range []string{"", "/edit", "/consent?account=1", "/block"} {
		list = append(list, bad{name: "another's customer" + part, who: s, path: "/customers/1" + part, status: 404})
	}
	for _, part := range []string{"/edit", "/consent", "/block", "/unblock"} {
		list = append(list, bad{name: "act on another's customer" + part, who: s, method: "POST", path: "/customers/1" + part, body: "account=1&given=1&scope=all&note=x&name=stolen&version=1", status: 404})
	}
	for _, path := range []string{"/admin", "/admin/users", "/admin/users/1", "/admin/accounts", "/admin/accounts/1/setup/account-details", "/admin/accounts/1/senders", "/admin/workstreams", "/admin/workstreams/1/whatsapp/number", "/admin/queues", "/admin/queues/1", "/simulator"} {
		list = append(list, bad{name: "an agent at " + path, who: s, path: path, status: 403})
	}
	for _, path := range []string{"/admin/users", "/admin/users/1", "/admin/users/1/link", "/admin/users/1/deactivate", "/admin/accounts/1/setup/numbers", "/admin/accounts/1/check", "/admin/accounts/1/delete", "/admin/workstreams", "/admin/workstreams/1/whatsapp/summary", "/admin/queues", "/simulator/messages"} {
		list = append(list, bad{name: "an agent posts to " + path, who: s, method: "POST", path: path, body: "name=x&role=administrator", status: 403})
	}
	cookie := ""
	at, _ := url.Parse(x.url)
	for _, c := range x.owner.client.Jar.Cookies(at) {
		if c.Name == sessionCookie {
			cookie = c.Value
		}
	}
	return append(list,
		bad{name: "send another's message again", who: s, method: "POST", path: fmt.Sprintf("/messages/%d/retry", x.message), body: "a=b", status: 404},
		bad{name: "end another's login session", who: s, method: "POST", path: "/me/sessions/end", body: "session=" + url.QueryEscape(hashToken(cookie)), status: 404},
		bad{name: "a login session by its hash", headers: http.Header{"Cookie": {sessionCookie + "=" + hashToken(cookie)}}, path: "/inbox", status: 303, says: bare},
		bad{name: "take next from no queue", who: s, method: "POST", path: "/inbox/next", body: "a=b", status: 303, says: bare},
		bad{name: "a draft of text that is too long", who: x.owner, method: "POST", path: x.inbox("/draft"), body: "body=" + strings.Repeat("x", 20000), status: 204, says: bare, keeps: "drafts"},
	)
}

func (x *target) paths() []bad {
	o := x.owner
	list := []bad{}
	for _, id := range []string{"0", "-1", "+1", "01", "1.0", "1e0", "0x1", "99999999999999999999", "1;x", "1%00", "1%20", "１", "null", "%2e%2e", "1%2F..%2F1", "'%20OR%201=1"} {
		list = append(list, bad{name: "conversation " + id, who: o, path: "/inbox/" + id, status: 404})
	}
	for _, path := range []string{
		"/static/../go.mod", "/static/%2e%2e/%2e%2e/etc/passwd", "/static/..%2f..%2fgo.mod", "/static//etc/passwd", "/static/", "/static/x/..%5c..%5cgo.mod", "/static/%00",
		"//inbox", "/inbox/", "/INBOX", "/./inbox", "/inbox/../me", "//evil.example/inbox", "/inbox%2f1", "/.git/config", "/.env", "/wp-login.php", "/" + strings.Repeat("a/", 3000),
	} {
		list = append(list, bad{name: fmt.Sprintf("path %.40s", path), who: o, path: path, status: 404})
	}
	for _, token := range []string{"x", strings.Repeat("A", 64), strings.Repeat("A", 5000), "..%2f..%2fkanal.db", "%00", "'%20OR%201=1", "%2e%2e"} {
		status := 404
		if len(token) == 64 {
			status = 403
		}
		list = append(list, bad{name: fmt.Sprintf("media %.20s", token), path: "/media/" + token, status: status, says: bare})
		list = append(list, bad{name: fmt.Sprintf("media by HEAD %.20s", token), method: http.MethodHead, path: "/media/" + token, status: status, says: bare})
	}
	for _, query := range []string{"?view=%ff", "?view=%00", "?a=%zz", "?a;b=c"} {
		list = append(list, bad{name: "query " + query, who: o, path: "/inbox" + query, status: 400})
	}
	for _, query := range []string{"?view=nothing", "?after=garbage", "?after=eyJBdCI6IjAwMDAtMDEtMDFUMDA6MDA6MDBaIiwiSUQiOi0xfQ", "?view=mine&view=all", "?q=" + strings.Repeat("x", 20000)} {
		list = append(list, bad{name: fmt.Sprintf("harmless query %.30s", query), who: o, path: "/inbox" + query, status: 200})
	}
	for _, query := range []string{"?before=-1", "?before=99999999999999999999", "?before=x", "?before=9223372036854775807"} {
		list = append(list, bad{name: "page of a thread " + query, who: o, path: x.inbox(query), status: 200})
	}
	for _, query := range []string{"?since=-1", "?since=99999999999999999999", "?since=9223372036854775807", "?since='"} {
		list = append(list, bad{name: "changes of a thread " + query, who: o.htmx("partial"), path: x.inbox("/messages" + query), status: 200, says: bare})
	}
	for _, method := range []string{"PUT", "DELETE", "PATCH", "TRACE"} {
		list = append(list, bad{name: method, who: o, method: method, path: x.inbox(""), status: 405})
	}
	return append(list,
		bad{name: "GET of an act", who: o, path: x.inbox("/resolve"), status: 405},
		bad{name: "sign out by GET", who: o, path: "/logout", status: 405},
		bad{name: "method override", who: o, path: x.inbox(""), headers: http.Header{"X-Http-Method-Override": {"DELETE"}}, status: 200},
		bad{name: "HEAD", who: o, method: "HEAD", path: x.inbox(""), status: 200, says: bare},
		bad{name: "oversized header", who: o, path: "/inbox", headers: http.Header{"X-Big": {strings.Repeat("x", 20<<10)}}, status: 200},
	)
}

func (x *target) posts() []bad {
	o, at := x.owner, x.inbox("/messages")
	reply := func(name string, status int, body string) bad {
		return bad{name: "reply " + name, who: o, method: "POST", path: at, body: body, status: status}
	}
	from := func(name string, h http.Header) bad {
		b := reply("from "+name, 403, "client_key=k9&body=x")
		b.headers = h
		return b
	}
	typed := func(kind string) bad {
		b := reply("as "+kind, 415, `{"client_key":"k9","body":"x"}`)
		b.kind = kind
		return b
	}
	chunked := reply("in chunks over the limit", 413, "client_key=k9&body="+strings.Repeat("x", 100<<10))
	chunked.headers = http.Header{"Transfer-Encoding": {"chunked"}}
	multipart := reply("as multipart that is none", 400, "client_key=k9&body=x")
	multipart.kind = "multipart/form-data; boundary=x"
	list := []bad{
		multipart,
		reply("with invalid UTF-8", 400, "client_key=k9&body=%ff"), reply("with NUL", 400, "client_key=k9&body=a%00"),
		reply("with NUL in a name", 400, "client_key=k9&body=x&%00=y"), reply("with a broken form", 400, "client_key=k9&body=%zz"),
		reply("over the limit", 413, "client_key=k9&body="+strings.Repeat("x", 100<<10)), chunked,
		reply("too long", 422, "client_key=k9&body="+strings.Repeat("x", 1601)), reply("empty", 422, "client_key=k9&body=+"),
		reply("without a key", 422, "body=x"), reply("with a long key", 422, "body=x&client_key="+strings.Repeat("k", 65)),
		reply("with a key of another text", 409, "client_key=k1&body=other"),
		typed("application/json"), typed("text/plain"), typed("nonsense;;;"),
		from("another origin", http.Header{"Origin": {"https://evil.example"}}), from("no origin", http.Header{"Origin": {"null"}}),
		from("another site", http.Header{"Sec-Fetch-Site": {"cross-site"}}), from("a sister site", http.Header{"Sec-Fetch-Site": {"same-site"}}),
	}
	for _, next := range []string{"https://evil.example/", "//evil.example", "/\\evil.example", "/\tevil.example", "javascript:alert(1)", "\\\\evil.example", "http:evil.example", "/%0d%0aLocation:x\r\nX: y"} {
		list = append(list, bad{
			name: fmt.Sprintf("next %q", next), method: "POST", path: "/login", status: 303, says: bare, keeps: "login_sessions",
			body: url.Values{"email": {"lonely@kanal.test"}, "password": {testPassword}, "next": {next}}.Encode(),
		})
	}
	return append(list,
		bad{name: "signing in from another origin", method: "POST", path: "/login", headers: http.Header{"Origin": {"https://evil.example"}}, body: "email=lonely%40kanal.test&password=x", status: 403},
		bad{name: "setup again", method: "POST", path: "/setup", body: "name=x&email=x%40x.no&password=correct+horse+battery", status: 404},
		bad{name: "a link that is none", path: "/link/" + strings.Repeat("A", 26), status: 404},
		bad{name: "preferences to elsewhere", method: "POST", path: "/preferences", body: "language=xx&theme=%3Cscript%3E&next=https%3A%2F%2Fevil.example", status: 400},
	)
}

func (x *target) heads() []bad {
	cookie := func(name, value string, status int, says answerKind) bad {
		return bad{name: "cookie " + name, path: "/login", headers: http.Header{"Cookie": {value}}, status: status, says: says}
	}
	return []bad{
		{name: "another host", path: "/inbox", headers: http.Header{"X-Forwarded-Host": {"evil.example"}, "Forwarded": {"host=evil.example"}}, status: 303, says: bare},
		{name: "rewritten path", path: "/inbox", headers: http.Header{"X-Original-Url": {"/healthz"}, "X-Rewrite-Url": {"/healthz"}}, status: 303, says: bare},
		{name: "htmx from elsewhere", path: "/inbox/list", headers: http.Header{"Hx-Request-Type": {"partial"}, "Hx-Current-Url": {"https://evil.example//evil.example"}}, status: 401, says: bare},
		{name: "htmx from nowhere", who: x.owner, path: "/inbox/list", headers: http.Header{"Hx-Request-Type": {"partial"}, "Hx-Current-Url": {"://%zz"}}, status: 200, says: bare},
		{name: "an unknown kind of htmx request", who: x.owner, path: "/inbox", headers: http.Header{"Hx-Request-Type": {"<script>alert(1)</script>"}}, status: 200},
		{name: "languages without end", path: "/login", headers: http.Header{"Accept-Language": {strings.Repeat("xx-yy,", 2000)}}, status: 200},
		{name: "stream without a login session", path: "/events", status: 401, says: bare},
		cookie("of nobody", sessionCookie+"=garbage", 200, page), cookie("of great length", sessionCookie+"="+strings.Repeat("a", 8000), 200, page),
		cookie("with quotes", sessionCookie+`="'; DROP TABLE users; --"`, 200, page), cookie("of a confirmation with markup", flashCookie+"=<script>alert(1)</script>", 200, page),
		cookie("of a confirmation that is no confirmation", flashCookie+"=error.internal", 200, page),
		cookie("of language and theme", languageCookie+"=../../etc/passwd; "+themeCookie+"=\"><script>alert(1)</script>", 200, page),
	}
}

// Each hostile or broken request has its status and a clear answer; nothing is stored that should not be, and what
// should be kept is kept.
func TestHostileRequests(t *testing.T) {
	x := newTarget(t)
	all := slices.Concat(x.hooks(), x.strangers(), x.paths(), x.posts(), x.heads())
	if len(all) < 150 {
		t.Errorf("only %d", len(all))
	}
	for _, b := range all {
		t.Run(b.name, func(t *testing.T) { x.try(t, b) })
	}
	x.owner.get(x.inbox("")).want(http.StatusOK, "Hei", "Hola")
}

// What no client library sends is refused by the server itself.
func TestHostileBytes(t *testing.T) {
	x := newTarget(t)
	before := x.state()
	for name, c := range map[string]struct {
		bytes  string
		status int
	}{
		"two lengths":         {"POST /login HTTP/1.1\r\nHost: k\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400},
		"negative length":     {"POST /login HTTP/1.1\r\nHost: k\r\nContent-Length: -1\r\n\r\n", 400},
		"unknown encoding":    {"POST /login HTTP/1.1\r\nHost: k\r\nTransfer-Encoding: xchunked\r\n\r\n", 501},
		"no host":             {"GET /login HTTP/1.1\r\n\r\n", 400},
		"two hosts":           {"GET /login HTTP/1.1\r\nHost: k\r\nHost: l\r\n\r\n", 400},
		"space in a name":     {"GET /login HTTP/1.1\r\nHost: k\r\nX : y\r\n\r\n", 400},
		"NUL in a header":     {"GET /login HTTP/1.1\r\nHost: k\r\nX: a\x00b\r\n\r\n", 400},
		"no HTTP":             {"hello\r\n\r\n", 400},
		"huge header":         {"GET /login HTTP/1.1\r\nHost: k\r\nX: " + strings.Repeat("x", 60<<10) + "\r\n\r\n", 431},
		"huge query":          {"GET /login?" + strings.Repeat("x", 60<<10) + " HTTP/1.1\r\nHost: k\r\n\r\n", 431},
		"whole address":       {"GET http://evil.example/inbox HTTP/1.1\r\nHost: evil.example\r\n\r\n", 303},
		"bad escape":          {"GET /%zz HTTP/1.1\r\nHost: k\r\n\r\n", 400},
		"broken chunk":        {"POST /login HTTP/1.1\r\nHost: k\r\nContent-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400},
		"whole address, hook": {"POST http://evil.example" + hookPath + " HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 0\r\n\r\n", 403},
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("tcp", strings.TrimPrefix(x.url, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			go func() { _, _ = io.WriteString(conn, c.bytes) }()
			res, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = res.Body.Close() }()
			if res.StatusCode != c.status || strings.Contains(res.Header.Get("Location"), "evil") {
				t.Errorf("%d to %q, want %d", res.StatusCode, res.Header.Get("Location"), c.status)
			}
		})
	}
	for table, now := range x.state() {
		if now != before[table] {
			t.Errorf("%s has changed", table)
		}
	}
}

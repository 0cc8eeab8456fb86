package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"kanal/store"
	"kanal/twilio"
	"kanal/twilio/simulator"
)

// fleet is the program as one or more processes on the data of a town, behind one address. Unlike the town's own gate,
// what stands between it and the simulator cuts a connection where the simulator does.
type fleet struct {
	*town
	envs    [][]string // of each process
	addrs   []string
	members []*process
	turn    atomic.Int64
}

// newFleet starts the program: one process on SQLite, two on PostgreSQL.
func newFleet(w *town) *fleet {
	w.t.Helper()
	f := &fleet{town: w}
	w.client.Transport = &http.Transport{MaxIdleConnsPerHost: 64}
	w.url = serve(w.t, &httputil.ReverseProxy{
		Rewrite:      func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "http", Host: "a-member"}) },
		Transport:    &http.Transport{DialContext: f.dial, DisableKeepAlives: true},
		ErrorHandler: cut,
	})
	env := []string{"KANAL_LOG_LEVEL=debug", "KANAL_PUBLIC_URL=" + w.url, "KANAL_TWILIO_URL=" + serve(w.t, oneOrigin(w.sim))}
	for i := range map[store.Dialect]int{store.SQLite: 1, store.Postgres: 2}[w.dialect] {
		addr := freeAddress(w.t)
		f.addrs = append(f.addrs, addr)
		f.envs = append(f.envs, append([]string{"KANAL_ADDR=" + addr, fmt.Sprintf("KANAL_DATA_DIR=%s", filepath.Join(w.t.TempDir(), fmt.Sprint("data", i)))}, env...))
		f.members = append(f.members, nil)
		f.start(i)
	}
	w.sim.SetInboundURL(w.sid, townNumber, w.url+"/hooks/twilio/unguessable/inbound"+twilio.ConnectionOverrides)
	return f
}

func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	return s.URL
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// cut ends a connection without an answer.
func cut(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }

// oneOrigin puts the simulator and the store of its files behind one address: KANAL_TWILIO_URL names one only.
func oneOrigin(sim *simulator.Simulator) http.Handler {
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			if strings.HasPrefix(r.In.URL.Path, "/AC") {
				r.SetURL(sim.MediaURL())
			} else {
				r.SetURL(sim.URL())
			}
		},
		ModifyResponse: func(res *http.Response) error {
			if to, ok := strings.CutPrefix(res.Header.Get("Location"), sim.MediaURL().String()); ok {
				res.Header.Set("Location", to)
			}
			return nil
		},
		ErrorHandler: cut,
	}
}

// dial connects to one member after the other, and to the next one where nobody listens.
func (f *fleet) dial(ctx context.Context, network, _ string) (c net.Conn, err error) {
	first := int(f.turn.Add(1))
	for i := range f.addrs {
		if c, err = new(net.Dialer).DialContext(ctx, network, f.addrs[(first+i)%len(f.addrs)]); err == nil {
			return c, nil
		}
	}
	return nil, err
}

// start starts a member.
func (f *fleet) start(i int) {
	f.t.Helper()
	f.members[i] = f.launch(f.envs[i]...)
}

// crash kills a member and starts it again.
func (f *fleet) crash(i int) {
	f.t.Helper()
	f.members[i].kill()
	if f.dialect == store.SQLite {
		f.forget() // else for a while nobody would lead the jobs
	}
	f.start(i)
}

// crashAll kills all members before one is started again. While nobody runs, the time of all that was on its way passes.
func (f *fleet) crashAll() {
	f.t.Helper()
	for _, p := range f.members {
		p.kill()
	}
	f.forget()
	ours, rivers := f.past()
	f.exec("UPDATE send_attempts SET lease_until = " + ours + " WHERE state = 'sending'")
	f.exec("UPDATE river_job SET attempted_at = " + rivers + " WHERE state = 'running'")
	for i := range f.members {
		f.start(i)
	}
}

// hurry lets time pass for what waits to be looked for at Twilio, and for nothing that is on its way or that holds
// another message back.
func (f *fleet) hurry() {
	f.t.Helper()
	ours, rivers := f.past()
	f.exec("UPDATE send_attempts SET deadline_at = " + ours + " WHERE state = 'uncertain' AND deadline_at > " + ours)
	f.exec("UPDATE messages SET poll_at = " + ours + " WHERE poll_at > " + ours)
	f.exec("UPDATE river_job SET state = 'available', scheduled_at = " + rivers + " WHERE state = 'scheduled' AND kind = 'settle_message'")
}

// past gives a moment three minutes ago, as our columns and as River's have it.
func (f *fleet) past() (ours, rivers string) {
	if f.dialect == store.SQLite {
		return "strftime('%Y-%m-%d %H:%M:%f+00:00', 'now', '-180 seconds')", "datetime('now', 'subsec', '-180 seconds')"
	}
	return "now() - interval '180 seconds'", "now() - interval '180 seconds'"
}

// exec writes into the database beside the program, again when the program was in the way.
func (f *fleet) exec(stmt string) {
	f.t.Helper()
	for {
		_, err := f.db.ExecContext(f.t.Context(), stmt)
		if err == nil {
			return
		}
		if !strings.Contains(err.Error(), "deadlock detected") {
			f.t.Fatal(err)
		}
	}
}

// query reads from the database beside the program.
func (f *fleet) query(query string, row func(scan func(...any) error) error) {
	f.t.Helper()
	rows, err := f.db.QueryContext(f.t.Context(), query)
	if err != nil {
		f.t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			f.t.Fatal(err)
		}
	}
	if err := rows.Err(); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fleet) count(query string) (n int) {
	f.t.Helper()
	if err := f.db.QueryRowContext(f.t.Context(), query).Scan(&n); err != nil {
		f.t.Fatal(err)
	}
	return n
}

package main

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"kanal/models"
	"kanal/store"
	"kanal/store/storetest"
	"kanal/twilio"
	"kanal/twilio/simulator"
	"kanal/views/browsertest"
)

// binaryDir holds the program that binary has built.
var binaryDir string

// binary builds the program once for all tests that run it as a process.
var binary = sync.OnceValues(func() (string, error) {
	var err error
	if binaryDir, err = os.MkdirTemp("", "kanal-binary-"); err != nil {
		return "", err
	}
	path := filepath.Join(binaryDir, "kanal")
	out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	browsertest.Main(m, func() {
		if binaryDir != "" {
			_ = os.RemoveAll(binaryDir)
		}
	})
}

const testKey = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

// town is a database with one account, a simulated Twilio with a gate in front of it, and the program as a process that
// can be killed and started again at the same address.
type town struct {
	t       *testing.T
	dialect store.Dialect
	db      *sql.DB
	address string // of the database
	sim     *simulator.Simulator
	sid     string
	token   string
	gate    *gate
	env     []string
	url     string
	client  *http.Client
}

// gate stands before the simulator and holds creates back.
type gate struct {
	proxy *httputil.ReverseProxy
	mu    sync.Mutex
	mode  string        // "", "before": Twilio never sees it, "after": Twilio has it and the answer waits
	held  chan struct{} // one for each that is held
	open  chan struct{} // lets answers go
}

// ServeHTTP passes a request on.
func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	mode := g.mode
	g.mu.Unlock()
	if r.Method != http.MethodPost || mode == "" {
		g.proxy.ServeHTTP(w, r)
		return
	}
	answer := httptest.NewRecorder()
	if mode == "after" {
		g.proxy.ServeHTTP(answer, r)
	} else if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return
	}
	g.held <- struct{}{}
	select {
	case <-r.Context().Done():
	case <-g.open:
		if mode == "after" {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(answer.Code)
			_, _ = w.Write(answer.Body.Bytes())
		}
	}
}

func (g *gate) set(mode string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.mode = mode
}

const townNumber = "+4721000040"

func newTown(t *testing.T, d store.Dialect) *town {
	t.Helper()
	sim, err := simulator.Open(simulator.Options{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sim.Close() })
	a := sim.Mint("Test", townNumber)
	sim.SetOutcome(a.SID, simulator.Outcome{Final: "none"})
	w := &town{t: t, dialect: d, sim: sim, sid: a.SID, token: a.Token, client: client(t)}
	w.gate = &gate{proxy: httputil.NewSingleHostReverseProxy(sim.URL()), held: make(chan struct{}, 10), open: make(chan struct{})}
	front := httptest.NewServer(w.gate)
	t.Cleanup(func() { front.CloseClientConnections(); front.Close() })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w.url = "http://" + l.Addr().String()
	_ = l.Close()
	dir := filepath.Join(t.TempDir(), "data")
	w.address = storetest.URL(t, d)
	w.env = []string{
		"KANAL_DATA_DIR=" + dir, "KANAL_ADDR=" + l.Addr().String(), "KANAL_DATABASE_URL=" + w.address, "KANAL_SECRET_KEY=" + testKey,
		"KANAL_TWILIO_URL=" + front.URL, "KANAL_SIMULATOR=off", "KANAL_LOG_FORMAT=json", "PATH=" + os.Getenv("PATH"), "HOME=" + dir,
	}
	w.seed(a)
	return w
}

// seed migrates the database and enters the account with its number.
func (w *town) seed(a simulator.Account) {
	w.t.Helper()
	ctx := w.t.Context()
	keys, err := store.ParseKeys(testKey)
	if err != nil {
		w.t.Fatal(err)
	}
	st, err := store.Open(ctx, store.Options{URL: w.address, Keys: keys})
	if err != nil {
		w.t.Fatal(err)
	}
	defer st.Close()
	if err := st.Migrate(ctx); err != nil {
		w.t.Fatal(err)
	}
	err = st.InTx(ctx, func(tx *store.Tx) error {
		account := models.Account{Name: "Test", Channel: models.ChannelWhatsApp, SID: a.SID, HookKey: "unguessable", State: models.AccountActive, Step: models.StepCallback, Version: 1}
		if err := tx.Insert(ctx, &account); err != nil {
			return err
		}
		sealed := st.Seal(models.Secret(a.Token), fmt.Sprintf("accounts/%d", account.ID))
		if err := tx.SetAccountToken(ctx, account.ID, sealed, "abcd"); err != nil {
			return err
		}
		return tx.InsertNumber(ctx, &models.Number{AccountID: account.ID, Name: "Test", Address: townNumber, Version: 1})
	})
	if err != nil {
		w.t.Fatal(err)
	}
	driver, name := "pgx", w.address
	if w.dialect == store.SQLite {
		driver, name = "sqlite", "file:"+strings.TrimPrefix(w.address, "sqlite:")+"?_pragma=busy_timeout(5000)"
	}
	if w.db, err = sql.Open(driver, name); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = w.db.Close() })
	w.sim.SetInboundURL(a.SID, townNumber, w.url+"/hooks/twilio/unguessable/inbound"+twilio.ConnectionOverrides)
}

// process is one run of the program.
type process struct {
	*town
	cmd  *exec.Cmd
	log  *logBook
	done chan struct{}
}

// command makes a run of the program with settings of its own.
func (w *town) command(args ...string) *exec.Cmd {
	w.t.Helper()
	path, err := binary()
	if err != nil {
		w.t.Fatal(err)
	}
	cmd := exec.Command(path, args...)
	cmd.Env = w.env
	return cmd
}

// launch starts the program and waits until it listens.
func (w *town) launch(env ...string) *process {
	w.t.Helper()
	p := &process{town: w, cmd: w.command("serve"), log: &logBook{lines: make(chan string, 10000)}, done: make(chan struct{})}
	p.cmd.Env = append(p.cmd.Env, env...)
	out, err := p.cmd.StderrPipe()
	if err != nil {
		w.t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	go func() {
		p.log.read(out)
		_ = p.cmd.Wait()
		close(p.done)
	}()
	w.t.Cleanup(p.kill)
	for line := range p.log.lines {
		var entry struct{ Msg string }
		if json.Unmarshal([]byte(line), &entry) == nil && entry.Msg == "listening" {
			return p
		}
	}
	w.t.Fatalf("it did not start:\n%s", p.log)
	return nil
}

// kill is kill -9. It ends when the process has.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// wait gives the exit code; the program has ten seconds to stop.
func (p *process) wait() int {
	p.t.Helper()
	select {
	case <-p.done:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(10 * time.Second):
		p.t.Fatalf("it did not stop within ten seconds:\n%s", p.log)
		return -1
	}
}

// terminate is SIGTERM.
func (p *process) terminate() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
}

// conversation sets the center up, lets a customer write and gives the path of the conversation.
func (w *town) conversation() string {
	w.t.Helper()
	if res := fetch(w.t, w.client, "POST", w.url+"/setup", administrator); res.Header.Get("Location") != "/admin" {
		w.t.Fatalf("setup: %d", res.StatusCode)
	}
	w.write("Hei")
	var id int64
	if err := w.db.QueryRowContext(w.t.Context(), "SELECT id FROM conversations").Scan(&id); err != nil {
		w.t.Fatal(err)
	}
	return fmt.Sprintf("%s/inbox/%d", w.url, id)
}

func (w *town) write(body string) {
	w.t.Helper()
	customer := w.sim.Accounts()[0].Customers[0].Address
	if codes := w.sim.Receive(w.sid, simulator.Write{Customer: customer, Number: townNumber, Body: body}); len(codes) == 0 || codes[len(codes)-1] != http.StatusOK {
		w.t.Fatal(codes)
	}
}

func (w *town) reply(conversation, body string) {
	w.t.Helper()
	res := fetch(w.t, w.client, "POST", conversation+"/messages", url.Values{"client_key": {body}, "body": {body}})
	if res.StatusCode != http.StatusSeeOther {
		w.t.Fatal(res.StatusCode)
	}
}

func (w *town) waitHeld() {
	w.t.Helper()
	select {
	case <-w.gate.held:
	case <-time.After(10 * time.Second):
		w.t.Fatal("nothing was sent")
	}
}

// age lets three minutes pass for all that waits: leases, deadlines, jobs, and the lock of the process that leads the jobs.
func (w *town) age() {
	w.t.Helper()
	ours, rivers := "now() - interval '%d seconds'", "now() - interval '%d seconds'"
	if w.dialect == store.SQLite {
		ours, rivers = "strftime('%%Y-%%m-%%d %%H:%%M:%%f+00:00', 'now', '-%d seconds')", "datetime('now', 'subsec', '-%d seconds')"
	}
	for _, stmt := range []string{
		fmt.Sprintf("UPDATE send_attempts SET started_at = "+ours+", deadline_at = "+ours+", lease_until = "+ours+" WHERE state IN ('sending', 'uncertain')", 200, 190, 180),
		fmt.Sprintf("UPDATE river_job SET scheduled_at = "+rivers+" WHERE state = 'scheduled'", 60),
	} {
		if _, err := w.db.ExecContext(w.t.Context(), stmt); err != nil {
			w.t.Fatal(err)
		}
	}
}

// forget removes the lock that the killed process holds over periodic jobs; it would end by itself after a while.
func (w *town) forget() {
	w.t.Helper()
	if _, err := w.db.ExecContext(w.t.Context(), "DELETE FROM river_leader"); err != nil {
		w.t.Fatal(err)
	}
}

// sent gives the state of the one message of ours and how often Twilio has taken it.
func (w *town) sent() (state string, creates int) {
	w.t.Helper()
	if err := w.db.QueryRowContext(w.t.Context(), "SELECT state FROM messages WHERE direction = 'out'").Scan(&state); err != nil {
		w.t.Fatal(err)
	}
	for _, e := range w.sim.Ledger(w.sid) {
		if e.What == "create" && e.SID != "" {
			creates++
		}
	}
	return state, creates
}

// until waits for a state of our message while time passes.
func (w *town) until(want string) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 40*time.Second)
	defer cancel()
	tick := time.NewTicker(300 * time.Millisecond)
	defer tick.Stop()
	for {
		state, n := w.sent()
		if n > 1 {
			w.t.Fatalf("Twilio has taken the message %d times", n)
		}
		if state == want {
			return
		}
		select {
		case <-tick.C:
			w.age()
		case <-ctx.Done():
			w.t.Fatalf("it is %s and never %s", state, want)
		}
	}
}

func eachTown(t *testing.T, f func(t *testing.T, w *town)) {
	t.Helper()
	for _, d := range storetest.Dialects {
		t.Run(string(d), func(t *testing.T) {
			t.Parallel()
			f(t, newTown(t, d))
		})
	}
}

// The program dies while a message is on its way. Whether Twilio has it or not: after the next start it is there once.
func TestKilledWhileSending(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a while")
	}
	for _, c := range []struct{ name, gate, want string }{
		{"Twilio never saw it", "before", "accepted"},
		{"Twilio has it", "after", "accepted"},
		{"Twilio has it and reports", "after", "delivered"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			eachTown(t, func(t *testing.T, w *town) {
				p := w.launch()
				conversation := w.conversation()
				w.gate.set(c.gate)
				w.reply(conversation, "once")
				w.waitHeld()
				p.kill()
				if state, _ := w.sent(); state != "sending" {
					t.Fatalf("it is %s", state)
				}
				w.gate.set("")
				w.forget()
				w.age()
				w.launch()
				if c.want == "delivered" {
					for _, m := range w.sim.Thread(w.sid, w.sim.Accounts()[0].Customers[0].Address, townNumber) {
						if m.Direction != "inbound" {
							w.sim.Report(w.sid, m.SID, "delivered", 0)
						}
					}
				}
				w.until(c.want)
				if _, n := w.sent(); n != 1 {
					t.Errorf("Twilio has taken it %d times", n)
				}
			})
		})
	}
}

// Whatever was answered with 200 is kept, once, also when Twilio comes again after the program was killed.
func TestKilledUnderLoad(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a while")
	}
	eachTown(t, func(t *testing.T, w *town) {
		p := w.launch()
		w.conversation()
		var mu sync.Mutex
		var answered, all []string
		enough, dead := make(chan struct{}), make(chan struct{})
		var senders sync.WaitGroup
		for s := range 8 {
			senders.Go(func() {
				for i := 0; ; i++ {
					select {
					case <-dead:
						return
					default:
					}
					id := fmt.Sprintf("SM%016x%016x", s+1, i)
					status := w.post(id)
					mu.Lock()
					all = append(all, id)
					if status == http.StatusOK {
						if answered = append(answered, id); len(answered) == 200 {
							close(enough)
						}
					}
					mu.Unlock()
				}
			})
		}
		select {
		case <-enough:
		case <-time.After(20 * time.Second):
			t.Fatal("too slow")
		}
		p.kill()
		close(dead)
		senders.Wait()
		w.launch()
		w.checkKept(answered)
		for _, id := range all {
			if status := w.post(id); status != http.StatusOK {
				t.Fatalf("the repeat: %d", status)
			}
		}
		w.checkKept(all)
	})
}

// post posts a signed message of a customer and gives the status, 0 without an answer.
func (w *town) post(id string) int {
	address := w.url + "/hooks/twilio/unguessable/inbound"
	customer := fmt.Sprintf("whatsapp:+4740%06d", 100*int(id[17])+int(id[33])) // some customers write more than once
	form := url.Values{"MessageSid": {id}, "AccountSid": {w.sid}, "From": {customer}, "To": {"whatsapp:" + townNumber}, "Body": {id}}
	req, err := http.NewRequest(http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return 0
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set(twilio.SignatureHeader, twilio.Sign(w.token, address, form))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0
	}
	defer func() { _ = res.Body.Close() }()
	if b, err := io.ReadAll(res.Body); err != nil || string(b) != twilio.EmptyResponse {
		return 0
	}
	return res.StatusCode
}

func (w *town) checkKept(ids []string) {
	w.t.Helper()
	rows, err := w.db.QueryContext(w.t.Context(), "SELECT provider_sid FROM messages WHERE direction = 'in'")
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	kept := map[string]int{}
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			w.t.Fatal(err)
		}
		kept[id]++
	}
	if err := rows.Err(); err != nil {
		w.t.Fatal(err)
	}
	for _, id := range ids {
		if kept[id] != 1 {
			w.t.Errorf("%s was answered and is kept %d times", id, kept[id])
		}
	}
}

// SIGTERM while a message is on its way and a stream is open: the stream ends, /readyz says so, what can be finished is
// finished, what cannot is left for the next start, and the program ends with 0 within ten seconds.
func TestStopsWhileSending(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a while")
	}
	for _, answers := range []bool{true, false} {
		t.Run(fmt.Sprintf("answers=%v", answers), func(t *testing.T) {
			t.Parallel()
			eachTown(t, func(t *testing.T, w *town) {
				p := w.launch()
				conversation := w.conversation()
				stream := bufio.NewReader(fetch(t, w.client, "GET", w.url+"/events", nil).Body)
				if line, err := stream.ReadString('\n'); err != nil || line != "event: ping\n" {
					t.Fatal(line, err)
				}
				w.gate.set("after")
				w.reply(conversation, "once")
				w.waitHeld()
				began := time.Now()
				p.terminate()
				if _, err := io.ReadAll(stream); err != nil {
					t.Error("the stream did not end well:", err)
				}
				if res := fetch(t, w.client, "GET", w.url+"/readyz", nil); res.StatusCode != http.StatusServiceUnavailable {
					t.Error("readyz while it stops:", res.StatusCode)
				}
				w.write("a message while it stops is taken in")
				if answers {
					close(w.gate.open)
				}
				if code := p.wait(); code != exitOK {
					t.Errorf("exit code %d:\n%s", code, p.log)
				}
				if d := time.Since(began); answers && d > 5*time.Second {
					t.Errorf("it took %v", d)
				}
				state, n := w.sent()
				if want := map[bool]string{true: "accepted", false: "sending"}[answers]; state != want || n != 1 {
					t.Errorf("%s after %d creates, want %s", state, n, want)
				}
				if !answers {
					w.gate.set("")
					w.forget()
					w.age()
					w.launch()
					w.until("accepted")
				}
			})
		})
	}
}

// A message that one instance takes in shows in the stream of the other.
func TestEventsCrossInstances(t *testing.T) {
	w := newTown(t, store.Postgres)
	w.launch()
	w.conversation()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	_ = l.Close()
	w.launch("KANAL_ADDR="+addr, "KANAL_DATA_DIR="+filepath.Join(t.TempDir(), "other"))
	stream := bufio.NewScanner(fetch(t, w.client, "GET", "http://"+addr+"/events", nil).Body)
	if !stream.Scan() || stream.Text() != "event: ping" {
		t.Fatal(stream.Text(), stream.Err())
	}
	w.write("once more")
	for stream.Scan() {
		if stream.Text() == "event: conversation" {
			return
		}
	}
	t.Fatal("the event did not come:", stream.Err())
}

// A second process on the same data is refused, and so is a database that a newer program has changed: nothing of it
// is altered.
func TestRefusedProcesses(t *testing.T) {
	eachTown(t, func(t *testing.T, w *town) {
		if w.dialect == store.SQLite {
			p := w.launch()
			out, err := w.command().CombinedOutput()
			if err == nil || string(out) != "kanal: Another Kanal uses this data folder. Stop it first.\n" {
				t.Errorf("%v %q", err, out)
			}
			p.terminate()
			p.wait()
		}
		yes := map[store.Dialect]string{store.SQLite: "1", store.Postgres: "true"}[w.dialect]
		if _, err := w.db.ExecContext(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, "+yes+")"); err != nil {
			t.Fatal(err)
		}
		if _, err := w.db.ExecContext(t.Context(), "DROP TABLE drafts"); err != nil { // it would be made again
			t.Fatal(err)
		}
		for _, args := range [][]string{{"serve"}, {"migrate"}} {
			out, err := w.command(args...).CombinedOutput()
			if err == nil || !strings.HasPrefix(string(out), "kanal: ") || strings.Count(string(out), "\n") != 1 || !strings.Contains(string(out), "newer") {
				t.Errorf("%v: %v %q", args, err, out)
			}
		}
		if _, err := w.db.ExecContext(t.Context(), "SELECT 1 FROM drafts"); err == nil {
			t.Error("the database was altered")
		}
	})
}

// Two processes that bring one database up to date at the same time come one after the other.
func TestMigratedByTwoAtOnce(t *testing.T) {
	w := newTown(t, store.Postgres)
	w.env = append(w.env, "KANAL_DATABASE_URL="+storetest.URL(t, store.Postgres))
	var both sync.WaitGroup
	for range 3 {
		both.Go(func() {
			if out, err := w.command("migrate").CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	both.Wait()
}

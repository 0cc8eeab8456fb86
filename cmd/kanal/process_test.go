package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
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
	sim, err := simulator.Open(simulator.Options{Now: time.Now, Ledger: 200_000})
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
	addr := freeAddress(t)
	w.url = "http://" + addr
	dir := filepath.Join(t.TempDir(), "data")
	w.address = storetest.Migrated(t, d)
	w.env = []string{
		"KANAL_DATA_DIR=" + dir, "KANAL_ADDR=" + addr, "KANAL_DATABASE_URL=" + w.address, "KANAL_SECRET_KEY=" + testKey,
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
		driver, name = "sqlite", "file:"+strings.TrimPrefix(w.address, "sqlite:")+"?_pragma=busy_timeout(30000)"
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

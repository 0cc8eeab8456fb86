// Package simulator stands in for Twilio: it speaks Twilio's HTTP on a loopback port of its own, signs and calls
// webhooks, and keeps a ledger of all that passed. Nothing leaves the machine.
package simulator

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"kanal/twilio"
)

// Options says how the simulator runs. File keeps accounts, senders, customers and messages between runs; empty keeps
// nothing. Addr is where it listens; empty is a free loopback port.
type Options struct {
	File string
	Addr string
	Now  func() time.Time
	Log  *slog.Logger
}

// Simulator is a running stand-in. All methods are safe for concurrent use.
type Simulator struct {
	o        Options
	mu       sync.Mutex
	state    state
	watchers map[chan struct{}]bool
	dirty    chan struct{}
	listener net.Listener
	server   *http.Server
	client   *http.Client
	ctx      context.Context
	cancel   context.CancelFunc
	wg       sync.WaitGroup
}

// state is what the file keeps.
type state struct {
	Accounts []*account `json:"accounts"`
}

type account struct {
	SID       string        `json:"sid"`
	Token     string        `json:"token"`
	Name      string        `json:"name"`
	Ahead     time.Duration `json:"ahead"`
	Senders   []*Sender     `json:"senders"`
	Customers []*Customer   `json:"customers"`
	Messages  []*Message    `json:"messages"`
	Outcome   Outcome       `json:"outcome"`
	Suspended bool          `json:"suspended"`
	faults    []Fault
	ledger    []Entry
}

// Sender is a WhatsApp sender of a simulated account. InboundURL is what a person would paste into the console.
type Sender struct {
	SID        string `json:"sid"`
	Number     string `json:"number"` // E.164
	Name       string `json:"name"`
	InboundURL string `json:"inbound_url"`
}

// Customer is a simulated person with a phone.
type Customer struct {
	Name    string         `json:"name"`
	Address twilio.Address `json:"address"`
	BSUID   string         `json:"bsuid"`
}

// Outcome says what becomes of messages to customers. Final is read, delivered, sent, failed or undelivered; Code is
// the error of the last two.
type Outcome struct {
	Final string        `json:"final"`
	Code  int           `json:"code"`
	Step  time.Duration `json:"step"` // between two callbacks; 0 is DefaultStep
}

// DefaultStep is the time between two status callbacks.
const DefaultStep = 300 * time.Millisecond

// Fault is something that goes wrong with one create.
type Fault string

// The faults of a create.
const (
	FaultTooMany    Fault = "429"          // not processed
	FaultHTML       Fault = "500"          // a page of an edge, nothing processed
	FaultCommitHang Fault = "commit_hang"  // processed, then no answer until the client gives up
	FaultCommitDrop Fault = "commit_drop"  // processed, then the connection is cut
	FaultCommitSlow Fault = "commit_slow"  // processed and called back before the answer comes
	FaultRejected   Fault = "21211"        // refused for good
	FaultDown       Fault = "down"         // the connection is cut before anything is processed
	FaultUnauth     Fault = "unauthorized" // SID and token are not accepted
)

// Message is a message as Twilio keeps it.
type Message struct {
	SID        string    `json:"sid"`
	AccountSID string    `json:"account_sid"`
	From       string    `json:"from"`
	To         string    `json:"to"`
	Body       string    `json:"body"`
	Direction  string    `json:"direction"`
	Status     string    `json:"status"`
	ErrorCode  int       `json:"error_code"`
	Kind       string    `json:"kind"`
	Created    time.Time `json:"created"` // by the account's own clock
	Callback   string    `json:"callback"`
}

// Open starts the simulator.
func Open(o Options) (*Simulator, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Addr == "" {
		o.Addr = "127.0.0.1:0"
	}
	s := &Simulator{o: o, watchers: map[chan struct{}]bool{}, dirty: make(chan struct{}, 1)}
	if err := s.load(); err != nil {
		return nil, err
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	var err error
	if s.listener, err = (&net.ListenConfig{}).Listen(s.ctx, "tcp", o.Addr); err != nil {
		s.cancel()
		return nil, err
	}
	// Connections to webhooks are not shared with anything else of the process.
	s.client = &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: 64, IdleConnTimeout: 30 * time.Second},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	s.server = &http.Server{Handler: s.routes(), ReadHeaderTimeout: 5 * time.Second}
	s.wg.Add(2)
	go func() { defer s.wg.Done(); _ = s.server.Serve(s.listener) }()
	go s.keep()
	return s, nil
}

// URL is the base of its REST hosts.
func (s *Simulator) URL() *url.URL {
	return &url.URL{Scheme: "http", Host: s.listener.Addr().String()}
}

// Close stops listening and calling and writes the file.
func (s *Simulator) Close() error {
	s.cancel()
	err := s.server.Close()
	s.wg.Wait()
	s.client.CloseIdleConnections()
	return errors.Join(err, s.save())
}

func (s *Simulator) load() error {
	if s.o.File == "" {
		return nil
	}
	b, err := os.ReadFile(s.o.File)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return json.Unmarshal(b, &s.state)
}

// keep writes the file a moment after a change.
func (s *Simulator) keep() {
	defer s.wg.Done()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-s.dirty:
		}
		select {
		case <-s.ctx.Done():
			return
		case <-time.After(200 * time.Millisecond):
		}
		if err := s.save(); err != nil {
			s.o.Log.Error("the simulator's file was not written", "err", err)
		}
	}
}

func (s *Simulator) save() error {
	if s.o.File == "" {
		return nil
	}
	s.mu.Lock()
	b, err := json.Marshal(s.state)
	s.mu.Unlock()
	if err != nil {
		return err
	}
	tmp := filepath.Join(filepath.Dir(s.o.File), ".simulator.tmp")
	if err := os.WriteFile(tmp, b, 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, s.o.File)
}

// changed is called with the lock held, after every change.
func (s *Simulator) changed() {
	for ch := range s.watchers {
		select {
		case ch <- struct{}{}:
		default:
		}
	}
	select {
	case s.dirty <- struct{}{}:
	default:
	}
}

// Watch gives a channel that hears of every change; several changes may be heard as one.
func (s *Simulator) Watch() (<-chan struct{}, func()) {
	ch := make(chan struct{}, 1)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watchers[ch] = true
	return ch, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.watchers, ch)
	}
}

func (s *Simulator) account(sid string) *account {
	for _, a := range s.state.Accounts {
		if a.SID == sid {
			return a
		}
	}
	return nil
}

func (a *account) now(real time.Time) time.Time { return real.Add(a.Ahead).UTC() }

func (a *account) sender(number string) *Sender {
	for _, s := range a.Senders {
		if s.Number == number {
			return s
		}
	}
	return nil
}

// id makes a SID: two letters and 32 hexadecimal digits.
func id(letters string) string {
	b := make([]byte, 16)
	_, _ = rand.Read(b)
	return letters + hex.EncodeToString(b)
}

// Account is a simulated account as the page and tests see it.
type Account struct {
	SID, Token, Name string
	Ahead            time.Duration
	Senders          []Sender
	Customers        []Customer
	Outcome          Outcome
}

// Mint makes an account with one sender and three customers.
func (s *Simulator) Mint(name, number string) Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := &account{
		SID: id("AC"), Token: id("")[:32], Name: name, Outcome: Outcome{Final: "read"},
		Senders: []*Sender{{SID: id("XE"), Number: number, Name: name}},
		Customers: []*Customer{
			{Name: "Kari Nordli", Address: "whatsapp:+4740000142", BSUID: "NO.1A2B3C4D5E6F7G8H9I0J"},
			{Name: "Jonas Bakke", Address: "whatsapp:+4740000143", BSUID: "NO.2B3C4D5E6F7G8H9I0J1A"},
			{Name: "Amina Yusuf", Address: "whatsapp:NO.3C4D5E6F7G8H9I0J1A2B", BSUID: "NO.3C4D5E6F7G8H9I0J1A2B"},
		},
	}
	s.state.Accounts = append(s.state.Accounts, a)
	s.changed()
	return a.view()
}

func (a *account) view() Account {
	v := Account{SID: a.SID, Token: a.Token, Name: a.Name, Ahead: a.Ahead, Outcome: a.Outcome}
	for _, s := range a.Senders {
		v.Senders = append(v.Senders, *s)
	}
	for _, c := range a.Customers {
		v.Customers = append(v.Customers, *c)
	}
	return v
}

// Accounts gives all accounts, the oldest first.
func (s *Simulator) Accounts() []Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Account
	for _, a := range s.state.Accounts {
		out = append(out, a.view())
	}
	return out
}

// Has tells whether this simulator minted the SID.
func (s *Simulator) Has(sid string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.account(sid) != nil
}

// with runs f on an account with the lock held; false when there is no such account.
func (s *Simulator) with(sid string, f func(*account)) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.account(sid)
	if a == nil {
		return false
	}
	f(a)
	s.changed()
	return true
}

// SetInboundURL does what a person does in the console: it pastes the address for incoming messages of a sender.
func (s *Simulator) SetInboundURL(sid, number, address string) bool {
	found := false
	return s.with(sid, func(a *account) {
		if sender := a.sender(number); sender != nil {
			sender.InboundURL, found = address, true
		}
	}) && found
}

// AddSender adds a WhatsApp sender to an account.
func (s *Simulator) AddSender(sid, number, name string) bool {
	return s.with(sid, func(a *account) {
		a.Senders = append(a.Senders, &Sender{SID: id("XE"), Number: number, Name: name})
	})
}

// AddCustomer adds a person with a phone to an account.
func (s *Simulator) AddCustomer(sid string, c Customer) bool {
	return s.with(sid, func(a *account) { a.Customers = append(a.Customers, &c) })
}

// SetOutcome says what becomes of the account's messages from now on.
func (s *Simulator) SetOutcome(sid string, o Outcome) bool {
	return s.with(sid, func(a *account) { a.Outcome = o })
}

// SetSuspended suspends an account or lifts it.
func (s *Simulator) SetSuspended(sid string, on bool) bool {
	return s.with(sid, func(a *account) { a.Suspended = on })
}

// Fail makes the next creates of an account go wrong, one each.
func (s *Simulator) Fail(sid string, faults ...Fault) bool {
	return s.with(sid, func(a *account) { a.faults = append(a.faults, faults...) })
}

// Advance moves the account's clock ahead.
func (s *Simulator) Advance(sid string, d time.Duration) bool {
	return s.with(sid, func(a *account) { a.Ahead += d })
}

// Thread gives the messages between a customer and a sender, the oldest first.
func (s *Simulator) Thread(sid string, customer twilio.Address, number string) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.account(sid)
	if a == nil {
		return nil
	}
	var out []Message
	ours := "whatsapp:" + number
	for _, m := range a.Messages {
		if m.From == string(customer) && m.To == ours || m.From == ours && m.To == string(customer) {
			out = append(out, *m)
		}
	}
	return out
}

// Entry is one thing that passed between Twilio and the center: a create, or one attempt of a webhook.
type Entry struct {
	At       time.Time
	What     string // create, inbound or status
	SID      string
	URL      string // of a webhook
	Token    string // the idempotency token of a webhook: the same on all attempts of one event
	Status   int    // of the answer; 0 without one
	Fault    Fault
	Params   url.Values
	Duration time.Duration
}

// maxLedger bounds the ledger of an account; the oldest entries leave.
const maxLedger = 20000

// note is called with the lock held.
func (a *account) note(e Entry) {
	if len(a.ledger) >= maxLedger {
		a.ledger = slices.Delete(a.ledger, 0, maxLedger/4)
	}
	a.ledger = append(a.ledger, e)
}

// Ledger gives what passed, the oldest first.
func (s *Simulator) Ledger(sid string) []Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.account(sid); a != nil {
		return slices.Clone(a.ledger)
	}
	return nil
}

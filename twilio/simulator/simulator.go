// Package simulator stands in for Twilio: it speaks Twilio's HTTP on a loopback port of its own, signs and calls
// webhooks, and keeps a ledger of all that passed. Nothing leaves the machine.
package simulator

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Options says how the simulator runs. File keeps accounts, senders, customers and messages between runs; empty keeps
// nothing. Addr is where it listens; empty is a free loopback port. Now is required: the clock that accounts run ahead of.
// Ledger bounds the entries of an account's ledger; 0 is 20,000.
type Options struct {
	File   string
	Addr   string
	Now    func() time.Time
	Log    *slog.Logger
	Ledger int
}

// Simulator is a running stand-in. All methods are safe for concurrent use.
type Simulator struct {
	o        Options
	files    string     // the folder of files that the center has sent
	saving   sync.Mutex // one writes the file at a time
	mu       sync.Mutex
	state    state
	watchers map[chan struct{}]bool
	dirty    chan struct{}
	listener net.Listener
	server   *http.Server
	media    mediaStore
	client   *http.Client
	ctx      context.Context
	cancel   context.CancelFunc
	wg       sync.WaitGroup
	closed   bool
}

// state is what the file keeps.
type state struct {
	Accounts []*account `json:"accounts"`
}

// Open starts the simulator. It fails without a clock, with a file that cannot be read, or when Addr is taken.
func Open(o Options) (*Simulator, error) {
	if o.Now == nil {
		return nil, errors.New("the simulator needs a clock")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Addr == "" {
		o.Addr = "127.0.0.1:0"
	}
	if o.File != "" {
		if err := os.MkdirAll(filepath.Dir(o.File), 0o700); err != nil {
			return nil, err
		}
	}
	files, err := filesFolder(o.File)
	if err != nil {
		return nil, err
	}
	s := &Simulator{o: o, files: files, watchers: map[chan struct{}]bool{}, dirty: make(chan struct{}, 1)}
	if err := s.load(); err != nil {
		return nil, err
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	if s.listener, err = (&net.ListenConfig{}).Listen(s.ctx, "tcp", o.Addr); err != nil {
		s.cancel()
		return nil, err
	}
	if err := s.openMediaStore(); err != nil {
		s.cancel()
		return nil, errors.Join(err, s.listener.Close())
	}
	// Connections to webhooks are not shared with anything else of the process.
	s.client = &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: 256, IdleConnTimeout: 30 * time.Second},
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
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	err := errors.Join(s.server.Close(), s.media.server.Close())
	s.wg.Wait()
	s.client.CloseIdleConnections()
	if s.o.File == "" {
		err = errors.Join(err, os.RemoveAll(s.files))
	}
	return errors.Join(err, s.save())
}

// filesFolder makes the folder of files beside the simulator's file; one that keeps nothing has a folder for the time
// that it runs.
func filesFolder(file string) (string, error) {
	if file == "" {
		return os.MkdirTemp("", "kanal-simulator-")
	}
	dir := filepath.Join(filepath.Dir(file), "simulator-files")
	return dir, os.MkdirAll(dir, 0o700)
}

// run runs f beside the caller; false when the simulator is closing.
func (s *Simulator) run(f func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.wg.Add(1)
	go func() { defer s.wg.Done(); f() }()
	return true
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
	if err := json.Unmarshal(b, &s.state); err != nil {
		return fmt.Errorf("the simulator's file %s cannot be read: %w", s.o.File, err)
	}
	for _, a := range s.state.Accounts { // from before there were templates, and tokens that were rotated away
		a.addSamples(s.o.Now())
		a.Rotated = cmp.Or(a.Rotated, id(""))
	}
	return nil
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
		s.saveNow()
	}
}

// saveNow writes the file at once: what others keep too must not be forgotten here.
func (s *Simulator) saveNow() {
	if err := s.save(); err != nil {
		s.o.Log.Error("the simulator's file was not written", "err", err)
	}
}

func (s *Simulator) save() error {
	if s.o.File == "" {
		return nil
	}
	s.saving.Lock()
	defer s.saving.Unlock()
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

// id makes a SID: two letters and 32 hexadecimal digits.
func id(letters string) string {
	b := make([]byte, 16)
	_, _ = rand.Read(b)
	return letters + hex.EncodeToString(b)
}

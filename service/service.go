// Package service holds what happens: one use case per method, with its transaction, its rules and its events. No
// network call is made inside a transaction.
package service

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"kanal/models"
	"kanal/store"
	"kanal/store/blob"
	"kanal/store/spool"
	"kanal/twilio"
)

// Times that bound what a service does.
const (
	batchTimeout = 8 * time.Second // Twilio waits ten
	storeTimeout = 10 * time.Second
	checkTimeout = 5 * time.Second // asking Twilio while a person waits
)

var errStopped = models.E(models.KindUnavailable, "error.unavailable")

// Options are what the use cases need. PublicURL is what Twilio and browsers use.
type Options struct {
	Store     *store.Store
	Files     *blob.Store  // nil in a program that touches no file
	Spool     *spool.Spool // nil in a program that Twilio does not call
	Twilio    *twilio.Client
	PublicURL *url.URL
	Log       *slog.Logger
	// IsSimulated tells whether the built-in simulator minted an account SID; nil when it is off.
	IsSimulated func(sid string) bool
	// Outside asks our own public address, as the connection check does; nil is a client of its own.
	Outside *http.Client
}

// Service runs the use cases. It is safe for concurrent use.
type Service struct {
	store       *store.Store
	files       *blob.Store
	twilio      *twilio.Client
	publicURL   *url.URL
	log         *slog.Logger
	isSimulated func(string) bool
	directory   *directory
	inbox       *batcher[inbound]
	spool       *spool.Spool
	away        atomic.Bool    // the database did not answer the last webhook
	delivering  sync.WaitGroup // webhooks that are on their way into the database
	signatures  signatures
	passwords   *passwords
	turns       turns
	listings    listings
	outside     *http.Client
	checking    chan struct{} // one place for each part of a connection check that runs
}

// New makes the service and reads the directory of accounts and numbers.
func New(ctx context.Context, o Options) (*Service, error) {
	s := &Service{store: o.Store, files: o.Files, spool: o.Spool, twilio: o.Twilio, publicURL: o.PublicURL, log: o.Log, isSimulated: o.IsSimulated, passwords: newPasswords(), outside: o.Outside}
	s.checking = make(chan struct{}, checksAtOnce)
	if s.outside == nil {
		s.outside = &http.Client{Timeout: checkTimeout}
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.isSimulated == nil {
		s.isSimulated = func(string) bool { return false }
	}
	s.directory = newDirectory(o.Store, s.log)
	if err := s.directory.load(ctx); err != nil {
		return nil, err
	}
	workers := 1 // SQLite has one writer
	if o.Store.Dialect() == store.Postgres {
		workers = 2
	}
	s.inbox = newBatcher(workers, s.receiveAll)
	return s, nil
}

// Close waits until what has been handed over is on disk.
func (s *Service) Close() {
	s.delivering.Wait()
	s.inbox.close()
}

// Follow keeps the directory of accounts and numbers up to date with what other instances change, until ctx ends. What
// could not be read is read again until it can.
func (s *Service) Follow(ctx context.Context) {
	events, cancel := s.store.Subscribe()
	defer cancel()
	var again <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case list := <-events:
			if !changesDirectory(list) {
				continue
			}
		case <-s.directory.late:
		case <-again:
		}
		again = nil
		if err := s.directory.load(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("the directory of accounts was not read", "err", err)
			again = time.After(againEvery)
		}
	}
}

func changesDirectory(events []models.Event) bool {
	for _, e := range events {
		if e.Name == models.EventAccount || e.Name == models.EventResync {
			return true
		}
	}
	return false
}

// hookURL gives the address of one of an account's webhooks. It comes from the settings, never from a request.
func (s *Service) hookURL(a models.Account, what string) string {
	return strings.TrimSuffix(s.publicURL.String(), "/") + "/hooks/twilio/" + a.HookKey + "/" + what
}

// InboundURL gives the address that a person pastes into Twilio, with the connection overrides.
func (s *Service) InboundURL(a models.Account) string {
	return s.hookURL(a, "inbound") + twilio.ConnectionOverrides
}

// FallbackURL gives the address that Twilio calls when it does not get through to the inbound address.
func (s *Service) FallbackURL(a models.Account) string {
	return s.hookURL(a, string(HookFallback)) + twilio.ConnectionOverrides
}

// StatusURL is the address for reports about messages of a number that name none themselves.
func (s *Service) StatusURL(a models.Account) string {
	return s.hookURL(a, "status") + twilio.ConnectionOverrides
}

// DebuggerURL gives the address that Twilio's debugger calls. Its page takes no long ones.
func (s *Service) DebuggerURL(a models.Account) string {
	address := s.hookURL(a, string(HookDebug))
	if len(address)+len(twilio.ConnectionOverrides) > twilio.MaxDebuggerURL {
		return address
	}
	return address + twilio.ConnectionOverrides
}

// errSimulatorOff says that an account of the simulator's cannot be used without it.
var errSimulatorOff = models.E(models.KindUnavailable, "simulator.off")

// credentials gives what Twilio asks for; the token is opened here and nowhere kept. During a rotation it is the next
// token: that one lives on. While the simulator is off its accounts have none: nothing of theirs ever goes to the real
// Twilio.
func (s *Service) credentials(a models.Account) (twilio.Credentials, error) {
	if a.Simulated && !s.isSimulated(a.SID) {
		return twilio.Credentials{}, errSimulatorOff
	}
	sealed := a.TokenSealed
	if a.NextTokenSealed != "" {
		sealed = a.NextTokenSealed
	}
	return s.unsealed(a, sealed)
}

// unsealed gives the credentials of an account with one of its tokens.
func (s *Service) unsealed(a models.Account, sealed string) (twilio.Credentials, error) {
	token, err := s.store.Unseal(sealed, a.ID.Row())
	if err != nil {
		return twilio.Credentials{}, err
	}
	return twilio.Credentials{AccountSID: a.SID, AuthToken: token.Reveal()}, nil
}

package service

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"kanal/models"
	"kanal/store"
)

// directory is the copy in memory of what every webhook needs: accounts with their tokens, numbers, workstreams and
// greetings. With it a signature is checked without the database.
type directory struct {
	store *store.Store
	log   *slog.Logger
	late  chan struct{} // says that a reading after a change failed
	mu    sync.RWMutex
	d     directoryData
	begun int64 // how many readings were begun
	held  int64 // which of them d is from

	again   sync.Mutex // held while it is read again for a call
	againAt time.Time
}

// againEvery is the shortest time between two readings for calls whose signature does not match, and between two after
// one that failed.
const againEvery = time.Second

func newDirectory(st *store.Store, log *slog.Logger) *directory {
	return &directory{store: st, log: log, late: make(chan struct{}, 1)}
}

type directoryData struct {
	accounts  map[models.AccountID]models.Account
	byKey     map[string]models.AccountID
	tokens    map[models.AccountID][]signer
	numbers   map[models.NumberID]models.Number
	byAddress map[models.AccountID]map[string]models.NumberID
	queues    map[models.WorkstreamID]models.QueueID
	greetings map[models.NumberID]string
	standing  models.QueueID // the default queue
}

// load reads everything again. Of two that read at the same time the one that began later stays.
func (d *directory) load(ctx context.Context) error {
	d.mu.Lock()
	d.begun++
	turn := d.begun
	d.mu.Unlock()
	rows, err := d.store.Directory(ctx)
	if err != nil {
		return err
	}
	n := directoryData{
		accounts: map[models.AccountID]models.Account{}, byKey: map[string]models.AccountID{}, tokens: map[models.AccountID][]signer{},
		numbers: map[models.NumberID]models.Number{}, byAddress: map[models.AccountID]map[string]models.NumberID{},
		queues: map[models.WorkstreamID]models.QueueID{}, greetings: map[models.NumberID]string{}, standing: rows.DefaultQueue,
	}
	for _, a := range rows.Accounts {
		n.accounts[a.ID], n.byKey[a.HookKey] = a, a.ID
		n.byAddress[a.ID] = map[string]models.NumberID{}
		if n.tokens[a.ID], err = d.tokensOf(a); err != nil {
			return err
		}
	}
	for _, x := range rows.Numbers {
		n.numbers[x.ID] = x
		if m := n.byAddress[x.AccountID]; m != nil {
			m[x.Address] = x.ID
		}
	}
	for _, w := range rows.Workstreams {
		n.queues[w.ID] = w.QueueID
	}
	for _, m := range rows.Automated {
		if m.Active && m.Trigger == models.TriggerStarted {
			n.greetings[m.NumberID] = m.Text
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if turn > d.held {
		d.d, d.held = n, turn
	}
	return nil
}

// signer is a token that may have signed a call; until is the zero time for one that stays.
type signer struct {
	token string
	until time.Time
}

// tokensOf gives the tokens of an account: the current one, during a rotation the next one, and after it for a while
// the old one.
func (d *directory) tokensOf(a models.Account) ([]signer, error) {
	list := []struct {
		sealed string
		until  *time.Time
	}{{a.TokenSealed, nil}, {a.NextTokenSealed, nil}, {a.OldTokenSealed, a.OldTokenUntil}}
	var out []signer
	for _, x := range list {
		if x.sealed == "" {
			continue
		}
		token, err := d.store.Unseal(x.sealed, a.ID.Row())
		if err != nil {
			return nil, err
		}
		one := signer{token: token.Reveal()}
		if x.until != nil {
			one.until = *x.until
		}
		out = append(out, one)
	}
	return out, nil
}

// signing gives the tokens that may have signed a call of now.
func (n directoryData) signing(id models.AccountID, now time.Time) []string {
	var out []string
	for _, x := range n.tokens[id] {
		if x.until.IsZero() || now.Before(x.until) {
			out = append(out, x.token)
		}
	}
	return out
}

// changed reads everything again after a change that is on disk. The change stands, whatever becomes of the reading, so
// nobody is told that it failed: who follows reads again until it succeeds.
func (d *directory) changed(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
	defer cancel()
	err := d.load(ctx)
	if err == nil {
		return
	}
	d.log.Warn("the directory of accounts was not read after a change", "err", err)
	select {
	case d.late <- struct{}{}:
	default: // it is said already
	}
}

func (d *directory) read() directoryData {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.d
}

// account gives an account. ErrNotFound.
func (d *directory) account(id models.AccountID) (models.Account, error) {
	a, ok := d.read().accounts[id]
	if !ok {
		return a, models.ErrNotFound
	}
	return a, nil
}

// number finds an account's number by its address.
func (d *directory) number(account models.AccountID, address string) (models.Number, bool) {
	n := d.read()
	id, ok := n.byAddress[account][address]
	return n.numbers[id], ok
}

// numberByID gives a number. ErrNotFound.
func (d *directory) numberByID(id models.NumberID) (models.Number, error) {
	n, ok := d.read().numbers[id]
	if !ok {
		return n, models.ErrNotFound
	}
	return n, nil
}

func (d *directory) queueOf(w models.WorkstreamID) (models.QueueID, bool) {
	q, ok := d.read().queues[w]
	return q, ok
}

// defaultQueue gives the default queue; before the directory knows one the transaction is asked.
func (d *directory) defaultQueue(ctx context.Context, tx *store.Tx) (models.QueueID, error) {
	if q := d.read().standing; q != 0 {
		return q, nil
	}
	return tx.DefaultQueue(ctx)
}

func (d *directory) greeting(id models.NumberID) (string, bool) {
	text, ok := d.read().greetings[id]
	return text, ok
}

// Hook is the account behind the unguessable part of a webhook address, with the tokens that may have signed.
type Hook struct {
	Account models.Account
	Tokens  []string
}

// errAway says that the database is not asked, because it did not answer just now.
var errAway = models.E(models.KindUnavailable, "error.unavailable")

// Hook finds the account of a webhook address. ErrNotFound; errors of a database that is away.
func (s *Service) Hook(ctx context.Context, key string) (Hook, error) {
	n := s.directory.read()
	id, ok := n.byKey[key]
	if !ok {
		if s.spool != nil && s.away.Load() {
			return Hook{}, errAway
		}
		// Another instance may have made the account a moment ago.
		if known, err := s.store.HasHookKey(ctx, key); err != nil || !known {
			return Hook{}, orNotFound(err)
		}
		if err := s.directory.load(ctx); err != nil {
			return Hook{}, err
		}
		n = s.directory.read()
		if id, ok = n.byKey[key]; !ok {
			return Hook{}, models.ErrNotFound
		}
	}
	return Hook{Account: n.accounts[id], Tokens: n.signing(id, s.store.Now())}, nil
}

// hookAgain is Hook for a call whose signature does not match what is known: another instance may have taken a new
// token a moment ago, so the directory is read again, at most once a second. ErrNotFound.
func (s *Service) hookAgain(ctx context.Context, key string) (Hook, error) {
	d := s.directory
	d.again.Lock()
	defer d.again.Unlock()
	if now := s.store.Now(); now.Sub(d.againAt) >= againEvery {
		d.againAt = now // also when it fails: others wait behind this call
		if err := d.load(ctx); err != nil {
			return Hook{}, err
		}
	}
	return s.Hook(ctx, key)
}

// Reload reads the directory again, for who has changed the tables without the service.
func (s *Service) Reload(ctx context.Context) error { return s.directory.load(ctx) }

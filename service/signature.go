package service

import (
	"context"
	"strings"
	"sync"
	"time"
	"unicode"

	"kanal/models"
	"kanal/store"
)

// noteEvery is the shortest time between two notes of an account's signatures: a burst is written once.
const noteEvery = time.Second

// signatures counts calls with a wrong signature until they are written.
type signatures struct {
	mu sync.Mutex
	of map[models.AccountID]*failures
}

// failures are those of one account.
type failures struct {
	count int       // that are not written yet
	noted time.Time // when anything was written last
}

// due adds failures and gives how many are to be written now; none when something was written a moment ago.
func (s *signatures) due(id models.AccountID, more int, now time.Time) (int, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of == nil {
		s.of = map[models.AccountID]*failures{}
	}
	f := s.of[id]
	if f == nil {
		f = &failures{}
		s.of[id] = f
	}
	f.count += more
	if now.Sub(f.noted) < noteEvery {
		return 0, false
	}
	n := f.count
	f.count, f.noted = 0, now
	return n, true
}

// addresses are where a call was expected and where it came.
type addresses struct{ expected, seen string }

// maxAddress bounds an address that is shown.
const maxAddress = 400

// addressOf gives the address over which a call is signed.
func (s *Service) addressOf(c HookCall) string {
	return strings.TrimSuffix(s.publicURL.String(), "/") + c.URI
}

// addresses gives the addresses of a call without what it carries.
func (s *Service) addresses(c HookCall) addresses {
	expected, _, _ := strings.Cut(s.addressOf(c), "?")
	path, _, _ := strings.Cut(c.URI, "?")
	return addresses{plain(expected), plain(c.Origin + path)}
}

// plain makes what somebody has sent fit to be shown.
func plain(text string) string {
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, validText(text))
	return truncate(text, maxAddress)
}

// signatureFailed notes that a call with a wrong signature came to an account's address, so that the callback page can
// say so, with the addresses: most often one of them is wrong. A burst is noted once a second.
func (s *Service) signatureFailed(ctx context.Context, a models.Account, at addresses) error {
	n, due := s.signatures.due(a.ID, 1, s.store.Now())
	if !due {
		return nil
	}
	return s.store.InTx(ctx, func(tx *store.Tx) error {
		err := tx.MarkSignatureFail(ctx, a.ID, n, at.expected, at.seen)
		if err == nil {
			tx.Publish(models.Event{Name: models.EventAccount, Account: a.ID})
		}
		return err
	})
}

// signatureRight ends the count of wrong signatures. An account without any costs nothing.
func (s *Service) signatureRight(ctx context.Context, a models.Account) {
	if a.SignatureFails == 0 {
		return
	}
	if _, due := s.signatures.due(a.ID, 0, s.store.Now()); !due {
		return
	}
	err := s.store.InTx(ctx, func(tx *store.Tx) error {
		cleared, err := tx.ClearSignatureFails(ctx, a.ID)
		if cleared {
			tx.Publish(models.Event{Name: models.EventAccount, Account: a.ID})
		}
		return err
	})
	if err != nil {
		s.log.Warn("a right signature was not noted", "account", a.ID, "err", err)
	}
}

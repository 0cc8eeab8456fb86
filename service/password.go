package service

import (
	"context"
	"sync"
	"time"

	"github.com/alexedwards/argon2id"

	"kanal/models"
)

// Limits of passwords, in characters.
const (
	minPassword = 12
	maxPassword = 200
)

// passwordParams are what hashing one password costs.
var passwordParams = &argon2id.Params{Memory: 19 * 1024, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// maxStrangers bounds the memory for addresses that belong to nobody.
const maxStrangers = 10_000

// passwords hashes and compares, two at a time: each takes 19 MiB.
type passwords struct {
	slots chan struct{}
	dummy func() (string, error)

	mu        sync.Mutex
	strangers map[string]models.User // wrong tries for addresses that belong to nobody
}

func newPasswords() *passwords {
	return &passwords{
		slots: make(chan struct{}, 2),
		// What a try for nobody is compared with, so that it takes as long as one for somebody.
		dummy:     sync.OnceValues(func() (string, error) { return argon2id.CreateHash("nobody", passwordParams) }),
		strangers: map[string]models.User{},
	}
}

func (p *passwords) enter(ctx context.Context) error {
	select {
	case p.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return models.Wrap(ctx.Err(), "wait for hashing")
	}
}

func (p *passwords) leave() { <-p.slots }

// hash gives what is kept of a password.
func (p *passwords) hash(ctx context.Context, password models.Secret) (string, error) {
	if err := p.enter(ctx); err != nil {
		return "", err
	}
	defer p.leave()
	h, err := argon2id.CreateHash(password.Reveal(), passwordParams)
	if err != nil {
		return "", models.Wrap(err, "hash password")
	}
	return h, nil
}

// matches compares a password with what is kept; an empty hash never matches and takes as long.
func (p *passwords) matches(ctx context.Context, hash string, password models.Secret) (bool, error) {
	if err := p.enter(ctx); err != nil {
		return false, err
	}
	defer p.leave()
	against := hash
	if hash == "" {
		var err error
		if against, err = p.dummy(); err != nil {
			return false, models.Wrap(err, "hash password")
		}
	}
	ok, err := argon2id.ComparePasswordAndHash(password.Reveal(), against)
	if err != nil {
		return false, models.Wrap(err, "compare password")
	}
	return ok && hash != "", nil
}

// takeStranger counts a wrong try for an address that belongs to nobody; false when it must wait, as a user must.
func (p *passwords) takeStranger(email string, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	tries := p.strangers[email]
	if tries.Locked(now) {
		return false
	}
	if len(p.strangers) >= maxStrangers {
		clear(p.strangers)
	}
	p.strangers[email] = tries.AfterWrongPassword(now)
	return true
}

// checkPassword adds what is wrong with a new password, for the field of that name.
func checkPassword(errs *models.FieldErrors, password models.Secret) {
	const field = "password"
	switch n := len([]rune(password.Reveal())); {
	case n == 0:
		errs.Add(field, "user.password_missing")
	case n < minPassword:
		errs.Add(field, "user.password_short", "n", minPassword)
	case n > maxPassword:
		errs.Add(field, "user.password_long", "n", maxPassword)
	}
}

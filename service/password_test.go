package service

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"kanal/models"
	"kanal/store"
	"kanal/store/storetest"
)

// costs is how a hash of ours begins: 19 MiB, twice, one lane.
const costs = "$argon2id$v=19$m=19456,t=2,p=1$"

// What is compared for nobody costs as much as what is kept.
func TestPasswordCost(t *testing.T) {
	p := newPasswords()
	kept, err := p.hash(t.Context(), "correct horse battery")
	if err != nil || !strings.HasPrefix(kept, costs) {
		t.Errorf("%q, %v", kept, err)
	}
	nobody, err := p.dummy()
	if err != nil || !strings.HasPrefix(nobody, costs) {
		t.Errorf("%q, %v", nobody, err)
	}
	again, err := p.hash(t.Context(), "correct horse battery")
	if err != nil || again == kept {
		t.Errorf("the same hash twice: no salt, %v", err)
	}
	for password, want := range map[models.Secret]bool{"correct horse battery": true, "Correct horse battery": false, "correct horse battery ": false, "": false} {
		if got, err := p.matches(t.Context(), kept, password); got != want || err != nil {
			t.Errorf("%q: %v, %v", password.Reveal(), got, err)
		}
	}
}

// No password fits an empty hash, not even the one that it is compared with; what is no argon2id is an error and fits nothing.
func TestOtherHashes(t *testing.T) {
	p := newPasswords()
	if ok, err := p.matches(t.Context(), "", "nobody"); ok || err != nil {
		t.Errorf("the empty hash: %v, %v", ok, err)
	}
	for _, hash := range []string{
		"nobody", "$2a$04$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy", "$argon2i$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$aGFzaA",
		"$argon2id$v=16$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$aGFzaA", "$argon2id$v=19$m=19456,t=2,p=1$", "5f4dcc3b5aa765d61d8327deb882cf99",
	} {
		if ok, err := p.matches(t.Context(), hash, "nobody"); ok || err == nil {
			t.Errorf("%s: %v, %v", hash, ok, err)
		}
	}
}

// While two are hashed everybody else waits, for nobody as for somebody; whoever gives up while waiting costs nothing.
func TestTwoPasswordsAtATime(t *testing.T) {
	p := newPasswords()
	gone, leave := context.WithCancel(t.Context())
	leave()
	for range 2 {
		if err := p.enter(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	_, hashing := p.hash(gone, "correct horse battery")
	_, comparing := p.matches(gone, "$argon2id$", "x")
	for what, err := range map[string]error{"hash": hashing, "compare": comparing} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s does not wait: %v", what, err)
		}
	}
	if _, err := p.matches(gone, "", "x"); !errors.Is(err, context.Canceled) {
		t.Errorf("a comparison for nobody does not wait: %v", err)
	}
	p.leave()
	if _, err := p.hash(t.Context(), "correct horse battery"); err != nil {
		t.Errorf("hash: %v", err)
	}
	if _, err := p.matches(t.Context(), "", "x"); err != nil {
		t.Errorf("compare: %v", err)
	}
	// Both have given their place back: one is free, and then none.
	if err := p.enter(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := p.enter(gone); !errors.Is(err, context.Canceled) {
		t.Errorf("a third at a time: %v", err)
	}
}

// The memory for addresses of nobody is bounded.
func TestStrangersAreBounded(t *testing.T) {
	p, now := newPasswords(), time.Unix(0, 0)
	for i := range maxStrangers + 10 {
		p.takeStranger(time.Duration(i).String(), now)
	}
	if len(p.strangers) > maxStrangers {
		t.Errorf("%d are kept", len(p.strangers))
	}
}

// An address that belongs to nobody is answered like another: a hash is computed, and five wrong passwords make it wait.
func TestStrangerIsAnsweredLikeAUser(t *testing.T) {
	clock := storetest.NewClock()
	s := &Service{store: storetest.Open(t, store.SQLite, clock.Now), passwords: newPasswords()}
	gone, leave := context.WithCancel(t.Context())
	leave()
	for range 2 {
		if err := s.passwords.enter(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.refuseStranger(gone, "busy@example.com", "x"); !errors.Is(err, context.Canceled) {
		t.Errorf("answered without a hash: %v", err)
	}
	s.passwords.leave()
	for i := range 7 {
		want := ErrSignIn
		if i >= 5 {
			want = ErrTooManyTries
		}
		if _, err := s.SignIn(t.Context(), " Nobody@Example.com", "x"); !errors.Is(err, want) {
			t.Errorf("try %d: %v, want %v", i+1, err, want)
		}
	}
	clock.Advance(time.Minute)
	if _, err := s.SignIn(t.Context(), "nobody@example.com", "x"); !errors.Is(err, ErrSignIn) {
		t.Errorf("a minute later: %v", err)
	}
}

// A password that was right is wrong when another was set, or the user deactivated, while it was compared.
func TestPasswordThatEndsWhileItIsCompared(t *testing.T) {
	for name, change := range map[string]func(*models.User, time.Time){
		"another password": func(u *models.User, _ time.Time) { u.PasswordHash = "another" },
		"deactivated":      func(u *models.User, now time.Time) { u.DeactivatedAt = &now },
	} {
		t.Run(name, func(t *testing.T) {
			s := &Service{store: storetest.Open(t, store.SQLite, nil), passwords: newPasswords()}
			u := models.User{Email: "a@example.com", Role: models.Agent, PasswordHash: "one"}
			if err := s.store.InTx(t.Context(), func(tx *store.Tx) error { return tx.InsertUser(t.Context(), &u) }); err != nil {
				t.Fatal(err)
			}
			tried, err := s.takeTry(t.Context(), u.ID)
			if err != nil {
				t.Fatal(err)
			}
			err = s.changeUser(t.Context(), u.ID, func(_ *store.Tx, u *models.User) error { change(u, s.store.Now()); return nil })
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.endTries(t.Context(), tried); !errors.Is(err, ErrSignIn) {
				t.Errorf("it lets in: %v", err)
			}
			if u, err = s.store.User(t.Context(), u.ID); err != nil || u.FailedLogins != 1 {
				t.Errorf("the try was given back: %d, %v", u.FailedLogins, err)
			}
		})
	}
}

package service_test

import (
	"errors"
	"sync"
	"testing"

	"kanal/models"
	"kanal/service"
	"kanal/store/storetest"
)

// Of many wrong passwords at once five are compared, at the door as on the profile page; then the right one waits too.
func TestWrongPasswordsAtOnce(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		kari, ola := c.member(models.Agent, "kari@kanal.test"), c.member(models.Agent, "ola@kanal.test")
		signIn := func(email string) func() error {
			return func() error { _, err := c.service.SignIn(ctx, email, "wrong"); return err }
		}
		for name, try := range map[string]func() error{
			"a user": signIn(kari.Email), "nobody": signIn("nobody@kanal.test"),
			"the profile page": func() error { return c.service.ChangePassword(ctx, models.Viewer{User: ola.ID}, "", "wrong", another) },
		} {
			errs := make([]error, 12)
			var all sync.WaitGroup
			for i := range errs {
				all.Go(func() { errs[i] = try() })
			}
			all.Wait()
			waiting := 0
			for _, err := range errs {
				if errors.Is(err, service.ErrTooManyTries) {
					waiting++
				} else if models.KindOf(err) != models.KindInvalid {
					t.Error(name, err)
				}
			}
			if waiting != len(errs)-5 {
				t.Errorf("%s: %d were compared", name, len(errs)-waiting)
			}
		}
		for _, email := range []string{kari.Email, ola.Email} {
			if _, err := c.service.SignIn(ctx, email, password); !errors.Is(err, service.ErrTooManyTries) {
				t.Error(email, err)
			}
		}
	})
}

// The right password gives back its own try and those before it.
func TestRightPasswordEndsTheCount(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		u := c.member(models.Agent, "kari@kanal.test")
		for range 2 {
			for range 4 {
				if _, err := c.service.SignIn(ctx, u.Email, "wrong"); !errors.Is(err, service.ErrSignIn) {
					t.Fatal(err)
				}
			}
			if _, err := c.service.SignIn(ctx, u.Email, password); err != nil {
				t.Fatal(err)
			}
		}
		for range 6 {
			if _, err := c.service.SignIn(ctx, u.Email, password); err != nil {
				t.Fatal("right ones count:", err)
			}
		}
	})
}

package service

import (
	"context"
	"errors"
	"time"

	"kanal/models"
	"kanal/store"
)

// Errors of signing in. They do not tell whether the address belongs to somebody.
var (
	ErrSignIn       = models.E(models.KindInvalid, "login.wrong")
	ErrTooManyTries = models.E(models.KindLimited, "login.too_many")
	ErrLink         = models.E(models.KindNotFound, "link.gone")
)

// SignIn gives the user with this address and password. ErrSignIn, ErrTooManyTries.
func (s *Service) SignIn(ctx context.Context, email string, password models.Secret) (models.User, error) {
	email = models.NormalEmail(email)
	u, err := s.store.UserByEmail(ctx, email)
	if errors.Is(err, models.ErrNotFound) {
		return models.User{}, s.refuseStranger(ctx, email, password)
	}
	if err != nil {
		return models.User{}, err
	}
	return s.tryPassword(ctx, u.ID, password)
}

// refuseStranger does what a wrong password does, for an address that belongs to nobody.
func (s *Service) refuseStranger(ctx context.Context, email string, password models.Secret) error {
	if !s.passwords.takeStranger(email, s.store.Now()) {
		return ErrTooManyTries
	}
	if _, err := s.passwords.matches(ctx, "", password); err != nil {
		return err
	}
	return ErrSignIn
}

// tryPassword gives the user when the password is right. ErrSignIn, ErrTooManyTries.
func (s *Service) tryPassword(ctx context.Context, id models.UserID, password models.Secret) (models.User, error) {
	u, err := s.takeTry(ctx, id)
	if err != nil {
		return models.User{}, err
	}
	hash := u.PasswordHash
	if !u.Active() {
		hash = ""
	}
	ok, err := s.passwords.matches(ctx, hash, password)
	if err == nil && !ok {
		err = ErrSignIn
	}
	if err != nil {
		return models.User{}, err
	}
	return s.endTries(ctx, u)
}

// takeTry counts a try as a wrong one before the password is compared: of many at once no more are compared than one
// after the other would be. ErrTooManyTries.
func (s *Service) takeTry(ctx context.Context, id models.UserID) (models.User, error) {
	var u models.User
	err := s.store.InTx(ctx, func(tx *store.Tx) (err error) {
		if u, err = tx.LockUser(ctx, id); err != nil {
			return err
		}
		if u.Locked(tx.Now()) {
			return ErrTooManyTries
		}
		u = u.AfterWrongPassword(tx.Now())
		return tx.SaveLoginTries(ctx, u)
	})
	return u, err
}

// endTries ends the count after the right password. ErrSignIn when it is no longer the right one: it was changed, or the
// user deactivated, while it was compared.
func (s *Service) endTries(ctx context.Context, tried models.User) (models.User, error) {
	var u models.User
	err := s.store.InTx(ctx, func(tx *store.Tx) (err error) {
		if u, err = tx.LockUser(ctx, tried.ID); err != nil {
			return err
		}
		if u.PasswordHash != tried.PasswordHash || !u.Active() {
			return ErrSignIn
		}
		u.FailedLogins, u.LockedUntil = 0, nil
		return tx.SaveLoginTries(ctx, u)
	})
	return u, err
}

// UseLink sets a user's password by a one-time link, ends all login sessions and gives the user. ErrLink,
// models.FieldErrors (password).
func (s *Service) UseLink(ctx context.Context, v models.Viewer, token, password models.Secret) (models.User, error) {
	var errs models.FieldErrors
	if checkPassword(&errs, password); errs.Err() != nil {
		return models.User{}, errs
	}
	// Hashing costs: it is done only for a link that works.
	if _, err := s.store.UserByLink(ctx, token, s.store.Now()); err != nil {
		return models.User{}, orLink(err)
	}
	hash, err := s.passwords.hash(ctx, password)
	if err != nil {
		return models.User{}, err
	}
	var u models.User
	err = s.store.InTx(ctx, func(tx *store.Tx) error {
		id, err := tx.UseUserLink(ctx, token)
		if err != nil {
			return orLink(err)
		}
		if u, err = tx.LockUser(ctx, id); err != nil {
			return err
		}
		if !u.Active() {
			return ErrLink
		}
		u.PasswordHash, u.FailedLogins, u.LockedUntil = hash, 0, nil
		if err := tx.SaveUser(ctx, &u); err != nil {
			return err
		}
		if err := tx.EndLoginSessions(ctx, id, ""); err != nil {
			return err
		}
		v.User = id
		return tx.Audit(ctx, v, "user.password_set", userSubject(id), nil)
	})
	return u, err
}

func orLink(err error) error {
	if errors.Is(err, models.ErrNotFound) {
		return ErrLink
	}
	return err
}

// ChangePassword sets the viewer's own password and ends their other login sessions; session is the one that stays.
// models.FieldErrors (current, password), ErrTooManyTries.
func (s *Service) ChangePassword(ctx context.Context, v models.Viewer, session string, current, password models.Secret) error {
	was, err := s.tryPassword(ctx, v.User, current)
	var errs models.FieldErrors
	if errors.Is(err, ErrSignIn) {
		errs.Add("current", "me.current_wrong")
	} else if err != nil {
		return err
	}
	if checkPassword(&errs, password); errs.Err() != nil {
		return errs
	}
	hash, err := s.passwords.hash(ctx, password)
	if err != nil {
		return err
	}
	return s.changeUser(ctx, v.User, func(tx *store.Tx, u *models.User) error {
		if u.PasswordHash != was.PasswordHash { // another one was set meanwhile
			return models.FieldErrors{{Field: "current", Key: "me.current_wrong"}}
		}
		u.PasswordHash = hash
		if err := tx.EndLoginSessions(ctx, u.ID, session); err != nil {
			return err
		}
		if err := tx.EndUserLinks(ctx, u.ID); err != nil {
			return err
		}
		return tx.Audit(ctx, v, "user.password_changed", userSubject(u.ID), nil)
	})
}

// EndLoginSession signs the viewer out of one browser and closes its streams. ErrNotFound when it is not theirs.
func (s *Service) EndLoginSession(ctx context.Context, v models.Viewer, session string) error {
	return s.store.InTx(ctx, func(tx *store.Tx) error { return tx.EndLoginSession(ctx, v.User, session) })
}

// Profile is what people set for themselves.
type Profile struct {
	Name       string
	Language   string // "" follows the browser
	Theme      string // "" follows the system
	TimeZone   string // IANA name, "" follows the organisation
	EnterSends bool
	Shortcuts  bool
}

func (p Profile) check() error {
	var errs models.FieldErrors
	checkName(&errs, p.Name)
	if !ValidLanguage(p.Language) {
		errs.Add("language", "me.language_unknown")
	}
	if !ValidTheme(p.Theme) {
		errs.Add("theme", "me.theme_unknown")
	}
	if _, err := time.LoadLocation(p.TimeZone); err != nil || p.TimeZone == "Local" {
		errs.Add("time_zone", "me.time_zone_unknown")
	}
	return errs.Err()
}

// ValidLanguage tells whether there are texts in the language; "" follows the browser.
func ValidLanguage(s string) bool { return s == "" || s == "nb" || s == "en" }

// ValidTheme tells whether there is such a theme; "" follows the system.
func ValidTheme(s string) bool { return s == "" || s == "light" || s == "dark" }

// SaveProfile writes what the viewer sets for themselves. models.FieldErrors.
func (s *Service) SaveProfile(ctx context.Context, v models.Viewer, p Profile) error {
	p.Name = trimmed(p.Name)
	if err := p.check(); err != nil {
		return err
	}
	return s.changeUser(ctx, v.User, func(_ *store.Tx, u *models.User) error {
		u.Name, u.Language, u.Theme, u.TimeZone = p.Name, p.Language, p.Theme, p.TimeZone
		u.EnterSends, u.Shortcuts = p.EnterSends, p.Shortcuts
		return nil
	})
}

// SaveAppearance writes the viewer's language and theme. KindInvalid for one that there is not.
func (s *Service) SaveAppearance(ctx context.Context, v models.Viewer, language, theme string) error {
	if !ValidLanguage(language) || !ValidTheme(theme) {
		return models.E(models.KindInvalid, "error.bad_request")
	}
	return s.changeUser(ctx, v.User, func(_ *store.Tx, u *models.User) error {
		u.Language, u.Theme = language, theme
		return nil
	})
}

// changeUser changes a user under its lock.
func (s *Service) changeUser(ctx context.Context, id models.UserID, f func(*store.Tx, *models.User) error) error {
	return s.store.InTx(ctx, func(tx *store.Tx) error {
		u, err := tx.LockUser(ctx, id)
		if err != nil {
			return err
		}
		if err := f(tx, &u); err != nil {
			return err
		}
		return tx.SaveUser(ctx, &u)
	})
}

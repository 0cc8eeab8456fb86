package service

import (
	"context"
	"crypto/rand"
	"errors"
	"net/mail"
	"slices"
	"strconv"
	"strings"

	"kanal/models"
	"kanal/store"
)

// Errors of users.
var (
	ErrLastAdministrator = models.E(models.KindConflict, "user.last_administrator")
	ErrDeactivated       = models.E(models.KindConflict, "user.is_deactivated")
)

// maxEmail is the limit of an e-mail address, in bytes.
const maxEmail = 254

func userSubject(id models.UserID) string { return "users/" + strconv.FormatInt(int64(id), 10) }

func trimmed(s string) string { return strings.Join(strings.Fields(s), " ") }

func checkName(errs *models.FieldErrors, name string) {
	switch n := len([]rune(name)); {
	case n == 0:
		errs.Add("name", "user.name_missing")
	case n > maxName:
		errs.Add("name", "user.name_long", "n", maxName)
	}
}

func checkEmail(errs *models.FieldErrors, email string) {
	if email == "" {
		errs.Add("email", "user.email_missing")
		return
	}
	a, err := mail.ParseAddress(email)
	if err != nil || a.Address != email || a.Name != "" || len(email) > maxEmail {
		errs.Add("email", "user.email_invalid")
	}
}

// NewAdministrator is what the first start asks for. Queue names the default queue.
type NewAdministrator struct {
	Name     string
	Email    string
	Password models.Secret
	Queue    string
}

// Setup makes the first administrator and the default queue; the administrator is a member of it.
// models.FieldErrors, store.ErrAlreadySetUp for all but one.
func (s *Service) Setup(ctx context.Context, v models.Viewer, in NewAdministrator) (models.User, error) {
	u := models.User{Name: trimmed(in.Name), Email: models.NormalEmail(in.Email), Role: models.Administrator, EnterSends: true, Shortcuts: true}
	var errs models.FieldErrors
	checkName(&errs, u.Name)
	checkEmail(&errs, u.Email)
	if checkPassword(&errs, in.Password); errs.Err() != nil {
		return u, errs
	}
	if done, err := s.store.IsSetUp(ctx); err != nil || done {
		return u, orSetUp(err)
	}
	hash, err := s.passwords.hash(ctx, in.Password)
	if err != nil {
		return u, err
	}
	err = s.store.InTx(ctx, func(tx *store.Tx) error {
		first := u
		first.PasswordHash = hash
		if err := s.begin(ctx, tx, in.Queue); err != nil {
			return err
		}
		if err := s.insertUser(ctx, tx, &first, nil); err != nil {
			return err
		}
		v.User = first.ID
		u = first
		return tx.Audit(ctx, v, "setup.done", userSubject(first.ID), map[string]any{"email": first.Email})
	})
	return u, orEmailTaken(err)
}

// orEmailTaken puts the error of an address that somebody has at its field.
func orEmailTaken(err error) error {
	if errors.Is(err, store.ErrUserEmail) {
		return models.FieldErrors{{Field: "email", Key: store.ErrUserEmail.Key}}
	}
	return err
}

func orSetUp(err error) error {
	if err != nil {
		return err
	}
	return store.ErrAlreadySetUp
}

// begin wins the setup and makes the default queue.
func (s *Service) begin(ctx context.Context, tx *store.Tx, queue string) error {
	if err := tx.WinSetup(ctx); err != nil {
		return err
	}
	return tx.InsertQueue(ctx, &models.Queue{Name: queue, IsDefault: true, Version: 1, CreatedAt: tx.Now()})
}

// insertUser inserts a user as a member of the queues; nil is the default queue alone.
func (s *Service) insertUser(ctx context.Context, tx *store.Tx, u *models.User, queues []models.QueueID) error {
	if err := tx.InsertUser(ctx, u); err != nil {
		return err
	}
	if queues == nil {
		q, err := tx.DefaultQueue(ctx)
		if err != nil && !errors.Is(err, models.ErrNotFound) {
			return err
		}
		if err == nil {
			queues = []models.QueueID{q}
		}
	}
	return s.joinQueues(ctx, tx, u.ID, queues)
}

// joinQueues makes the user a member of exactly these queues. KindInvalid for a queue that does not exist.
func (s *Service) joinQueues(ctx context.Context, tx *store.Tx, u models.UserID, queues []models.QueueID) error {
	all, err := tx.Queues(ctx)
	if err != nil {
		return err
	}
	known := 0
	for _, q := range all {
		in := slices.Contains(queues, q.ID)
		if in {
			known++
		}
		if err := tx.SetQueueMember(ctx, q.ID, u, in); err != nil {
			return err
		}
	}
	if known != len(queues) {
		return models.E(models.KindInvalid, "error.bad_request")
	}
	return nil
}

// UserForm is what an administrator sets of a user. Version is that of the user whom the administrator saw.
type UserForm struct {
	Name    string
	Email   string // of a new user
	Role    models.Role
	Queues  []models.QueueID
	Version int
}

func (f *UserForm) check(fresh bool) error {
	var errs models.FieldErrors
	f.Name, f.Email = trimmed(f.Name), models.NormalEmail(f.Email)
	checkName(&errs, f.Name)
	if fresh {
		checkEmail(&errs, f.Email)
	}
	if !f.Role.Valid() {
		errs.Add("role", "user.role_missing")
	}
	slices.Sort(f.Queues)
	f.Queues = slices.Compact(f.Queues)
	return errs.Err()
}

// AddUser makes a user and a one-time link with which the user sets a password. models.FieldErrors.
func (s *Service) AddUser(ctx context.Context, v models.Viewer, f UserForm) (models.User, models.Secret, error) {
	u := models.User{}
	if err := f.check(true); err != nil {
		return u, "", err
	}
	token := newToken()
	err := s.store.InTx(ctx, func(tx *store.Tx) error {
		u = models.User{Name: f.Name, Email: f.Email, Role: f.Role, EnterSends: true, Shortcuts: true}
		if err := s.insertUser(ctx, tx, &u, slices.Clip(append([]models.QueueID{}, f.Queues...))); err != nil {
			return err
		}
		if err := tx.InsertUserLink(ctx, newLink(v, u.ID, models.LinkInvite, tx), token); err != nil {
			return err
		}
		return tx.Audit(ctx, v, "user.added", userSubject(u.ID), map[string]any{"email": u.Email, "role": u.Role, "queues": f.Queues})
	})
	return u, token, orEmailTaken(err)
}

// newToken makes the unguessable part of a one-time link.
func newToken() models.Secret { return models.Secret(rand.Text()) }

func newLink(v models.Viewer, user models.UserID, purpose string, tx *store.Tx) models.UserLink {
	return models.UserLink{UserID: user, Purpose: purpose, CreatedBy: v.User, ExpiresAt: tx.Now().Add(models.UserLinkLifetime)}
}

// UserLinkURL gives the address of a one-time link.
func (s *Service) UserLinkURL(token models.Secret) string {
	return strings.TrimSuffix(s.publicURL.String(), "/") + "/link/" + token.Reveal()
}

// ResetUser makes a one-time link with which a user sets a new password; until then the old one works. ErrNotFound,
// ErrDeactivated.
func (s *Service) ResetUser(ctx context.Context, v models.Viewer, id models.UserID) (models.Secret, error) {
	token := newToken()
	return token, s.store.InTx(ctx, func(tx *store.Tx) error {
		u, err := tx.LockUser(ctx, id)
		if err != nil {
			return err
		}
		if !u.Active() {
			return ErrDeactivated
		}
		purpose := models.LinkReset
		if u.PasswordHash == "" {
			purpose = models.LinkInvite
		}
		if err := tx.InsertUserLink(ctx, newLink(v, id, purpose, tx), token); err != nil {
			return err
		}
		return tx.Audit(ctx, v, "user.link_made", userSubject(id), map[string]any{"purpose": purpose})
	})
}

// ChangeUser writes name, role and queues of a user. ErrNotFound, models.FieldErrors, store.ErrStale,
// ErrLastAdministrator.
func (s *Service) ChangeUser(ctx context.Context, v models.Viewer, id models.UserID, f UserForm) error {
	if err := f.check(false); err != nil {
		return err
	}
	return s.changeMember(ctx, id, func(tx *store.Tx, u *models.User) error {
		if u.Version != f.Version {
			return store.ErrStale
		}
		details := map[string]any{"name": []string{u.Name, f.Name}, "role": []models.Role{u.Role, f.Role}, "queues": f.Queues}
		u.Name, u.Role = f.Name, f.Role
		if err := s.joinQueues(ctx, tx, id, f.Queues); err != nil {
			return err
		}
		// Streams read the rights again.
		tx.Publish(models.Event{Name: models.EventResync, Users: []models.UserID{id}})
		return tx.Audit(ctx, v, "user.changed", userSubject(id), details)
	})
}

// changeMember changes a user under its lock and keeps the last administrator: the administrators are locked first, so
// that of two who take each other's role away one fails.
func (s *Service) changeMember(ctx context.Context, id models.UserID, f func(*store.Tx, *models.User) error) error {
	return s.store.InTx(ctx, func(tx *store.Tx) error {
		admins, err := tx.LockAdministrators(ctx)
		if err != nil {
			return err
		}
		u, err := tx.LockUser(ctx, id)
		if err != nil {
			return err
		}
		if err := f(tx, &u); err != nil {
			return err
		}
		last := len(admins) == 1 && admins[0] == id
		if last && (u.Role != models.Administrator || !u.Active()) {
			return ErrLastAdministrator
		}
		return tx.SaveUser(ctx, &u)
	})
}

// DeactivateUser keeps a user from signing in: login sessions and streams end, conversations return to their queues.
// ErrNotFound, ErrLastAdministrator.
func (s *Service) DeactivateUser(ctx context.Context, v models.Viewer, id models.UserID) error {
	return s.changeMember(ctx, id, func(tx *store.Tx, u *models.User) error {
		if !u.Active() {
			return nil
		}
		now := tx.Now()
		u.DeactivatedAt = &now
		if err := s.releaseAll(ctx, tx, id); err != nil {
			return err
		}
		if err := tx.EndLoginSessions(ctx, id, ""); err != nil {
			return err
		}
		if err := tx.EndUserLinks(ctx, id); err != nil {
			return err
		}
		tx.Publish(models.Event{Name: models.EventSignout, Users: []models.UserID{id}})
		return tx.Audit(ctx, v, "user.deactivated", userSubject(id), nil)
	})
}

// ReactivateUser lets a user sign in again. ErrNotFound.
func (s *Service) ReactivateUser(ctx context.Context, v models.Viewer, id models.UserID) error {
	return s.changeMember(ctx, id, func(tx *store.Tx, u *models.User) error {
		if u.Active() {
			return nil
		}
		u.DeactivatedAt, u.FailedLogins, u.LockedUntil = nil, 0, nil
		return tx.Audit(ctx, v, "user.reactivated", userSubject(id), nil)
	})
}

// PutUser is what the command line does: it makes the user, or gives an existing one the role, lets them in again, and
// sets the password; an empty password makes a one-time link instead and gives its token. Before the first start an
// administrator also is the setup. models.FieldErrors, ErrLastAdministrator.
func (s *Service) PutUser(ctx context.Context, f UserForm, password models.Secret) (models.Secret, error) {
	if err := f.check(true); err != nil {
		return "", err
	}
	hash, err := s.hashGiven(ctx, password)
	if err != nil {
		return "", err
	}
	if err := s.setupFor(ctx, f.Role); err != nil {
		return "", err
	}
	u, err := s.store.UserByEmail(ctx, f.Email)
	if errors.Is(err, models.ErrNotFound) {
		u, err = s.addFromCommandLine(ctx, f)
	}
	if err != nil {
		return "", err
	}
	token := models.Secret("")
	if hash == "" {
		token = newToken()
	}
	return token, s.changeMember(ctx, u.ID, func(tx *store.Tx, u *models.User) error {
		u.Name, u.Role, u.DeactivatedAt, u.FailedLogins, u.LockedUntil = f.Name, f.Role, nil, 0, nil
		tx.Publish(models.Event{Name: models.EventResync, Users: []models.UserID{u.ID}})
		if hash == "" {
			if err := tx.InsertUserLink(ctx, newLink(models.Viewer{}, u.ID, models.LinkReset, tx), token); err != nil {
				return err
			}
		} else {
			u.PasswordHash = hash
			if err := tx.EndLoginSessions(ctx, u.ID, ""); err != nil {
				return err
			}
		}
		return tx.Audit(ctx, models.Viewer{}, "user.put", userSubject(u.ID), map[string]any{"email": u.Email, "role": u.Role})
	})
}

func (s *Service) hashGiven(ctx context.Context, password models.Secret) (string, error) {
	if password == "" {
		return "", nil
	}
	var errs models.FieldErrors
	if checkPassword(&errs, password); errs.Err() != nil {
		return "", errs
	}
	return s.passwords.hash(ctx, password)
}

// commandLineQueue names the default queue when the first administrator comes from the command line, which is English.
const commandLineQueue = "Default queue"

// setupFor does the setup when an administrator comes from the command line and nobody has done it.
func (s *Service) setupFor(ctx context.Context, role models.Role) error {
	if done, err := s.store.IsSetUp(ctx); err != nil || done || role != models.Administrator {
		return err
	}
	err := s.store.InTx(ctx, func(tx *store.Tx) error { return s.begin(ctx, tx, commandLineQueue) })
	if errors.Is(err, store.ErrAlreadySetUp) {
		return nil
	}
	return err
}

func (s *Service) addFromCommandLine(ctx context.Context, f UserForm) (models.User, error) {
	u := models.User{Name: f.Name, Email: f.Email, Role: f.Role, EnterSends: true, Shortcuts: true}
	err := s.store.InTx(ctx, func(tx *store.Tx) error {
		added := u
		if err := s.insertUser(ctx, tx, &added, nil); err != nil {
			return err
		}
		u = added
		return nil
	})
	return u, err
}

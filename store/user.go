package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"gorm.io/gorm/clause"

	"kanal/models"
)

// ErrUserEmail says that somebody has this e-mail address.
var ErrUserEmail = models.E(models.KindConflict, "user.email_taken")

// User gives a user. ErrNotFound.
func (r Reader) User(ctx context.Context, id models.UserID) (models.User, error) {
	var u models.User
	err := r.q(ctx).Where("id = ?", id).Take(&u).Error
	return u, failed(err, "read user")
}

// UserByEmail gives the user with an e-mail address, written as models.NormalEmail does. ErrNotFound.
func (r Reader) UserByEmail(ctx context.Context, email string) (models.User, error) {
	var u models.User
	err := r.q(ctx).Where("email = ?", email).Take(&u).Error
	return u, failed(err, "read user by e-mail")
}

// Users gives all users by name, those who are deactivated last.
func (r Reader) Users(ctx context.Context) ([]models.User, error) {
	var us []models.User
	return us, failed(r.q(ctx).Order("deactivated_at IS NOT NULL, lower(name), id").Find(&us).Error, "read users")
}

// LockUser gives a user, locked until the transaction ends. ErrNotFound.
func (tx *Tx) LockUser(ctx context.Context, id models.UserID) (models.User, error) {
	var u models.User
	err := tx.q(ctx).Clauses(clause.Locking{Strength: "UPDATE"}).Where("id = ?", id).Take(&u).Error
	return u, failed(err, "lock user")
}

// LockAdministrators locks the administrators who can sign in and gives their ids: what is done to one of them waits
// for what is being done to another.
func (tx *Tx) LockAdministrators(ctx context.Context) ([]models.UserID, error) {
	var us []models.User
	err := tx.q(ctx).Clauses(clause.Locking{Strength: "UPDATE"}).
		Where("role = ? AND deactivated_at IS NULL AND password_hash <> ''", models.Administrator).Order("id").Find(&us).Error
	if err != nil {
		return nil, failed(err, "lock administrators")
	}
	ids := make([]models.UserID, len(us))
	for i, u := range us {
		ids[i] = u.ID
	}
	return ids, nil
}

// InsertUser inserts a user and sets the id. ErrUserEmail.
func (tx *Tx) InsertUser(ctx context.Context, u *models.User) error {
	u.Version, u.CreatedAt, u.UpdatedAt = 1, tx.Now(), tx.Now()
	err := tx.q(ctx).Create(u).Error
	if isUnique(err, "users_email") {
		return ErrUserEmail
	}
	return failed(err, "insert user")
}

var userColumns = []string{
	"name", "role", "password_hash", "language", "theme", "time_zone", "enter_sends", "shortcuts", "failed_logins",
	"locked_until", "deactivated_at", "version", "updated_at",
}

// SaveUser writes a user whom this transaction has locked. ErrStale when somebody else was faster.
func (tx *Tx) SaveUser(ctx context.Context, u *models.User) error {
	was := u.Version
	u.Version++
	u.UpdatedAt = tx.Now()
	res := tx.q(ctx).Model(&models.User{}).Where("id = ? AND version = ?", u.ID, was).Select(userColumns).Updates(u)
	return changed(res, "save user")
}

// SaveLoginTries writes how often a wrong password was given in a row, and until when the user waits. The version and the
// time of the last change stay: it is no change that a person made.
func (tx *Tx) SaveLoginTries(ctx context.Context, u models.User) error {
	res := tx.q(ctx).Model(&models.User{}).Where("id = ?", u.ID).
		Select("failed_logins", "locked_until").UpdateColumns(&u) // Updates would move updated_at
	return changed(res, "save login tries")
}

func hashLink(token string) string {
	sum := sha256.Sum256([]byte("user link " + token))
	return hex.EncodeToString(sum[:])
}

// InsertUserLink enters a one-time link; the user's earlier ones no longer work.
func (tx *Tx) InsertUserLink(ctx context.Context, l models.UserLink, token models.Secret) error {
	if err := tx.EndUserLinks(ctx, l.UserID); err != nil {
		return err
	}
	l.TokenHash, l.CreatedAt = hashLink(token.Reveal()), tx.Now()
	return failed(tx.q(ctx).Create(&l).Error, "insert user link")
}

// EndUserLinks uses up all of a user's one-time links.
func (tx *Tx) EndUserLinks(ctx context.Context, user models.UserID) error {
	err := tx.q(ctx).Model(&models.UserLink{}).Where("user_id = ? AND used_at IS NULL", user).Update("used_at", tx.Now()).Error
	return failed(err, "end user links")
}

// UseUserLink uses up a one-time link and gives its user. ErrNotFound when there is none, or it was used or has expired.
func (tx *Tx) UseUserLink(ctx context.Context, token models.Secret) (models.UserID, error) {
	hash := hashLink(token.Reveal())
	res := tx.q(ctx).Model(&models.UserLink{}).Where("token_hash = ? AND used_at IS NULL AND expires_at > ?", hash, tx.Now()).
		Update("used_at", tx.Now())
	if res.Error != nil || res.RowsAffected == 0 {
		return 0, orMissing(failed(res.Error, "use user link"))
	}
	var l models.UserLink
	err := tx.q(ctx).Where("token_hash = ?", hash).Take(&l).Error
	return l.UserID, failed(err, "read user link")
}

// UserByLink gives the user of a one-time link that still works at now. ErrNotFound.
func (r Reader) UserByLink(ctx context.Context, token models.Secret, now time.Time) (models.User, error) {
	var u models.User
	err := r.q(ctx).Joins("JOIN user_links ON user_links.user_id = users.id").
		Where("user_links.token_hash = ? AND user_links.used_at IS NULL AND user_links.expires_at > ? AND users.deactivated_at IS NULL", hashLink(token.Reveal()), now).
		Take(&u).Error
	return u, failed(err, "read user by link")
}

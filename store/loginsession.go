package store

import (
	"context"
	"time"

	"gorm.io/gorm/clause"

	"kanal/models"
)

// loginSessionTimeout bounds one look-up of a login session.
const loginSessionTimeout = 5 * time.Second

type loginSession struct {
	TokenHash string `gorm:"primaryKey"`
	UserID    *models.UserID
	Data      []byte
	ExpiresAt time.Time
	CreatedAt time.Time
	IP        string
	UserAgent string
}

// TableName is login_sessions.
func (loginSession) TableName() string { return "login_sessions" }

// LoginSessions keeps the login sessions of browsers; it is what the session library asks for. Tokens arrive hashed.
type LoginSessions struct{ s *Store }

// LoginSessionStore gives the keeper of login sessions.
func (s *Store) LoginSessionStore() LoginSessions { return LoginSessions{s} }

// FindCtx gives a session's data; false when there is none or it has expired.
func (l LoginSessions) FindCtx(ctx context.Context, token string) ([]byte, bool, error) {
	var rows []loginSession
	err := l.s.q(ctx).Where("token_hash = ? AND expires_at > ?", token, l.s.Now()).Limit(1).Find(&rows).Error
	if err != nil || len(rows) == 0 {
		return nil, false, failed(err, "read login session")
	}
	return rows[0].Data, true, nil
}

// CommitCtx writes a session's data.
func (l LoginSessions) CommitCtx(ctx context.Context, token string, data []byte, expiry time.Time) error {
	return l.s.InTx(ctx, func(tx *Tx) error {
		row := loginSession{TokenHash: token, Data: data, ExpiresAt: expiry.UTC(), CreatedAt: tx.Now()}
		on := clause.OnConflict{Columns: []clause.Column{{Name: "token_hash"}}, DoUpdates: clause.AssignmentColumns([]string{"data", "expires_at"})}
		return failed(tx.q(ctx).Clauses(on).Create(&row).Error, "write login session")
	})
}

// DeleteCtx removes a session.
func (l LoginSessions) DeleteCtx(ctx context.Context, token string) error {
	return l.s.InTx(ctx, func(tx *Tx) error {
		return failed(tx.q(ctx).Where("token_hash = ?", token).Delete(&loginSession{}).Error, "remove login session")
	})
}

// Find is FindCtx with a time of its own.
func (l LoginSessions) Find(token string) ([]byte, bool, error) {
	ctx, cancel := context.WithTimeout(context.Background(), loginSessionTimeout)
	defer cancel()
	return l.FindCtx(ctx, token)
}

// Commit is CommitCtx with a time of its own.
func (l LoginSessions) Commit(token string, data []byte, expiry time.Time) error {
	ctx, cancel := context.WithTimeout(context.Background(), loginSessionTimeout)
	defer cancel()
	return l.CommitCtx(ctx, token, data, expiry)
}

// Delete is DeleteCtx with a time of its own.
func (l LoginSessions) Delete(token string) error {
	ctx, cancel := context.WithTimeout(context.Background(), loginSessionTimeout)
	defer cancel()
	return l.DeleteCtx(ctx, token)
}

// NameLoginSession notes whose session it is, and from where.
func (l LoginSessions) NameLoginSession(ctx context.Context, m models.LoginSession) error {
	return l.s.InTx(ctx, func(tx *Tx) error {
		err := tx.q(ctx).Model(&loginSession{}).Where("token_hash = ?", m.TokenHash).
			Updates(map[string]any{"user_id": m.UserID, "ip": m.IP, "user_agent": m.UserAgent}).Error
		return failed(err, "name login session")
	})
}

// LoginSessionsOf gives a user's login sessions that have not expired, the newest first.
func (s *Store) LoginSessionsOf(ctx context.Context, user models.UserID) ([]models.LoginSession, error) {
	var rows []models.LoginSession
	err := s.q(ctx).Table("login_sessions").Where("user_id = ? AND expires_at > ?", user, s.Now()).
		Order("created_at DESC").Find(&rows).Error
	return rows, failed(err, "read login sessions")
}

// EndLoginSession ends one of a user's login sessions and closes its streams. ErrNotFound when it is not theirs.
func (tx *Tx) EndLoginSession(ctx context.Context, user models.UserID, token string) error {
	res := tx.q(ctx).Where("token_hash = ? AND user_id = ?", token, user).Delete(&loginSession{})
	if res.Error != nil || res.RowsAffected == 0 {
		return orMissing(failed(res.Error, "end login session"))
	}
	tx.Publish(models.Event{Name: models.EventSignout, Users: []models.UserID{user}, Session: token})
	return nil
}

// EndLoginSessions ends all of a user's login sessions but one ("" for none) and closes their streams.
func (tx *Tx) EndLoginSessions(ctx context.Context, user models.UserID, except string) error {
	var tokens []string
	db := tx.q(ctx).Model(&loginSession{}).Where("user_id = ? AND token_hash <> ?", user, except)
	if err := db.Pluck("token_hash", &tokens).Error; err != nil {
		return failed(err, "read login sessions")
	}
	for _, t := range tokens {
		if err := tx.EndLoginSession(ctx, user, t); err != nil {
			return err
		}
	}
	return nil
}

// RemoveExpiredLoginSessions deletes what has expired.
func (tx *Tx) RemoveExpiredLoginSessions(ctx context.Context) error {
	return failed(tx.q(ctx).Where("expires_at < ?", tx.Now()).Delete(&loginSession{}).Error, "remove login sessions")
}

func orMissing(err error) error {
	if err != nil {
		return err
	}
	return models.ErrNotFound
}

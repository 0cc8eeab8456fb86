package store

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/gorm"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"kanal/models"
)

// errRetry asks InTx to run the transaction again.
var errRetry = models.E(models.KindUnavailable, "error.unavailable")

// ErrStale says that somebody else has changed the row since it was read.
var ErrStale = models.E(models.KindConflict, "error.conflict")

// failed gives nil for nil, ErrNotFound for a row that is not there, and else an internal error that says what was
// being done.
func failed(err error, doing string) error {
	var known *models.Error
	var problems models.FieldErrors
	switch {
	case err == nil:
		return nil
	case errors.Is(err, gorm.ErrRecordNotFound):
		return models.ErrNotFound
	case errors.As(err, &known), errors.As(err, &problems):
		return err
	}
	return models.Wrap(err, "%s", doing)
}

// changed is failed for a guarded update: ErrStale when the guard let nothing through.
func changed(res *gorm.DB, doing string) error {
	if res.Error != nil {
		return failed(res.Error, doing)
	}
	if res.RowsAffected == 0 {
		return ErrStale
	}
	return nil
}

// uniqueColumns are the columns of the unique indexes that a caller asks for by name: SQLite's error names columns,
// or for an index on an expression the index.
var uniqueColumns = map[string]string{
	"messages_provider_sid":  "messages.account_id, messages.provider_sid",
	"users_email":            "users.email",
	"queues_name":            "index 'queues_name'",
	"accounts_sid":           "accounts.sid",
	"accounts_name":          "index 'accounts_name'",
	"workstreams_name":       "index 'workstreams_name'",
	"numbers_address":        "numbers.account_id, numbers.address",
	"settings_pkey":          "settings.name",
	"templates_name":         "index 'templates_name'",
	"templates_content_sid":  "templates.account_id, templates.content_sid",
	"conversations_one_open": "conversations.account_id, conversations.number_id, conversations.contact_id",
}

// isUnique tells whether err is the violation of exactly this unique index. Any other violation is an error: a peer of
// ours took each for "seen before" and lost messages.
func isUnique(err error, index string) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == "23505" && pg.ConstraintName == index
	}
	var lite *sqlite.Error
	if !errors.As(err, &lite) {
		return false
	}
	code := lite.Code()
	if code != sqlite3.SQLITE_CONSTRAINT_UNIQUE && code != sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY {
		return false
	}
	_, what, _ := strings.Cut(lite.Error(), "constraint failed: ")
	return strings.HasPrefix(strings.TrimPrefix(what, "UNIQUE constraint failed: "), uniqueColumns[index])
}

// serialization tells whether PostgreSQL gave the transaction up for another one: running it again is right.
func serialization(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "40P01" || pg.Code == "40001") || errors.Is(err, errRetry)
}

// Lasting tells whether doing the same again would fail again: the database answered and refused the values. It is
// false when the database is away, busy or out of space, or when time ran out.
func Lasting(err error) bool {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		// 22: the data, 23: a constraint.
		return strings.HasPrefix(pg.Code, "22") || strings.HasPrefix(pg.Code, "23")
	}
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		return lite.Code()&0xff == sqlite3.SQLITE_CONSTRAINT || lite.Code()&0xff == sqlite3.SQLITE_TOOBIG
	}
	return false
}

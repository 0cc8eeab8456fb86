package store

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// sqlLog writes statements that failed into the log, without their values: those are customers' words and secrets. It
// never puts a statement together that nobody reads.
type sqlLog struct{ log *slog.Logger }

// LogMode is fixed.
func (l sqlLog) LogMode(logger.LogLevel) logger.Interface { return l }

// Info says nothing.
func (sqlLog) Info(context.Context, string, ...any) {}

// Warn says nothing.
func (sqlLog) Warn(context.Context, string, ...any) {}

// Error says nothing: the caller gets the error.
func (sqlLog) Error(context.Context, string, ...any) {}

// ParamsFilter keeps values out of statements.
func (sqlLog) ParamsFilter(_ context.Context, sql string, _ ...any) (string, []any) { return sql, nil }

// Trace logs a failed statement. A row that is not there, a request that ended and a unique key that is taken are
// answers, not failures.
func (l sqlLog) Trace(ctx context.Context, _ time.Time, statement func() (string, int64), err error) {
	if err == nil || errors.Is(err, gorm.ErrRecordNotFound) || ctx.Err() != nil || !l.log.Enabled(ctx, slog.LevelDebug) && Lasting(err) {
		return
	}
	sql, _ := statement()
	l.log.Error("a statement failed", "sql", sql, "err", err)
}

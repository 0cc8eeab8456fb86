// Package store keeps everything Kanal knows, on SQLite or PostgreSQL. It holds all GORM and both River clients:
// reads are methods of *Store (and of *Tx), writes are methods of *Tx, which only InTx gives. Events go out after
// commit and jobs are rows of the same commit.
package store

import (
	"context"
	"database/sql"
	"log/slog"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"gorm.io/gorm"

	"kanal/models"
)

// Dialect names the engine.
type Dialect string

// The two engines.
const (
	SQLite   Dialect = "sqlite"
	Postgres Dialect = "postgres"
)

// Options says which database to open. URL is "sqlite:PATH" or "postgres://…". Clock is the time that rows get; nil is
// the machine's. Keys seal secrets, the first seals and all open.
type Options struct {
	URL   string
	Keys  []Key
	Clock func() time.Time
	Log   *slog.Logger
}

// Store is an open database.
type Store struct {
	Reader
	w        *gorm.DB
	wsql     *sql.DB
	rsql     *sql.DB
	pool     *pgxpool.Pool
	dialect  Dialect
	clock    func() time.Time
	ownClock bool
	log      *slog.Logger
	sealer   *sealer
	hub      hub
	jobs     inserter
}

// Reader reads: embedded in Store it reads what is committed, in Tx what the transaction sees.
type Reader struct{ db *gorm.DB }

func (r Reader) q(ctx context.Context) *gorm.DB { return r.db.WithContext(ctx) }

// Open opens the database; it neither makes nor changes tables. The error says what is wrong in one sentence and never
// shows the URL's password.
func Open(ctx context.Context, o Options) (*Store, error) {
	s := &Store{clock: o.Clock, ownClock: o.Clock != nil, log: o.Log}
	if s.clock == nil {
		s.clock = time.Now
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	var err error
	if s.sealer, err = newSealer(o.Keys); err != nil {
		return nil, err
	}
	switch {
	case strings.HasPrefix(o.URL, "postgres://"), strings.HasPrefix(o.URL, "postgresql://"):
		err = s.openPostgres(ctx, o.URL)
	case strings.HasPrefix(o.URL, "sqlite:"):
		err = s.openSQLite(ctx, strings.TrimPrefix(o.URL, "sqlite:"))
	default:
		return nil, models.E(models.KindInvalid, "start.database_url")
	}
	if err != nil {
		return nil, err
	}
	if s.jobs, err = s.newInserter(); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Now gives the time as rows keep it: UTC, whole microseconds.
func (s *Store) Now() time.Time { return s.clock().UTC().Truncate(time.Microsecond) }

// Dialect names the engine.
func (s *Store) Dialect() Dialect { return s.dialect }

// Close closes the database.
func (s *Store) Close() {
	for _, db := range []*sql.DB{s.wsql, s.rsql} {
		if db != nil {
			_ = db.Close()
		}
	}
	if s.pool != nil {
		s.pool.Close()
	}
}

// Ping answers nil when the database does.
func (s *Store) Ping(ctx context.Context) error {
	return failed(s.rsql.PingContext(ctx), "ping database")
}

func (s *Store) gormConfig() *gorm.Config {
	return &gorm.Config{
		SkipDefaultTransaction: true,
		NowFunc:                s.Now,
		Logger:                 sqlLog{s.log},
	}
}

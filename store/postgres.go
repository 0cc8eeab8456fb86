package store

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"

	"kanal/models"
)

// postgresConns bounds the pool: two cores of a database peak at about eight clients, more only wait (perf figures in
// docs/performance.md).
const postgresConns = 16

func (s *Store) openPostgres(ctx context.Context, url string) error {
	s.dialect = Postgres
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return &models.Error{Kind: models.KindInvalid, Key: "start.database_url", Cause: errors.New("the address cannot be read")}
	}
	cfg.MaxConns = postgresConns
	cfg.ConnConfig.ConnectTimeout = 5 * time.Second
	cfg.ConnConfig.RuntimeParams["timezone"] = "UTC"
	cfg.ConnConfig.RuntimeParams["application_name"] = "kanal"
	cfg.ConnConfig.RuntimeParams["idle_in_transaction_session_timeout"] = "30s"
	// Joins are written in the order in which they are made. Looking for a better one took 7 ms for a list, ten times as
	// long as making it.
	cfg.ConnConfig.RuntimeParams["join_collapse_limit"] = "1"
	if s.pool, err = pgxpool.NewWithConfig(ctx, cfg); err != nil {
		return failed(err, "open postgres")
	}
	if err := s.pool.Ping(ctx); err != nil {
		s.pool.Close()
		return &models.Error{Kind: models.KindUnavailable, Key: "start.database_away", Cause: err}
	}
	s.wsql = stdlib.OpenDBFromPool(s.pool)
	s.rsql = s.wsql
	if s.w, err = gorm.Open(postgres.New(postgres.Config{Conn: s.wsql}), s.gormConfig()); err != nil {
		return failed(err, "open postgres")
	}
	s.Reader = Reader{s.w}
	return nil
}

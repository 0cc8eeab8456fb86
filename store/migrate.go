package store

import (
	"context"
	"database/sql"
	"io/fs"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"

	"kanal/migrations"
	"kanal/models"
)

// ErrNewerDatabase says that a newer program has changed the database. Nothing was altered.
var ErrNewerDatabase = models.E(models.KindConflict, "start.newer_database")

// ErrNotMigrated says that the database lacks tables that the program needs.
var ErrNotMigrated = models.E(models.KindUnavailable, "start.not_migrated")

// migrateLock is the PostgreSQL advisory lock under which the tables are changed.
const migrateLock = 0x6b616e616c // "kanal"

// Migrate brings the tables to what the program needs: ours by goose, then River's, under one lock. ErrNewerDatabase
// when the database is ahead of the program.
func (s *Store) Migrate(ctx context.Context) error {
	if s.dialect == SQLite {
		return s.migrate(ctx)
	}
	conn, err := pgx.ConnectConfig(ctx, s.pool.Config().ConnConfig)
	if err != nil {
		return failed(err, "migrate")
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock($1)", int64(migrateLock)); err != nil {
		return failed(err, "lock for migration")
	}
	return s.migrate(ctx)
}

func (s *Store) migrate(ctx context.Context) error {
	ours, err := s.goose()
	if err != nil {
		return err
	}
	if err := s.refuseNewer(ctx, ours); err != nil {
		return err
	}
	if _, err := ours.Up(ctx); err != nil {
		return failed(err, "migrate")
	}
	if s.dialect == SQLite {
		return migrateRiver[*sql.Tx](ctx, riversqlite.New(s.wsql))
	}
	return migrateRiver[pgx.Tx](ctx, riverpgxv5.New(s.pool))
}

func (s *Store) goose() (*goose.Provider, error) {
	dir, err := fs.Sub(migrations.FS, string(s.dialect))
	if err != nil {
		return nil, failed(err, "read migrations")
	}
	dialect := goose.DialectPostgres
	if s.dialect == SQLite {
		dialect = goose.DialectSQLite3
	}
	p, err := goose.NewProvider(dialect, s.wsql, dir)
	return p, failed(err, "read migrations")
}

// refuseNewer looks at the versions that the database has, of ours and of River's, before anything is written.
func (s *Store) refuseNewer(ctx context.Context, ours *goose.Provider) error {
	newest := ours.ListSources()[len(ours.ListSources())-1].Version
	if v, err := s.maxVersion(ctx, "goose_db_version", "version_id"); err != nil || v > newest {
		return orNewer(err)
	}
	rivers, err := s.riverVersions()
	if err != nil {
		return err
	}
	if v, err := s.maxVersion(ctx, "river_migration", "version"); err != nil || v > int64(slices.Max(rivers)) {
		return orNewer(err)
	}
	return nil
}

func orNewer(err error) error {
	if err != nil {
		return err
	}
	return ErrNewerDatabase
}

// maxVersion gives the highest version in a table of migrations, 0 when there is no such table.
func (s *Store) maxVersion(ctx context.Context, table, column string) (int64, error) {
	var n int64
	probe := "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ?"
	if s.dialect == Postgres {
		probe = "SELECT count(*) FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = ?"
	}
	if err := s.q(ctx).Raw(probe, table).Scan(&n).Error; err != nil || n == 0 {
		return 0, failed(err, "read versions")
	}
	err := s.q(ctx).Raw("SELECT coalesce(max(" + column + "), 0) FROM " + table).Scan(&n).Error
	return n, failed(err, "read versions")
}

func (s *Store) riverVersions() ([]int, error) {
	var all []rivermigrate.Migration
	if s.dialect == SQLite {
		m, err := rivermigrate.New(riversqlite.New(s.wsql), nil)
		if err != nil {
			return nil, failed(err, "read migrations")
		}
		all = m.AllVersions()
	} else {
		m, err := rivermigrate.New(riverpgxv5.New(s.pool), nil)
		if err != nil {
			return nil, failed(err, "read migrations")
		}
		all = m.AllVersions()
	}
	versions := make([]int, len(all))
	for i, v := range all {
		versions[i] = v.Version
	}
	return versions, nil
}

func migrateRiver[T any](ctx context.Context, driver riverdriver.Driver[T]) error {
	m, err := rivermigrate.New(driver, nil)
	if err != nil {
		return failed(err, "migrate jobs")
	}
	_, err = m.Migrate(ctx, rivermigrate.DirectionUp, nil)
	return failed(err, "migrate jobs")
}

// CheckMigrated answers nil when the database has exactly the tables that the program needs; else ErrNotMigrated or
// ErrNewerDatabase.
func (s *Store) CheckMigrated(ctx context.Context) error {
	ours, err := s.goose()
	if err != nil {
		return err
	}
	if err := s.refuseNewer(ctx, ours); err != nil {
		return err
	}
	v, err := s.maxVersion(ctx, "goose_db_version", "version_id")
	if err != nil {
		return err
	}
	if v < ours.ListSources()[len(ours.ListSources())-1].Version {
		return ErrNotMigrated
	}
	return nil
}

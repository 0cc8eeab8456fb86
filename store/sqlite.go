package store

import (
	"context"
	"database/sql"
	"net/url"
	"path/filepath"
	"runtime"

	"gorm.io/gorm"
)

const sqliteReaders = 8

// openSQLite opens one connection that writes and several that can only read. synchronous(FULL): what was acknowledged
// must survive a loss of power.
func (s *Store) openSQLite(ctx context.Context, path string) error {
	s.dialect = SQLite
	path, err := filepath.Abs(path)
	if err != nil {
		return failed(err, "open sqlite")
	}
	pragmas := []string{"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "temp_store(memory)", "cache_size(-16000)"}
	dsn := func(extra ...string) string {
		q := url.Values{"_pragma": append(extra, pragmas...), "_time_format": {"sqlite"}}
		if len(extra) == 0 {
			q.Set("_txlock", "immediate")
		}
		return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode()
	}
	if s.wsql, err = sql.Open("sqlite", dsn()); err != nil {
		return failed(err, "open sqlite")
	}
	s.wsql.SetMaxOpenConns(1)
	if err := s.wsql.PingContext(ctx); err != nil { // makes the file before readers come
		return failed(err, "open sqlite")
	}
	if s.rsql, err = sql.Open("sqlite", dsn("query_only(1)")); err != nil {
		return failed(err, "open sqlite")
	}
	s.rsql.SetMaxOpenConns(max(sqliteReaders, runtime.NumCPU()))
	s.rsql.SetMaxIdleConns(sqliteReaders)
	if s.w, err = gorm.Open(sqliteDialector{s.wsql}, s.gormConfig()); err != nil {
		return failed(err, "open sqlite")
	}
	r, err := gorm.Open(sqliteDialector{s.rsql}, s.gormConfig())
	s.Reader = Reader{r}
	return failed(err, "open sqlite")
}

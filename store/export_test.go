package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"kanal/models"
)

// Ctx is a context, for tests.
type Ctx = context.Context

// Exec runs a statement, for tests that need a state which no use case makes.
func (s *Store) Exec(ctx context.Context, sql string) error {
	return s.w.WithContext(ctx).Exec(sql).Error
}

// WithContext runs f with the transaction's own context.
func (tx *Tx) WithContext(f func(Ctx) error) error { return f(tx.db.Statement.Context) }

// Schema lists what the tables are, in words that both engines share: columns with nullability, and indexes.
func (s *Store) Schema(ctx context.Context) ([]string, error) {
	if s.dialect == SQLite {
		return s.sqliteSchema(ctx)
	}
	return s.postgresSchema(ctx)
}

func ours(table string) bool {
	return !strings.HasPrefix(table, "river") && !strings.HasPrefix(table, "goose") && !strings.HasPrefix(table, "sqlite")
}

func (s *Store) sqliteSchema(ctx context.Context) ([]string, error) {
	var tables []string
	if err := s.q(ctx).Raw("SELECT name FROM sqlite_master WHERE type = 'table'").Scan(&tables).Error; err != nil {
		return nil, err
	}
	var out []string
	for _, t := range tables {
		if !ours(t) {
			continue
		}
		var cols []struct {
			Name    string
			Notnull int
			Pk      int
		}
		if err := s.q(ctx).Raw("SELECT name, \"notnull\", pk FROM pragma_table_info(?)", t).Scan(&cols).Error; err != nil {
			return nil, err
		}
		for _, c := range cols {
			out = append(out, fmt.Sprintf("column %s.%s null=%v", t, c.Name, c.Notnull == 0 && c.Pk == 0))
		}
		var idx []struct {
			Name   string
			Unique int
		}
		if err := s.q(ctx).Raw("SELECT name, \"unique\" FROM pragma_index_list(?)", t).Scan(&idx).Error; err != nil {
			return nil, err
		}
		for _, i := range idx {
			// The engine's own indexes, and those that stand for PostgreSQL's primary key (account_id, id).
			if strings.HasPrefix(i.Name, "sqlite_") || i.Name == t+"_account" {
				continue
			}
			out = append(out, fmt.Sprintf("index %s.%s unique=%v", t, i.Name, i.Unique == 1))
		}
	}
	return out, nil
}

func (s *Store) postgresSchema(ctx context.Context) ([]string, error) {
	var cols []struct{ TableName, ColumnName, IsNullable string }
	if err := s.q(ctx).Raw("SELECT table_name, column_name, is_nullable FROM information_schema.columns WHERE table_schema = 'public'").Scan(&cols).Error; err != nil {
		return nil, err
	}
	var out []string
	for _, c := range cols {
		if ours(c.TableName) {
			out = append(out, fmt.Sprintf("column %s.%s null=%v", c.TableName, c.ColumnName, c.IsNullable == "YES"))
		}
	}
	var idx []struct{ Tablename, Indexname, Indexdef string }
	if err := s.q(ctx).Raw("SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'").Scan(&idx).Error; err != nil {
		return nil, err
	}
	for _, i := range idx {
		// Primary keys, and the plain index on id that SQLite's primary key is.
		if !ours(i.Tablename) || strings.HasSuffix(i.Indexname, "_pkey") || i.Indexname == i.Tablename+"_id" {
			continue
		}
		out = append(out, fmt.Sprintf("index %s.%s unique=%v", i.Tablename, i.Indexname, strings.HasPrefix(i.Indexdef, "CREATE UNIQUE")))
	}
	return out, nil
}

// QueuePlan gives how the database reads a page of the queue.
func (s *Store) QueuePlan(ctx context.Context, v models.Viewer, after *InboxCursor) (string, error) {
	page, _ := s.inboxPage(ctx, v, InboxFilter{View: models.ViewQueue, After: after})
	st := page.Session(&gorm.Session{DryRun: true}).Find(&[]models.Conversation{}).Statement
	return s.plan(ctx, page.Explain(st.SQL.String(), st.Vars...))
}

// PlanOf gives how the database does the last that is read.
func (s *Store) PlanOf(ctx context.Context, read func(Reader) error) (string, error) {
	last := &lastSQL{Interface: s.db.Logger}
	if err := read(Reader{s.db.Session(&gorm.Session{Logger: last})}); err != nil {
		return "", err
	}
	return s.plan(ctx, last.sql)
}

// lastSQL is a log that keeps the last statement.
type lastSQL struct {
	logger.Interface
	sql string
}

// Trace keeps a statement.
func (l *lastSQL) Trace(_ context.Context, _ time.Time, f func() (string, int64), _ error) {
	l.sql, _ = f()
}

func (s *Store) plan(ctx context.Context, sql string) (string, error) {
	var lines []string
	if s.dialect == Postgres {
		err := s.q(ctx).Raw("EXPLAIN " + sql).Scan(&lines).Error
		return strings.Join(lines, "\n"), err
	}
	var steps []struct{ Detail string }
	err := s.q(ctx).Raw("EXPLAIN QUERY PLAN " + sql).Scan(&steps).Error
	for _, step := range steps {
		lines = append(lines, step.Detail)
	}
	return strings.Join(lines, "\n"), err
}

package store

import (
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/gorm"

	"kanal/models"
)

// maxTries is how often a transaction that PostgreSQL gave up runs in all.
const maxTries = 6

type inTxKey struct{}

var errNested = errors.New("InTx inside InTx: it would wait for itself")

// Tx is a transaction. It reads and writes; what it publishes goes out after commit.
type Tx struct {
	Reader
	s      *Store
	sqlTx  *sql.Tx
	conn   *sql.Conn // PostgreSQL only
	events []models.Event
}

// Now gives the time that rows of this transaction get.
func (tx *Tx) Now() time.Time { return tx.s.Now() }

// Dialect names the engine.
func (tx *Tx) Dialect() Dialect { return tx.s.dialect }

// DatabaseNow gives the time by which leases are kept: the database server's, so that instances need not agree. A clock
// that was passed to Open stands for the server's too.
func (tx *Tx) DatabaseNow(ctx context.Context) (time.Time, error) {
	if tx.s.dialect == SQLite || tx.s.ownClock {
		return tx.Now(), nil
	}
	var t time.Time
	err := tx.q(ctx).Raw("SELECT clock_timestamp()").Scan(&t).Error
	return t.UTC(), failed(err, "read database time")
}

// Publish sends an event to every instance's streams when the transaction commits.
func (tx *Tx) Publish(e models.Event) { tx.events = append(tx.events, e) }

// InTx runs f in one transaction: it commits when f gives nil. On PostgreSQL f runs again when the server gave the
// transaction up for another one, so f must set what it fills anew. Nothing inside f may touch the Store.
func (s *Store) InTx(ctx context.Context, f func(tx *Tx) error) error {
	if ctx.Value(inTxKey{}) != nil {
		return models.Wrap(errNested, "transaction")
	}
	ctx = context.WithValue(ctx, inTxKey{}, true)
	for try := 1; ; try++ {
		err := s.once(ctx, f)
		if err == nil || !serialization(err) || try == maxTries {
			return err
		}
		select {
		case <-time.After(time.Duration(rand.IntN(10*try)+1) * time.Millisecond): //nolint:gosec // a pause, no secret
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (s *Store) once(ctx context.Context, f func(tx *Tx) error) error {
	if s.dialect == Postgres {
		return s.oncePostgres(ctx, f)
	}
	var events []models.Event
	err := s.w.WithContext(ctx).Transaction(func(g *gorm.DB) error {
		tx := &Tx{Reader: Reader{g}, s: s, sqlTx: g.Statement.ConnPool.(*sql.Tx)}
		err := f(tx)
		events = tx.events
		return err
	})
	if err != nil {
		return failed(err, "transaction")
	}
	s.hub.fan(events)
	return nil
}

func (s *Store) oncePostgres(ctx context.Context, f func(tx *Tx) error) error {
	conn, err := s.wsql.Conn(ctx)
	if err != nil {
		return failed(err, "transaction")
	}
	defer func() { _ = conn.Close() }()
	g := s.w.Session(&gorm.Session{NewDB: true, Context: ctx})
	g.Statement.ConnPool = conn
	err = g.Transaction(func(g *gorm.DB) error {
		tx := &Tx{Reader: Reader{g}, s: s, sqlTx: g.Statement.ConnPool.(*sql.Tx), conn: conn}
		if err := f(tx); err != nil {
			return err
		}
		return tx.notify(ctx)
	})
	return failed(err, "transaction")
}

// pgx runs f with a pgx view of the same PostgreSQL transaction.
func (tx *Tx) pgx(f func(pgx.Tx) error) error {
	return tx.conn.Raw(func(dc any) error { return f(pgxTx{dc.(*stdlib.Conn).Conn()}) })
}

// pgxTx presents a connection that is inside GORM's transaction as a pgx.Tx, which River asks for.
type pgxTx struct{ c *pgx.Conn }

var errOwned = errors.New("the transaction belongs to gorm")

// Begin opens a savepoint.
func (t pgxTx) Begin(ctx context.Context) (pgx.Tx, error) {
	if _, err := t.c.Exec(ctx, "SAVEPOINT kanal_river"); err != nil {
		return nil, err
	}
	return savepoint{t}, nil
}

// Commit is refused.
func (t pgxTx) Commit(context.Context) error { return errOwned }

// Rollback is refused.
func (t pgxTx) Rollback(context.Context) error { return errOwned }

// CopyFrom copies rows.
func (t pgxTx) CopyFrom(ctx context.Context, n pgx.Identifier, c []string, r pgx.CopyFromSource) (int64, error) {
	return t.c.CopyFrom(ctx, n, c, r)
}

// SendBatch sends several statements.
func (t pgxTx) SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults {
	return t.c.SendBatch(ctx, b)
}

// LargeObjects is not used by River.
func (t pgxTx) LargeObjects() pgx.LargeObjects { return pgx.LargeObjects{} }

// Prepare prepares a statement.
func (t pgxTx) Prepare(ctx context.Context, n, q string) (*pgconn.StatementDescription, error) {
	return t.c.Prepare(ctx, n, q)
}

// Exec runs a statement.
func (t pgxTx) Exec(ctx context.Context, q string, a ...any) (pgconn.CommandTag, error) {
	return t.c.Exec(ctx, q, a...)
}

// Query runs a query.
func (t pgxTx) Query(ctx context.Context, q string, a ...any) (pgx.Rows, error) {
	return t.c.Query(ctx, q, a...)
}

// QueryRow runs a query for one row.
func (t pgxTx) QueryRow(ctx context.Context, q string, a ...any) pgx.Row {
	return t.c.QueryRow(ctx, q, a...)
}

// Conn gives the connection.
func (t pgxTx) Conn() *pgx.Conn { return t.c }

type savepoint struct{ pgxTx }

// Commit releases the savepoint.
func (t savepoint) Commit(ctx context.Context) error {
	_, err := t.c.Exec(ctx, "RELEASE SAVEPOINT kanal_river")
	return err
}

// Rollback undoes what came after the savepoint.
func (t savepoint) Rollback(ctx context.Context) error {
	_, err := t.c.Exec(ctx, "ROLLBACK TO SAVEPOINT kanal_river")
	return err
}

// Insert inserts a row and sets its id.
func (tx *Tx) Insert(ctx context.Context, row any) error {
	return failed(tx.q(ctx).Create(row).Error, "insert row")
}

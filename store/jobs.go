package store

import (
	"context"
	"database/sql"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"

	"kanal/models"
)

// Names of the queues in which jobs run.
const (
	queueSend    = "send"
	queueMedia   = "media"
	queueDefault = river.QueueDefault
)

// endless is how often a job is tried that nobody else makes up for: at one try a day longer than anybody waits.
const endless = 10_000

// insertOpts says for each kind of job where it runs and how often it is tried.
func insertOpts(kind string) *river.InsertOpts {
	switch kind {
	case models.SendConversation{}.Kind():
		return &river.InsertOpts{Queue: queueSend, MaxAttempts: 25}
	case models.SettleMessage{}.Kind():
		return &river.InsertOpts{Queue: queueDefault, MaxAttempts: 25}
	case models.SendScheduled{}.Kind():
		return &river.InsertOpts{Queue: queueDefault, MaxAttempts: 25}
	case models.CatchUp{}.Kind():
		return &river.InsertOpts{Queue: queueDefault, MaxAttempts: 10}
	case models.ShowTyping{}.Kind():
		return &river.InsertOpts{Queue: queueDefault, MaxAttempts: 1}
	case models.FetchFile{}.Kind():
		return &river.InsertOpts{Queue: queueMedia, MaxAttempts: 25}
	case models.RemoveFile{}.Kind():
		return &river.InsertOpts{Queue: queueMedia, MaxAttempts: endless}
	}
	return &river.InsertOpts{Queue: queueDefault, MaxAttempts: 5}
}

// JobOption changes how a job is entered.
type JobOption func(*river.InsertOpts)

// At lets a job run at a time and not before.
func At(t time.Time) JobOption { return func(o *river.InsertOpts) { o.ScheduledAt = t } }

// Enqueue enters a job as a row of this transaction.
func (tx *Tx) Enqueue(ctx context.Context, args models.JobArgs, opts ...JobOption) error {
	o := insertOpts(args.Kind())
	for _, opt := range opts {
		opt(o)
	}
	return failed(tx.s.jobs.insert(ctx, tx, args, o), "enqueue "+args.Kind())
}

// EnqueueAll enters many jobs as rows of this transaction.
func (tx *Tx) EnqueueAll(ctx context.Context, all []models.JobArgs) error {
	if len(all) == 0 {
		return nil
	}
	params := make([]river.InsertManyParams, len(all))
	for i, args := range all {
		params[i] = river.InsertManyParams{Args: args, InsertOpts: insertOpts(args.Kind())}
	}
	return failed(tx.s.jobs.insertMany(ctx, tx, params), "enqueue "+all[0].Kind())
}

// inserter enters jobs; there is one for each engine.
type inserter interface {
	insert(ctx context.Context, tx *Tx, args models.JobArgs, o *river.InsertOpts) error
	insertMany(ctx context.Context, tx *Tx, all []river.InsertManyParams) error
}

type (
	sqliteJobs   struct{ c *river.Client[*sql.Tx] }
	postgresJobs struct{ c *river.Client[pgx.Tx] }
)

func (j sqliteJobs) insert(ctx context.Context, tx *Tx, args models.JobArgs, o *river.InsertOpts) error {
	_, err := j.c.InsertTx(ctx, tx.sqlTx, args, o)
	return err
}

func (j postgresJobs) insert(ctx context.Context, tx *Tx, args models.JobArgs, o *river.InsertOpts) error {
	return tx.pgx(func(p pgx.Tx) error {
		_, err := j.c.InsertTx(ctx, p, args, o)
		return err
	})
}

func (j sqliteJobs) insertMany(ctx context.Context, tx *Tx, all []river.InsertManyParams) error {
	_, err := j.c.InsertManyFastTx(ctx, tx.sqlTx, all)
	return err
}

func (j postgresJobs) insertMany(ctx context.Context, tx *Tx, all []river.InsertManyParams) error {
	return tx.pgx(func(p pgx.Tx) error {
		_, err := j.c.InsertManyFastTx(ctx, p, all)
		return err
	})
}

// riverLog lets through what a person should know of River.
func (s *Store) riverLog() *slog.Logger { return slog.New(warnings{s.log.Handler()}) }

type warnings struct{ slog.Handler }

// Enabled lets through warnings and errors.
func (w warnings) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && w.Handler.Enabled(ctx, l)
}

// Handle drops what only says that the program is stopping.
func (w warnings) Handle(ctx context.Context, r slog.Record) error {
	stopping := false
	r.Attrs(func(a slog.Attr) bool {
		stopping = a.Value.String() == context.Canceled.Error()
		return !stopping
	})
	if stopping {
		return nil
	}
	return w.Handler.Handle(ctx, r)
}

func (s *Store) newInserter() (inserter, error) {
	cfg := &river.Config{Logger: s.riverLog()}
	if s.dialect == SQLite {
		c, err := river.NewClient(riversqlite.New(s.wsql), cfg)
		return sqliteJobs{c}, failed(err, "open jobs")
	}
	c, err := river.NewClient(riverpgxv5.New(s.pool), cfg)
	return postgresJobs{c}, failed(err, "open jobs")
}

// Runner runs jobs.
type Runner struct {
	start, stop, cancel func(context.Context) error
}

// NewRunner makes a runner for workers and periodic jobs. A job that ran when its process was killed is tried again a
// minute later.
func (s *Store) NewRunner(workers *river.Workers, periodic []*river.PeriodicJob) (*Runner, error) {
	cfg := &river.Config{
		Logger: s.riverLog(), Workers: workers, PeriodicJobs: periodic,
		Queues: map[string]river.QueueConfig{
			queueSend:    {MaxWorkers: 32},
			queueMedia:   {MaxWorkers: 16},
			queueDefault: {MaxWorkers: 8},
		},
		FetchCooldown: 10 * time.Millisecond, FetchPollInterval: time.Second,
		JobTimeout: 15 * time.Second, RescueStuckJobsAfter: 60 * time.Second,
		CompletedJobRetentionPeriod: time.Hour,
	}
	if s.dialect == SQLite {
		c, err := river.NewClient(riversqlite.New(s.wsql), cfg)
		if err != nil {
			return nil, failed(err, "make runner")
		}
		return &Runner{c.Start, c.Stop, c.StopAndCancel}, nil
	}
	c, err := river.NewClient(riverpgxv5.New(s.pool), cfg)
	if err != nil {
		return nil, failed(err, "make runner")
	}
	return &Runner{c.Start, c.Stop, c.StopAndCancel}, nil
}

// Start begins to run jobs until Stop. The context's end stops it hard.
func (r *Runner) Start(ctx context.Context) error { return failed(r.start(ctx), "start jobs") }

// Stop takes no new jobs and waits for the running ones until ctx ends; then it cancels them.
func (r *Runner) Stop(ctx context.Context) error {
	if err := r.stop(ctx); err == nil {
		return nil
	}
	hard, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	return failed(r.cancel(hard), "stop jobs")
}

// CountJobs gives how many jobs are waiting or running.
func (r Reader) CountJobs(ctx context.Context) (int, error) {
	var n int
	err := r.q(ctx).Raw("SELECT count(*) FROM river_job WHERE state IN ('available', 'pending', 'retryable', 'running', 'scheduled')").Scan(&n).Error
	return n, failed(err, "count jobs")
}

// Package jobs says what runs later: workers and timers, each a thin call into service.
package jobs

import (
	"context"
	"time"

	"github.com/riverqueue/river"

	"kanal/models"
	"kanal/service"
	"kanal/store"
)

// sweep is how often Housekeeping runs.
const sweep = 15 * time.Second

// New makes the runner of all jobs.
func New(st *store.Store, s *service.Service) (*store.Runner, error) {
	workers := river.NewWorkers()
	add(workers, func(ctx context.Context, a models.SendConversation) error {
		return s.SendConversation(ctx, a.Conversation)
	})
	add(workers, func(ctx context.Context, a models.SettleMessage) error { return s.SettleMessage(ctx, a.Message) })
	add(workers, func(ctx context.Context, a models.ShowTyping) error { return s.ShowTyping(ctx, a.Conversation) })
	add(workers, func(ctx context.Context, a models.CloseWrapUp) error { return s.CloseWrapUp(ctx, a.Conversation) })
	add(workers, func(ctx context.Context, _ models.Housekeeping) error { return s.Housekeeping(ctx) })
	periodic := []*river.PeriodicJob{river.NewPeriodicJob(
		river.PeriodicInterval(sweep),
		func() (river.JobArgs, *river.InsertOpts) {
			return models.Housekeeping{}, &river.InsertOpts{MaxAttempts: 1}
		},
		&river.PeriodicJobOpts{RunOnStart: true},
	)}
	return st.NewRunner(workers, periodic)
}

// worker runs one kind of job.
type worker[T river.JobArgs] struct {
	river.WorkerDefaults[T]
	run func(context.Context, T) error
}

// Work runs the job.
func (w *worker[T]) Work(ctx context.Context, j *river.Job[T]) error { return w.run(ctx, j.Args) }

// NextRetry tries again after a second, doubling to a minute: a database or Twilio that was away is back soon.
func (w *worker[T]) NextRetry(j *river.Job[T]) time.Time {
	return j.AttemptedAt.Add(min(time.Second<<min(j.Attempt-1, 6), time.Minute))
}

func add[T river.JobArgs](ws *river.Workers, run func(context.Context, T) error) {
	river.AddWorker(ws, &worker[T]{run: run})
}

// Package jobs says what runs later: workers and timers, each a thin call into service.
package jobs

import (
	"cmp"
	"context"
	"time"

	"github.com/riverqueue/river"

	"kanal/models"
	"kanal/service"
	"kanal/store"
)

// How often what runs by itself runs: Housekeeping, PollMessages, RefreshTemplates and CatchUpAll.
const (
	sweep   = 15 * time.Second
	poll    = 30 * time.Second
	refresh = 2 * time.Minute
	catchUp = 15 * time.Minute
)

// fileTime bounds the job that fetches a file; the fetching itself is bounded more tightly. catchUpTime bounds listing
// what came in: after a long gap it is much.
const (
	fileTime    = 150 * time.Second
	catchUpTime = 10 * time.Minute
)

// New makes the runner of all jobs.
func New(st *store.Store, s *service.Service) (*store.Runner, error) {
	workers := river.NewWorkers()
	add(workers, func(ctx context.Context, a models.SendConversation) error {
		return s.SendConversation(ctx, a.Conversation)
	})
	add(workers, func(ctx context.Context, a models.SettleMessage) error { return s.SettleMessage(ctx, a.Message) })
	add(workers, func(ctx context.Context, a models.ShowTyping) error { return s.ShowTyping(ctx, a.Conversation) })
	add(workers, func(ctx context.Context, a models.SendScheduled) error { return s.SendScheduled(ctx, a.Scheduled) })
	add(workers, func(ctx context.Context, a models.CloseWrapUp) error { return s.CloseWrapUp(ctx, a.Conversation) })
	add(workers, func(ctx context.Context, _ models.Housekeeping) error { return s.Housekeeping(ctx) })
	add(workers, func(ctx context.Context, _ models.PollMessages) error { return s.PollMessages(ctx) })
	river.AddWorker(workers, &worker[models.FetchFile]{run: s.FetchFile, timeout: fileTime})
	river.AddWorker(workers, &worker[models.RemoveFile]{run: s.RemoveFile, longest: 24 * time.Hour})
	add(workers, func(ctx context.Context, a models.FetchTemplates) error { return s.FetchTemplates(ctx, a) })
	add(workers, func(ctx context.Context, _ models.RefreshTemplates) error { return s.RefreshTemplates(ctx) })
	river.AddWorker(workers, &worker[models.CatchUp]{run: s.CatchUp, timeout: catchUpTime})
	add(workers, func(ctx context.Context, _ models.CatchUpAll) error { return s.CatchUpAll(ctx) })
	periodic := []*river.PeriodicJob{
		every(sweep, models.Housekeeping{}, true), every(poll, models.PollMessages{}, true),
		every(refresh, models.RefreshTemplates{}, true),
		every(catchUp, models.CatchUpAll{}, false), // at the start of each process service.Replay begins it
	}
	return st.NewRunner(workers, periodic)
}

// every makes a job that runs after each interval, and at start where that is wanted; a run that fails waits for the next.
func every(interval time.Duration, args river.JobArgs, atStart bool) *river.PeriodicJob {
	return river.NewPeriodicJob(river.PeriodicInterval(interval), func() (river.JobArgs, *river.InsertOpts) {
		return args, &river.InsertOpts{MaxAttempts: 1}
	}, &river.PeriodicJobOpts{RunOnStart: atStart})
}

// worker runs one kind of job.
type worker[T river.JobArgs] struct {
	river.WorkerDefaults[T]
	run     func(context.Context, T) error
	timeout time.Duration // 0 is what holds for all
	longest time.Duration // between two tries; 0 is a minute
}

// Work runs the job.
func (w *worker[T]) Work(ctx context.Context, j *river.Job[T]) error { return w.run(ctx, j.Args) }

// Timeout bounds the job.
func (w *worker[T]) Timeout(*river.Job[T]) time.Duration { return w.timeout }

// NextRetry tries again after a second, doubling to the longest time: a database or Twilio that was away is back soon.
func (w *worker[T]) NextRetry(j *river.Job[T]) time.Time {
	return j.AttemptedAt.Add(min(time.Second<<min(j.Attempt-1, 20), cmp.Or(w.longest, time.Minute)))
}

func add[T river.JobArgs](ws *river.Workers, run func(context.Context, T) error) {
	river.AddWorker(ws, &worker[T]{run: run})
}

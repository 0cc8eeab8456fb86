package service

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"kanal/models"
)

// maxBatch is how many messages share a commit at most.
const maxBatch = 64

// gatherFor is how long a worker waits, while another one works, for half as many as in its last batch: under load the
// first few to come would get a commit of their own, which costs as much as one of many. When little comes batches are
// small, and nothing waits.
const gatherFor = 2 * time.Millisecond

// batcher gathers what comes at the same time and does it together. A batch that fails is done again one by one, so
// that one bad message never takes others with it.
type batcher[T any] struct {
	run   func(context.Context, []T) error
	queue chan pending[T]
	stop  chan struct{}
	busy  atomic.Int32 // workers with a batch
	wg    sync.WaitGroup
}

type pending[T any] struct {
	item T
	done chan error
}

// newBatcher starts n workers that run batches.
func newBatcher[T any](n int, run func(context.Context, []T) error) *batcher[T] {
	b := &batcher[T]{run: run, queue: make(chan pending[T]), stop: make(chan struct{})}
	for range n {
		b.wg.Add(1)
		go b.work()
	}
	return b
}

// do hands over an item and waits until it is done. When ctx ends the item may still be done.
func (b *batcher[T]) do(ctx context.Context, item T) error {
	p := pending[T]{item: item, done: make(chan error, 1)}
	select {
	case b.queue <- p:
	case <-ctx.Done():
		return ctx.Err()
	case <-b.stop:
		return errStopped
	}
	select {
	case err := <-p.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// close waits until what has been handed over is done.
func (b *batcher[T]) close() {
	close(b.stop)
	b.wg.Wait()
}

func (b *batcher[T]) work() {
	defer b.wg.Done()
	patience := time.NewTimer(0)
	defer patience.Stop()
	last := 1
	for {
		select {
		case p := <-b.queue:
			batch := b.gather(p)
			if len(batch) < last/2 && b.busy.Load() > 0 {
				patience.Reset(gatherFor)
				batch = b.await(batch, last/2, patience.C)
			}
			last = len(batch)
			b.busy.Add(1)
			b.flush(batch)
			b.busy.Add(-1)
		case <-b.stop:
			return
		}
	}
}

// gather takes what is waiting at this moment.
func (b *batcher[T]) gather(first pending[T]) []pending[T] {
	batch := []pending[T]{first}
	for len(batch) < maxBatch {
		select {
		case p := <-b.queue:
			batch = append(batch, p)
		default:
			return batch
		}
	}
	return batch
}

// await takes what comes until the batch has n items or the time is over.
func (b *batcher[T]) await(batch []pending[T], n int, over <-chan time.Time) []pending[T] {
	for len(batch) < n {
		select {
		case p := <-b.queue:
			batch = append(batch, p)
		case <-over:
			return batch
		}
	}
	return batch
}

func (b *batcher[T]) flush(batch []pending[T]) {
	ctx, cancel := context.WithTimeout(context.Background(), batchTimeout)
	defer cancel()
	items := make([]T, len(batch))
	for i, p := range batch {
		items[i] = p.item
	}
	err := b.try(ctx, items)
	for _, p := range batch {
		if err != nil && len(batch) > 1 {
			p.done <- b.try(ctx, []T{p.item})
			continue
		}
		p.done <- err
	}
}

// errPanic says that a run broke off. It would break off again.
var errPanic = errors.New("panic")

// try runs a batch.
func (b *batcher[T]) try(ctx context.Context, items []T) error {
	return guarded(func() error { return b.run(ctx, items) })
}

// guarded runs f. A panic is its error and not the end of the program, which Twilio's next try of the same message would
// end again.
func guarded(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = models.Wrap(fmt.Errorf("%w: %v\n%s", errPanic, p, debug.Stack()), "guarded")
		}
	}()
	return f()
}

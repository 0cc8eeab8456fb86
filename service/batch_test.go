package service

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A panic belongs to the one item that causes it: those beside it are done, the program goes on, and trying the same
// again is known to be of no use.
func TestPanicTakesNothingWithIt(t *testing.T) {
	b := newBatcher(1, func(_ context.Context, items []int) error {
		for _, i := range items {
			if i == 7 {
				panic("seven")
			}
		}
		return nil
	})
	defer b.close()
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			err := b.do(context.Background(), i)
			if i == 7 {
				if !errors.Is(err, errPanic) || !lasting(err) {
					t.Errorf("the bad one: %v", err)
				}
			} else if err != nil {
				t.Errorf("%d: %v", i, err)
			}
		})
	}
	wg.Wait()
}

// A worker that had many waits a moment for as many again, but only while another one works: nobody waits in quiet times.
func TestGatheringWaitsOnlyUnderLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		running, release := map[int]chan struct{}{}, make(chan struct{})
		var mu sync.Mutex
		b := newBatcher(2, func(_ context.Context, items []int) error {
			end := make(chan struct{})
			mu.Lock()
			running[len(items)] = end
			mu.Unlock()
			select {
			case <-end:
			case <-release:
			}
			return nil
		})
		send := func(n int) {
			for i := range n {
				go func() { _ = b.do(context.Background(), i) }()
			}
			synctest.Wait()
		}
		finish := func(size int) {
			mu.Lock()
			close(running[size])
			delete(running, size)
			mu.Unlock()
			synctest.Wait()
		}
		sizes := func() []int {
			mu.Lock()
			defer mu.Unlock()
			var all []int
			for n := range running {
				all = append(all, n)
			}
			slices.Sort(all)
			return all
		}
		expect := func(what string, want ...int) {
			t.Helper()
			if got := sizes(); !slices.Equal(got, want) {
				t.Fatalf("%s: batches of %v, want %v", what, got, want)
			}
		}

		began := time.Now()
		send(1)
		expect("the first comes alone and waits for nothing", 1)
		first := running[1]
		send(1) // the other worker's first
		send(8)
		close(first)
		synctest.Wait()
		expect("eight have waited", 1, 8)
		send(9)
		finish(1)
		expect("and nine", 8, 9)
		finish(8)
		send(1)
		expect("one is less than half of the last eight", 9)
		send(3)
		expect("four are enough", 4, 9)
		if time.Since(began) != 0 {
			t.Error("time went by")
		}
		finish(4)
		send(1)
		time.Sleep(gatherFor)
		synctest.Wait()
		expect("the wait is over", 1, 9)
		finish(9) // this worker had many and is the first to take something again
		finish(1)
		send(1)
		expect("nobody else works", 1)
		close(release)
		b.close()
	})
}

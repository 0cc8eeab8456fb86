package service

import (
	"context"
	"errors"
	"sync"
	"testing"
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

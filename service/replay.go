package service

import (
	"context"
	"errors"
	"time"

	"kanal/models"
	"kanal/store"
)

// Times of bringing the spool into the database: between two looks whether it answers again.
const (
	probeFirst = 100 * time.Millisecond
	probeMost  = 2 * time.Second
)

// hopeless is how often a call fails while the database answers before and after it; then it goes into quarantine.
const hopeless = 5

// Replay brings what the spool holds into the database, in order, as soon as it answers, until ctx ends. After that, and
// when it begins, it lets each account list what Twilio has taken in meanwhile.
func (s *Service) Replay(ctx context.Context) {
	r := &replay{Service: s}
	for {
		n, err := r.step(ctx)
		if err == nil && n > 0 {
			r.listed = false
			continue
		}
		if err == nil && !r.listed {
			err = s.CatchUpAll(ctx)
			r.listed = err == nil
		}
		if ctx.Err() != nil {
			return
		}
		r.rest(ctx, err)
	}
}

// replay is one who reads the spool.
type replay struct {
	*Service
	pause  time.Duration
	failed bool // the last call was not taken in
	tries  int  // of the oldest call while the database answers
	listed bool // each account was asked to list since the spool was empty
}

// rest waits: after a failure for a while, else until something is appended.
func (r *replay) rest(ctx context.Context, err error) {
	if err == nil {
		r.pause = 0
		select {
		case <-ctx.Done():
		case <-r.more():
		}
		return
	}
	r.pause = min(max(2*r.pause, probeFirst), probeMost)
	r.log.Debug("the spool waits for the database", "err", err)
	t := time.NewTimer(r.pause)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

func (r *replay) more() <-chan struct{} {
	if r.spool == nil {
		return nil
	}
	return r.spool.More()
}

// step takes in the oldest calls and gives how many.
func (r *replay) step(ctx context.Context) (int, error) {
	if r.spool == nil {
		return 0, nil
	}
	calls, err := r.spool.Peek(maxBatch)
	if err != nil || len(calls) == 0 {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, batchTimeout)
	defer cancel()
	if r.failed || r.away.Load() {
		if err := r.probe(ctx); err != nil {
			r.failed, r.tries = true, 0
			return 0, err
		}
		if r.away.Swap(false) {
			r.log.Info("the database takes webhooks in again", "waiting", r.spool.Records())
		}
	}
	n, err := r.take(ctx, calls)
	if err != nil {
		if r.failed {
			r.tries++
		}
		r.failed = true
		return 0, err
	}
	r.spool.Done(n)
	r.failed, r.tries = false, 0
	return n, nil
}

// probe finds out whether the database takes a transaction.
func (s *Service) probe(ctx context.Context) error {
	return s.store.InTx(ctx, func(*store.Tx) error { return nil })
}

// take takes in as many calls as can share their commits, else the oldest one. A batch that fails is halved until what is
// bad in it stands alone.
func (r *replay) take(ctx context.Context, calls []HookCall) (int, error) {
	for b := r.batch(ctx, calls); len(calls) > 1 && ctx.Err() == nil; b = r.batch(ctx, calls[:b.calls/2]) {
		if b.calls < 2 {
			break
		}
		if err := r.takeBatch(ctx, b); err == nil {
			return b.calls, nil
		}
	}
	err := guarded(func() error { return r.takeOne(ctx, calls[0]) })
	if err != nil && (lasting(err) || r.tries >= hopeless) {
		err = r.giveUp(ctx, calls[0], err)
	}
	return 1, err
}

// replayBatch is the oldest calls, as far as nothing speaks against them: messages of customers and reports.
type replayBatch struct {
	calls    int
	messages []inbound
	reports  []report
}

// takeBatch takes in the messages in one commit and the reports in another, each in their order: nothing says in which
// order Twilio tells a message of a customer and what became of one to them. Who dies between the two takes all in again.
func (r *replay) takeBatch(ctx context.Context, b replayBatch) error {
	if len(b.messages) > 0 {
		if err := r.inbox.try(ctx, b.messages); err != nil {
			return err
		}
	}
	if len(b.reports) == 0 {
		return nil
	}
	return guarded(func() error { return r.keepReports(ctx, b.reports) })
}

func (r *replay) batch(ctx context.Context, calls []HookCall) replayBatch {
	var b replayBatch
	for _, c := range calls {
		if !c.Verified || c.Kind != HookInbound && c.Kind != HookStatus {
			break
		}
		call, err := r.reopened(ctx, c)
		if err != nil {
			break
		}
		if c.Kind == HookStatus {
			rep, reason := readStatus(call)
			if reason != "" {
				break
			}
			b.reports = append(b.reports, rep)
		} else {
			in, reason, err := r.understand(ctx, call)
			if err != nil || reason != "" {
				break
			}
			b.messages = append(b.messages, in)
		}
		b.calls++
	}
	return b
}

// reopened makes a call of the spool's again. One that nobody could check is checked now. ErrNotFound, ErrBadSignature.
func (r *replay) reopened(ctx context.Context, c HookCall) (Call, error) {
	hook, err := r.Hook(ctx, c.Key)
	if err != nil {
		return Call{}, err
	}
	var call Call
	if c.Verified {
		form, _ := r.readHook(c, nil)
		call = r.callOf(hook, c, form)
	} else if call, err = r.signed(ctx, hook, c); err != nil {
		return Call{}, err
	}
	call.again = true
	return call, nil
}

// takeOne takes in one call. What is nobody's, or not Twilio's, is dropped and told.
func (r *replay) takeOne(ctx context.Context, c HookCall) error {
	call, err := r.reopened(ctx, c)
	switch {
	case errors.Is(err, models.ErrNotFound), errors.Is(err, ErrBadSignature):
		r.log.Warn("a webhook in the spool was dropped", "kind", c.Kind, "received", c.ReceivedAt, "verified", c.Verified, "err", err)
		return nil
	case err != nil:
		return err
	}
	return r.Keep(ctx, c.Kind, call)
}

// giveUp puts a call that cannot be taken in into quarantine, so that it does not stand before the others. It fails when
// the database is away after all.
func (r *replay) giveUp(ctx context.Context, c HookCall, why error) error {
	call, err := r.reopened(ctx, c)
	if err != nil {
		return err
	}
	err = r.quarantine(ctx, call, string(c.Kind), models.QuarantineFailed)
	switch {
	case err == nil:
		r.log.Error("a webhook of the spool was put into quarantine", "account", call.Account.ID, "kind", c.Kind, "err", why)
	case lasting(err):
		r.log.Error("a webhook of the spool was dropped: not even quarantine takes it", "account", call.Account.ID, "kind", c.Kind, "received", c.ReceivedAt, "err", errors.Join(why, err))
		err = nil
	}
	return err
}

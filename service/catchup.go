package service

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	"kanal/models"
	"kanal/store"
	"kanal/twilio"
)

// Times of catching up.
const (
	// listingOverlap is how much of what was listed before is listed again: clocks differ, and Twilio's list may be late.
	listingOverlap = 10 * time.Minute
	// webhookTime is how long a message is left to its webhook, which knows more than the listing: Twilio tries it for
	// fifteen seconds.
	webhookTime = 30 * time.Second
	// shortestListing is the shortest time that is listed by itself: Twilio's times are whole seconds.
	shortestListing = 2 * time.Second
)

// errSpoolFirst says that what came by webhook has to be in the database before anything is listed: it knows more.
var errSpoolFirst = errors.New("the spool is not empty yet")

// CatchUpAll lets every finished account list what Twilio has taken in since its last time.
func (s *Service) CatchUpAll(ctx context.Context) error {
	var all []models.JobArgs
	asked := s.store.Now().UnixMicro()
	for _, a := range s.directory.read().accounts {
		if a.State == models.AccountActive {
			all = append(all, models.CatchUp{Account: a.ID, Asked: asked})
		}
	}
	if len(all) == 0 {
		return nil
	}
	return s.store.InTx(ctx, func(tx *store.Tx) error { return tx.EnqueueAll(ctx, all) })
}

// listings are the accounts that list at this moment in this process. Two at a time would only ask Twilio twice: who comes
// meanwhile leaves a word, and the job is entered again when the first is done.
type listings struct {
	mu    sync.Mutex
	asked map[models.AccountID][]models.JobArgs // the last that came meanwhile, if any
}

// begin tells whether nobody lists for the job's account.
func (l *listings) begin(job models.CatchUp) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, busy := l.asked[job.Account]; busy {
		l.asked[job.Account] = []models.JobArgs{job}
		return false
	}
	if l.asked == nil {
		l.asked = map[models.AccountID][]models.JobArgs{}
	}
	l.asked[job.Account] = nil
	return true
}

// end gives the job that came meanwhile, if any.
func (l *listings) end(account models.AccountID) []models.JobArgs {
	l.mu.Lock()
	defer l.mu.Unlock()
	job := l.asked[account]
	delete(l.asked, account)
	return job
}

// CatchUp lists what Twilio has taken in for an account since the last time and takes in what is missing, each message at
// the time at which Twilio took it in. What is here already changes nothing. An error means that the same has to be listed
// again: the mark up to which all is here moves only when all is. While the account lists already in this process the job is
// put off to the end of that.
func (s *Service) CatchUp(ctx context.Context, job models.CatchUp) (err error) {
	if !s.listings.begin(job) {
		return nil
	}
	defer func() { // also when it panics: River goes on, and the account would never list again
		if later := s.listings.end(job.Account); len(later) > 0 {
			ctx := context.WithoutCancel(ctx)
			err = errors.Join(err, s.store.InTx(ctx, func(tx *store.Tx) error { return tx.EnqueueAll(ctx, later) }))
		}
	}()
	return s.catchUp(ctx, job)
}

func (s *Service) catchUp(ctx context.Context, job models.CatchUp) error {
	a, err := s.store.Account(ctx, job.Account)
	if errors.Is(err, models.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	done := a.CaughtUpAt != nil && job.Asked > 0 && !a.CaughtUpAt.Before(a.Now(time.UnixMicro(job.Asked)))
	if done || a.State != models.AccountActive || a.StoppedAt != nil {
		return nil
	}
	if s.spool != nil && s.spool.Records() > 0 {
		return errSpoolFirst
	}
	cred, err := s.credentials(a)
	if errors.Is(err, errSimulatorOff) {
		return nil
	}
	if err != nil {
		return err
	}
	l := &listing{Service: s, account: a, cred: cred, began: a.Now(s.store.Now())}
	err = l.run(ctx)
	if e := twilio.AsError(err); err != nil && (e.Unauthorized() || e.Suspended()) {
		s.log.Warn("Twilio does not let an account list its messages", "account", a.ID, "err", err)
		return nil // the next round asks again
	}
	return err
}

// listing is one catching up. Times are by the account's clock.
type listing struct {
	*Service
	account models.Account
	cred    twilio.Credentials
	began   time.Time
	young   bool // something is left to its webhook
	taken   int
	behind  map[string]string // by the sid of a listed message: that of the same customer before it
}

func (l *listing) run(ctx context.Context) error {
	since, err := l.since(ctx)
	if err != nil {
		return err
	}
	for _, n := range l.directory.read().numbers {
		if n.AccountID != l.account.ID {
			continue
		}
		if err := l.number(ctx, n, later(since, n.CreatedAt)); err != nil {
			return err
		}
	}
	if l.taken > 0 {
		l.log.Info("messages were taken in from Twilio's list", "account", l.account.ID, "messages", l.taken, "since", since)
	}
	return l.store.InTx(ctx, func(tx *store.Tx) error {
		if err := tx.SetCaughtUp(ctx, l.account.ID, l.began); err != nil {
			return err
		}
		if l.young {
			return tx.Enqueue(ctx, models.CatchUp{Account: l.account.ID}, store.At(tx.Now().Add(webhookTime)))
		}
		return nil
	})
}

// since gives from when on messages are listed: a little before the last time; the first time a little before the newest
// message that is here. Nothing from before the account was finished is ever taken in.
func (l *listing) since(ctx context.Context) (time.Time, error) {
	begin := l.account.CreatedAt
	if l.account.FinishedAt != nil {
		begin = *l.account.FinishedAt
	}
	if l.account.CaughtUpAt != nil {
		return later(begin, l.account.CaughtUpAt.Add(-listingOverlap)), nil
	}
	newest, err := l.store.NewestInbound(ctx, l.account.ID)
	if err != nil {
		return begin, err
	}
	return later(begin, newest.Add(-listingOverlap)), nil
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// number takes in what is missing of a number. What is too much for one listing is listed in shorter times, the oldest
// first.
func (l *listing) number(ctx context.Context, n models.Number, since time.Time) error {
	l.behind = map[string]string{}
	last := map[string]string{}
	for span := l.began.Sub(since); since.Before(l.began); {
		end, before := l.began, time.Time{}
		if span < l.began.Sub(since) {
			end = since.Add(span)
			before = end
		}
		list, all, err := l.twilio.ListInbound(ctx, l.cred, n.Address, since, before)
		if err != nil {
			return err
		}
		if !all && span > shortestListing {
			span = end.Sub(since) / 2
			continue
		}
		slices.Reverse(list) // the oldest first
		for _, m := range list {
			l.behind[m.SID], last[m.From] = last[m.From], m.SID
		}
		for part := range slices.Chunk(list, maxBatch) {
			if err := l.takeIn(ctx, part); err != nil {
				return err
			}
		}
		since = end
	}
	return nil
}

// takeIn takes in those of some messages that are not here, in their order.
func (l *listing) takeIn(ctx context.Context, list []twilio.Message) error {
	sids := make([]string, len(list))
	for i, m := range list {
		sids[i] = m.SID
	}
	known, err := l.store.KnownSIDs(ctx, l.account.ID, sids)
	if err != nil {
		return err
	}
	var calls []Call
	for _, m := range list {
		switch {
		case known[m.SID], m.IsJoin():
		case l.began.Sub(m.SentAt()) < webhookTime:
			l.young = true
		default:
			call, err := l.call(ctx, m)
			if err != nil {
				return err
			}
			calls = append(calls, call)
		}
	}
	l.taken += len(calls)
	return l.receive(ctx, calls)
}

// call makes the call that did not come.
func (l *listing) call(ctx context.Context, m twilio.Message) (Call, error) {
	var files []twilio.Media
	if m.Files > 0 {
		var err error
		files, err = l.twilio.ListMedia(ctx, l.cred, m.SID)
		if e := twilio.AsError(err); err != nil && e.Status != http.StatusNotFound { // the message stays when its files are gone
			return Call{}, err
		}
	}
	return Call{
		Account: l.account, Form: m.InboundForm(l.account.SID, files), ReceivedAt: m.SentAt().Add(-l.account.ClockAhead),
		again: true, listed: true, behind: l.behind[m.SID],
	}, nil
}

// receive takes calls in, in one commit where nothing speaks against it.
func (l *listing) receive(ctx context.Context, calls []Call) error {
	var batch []inbound
	for _, c := range calls {
		in, reason, err := l.understand(ctx, c)
		if err != nil {
			return err
		}
		if reason == "" {
			batch = append(batch, in)
		}
	}
	if len(batch) == len(calls) && len(batch) > 0 && l.inbox.try(ctx, batch) == nil {
		return nil
	}
	for _, c := range calls {
		if err := l.Receive(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

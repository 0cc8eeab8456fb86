package service

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"kanal/models"
	"kanal/store"
)

// SimulatedAccount is what the simulator has minted, as the center takes it over, with the names that the person reads.
type SimulatedAccount struct {
	SID        string
	Token      models.Secret
	Number     string // E.164
	Language   string // of the number, one of models.CustomerLanguages
	Account    string // names
	NumberName string
	Workstream string
}

// TrySimulator makes a finished account, its number and a workstream that has claimed it, with the default queue. Once
// made, or when somebody else makes it at the same moment, it gives what is there. A name that is taken gets a figure.
func (s *Service) TrySimulator(ctx context.Context, v models.Viewer, in SimulatedAccount) (models.Account, error) {
	var a models.Account
	for {
		err := s.store.InTx(ctx, func(tx *store.Tx) error {
			known, found, err := tx.AccountWithSID(ctx, in.SID, 0)
			if a = known; err != nil || found {
				return err
			}
			a, err = s.addSimulated(ctx, tx, v, in)
			return err
		})
		// Somebody took a name or made the same account between our look and our insert: look again.
		if errors.Is(err, store.ErrAccountName) || errors.Is(err, store.ErrAccountSID) || errors.Is(err, store.ErrWorkstreamName) {
			continue
		}
		if err != nil {
			return models.Account{}, err
		}
		s.directory.changed(ctx)
		return a, nil
	}
}

func (s *Service) addSimulated(ctx context.Context, tx *store.Tx, v models.Viewer, in SimulatedAccount) (models.Account, error) {
	a, err := s.addSimulatedAccount(ctx, tx, v, in)
	if err != nil {
		return a, err
	}
	w, err := addTryWorkstream(ctx, tx, in.Workstream)
	if err != nil {
		return a, err
	}
	now, known := tx.Now(), true
	n := models.Number{
		AccountID: a.ID, Name: in.NumberName, Address: in.Number, WorkstreamID: &w.ID, Language: in.Language, KnownSender: &known,
		Files: true, CustomerFiles: true, AgentFiles: true,
		Version: 1, CreatedAt: now, UpdatedAt: now, ClaimedAt: &now,
	}
	if err := tx.InsertNumber(ctx, &n); err != nil {
		return a, err
	}
	if err := beginSync(ctx, tx, a.ID); err != nil {
		return a, err
	}
	tx.Publish(models.Event{Name: models.EventAccount, Account: a.ID})
	details := map[string]any{"name": a.Name, "sid": a.SID, "number": n.Address, "workstream": w.Name}
	return a, tx.Audit(ctx, v, "simulator.tried", a.ID.Row(), details)
}

func (s *Service) addSimulatedAccount(ctx context.Context, tx *store.Tx, v models.Viewer, in SimulatedAccount) (models.Account, error) {
	name, err := freeName(in.Account, func(name string) (bool, error) {
		_, taken, err := tx.AccountNamed(ctx, name, 0)
		return taken, err
	})
	if err != nil {
		return models.Account{}, err
	}
	now := tx.Now()
	a := models.Account{
		Name: name, Channel: models.ChannelWhatsApp, SID: in.SID, HookKey: newHookKey(), State: models.AccountActive,
		Step: models.StepCallback, CheckState: models.CheckOK, CheckedAt: &now, Simulated: true, CreatedBy: v.User, Version: 1,
		CreatedAt: now, UpdatedAt: now, FinishedAt: &now,
	}
	if err := tx.InsertAccount(ctx, &a); err != nil {
		return a, err
	}
	a.TokenSealed, a.TokenLast4 = s.store.Seal(in.Token, a.ID.Row()), in.Token.Last4()
	return a, tx.SetAccountToken(ctx, a.ID, a.TokenSealed, a.TokenLast4)
}

func addTryWorkstream(ctx context.Context, tx *store.Tx, name string) (models.Workstream, error) {
	ws, err := tx.Workstreams(ctx)
	if err != nil {
		return models.Workstream{}, err
	}
	name, err = freeName(name, func(name string) (bool, error) {
		for _, w := range ws {
			if strings.EqualFold(w.Name, name) {
				return true, nil
			}
		}
		return false, nil
	})
	if err != nil {
		return models.Workstream{}, err
	}
	queue, err := tx.DefaultQueue(ctx)
	if err != nil {
		return models.Workstream{}, err
	}
	w := models.Workstream{Name: name, Distribution: models.Pick, QueueID: queue, Version: 1, CreatedAt: tx.Now(), UpdatedAt: tx.Now()}
	return w, tx.InsertWorkstream(ctx, &w)
}

// freeName gives the name, or with the first figure under which nobody has taken it.
func freeName(name string, taken func(string) (bool, error)) (string, error) {
	for n := 1; ; n++ {
		try := name
		if n > 1 {
			try += " " + strconv.Itoa(n)
		}
		if is, err := taken(try); err != nil || !is {
			return try, err
		}
	}
}

// SkipAhead moves the clock of a simulated account ahead: its service windows and timers follow. ErrNotFound when no
// simulated account has the SID.
func (s *Service) SkipAhead(ctx context.Context, v models.Viewer, sid string, d time.Duration) error {
	err := s.store.InTx(ctx, func(tx *store.Tx) error {
		accounts, err := tx.AdvanceClock(ctx, sid, d)
		if err != nil {
			return err
		}
		for _, a := range accounts {
			if err := rearm(ctx, tx, a); err != nil {
				return err
			}
		}
		// Windows may have closed in every open page.
		tx.Publish(models.Event{Name: models.EventResync})
		return tx.Audit(ctx, v, "simulator.skipped", accounts[0].ID.Row(), map[string]any{"by": d.String()})
	})
	if err == nil {
		s.directory.changed(ctx)
	}
	return err
}

// rearm gives an account's wrap-ups, scheduled messages and messages that wait to be sent again, whose jobs wait by the clock
// on the wall, jobs that fit its clock.
func rearm(ctx context.Context, tx *store.Tx, a models.Account) error {
	cs, err := tx.WrapUpsOf(ctx, a.ID)
	if err != nil {
		return err
	}
	for _, c := range cs {
		due := c.ResolvedAt.Add(models.WrapUpTime - a.ClockAhead)
		if err := tx.Enqueue(ctx, models.CloseWrapUp{Conversation: c.ID}, store.At(due)); err != nil {
			return err
		}
	}
	waiting, err := tx.WaitingScheduled(ctx, a.ID)
	if err != nil {
		return err
	}
	for _, m := range waiting {
		if err := enqueueScheduled(ctx, tx, a, m); err != nil {
			return err
		}
	}
	retries, err := tx.WaitingRetries(ctx, a.ID)
	if err != nil {
		return err
	}
	for _, m := range retries {
		if err := enqueueRetry(ctx, tx, a, m); err != nil {
			return err
		}
	}
	return nil
}

// SimulatorClocks gives how far the clock of each simulated account runs ahead, by SID. The database is the source: the
// simulator follows it.
func (s *Service) SimulatorClocks() map[string]time.Duration {
	clocks := map[string]time.Duration{}
	for _, a := range s.directory.read().accounts {
		if a.Simulated {
			clocks[a.SID] = max(clocks[a.SID], a.ClockAhead)
		}
	}
	return clocks
}

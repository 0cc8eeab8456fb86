package service

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"kanal/models"
	"kanal/store"
	"kanal/twilio"
)

// WorkstreamDetails are what a person enters of a workstream. Queue 0 is the default queue.
type WorkstreamDetails struct {
	Name  string
	Queue models.QueueID
}

func workstreamRow(id models.WorkstreamID) string { return fmt.Sprintf("workstreams/%d", id) }

// NewWorkstream makes a workstream whose work is picked from its queue. FieldErrors.
func (s *Service) NewWorkstream(ctx context.Context, v models.Viewer, in WorkstreamDetails) (models.WorkstreamID, error) {
	in.Name = cleanName(in.Name)
	if err := checkWorkstream(in); err != nil {
		return 0, err
	}
	var w models.Workstream
	err := s.store.InTx(ctx, func(tx *store.Tx) error {
		queue, err := chosenQueue(ctx, tx, in.Queue)
		if err != nil {
			return err
		}
		w = models.Workstream{Name: in.Name, Distribution: models.Pick, QueueID: queue, Version: 1, CreatedAt: tx.Now(), UpdatedAt: tx.Now()}
		if err := tx.InsertWorkstream(ctx, &w); err != nil {
			return workstreamField(err, in.Name)
		}
		tx.Publish(models.Event{Name: models.EventAccount})
		return tx.Audit(ctx, v, "workstream.created", workstreamRow(w.ID), map[string]any{"name": w.Name})
	})
	if err != nil {
		return 0, err
	}
	return w.ID, s.directory.load(ctx)
}

func checkWorkstream(in WorkstreamDetails) error {
	var f models.FieldErrors
	switch n := utf8.RuneCountInString(in.Name); {
	case n == 0:
		f.Add("name", "workstream.name_empty")
	case n > maxName:
		f.Add("name", "account.name_long")
	}
	return f.Err()
}

func workstreamField(err error, name string) error {
	if errors.Is(err, store.ErrWorkstreamName) {
		return models.FieldErrors{{Field: "name", Key: "workstream.name_taken", Args: []any{"name", name}}}
	}
	return err
}

func chosenQueue(ctx context.Context, tx *store.Tx, chosen models.QueueID) (models.QueueID, error) {
	if chosen == 0 {
		return tx.DefaultQueue(ctx)
	}
	qs, err := tx.Queues(ctx)
	if err != nil {
		return 0, err
	}
	if !slices.ContainsFunc(qs, func(q models.Queue) bool { return q.ID == chosen }) {
		return 0, models.FieldErrors{{Field: "queue", Key: "workstream.queue_unknown"}}
	}
	return chosen, nil
}

// SaveWorkstream changes name and fallback queue, for new conversations. FieldErrors, ErrNotFound, store.ErrStale.
func (s *Service) SaveWorkstream(ctx context.Context, v models.Viewer, id models.WorkstreamID, in WorkstreamDetails, e Edit) error {
	in.Name = cleanName(in.Name)
	if err := checkWorkstream(in); err != nil {
		return err
	}
	err := s.store.InTx(ctx, func(tx *store.Tx) error {
		w, err := tx.Workstream(ctx, id)
		if err != nil {
			return err
		}
		queue, err := chosenQueue(ctx, tx, in.Queue)
		if err != nil {
			return err
		}
		details := map[string]any{"name": []string{w.Name, in.Name}, "queue": []models.QueueID{w.QueueID, queue}}
		w.Version, w.Name, w.QueueID = e.Version, in.Name, queue
		if err := tx.SaveWorkstream(ctx, &w); err != nil {
			return workstreamField(err, in.Name)
		}
		tx.Publish(models.Event{Name: models.EventAccount})
		return tx.Audit(ctx, v, "workstream.changed", workstreamRow(id), details)
	})
	if err != nil {
		return err
	}
	return s.directory.load(ctx)
}

// NewQueue makes a queue. FieldErrors.
func (s *Service) NewQueue(ctx context.Context, v models.Viewer, name string) (models.QueueID, error) {
	name = cleanName(name)
	if err := checkWorkstream(WorkstreamDetails{Name: name}); err != nil {
		return 0, err
	}
	var q models.Queue
	err := s.store.InTx(ctx, func(tx *store.Tx) error {
		q = models.Queue{Name: name, Version: 1, CreatedAt: tx.Now()}
		if err := tx.InsertQueue(ctx, &q); err != nil {
			if errors.Is(err, store.ErrQueueName) {
				return models.FieldErrors{{Field: "name", Key: "queue.name_taken", Args: []any{"name", name}}}
			}
			return err
		}
		return tx.Audit(ctx, v, "queue.created", fmt.Sprintf("queues/%d", q.ID), map[string]any{"name": name})
	})
	return q.ID, err
}

// Greeting is the automated message that starts a conversation.
type Greeting struct {
	Active bool
	Text   string
}

// Features is the switch File attachments with its two boxes.
type Features struct{ Files, Customers, Agents bool }

func checkGreeting(g Greeting) error {
	var f models.FieldErrors
	switch {
	case !g.Active:
	case cleanName(g.Text) == "":
		f.Add("greeting", "behaviors.text_empty")
	case twilio.TextLength(g.Text) > models.MaxMessageLength:
		f.Add("greeting", "behaviors.text_long")
	}
	return f.Err()
}

func checkFeatures(x Features) error {
	if x.Files && !x.Customers && !x.Agents {
		return models.FieldErrors{{Field: "customers", Key: "features.who"}}
	}
	return nil
}

func checkLanguage(l string) error {
	if !slices.Contains(models.CustomerLanguages(), l) {
		return models.FieldErrors{{Field: "language", Key: "channel.language_none"}}
	}
	return nil
}

// ChannelInput is what one step of the wizard Set up WhatsApp holds; only the step's own part is read.
type ChannelInput struct {
	Step     models.ChannelStep
	Number   models.NumberID
	Language string
	Greeting Greeting
	Features Features
}

// SaveChannelStep saves one step of the wizard of a workstream. FieldErrors, ErrNotFound, store.ErrStale.
func (s *Service) SaveChannelStep(ctx context.Context, v models.Viewer, id models.WorkstreamID, in ChannelInput, e Edit) error {
	return s.store.InTx(ctx, func(tx *store.Tx) error {
		if _, err := tx.Workstream(ctx, id); err != nil {
			return err
		}
		d, err := tx.ChannelDraft(ctx, id)
		if err != nil {
			return err
		}
		if d.Version != e.Version {
			return store.ErrStale
		}
		if !e.Unchecked {
			if err := checkChannelStep(ctx, tx, in); err != nil {
				return err
			}
			d.Step = max(d.Step, in.Step)
		}
		setChannelStep(&d, in, e)
		d.UpdatedBy = v.User
		return tx.SaveChannelDraft(ctx, &d)
	})
}

func checkChannelStep(ctx context.Context, tx *store.Tx, in ChannelInput) error {
	switch in.Step {
	case models.ChannelNumber:
		_, err := freeNumber(ctx, tx, in.Number)
		return err
	case models.ChannelLanguage:
		return checkLanguage(in.Language)
	case models.ChannelBehaviors:
		return checkGreeting(in.Greeting)
	case models.ChannelUserFeatures:
		return checkFeatures(in.Features)
	}
	return nil
}

// freeNumber gives a number that a workstream may claim: of a finished account, and claimed by none.
func freeNumber(ctx context.Context, tx *store.Tx, id models.NumberID) (models.Number, error) {
	none := models.FieldErrors{{Field: "number", Key: "channel.number_none"}}
	if id == 0 {
		return models.Number{}, none
	}
	n, err := tx.Number(ctx, id)
	if errors.Is(err, models.ErrNotFound) {
		return n, none
	}
	if err != nil {
		return n, err
	}
	a, err := tx.Account(ctx, n.AccountID)
	if err != nil {
		return n, err
	}
	if a.State != models.AccountActive {
		return n, none
	}
	if n.WorkstreamID != nil {
		return n, models.FieldErrors{{Field: "number", Key: "channel.number_taken"}}
	}
	return n, nil
}

func setChannelStep(d *models.ChannelDraft, in ChannelInput, e Edit) {
	switch in.Step {
	case models.ChannelNumber:
		if in.Number != 0 && !e.Unchecked {
			d.NumberID = &in.Number
		}
	case models.ChannelLanguage:
		if checkLanguage(in.Language) == nil {
			d.Language = in.Language
		}
	case models.ChannelBehaviors:
		d.GreetingActive, d.GreetingText = in.Greeting.Active, truncate(validText(in.Greeting.Text), 2*models.MaxMessageLength)
	case models.ChannelUserFeatures:
		d.Files, d.CustomerFiles, d.AgentFiles = in.Features.Files, in.Features.Customers, in.Features.Agents
	}
}

// FinishChannel ends the wizard: the workstream claims the number, which gets its language, greeting and features. Its
// conversations that wait go to the workstream's queue from now on. FieldErrors when the number was taken meanwhile,
// KindConflict with the key channel.not_complete when a step is missing.
func (s *Service) FinishChannel(ctx context.Context, v models.Viewer, id models.WorkstreamID) error {
	err := s.store.InTx(ctx, func(tx *store.Tx) error {
		d, err := tx.ChannelDraft(ctx, id)
		if err != nil {
			return err
		}
		if d.Step < models.ChannelUserFeatures || d.NumberID == nil {
			return models.E(models.KindConflict, "channel.not_complete")
		}
		n, err := freeNumber(ctx, tx, *d.NumberID)
		if err != nil {
			return err
		}
		if err := claim(ctx, tx, &n, d); err != nil {
			return err
		}
		if err := tx.DeleteChannelDraft(ctx, id); err != nil {
			return err
		}
		tx.Publish(models.Event{Name: models.EventAccount, Account: n.AccountID})
		return tx.Audit(ctx, v, "channel.finished", workstreamRow(id), map[string]any{"number": n.Address, "language": d.Language})
	})
	if err != nil {
		return err
	}
	return s.directory.load(ctx)
}

func claim(ctx context.Context, tx *store.Tx, n *models.Number, d models.ChannelDraft) error {
	now := tx.Now()
	n.WorkstreamID, n.Language, n.ClaimedAt = &d.WorkstreamID, d.Language, &now
	n.Files, n.CustomerFiles, n.AgentFiles = d.Files, d.Files && d.CustomerFiles, d.Files && d.AgentFiles
	if err := tx.SaveNumber(ctx, n); err != nil {
		return err
	}
	m, err := tx.AutomatedMessage(ctx, n.ID, models.TriggerStarted)
	if err != nil {
		return err
	}
	m.Active, m.Text = d.GreetingActive, d.GreetingText
	return tx.SaveAutomatedMessage(ctx, m)
}

// NumberSettings are the settings of one WhatsApp number of a workstream; Part names the tab that was saved.
type NumberSettings struct {
	Number   models.NumberID
	Part     string // language, behaviors or user-features
	Language string
	Greeting Greeting
	Features Features
}

// SaveNumberSettings saves one tab of a number's settings. FieldErrors, ErrNotFound, store.ErrStale.
func (s *Service) SaveNumberSettings(ctx context.Context, v models.Viewer, w models.WorkstreamID, in NumberSettings, e Edit) error {
	if err := checkPart(in); err != nil {
		return err
	}
	err := s.store.InTx(ctx, func(tx *store.Tx) error {
		n, err := tx.Number(ctx, in.Number)
		if err != nil || n.WorkstreamID == nil || *n.WorkstreamID != w {
			return orNotFound(err)
		}
		n.Version = e.Version
		if err := setPart(ctx, tx, &n, in); err != nil {
			return err
		}
		if err := tx.SaveNumber(ctx, &n); err != nil {
			return err
		}
		tx.Publish(models.Event{Name: models.EventAccount, Account: n.AccountID})
		return tx.Audit(ctx, v, "number.settings", fmt.Sprintf("numbers/%d", in.Number), map[string]any{"part": in.Part})
	})
	if err != nil {
		return err
	}
	return s.directory.load(ctx)
}

func checkPart(in NumberSettings) error {
	switch in.Part {
	case "language":
		return checkLanguage(in.Language)
	case "behaviors":
		return checkGreeting(in.Greeting)
	case "user-features":
		return checkFeatures(in.Features)
	}
	return models.ErrNotFound
}

func setPart(ctx context.Context, tx *store.Tx, n *models.Number, in NumberSettings) error {
	switch in.Part {
	case "language":
		n.Language = in.Language
	case "user-features":
		n.Files, n.CustomerFiles, n.AgentFiles = in.Features.Files, in.Features.Files && in.Features.Customers, in.Features.Files && in.Features.Agents
	case "behaviors":
		m, err := tx.AutomatedMessage(ctx, n.ID, models.TriggerStarted)
		if err != nil {
			return err
		}
		m.Active, m.Text = in.Greeting.Active, validText(in.Greeting.Text)
		return tx.SaveAutomatedMessage(ctx, m)
	}
	return nil
}

// ReleaseNumber takes a number out of its workstream: its new conversations go to the default queue. ErrNotFound.
func (s *Service) ReleaseNumber(ctx context.Context, v models.Viewer, w models.WorkstreamID, id models.NumberID) error {
	err := s.store.InTx(ctx, func(tx *store.Tx) error {
		n, err := tx.Number(ctx, id)
		if err != nil || n.WorkstreamID == nil || *n.WorkstreamID != w {
			return orNotFound(err)
		}
		n.WorkstreamID, n.ClaimedAt = nil, nil
		if err := tx.SaveNumber(ctx, &n); err != nil {
			return err
		}
		tx.Publish(models.Event{Name: models.EventAccount, Account: n.AccountID})
		return tx.Audit(ctx, v, "channel.removed", workstreamRow(w), map[string]any{"number": n.Address})
	})
	if err != nil {
		return err
	}
	return s.directory.load(ctx)
}

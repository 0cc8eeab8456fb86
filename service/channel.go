package service

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"kanal/models"
	"kanal/store"
	"kanal/twilio"
)

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
		f.Add("greeting", "behaviors.text_long", "n", models.MaxMessageLength)
	}
	return f.Err()
}

// keptText is the text of a greeting as it is kept; one that is longer than a message only while it is a draft.
func keptText(s string) string { return truncate(cleanName(s), 2*models.MaxMessageLength) }

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

// errNotComplete says that a step before this one is missing.
var errNotComplete = models.E(models.KindConflict, "channel.not_complete")

// SaveChannelStep saves one step of the wizard of a workstream. FieldErrors, ErrNotFound, store.ErrStale, KindConflict
// with the key channel.not_complete when a step before it is missing.
func (s *Service) SaveChannelStep(ctx context.Context, v models.Viewer, id models.WorkstreamID, in ChannelInput, e Edit) error {
	return s.store.InTx(ctx, func(tx *store.Tx) error {
		if _, err := tx.Workstream(ctx, id); err != nil {
			return err
		}
		d, err := tx.ChannelDraft(ctx, id)
		switch {
		case err != nil:
			return err
		case d.Version != e.Version:
			return store.ErrStale
		case !d.Open(in.Step):
			return errNotComplete
		}
		err = checkChannelStep(ctx, tx, in)
		switch {
		case err == nil && e.Unchecked:
		case err == nil:
			d.Step = max(d.Step, in.Step)
		case e.Unchecked && models.KindOf(err) == models.KindInvalid:
			d.Step = min(d.Step, in.Step-1) // kept as it is, and not complete
		default:
			return err
		}
		if err := setChannelStep(ctx, tx, &d, in); err != nil {
			return err
		}
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

// freeNumber gives a number that a workstream may claim, locked: of a finished account, and claimed by none.
func freeNumber(ctx context.Context, tx *store.Tx, id models.NumberID) (models.Number, error) {
	none := models.FieldErrors{{Field: "number", Key: "channel.number_none"}}
	if id == 0 {
		return models.Number{}, none
	}
	n, err := tx.LockNumber(ctx, id)
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

// setChannelStep puts what was entered into the draft. What is not there to choose leaves the draft as it is.
func setChannelStep(ctx context.Context, tx *store.Tx, d *models.ChannelDraft, in ChannelInput) error {
	switch in.Step {
	case models.ChannelNumber:
		if in.Number == 0 {
			return nil
		}
		switch _, err := tx.Number(ctx, in.Number); {
		case err == nil:
			d.NumberID = &in.Number
		case !errors.Is(err, models.ErrNotFound):
			return err
		}
	case models.ChannelLanguage:
		if checkLanguage(in.Language) == nil {
			d.GreetingText = models.GreetingIn(d.GreetingText, d.Language, in.Language)
			d.Language = in.Language
		}
	case models.ChannelBehaviors:
		d.GreetingActive, d.GreetingText = in.Greeting.Active, keptText(in.Greeting.Text)
	case models.ChannelUserFeatures:
		d.Files, d.CustomerFiles, d.AgentFiles = in.Features.Files, in.Features.Customers, in.Features.Agents
	}
	return nil
}

// DiscardChannelDraft forgets what was entered in the wizard of a workstream. ErrNotFound.
func (s *Service) DiscardChannelDraft(ctx context.Context, v models.Viewer, id models.WorkstreamID) error {
	return s.store.InTx(ctx, func(tx *store.Tx) error {
		if _, err := tx.Workstream(ctx, id); err != nil {
			return err
		}
		if err := tx.DeleteChannelDraft(ctx, id); err != nil {
			return err
		}
		return tx.Audit(ctx, v, "channel.discarded", workstreamRow(id), nil)
	})
}

// FinishChannel ends the wizard: the workstream claims the number, which gets its language, greeting and features.
// Conversations of the number that are not closed and have no workstream yet come to this one and into its queue.
// FieldErrors when a step does not hold any more, such as a number that was taken meanwhile; store.ErrStale; KindConflict
// with the key channel.not_complete when a step is missing.
func (s *Service) FinishChannel(ctx context.Context, v models.Viewer, id models.WorkstreamID, e Edit) (models.NumberID, error) {
	var n models.Number
	err := s.store.InTx(ctx, func(tx *store.Tx) error {
		w, err := tx.Workstream(ctx, id)
		if err != nil {
			return err
		}
		d, err := finishedDraft(ctx, tx, id, e)
		if err != nil {
			return err
		}
		if n, err = claim(ctx, tx, d); err != nil {
			return err
		}
		if err := tx.DeleteChannelDraft(ctx, id); err != nil {
			return err
		}
		if err := adopt(ctx, tx, n, w); err != nil {
			return err
		}
		tx.Publish(models.Event{Name: models.EventAccount, Account: n.AccountID})
		return tx.Audit(ctx, v, "channel.finished", workstreamRow(id), map[string]any{"number": n.Address, "language": d.Language})
	})
	if err != nil {
		return 0, err
	}
	s.directory.changed(ctx)
	return n.ID, nil
}

// finishedDraft gives a draft whose steps are complete and still hold.
func finishedDraft(ctx context.Context, tx *store.Tx, id models.WorkstreamID, e Edit) (models.ChannelDraft, error) {
	d, err := tx.ChannelDraft(ctx, id)
	switch {
	case err != nil:
		return d, err
	case d.Version != e.Version:
		return d, store.ErrStale
	case d.Furthest() < models.ChannelSummary:
		return d, errNotComplete
	}
	for _, check := range []error{checkLanguage(d.Language), checkGreeting(greetingOf(d)), checkFeatures(featuresOf(d))} {
		if check != nil {
			return d, check
		}
	}
	return d, nil
}

func greetingOf(d models.ChannelDraft) Greeting { return Greeting{d.GreetingActive, d.GreetingText} }

func featuresOf(d models.ChannelDraft) Features {
	return Features{d.Files, d.CustomerFiles, d.AgentFiles}
}

// claim gives the workstream of the draft its number.
func claim(ctx context.Context, tx *store.Tx, d models.ChannelDraft) (models.Number, error) {
	n, err := freeNumber(ctx, tx, *d.NumberID)
	if err != nil {
		return n, err
	}
	now := tx.Now()
	n.WorkstreamID, n.Language, n.ClaimedAt = &d.WorkstreamID, d.Language, &now
	setFeatures(&n, featuresOf(d))
	if err := tx.SaveNumber(ctx, &n); err != nil {
		return n, err
	}
	m, err := tx.AutomatedMessage(ctx, n.ID, models.TriggerStarted)
	if err != nil {
		return n, err
	}
	m.Active, m.Text = d.GreetingActive, d.GreetingText
	return n, tx.SaveAutomatedMessage(ctx, m)
}

func setFeatures(n *models.Number, x Features) {
	n.Files, n.CustomerFiles, n.AgentFiles = x.Files, x.Files && x.Customers, x.Files && x.Agents
}

// adopt brings what is going on at a number that had no workstream into its workstream, and tells the inboxes.
func adopt(ctx context.Context, tx *store.Tx, n models.Number, w models.Workstream) error {
	moved, err := tx.AdoptConversations(ctx, n, w)
	if err != nil {
		return err
	}
	if moved > 0 {
		tx.Publish(models.Event{Name: models.EventResync}) // they can be many
	}
	return nil
}

// NumberSettings are the settings of one WhatsApp number of a workstream; Part names the tab that was saved: the step
// of the wizard that asks for the same.
type NumberSettings struct {
	Number   models.NumberID
	Part     models.ChannelStep
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
		n, err := numberIn(ctx, tx, w, in.Number)
		if err != nil {
			return err
		}
		n.Version = e.Version
		details, err := setPart(ctx, tx, &n, in)
		if err != nil {
			return err
		}
		if err := tx.SaveNumber(ctx, &n); err != nil {
			return err
		}
		tx.Publish(models.Event{Name: models.EventAccount, Account: n.AccountID})
		return tx.Audit(ctx, v, "number.settings", fmt.Sprintf("numbers/%d", in.Number), details)
	})
	if err == nil {
		s.directory.changed(ctx)
	}
	return err
}

// numberIn gives a number that the workstream has claimed. ErrNotFound.
func numberIn(ctx context.Context, tx *store.Tx, w models.WorkstreamID, id models.NumberID) (models.Number, error) {
	n, err := tx.LockNumber(ctx, id)
	if err != nil || n.WorkstreamID == nil || *n.WorkstreamID != w {
		return n, orNotFound(err)
	}
	return n, nil
}

func checkPart(in NumberSettings) error {
	switch in.Part {
	case models.ChannelLanguage:
		return checkLanguage(in.Language)
	case models.ChannelBehaviors:
		return checkGreeting(in.Greeting)
	case models.ChannelUserFeatures:
		return checkFeatures(in.Features)
	}
	return models.ErrNotFound
}

// setPart puts one tab into the number and its greeting, and says what changed, from and to.
func setPart(ctx context.Context, tx *store.Tx, n *models.Number, in NumberSettings) (map[string]any, error) {
	m, err := tx.AutomatedMessage(ctx, n.ID, models.TriggerStarted)
	if err != nil {
		return nil, err
	}
	switch in.Part {
	case models.ChannelLanguage:
		was := n.Language
		m.Text, n.Language = models.GreetingIn(m.Text, was, in.Language), in.Language
		return map[string]any{"language": []string{was, n.Language}}, tx.SaveAutomatedMessage(ctx, m)
	case models.ChannelBehaviors:
		was := Greeting{m.Active, m.Text}
		m.Active, m.Text = in.Greeting.Active, keptText(in.Greeting.Text)
		return map[string]any{"greeting": []Greeting{was, {m.Active, m.Text}}}, tx.SaveAutomatedMessage(ctx, m)
	}
	was := Features{n.Files, n.CustomerFiles, n.AgentFiles}
	setFeatures(n, in.Features)
	return map[string]any{"files": []Features{was, {n.Files, n.CustomerFiles, n.AgentFiles}}}, nil
}

// ReleaseNumber takes a number out of its workstream, with its settings: its new conversations go to the default queue
// and are not greeted. Conversations that are going on stay where they are. confirm must be the number's name.
// FieldErrors, ErrNotFound.
func (s *Service) ReleaseNumber(ctx context.Context, v models.Viewer, w models.WorkstreamID, id models.NumberID, confirm string) error {
	err := s.store.InTx(ctx, func(tx *store.Tx) error {
		n, err := numberIn(ctx, tx, w, id)
		if err != nil {
			return err
		}
		if !strings.EqualFold(cleanName(confirm), n.Name) {
			return models.FieldErrors{{Field: "confirm", Key: "channel.confirm_wrong", Args: []any{"name", n.Name}}}
		}
		n.WorkstreamID, n.ClaimedAt, n.Language = nil, nil, ""
		setFeatures(&n, Features{})
		if err := tx.SaveNumber(ctx, &n); err != nil {
			return err
		}
		if err := tx.DeleteAutomatedMessages(ctx, id); err != nil {
			return err
		}
		tx.Publish(models.Event{Name: models.EventAccount, Account: n.AccountID})
		return tx.Audit(ctx, v, "channel.removed", workstreamRow(w), map[string]any{"number": n.Address, "name": n.Name})
	})
	if err == nil {
		s.directory.changed(ctx)
	}
	return err
}

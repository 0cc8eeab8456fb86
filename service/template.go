package service

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"kanal/models"
	"kanal/store"
	"kanal/twilio"
)

// TemplateDetails are what a person enters in the dialog Add message template.
type TemplateDetails struct {
	Name, Language, Body, ContentSID string
	FieldNames                       map[string]string // what people call the variables
}

func templateRow(id models.TemplateID) string { return fmt.Sprintf("templates/%d", id) }

func (in TemplateDetails) clean() TemplateDetails {
	names := make(map[string]string, len(in.FieldNames))
	for v, name := range in.FieldNames {
		names[v] = strings.Join(strings.Fields(validText(name)), " ")
	}
	return TemplateDetails{
		FieldNames: names, Name: cleanName(in.Name), Language: in.Language, ContentSID: clean(in.ContentSID),
		Body: strings.TrimSpace(strings.ReplaceAll(validText(in.Body), "\r\n", "\n")),
	}
}

// AddTemplate adds a template whose approved text was pasted. FieldErrors, ErrNotFound.
func (s *Service) AddTemplate(ctx context.Context, v models.Viewer, account models.AccountID, in TemplateDetails) (models.TemplateID, error) {
	a, err := s.finished(ctx, account)
	if err != nil {
		return 0, err
	}
	t := models.Template{AccountID: account, Source: models.TemplateTyped, CreatedBy: &v.User, Version: 1}
	if err := s.setTyped(ctx, a, &t, in.clean()); err != nil {
		return 0, err
	}
	err = s.store.InTx(ctx, func(tx *store.Tx) error {
		t.ID, t.CreatedAt, t.UpdatedAt = 0, tx.Now(), tx.Now()
		if err := tx.InsertTemplate(ctx, &t); err != nil {
			return templateField(err)
		}
		tx.Publish(models.Event{Name: models.EventTemplate, Account: account})
		return tx.Audit(ctx, v, "template.added", templateRow(t.ID), map[string]any{"name": t.Name, "language": t.Language, "account": account})
	})
	return t.ID, err
}

// finished gives an account that is set up. ErrNotFound for a draft.
func (s *Service) finished(ctx context.Context, id models.AccountID) (models.Account, error) {
	a, err := s.store.Account(ctx, id)
	if err == nil && a.State != models.AccountActive {
		err = models.ErrNotFound
	}
	return a, err
}

// setTyped puts what was typed into a template. One with a Content SID is looked for at Twilio: what Twilio has of it
// counts. When Twilio does not answer, it is asked later.
func (s *Service) setTyped(ctx context.Context, a models.Account, t *models.Template, in TemplateDetails) error {
	if t.ContentSID != in.ContentSID {
		*t = models.Template{
			ID: t.ID, AccountID: t.AccountID, Source: t.Source, CreatedBy: t.CreatedBy, Version: t.Version, CreatedAt: t.CreatedAt, UpdatedAt: t.UpdatedAt,
		}
	}
	t.Name, t.Language, t.Body, t.ContentSID = in.Name, in.Language, in.Body, in.ContentSID
	t.NameFields(in.FieldNames)
	f := models.CheckTypedTemplate(*t)
	if err := f.Err(); err != nil {
		return err
	}
	if err := s.askTyped(ctx, a, t, in.FieldNames); err != nil {
		return err
	}
	taken, err := s.store.TemplateNamed(ctx, *t)
	if err == nil && taken {
		err = templateField(store.ErrTemplateName)
	}
	return err
}

// askTyped looks for a typed template at Twilio. names are what people call its variables.
func (s *Service) askTyped(ctx context.Context, a models.Account, t *models.Template, names map[string]string) error {
	if t.ContentSID == "" {
		return nil
	}
	cred, err := s.credentials(a)
	if err != nil {
		return nil // the simulator is off: it is asked about later
	}
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	is := *t
	is.Types = "" // ask for all of it again
	err = s.askAbout(ctx, cred, &is)
	switch {
	case err == nil:
		*t = is
		t.NameFields(names) // the text is Twilio's now
	case twilio.AsError(err).Status == 404:
		return models.FieldErrors{{Field: "content_sid", Key: "template.sid_unknown"}}
	default:
		s.log.Warn("Twilio did not answer about a template", "account", a.ID, "err", err)
	}
	return nil
}

func templateField(err error) error {
	switch {
	case errors.Is(err, store.ErrTemplateName):
		return models.FieldErrors{{Field: "name", Key: "template.name_taken"}}
	case errors.Is(err, store.ErrTemplateSID):
		return models.FieldErrors{{Field: "content_sid", Key: "template.sid_taken"}}
	}
	return err
}

// SaveTemplate changes a template that was typed. FieldErrors, store.ErrStale; ErrNotFound also for one that is Twilio's.
func (s *Service) SaveTemplate(ctx context.Context, v models.Viewer, id models.TemplateID, in TemplateDetails, e Edit) error {
	t, err := s.store.Template(ctx, id)
	if err != nil {
		return err
	}
	if t.Source != models.TemplateTyped {
		return models.ErrNotFound
	}
	if t.Version != e.Version {
		return store.ErrStale
	}
	a, err := s.finished(ctx, t.AccountID)
	if err != nil {
		return err
	}
	was := t
	if err := s.setTyped(ctx, a, &t, in.clean()); err != nil {
		return err
	}
	return s.store.InTx(ctx, func(tx *store.Tx) error {
		is := t
		if err := tx.SaveTemplate(ctx, &is); err != nil {
			return templateField(err)
		}
		tx.Publish(models.Event{Name: models.EventTemplate, Account: t.AccountID})
		return tx.Audit(ctx, v, "template.changed", templateRow(id), map[string]any{
			"name": []string{was.Name, is.Name}, "language": []string{was.Language, is.Language}, "content_sid": []string{was.ContentSID, is.ContentSID},
		})
	})
}

// ErrTemplateKept says that Twilio did not delete a template, so that it is kept here too.
var ErrTemplateKept = models.E(models.KindUnavailable, "template.delete_failed")

// DeleteTemplate deletes a template: one that is Twilio's there too. What was sent stays as it is. ErrNotFound,
// ErrTemplateKept.
func (s *Service) DeleteTemplate(ctx context.Context, v models.Viewer, id models.TemplateID) error {
	t, err := s.store.Template(ctx, id)
	if err != nil {
		return err
	}
	if t.Source == models.TemplateTwilio {
		if err := s.deleteAtTwilio(ctx, t); err != nil {
			return err
		}
	}
	return s.store.InTx(ctx, func(tx *store.Tx) error {
		is, err := tx.Template(ctx, id)
		if err != nil {
			return err
		}
		now := tx.Now()
		is.RemovedAt = &now
		if err := tx.SaveTemplate(ctx, &is); err != nil {
			return err
		}
		tx.Publish(models.Event{Name: models.EventTemplate, Account: t.AccountID})
		return tx.Audit(ctx, v, "template.deleted", templateRow(id), map[string]any{"name": t.Name, "language": t.Language, "content_sid": t.ContentSID})
	})
}

func (s *Service) deleteAtTwilio(ctx context.Context, t models.Template) error {
	cred, err := s.credentialsOf(ctx, t.AccountID)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	if err := s.twilio.DeleteContent(ctx, cred, t.ContentSID); err != nil {
		s.log.Warn("Twilio did not delete a template", "template", t.ID, "err", err)
		return ErrTemplateKept
	}
	return nil
}

func (s *Service) credentialsOf(ctx context.Context, account models.AccountID) (twilio.Credentials, error) {
	a, err := s.finished(ctx, account)
	if err != nil {
		return twilio.Credentials{}, err
	}
	return s.credentials(a)
}

// Errors of making a template.
var (
	// ErrTemplateRefused says that Twilio did not take a template.
	ErrTemplateRefused = models.E(models.KindUnavailable, "template.create_refused")
	// ErrTemplateUnsure says that nobody knows whether Twilio has made a template.
	ErrTemplateUnsure = models.E(models.KindUnavailable, "template.create_unsure")
	// ErrNotSubmitted says that a template is at Twilio and WhatsApp was not asked.
	ErrNotSubmitted = models.E(models.KindUnavailable, "template.submit_failed")
)

// CreateTemplate makes a template at Twilio and, when its kind can be approved, asks WhatsApp to do so. FieldErrors,
// ErrNotFound, ErrTemplateRefused, ErrTemplateUnsure; with ErrNotSubmitted the template is there and has an id.
func (s *Service) CreateTemplate(ctx context.Context, v models.Viewer, account models.AccountID, d models.TemplateDraft) (models.TemplateID, error) {
	a, err := s.finished(ctx, account)
	if err != nil {
		return 0, err
	}
	f := d.Check()
	if taken, err := s.store.TemplateNamed(ctx, models.Template{AccountID: account, Name: d.Name, Language: d.Language}); err != nil {
		return 0, err
	} else if taken {
		f.Add("name", "template.name_taken")
	}
	if err := f.Err(); err != nil {
		return 0, err
	}
	cred, err := s.credentials(a)
	if err != nil {
		return 0, err
	}
	made, err := s.createContent(ctx, cred, account, d)
	if err != nil {
		return 0, err
	}
	// Twilio has it now: it is kept even when the person has gone.
	ctx = context.WithoutCancel(ctx)
	id, err := s.keepCreated(ctx, v, account, made)
	if err != nil || !d.Submittable() {
		return id, err
	}
	return id, s.SubmitTemplate(ctx, v, id, d.Category)
}

func (s *Service) createContent(ctx context.Context, cred twilio.Credentials, account models.AccountID, d models.TemplateDraft) (twilio.Content, error) {
	n := twilio.NewContent{Name: d.Name, Language: d.Language, Variables: map[string]string{}, Types: d.Types()}
	for _, name := range d.Content().Variables() {
		n.Variables[name] = d.Samples[name]
	}
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	c, err := s.twilio.CreateContent(ctx, cred, n)
	if err == nil {
		return c, nil
	}
	s.log.Warn("Twilio did not make a template", "account", account, "err", err)
	if twilio.AsError(err).Outcome == twilio.Unknown {
		return c, ErrTemplateUnsure
	}
	return c, ErrTemplateRefused
}

// keepCreated keeps what Twilio has made. A fetching may have been faster.
func (s *Service) keepCreated(ctx context.Context, v models.Viewer, account models.AccountID, c twilio.Content) (models.TemplateID, error) {
	var id models.TemplateID
	err := s.store.InTx(ctx, func(tx *store.Tx) error {
		if err := keepContents(ctx, tx, account, []twilio.Content{c}); err != nil {
			return err
		}
		kept, err := tx.TemplatesBySID(ctx, account, []string{c.SID})
		if err != nil {
			return err
		}
		id = kept[c.SID].ID
		tx.Publish(models.Event{Name: models.EventTemplate, Account: account})
		return tx.Audit(ctx, v, "template.created", templateRow(id), map[string]any{"name": c.Name, "language": c.Language, "content_sid": c.SID})
	})
	return id, err
}

// SubmitTemplate asks WhatsApp to approve a template that it has not been asked about. ErrNotFound, ErrNotSubmitted;
// FieldErrors for a name or category that WhatsApp does not take.
func (s *Service) SubmitTemplate(ctx context.Context, v models.Viewer, id models.TemplateID, category string) error {
	t, err := s.store.Template(ctx, id)
	if err != nil {
		return err
	}
	if !t.Submittable() {
		return models.ErrNotFound
	}
	if err := models.CheckSubmission(t.Name, category).Err(); err != nil {
		return err
	}
	cred, err := s.credentialsOf(ctx, t.AccountID)
	if err != nil {
		return err
	}
	call, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	p, err := s.twilio.SubmitApproval(call, cred, t.ContentSID, t.Name, category)
	if err != nil {
		s.log.Warn("Twilio did not submit a template", "template", id, "err", err)
		return ErrNotSubmitted
	}
	if p.Category == "" {
		p.Category = category
	}
	return s.store.InTx(ctx, func(tx *store.Tx) error {
		is, err := tx.Template(ctx, id)
		if err != nil {
			return err
		}
		setApproval(&is, p)
		if err := tx.SaveTemplate(ctx, &is); err != nil {
			return err
		}
		tx.Publish(models.Event{Name: models.EventTemplate, Account: t.AccountID})
		return tx.Audit(ctx, v, "template.submitted", templateRow(id), map[string]any{"name": t.Name, "category": category})
	})
}

package service

import (
	"context"
	"errors"
	"time"

	"kanal/models"
	"kanal/store"
	"kanal/twilio"
)

// Bounds of fetching templates.
const (
	templatesPerPage = 100
	maxTemplateTypes = 100 << 10 // bytes of what one template shows; the largest of WhatsApp's is a tenth
	maxTemplateName  = 512
	fetchTurn        = 8 * time.Second // after this a job lets others run
	maxPageTries     = 4
	resyncAfter      = time.Hour
	askAgainAfter    = 90 * time.Second
	askAtMost        = 40 // templates in one turn
)

// SyncTemplates begins to fetch an account's templates from Twilio. While that goes on nothing begins anew. ErrNotFound;
// ErrNotComplete for a draft.
func (s *Service) SyncTemplates(ctx context.Context, v models.Viewer, account models.AccountID) error {
	return s.store.InTx(ctx, func(tx *store.Tx) error {
		a, err := tx.Account(ctx, account)
		if err != nil {
			return err
		}
		if a.State != models.AccountActive {
			return ErrNotComplete
		}
		if err := beginSync(ctx, tx, account); err != nil {
			return err
		}
		return tx.Audit(ctx, v, "template.fetched", account.Row(), nil)
	})
}

// beginSync begins a fetching unless one is running.
func beginSync(ctx context.Context, tx *store.Tx, account models.AccountID) error {
	y, err := tx.LockTemplateSync(ctx, account)
	if err != nil || y.Running(tx.Now()) {
		return err
	}
	y = models.TemplateSync{AccountID: account, StartedAt: tx.Now()}
	if err := tx.SaveTemplateSync(ctx, y); err != nil {
		return err
	}
	tx.Publish(models.Event{Name: models.EventTemplate, Account: account})
	return tx.Enqueue(ctx, nextFetch(y))
}

func nextFetch(y models.TemplateSync) models.FetchTemplates {
	return models.FetchTemplates{Account: y.AccountID, Started: y.StartedAt.UnixMicro()}
}

// FetchTemplates fetches page after page until all are there. Each page is kept with the place of the next one, so that a
// fetching whose process died goes on from there. A page that fails is tried again a few times; then the fetching ends with
// a problem and what was there stays.
func (s *Service) FetchTemplates(ctx context.Context, job models.FetchTemplates) error {
	turn, cancel := context.WithTimeout(ctx, fetchTurn)
	defer cancel()
	for {
		more, err := s.fetchPage(ctx, job)
		if err != nil || !more {
			return err
		}
		if turn.Err() != nil {
			return s.store.InTx(ctx, func(tx *store.Tx) error { return tx.Enqueue(ctx, job) })
		}
	}
}

// fetchPage fetches one page and tells whether another one follows at once.
func (s *Service) fetchPage(ctx context.Context, job models.FetchTemplates) (bool, error) {
	y, err := s.store.TemplateSync(ctx, job.Account)
	if err != nil || y.FinishedAt != nil || y.StartedAt.UnixMicro() != job.Started {
		return false, err // another fetching has begun, or this one is over
	}
	a, err := s.store.Account(ctx, job.Account)
	if err != nil {
		return false, err
	}
	cred, err := s.credentials(a)
	if err != nil {
		return false, s.endSync(ctx, y, keyOfError(err))
	}
	call, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	page, next, err := s.twilio.ListContents(call, cred, twilio.ContentPage{Token: y.NextToken, Page: y.NextPage}, templatesPerPage)
	if err != nil {
		return false, s.failPage(ctx, y, twilio.AsError(err))
	}
	return !next.End(), s.keepPage(ctx, y, page, next)
}

func keyOfError(err error) string {
	var e *models.Error
	if errors.As(err, &e) {
		return e.Key
	}
	return "template.sync_failed"
}

// failPage schedules the next try of a page, or ends the fetching.
func (s *Service) failPage(ctx context.Context, y models.TemplateSync, e *twilio.Error) error {
	if ctx.Err() != nil {
		return ctx.Err() // the program is stopping: the job runs again
	}
	s.log.Warn("Twilio did not list the templates of an account", "account", y.AccountID, "page", y.Pages+1, "err", e)
	switch {
	case e.Unauthorized():
		return s.endSync(ctx, y, "template.sync_rejected")
	case e.Suspended():
		return s.endSync(ctx, y, "template.sync_suspended")
	case e.Outcome == twilio.Rejected, y.Tries+1 >= maxPageTries:
		return s.endSync(ctx, y, "template.sync_failed")
	}
	return s.advanceSync(ctx, y, func(tx *store.Tx, y *models.TemplateSync) error {
		y.Tries++
		return tx.Enqueue(ctx, nextFetch(*y), store.At(tx.Now().Add(backoff(y.Tries+1, min(e.RetryAfter, time.Minute)))))
	})
}

func (s *Service) endSync(ctx context.Context, y models.TemplateSync, problem string) error {
	return s.advanceSync(ctx, y, func(tx *store.Tx, y *models.TemplateSync) error {
		now := tx.Now()
		y.FinishedAt, y.Problem = &now, problem
		return nil
	})
}

// errMoved says that another job has taken the step already.
var errMoved = errors.New("the fetching has moved on")

// advanceSync lets f change how far a fetching has come, if it still is where y says.
func (s *Service) advanceSync(ctx context.Context, y models.TemplateSync, f func(*store.Tx, *models.TemplateSync) error) error {
	err := s.store.InTx(ctx, func(tx *store.Tx) error {
		is, err := tx.LockTemplateSync(ctx, y.AccountID)
		if err != nil {
			return err
		}
		if !is.StartedAt.Equal(y.StartedAt) || is.FinishedAt != nil || is.Pages != y.Pages || is.Tries != y.Tries {
			return errMoved
		}
		if err := f(tx, &is); err != nil {
			return err
		}
		tx.Publish(models.Event{Name: models.EventTemplate, Account: y.AccountID})
		return tx.SaveTemplateSync(ctx, is)
	})
	if errors.Is(err, errMoved) {
		return nil
	}
	return err
}

// keepPage keeps a page's templates. After the last page those that Twilio does not have any more are removed.
func (s *Service) keepPage(ctx context.Context, y models.TemplateSync, page []twilio.Content, next twilio.ContentPage) error {
	return s.advanceSync(ctx, y, func(tx *store.Tx, y *models.TemplateSync) error {
		if err := keepContents(ctx, tx, y.AccountID, page); err != nil {
			return err
		}
		y.Pages, y.Templates, y.Tries = y.Pages+1, y.Templates+len(page), 0
		y.NextToken, y.NextPage = next.Token, next.Page
		if !next.End() {
			return nil
		}
		now := tx.Now()
		y.FinishedAt = &now
		_, err := tx.RemoveUnsyncedTemplates(ctx, y.AccountID, y.StartedAt)
		return err
	})
}

// keepContents inserts and changes templates as Twilio has them.
func keepContents(ctx context.Context, tx *store.Tx, account models.AccountID, page []twilio.Content) error {
	sids := make([]string, len(page))
	for i, c := range page {
		sids[i] = c.SID
	}
	known, err := tx.TemplatesBySID(ctx, account, sids)
	if err != nil {
		return err
	}
	now := tx.Now()
	var fresh []models.Template
	var seen []models.TemplateID
	for _, c := range page {
		t, ok := known[c.SID]
		if len(c.Types) > maxTemplateTypes {
			continue
		}
		was := t
		fromTwilio(&t, c)
		t.SyncedAt = &now
		switch {
		case !ok:
			t.AccountID, t.ContentSID, t.Version, t.CreatedAt, t.UpdatedAt = account, c.SID, 1, now, now
			fresh, known[c.SID] = append(fresh, t), t
		case t.ID == 0: // twice in one page
		case unchanged(was, t):
			seen = append(seen, t.ID)
		default:
			if err := tx.SaveTemplate(ctx, &t); err != nil {
				return err
			}
		}
	}
	if err := tx.MarkTemplatesSynced(ctx, seen); err != nil {
		return err
	}
	return tx.InsertTemplates(ctx, fresh)
}

func unchanged(a, b models.Template) bool {
	a.SyncedAt, b.SyncedAt, a.CreatedBy, b.CreatedBy = nil, nil, nil, nil
	return a == b
}

// fromTwilio puts what Twilio has into a template. One that a person typed keeps its name: by that agents find it. One that
// was removed is there again.
func fromTwilio(t *models.Template, c twilio.Content) {
	if t.RemovedAt != nil || t.Source != models.TemplateTyped {
		t.RemovedAt, t.Source = nil, models.TemplateTwilio
		t.Name = truncate(cleanName(c.Name), maxTemplateName)
		if t.Name == "" {
			t.Name = c.SID
		}
	}
	shown := models.ReadContent([]byte(c.Types))
	t.Language, t.Kind = truncate(validText(c.Language), 20), validText(shown.Kind)
	t.Body, t.Types, t.Samples = validText(shown.Body), validText(c.Types), validText(c.Variables)
	setApproval(t, c.Approval)
}

func setApproval(t *models.Template, p twilio.Approval) {
	t.Status = models.TemplateStatus(truncate(validText(p.Status), 40))
	t.Category, t.Quality = truncate(validText(p.Category), 40), truncate(validText(p.Quality), 40)
	t.RejectionReason = truncate(validText(p.Reason), 2000)
}

// RefreshTemplates asks Twilio about the templates on which WhatsApp is still to decide, and begins the fetchings that
// are due. What fails for one does not stop the others.
func (s *Service) RefreshTemplates(ctx context.Context) error {
	now := s.store.Now()
	due, err := s.store.DueTemplateSyncs(ctx, now.Add(-resyncAfter))
	if err != nil {
		return err
	}
	for _, id := range due {
		err = errors.Join(err, s.store.InTx(ctx, func(tx *store.Tx) error { return beginSync(ctx, tx, id) }))
	}
	waiting, err2 := s.store.DueTemplates(ctx, now.Add(-askAgainAfter), askAtMost)
	if err2 != nil {
		return errors.Join(err, err2)
	}
	turn, cancel := context.WithTimeout(ctx, fetchTurn)
	defer cancel()
	for _, t := range waiting {
		if turn.Err() != nil {
			break
		}
		if e := s.refreshTemplate(turn, t); e != nil {
			s.log.Warn("Twilio did not say what becomes of a template", "template", t.ID, "err", e)
		}
	}
	return err
}

// refreshTemplate asks about one template. What Twilio says is kept unless the template has changed meanwhile.
func (s *Service) refreshTemplate(ctx context.Context, t models.Template) error {
	a, err := s.store.Account(ctx, t.AccountID)
	if err != nil {
		return err
	}
	cred, err := s.credentials(a)
	if err != nil {
		return err
	}
	was := t
	if err := s.askAbout(ctx, cred, &t); err != nil {
		if e := twilio.AsError(err); e.Outcome != twilio.Rejected {
			return err
		}
	}
	return s.store.InTx(ctx, func(tx *store.Tx) error {
		is, now := t, tx.Now()
		is.SyncedAt = &now
		if unchanged(was, is) {
			return tx.MarkTemplatesSynced(ctx, []models.TemplateID{is.ID})
		}
		tx.Publish(models.Event{Name: models.EventTemplate, Account: is.AccountID})
		return tx.SaveTemplate(ctx, &is)
	})
}

// askAbout puts into a template what Twilio has of it: the approval, and of one that was typed all.
func (s *Service) askAbout(ctx context.Context, cred twilio.Credentials, t *models.Template) error {
	if t.Types == "" {
		c, err := s.twilio.FetchContent(ctx, cred, t.ContentSID)
		if err != nil {
			return err
		}
		if len(c.Types) <= maxTemplateTypes {
			fromTwilio(t, c)
		}
	}
	p, err := s.twilio.FetchApproval(ctx, cred, t.ContentSID)
	if err != nil {
		return err
	}
	setApproval(t, p)
	return nil
}

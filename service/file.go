package service

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"kanal/models"
	"kanal/store"
	"kanal/store/blob"
	"kanal/twilio"
)

// Times of fetching a file.
const (
	fetchTimeout = 2 * time.Minute // of one try
	// fetchSlack is how long a try that is due may be overdue before it counts as forgotten.
	fetchSlack = 5 * time.Minute
)

// maxCards bounds what is read of a file of contact cards.
const maxCards = 1 << 20

// housekept bounds how many files one round of housekeeping looks at.
const housekept = 100

// addFiles keeps a row for each file of the messages that are taken in, and a job that fetches it. Where files from
// customers are switched off it is kept as skipped.
func (b *reception) addFiles(ctx context.Context) error {
	var files []models.File
	due := b.tx.Now()
	for i, in := range b.items {
		for n, media := range in.msg.Media {
			m := b.messages[i] // what came in stands first, in its order
			f := models.File{
				AccountID: m.AccountID, ConversationID: m.ConversationID, MessageID: &m.ID, Position: n, Direction: models.In,
				State: models.FilePending, StorageKey: blob.NewKey(), ProviderURL: truncate(media.URL, 2000), Tries: 1, DueAt: &due,
				CreatedAt: m.CreatedAt,
			}
			if !in.number.TakesFiles() {
				f.State, f.Problem, f.StorageKey, f.DueAt = models.FileSkipped, models.FileOff, "", nil
			}
			files = append(files, f)
		}
	}
	if err := b.tx.InsertFiles(ctx, files); err != nil {
		return err
	}
	var jobs []models.JobArgs
	for _, f := range files {
		if f.State == models.FilePending {
			jobs = append(jobs, models.FetchFile{File: f.ID, Try: f.Tries})
		}
	}
	return b.tx.EnqueueAll(ctx, jobs)
}

// filesOff tells customers whose files are not taken: once in a conversation.
func (b *reception) filesOff(ctx context.Context) error {
	refused := map[models.ConversationID]inbound{}
	var accounts []models.AccountID
	var ids []models.ConversationID
	for i, in := range b.items {
		id := b.conversations[b.key(i)].ID
		if _, seen := refused[id]; len(in.msg.Media) == 0 || in.number.TakesFiles() || seen || b.isBlocked(i) {
			continue
		}
		refused[id] = in
		accounts, ids = append(accounts, in.Account.ID), append(ids, id)
	}
	told, err := b.tx.Told(ctx, accounts, ids, models.TriggerFilesOff)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if in := refused[id]; !told[id] {
			b.says = append(b.says, automated(in, id, models.TriggerFilesOff, models.FilesOffText(in.number.Language)))
		}
	}
	return nil
}

// FetchFile fetches a file that a customer has sent and keeps it. What goes wrong is kept with the file; it is tried
// again where that helps. An error means that nothing was kept and the same try has to be made again.
func (s *Service) FetchFile(ctx context.Context, a models.FetchFile) error {
	f, err := s.store.File(ctx, a.File)
	if errors.Is(err, models.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if f.State != models.FilePending || f.Tries != a.Try || f.MessageID == nil {
		return nil
	}
	got, cards, err := s.fetch(ctx, f)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return s.notFetched(ctx, f, err)
	}
	return s.fetched(ctx, got, cards)
}

// fetch gets the content of a file into the store and finds out what it is.
func (s *Service) fetch(ctx context.Context, f models.File) (models.File, []models.Card, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	account, err := s.store.Account(ctx, f.AccountID)
	if err != nil {
		return f, nil, err
	}
	m, err := s.store.Message(ctx, *f.MessageID)
	if err != nil {
		return f, nil, err
	}
	cred, err := s.credentials(account)
	if err != nil {
		return f, nil, err
	}
	media, err := s.twilio.OpenMedia(ctx, cred, f.ProviderURL)
	if err != nil {
		return f, nil, err
	}
	defer func() { _ = media.Body.Close() }()
	limit := models.MaxFileSizeIn(m.Kind)
	if media.Size > limit {
		return f, nil, blob.ErrTooLarge
	}
	content := bufio.NewReaderSize(media.Body, blob.HeadSize)
	head, err := content.Peek(blob.HeadSize)
	if err != nil && !errors.Is(err, io.EOF) {
		return f, nil, err
	}
	f.ContentType = models.ContentTypeIn(m.Kind, blob.Sniff(head))
	if f.Size, err = s.files.Put(ctx, f.StorageKey, content, limit); err != nil {
		return f, nil, err
	}
	return s.look(ctx, f)
}

// look makes the small picture of a picture, and reads contact cards.
func (s *Service) look(ctx context.Context, f models.File) (models.File, []models.Card, error) {
	switch f.Kind() {
	case models.KindImage:
		f, err := s.makeThumb(ctx, f)
		return f, nil, err
	case models.KindContacts:
		cards, err := s.readCards(ctx, f)
		return f, cards, err
	}
	return f, nil, nil
}

// thumbEnding ends the key of a small picture and names its type.
var thumbEnding = map[string]string{"image/jpeg": ".jpg", "image/png": ".png"}

// makeThumb keeps a small picture beside a picture. One of which none can be made is shown as it is.
func (s *Service) makeThumb(ctx context.Context, f models.File) (models.File, error) {
	r, _, err := s.files.Open(ctx, f.StorageKey)
	if err != nil {
		return f, err
	}
	defer func() { _ = r.Close() }()
	p, err := blob.Thumbnail(ctx, r)
	f.Width, f.Height = p.Width, p.Height
	if errors.Is(err, blob.ErrNoPicture) {
		return f, nil
	}
	if err != nil {
		return f, err
	}
	f.ThumbKey = f.StorageKey + thumbEnding[p.ContentType]
	_, err = s.files.Put(ctx, f.ThumbKey, bytes.NewReader(p.Content), int64(len(p.Content)))
	return f, err
}

func (s *Service) readCards(ctx context.Context, f models.File) ([]models.Card, error) {
	r, _, err := s.files.Open(ctx, f.StorageKey)
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	b, err := io.ReadAll(io.LimitReader(r, maxCards))
	if err != nil {
		return nil, models.Wrap(err, "read contact cards")
	}
	var cards []models.Card
	for _, c := range twilio.ParseCards(b) {
		cards = append(cards, models.Card{Name: c.Name, Org: c.Org, Phones: c.Phones, Emails: c.Emails})
	}
	return cards, nil
}

// fetched keeps that a file is here.
func (s *Service) fetched(ctx context.Context, got models.File, cards []models.Card) error {
	return s.changeFile(ctx, got, func(tx *store.Tx, f *models.File, m *models.Message) error {
		at := tx.Now()
		f.State, f.Problem, f.DueAt, f.StoredAt = models.FileStored, "", nil, &at
		f.ContentType, f.Size, f.Width, f.Height, f.ThumbKey = got.ContentType, got.Size, got.Width, got.Height, got.ThumbKey
		m.Details.Cards = append(m.Details.Cards, cards...)
		account, err := tx.Account(ctx, f.AccountID)
		if err != nil || !account.RemoveFiles {
			return err
		}
		return tx.Enqueue(ctx, models.RemoveFile{File: f.ID})
	})
}

// notFetched keeps why a file is not here, and plans the next try where one may help.
func (s *Service) notFetched(ctx context.Context, f models.File, cause error) error {
	problem, again := whyNotFetched(cause)
	s.log.Warn("a file was not fetched", "file", f.ID, "try", f.Tries, "why", problem, "err", cause)
	return s.changeFile(ctx, f, func(tx *store.Tx, f *models.File, _ *models.Message) error {
		delay, more := models.FetchDelay(f.Tries, problem == models.FileGone)
		if !again || !more {
			f.State, f.Problem, f.DueAt = models.FileFailed, problem, nil
			return nil
		}
		due := tx.Now().Add(delay)
		f.Tries, f.DueAt = f.Tries+1, &due
		if f.Tries > models.LateTries {
			f.Problem = problem
		}
		return tx.Enqueue(ctx, models.FetchFile{File: f.ID, Try: f.Tries}, store.At(due))
	})
}

// whyNotFetched gives the sentence for an error, and whether it passes by itself.
func whyNotFetched(err error) (problem string, again bool) {
	var e *twilio.Error
	switch {
	case errors.Is(err, blob.ErrTooLarge):
		return models.FileTooLarge, false
	case errors.Is(err, twilio.ErrMediaHost):
		return models.FileForeign, false
	case errors.Is(err, errSimulatorOff):
		return models.FileSimulator, false
	case !errors.As(err, &e), e.Status == 0:
		return models.FileAway, true
	case e.Status == http.StatusNotFound:
		return models.FileGone, true
	case e.Status == http.StatusUnauthorized, e.Status == http.StatusForbidden:
		return models.FileDenied, false
	case e.Status == http.StatusTooManyRequests, e.Status >= http.StatusInternalServerError:
		return models.FileAway, true
	}
	return models.FileRefused, false
}

// changeFile changes a file and its message under the lock of their conversation. A file that somebody else has changed
// since it was read stays as it is.
func (s *Service) changeFile(ctx context.Context, read models.File, f func(*store.Tx, *models.File, *models.Message) error) error {
	return s.store.InTx(ctx, func(tx *store.Tx) error {
		c, err := tx.LockConversation(ctx, read.ConversationID)
		if err != nil {
			return err
		}
		return s.change(ctx, tx, c, func(c *models.Conversation, _ time.Time) error {
			now, err := tx.File(ctx, read.ID)
			if err != nil {
				return err
			}
			if now.State != read.State || now.Tries != read.Tries {
				return errUnchanged
			}
			m, err := tx.Message(ctx, *now.MessageID)
			if err != nil {
				return err
			}
			before := preview(m)
			if err := f(tx, &now, &m); err != nil {
				return err
			}
			if err := showInList(ctx, tx, c, m, before); err != nil {
				return err
			}
			if err := tx.SaveFile(ctx, now, read.State); err != nil {
				return err
			}
			c.Rev++
			m.Rev = c.Rev
			return tx.SaveDetails(ctx, m)
		})
	})
}

// showInList brings the list's preview of a message up to what is known of it by now, when the list shows this message.
func showInList(ctx context.Context, tx *store.Tx, c *models.Conversation, m models.Message, before string) error {
	if preview(m) == before {
		return nil
	}
	last, err := tx.LastSaid(ctx, *c)
	if err == nil && last == m.ID {
		c.LastPreview = preview(m)
	}
	return err
}

// RetryFile fetches a file again that could not be fetched. Supervisors and administrators may also have one fetched that
// was skipped, for as long as Twilio has it. ErrNotFound when the viewer may not see it, KindForbidden for an agent,
// KindConflict when there is nothing to try.
func (s *Service) RetryFile(ctx context.Context, v models.Viewer, id models.FileID) error {
	read, err := s.store.FileFor(ctx, v, id)
	if err != nil {
		return err
	}
	skipped := read.State == models.FileSkipped
	switch {
	case skipped && !read.MayFetchAnyway(v.Role):
		return errSkipped
	case !skipped && !read.MayRetry():
		return errNoRetry
	}
	return s.changeFile(ctx, read, func(tx *store.Tx, f *models.File, _ *models.Message) error {
		due := tx.Now()
		f.State, f.Problem, f.DueAt = models.FilePending, "", &due
		f.Tries++
		if read.State == models.FileFailed {
			f.Tries = 1
		}
		if skipped {
			f.Tries, f.StorageKey = 1, blob.NewKey()
			if err := tx.Audit(ctx, v, "file.fetched_anyway", fmt.Sprintf("files/%d", f.ID), map[string]any{"conversation": f.ConversationID}); err != nil {
				return err
			}
		}
		return tx.Enqueue(ctx, models.FetchFile{File: f.ID, Try: f.Tries})
	})
}

// errSkipped says who may have a skipped file fetched.
var errSkipped = models.E(models.KindForbidden, "file.skipped")

var errNoRetry = models.E(models.KindConflict, "file.no_retry")

// MaxDescription is how long the description of a picture may be, in characters.
const MaxDescription = 300

// DescribeFile keeps what a picture shows, for those who cannot see it. ErrNotFound, or FieldErrors.
func (s *Service) DescribeFile(ctx context.Context, v models.Viewer, id models.FileID, text string) error {
	read, err := s.store.FileFor(ctx, v, id)
	if err != nil {
		return err
	}
	text = strings.Join(strings.Fields(validText(text)), " ")
	if utf8.RuneCountInString(text) > MaxDescription {
		return models.FieldErrors{{Field: "description", Key: "file.description_long", Args: []any{"max", MaxDescription}}}
	}
	if read.Kind() != models.KindImage || read.MessageID == nil {
		return models.ErrNotFound
	}
	return s.changeFile(ctx, read, func(_ *store.Tx, f *models.File, _ *models.Message) error {
		f.Description = text
		return nil
	})
}

// FileContent is the content of a file, or of its small picture, with its type. The caller closes it.
type FileContent struct {
	io.ReadSeekCloser
	File        models.File
	ContentType string
}

// OpenFile gives the content of a file. ErrNotFound while it is not here.
func (s *Service) OpenFile(ctx context.Context, f models.File) (FileContent, error) {
	return s.open(ctx, f, f.StorageKey, f.ContentType)
}

// OpenThumb gives the small picture of a file; ErrNotFound when there is none.
func (s *Service) OpenThumb(ctx context.Context, f models.File) (FileContent, error) {
	kind := "image/jpeg"
	if strings.HasSuffix(f.ThumbKey, thumbEnding["image/png"]) {
		kind = "image/png"
	}
	return s.open(ctx, f, f.ThumbKey, kind)
}

func (s *Service) open(ctx context.Context, f models.File, key, contentType string) (FileContent, error) {
	if f.State != models.FileStored {
		return FileContent{}, models.ErrNotFound
	}
	r, _, err := s.files.Open(ctx, key)
	if err != nil {
		return FileContent{}, err
	}
	return FileContent{ReadSeekCloser: r, File: f, ContentType: contentType}, nil
}

// RemoveFile removes a file at Twilio once it is safe here. An error means that it has to be tried again; the job never
// gives up.
func (s *Service) RemoveFile(ctx context.Context, a models.RemoveFile) error {
	f, err := s.store.File(ctx, a.File)
	if err != nil || f.State != models.FileStored || f.RemovedAt != nil {
		return ignoreMissing(err)
	}
	account, err := s.store.Account(ctx, f.AccountID)
	if err != nil {
		return ignoreMissing(err)
	}
	cred, err := s.credentials(account)
	if err != nil {
		return err
	}
	if err := s.twilio.DeleteMedia(ctx, cred, f.ProviderURL); err != nil {
		s.log.Warn("a file was not removed at Twilio; it is tried again", "account", account.ID, "file", f.ID, "err", err)
		return err
	}
	return s.store.InTx(ctx, func(tx *store.Tx) error { return tx.MarkRemoved(ctx, f.ID) })
}

func ignoreMissing(err error) error {
	if errors.Is(err, models.ErrNotFound) {
		return nil
	}
	return err
}

// keepFiles is the housekeeping of files: tries that were forgotten are made, and uploads that were never sent are
// removed, as is what was on its way when a process died.
func (s *Service) keepFiles(ctx context.Context) error {
	if s.files == nil {
		return nil
	}
	now := s.store.Now()
	forgotten, err := s.store.LeftPending(ctx, now.Add(-fetchSlack), housekept)
	if err != nil {
		return err
	}
	for _, f := range forgotten {
		err = errors.Join(err, s.fetchForgotten(ctx, f))
	}
	loose, err2 := s.store.LooseFiles(ctx, now.Add(-models.LooseFor), housekept)
	if err2 != nil {
		return errors.Join(err, err2)
	}
	for _, f := range loose {
		err = errors.Join(err, s.removeLoose(ctx, f))
	}
	return errors.Join(err, s.files.Sweep(now.Add(-models.LooseFor)))
}

// fetchForgotten enters the job of a file anew.
func (s *Service) fetchForgotten(ctx context.Context, read models.File) error {
	return s.store.InTx(ctx, func(tx *store.Tx) error {
		if _, err := tx.LockConversation(ctx, read.ConversationID); err != nil {
			return err
		}
		f, err := tx.File(ctx, read.ID)
		if err != nil || f.State != models.FilePending || f.Tries != read.Tries {
			return err
		}
		due := tx.Now()
		f.Tries, f.DueAt = f.Tries+1, &due
		if err := tx.SaveFile(ctx, f, models.FilePending); err != nil {
			return err
		}
		return tx.Enqueue(ctx, models.FetchFile{File: f.ID, Try: f.Tries})
	})
}

// removeLoose removes an uploaded file that was not sent: first its row, so that nobody sends it any more.
func (s *Service) removeLoose(ctx context.Context, f models.File) error {
	err := s.store.InTx(ctx, func(tx *store.Tx) error { return tx.DeleteLooseFile(ctx, f.ID) })
	if errors.Is(err, store.ErrStale) {
		return nil // it was sent meanwhile
	}
	if err == nil {
		s.discard(ctx, f)
	}
	return err
}

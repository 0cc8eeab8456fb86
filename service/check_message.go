package service

import (
	"context"
	"slices"
	"strings"

	"kanal/models"
	"kanal/store"
)

// TestMessage is a message with which an administrator tries out a number of ours. To is the administrator's own phone.
type TestMessage struct {
	Number models.NumberID
	To     string
	Key    string
	Body   string
	Note   string // of the consent that it records: who sends it owns the phone
}

// testTemplates is how many templates are looked at for one that can be sent as it is.
const testTemplates = 100

// ErrNoTestWay says that nothing may be sent to a phone now: the reply window is closed, and no template can be sent
// without somebody who fills it in.
var ErrNoTestWay = models.E(models.KindInvalid, "check.message.no_way")

// ReadTest looks at a test message before it is confirmed: it gives the number in E.164, and ours. FieldErrors.
func (s *Service) ReadTest(ctx context.Context, v models.Viewer, t TestMessage) (to string, ours models.Number, err error) {
	if ours, err = s.numberToStart(ctx, v, t.Number); err != nil {
		return "", ours, err
	}
	if strings.TrimSpace(t.To) == "" {
		return "", ours, models.FieldErrors{{Field: "to", Key: "check.message.to_empty"}}
	}
	o := Outreach{To: t.To}
	err = o.check(ours)
	return o.To, ours, err
}

// SendTest starts a conversation with the phone and sends the text, or outside of the reply window a template that can go
// out as it is. When it is refused nothing is kept, also no conversation.
//
// Errors: ErrNoTestWay, and those of StartConversation and Reply.
func (s *Service) SendTest(ctx context.Context, v models.Viewer, t TestMessage) (models.Message, error) {
	to, number, err := s.ReadTest(ctx, v, t)
	if err != nil {
		return models.Message{}, err
	}
	account, err := s.directory.account(number.AccountID)
	if err != nil {
		return models.Message{}, err
	}
	var m models.Message
	err = s.store.InTx(ctx, func(tx *store.Tx) error {
		in := Outreach{Number: number.ID, To: to, Consent: true, Note: t.Note}
		id, err := s.start(ctx, tx, starting{v, in, number, account, account.Now(tx.Now())})
		if err != nil {
			return err
		}
		c, err := tx.LockVisibleConversation(ctx, v, id)
		if err != nil {
			return err
		}
		m, err = s.sendTest(ctx, tx, v, c, Reply{Conversation: id, Key: t.Key, Body: t.Body})
		return err
	})
	return m, err
}

func (s *Service) sendTest(ctx context.Context, tx *store.Tx, v models.Viewer, c models.Conversation, r Reply) (models.Message, error) {
	at, err := s.standing(ctx, tx, c)
	if err != nil {
		return models.Message{}, err
	}
	if !at.open() {
		if r.Template, err = at.testTemplate(ctx, tx); err != nil {
			return models.Message{}, err
		}
		r.Body = ""
	}
	if err := r.validate(); err != nil {
		return models.Message{}, err
	}
	if known, err := repeated(ctx, tx, v, c, r); err != nil || known != nil {
		return first(known), err
	}
	return s.addReply(ctx, tx, v, c, r)
}

// testTemplate gives the first template that may go out now and needs nobody to fill it in: it has no variables, or an
// example for each. ErrNoTestWay.
func (at standing) testTemplate(ctx context.Context, tx *store.Tx) (*TemplateUse, error) {
	ts, err := tx.UsableTemplates(ctx, store.TemplateChoice{Account: at.conversation.AccountID, Language: at.number.Language, Rows: testTemplates})
	if err != nil {
		return nil, err
	}
	if at.number.Address == models.SandboxNumber {
		ts = SandboxTemplates(at.number) // it sends no others
	}
	i := slices.IndexFunc(ts, func(t models.Template) bool {
		return at.said.Template(t.Category, at.window, at.now) == models.ConsentAllows && t.CheckValues(t.SampleValues()) == nil
	})
	if i < 0 {
		return nil, ErrNoTestWay
	}
	use := &TemplateUse{Template: ts[i].ID, Values: ts[i].SampleValues()}
	if ts[i].ID == 0 {
		use.ContentSID = ts[i].ContentSID
	}
	return use, nil
}

package service

import (
	"context"
	"encoding/json"
	"errors"

	"kanal/models"
	"kanal/store"
	"kanal/twilio"
)

// Errors of a template that cannot be sent now. The picker shows them over its list.
var (
	// ErrTemplateStopped: WhatsApp has rejected, paused or disabled it, or it is gone.
	ErrTemplateStopped = models.E(models.KindInvalid, "pick.stopped")
	// ErrTemplateWindow: it may go out in the open window only, and that is closed.
	ErrTemplateWindow = models.E(models.KindInvalid, "pick.window_closed")
	// ErrTemplateSandbox: the sandbox sends its own templates only.
	ErrTemplateSandbox = models.E(models.KindInvalid, "pick.sandbox_only")
)

// TemplateUse is a template that is sent, with the values of its variables. ContentSID names one of the sandbox's own,
// which are no rows.
type TemplateUse struct {
	Template   models.TemplateID
	ContentSID string
	Values     map[string]string
}

// template makes the message of a template: what goes to Twilio, and the text and the buttons that the customer gets.
//
// Errors: FieldErrors of the values, ErrNotFound, ErrTemplateStopped, ErrTemplateWindow, those of a ConsentRefusal.
func (at standing) template(ctx context.Context, tx *store.Tx, use TemplateUse) (models.Message, error) {
	t, err := templateOf(ctx, tx.Reader, at.number, use)
	if err != nil {
		return models.Message{}, err
	}
	switch {
	case t.Usable(at.open()):
	case t.Usable(true):
		return models.Message{}, ErrTemplateWindow
	default:
		return models.Message{}, ErrTemplateStopped
	}
	if err := refused(at.said.Template(t.Category, at.window, at.now)); err != nil {
		return models.Message{}, err
	}
	if err := t.CheckValues(use.Values); err != nil {
		return models.Message{}, err
	}
	return templateMessage(t, use.Values), nil
}

// templateMessage fills a template with values that were checked.
func templateMessage(t models.Template, given map[string]string) models.Message {
	values := map[string]string{}
	for _, name := range t.Variables() {
		values[name] = given[name]
	}
	c := t.Content().Render(values)
	m := models.Message{
		Kind: models.KindTemplate, Body: c.Body, ContentSID: t.ContentSID, ContentVariables: encodeValues(values),
		Details: models.Details{Template: t.Name, Media: c.Media, Header: c.Header, Footer: c.Footer, Actions: c.Actions},
	}
	if t.ID != 0 {
		m.TemplateID = &t.ID
	}
	if c.Button != "" {
		m.Details.Actions = append(m.Details.Actions, models.Action{Kind: "LIST", Title: c.Button})
	}
	return m
}

// templateOf finds the template of a use among those that a number may send. ErrNotFound. The sandbox has its own ones and
// takes no other that WhatsApp has approved: ErrTemplateSandbox.
func templateOf(ctx context.Context, r store.Reader, n models.Number, use TemplateUse) (models.Template, error) {
	if use.ContentSID != "" {
		if t, ok := sandboxTemplate(n, use.ContentSID); ok {
			return t, nil
		}
		return models.Template{}, models.ErrNotFound
	}
	t, err := r.TemplateOf(ctx, n.AccountID, use.Template)
	if err == nil && t.ContentSID != "" && n.Address == models.SandboxNumber {
		return t, ErrTemplateSandbox
	}
	return t, err
}

// encodeValues writes values as Twilio takes them; "" for none.
func encodeValues(values map[string]string) string {
	if len(values) == 0 {
		return ""
	}
	b, _ := json.Marshal(values) // strings only
	return string(b)
}

// sameTemplate gives ErrKeyReused unless a reply that came before was this template.
func sameTemplate(sent []models.Message, use *TemplateUse) error {
	if use == nil || len(sent) != 1 || !use.made(sent[0]) {
		return ErrKeyReused
	}
	return nil
}

// made tells whether a kept message came of this use: the same key came again.
func (u TemplateUse) made(m models.Message) bool {
	id, kept := models.TemplateID(0), map[string]string{}
	if m.TemplateID != nil {
		id = *m.TemplateID
	}
	if m.Kind != models.KindTemplate || id != u.Template || u.ContentSID != "" && u.ContentSID != m.ContentSID {
		return false
	}
	if m.ContentVariables != "" && json.Unmarshal([]byte(m.ContentVariables), &kept) != nil {
		return false
	}
	for name, v := range kept {
		if u.Values[name] != v {
			return false
		}
	}
	return true
}

// again holds the rules on what may be sent now for a message that failed.
func (at standing) again(ctx context.Context, tx *store.Tx, m models.Message) error {
	if at.blocked {
		return ErrBlocked
	}
	t, err := templateNow(ctx, tx, m, at.number)
	if err != nil {
		return err
	}
	said := at.said.Reply(at.window)
	if m.Kind == models.KindTemplate {
		said = at.said.Template(t.Category, at.window, at.now)
	}
	if err := refused(said); err != nil {
		return err
	}
	code := at.stopped(m, t)
	if code != 0 && code != twilio.CodeOutsideWindow {
		return ErrTemplateStopped
	}
	return mayReply(at.conversation, code == 0)
}

// mayLeave looks at a queued message in the moment in which it would go out, and marks one that may not any more: to a
// customer who was blocked, or has opted out, after it was queued it is canceled; what WhatsApp would refuse has failed
// with Twilio's code, without asking Twilio. False when it may not.
func (at standing) mayLeave(ctx context.Context, tx *store.Tx, m *models.Message) (bool, error) {
	t, err := templateNow(ctx, tx, *m, at.number)
	if err != nil {
		return false, err
	}
	if at.blocked {
		m.State = models.Canceled
		return false, nil
	}
	if m.Kind == models.KindTemplate {
		switch at.said.Template(t.Category, at.window, at.now) {
		case models.RefusedOptedOut, models.RefusedNoMarketing:
			m.State, m.ErrorCode = models.Canceled, twilio.CodeOptedOut
			return false, nil
		}
	}
	if code := at.stopped(*m, t); code != 0 {
		m.State, m.ErrorCode = models.Failed, code
		return false, nil
	}
	return true, nil
}

// stopped gives Twilio's code for free text outside of the window, and for a template that WhatsApp has stopped; 0 for
// what goes out. A template goes out outside of the window only while it is approved; the sandbox's own always are.
func (at standing) stopped(m models.Message, t models.Template) int {
	switch {
	case t.Status == models.TemplateRejected:
		return twilio.CodeRejected
	case t.Status == models.TemplatePaused:
		return twilio.CodePaused
	case t.Status == models.TemplateDisabled:
		return twilio.CodeDisabled
	case at.open() || m.ContentSID != "" && t.Status == models.TemplateApproved:
		return 0
	}
	return twilio.CodeOutsideWindow
}

// templateNow gives the template of a message as it stands now; with TemplateNone when it is none, or is gone.
func templateNow(ctx context.Context, tx *store.Tx, m models.Message, n models.Number) (models.Template, error) {
	if t, ok := sandboxTemplate(n, m.ContentSID); ok {
		return t, nil
	}
	none := models.Template{Status: models.TemplateNone}
	if m.TemplateID == nil {
		return none, nil
	}
	t, err := tx.TemplateOf(ctx, m.AccountID, *m.TemplateID)
	if errors.Is(err, models.ErrNotFound) {
		return none, nil
	}
	return t, err
}

// SandboxTemplates gives the templates that a number has without anybody adding them: the sandbox's own, for the
// sandbox.
func SandboxTemplates(n models.Number) []models.Template {
	if n.Address != models.SandboxNumber {
		return nil
	}
	var ts []models.Template
	for _, c := range twilio.SandboxContents() {
		samples, _ := json.Marshal(c.Variables) // strings only
		ts = append(ts, models.Template{
			AccountID: n.AccountID, Name: c.Name, Language: "en", Category: "UTILITY", Kind: models.KindOfText, Body: c.Body,
			ContentSID: c.SID, Samples: string(samples), Status: models.TemplateApproved, Source: models.TemplateTwilio,
		})
	}
	return ts
}

func sandboxTemplate(n models.Number, contentSID string) (models.Template, bool) {
	for _, t := range SandboxTemplates(n) {
		if t.ContentSID == contentSID {
			return t, true
		}
	}
	return models.Template{}, false
}

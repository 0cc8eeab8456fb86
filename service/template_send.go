package service

import (
	"context"
	"errors"

	"kanal/models"
	"kanal/store"
	"kanal/twilio"
)

// mayLeave gives Twilio's code for a message that may not go out now, without asking Twilio: free text outside of the
// window, or a template that WhatsApp has stopped. 0 when it may. A template goes out outside of the window only while
// it is approved; the sandbox's own always are.
func (s *Service) mayLeave(ctx context.Context, tx *store.Tx, m models.Message, n models.Number, open bool) (int, error) {
	status, err := templateStatus(ctx, tx, m, n)
	if err != nil {
		return 0, err
	}
	switch {
	case status == models.TemplateRejected:
		return twilio.CodeRejected, nil
	case status == models.TemplatePaused:
		return twilio.CodePaused, nil
	case status == models.TemplateDisabled:
		return twilio.CodeDisabled, nil
	case open || m.ContentSID != "" && status == models.TemplateApproved:
		return 0, nil
	}
	return twilio.CodeOutsideWindow, nil
}

// templateStatus gives where the template of a message stands now.
func templateStatus(ctx context.Context, tx *store.Tx, m models.Message, n models.Number) (models.TemplateStatus, error) {
	if _, ok := sandboxTemplate(n, m.ContentSID); ok {
		return models.TemplateApproved, nil
	}
	if m.TemplateID == nil {
		return models.TemplateNone, nil
	}
	t, err := tx.TemplateOf(ctx, m.AccountID, *m.TemplateID)
	if errors.Is(err, models.ErrNotFound) {
		return models.TemplateNone, nil
	}
	return t.Status, err
}

// SandboxTemplates gives the templates that a number has without anybody adding them: the sandbox's own, for the
// sandbox.
func SandboxTemplates(n models.Number) []models.Template {
	if n.Address != models.SandboxNumber {
		return nil
	}
	var ts []models.Template
	for _, c := range twilio.SandboxContents() {
		ts = append(ts, models.Template{
			AccountID: n.AccountID, Name: c.Name, Language: "en", Category: "UTILITY", Kind: "twilio/text", Body: c.Body, ContentSID: c.SID,
			Status: models.TemplateApproved, Source: models.TemplateTwilio,
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

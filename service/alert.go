package service

import (
	"context"
	"strings"
	"time"

	"kanal/models"
	"kanal/store"
	"kanal/twilio"
)

// takeFallback takes in a message that Twilio could not deliver to the inbound address: the message as any, and an alert
// that says why. The first result is the reason for quarantine; the alert is kept all the same.
func (s *Service) takeFallback(ctx context.Context, c Call) (string, error) {
	reason, err := s.takeInbound(ctx, c)
	if err != nil {
		return "", err
	}
	if reason == models.QuarantineUnreadable || reason == models.QuarantineOtherAccount {
		return reason, nil
	}
	msg, _ := twilio.ParseInbound(c.Form) // it was read a moment ago
	code, address := twilio.FallbackError(c.Form)
	return reason, s.alert(ctx, c, &models.Alert{
		Source: models.AlertFallback, Level: models.LevelError, ErrorCode: code, ResourceSID: msg.MessageSID, Text: address,
		HappenedAt: c.accountNow(),
	})
}

// takeDebug takes in what Twilio's debugger says. The first result is the reason for quarantine.
func (s *Service) takeDebug(ctx context.Context, c Call) (string, error) {
	ev, err := twilio.ParseDebug(c.Form)
	if err != nil {
		return models.QuarantineUnreadable, nil
	}
	if ev.AccountSID != c.Account.SID && ev.ParentSID != c.Account.SID {
		return models.QuarantineOtherAccount, nil
	}
	a := &models.Alert{
		Source: models.AlertDebugger, SID: ev.SID, Level: models.LevelError, ErrorCode: ev.Code, ResourceSID: ev.ResourceSID,
		Text: strings.TrimSpace(ev.Text + "\n" + ev.URL), HappenedAt: ev.At,
	}
	if ev.Warning {
		a.Level = models.LevelWarning
	}
	if a.HappenedAt.IsZero() {
		a.HappenedAt = c.accountNow()
	}
	return "", s.alert(ctx, c, a)
}

// catchUpAfter is how long after an alert Twilio's list is read: those that come meanwhile are about the same.
const catchUpAfter = time.Minute

// alert keeps an alert, once. When it says that Twilio did not get through to us, the account lists what Twilio has taken
// in: once for all alerts of a minute, at its end.
func (s *Service) alert(ctx context.Context, c Call, a *models.Alert) error {
	a.AccountID, a.Form, a.ReceivedAt = c.Account.ID, c.Form.Encode(), c.ReceivedAt
	a.Text = validText(strings.ReplaceAll(a.Text, c.Account.HookKey, "…"))
	a.ResourceSID = truncate(validText(a.ResourceSID), 60)
	return s.store.InTx(ctx, func(tx *store.Tx) error {
		a.ID = 0 // the transaction may run again
		fresh, err := tx.InsertAlert(ctx, a)
		if err != nil || !fresh || !a.Unreached() {
			return err
		}
		begin := c.ReceivedAt.Truncate(catchUpAfter)
		if entered, err := tx.AlertedSince(ctx, *a, begin); err != nil || entered {
			return err
		}
		at := begin.Add(catchUpAfter)
		return tx.Enqueue(ctx, models.CatchUp{Account: a.AccountID, Asked: at.UnixMicro()}, store.At(at))
	})
}

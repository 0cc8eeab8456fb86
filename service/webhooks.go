package service

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"kanal/models"
	"kanal/store"
	"kanal/twilio"
)

// webhooksTimeout bounds all calls to Twilio of one run. readBack are the pauses after asking whether new addresses
// are in place; after the last one nobody asks again.
const webhooksTimeout = 20 * time.Second

var readBack = []time.Duration{250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 0}

// webhookRun is the addresses of an account's numbers while they are read and written.
type webhookRun struct {
	account models.Account
	cred    twilio.Credentials
	list    []models.NumberWebhooks
}

// wantedWebhooks are the addresses that Twilio should call for the numbers of an account.
func (s *Service) wantedWebhooks(a models.Account) models.Webhooks {
	post := func(url string) models.Webhook { return models.Webhook{URL: url, Method: http.MethodPost} }
	return models.Webhooks{Inbound: post(s.InboundURL(a)), Fallback: post(s.FallbackURL(a)), Status: post(s.StatusURL(a))}
}

// Reachable tells whether what is called for an account may reach our public address: Twilio itself only from the
// outside, its stand-in from this machine, too.
func (s *Service) Reachable(a models.Account) bool {
	return !s.PublicURLIsLocal() || s.twilio.StandsIn(a.SID)
}

// Webhooks reads which addresses Twilio calls for the numbers of an account, and which ones it should call. ErrNotFound;
// ErrNotComplete for an account without SID and token; KindUnavailable with the sentence why Twilio did not tell.
func (s *Service) Webhooks(ctx context.Context, id models.AccountID) ([]models.NumberWebhooks, error) {
	ctx, cancel := context.WithTimeout(ctx, webhooksTimeout)
	defer cancel()
	run, err := s.beginWebhooks(ctx, id)
	if err != nil {
		return nil, err
	}
	s.findOverrides(ctx, run)
	return run.list, nil
}

// SetWebhooks writes our addresses to the senders of an account's numbers at Twilio and reads them back. What was there before, what is there now and what went wrong is told for each number. KindInvalid when Twilio
// cannot reach our public address; else as Webhooks.
func (s *Service) SetWebhooks(ctx context.Context, v models.Viewer, id models.AccountID) ([]models.NumberWebhooks, error) {
	asking, cancel := context.WithTimeout(ctx, webhooksTimeout)
	defer cancel()
	a, err := s.store.Account(ctx, id)
	if err != nil {
		return nil, err
	}
	if !s.Reachable(a) {
		return nil, models.E(models.KindInvalid, "account.not_public", "url", s.PublicURL())
	}
	run, err := s.beginWebhooks(asking, id)
	if err != nil {
		return nil, err
	}
	for i := range run.list {
		s.writeWebhooks(asking, run, &run.list[i])
	}
	s.readWebhooksBack(asking, run)
	s.findOverrides(asking, run)
	// What Twilio has taken is written down even when nobody waits for the answer any more.
	return run.list, s.keepWebhooks(context.WithoutCancel(ctx), v, run)
}

// beginWebhooks asks Twilio for the senders of an account's numbers.
func (s *Service) beginWebhooks(ctx context.Context, id models.AccountID) (*webhookRun, error) {
	a, err := s.store.Account(ctx, id)
	if err != nil {
		return nil, err
	}
	if a.SID == "" || a.TokenSealed == "" {
		return nil, ErrNotComplete
	}
	numbers, err := s.store.NumbersOf(ctx, id)
	if err != nil {
		return nil, err
	}
	run := &webhookRun{account: a}
	if run.cred, err = s.credentials(a); err != nil {
		return nil, err
	}
	senders, err := s.twilio.ListSenders(ctx, run.cred)
	if err != nil {
		s.log.Warn("Twilio did not list the senders of an account", "account", id, "err", err)
		problem, code := webhookProblem(err)
		if problem == models.WebhooksNoSender { // not of a sender: of the account
			problem = models.WebhooksRejected
		}
		return nil, &models.Error{Kind: models.KindUnavailable, Key: "webhooks.problem." + string(problem), Args: []any{"code", code}, Cause: err}
	}
	for _, n := range numbers {
		x := models.NumberWebhooks{Number: n, Wanted: s.wantedWebhooks(a)}
		i := slices.IndexFunc(senders, func(x twilio.Sender) bool { return x.Address.Phone() == n.Address })
		switch {
		case n.Address == models.SandboxNumber:
			x.Problem = models.WebhooksOfSandbox
		case i < 0:
			x.Problem = models.WebhooksNoSender
		default:
			x.Sender = senders[i].SID
			s.fetchWebhooks(ctx, run, &x)
			x.Before = x.Now
		}
		run.list = append(run.list, x)
	}
	return run, nil
}

// fetchWebhooks reads what Twilio has for a number.
func (s *Service) fetchWebhooks(ctx context.Context, run *webhookRun, x *models.NumberWebhooks) {
	got, err := s.twilio.FetchSender(ctx, run.cred, x.Sender)
	if err != nil {
		x.Problem, x.Code = s.notedProblem(*x, err)
		return
	}
	x.Status, x.Quality = got.Status, got.Quality
	x.Now = models.Webhooks{Inbound: shown(got.Webhooks.Inbound), Fallback: shown(got.Webhooks.Fallback), Status: shown(got.Webhooks.Status)}
}

// shown gives an address as a person may see it: another system's may hold a password.
func shown(w twilio.Webhook) models.Webhook {
	if u, err := url.Parse(w.URL); err == nil && u.User != nil {
		w.URL = u.Redacted()
	}
	return models.Webhook{URL: w.URL, Method: strings.ToUpper(w.Method)}
}

// writeWebhooks sends the wanted addresses, when they are not there already. After a lost answer they may be.
func (s *Service) writeWebhooks(ctx context.Context, run *webhookRun, x *models.NumberWebhooks) {
	if x.Problem != "" || x.Now == x.Wanted {
		return
	}
	w := x.Wanted
	err := s.twilio.SetWebhooks(ctx, run.cred, x.Sender, twilio.Webhooks{
		Inbound: twilio.Webhook(w.Inbound), Fallback: twilio.Webhook(w.Fallback), Status: twilio.Webhook(w.Status),
	})
	x.Written = err == nil || twilio.AsError(err).Outcome == twilio.Unknown
	if err != nil {
		x.Problem, x.Code = s.notedProblem(*x, err)
	}
}

// readWebhooksBack asks Twilio until it shows what was written, or the time is over.
func (s *Service) readWebhooksBack(ctx context.Context, run *webhookRun) {
	for _, pause := range readBack {
		late := false
		for i := range run.list {
			if x := &run.list[i]; x.Written && x.Now != x.Wanted {
				s.readWebhookBack(ctx, run, x)
				late = late || x.Now != x.Wanted
			}
		}
		if !late || pause == 0 {
			return
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
	}
}

func (s *Service) readWebhookBack(ctx context.Context, run *webhookRun, x *models.NumberWebhooks) {
	x.Problem, x.Code = "", 0 // also that of a writing whose answer was lost: what is there counts
	s.fetchWebhooks(ctx, run, x)
	if x.Now != x.Wanted && (x.Problem == "" || ctx.Err() != nil) {
		x.Problem, x.Code = models.WebhooksNotYet, 0
	}
}

// findOverrides looks for Messaging Services that are called instead of the addresses of the numbers.
func (s *Service) findOverrides(ctx context.Context, run *webhookRun) {
	if !slices.ContainsFunc(run.list, func(x models.NumberWebhooks) bool { return x.Sender != "" }) {
		return
	}
	services, err := s.twilio.OverridingServices(ctx, run.cred)
	if err != nil {
		s.log.Warn("Twilio did not list the Messaging Services of an account", "account", run.account.ID, "err", err)
	}
	for i := range run.list {
		x := &run.list[i]
		x.ServicesUnknown = err != nil && x.Sender != ""
		for _, v := range services {
			if slices.Contains(v.Senders, x.Sender) && !sameAddress(v.InboundURL, x.Wanted.Inbound.URL) {
				x.Override = &models.MessagingService{SID: v.SID, Name: v.Name, InboundURL: shown(twilio.Webhook{URL: v.InboundURL}).URL}
			}
		}
	}
}

// sameAddress tells whether two addresses are the same apart from their connection overrides.
func sameAddress(a, b string) bool {
	a, _, _ = strings.Cut(a, "#")
	b, _, _ = strings.Cut(b, "#")
	return a == b
}

// notedProblem is webhookProblem for a number; the log says why.
func (s *Service) notedProblem(x models.NumberWebhooks, err error) (models.WebhookProblem, int) {
	s.log.Warn("Twilio did not do what was asked about a sender", "number", x.Number.ID, "sender", x.Sender, "err", err)
	return webhookProblem(err)
}

// webhookProblem says what an error of Twilio's means to a person.
func webhookProblem(err error) (models.WebhookProblem, int) {
	e := twilio.AsError(err)
	switch {
	case e.Unauthorized():
		return models.WebhooksRejected, e.Code
	case e.Suspended() || e.Status == http.StatusForbidden:
		return models.WebhooksSuspended, e.Code
	case e.Status == http.StatusNotFound:
		return models.WebhooksNoSender, e.Code
	case e.Outcome == twilio.Rejected:
		return models.WebhooksRefused, e.Code
	}
	return models.WebhooksUnreachable, e.Code
}

// keepWebhooks writes down which senders Twilio has and which addresses were sent to it. The secret part of our own
// address is not in the audit.
func (s *Service) keepWebhooks(ctx context.Context, v models.Viewer, run *webhookRun) error {
	masked := func(w models.Webhooks) []string {
		out := []string{w.Inbound.URL, w.Fallback.URL, w.Status.URL}
		for i := range out {
			out[i] = strings.ReplaceAll(out[i], run.account.HookKey, "***")
		}
		return out
	}
	return s.store.InTx(ctx, func(tx *store.Tx) error {
		for _, x := range run.list {
			if x.Number.SenderSID != x.Sender && x.Number.Address != models.SandboxNumber {
				if err := tx.SetSender(ctx, x.Number.ID, x.Sender); err != nil {
					return err
				}
			}
			if !x.Written {
				continue
			}
			details := map[string]any{"before": masked(x.Before), "now": masked(x.Now), "problem": string(x.Problem)}
			if err := tx.Audit(ctx, v, "number.webhooks_set", fmt.Sprintf("numbers/%d", x.Number.ID), details); err != nil {
				return err
			}
		}
		tx.Publish(models.Event{Name: models.EventAccount, Account: run.account.ID})
		return nil
	})
}

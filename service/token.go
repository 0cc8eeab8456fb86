package service

import (
	"context"
	"net/http"

	"kanal/models"
	"kanal/twilio"
)

// Errors of rotating a token.
var (
	// ErrNoNextToken says that there is no rotation under way.
	ErrNoNextToken = models.E(models.KindConflict, "token.none")
	// ErrNotPromoted says that Twilio still accepts the current token: the next one is not the primary one yet.
	ErrNotPromoted = models.E(models.KindUnavailable, "token.not_promoted")
	// ErrTokenUnreachable says that Twilio did not answer, so that nothing is known and nothing was changed here.
	ErrTokenUnreachable = models.E(models.KindUnavailable, "token.unreachable")
	// ErrTokenRefused says that Twilio did not make or take away a secondary token.
	ErrTokenRefused = models.E(models.KindUnavailable, "token.refused")
)

// BeginRotation puts a next token beside an account's current one: from now on both check signatures, and requests to
// Twilio carry the next one. An empty token lets Twilio make one; another is the one that a person has made in Twilio's
// console, and Twilio is asked whether it accepts it. FieldErrors, ErrTokenRefused, ErrTokenUnreachable, ErrNotFound,
// store.ErrStale. When the saving fails after Twilio has made a token, doing it again makes another in its place.
func (s *Service) BeginRotation(ctx context.Context, v models.Viewer, id models.AccountID, token models.Secret, version int) error {
	token = models.Secret(clean(token.Reveal()))
	return s.editAccount(ctx, v, accountEdit{id, version, "account.rotation_begun"}, func(a *models.Account) error {
		if a.State != models.AccountActive || a.TokenSealed == "" {
			return ErrNotComplete
		}
		next, err := s.nextToken(ctx, *a, token)
		if err != nil {
			return err
		}
		now := s.store.Now()
		a.NextTokenSealed, a.NextTokenLast4, a.NextTokenAt = s.store.Seal(next, a.ID.Row()), next.Last4(), &now
		return nil
	})
}

// nextToken gives the next token, which Twilio accepts.
func (s *Service) nextToken(ctx context.Context, a models.Account, typed models.Secret) (models.Secret, error) {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	cred, err := s.credentials(a.WithoutNextToken())
	if err != nil {
		return "", err
	}
	if typed == "" {
		made, err := s.twilio.CreateSecondaryToken(ctx, cred)
		return models.Secret(made), s.tokenError(a, err)
	}
	if typed.Reveal() == cred.AuthToken {
		return "", models.FieldErrors{{Field: "token", Key: "token.same"}}
	}
	cred.AuthToken = typed.Reveal()
	switch state, err := s.accepted(ctx, cred); {
	case err != nil:
		return "", s.tokenError(a, err)
	case state != models.CheckOK:
		return "", models.FieldErrors{{Field: "token", Key: "account." + string(state)}}
	}
	return typed, nil
}

// tokenError is what a person is told of Twilio's refusal; the log says why.
func (s *Service) tokenError(a models.Account, err error) error {
	if err == nil {
		return nil
	}
	s.log.Warn("Twilio did not do what a rotation needs", "account", a.ID, "err", err)
	if twilio.AsError(err).Outcome == twilio.Rejected {
		return ErrTokenRefused
	}
	return ErrTokenUnreachable
}

// PromoteToken ends a rotation: Twilio makes the next token the primary one, which signs, and the old one is dead. It may
// have been promoted in Twilio's console already, or by a try whose answer was lost; so what counts is whether Twilio
// still accepts the old one. Signatures of the old token are accepted for models.OldTokenLasts more.
// ErrNoNextToken, ErrNotPromoted, ErrTokenUnreachable, ErrNotFound, store.ErrStale.
func (s *Service) PromoteToken(ctx context.Context, v models.Viewer, id models.AccountID, version int) error {
	return s.editAccount(ctx, v, accountEdit{id, version, "account.token_promoted"}, func(a *models.Account) error {
		if a.NextTokenSealed == "" {
			return ErrNoNextToken
		}
		if err := s.promote(ctx, *a); err != nil {
			return err
		}
		now := s.store.Now()
		*a = a.Promoted(now)
		a.CheckState, a.CheckedAt = models.CheckOK, &now
		return nil
	})
}

func (s *Service) promote(ctx context.Context, a models.Account) error {
	ctx, cancel := context.WithTimeout(ctx, 2*checkTimeout)
	defer cancel()
	next, err := s.credentials(a)
	if err != nil {
		return err
	}
	if err := s.twilio.PromoteSecondaryToken(ctx, next); err != nil {
		s.log.Info("Twilio has not promoted a token", "account", a.ID, "err", err)
	}
	old, err := s.credentials(a.WithoutNextToken())
	if err != nil {
		return err
	}
	oldState, err := s.accepted(ctx, old)
	if err != nil {
		return ErrTokenUnreachable
	}
	nextState, err := s.accepted(ctx, next)
	switch {
	case err != nil:
		return ErrTokenUnreachable
	case oldState != models.CheckRejected || nextState != models.CheckOK:
		return ErrNotPromoted
	}
	return nil
}

// GiveUpRotation takes the next token away, at Twilio too. ErrTokenRefused when Twilio does not accept the current token
// any more: then the next one is needed; ErrNoNextToken, ErrTokenUnreachable, ErrNotFound, store.ErrStale.
func (s *Service) GiveUpRotation(ctx context.Context, v models.Viewer, id models.AccountID, version int) error {
	return s.editAccount(ctx, v, accountEdit{id, version, "account.rotation_given_up"}, func(a *models.Account) error {
		if a.NextTokenSealed == "" {
			return ErrNoNextToken
		}
		ctx, cancel := context.WithTimeout(ctx, checkTimeout)
		defer cancel()
		current, err := s.credentials(a.WithoutNextToken())
		if err != nil {
			return err
		}
		if err := s.tokenError(*a, s.twilio.DeleteSecondaryToken(ctx, current)); err != nil {
			return err
		}
		*a = a.WithoutNextToken()
		return nil
	})
}

// accepted asks Twilio whether it accepts SID and token. An error says that it did not tell.
func (s *Service) accepted(ctx context.Context, cred twilio.Credentials) (models.CheckState, error) {
	return acceptedAs(s.twilio.FetchAccount(ctx, cred))
}

// acceptedAs says what Twilio's answer about an account means.
func acceptedAs(said twilio.Account, err error) (models.CheckState, error) {
	if err == nil && said.Status == "active" {
		return models.CheckOK, nil
	}
	if err == nil {
		return models.CheckSuspended, nil
	}
	switch e := twilio.AsError(err); {
	case e.Unauthorized() || e.Status == http.StatusNotFound:
		return models.CheckRejected, nil
	case e.Suspended() || e.Status == http.StatusForbidden:
		return models.CheckSuspended, nil
	}
	return models.CheckUnreachable, err
}

// newerCredentials gives the credentials that are saved now, when Twilio has refused others: another instance may have
// ended a rotation a moment ago. A refused request did nothing, so that it may be made again.
func (s *Service) newerCredentials(ctx context.Context, a models.Account, refused twilio.Credentials) (twilio.Credentials, bool) {
	if err := s.directory.load(ctx); err != nil {
		return twilio.Credentials{}, false
	}
	saved, err := s.directory.account(a.ID)
	if err != nil {
		return twilio.Credentials{}, false
	}
	cred, err := s.credentials(saved)
	return cred, err == nil && cred != refused
}

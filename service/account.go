package service

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"kanal/models"
	"kanal/store"
	"kanal/twilio"
)

const maxName = 100

// ChannelDetails is the first step of the wizard New account.
type ChannelDetails struct{ Name, Channel string }

// AccountDetails is the second step. An empty token keeps the one that is saved. WithoutCheck does not ask Twilio.
type AccountDetails struct {
	SID          string
	Token        models.Secret
	WithoutCheck bool
}

// Edit says which state of a thing a person has seen, and whether an unfinished form may be kept as it is.
type Edit struct {
	Version   int
	Unchecked bool // Save and exit
}

// clean removes what comes with pasting: spaces around, quotes, and spaces inside.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(" \t\r\n\u00a0\"'“”«»`", r) {
			return -1
		}
		return r
	}, validText(s))
}

func cleanName(s string) string { return strings.TrimSpace(validText(s)) }

// NewAccount begins the wizard: its first step makes the draft. FieldErrors.
func (s *Service) NewAccount(ctx context.Context, v models.Viewer, in ChannelDetails, e Edit) (models.AccountID, error) {
	in.Name = cleanName(in.Name)
	a := models.Account{HookKey: newHookKey(), State: models.AccountDraft, CreatedBy: v.User, Version: 1}
	if err := s.setChannelDetails(ctx, &a, in, e); err != nil {
		return 0, err
	}
	err := s.store.InTx(ctx, func(tx *store.Tx) error {
		a.ID, a.CreatedAt, a.UpdatedAt = 0, tx.Now(), tx.Now()
		if err := tx.InsertAccount(ctx, &a); err != nil {
			return err
		}
		return tx.Audit(ctx, v, "account.created", accountRow(a.ID), map[string]any{"name": a.Name})
	})
	return a.ID, err
}

// newHookKey makes the unguessable part of an account's addresses: 144 bits.
func newHookKey() string {
	b := make([]byte, 18)
	_, _ = rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

func (s *Service) setChannelDetails(ctx context.Context, a *models.Account, in ChannelDetails, e Edit) error {
	if !e.Unchecked {
		if err := s.checkChannelDetails(ctx, a.ID, in); err != nil {
			return err
		}
		a.Step = max(a.Step, models.StepChannelDetails)
	}
	a.Name = truncate(in.Name, 2*maxName)
	if in.Channel == models.ChannelWhatsApp {
		a.Channel = in.Channel
	}
	return nil
}

func (s *Service) checkChannelDetails(ctx context.Context, id models.AccountID, in ChannelDetails) error {
	var f models.FieldErrors
	switch n := utf8.RuneCountInString(in.Name); {
	case n == 0:
		f.Add("name", "account.name_empty")
	case n > maxName:
		f.Add("name", "account.name_long")
	default:
		if other, found, err := s.store.AccountNamed(ctx, in.Name, id); err != nil {
			return err
		} else if found {
			f.Add("name", "account.name_taken", "name", other.Name)
		}
	}
	if in.Channel != models.ChannelWhatsApp {
		f.Add("channel", "account.channel_none")
	}
	return f.Err()
}

// SaveChannelDetails saves the first step of a draft or of a finished account. FieldErrors, ErrNotFound, store.ErrStale.
func (s *Service) SaveChannelDetails(ctx context.Context, v models.Viewer, id models.AccountID, in ChannelDetails, e Edit) error {
	in.Name = cleanName(in.Name)
	return s.editAccount(ctx, v, accountEdit{id, e.Version, "account.channel_details"}, func(a *models.Account) error {
		return s.setChannelDetails(ctx, a, in, e)
	})
}

// accountEdit says which account is changed, the version that the person has seen, and what the audit calls it.
type accountEdit struct {
	id      models.AccountID
	version int
	action  string
}

// editAccount reads an account, lets f change it and saves it if it is still the version that the person has seen.
// f runs outside of the transaction: it may ask Twilio.
func (s *Service) editAccount(ctx context.Context, v models.Viewer, e accountEdit, f func(*models.Account) error) error {
	a, err := s.store.Account(ctx, e.id)
	if err != nil {
		return err
	}
	if a.Version != e.version {
		return store.ErrStale
	}
	was := a
	if err := f(&a); err != nil {
		return err
	}
	err = s.store.InTx(ctx, func(tx *store.Tx) error {
		saved := a
		if err := tx.SaveAccount(ctx, &saved); err != nil {
			return asField(err, a)
		}
		tx.Publish(models.Event{Name: models.EventAccount, Account: e.id})
		return tx.Audit(ctx, v, e.action, accountRow(e.id), accountChanges(was, a))
	})
	if err != nil {
		return err
	}
	return s.directory.load(ctx)
}

// asField puts the violation of a unique name or SID at its field: another was faster than our check.
func asField(err error, a models.Account) error {
	switch {
	case errors.Is(err, store.ErrAccountName):
		return models.FieldErrors{{Field: "name", Key: "account.name_taken", Args: []any{"name", a.Name}}}
	case errors.Is(err, store.ErrAccountSID):
		return models.FieldErrors{{Field: "sid", Key: "account.sid_taken", Args: []any{"name", a.Name}}}
	}
	return err
}

// accountChanges lists what changed, from and to. Of the token it only says that it was replaced.
func accountChanges(was, is models.Account) map[string]any {
	out := map[string]any{}
	for name, pair := range map[string][2]string{"name": {was.Name, is.Name}, "sid": {was.SID, is.SID}, "state": {string(was.State), string(is.State)}} {
		if pair[0] != pair[1] {
			out[name] = []string{pair[0], pair[1]}
		}
	}
	if was.TokenSealed != is.TokenSealed {
		out["token"] = "replaced"
	}
	return out
}

// SaveAccountDetails saves the second step. SID and token are checked with Twilio, five seconds at most, unless
// WithoutCheck says otherwise. FieldErrors, ErrNotFound, store.ErrStale.
func (s *Service) SaveAccountDetails(ctx context.Context, v models.Viewer, id models.AccountID, in AccountDetails, e Edit) error {
	in.SID, in.Token = clean(in.SID), models.Secret(clean(in.Token.Reveal()))
	return s.editAccount(ctx, v, accountEdit{id, e.Version, "account.account_details"}, func(a *models.Account) error {
		return s.setAccountDetails(ctx, a, in, e)
	})
}

func (s *Service) setAccountDetails(ctx context.Context, a *models.Account, in AccountDetails, e Edit) error {
	if !e.Unchecked {
		if err := s.checkAccountDetails(ctx, *a, in); err != nil {
			return err
		}
		a.Step = max(a.Step, models.StepAccountDetails)
	}
	changed := in.Token != "" || in.SID != a.SID
	if !e.Unchecked || twilio.AccountSIDPattern.MatchString(in.SID) || in.SID == "" {
		a.SID = strings.Replace(in.SID, "ac", "AC", 1)
	}
	a.Simulated = s.isSimulated(a.SID)
	if in.Token != "" {
		a.TokenSealed, a.TokenLast4 = s.store.Seal(in.Token, accountRow(a.ID)), in.Token.Last4()
	}
	if e.Unchecked || in.WithoutCheck {
		if changed {
			a.CheckState, a.CheckedAt = models.CheckNone, nil
		}
		return nil
	}
	return s.askTwilio(ctx, a)
}

func (s *Service) checkAccountDetails(ctx context.Context, a models.Account, in AccountDetails) error {
	var f models.FieldErrors
	switch {
	case in.SID == "":
		f.Add("sid", "account.sid_empty")
	case strings.HasPrefix(in.SID, "SK"):
		f.Add("sid", "account.sid_is_key")
	case !twilio.AccountSIDPattern.MatchString(in.SID):
		f.Add("sid", "account.sid_format")
	default:
		if other, found, err := s.store.AccountWithSID(ctx, in.SID, a.ID); err != nil {
			return err
		} else if found {
			f.Add("sid", "account.sid_taken", "name", other.Name)
		}
	}
	if in.Token == "" && a.TokenSealed == "" {
		f.Add("token", "account.token_empty")
	}
	return f.Err()
}

// askTwilio checks SID and token. A refusal is the problem of the token field.
func (s *Service) askTwilio(ctx context.Context, a *models.Account) error {
	cred, err := s.credentials(*a)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	said, err := s.twilio.FetchAccount(ctx, cred)
	key := ""
	switch {
	case err == nil && said.Status == "active":
		now := s.store.Now()
		a.CheckState, a.CheckedAt = models.CheckOK, &now
		return nil
	case err == nil:
		key = "account.suspended"
	case twilio.AsError(err).Unauthorized() || twilio.AsError(err).Status == 404:
		key = "account.rejected"
	case twilio.AsError(err).Suspended() || twilio.AsError(err).Status == 403:
		key = "account.suspended"
	default:
		s.log.Warn("Twilio did not answer the check of an account", "account", a.ID, "err", err)
		key = "account.unreachable"
	}
	return models.FieldErrors{{Field: "token", Key: key}}
}

// IsUnreachable tells whether the only problem of account details is that Twilio did not answer: then they may be
// saved without the check.
func IsUnreachable(err error) bool {
	var f models.FieldErrors
	return errors.As(err, &f) && slices.ContainsFunc(f, func(e models.FieldError) bool { return e.Key == "account.unreachable" })
}

// FinishAccount ends the wizard: the account is in the list as finished. A draft whose earlier steps are not complete,
// or whose name or SID another account has taken meanwhile, gives FieldErrors.
func (s *Service) FinishAccount(ctx context.Context, v models.Viewer, id models.AccountID) error {
	a, err := s.store.Account(ctx, id)
	if err != nil || a.State == models.AccountActive {
		return err
	}
	if a.Step < models.StepNumbers {
		return models.E(models.KindConflict, "account.not_complete")
	}
	if err := s.checkChannelDetails(ctx, id, ChannelDetails{Name: a.Name, Channel: a.Channel}); err != nil {
		return err
	}
	if err := s.checkAccountDetails(ctx, a, AccountDetails{SID: a.SID}); err != nil {
		return err
	}
	return s.editAccount(ctx, v, accountEdit{id, a.Version, "account.finished"}, func(a *models.Account) error {
		now := s.store.Now()
		a.State, a.Step, a.FinishedAt = models.AccountActive, models.StepCallback, &now
		return nil
	})
}

// DeleteAccount deletes a draft, or a finished account that nothing uses. ErrNotFound, store.ErrInUse.
func (s *Service) DeleteAccount(ctx context.Context, v models.Viewer, id models.AccountID) error {
	err := s.store.InTx(ctx, func(tx *store.Tx) error {
		a, err := tx.Account(ctx, id)
		if err != nil {
			return err
		}
		if err := tx.DeleteAccount(ctx, id); err != nil {
			return err
		}
		tx.Publish(models.Event{Name: models.EventAccount, Account: id})
		return tx.Audit(ctx, v, "account.deleted", accountRow(id), map[string]any{"name": a.Name, "sid": a.SID})
	})
	if err != nil {
		return err
	}
	return s.directory.load(ctx)
}

// PublicURLIsLocal tells whether the public address is one that Twilio cannot reach.
func (s *Service) PublicURLIsLocal() bool {
	h := s.publicURL.Hostname()
	return h == "localhost" || strings.HasPrefix(h, "127.") || h == "::1" || s.publicURL.Scheme != "https"
}

// PublicURL gives the address that browsers and Twilio use.
func (s *Service) PublicURL() string { return s.publicURL.String() }

package service

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"unicode/utf8"

	"kanal/models"
	"kanal/store"
	"kanal/twilio"
)

const maxName = 100

// ChannelDetails is the first step of the wizard New account.
type ChannelDetails struct {
	Name, Channel string
	Typing        bool // customers see that somebody is answering; a draft shows it
	RemoveFiles   bool // files are removed at Twilio once they are safe here; a draft keeps them
}

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
		return tx.Audit(ctx, v, "account.created", a.ID.Row(), map[string]any{"name": a.Name})
	})
	return a.ID, err
}

// newHookKey makes the unguessable part of an account's addresses: 144 bits.
func newHookKey() string {
	b := make([]byte, 18)
	_, _ = rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

// setChannelDetails puts the first step into the account. A draft that is kept unchecked has the step to do again when
// the values are not right.
func (s *Service) setChannelDetails(ctx context.Context, a *models.Account, in ChannelDetails, e Edit) error {
	err := s.checkChannelDetails(ctx, a.ID, in)
	var problems models.FieldErrors
	switch {
	case err == nil && (!e.Unchecked || a.Step > models.StepNone):
		a.Step = max(a.Step, models.StepChannelDetails)
	case err == nil:
	case !errors.As(err, &problems) || !e.Unchecked || a.State != models.AccountDraft:
		return err
	default:
		a.Step = models.StepNone
	}
	a.Name = truncate(in.Name, 2*maxName)
	if in.Channel == models.ChannelWhatsApp {
		a.Channel = in.Channel
	}
	if a.State == models.AccountActive {
		a.HideTyping, a.RemoveFiles = !in.Typing, in.RemoveFiles
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
	if err := f(&a); err != nil || a == was {
		return err
	}
	err = s.store.InTx(ctx, func(tx *store.Tx) error {
		saved := a
		if err := tx.SaveAccount(ctx, &saved); err != nil {
			return asField(err, a)
		}
		if a.StoppedAt != nil && (a.SID != was.SID || a.TokenSealed != was.TokenSealed || a.NextTokenSealed != was.NextTokenSealed) {
			if err := resume(ctx, tx, e.id); err != nil {
				return err
			}
		}
		tx.Publish(models.Event{Name: models.EventAccount, Account: e.id})
		return tx.Audit(ctx, v, e.action, e.id.Row(), accountChanges(was, a))
	})
	if err == nil {
		s.directory.changed(ctx)
	}
	return err
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
	if was.HideTyping != is.HideTyping {
		out["hide_typing"] = []bool{was.HideTyping, is.HideTyping}
	}
	if was.TokenSealed != is.TokenSealed {
		out["token"] = "replaced"
	}
	if was.NextTokenSealed != is.NextTokenSealed {
		out["next_token"] = map[bool]string{true: "gone", false: "set"}[is.NextTokenSealed == ""]
	}
	if was.RemoveFiles != is.RemoveFiles {
		out["remove_files"] = []bool{was.RemoveFiles, is.RemoveFiles}
	}
	return out
}

// SaveAccountDetails saves the second step. SID and token are checked with Twilio, five seconds at most, unless
// WithoutCheck says otherwise. When Twilio does not answer, a draft keeps both, so that nobody types the token twice.
// FieldErrors, ErrNotFound, store.ErrStale.
func (s *Service) SaveAccountDetails(ctx context.Context, v models.Viewer, id models.AccountID, in AccountDetails, e Edit) error {
	in.SID, in.Token = clean(in.SID), models.Secret(clean(in.Token.Reveal()))
	edit := accountEdit{id, e.Version, "account.account_details"}
	err := s.editAccount(ctx, v, edit, func(a *models.Account) error { return s.setAccountDetails(ctx, a, in, e) })
	if !IsUnreachable(err) {
		return err
	}
	kept := s.editAccount(ctx, v, edit, func(a *models.Account) error {
		if a.State == models.AccountDraft {
			s.keepAccountDetails(a, in)
		}
		return nil
	})
	if kept != nil {
		return kept
	}
	return err
}

func (s *Service) setAccountDetails(ctx context.Context, a *models.Account, in AccountDetails, e Edit) error {
	if e.Unchecked && a.State == models.AccountDraft {
		s.keepAccountDetails(a, in)
		return nil
	}
	if err := s.checkAccountDetails(ctx, *a, in); err != nil {
		return err
	}
	s.keepAccountDetails(a, in)
	if !in.WithoutCheck {
		if err := s.askTwilio(ctx, a); err != nil {
			return err
		}
	}
	a.Step = max(a.Step, models.StepAccountDetails)
	return nil
}

// maxSID bounds what a draft keeps of a SID that is not one.
const maxSID = 64

// keepAccountDetails puts SID and token into the account as they are. What Twilio has not seen makes the step of a
// draft one to do again.
func (s *Service) keepAccountDetails(a *models.Account, in AccountDetails) {
	in.SID = truncate(in.SID, maxSID)
	if in.Token == "" && in.SID == a.SID {
		return
	}
	a.SID, a.Simulated = in.SID, s.isSimulated(in.SID)
	if in.Token != "" {
		a.TokenSealed, a.TokenLast4 = s.store.Seal(in.Token, a.ID.Row()), in.Token.Last4()
		*a = a.WithoutNextToken()
	}
	a.CheckState, a.CheckedAt = models.CheckNone, nil
	if a.State == models.AccountDraft {
		a.Step = min(a.Step, models.StepChannelDetails)
	}
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
	state, err := s.twilioSays(ctx, *a)
	if err != nil {
		return err
	}
	if state != models.CheckOK {
		return models.FieldErrors{{Field: "token", Key: "account." + string(state)}}
	}
	now := s.store.Now()
	a.CheckState, a.CheckedAt = state, &now
	return nil
}

// twilioSays asks Twilio for the account, with its own SID and token.
func (s *Service) twilioSays(ctx context.Context, a models.Account) (models.CheckState, error) {
	cred, err := s.credentials(a)
	if err != nil {
		return models.CheckNone, err
	}
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	state, err := s.accepted(ctx, cred)
	if err != nil {
		s.log.Warn("Twilio did not answer the check of an account", "account", a.ID, "err", err)
	}
	return state, nil
}

// CheckAccount asks Twilio again whether it accepts an account's SID and token, and keeps the answer. ErrNotFound;
// ErrNotComplete for a draft that has none.
func (s *Service) CheckAccount(ctx context.Context, v models.Viewer, id models.AccountID) (models.CheckState, error) {
	a, err := s.store.Account(ctx, id)
	if err != nil {
		return models.CheckNone, err
	}
	if a.SID == "" || a.TokenSealed == "" {
		return models.CheckNone, ErrNotComplete
	}
	state, err := s.twilioSays(ctx, a)
	if err != nil {
		return models.CheckNone, err
	}
	return state, s.store.InTx(ctx, func(tx *store.Tx) error {
		if err := noteCheck(ctx, tx, a, state); err != nil {
			return err
		}
		tx.Publish(models.Event{Name: models.EventAccount, Account: id})
		return tx.Audit(ctx, v, "account.checked", id.Row(), map[string]any{"result": string(state)})
	})
}

// IsUnreachable tells whether the only problem of account details is that Twilio did not answer: then they may be
// saved without the check.
func IsUnreachable(err error) bool {
	var f models.FieldErrors
	return errors.As(err, &f) && slices.ContainsFunc(f, func(e models.FieldError) bool { return e.Key == "account.unreachable" })
}

// ErrNotComplete says that earlier steps of the wizard are to be done first.
var ErrNotComplete = models.E(models.KindConflict, "account.not_complete")

// FinishAccount ends the wizard: the account is in the list as finished. ErrNotComplete for a draft whose earlier steps
// are not complete; FieldErrors when another account has taken its name or SID meanwhile, or its numbers are gone;
// ErrNotFound, store.ErrStale.
func (s *Service) FinishAccount(ctx context.Context, v models.Viewer, id models.AccountID) error {
	a, err := s.store.Account(ctx, id)
	if err != nil || a.State == models.AccountActive {
		return err
	}
	if a.Step < models.StepNumbers {
		return ErrNotComplete
	}
	if err := s.checkDraft(ctx, a); err != nil {
		return err
	}
	return s.editAccount(ctx, v, accountEdit{id, a.Version, "account.finished"}, func(a *models.Account) error {
		now := s.store.Now()
		a.State, a.Step, a.FinishedAt = models.AccountActive, models.StepCallback, &now
		return nil
	})
}

// checkDraft checks once more what other accounts may have taken meanwhile.
func (s *Service) checkDraft(ctx context.Context, a models.Account) error {
	if err := s.checkChannelDetails(ctx, a.ID, ChannelDetails{Name: a.Name, Channel: a.Channel}); err != nil {
		return err
	}
	if err := s.checkAccountDetails(ctx, a, AccountDetails{SID: a.SID}); err != nil {
		return err
	}
	return s.someNumber(ctx, a.ID)
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
		return tx.Audit(ctx, v, "account.deleted", id.Row(), map[string]any{"name": a.Name, "sid": a.SID})
	})
	if err == nil {
		s.directory.changed(ctx)
	}
	return err
}

// PublicURLIsLocal tells whether the public address is one that Twilio cannot reach: not https, a name of this machine
// or of a local network, or a private address.
func (s *Service) PublicURLIsLocal() bool {
	h := s.publicURL.Hostname()
	if ip, err := netip.ParseAddr(h); err == nil {
		return s.publicURL.Scheme != "https" || !ip.IsGlobalUnicast() || ip.IsPrivate()
	}
	return s.publicURL.Scheme != "https" || !strings.Contains(h, ".") || strings.HasSuffix(h, ".local") || strings.HasSuffix(h, ".localhost")
}

// PublicURL gives the address that browsers and Twilio use.
func (s *Service) PublicURL() string { return s.publicURL.String() }

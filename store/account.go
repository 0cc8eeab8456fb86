package store

import (
	"context"
	"time"

	"gorm.io/gorm/clause"

	"kanal/models"
)

// Errors of accounts and numbers that a form shows at a field.
var (
	ErrAccountName   = models.E(models.KindConflict, "account.name_taken")
	ErrAccountSID    = models.E(models.KindConflict, "account.sid_taken")
	ErrNumberAddress = models.E(models.KindConflict, "number.address_taken")
	// ErrInUse says that something still uses what was to be deleted.
	ErrInUse = models.E(models.KindConflict, "account.in_use")
)

func accountError(err error, doing string) error {
	switch {
	case isUnique(err, "accounts_name"):
		return ErrAccountName
	case isUnique(err, "accounts_sid"):
		return ErrAccountSID
	case isUnique(err, "numbers_address"):
		return ErrNumberAddress
	}
	return failed(err, doing)
}

// InsertAccount inserts an account and sets its id.
func (tx *Tx) InsertAccount(ctx context.Context, a *models.Account) error {
	return accountError(tx.q(ctx).Create(a).Error, "insert account")
}

var accountColumns = []string{
	"name", "channel", "sid", "token_sealed", "token_last4", "state", "step", "check_state", "checked_at", "simulated", "hide_typing",
	"remove_files", "next_token_sealed", "next_token_last4", "next_token_at", "old_token_sealed", "old_token_until",
	"version", "updated_at", "finished_at",
}

// SaveAccount writes what a person changes in an account. ErrStale when somebody else was faster, ErrAccountName,
// ErrAccountSID.
func (tx *Tx) SaveAccount(ctx context.Context, a *models.Account) error {
	was := a.Version
	a.Version++
	a.UpdatedAt = tx.Now()
	res := tx.q(ctx).Model(&models.Account{}).Where("id = ? AND version = ?", a.ID, was).Select(accountColumns).Updates(a)
	if res.Error != nil {
		return accountError(res.Error, "save account")
	}
	return changed(res, "save account")
}

// Account gives an account. ErrNotFound.
func (r Reader) Account(ctx context.Context, id models.AccountID) (models.Account, error) {
	var a models.Account
	err := r.q(ctx).Where("id = ?", id).Take(&a).Error
	return a, failed(err, "read account")
}

// activeAccount finds a finished account by a column and value other than the given account. The second result is
// false when there is none.
func (r Reader) activeAccount(ctx context.Context, where string, value any, other models.AccountID) (models.Account, bool, error) {
	var as []models.Account
	err := r.q(ctx).Where(where, value).Where("id <> ? AND state <> ?", other, models.AccountDraft).Limit(1).Find(&as).Error
	if err != nil || len(as) == 0 {
		return models.Account{}, false, failed(err, "look for account")
	}
	return as[0], true, nil
}

// AccountNamed finds another finished account with a name, in any case.
func (r Reader) AccountNamed(ctx context.Context, name string, other models.AccountID) (models.Account, bool, error) {
	return r.activeAccount(ctx, "lower(name) = lower(?)", name, other)
}

// AccountWithSID finds another finished account with a SID.
func (r Reader) AccountWithSID(ctx context.Context, sid string, other models.AccountID) (models.Account, bool, error) {
	return r.activeAccount(ctx, "sid = ?", sid, other)
}

const accountRow = `accounts.*,
	(SELECT count(*) FROM numbers WHERE numbers.account_id = accounts.id) AS numbers,
	(SELECT count(*) FROM numbers WHERE numbers.account_id = accounts.id AND numbers.address <> ?) AS own_numbers,
	EXISTS (SELECT 1 FROM conversations WHERE conversations.account_id = accounts.id)
		OR EXISTS (SELECT 1 FROM numbers WHERE numbers.account_id = accounts.id AND numbers.workstream_id IS NOT NULL) AS in_use`

// Accounts gives all accounts by name, drafts last.
func (r Reader) Accounts(ctx context.Context) ([]models.AccountRow, error) {
	var rows []models.AccountRow
	err := r.q(ctx).Model(&models.Account{}).Select(accountRow, models.SandboxNumber).Order("CASE WHEN state = 'draft' THEN 1 ELSE 0 END, lower(name), id").Find(&rows).Error
	if err != nil {
		return nil, failed(err, "read accounts")
	}
	var uses []struct {
		AccountID models.AccountID
		Name      string
	}
	err = r.q(ctx).Table("numbers").Distinct("numbers.account_id", "workstreams.name").
		Joins("JOIN workstreams ON workstreams.id = numbers.workstream_id").Order("workstreams.name").Find(&uses).Error
	if err != nil {
		return nil, failed(err, "read workstreams of accounts")
	}
	for i := range rows {
		for _, u := range uses {
			if u.AccountID == rows[i].ID {
				if rows[i].Workstreams != "" {
					rows[i].Workstreams += ", "
				}
				rows[i].Workstreams += u.Name
			}
		}
	}
	return rows, nil
}

// DeleteAccount deletes an account with its numbers. ErrInUse when a workstream or a conversation uses it.
func (tx *Tx) DeleteAccount(ctx context.Context, id models.AccountID) error {
	if err := tx.lockAccount(ctx, id); err != nil {
		return err
	}
	// A workstream may be claiming one of its numbers.
	var numbers []models.Number
	if err := tx.q(ctx).Clauses(clause.Locking{Strength: "UPDATE"}).Where("account_id = ?", id).Order("id").Find(&numbers).Error; err != nil {
		return failed(err, "lock numbers")
	}
	var used int64
	err := tx.q(ctx).Raw(`SELECT (SELECT count(*) FROM conversations WHERE account_id = ?)
		+ (SELECT count(*) FROM numbers WHERE account_id = ? AND workstream_id IS NOT NULL)`, id, id).Scan(&used).Error
	if err != nil || used > 0 {
		return orInUse(failed(err, "look for uses"))
	}
	for _, table := range []any{&models.Quarantine{}, &models.Alert{}, &models.Template{}, &models.Number{}} {
		if err := tx.q(ctx).Where("account_id = ?", id).Delete(table).Error; err != nil {
			return failed(err, "delete account")
		}
	}
	return failed(tx.q(ctx).Where("id = ?", id).Delete(&models.Account{}).Error, "delete account")
}

func orInUse(err error) error {
	if err != nil {
		return err
	}
	return ErrInUse
}

// lockAccount locks an account until the transaction ends. ErrNotFound.
func (tx *Tx) lockAccount(ctx context.Context, id models.AccountID) error {
	var a models.Account
	err := tx.q(ctx).Clauses(clause.Locking{Strength: "UPDATE"}).Where("id = ?", id).Take(&a).Error
	return failed(err, "lock account")
}

// SetAccountCheck notes what Twilio said about an account's SID and token, unless either has changed since: then it gives
// false.
func (tx *Tx) SetAccountCheck(ctx context.Context, a models.Account, state models.CheckState) (bool, error) {
	res := tx.q(ctx).Model(&models.Account{}).
		Where("id = ? AND sid = ? AND token_sealed = ? AND next_token_sealed = ?", a.ID, a.SID, a.TokenSealed, a.NextTokenSealed).
		Updates(map[string]any{"check_state": state, "checked_at": tx.Now()})
	return res.RowsAffected == 1, failed(res.Error, "note check")
}

// StopAccount notes that an account sends nothing, with Twilio's code; false when it was noted before.
func (tx *Tx) StopAccount(ctx context.Context, id models.AccountID, code int) (bool, error) {
	res := tx.q(ctx).Model(&models.Account{}).Where("id = ? AND stopped_at IS NULL", id).
		UpdateColumns(map[string]any{"stopped_at": tx.Now(), "stopped_code": code})
	return res.RowsAffected == 1, failed(res.Error, "stop account")
}

// ResumeAccount notes that an account sends again; false when it had not stopped.
func (tx *Tx) ResumeAccount(ctx context.Context, id models.AccountID) (bool, error) {
	res := tx.q(ctx).Model(&models.Account{}).Where("id = ? AND stopped_at IS NOT NULL", id).
		UpdateColumns(map[string]any{"stopped_at": nil, "stopped_code": 0})
	return res.RowsAffected == 1, failed(res.Error, "resume account")
}

// StoppedAccounts gives the accounts whose sending has stopped and which Twilio was not asked about since a time.
func (r Reader) StoppedAccounts(ctx context.Context, before time.Time) ([]models.Account, error) {
	var as []models.Account
	err := r.q(ctx).Where("stopped_at < ? AND (checked_at IS NULL OR checked_at < ?)", before, before).Order("id").Find(&as).Error
	return as, failed(err, "read stopped accounts")
}

// SetAccountToken writes an account's sealed token.
func (tx *Tx) SetAccountToken(ctx context.Context, id models.AccountID, sealed, last4 string) error {
	res := tx.q(ctx).Model(&models.Account{}).Where("id = ?", id).
		Updates(map[string]any{"token_sealed": sealed, "token_last4": last4, "updated_at": tx.Now()})
	return changed(res, "write token")
}

// ForgetOldTokens drops the tokens of rotations that check no signatures any more.
func (tx *Tx) ForgetOldTokens(ctx context.Context) error {
	err := tx.q(ctx).Model(&models.Account{}).Where("old_token_until < ?", tx.Now()).
		Updates(map[string]any{"old_token_sealed": "", "old_token_until": nil}).Error
	return failed(err, "forget old tokens")
}

// SetCaughtUp notes up to when what Twilio has taken in for an account is here, by the account's clock. It never goes back.
func (tx *Tx) SetCaughtUp(ctx context.Context, id models.AccountID, at time.Time) error {
	err := tx.q(ctx).Model(&models.Account{}).Where("id = ? AND (caught_up_at IS NULL OR caught_up_at < ?)", id, at).
		UpdateColumn("caught_up_at", at).Error // nobody has changed the account
	return failed(err, "note catching up")
}

// NewestInbound gives when the account's newest message of a customer came; zero when there is none.
func (r Reader) NewestInbound(ctx context.Context, id models.AccountID) (time.Time, error) {
	var newest []models.ServiceWindow
	err := r.q(ctx).Where("account_id = ?", id).Order("last_inbound_at DESC").Limit(1).Find(&newest).Error
	if err != nil || len(newest) == 0 {
		return time.Time{}, failed(err, "read newest message")
	}
	return newest[0].LastInboundAt, nil
}

package store

import (
	"context"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"kanal/models"
)

// Errors of templates that a form shows at a field.
var (
	// ErrTemplateName says that the account has a typed template with this name in this language.
	ErrTemplateName = models.E(models.KindConflict, "template.name_taken")
	// ErrTemplateSID says that the account has a template with this Content SID.
	ErrTemplateSID = models.E(models.KindConflict, "template.sid_taken")
)

func templateError(err error, doing string) error {
	switch {
	case isUnique(err, "templates_name"):
		return ErrTemplateName
	case isUnique(err, "templates_content_sid"):
		return ErrTemplateSID
	}
	return failed(err, doing)
}

// TemplatePage is the number of rows of one page of templates.
const TemplatePage = 50

// TemplateOf gives a template of an account, also one that is removed. ErrNotFound, also for one of another account.
func (r Reader) TemplateOf(ctx context.Context, account models.AccountID, id models.TemplateID) (models.Template, error) {
	var t models.Template
	err := r.q(ctx).Where("id = ? AND account_id = ?", id, account).Take(&t).Error
	return t, failed(err, "read template")
}

// Template gives a template that is not removed. ErrNotFound.
func (r Reader) Template(ctx context.Context, id models.TemplateID) (models.Template, error) {
	var t models.Template
	err := r.q(ctx).Where("id = ? AND removed_at IS NULL", id).Take(&t).Error
	return t, failed(err, "read template")
}

// TemplateChoice says which templates may be sent now: those of an account, in an open window or a closed one. Language
// is the customer's: its templates come first. Query is looked for in name and text. Rows is 0 for TemplatePage.
type TemplateChoice struct {
	Account    models.AccountID
	WindowOpen bool
	Language   string
	Query      string
	Rows       int
}

// UsableTemplates gives the templates that may be sent, those in the customer's language first. It gives at most one
// row more than was asked for: then there are more.
func (r Reader) UsableTemplates(ctx context.Context, c TemplateChoice) ([]models.Template, error) {
	if c.Rows == 0 {
		c.Rows = TemplatePage
	}
	db := searched(usable(r.live(ctx, c.Account), c.WindowOpen), c.Query)
	base, _, _ := strings.Cut(c.Language, "_")
	order := clause.OrderBy{Expression: clause.Expr{
		SQL:  `CASE WHEN language = ? THEN 0 WHEN language = ? OR language LIKE ? ESCAPE '\' THEN 1 ELSE 2 END, lower(name), id`,
		Vars: []any{c.Language, base, base + `\_%`}, WithoutParentheses: true,
	}}
	if base == "" {
		order.Expression = clause.Expr{SQL: "lower(name), id"}
	}
	var ts []models.Template
	return ts, failed(db.Clauses(order).Limit(c.Rows+1).Find(&ts).Error, "read templates")
}

// live are the templates of an account that are not removed; of all accounts for the zero account.
func (r Reader) live(ctx context.Context, account models.AccountID) *gorm.DB {
	db := r.q(ctx).Model(&models.Template{}).Where("templates.removed_at IS NULL")
	if account != 0 {
		db = db.Where("templates.account_id = ?", account)
	}
	return db
}

// usable says in SQL what models.Template.Usable says.
func usable(db *gorm.DB, windowOpen bool) *gorm.DB {
	if !windowOpen {
		return db.Where("status = ? AND content_sid <> ''", models.TemplateApproved)
	}
	return db.Where("(status = ? OR (status IN ? AND in_window))", models.TemplateApproved,
		[]models.TemplateStatus{models.TemplateNone, models.TemplateUnsubmitted})
}

func searched(db *gorm.DB, query string) *gorm.DB {
	query = strings.ToLower(strings.TrimSpace(query))
	if query == "" {
		return db
	}
	return db.Where(`search_text LIKE ? ESCAPE '\'`, "%"+likeEscaper.Replace(query)+"%")
}

var likeEscaper = strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`)

// WaitingTemplates counts the templates of an account on which WhatsApp is still to decide.
func (r Reader) WaitingTemplates(ctx context.Context, account models.AccountID) (int, error) {
	var n int64
	err := r.live(ctx, account).Where("status IN ?", []models.TemplateStatus{models.TemplateReceived, models.TemplatePending}).Count(&n).Error
	return int(n), failed(err, "count templates")
}

// CountTemplates counts the templates of an account, or of all accounts for the zero account.
func (r Reader) CountTemplates(ctx context.Context, account models.AccountID) (int, error) {
	var n int64
	return int(n), failed(r.live(ctx, account).Count(&n).Error, "count templates")
}

// TemplateFilter says which templates a list shows. The zero value of a field is all. Rows is 0 for TemplatePage. After
// and Before are templates between which the page lies; one that was removed meanwhile still marks its place.
type TemplateFilter struct {
	Account       models.AccountID
	Status        string // a status, or "none" for a template that was typed and not asked about
	Query         string
	Rows          int
	After, Before models.TemplateID
}

// page bounds a list of templates by name to what comes after or before a template.
func (f TemplateFilter) page(db *gorm.DB) *gorm.DB {
	const key = "(lower(templates.name), templates.language, templates.id)"
	const place = "(SELECT lower(at.name), at.language, at.id FROM templates at WHERE at.id = ?)"
	switch {
	case f.After != 0:
		db = db.Where(key+" > "+place, f.After)
	case f.Before != 0:
		return db.Where(key+" < "+place, f.Before).Order("lower(templates.name) DESC, templates.language DESC, templates.id DESC")
	}
	return db.Order("lower(templates.name), templates.language, templates.id")
}

// Templates gives the templates of a list by name. It gives at most one row more than was asked for: then there are
// more, at the far end.
func (r Reader) Templates(ctx context.Context, f TemplateFilter) ([]models.TemplateRow, error) {
	if f.Rows == 0 {
		f.Rows = TemplatePage
	}
	db := searched(r.live(ctx, f.Account), f.Query)
	switch f.Status {
	case "":
	case "none":
		db = db.Where("status = ''")
	default:
		db = db.Where("status = ?", f.Status)
	}
	var rows []models.TemplateRow
	err := f.page(db).Select("templates.*, accounts.name AS account_name").Joins("JOIN accounts ON accounts.id = templates.account_id").
		Limit(f.Rows + 1).Find(&rows).Error
	if f.Before != 0 {
		slices.Reverse(rows)
	}
	return rows, failed(err, "read templates")
}

// TemplateNamed tells whether an account has another template with a name, in any case, in a language.
func (r Reader) TemplateNamed(ctx context.Context, t models.Template) (bool, error) {
	var n int64
	err := r.live(ctx, t.AccountID).Where("lower(name) = lower(?) AND language = ? AND id <> ?", t.Name, t.Language, t.ID).Count(&n).Error
	return n > 0, failed(err, "look for template")
}

// InsertTemplate inserts a template and sets its id. ErrTemplateName, ErrTemplateSID.
func (tx *Tx) InsertTemplate(ctx context.Context, t *models.Template) error {
	t.Index()
	return templateError(tx.q(ctx).Create(t).Error, "insert template")
}

var templateColumns = []string{
	"name", "language", "category", "kind", "body", "content_sid", "content", "variables", "field_names", "in_window", "search_text", "status",
	"rejection_reason", "quality", "source", "version", "updated_at", "synced_at", "removed_at",
}

// SaveTemplate writes what changes in a template. ErrStale when somebody else was faster, ErrTemplateName, ErrTemplateSID.
func (tx *Tx) SaveTemplate(ctx context.Context, t *models.Template) error {
	was := t.Version
	t.Version++
	t.UpdatedAt = tx.Now()
	t.Index()
	res := tx.q(ctx).Model(&models.Template{}).Where("id = ? AND version = ?", t.ID, was).Select(templateColumns).Updates(t)
	if res.Error != nil {
		return templateError(res.Error, "save template")
	}
	return changed(res, "save template")
}

// TemplateSync gives the newest fetching of an account's templates; the zero value when there was none.
func (r Reader) TemplateSync(ctx context.Context, account models.AccountID) (models.TemplateSync, error) {
	var ss []models.TemplateSync
	err := r.q(ctx).Where("account_id = ?", account).Limit(1).Find(&ss).Error
	if err != nil || len(ss) == 0 {
		return models.TemplateSync{AccountID: account}, failed(err, "read fetching")
	}
	return ss[0], nil
}

// LockTemplateSync is TemplateSync with the row locked until the transaction ends. The account is locked first: two that
// begin at the same moment come one after the other.
func (tx *Tx) LockTemplateSync(ctx context.Context, account models.AccountID) (models.TemplateSync, error) {
	if err := tx.lockAccount(ctx, account); err != nil {
		return models.TemplateSync{}, err
	}
	return tx.TemplateSync(ctx, account)
}

// SaveTemplateSync writes how far a fetching has come.
func (tx *Tx) SaveTemplateSync(ctx context.Context, s models.TemplateSync) error {
	s.UpdatedAt = tx.Now()
	return failed(tx.q(ctx).Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "account_id"}}, UpdateAll: true}).Create(&s).Error, "save fetching")
}

// TemplatesBySID gives the templates of an account with these Content SIDs, also those that are removed; of several with
// the same one, the one that is not.
func (tx *Tx) TemplatesBySID(ctx context.Context, account models.AccountID, sids []string) (map[string]models.Template, error) {
	var ts []models.Template
	err := tx.q(ctx).Where("account_id = ? AND content_sid IN ?", account, sids).Find(&ts).Error
	if err != nil {
		return nil, failed(err, "read templates")
	}
	out := make(map[string]models.Template, len(ts))
	for _, t := range ts {
		if was, ok := out[t.ContentSID]; !ok || was.RemovedAt != nil {
			out[t.ContentSID] = t
		}
	}
	return out, nil
}

// InsertTemplates inserts templates.
func (tx *Tx) InsertTemplates(ctx context.Context, ts []models.Template) error {
	if len(ts) == 0 {
		return nil
	}
	for i := range ts {
		ts[i].Index()
	}
	return templateError(tx.q(ctx).CreateInBatches(&ts, 100).Error, "insert templates")
}

// MarkTemplatesSynced notes that Twilio has these templates.
func (tx *Tx) MarkTemplatesSynced(ctx context.Context, ids []models.TemplateID) error {
	if len(ids) == 0 {
		return nil
	}
	return failed(tx.q(ctx).Model(&models.Template{}).Where("id IN ?", ids).Update("synced_at", tx.Now()).Error, "mark templates")
}

// RemoveUnsyncedTemplates removes the templates of an account that a whole fetching since the time has not found at
// Twilio, and gives how many.
func (tx *Tx) RemoveUnsyncedTemplates(ctx context.Context, account models.AccountID, since time.Time) (int, error) {
	res := tx.q(ctx).Model(&models.Template{}).
		Where("account_id = ? AND source = ? AND removed_at IS NULL AND created_at < ? AND (synced_at IS NULL OR synced_at < ?)", account, models.TemplateTwilio, since, since).
		Updates(map[string]any{"removed_at": tx.Now(), "updated_at": tx.Now()})
	return int(res.RowsAffected), failed(res.Error, "remove templates")
}

// DueTemplates gives templates whose approval is to be asked about: those on which WhatsApp is still to decide, and those
// that were typed with a Content SID and not found yet. Those that were asked about longest ago come first.
func (r Reader) DueTemplates(ctx context.Context, before time.Time, limit int) ([]models.Template, error) {
	var ts []models.Template
	err := r.live(ctx, 0).Where("status IN ? OR (status = '' AND content_sid <> '')", []models.TemplateStatus{models.TemplateReceived, models.TemplatePending}).
		Where("synced_at IS NULL OR synced_at < ?", before).
		Order("CASE WHEN synced_at IS NULL THEN 0 ELSE 1 END, synced_at, id").Limit(limit).Find(&ts).Error
	return ts, failed(err, "read templates")
}

// DueTemplateSyncs gives the accounts whose templates were fetched once and not since the time.
func (r Reader) DueTemplateSyncs(ctx context.Context, before time.Time) ([]models.AccountID, error) {
	var ids []models.AccountID
	err := r.q(ctx).Model(&models.TemplateSync{}).Joins("JOIN accounts ON accounts.id = template_syncs.account_id").
		Where("accounts.state = ? AND template_syncs.updated_at < ?", models.AccountActive, before).
		Order("template_syncs.updated_at").Pluck("template_syncs.account_id", &ids).Error
	return ids, failed(err, "read fetchings")
}

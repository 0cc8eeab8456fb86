package store

import (
	"context"

	"kanal/models"
)

const progressCounts = `SELECT
	(SELECT count(*) FROM accounts WHERE state <> 'draft') AS accounts,
	EXISTS (SELECT 1 FROM accounts WHERE sid <> '' AND token_sealed <> '') AS credentials,
	EXISTS (SELECT 1 FROM accounts WHERE first_message_at IS NOT NULL) AS first_message,
	(SELECT count(*) FROM workstreams) AS workstreams,
	(SELECT count(*) FROM numbers WHERE workstream_id IS NOT NULL) AS claimed,
	(SELECT count(DISTINCT users.id) FROM users JOIN queue_members ON queue_members.user_id = users.id
		WHERE users.deactivated_at IS NULL) AS team,
	(SELECT count(DISTINCT users.id) FROM users JOIN queue_members ON queue_members.user_id = users.id
		WHERE users.deactivated_at IS NULL AND users.role <> 'administrator') AS colleagues,
	EXISTS (SELECT 1 FROM templates WHERE removed_at IS NULL) AS templates,
	EXISTS (SELECT 1 FROM messages WHERE direction = 'out' AND user_id IS NOT NULL AND state IN ('sent', 'delivered', 'read')) AS answered`

// Progress tells how far the installation has come.
func (r Reader) Progress(ctx context.Context) (models.Progress, error) {
	var row struct {
		Accounts, Workstreams, Claimed, Team, Colleagues int
		Credentials, FirstMessage, Answered, Templates   bool
	}
	if err := r.q(ctx).Raw(progressCounts).Scan(&row).Error; err != nil {
		return models.Progress{}, failed(err, "count progress")
	}
	p := models.Progress{
		Accounts: row.Accounts, Credentials: row.Credentials, FirstMessage: row.FirstMessage, Workstreams: row.Workstreams,
		Claimed: row.Claimed, Team: row.Team, Colleagues: row.Colleagues, Answered: row.Answered, Templates: row.Templates,
	}
	var err error
	if p.AccountDraft, err = first[models.Account](ctx, r, "state = 'draft'", "id DESC"); err != nil {
		return p, err
	}
	if p.Silent, err = first[models.Account](ctx, r, "state <> 'draft' AND first_message_at IS NULL", "id"); err != nil {
		return p, err
	}
	bare := "NOT EXISTS (SELECT 1 FROM numbers WHERE numbers.workstream_id = workstreams.id)"
	if p.Workstream, err = first[models.Workstream](ctx, r, bare, "id"); err != nil || p.Workstream == nil {
		return p, err
	}
	d, err := r.ChannelDraft(ctx, p.Workstream.ID)
	p.ChannelStep = d.Step
	return p, err
}

// first gives the first row of a kind that fits; nil for none.
func first[T any](ctx context.Context, r Reader, where, order string) (*T, error) {
	var rows []T
	err := r.q(ctx).Where(where).Order(order).Limit(1).Find(&rows).Error
	if err != nil || len(rows) == 0 {
		return nil, failed(err, "read progress")
	}
	return &rows[0], nil
}

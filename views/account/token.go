package account

import (
	"context"
	"time"

	"kanal/models"
	"kanal/views/components"
	"kanal/views/i18n"
)

// Rotation is the page on which the auth token of an account is rotated.
type Rotation struct {
	Account models.Account
	Errors  components.Errors
	Stale   bool // somebody else has changed the account meanwhile
	Now     time.Time
}

// TokenURL is the page of rotating the token of an account.
func TokenURL(id models.AccountID) string { return URL(id) + "/token" }

func (r Rotation) field(ctx context.Context) components.Field {
	return components.Field{
		Name: "token", Label: i18n.T(ctx, "token.secondary"), Hint: i18n.T(ctx, "token.secondary_hint"), Problem: r.Errors.For("token"),
	}
}

// oldUntil says until when the old token still checks signatures, "" when none does.
func (r Rotation) oldUntil(ctx context.Context) string {
	if until := r.Account.OldTokenUntil; until != nil && r.Now.Before(*until) {
		return i18n.Clock(ctx, *until)
	}
	return ""
}

func (r Rotation) begun(ctx context.Context) string {
	if r.Account.NextTokenAt == nil {
		return ""
	}
	return i18n.T(ctx, "token.next_since", "when", i18n.DateTime(ctx, *r.Account.NextTokenAt, r.Now))
}

func tokenCrumbs(ctx context.Context, a models.Account) []components.Crumb {
	list := crumbs(ctx, Name(ctx, a))
	list[len(list)-1].URL = StepURL(a.ID, models.StepAccountDetails)
	return append(list, components.Crumb{Label: i18n.T(ctx, "token.rotate")})
}

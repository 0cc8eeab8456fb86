package inbox

import (
	"context"

	"kanal/models"
	"kanal/views/i18n"
)

func earlierTitle(ctx context.Context, r models.ConversationRow) string {
	if p := preview(ctx, r); p != "" {
		return p
	}
	return i18n.T(ctx, "cstate."+string(r.State))
}

package service

import (
	"context"

	"kanal/models"
	"kanal/store"
)

// Answering is what an agent has decided about answering in a conversation that another agent has.
type Answering string

// The decisions. Without one ErrOtherAgent asks.
const (
	Undecided  Answering = ""
	TakingOver Answering = "take" // the conversation becomes the agent's
	Helping    Answering = "help" // it stays with the one who has it
)

// Decision is an Answering with the owner whom it is about: a take-over is one of this agent only.
type Decision struct {
	Answering Answering
	Owner     models.UserID
}

// answers tells whether the viewer may answer in a locked conversation, and whether it becomes the viewer's by that.
// ErrOtherAgent asks for a decision: once for each owner who is helped.
func answers(ctx context.Context, tx *store.Tx, v models.Viewer, c models.Conversation, d Decision) (takes bool, err error) {
	switch {
	case c.UserID == nil:
		return true, nil
	case *c.UserID == v.User:
		return c.State != models.Active, nil
	case d.Answering == Helping:
		return false, nil
	case d.Answering == TakingOver && d.Owner == *c.UserID:
		return true, nil
	}
	if d.Answering == Undecided && c.AssignedAt != nil {
		if helps, err := tx.HasWritten(ctx, c, v.User, *c.AssignedAt); err != nil || helps {
			return false, err
		}
	}
	return false, ErrOtherAgent
}

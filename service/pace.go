package service

import (
	"context"
	"time"

	"kanal/models"
	"kanal/store"
	"kanal/twilio"
)

// waitsForTurn tells whether a message has to wait because its sender takes so many only; a job is entered for its turn.
// Only the sandbox is that slow.
func (s *Service) waitsForTurn(ctx context.Context, tx *store.Tx, c models.Conversation, now time.Time) (bool, error) {
	number, err := s.directory.numberByID(c.NumberID)
	if err != nil || number.Address != models.SandboxNumber {
		return false, err
	}
	turn, err := tx.TakeTurn(ctx, number.ID, now, twilio.SandboxPace)
	if err != nil || turn.IsZero() {
		return false, err
	}
	return true, tx.Enqueue(ctx, models.SendConversation{Conversation: c.ID}, store.At(turn))
}

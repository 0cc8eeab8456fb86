package service

import (
	"context"
	"fmt"

	"kanal/models"
	"kanal/store"
)

// NoteTranscript notes that the viewer takes a conversation away as a file. ErrNotFound.
func (s *Service) NoteTranscript(ctx context.Context, v models.Viewer, id models.ConversationID) error {
	return s.store.InTx(ctx, func(tx *store.Tx) error {
		c, err := tx.VisibleConversation(ctx, v, id)
		if err != nil {
			return err
		}
		return tx.Audit(ctx, v, "transcript.downloaded", fmt.Sprintf("conversations/%d", c.ID), map[string]any{"messages": c.Seq})
	})
}

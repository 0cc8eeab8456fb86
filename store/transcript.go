package store

import (
	"context"

	"kanal/models"
)

// TranscriptPage is the number of messages of a transcript that are read at once.
const TranscriptPage = 500

// MessagesAfter gives the messages of a conversation that come after a seq in the order on screen, at most TranscriptPage.
func (r Reader) MessagesAfter(ctx context.Context, c models.Conversation, after float64) ([]models.Message, error) {
	var ms []models.Message
	err := r.messages(ctx, c).Where("messages.seq > ?", after).Order("messages.seq").Limit(TranscriptPage).Find(&ms).Error
	return ms, failed(err, "read messages of transcript")
}

package service

import (
	"context"
	"slices"

	"kanal/models"
	"kanal/store"
)

// Beat is what a page says about itself: it is there, its person writes, or it goes.
type Beat struct {
	Typing bool
	Leaves bool
}

// View notes that the viewer has a conversation before them, and gives the others who have. Those hear of it when it is
// new, or when the viewer begins or ends to write. ErrNotFound.
func (s *Service) View(ctx context.Context, v models.Viewer, id models.ConversationID, b Beat) ([]models.Viewing, error) {
	c, err := s.store.VisibleConversation(ctx, v, id)
	if err != nil {
		return nil, err
	}
	now := s.store.Now()
	all, err := s.store.Viewings(ctx, c, now.Add(-models.ViewingLasts))
	if err != nil {
		return nil, err
	}
	own := slices.IndexFunc(all, func(w models.Viewing) bool { return w.UserID == v.User })
	others := slices.DeleteFunc(slices.Clone(all), func(w models.Viewing) bool { return w.UserID == v.User })
	was := models.Viewing{}
	if own >= 0 {
		was = all[own]
	}
	there := own >= 0
	if b.Leaves && !there || !b.Leaves && there && was.Says(b.Typing, now) {
		return others, nil
	}
	changed := there == b.Leaves || was.Typing() != b.Typing
	return others, s.store.InTx(ctx, func(tx *store.Tx) error {
		if changed && len(others) > 0 {
			tx.Publish(viewingEvent(c, others))
		}
		if b.Leaves {
			return tx.RemoveViewing(ctx, c, v.User)
		}
		w := models.Viewing{AccountID: c.AccountID, ConversationID: c.ID, UserID: v.User, SeenAt: now}
		if b.Typing {
			w.TypedAt = &now
			if err := s.askTyping(ctx, tx, c); err != nil {
				return err
			}
		}
		return tx.SaveViewing(ctx, w)
	})
}

// viewingEvent is for the people who have the conversation before them: nobody else shows who does.
func viewingEvent(c models.Conversation, to []models.Viewing) models.Event {
	e := models.Event{Name: models.EventViewing, Account: c.AccountID, Conversation: c.ID}
	for _, w := range to {
		e.Users = append(e.Users, w.UserID)
	}
	return e
}

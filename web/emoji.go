package web

import (
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"kanal/models"
	"kanal/views/inbox"
)

// emojiPage shows the emoji that can be put into a message; as a page of its own, beside the draft.
func (s *Server) emojiPage(c echo.Context) error {
	row, err := s.conversation(c)
	if err != nil {
		return err
	}
	return s.showEmoji(c, http.StatusOK, inbox.EmojiPicker{Row: row, Text: row.Draft})
}

func (s *Server) showEmoji(c echo.Context, status int, p inbox.EmojiPicker) error {
	p.Dialog = isPartial(c)
	return s.inboxDialog(c, status, text(c, "emoji.title"), inbox.EmojiDialog(p))
}

// addEmoji is for those without script: what the composer has posted becomes the draft, with an emoji at its end when one
// was chosen. Done leads back to it.
func (s *Server) addEmoji(c echo.Context) error {
	row, err := s.conversation(c)
	if err != nil {
		return err
	}
	in, _, err := s.readReply(c, row)
	if err != nil {
		return s.replyRefused(c, row, in, err)
	}
	chosen := field(c, "emoji")
	if chosen != "" && !slices.Contains(inbox.Emoji(), chosen) {
		return models.ErrNotFound
	}
	in.Body += chosen
	if err := s.service.SaveDraft(c.Request().Context(), personOf(c).viewer, row.ID, in.Body); err != nil {
		return err
	}
	if c.Request().PostForm.Has("done") {
		return s.redirect(c, conversationPath(row.ID))
	}
	return s.showEmoji(c, http.StatusOK, inbox.EmojiPicker{Row: row, Text: in.Body})
}

package web

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"kanal/views/inbox"
)

// emojiPage shows the emoji that can be put into a message.
func (s *Server) emojiPage(c echo.Context) error {
	return s.inboxDialog(c, http.StatusOK, text(c, "emoji.title"), inbox.EmojiDialog())
}

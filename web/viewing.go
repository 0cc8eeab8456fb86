package web

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"kanal/models"
	"kanal/service"
	"kanal/views/inbox"
)

// viewing takes a page's beat and answers who else has the conversation open.
func (s *Server) viewing(c echo.Context) error {
	id, err := models.ParseID[models.ConversationID](c.Param("conversation"))
	if err != nil {
		return err
	}
	others, err := s.service.View(c.Request().Context(), personOf(c).viewer, id, service.Beat{Typing: on(c, "typing"), Leaves: on(c, "leaves")})
	if err != nil {
		return err
	}
	return s.part(c, http.StatusOK, inbox.Viewers(inbox.Watchers{Others: others, Now: s.store.Now()}))
}

// watchers reads who else has a conversation open.
func (s *Server) watchers(c echo.Context, row models.ConversationRow) (inbox.Watchers, error) {
	w := inbox.Watchers{Now: s.store.Now()}
	all, err := s.store.Viewings(c.Request().Context(), row.Conversation, w.Now.Add(-models.ViewingLasts))
	for _, v := range all {
		if v.UserID != personOf(c).viewer.User {
			w.Others = append(w.Others, v)
		}
	}
	return w, err
}

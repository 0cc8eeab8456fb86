package inbox

import (
	"context"
	"strings"
	"testing"
	"time"

	"kanal/models"
	"kanal/views/components"
	"kanal/views/i18n"
	"kanal/views/viewtest"
)

func TestLaterKeepsTheRules(t *testing.T) {
	at := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	owner := models.UserID(1)
	l := Later{Row: models.ConversationRow{Conversation: models.Conversation{ID: 3, UserID: &owner}}, Now: at, Messages: []models.ScheduledMessage{
		{ID: 1, UserID: 1, UserName: "<Ida>", State: models.ScheduledWaiting, Body: "<b>a", DueAt: at.Add(time.Hour)},
		{ID: 2, UserID: 2, UserName: "<Mads>", State: models.ScheduledWaiting, Body: "b", TemplateName: "<t>", DueAt: at.Add(2 * time.Hour)},
		{ID: 3, UserID: 2, UserName: "<Mads>", State: models.ScheduledFailed, Problem: "scheduled.failed_window", Body: "c", DueAt: at},
	}, Files: map[models.ScheduledID][]models.File{1: {{ID: 9, Name: "<a>.pdf", ContentType: "application/pdf", State: models.FileStored}}}}
	for _, tt := range []struct {
		viewer          models.Viewer
		cancel, send    int
		name, hidesName string
	}{
		{models.Viewer{User: 1, Role: models.Agent}, 3, 1, "&lt;Mads&gt;", "&lt;Ida&gt;"},
		{models.Viewer{User: 2, Role: models.Agent}, 2, 2, "&lt;Ida&gt;", "&lt;Mads&gt;"},
		{models.Viewer{User: 3, Role: models.Agent}, 0, 0, "&lt;Ida&gt;", ""},
		{models.Viewer{User: 3, Role: models.Supervisor}, 3, 0, "&lt;Ida&gt;", ""},
	} {
		l.Viewer = tt.viewer
		viewtest.Each(t, LaterList(l), func(t *testing.T, _ i18n.Lang, page string) {
			cancel, send := strings.Count(page, `/cancel" hx-post`), strings.Count(page, `/send" hx-post`)
			if cancel != tt.cancel || send != tt.send || strings.Contains(page, "<b>a") || !strings.Contains(page, tt.name) {
				t.Errorf("viewer %+v: %d cancel, %d send: %s", tt.viewer, cancel, send, page)
			}
			if tt.hidesName != "" && strings.Contains(page, tt.hidesName) {
				t.Errorf("one's own name: %s", page)
			}
		})
	}
	was := l.Version()
	l.Messages[0].Body = "changed"
	if l.Version() == was {
		t.Error("other words are no other version")
	}
	was = l.Version()
	l.Messages[0].DueAt = at.Add(3 * time.Hour)
	if l.Version() == was {
		t.Error("another time is no other version")
	}
	if was = l.Version(); len(was) == 0 || (Later{}).Version() != "" {
		t.Error("versions")
	}
	for _, f := range []LaterForm{
		{Body: "<b>", Key: "k", Zone: "Europe/Oslo"},
		{Template: &models.Template{ID: 4, Name: "t", Body: "Hei {{1}}"}, Values: map[string]string{"1": "<b>"}, Anyway: true},
		{ID: 8, Body: "<b>", Mine: true, Files: l.Files[1]},
		{ID: 7, Body: "<b>", Date: "x", Clock: "<y>", Anyway: true, Errors: components.Errors{}.With("date", "!").With("later_body", "!")},
	} {
		viewtest.Each(t, LaterDialog(f), nil)
	}
	filled := LaterForm{}.Fill(i18n.With(context.Background(), i18n.Locale{Zone: time.FixedZone("x", 2*3600)}), at)
	if filled.Date != "2026-11-24" || filled.Clock != "11:00" {
		t.Errorf("%+v", filled)
	}
}

// Package alert holds the page of what Twilio says went wrong.
package alert

import (
	"context"
	"strconv"
	"time"

	"kanal/models"
	"kanal/views/i18n"
)

// ListURL is the page of alerts.
const ListURL = "/admin/alerts"

// List is what the page shows.
type List struct {
	Groups []models.AlertGroup
	Older  string // address of the next page; "" is the last one
	Now    time.Time
}

// keys gives the key of the sentence of a code, and the one of what to do; those of an unknown code say its number. A
// code of messages has its sentence there.
func keys(code int) (sentence, advice string) {
	n := strconv.Itoa(code)
	switch {
	case code == 0:
		return "alert.code.none", "alert.do.none"
	case i18n.Has("alert.code." + n):
		return "alert.code." + n, "alert.do." + n
	case i18n.Has("twilio.code." + n):
		return "twilio.code." + n, "alert.do.other"
	}
	return "alert.code.other", "alert.do.other"
}

func sentence(ctx context.Context, code int) string {
	key, _ := keys(code)
	return i18n.T(ctx, key, "code", code, "name", i18n.T(ctx, "alert.customer"))
}

func advice(ctx context.Context, code int) string {
	_, key := keys(code)
	return i18n.T(ctx, "alert.do", "what", i18n.T(ctx, key))
}

// explained is Twilio's page about a code.
func explained(code int) string {
	return "https://www.twilio.com/docs/api/errors/" + strconv.Itoa(code)
}

// when says when the alerts of a group came.
func when(ctx context.Context, g models.AlertGroup, now time.Time) string {
	newest, oldest := g[0].HappenedAt, g[len(g)-1].HappenedAt
	if len(g) == 1 {
		return i18n.DateTime(ctx, newest, now)
	}
	return i18n.T(ctx, "alert.between", "n", len(g), "first", i18n.DateTime(ctx, oldest, now), "last", i18n.DateTime(ctx, newest, now))
}

func level(a models.Alert) (kind string) {
	if a.Level == models.LevelWarning {
		return "w"
	}
	return "e"
}

func conversationURL(id models.ConversationID) string {
	return "/inbox/" + strconv.FormatInt(int64(id), 10)
}

func domID(what string, a models.AlertRow) string {
	return what + "-" + strconv.FormatInt(int64(a.ID), 10)
}

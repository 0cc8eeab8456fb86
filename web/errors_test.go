package web

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"kanal/models"
	"kanal/twilio"
	"kanal/views/i18n"
)

// Every code of Twilio that has advice of its own has a sentence, and every kind of error a status.
func TestCodesHaveSentences(t *testing.T) {
	for _, code := range twilio.KnownCodes() {
		if key := fmt.Sprintf("twilio.code.%d", code); !i18n.Has(key) {
			t.Errorf("no %s", key)
		}
	}
	for kind := models.KindInternal; kind <= models.KindUnavailable; kind++ {
		if statusOf[kind] == 0 {
			t.Errorf("kind %d has no status", kind)
		}
	}
}

// Somebody who has gone gets no page, and that is no fault of the program's: it ends with a status that is not 200, and
// the log has no error.
func TestErrorForSomebodyWhoHasGone(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	s := newSite(t, func(o *Options) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	ctx, gone := context.WithCancel(t.Context())
	gone()
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/nowhere", nil))
	if w.Code == http.StatusOK {
		t.Errorf("status %d", w.Code)
	}
	if strings.Contains(log.String(), "ERROR") {
		t.Errorf("log:\n%s", log.String())
	}
}

package web

import (
	"fmt"
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

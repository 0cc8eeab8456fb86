package models_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"kanal/models"
)

func TestSecretIsNeverPrinted(t *testing.T) {
	secret := models.Secret("sesame-open-0123")
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "token", secret, "in", struct{ S models.Secret }{secret})
	asJSON, err := json.Marshal(map[string]any{"token": secret})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"%v": fmt.Sprintf("%v", secret), "String": secret.String(), "%+v": fmt.Sprintf("%+v", struct{ S models.Secret }{secret}),
		"%#v": fmt.Sprintf("%#v", secret), "%q": fmt.Sprintf("%q", secret), "json": string(asJSON), "log": log.String(),
	} {
		if strings.Contains(text, "sesame") {
			t.Errorf("%s shows %s", name, text)
		}
	}
	if secret.Reveal() != "sesame-open-0123" {
		t.Error("Reveal does not")
	}
}

func TestLast4(t *testing.T) {
	for secret, want := range map[models.Secret]string{"": "", "1234567": "", "12345678": "5678", "sesame-open-0123": "0123"} {
		if got := secret.Last4(); got != want {
			t.Errorf("%d characters: %q, want %q", len(secret), got, want)
		}
	}
}

func TestParseID(t *testing.T) {
	if id, err := models.ParseID[models.AccountID]("9223372036854775807"); err != nil || id != 9223372036854775807 {
		t.Error(id, err)
	}
	for _, text := range []string{"", "0", "-1", "+7", "007", " 7", "7 ", "7.0", "0x7", "9223372036854775808", "seven", "٧", "1e3", "7\x00"} {
		if id, err := models.ParseID[models.AccountID](text); !errors.Is(err, models.ErrNotFound) || id != 0 {
			t.Errorf("%q: %d, %v", text, id, err)
		}
	}
}

func TestErrors(t *testing.T) {
	cause := errors.New("disk full")
	wrapped := fmt.Errorf("while saving: %w", models.E(models.KindConflict, "account.stale"))
	for _, tt := range []struct {
		err  error
		kind models.Kind
	}{
		{cause, models.KindInternal},
		{models.Wrap(cause, "write %s", "x"), models.KindInternal},
		{wrapped, models.KindConflict},
		{fmt.Errorf("form: %w", models.FieldErrors{{Field: "name"}}), models.KindInvalid},
		{models.ErrNotFound, models.KindNotFound},
	} {
		if got := models.KindOf(tt.err); got != tt.kind {
			t.Errorf("%v: kind %d, want %d", tt.err, got, tt.kind)
		}
	}
	if !errors.Is(models.Wrap(cause, "write"), cause) {
		t.Error("the cause is lost")
	}
	if !errors.Is(wrapped, models.E(models.KindConflict, "account.stale", "name", "x")) {
		t.Error("the same kind and key are the same error, whatever the values")
	}
	if errors.Is(wrapped, models.E(models.KindConflict, "number.stale")) || errors.Is(wrapped, models.E(models.KindInvalid, "account.stale")) {
		t.Error("another key or kind is another error")
	}
	var none models.FieldErrors
	if none.Err() != nil {
		t.Error("no problems are no error")
	}
	none.Add("name", "user.name_missing")
	if err := none.Err(); err == nil || err.Error() != "name: user.name_missing" {
		t.Error(err)
	}
}

func TestStepsOfTheWizards(t *testing.T) {
	for i, name := range models.AccountSteps() {
		step, err := models.ParseAccountStep(name)
		if err != nil || int(step) != i+1 || step.Path() != name {
			t.Errorf("%s: %d, %v, %s", name, step, err, step.Path())
		}
	}
	for i, name := range models.ChannelSteps() {
		step, err := models.ParseChannelStep(name)
		if err != nil || int(step) != i+1 || step.Path() != name {
			t.Errorf("%s: %d, %v, %s", name, step, err, step.Path())
		}
	}
	if _, err := models.ParseAccountStep("summary"); !errors.Is(err, models.ErrNotFound) {
		t.Error(err)
	}
	if _, err := models.ParseChannelStep(""); !errors.Is(err, models.ErrNotFound) {
		t.Error(err)
	}
	if models.StepNone.Path() != "channel-details" || models.AccountStep(99).Path() != "channel-details" {
		t.Error("an impossible step leads to the first")
	}
	draft := models.Account{State: models.AccountDraft, Step: models.StepChannelDetails}
	if !draft.Open(models.StepAccountDetails) || draft.Open(models.StepNumbers) {
		t.Error("a draft opens the step after the last complete one and none further")
	}
	if draft.State = models.AccountActive; !draft.Open(models.StepCallback) {
		t.Error("a finished account opens all")
	}
	n := models.NumberID(7)
	channel := models.ChannelDraft{Step: models.ChannelNumber, NumberID: &n}
	if !channel.Open(models.ChannelLanguage) || channel.Open(models.ChannelBehaviors) {
		t.Error("a draft opens the step after the last complete one and none further")
	}
	channel.Step = models.ChannelSummary
	if channel.Furthest() != models.ChannelSummary {
		t.Error("nothing comes after the summary")
	}
	if channel.NumberID = nil; channel.Furthest() != models.ChannelNumber {
		t.Error("a draft whose number is gone begins again")
	}
}

func TestBuiltInGreetingFollowsTheLanguage(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"", models.DefaultGreeting("en")}, {models.DefaultGreeting("nb"), models.DefaultGreeting("en")}, {"Egen", "Egen"},
	} {
		if got := models.GreetingIn(tt.text, "nb", "en"); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.text, got, tt.want)
		}
	}
}

func TestClockOfASimulatedAccount(t *testing.T) {
	a := models.Account{ClockAhead: 20 * time.Hour}
	if got := a.Now(noon); !got.Equal(noon.Add(20 * time.Hour)) {
		t.Error(got)
	}
}

func TestDefaultGreeting(t *testing.T) {
	seen := map[string]bool{}
	for _, language := range models.CustomerLanguages() {
		text := models.DefaultGreeting(language)
		if seen[text] || text == "" {
			t.Errorf("%s: %q", language, text)
		}
		seen[text] = true
	}
	if models.DefaultGreeting("fr") != models.DefaultGreeting("en") {
		t.Error("other languages get English")
	}
}

func TestFetchDelays(t *testing.T) {
	var all time.Duration
	n := 1
	for ; ; n++ {
		d, ok := models.FetchDelay(n, false)
		if !ok {
			break
		}
		all += d
	}
	if n != 12 || all < 10*time.Hour || all > 24*time.Hour {
		t.Errorf("%d tries in %v", n, all)
	}
	for n, want := range []time.Duration{0, time.Second, 3 * time.Second, 10 * time.Second, time.Minute, 0} {
		if d, ok := models.FetchDelay(n, true); d != want || ok != (want > 0) {
			t.Errorf("missing, try %d: %v, %v", n, d, ok)
		}
	}
}

func TestFilesByContent(t *testing.T) {
	for kind, types := range map[models.MessageKind][]string{
		models.KindImage: {"image/jpeg", "image/png", "image/webp", "image/gif"}, models.KindVideo: {"video/mp4", "video/3gpp"},
		models.KindAudio: {"audio/ogg", "audio/mpeg"}, models.KindContacts: {"text/vcard"},
		models.KindDocument: {"application/pdf", "text/html", "image/svg+xml", "application/octet-stream", ""},
	} {
		for _, c := range types {
			f := models.File{State: models.FileStored, ContentType: c}
			if f.Kind() != kind || f.Shown() != (kind != models.KindDocument && kind != models.KindContacts) {
				t.Errorf("%s: %s, shown %v", c, f.Kind(), f.Shown())
			}
			f.State = models.FileFailed
			if f.Shown() {
				t.Errorf("%s is shown though it is not here", c)
			}
		}
	}
	if got := models.ContentTypeIn(models.KindAudio, "video/mp4"); got != "audio/mp4" {
		t.Error(got)
	}
	if got := models.ContentTypeIn(models.KindVideo, "video/mp4"); got != "video/mp4" {
		t.Error(got)
	}
	if models.MaxFileSizeIn(models.KindImage) != models.MaxImageSize || models.MaxFileSizeIn(models.KindDocument) != models.MaxFileSize {
		t.Error("sizes")
	}
	if !(models.Number{}).TakesFiles() || (models.Number{WorkstreamID: new(models.WorkstreamID), CustomerFiles: true}).TakesFiles() {
		t.Error("a number takes files until somebody has switched them off")
	}
	for _, language := range models.CustomerLanguages() {
		if text := models.FilesOffText(language); text == "" || len(text) > 200 {
			t.Errorf("%s: %q", language, text)
		}
	}
}

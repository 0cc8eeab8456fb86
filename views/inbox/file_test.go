package inbox

import (
	"strings"
	"testing"
	"time"

	"kanal/models"
	"kanal/views/i18n"
	"kanal/views/viewtest"
)

func TestFilesKeepTheRules(t *testing.T) {
	at := time.Date(2026, 11, 24, 9, 41, 0, 0, time.UTC)
	m := models.Message{ID: 1, Direction: models.In, Kind: models.KindImage, CreatedAt: at}
	all := []models.File{
		{ID: 1, State: models.FilePending}, {ID: 2, State: models.FilePending, Problem: models.FileAway, Direction: models.In},
		{ID: 3, State: models.FileSkipped, Problem: models.FileOff}, {ID: 4, State: models.FileFailed, Problem: models.FileDenied, Direction: models.In},
		{ID: 5, State: models.FileFailed, Problem: models.FileTooLarge, Direction: models.In},
		{ID: 6, State: models.FileStored, ContentType: "image/jpeg", ThumbKey: "x", Width: 4, Height: 3, Description: "<b>"},
		{ID: 7, State: models.FileStored, ContentType: "image/webp"}, {ID: 8, State: models.FileStored, ContentType: "audio/ogg"},
		{ID: 9, State: models.FileStored, ContentType: "video/mp4"}, {ID: 10, State: models.FileStored, ContentType: "application/pdf", Name: "<a>.pdf", Size: 214_000},
		{ID: 11, State: models.FileStored, ContentType: "text/html"},
	}
	for i := range all {
		all[i].CreatedAt = at
	}
	thread := Thread{Row: models.ConversationRow{ContactName: "Kari Nordli"}, Files: map[models.MessageID][]models.File{1: all}, SideFiles: all[5:], Now: at}
	viewtest.Each(t, message(thread, m), func(t *testing.T, lang i18n.Lang, page string) {
		for _, s := range []string{
			`src="/files/6/thumb"`, `src="/files/7/view"`, `src="/files/8/view"`, `src="/files/9/view"`, `href="/files/10"`, `href="/files/11"`,
			`action="/files/2/fetch"`, `action="/files/4/fetch"`, `alt="&lt;b&gt;"`, "&lt;a&gt;.pdf", "PDF, 214 kB",
			map[i18n.Lang]string{"nb": `alt="Bilde fra Kari, 10:41"`, "en": `alt="Image from Kari, 10:41"`}[lang],
			map[i18n.Lang]string{"nb": "dokument-2026-11-24-1041.html", "en": "document-2026-11-24-1041.html"}[lang],
			map[i18n.Lang]string{"nb": "Kunden sendte en fil. Filer fra kunder er slått av.", "en": "Files from customers are switched off."}[lang],
		} {
			if !strings.Contains(page, s) {
				t.Errorf("no %s in %s", s, page)
			}
		}
		for _, s := range []string{"<b>", "<a>", `"/files/1/`, `"/files/5/fetch"`, `"/files/11/view"`} {
			if strings.Contains(page, s) {
				t.Errorf("%s in %s", s, page)
			}
		}
	})
	viewtest.Each(t, sideFiles(thread), func(*testing.T, i18n.Lang, string) {})
	d := FileDialog{Thread: thread, Message: m, File: all[5], Text: "<b>", Problem: "x"}
	viewtest.Each(t, FileShow(d), func(*testing.T, i18n.Lang, string) {})
	viewtest.Each(t, FileDescription(d), func(t *testing.T, _ i18n.Lang, page string) {
		if !strings.Contains(page, `value="&lt;b&gt;"`) {
			t.Error(page)
		}
	})
}

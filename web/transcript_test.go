package web

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"kanal/models"
	"kanal/store"
)

// A conversation of several parts, whole and in order, as a page and as a file; the file is noted.
func TestTranscript(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *team) {
		id := d.has(d.ida, d.says("Kari Nordli", "Hei <der>"))
		row, err := d.store.Conversation(t.Context(), viewerOf(d.ida), id)
		d.must(err)
		many := make([]models.Message, store.TranscriptPage+7)
		for i := range many {
			many[i] = models.Message{
				AccountID: row.AccountID, ConversationID: id, Seq: float64(row.Seq) + float64(i) + 1, Rev: row.Rev, Direction: models.In, Kind: models.KindText,
				Body: fmt.Sprintf("nr. %d.", i), State: models.Received, CreatedAt: row.OpenedAt, UpdatedAt: row.OpenedAt,
			}
		}
		d.must(d.store.InTx(t.Context(), func(tx *store.Tx) error { return tx.InsertMessages(t.Context(), many) }))
		ida := d.signedIn(d.ida)
		ida.get(thread(id)).want(http.StatusOK, thread(id)+"/transcript", "Download conversation")
		page := ida.get(thread(id)+"/transcript").want(http.StatusOK, "<!doctype", "Hei &lt;der&gt;", "nr. 0.", fmt.Sprintf("nr. %d.", len(many)-1), "</html>")
		file := ida.post(thread(id)+"/transcript.txt").want(http.StatusOK, "Hei <der>", fmt.Sprintf("nr. %d.", len(many)-1))
		for _, a := range []*answer{page, file} {
			if strings.Count(a.Body, "nr. ") != len(many) || a.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%d of %d messages, %v", strings.Count(a.Body, "nr. "), len(many), a.Header)
			}
		}
		if got := file.Header.Get("Content-Disposition"); got != fmt.Sprintf(`attachment; filename="conversation-%d.txt"`, id) || file.Header.Get("Content-Type") != "text/plain; charset=utf-8" {
			t.Error(file.Header)
		}
		audits, err := d.store.Audits(t.Context(), 1)
		d.must(err)
		if a := audits[0]; a.Action != "transcript.downloaded" || a.Subject != fmt.Sprintf("conversations/%d", id) || *a.UserID != d.ida.ID {
			t.Errorf("%+v", a)
		}
		d.must(d.store.InTx(t.Context(), func(tx *store.Tx) error {
			q, err := tx.DefaultQueue(t.Context())
			if err != nil {
				return err
			}
			return tx.SetQueueMember(t.Context(), q, d.mads.ID, false)
		}))
		mads := d.signedIn(d.mads)
		mads.get(thread(id) + "/transcript").want(http.StatusNotFound).without("nr. ")
		mads.post(thread(id) + "/transcript.txt").want(http.StatusNotFound).without("nr. ")
		if again, err := d.store.Audits(t.Context(), 1); err != nil || again[0].ID != audits[0].ID {
			t.Error("a refused download is noted as one:", err)
		}
	})
}

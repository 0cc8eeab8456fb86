package web

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"kanal/models"
	"kanal/service"
	"kanal/store"
	"kanal/twilio/simulator"
)

// sendsFile lets a customer send a file and waits until it has come to its end.
func (d *team) sendsFile(name, kind string) (models.ConversationID, models.File) {
	d.t.Helper()
	from := d.phone(name)
	if codes := d.sim.Receive(d.sid, simulator.Write{Customer: from, Number: d.number, Kind: kind, Body: "Se her"}); len(codes) != 1 || codes[0] != http.StatusOK {
		d.t.Fatalf("webhook: %v", codes)
	}
	id := d.newest(from)
	var f models.File
	for end := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		f = d.newestFile(id)
		if f.State != models.FilePending {
			return id, f
		}
		if time.Now().After(end) {
			d.t.Fatalf("%s: still %+v", kind, f)
		}
	}
}

// newestFile gives the file of the newest message that has one.
func (d *team) newestFile(id models.ConversationID) (newest models.File) {
	d.t.Helper()
	row, err := d.store.Conversation(d.t.Context(), models.Viewer{Role: models.Administrator}, id)
	d.must(err)
	ms, err := d.store.Messages(d.t.Context(), row.Conversation, 0)
	d.must(err)
	ids := make([]models.MessageID, len(ms))
	for i, m := range ms {
		ids[i] = m.ID
	}
	files, err := d.store.FilesOfMessages(d.t.Context(), row.AccountID, ids)
	d.must(err)
	for _, of := range files {
		for _, f := range of {
			if f.ID > newest.ID {
				newest = f
			}
		}
	}
	return newest
}

func fileAt(f models.File, rest string) string { return fmt.Sprintf("/files/%d%s", f.ID, rest) }

// TestServedFiles holds how each kind of file goes to a browser, and that nothing but what is safe is ever shown in it.
func TestServedFiles(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *team) {
		b := d.signedIn(d.ida)
		for _, tt := range []struct {
			kind, contentType, name string
			shown, thumb            bool
		}{
			{"image", "image/jpeg", "image-", true, true},
			{"sticker", "image/webp", "image-", true, true},
			{"audio", "audio/ogg", "audio-", true, false},
			{"video", "video/mp4", "video-", true, false},
			{"document", "application/pdf", "document-", false, false},
			{"contacts", "text/vcard", "contact-", false, false},
			{"image_wrong", "text/html", "document-", false, false},
		} {
			id, f := d.sendsFile("Kari Nordli", tt.kind)
			if f.State != models.FileStored {
				t.Fatalf("%s: %+v", tt.kind, f)
			}
			a := b.get(fileAt(f, "")).want(http.StatusOK)
			held(t, a, tt.contentType)
			if got := a.Header.Get("Content-Disposition"); !strings.HasPrefix(got, `attachment; filename=`+tt.name) {
				t.Errorf("%s: %s", tt.kind, got)
			}
			status := map[bool]int{true: http.StatusOK, false: http.StatusNotFound}
			if a := b.get(fileAt(f, "/view")).want(status[tt.shown]); tt.shown {
				held(t, a, tt.contentType)
			}
			if a := b.get(fileAt(f, "/thumb")).want(status[tt.thumb]); tt.thumb {
				held(t, a, a.Header.Get("Content-Type"))
			}
			b.get(fileAt(f, "/show")).want(status[tt.thumb])
			b.get(thread(id)).want(http.StatusOK, fileAt(f, ""))
		}
	})
}

// held holds the headers that bound what a browser does with a file.
func held(t *testing.T, a *answer, contentType string) {
	t.Helper()
	for name, want := range map[string]string{
		"Content-Type": contentType, "X-Content-Type-Options": "nosniff", "Content-Security-Policy": filePolicy, "Cache-Control": "private, no-cache",
		"Cross-Origin-Resource-Policy": "same-origin", "Accept-Ranges": "bytes",
	} {
		if got := a.Header.Get(name); got != want {
			t.Errorf("%s: %s is %q, want %q", a.request, name, got, want)
		}
	}
}

func TestPartsOfFiles(t *testing.T) {
	t.Parallel()
	d := newTeam(t, store.SQLite)
	_, f := d.sendsFile("Kari Nordli", "video")
	b := d.signedIn(d.ida)
	whole := b.get(fileAt(f, "/view")).want(http.StatusOK)
	b.Headers.Set("Range", "bytes=4-11")
	if part := b.get(fileAt(f, "/view")).want(http.StatusPartialContent); part.Body != whole.Body[4:12] || part.Header.Get("Content-Range") != fmt.Sprintf("bytes 4-11/%d", f.Size) {
		t.Errorf("%q, %s", part.Body, part.Header.Get("Content-Range"))
	}
	b.Headers.Set("Range", "bytes=999999-")
	b.get(fileAt(f, "/view")).want(http.StatusRequestedRangeNotSatisfiable)
	b.Headers.Del("Range")
	b.Headers.Set("If-None-Match", whole.Header.Get("ETag"))
	if a := b.get(fileAt(f, "/view")).want(http.StatusNotModified); a.Body != "" {
		t.Errorf("%d bytes", len(a.Body))
	}
}

// TestWhoMaySeeFiles holds that only who may see the conversation gets its files, by any address.
func TestWhoMaySeeFiles(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *team) {
		_, f := d.sendsFile("Kari Nordli", "image")
		d.must(d.store.InTx(t.Context(), func(tx *store.Tx) error {
			q, err := tx.DefaultQueue(t.Context())
			if err != nil {
				return err
			}
			return tx.SetQueueMember(t.Context(), q, d.mads.ID, false)
		}))
		mads, ida := d.signedIn(d.mads), d.signedIn(d.ida)
		for _, rest := range []string{"", "/view", "/thumb", "/show", "/description"} {
			ida.get(fileAt(f, rest)).want(http.StatusOK)
			mads.get(fileAt(f, rest)).want(http.StatusNotFound)
			d.anonymous().get(fileAt(f, rest)).to("/login?next=" + strings.ReplaceAll(fileAt(f, rest), "/", "%2F"))
		}
		mads.post(fileAt(f, "/description"), "description", "x").want(http.StatusNotFound)
		mads.post(fileAt(f, "/fetch")).want(http.StatusNotFound)
		for _, none := range []string{"/files/0", "/files/x", "/files/007", "/files/999999", "/files/-1/view"} {
			ida.get(none).want(http.StatusNotFound)
		}
	})
}

func TestDescribingAFile(t *testing.T) {
	t.Parallel()
	d := newTeam(t, store.SQLite)
	id, f := d.sendsFile("Kari Nordli", "image")
	b := d.signedIn(d.ida)
	b.get(thread(id)).want(http.StatusOK, `alt="Image from Kari, `, `href="`+fileAt(f, "/show")+`"`)
	b.get(fileAt(f, "/show")).want(http.StatusOK, "<!doctype", "Add a description", `href="`+fileAt(f, "")+`"`)
	b.htmx("partial").get(fileAt(f, "/show")).want(http.StatusOK, "Full size").without("<!doctype")
	at := fileAt(f, "/description")
	long := strings.Repeat("å", service.MaxDescription+1)
	b.post(at, "description", long).want(http.StatusUnprocessableEntity, long, "Use at most 300 characters.")
	b.post(at, "description", "A red <house>").to(thread(id))
	b.get(thread(id)).want(http.StatusOK, `alt="A red &lt;house&gt;"`, "Description saved")
	b.get(at).want(http.StatusOK, `value="A red &lt;house&gt;"`)
	if a := b.htmx("partial").post(at, "description", "").want(http.StatusNoContent); a.Header.Get("HX-Redirect") != thread(id) {
		t.Error(a.Header)
	}
}

// TestTroublesOfFiles holds what an agent reads of a file that is not here, and that it is fetched again by hand.
func TestTroublesOfFiles(t *testing.T) {
	t.Parallel()
	d := newTeam(t, store.SQLite)
	id, f := d.sendsFile("Kari Nordli", "image_large")
	b := d.signedIn(d.ida)
	b.get(thread(id)).want(http.StatusOK, "The file was not fetched: it is larger than WhatsApp allows.").without(fileAt(f, "/fetch"), fileAt(f, "/show"))
	b.post(fileAt(f, "/fetch")).want(http.StatusConflict)
	b.get(fileAt(f, "")).want(http.StatusNotFound)
	b.get(fileAt(f, "/description")).want(http.StatusNotFound)

	d.must(d.store.InTx(t.Context(), func(tx *store.Tx) error {
		f.Problem = models.FileDenied
		return tx.SaveFile(t.Context(), f, models.FileFailed)
	}))
	b.get(thread(id)).want(http.StatusOK, "Twilio rejects the auth token.", `action="`+fileAt(f, "/fetch")+`"`)
	b.htmx("partial").post(fileAt(f, "/fetch")).want(http.StatusNoContent)
	for end := time.Now().Add(patience); d.newestFile(id).Problem != models.FileTooLarge; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%+v", d.newestFile(id))
		}
	}
}

// TestFetchAnyway holds who is offered a file that was skipped, and who may have it.
func TestFetchAnyway(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *team) {
		id, f := d.sendsFile("Kari Nordli", "image")
		d.must(d.store.InTx(t.Context(), func(tx *store.Tx) error {
			f.State, f.Problem, f.StorageKey, f.ThumbKey = models.FileSkipped, models.FileOff, "", ""
			return tx.SaveFile(t.Context(), f, models.FileStored)
		}))
		ida, boss := d.signedIn(d.ida), d.as(models.Supervisor)
		ida.get(thread(id)).want(http.StatusOK, "Files from customers are switched off.", "A supervisor can have it fetched").without(fileAt(f, "/fetch"))
		ida.post(fileAt(f, "/fetch")).want(http.StatusForbidden, "A supervisor can have it fetched")
		boss.get(thread(id)).want(http.StatusOK, "Files from customers are switched off.", "Fetch anyway", `action="`+fileAt(f, "/fetch")+`"`).without("A supervisor can")
		boss.post(fileAt(f, "/fetch")).to(thread(id))
		for end := time.Now().Add(patience); d.newestFile(id).State != models.FileStored; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%+v", d.newestFile(id))
			}
		}
		ida.get(thread(id)).want(http.StatusOK, fileAt(f, "/show")).without("switched off")
	})
}

// TestFilesInTheBrowser lets an agent watch a picture come, open it large, and describe it.
func TestFilesInTheBrowser(t *testing.T) { eachPair(t, filesInTheBrowser) }

func filesInTheBrowser(d *team) {
	id := d.has(d.ida, d.says("Kari Nordli", "Hei"))
	b := d.at(d.ida, thread(id))
	_, f := d.sendsFile("Kari Nordli", "image")
	picture := fmt.Sprintf("#file-%d", f.ID)
	b.wait("document.querySelector('" + picture + " img')?.complete && document.querySelector('" + picture + " img').naturalWidth > 0")
	b.click(picture)
	b.wait("document.querySelector('dialog[open] .show__p img')?.naturalWidth === 960")
	b.picture("file")
	before := "document.querySelector('.show__p img').getBoundingClientRect().width"
	b.wait(before + " < 960")
	b.js("document.querySelector('.show__z input').click()")
	b.wait(before + " === 960")
	b.js("[...document.querySelectorAll('dialog a')].find(a => a.textContent.includes(" + jsText(d.text("file.describe")) + ")).click()")
	b.wait("document.querySelector('dialog[open] #describe')")
	b.js(`document.querySelector('#describe [name=description]').value = "A red house"`)
	b.picture("file-description")
	b.js("document.getElementById('describe').requestSubmit()")
	b.wait("document.querySelector('" + picture + " img')?.alt === 'A red house'")
	d.sendsFile("Kari Nordli", "audio")
	b.wait("document.querySelector('.snd')?.duration > 2")
	d.sendsFile("Kari Nordli", "video")
	b.wait("document.querySelector('.vid')?.videoWidth === 320")
	d.sendsFile("Kari Nordli", "sticker")
	d.sendsFile("Kari Nordli", "document")
	d.sendsFile("Kari Nordli", "image_large")
	b.wait("document.querySelectorAll('.att').length > 1 && document.querySelectorAll('#side .flist li').length === 5")
	b.picture("files")
	b.size(390, 844)
	b.picture("files-phone")
	b.narrow()
}

// TestRemoveFilesSetting holds the switch on an account's page.
func TestRemoveFilesSetting(t *testing.T) {
	t.Parallel()
	d := newTeam(t, store.SQLite)
	admin := d.signedIn(d.user(models.Administrator, "second@kanal.test"))
	at := fmt.Sprintf("/admin/accounts/%d/setup/channel-details", d.account.ID)
	for _, on := range []bool{true, false} {
		page := admin.get(at).want(http.StatusOK, "Remove files at Twilio once they are safe here")
		form := []string{"version", page.version(), "name", d.account.Name, "channel", models.ChannelWhatsApp, "typing", "on", "action", "next"}
		if on {
			form = append(form, "remove_files", "on")
		}
		admin.post(at, form...).want(http.StatusSeeOther)
		if a, err := d.store.Account(t.Context(), d.account.ID); err != nil || a.RemoveFiles != on {
			t.Errorf("%v: %+v, %v", on, a, err)
		}
	}
}

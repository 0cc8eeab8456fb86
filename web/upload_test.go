package web

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"kanal/models"
	"kanal/service"
	"kanal/store"
)

var (
	somePDF = "%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\n%%EOF\n"
	someJPG = func() string {
		var b bytes.Buffer
		_ = jpeg.Encode(&b, image.NewRGBA(image.Rect(0, 0, 320, 240)), nil)
		return b.String()
	}()
)

// sends posts a form with files: pairs of a field and its value; a value that is a file is named "name|content".
func (b *browser) sends(path string, pairs ...string) *answer {
	b.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i] != uploadField {
			_ = w.WriteField(pairs[i], pairs[i+1])
			continue
		}
		name, content, _ := strings.Cut(pairs[i+1], "|")
		h := textproto.MIMEHeader{"Content-Disposition": {fmt.Sprintf(`form-data; name="upload"; filename="%s"`, name)}, "Content-Type": {"image/jpeg"}}
		p, err := w.CreatePart(h)
		if err != nil {
			b.t.Fatal(err)
		}
		_, _ = io.WriteString(p, content)
	}
	_ = w.Close()
	return b.do(http.MethodPost, path, w.FormDataContentType(), &body)
}

// uploads gives what a user has uploaded and not sent.
func (d *team) uploads(u models.User, id models.ConversationID) []models.File {
	d.t.Helper()
	row, err := d.store.Conversation(d.t.Context(), viewerOf(u), id)
	d.must(err)
	fs, err := d.store.Uploads(d.t.Context(), row.Conversation, u.ID)
	d.must(err)
	return fs
}

func (d *team) sent(u models.User, id models.ConversationID, key string) []models.Message {
	d.t.Helper()
	row, err := d.store.Conversation(d.t.Context(), viewerOf(u), id)
	d.must(err)
	ms, err := d.store.MessagesByKeys(d.t.Context(), row.Conversation, u.ID, service.ReplyKeys(key))
	d.must(err)
	return ms
}

// Without script: text and files in one form; what is refused keeps the text and the files that were taken.
func TestFilesWithoutScript(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *team) {
		id := d.has(d.ida, d.says("Kari Nordli", "Hei"))
		ida, at := d.signedIn(d.ida), thread(id)
		ida.get(at).want(http.StatusOK, `enctype="multipart/form-data"`, `type="file"`, `accept=".jpg,.jpeg,.png,`)
		ida.sends(at+"/messages", "client_key", "k1", "body", "Se her\r\nnå", "upload", "Bilde.jpg|"+someJPG, "upload", "kontrakt.pdf|"+somePDF).to(at)
		ms := d.sent(d.ida, id, "k1")
		if len(ms) != 2 || ms[0].Kind != models.KindImage || ms[0].Body != "Se her\nnå" || ms[1].Kind != models.KindDocument {
			t.Fatalf("%+v", ms)
		}
		ida.sends(at+"/messages", "client_key", "k1", "body", "Se her\r\nnå", "upload", "Bilde.jpg|"+someJPG, "upload", "kontrakt.pdf|"+somePDF).to(at) // twice is once
		if ms := d.sent(d.ida, id, "k1"); len(ms) != 2 || len(d.uploads(d.ida, id)) != 0 {
			t.Errorf("%d messages, %d files are left", len(ms), len(d.uploads(d.ida, id)))
		}
		ida.sends(at+"/messages", "client_key", "k1", "body", "Se her", "upload", "Bilde.jpg|"+someJPG).want(http.StatusConflict, "already been sent with another text")
		for _, f := range d.uploads(d.ida, id) {
			ida.post(fmt.Sprintf("%s/files/%d/remove", at, f.ID), "body", "Et utkast").to(at)
		}
		ida.get(at).want(http.StatusOK, "Et utkast</textarea>").without(`name="file"`)

		// One is no picture: the other one waits beside the text.
		ida.sends(at+"/messages", "client_key", "k2", "body", "Og <disse>", "upload", "a.pdf|"+somePDF, "upload", "b.jpg|<html>", "upload", "|").
			want(http.StatusUnprocessableEntity, "WhatsApp does not take this type of file", "Og &lt;disse&gt;</textarea>", `data-name="a.pdf"`, "The text is sent first").without(`data-name="b.jpg"`)
		fs := d.uploads(d.ida, id)
		if len(fs) != 1 || len(d.sent(d.ida, id, "k2")) != 0 {
			t.Fatalf("%d wait", len(fs))
		}
		ida.sends(at+"/messages", "client_key", "k3", "body", "Og disse", "file", number(fs[0].ID), "upload", "|").to(at)
		if ms := d.sent(d.ida, id, "k3"); len(ms) != 2 || ms[0].Body != "Og disse" || ms[0].Kind != models.KindText || ms[1].Kind != models.KindDocument {
			t.Errorf("%+v", ms)
		}
		ida.sends(at+"/messages", "client_key", "k4", "body", " ").want(http.StatusUnprocessableEntity, "Write a message")
	})
}

// The window has closed while files wait: the panel lists them, gives them back and removes them, and leaves the text alone.
func TestFilesInTheClosedPanel(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d *team) {
		id := d.has(d.ida, d.says("Kari Nordli", "Hei"))
		ida, at := d.signedIn(d.ida), thread(id)
		ida.sends(at+"/files", "upload", "a.pdf|"+somePDF).to(at)
		ida.sends(at+"/files", "upload", "b.pdf|"+somePDF).to(at)
		ida.post(at+"/draft", "body", "Et utkast").want(http.StatusNoContent)
		fs := d.uploads(d.ida, id)
		d.ahead(25 * time.Hour)
		a, b := fmt.Sprintf("/files/%d", fs[0].ID), fmt.Sprintf("/files/%d", fs[1].ID)
		ida.get(at).want(http.StatusOK, "Your files are kept here.", `href="`+a+`"`, `href="`+b+`"`, "Et utkast</blockquote>", `action="`+at+a+`/remove"`)
		ida.in("nb").get(at).want(http.StatusOK, "Filene dine er tatt vare på her.")
		if got := ida.in("en").get(a).want(http.StatusOK); got.Body != somePDF {
			t.Errorf("%d bytes", len(got.Body))
		}
		ida.sends(at+"/messages", "client_key", "k1", "body", "Sent", "file", number(fs[0].ID)).want(http.StatusUnprocessableEntity, "Your files are kept here.", "Sent</blockquote>")
		ida.post(at + a + "/remove").to(at)
		ida.get(at).want(http.StatusOK, "Et utkast</blockquote>", `href="`+b+`"`).without(`href="` + a + `"`)
		d.signedIn(d.mads).get(at).without(`href="`+b+`"`, "Your files are kept here.")
		d.says("Kari Nordli", "Hallo?")
		ida.get(at).want(http.StatusOK, "Et utkast</textarea>", `data-name="b.pdf"`).without("Your files are kept here.")
	})
}

func TestUploadForTheScript(t *testing.T) {
	t.Parallel()
	d := newTeam(t, store.SQLite)
	id := d.has(d.ida, d.says("Kari Nordli", "Hei"))
	ida, at := d.signedIn(d.ida).htmx("partial"), thread(id)
	a := ida.sends(at+"/files", "upload", `x<b>.jpg|`+someJPG).want(http.StatusCreated, `name="file"`, "/thumb", "JPG", "data-unfile")
	a.without("<html", "<b>.jpg")
	f := d.uploads(d.ida, id)[0]
	ida.post(at+"/messages", "client_key", "k1", "body", "", "file", number(f.ID)).want(http.StatusCreated, `id="m-k1"`, "/thumb")
	ida.sends(at+"/files", "upload", "a.pdf|"+somePDF, "upload", "b.pdf|"+somePDF).want(http.StatusCreated, `data-name="a.pdf"`, `data-name="b.pdf"`)
	two := d.uploads(d.ida, id)
	ida.post(at+"/messages", "client_key", "k2", "body", "Her", "file", number(two[1].ID), "file", number(two[0].ID)).want(http.StatusCreated, `id="m-k2"`, `id="m-k2.2"`, `id="m-k2.3"`)
	for what, answer := range map[string]*answer{
		"html":        ida.sends(at+"/files", "upload", "a.jpg|<html><script>").want(http.StatusUnprocessableEntity, "toast", "WhatsApp does not take"),
		"svg":         ida.sends(at+"/files", "upload", `a.svg|<svg xmlns="http://www.w3.org/2000/svg"/>`).want(http.StatusUnprocessableEntity, "WhatsApp does not take"),
		"empty":       ida.sends(at+"/files", "upload", "a.jpg|").want(http.StatusUnprocessableEntity, "The file is empty."),
		"large":       ida.sends(at+"/files", "upload", "a.png|\x89PNG\r\n\x1a\n"+strings.Repeat("x", models.MaxImageSize)).want(http.StatusUnprocessableEntity, "up to 5 MB"),
		"over all":    ida.sends(at+"/files", "upload", "a.pdf|"+somePDF+strings.Repeat("x", uploadLimit)).want(http.StatusRequestEntityTooLarge),
		"no file":     ida.sends(at+"/files", "body", "x").want(http.StatusBadRequest),
		"a form":      ida.post(at+"/files", "upload", "x").want(http.StatusBadRequest),
		"cut short":   ida.do("POST", at+"/files", "multipart/form-data; boundary=b", strings.NewReader("--b\r\nContent-Disposition: form-data; name=\"upload\"; filename=\"a.pdf\"\r\n\r\n%PDF-1.4")).want(http.StatusBadRequest),
		"no boundary": ida.do("POST", at+"/files", "multipart/form-data", strings.NewReader("x")).want(http.StatusBadRequest),
		"long field":  ida.sends(at+"/messages", "client_key", "k", "body", strings.Repeat("x", formLimit+1)).want(http.StatusRequestEntityTooLarge),
		"NUL":         ida.sends(at+"/messages", "client_key", "k", "body", "a\x00b").want(http.StatusBadRequest),
		"sent":        ida.post(fmt.Sprintf("%s/files/%d/remove", at, f.ID), "body", "").want(http.StatusConflict),
		"none":        ida.post(at+"/files/4711/remove", "body", "").want(http.StatusNotFound),
		"not an id":   ida.post(at+"/messages", "client_key", "k", "body", "x", "file", "1 OR 1=1").want(http.StatusUnprocessableEntity, "no longer there"),
		"elsewhere":   d.as(models.Supervisor).htmx("partial").post(at+"/messages", "client_key", "k", "body", "x", "file", number(f.ID), "as", "take", "owner", number(d.ida.ID)).want(http.StatusUnprocessableEntity, "no longer there"),
	} {
		answer.without("goroutine", "<script>")
		if what == "over all" && len(d.uploads(d.ida, id)) != 0 {
			t.Error("something of it is kept")
		}
	}
	// Other forms still end at their limit.
	ida.do("POST", at+"/draft", "multipart/form-data; boundary=b", strings.NewReader("--b--\r\n")).want(http.StatusUnsupportedMediaType)
	ida.do("POST", at+"/messages", form, strings.NewReader("body="+strings.Repeat("x", formLimit))).want(http.StatusRequestEntityTooLarge)
}

// Where files are switched off there is no button, and none is taken.
func TestFilesSwitchedOff(t *testing.T) {
	t.Parallel()
	d := newTeam(t, store.SQLite)
	id := d.has(d.ida, d.says("Kari Nordli", "Hei"))
	ida, at := d.signedIn(d.ida), thread(id)
	ida.sends(at+"/files", "upload", "a.pdf|"+somePDF).to(at)
	f := d.uploads(d.ida, id)[0]
	d.must(d.store.InTx(t.Context(), func(tx *store.Tx) error {
		row, err := tx.Conversation(t.Context(), viewerOf(d.ida), id)
		if err != nil {
			return err
		}
		n, err := tx.Number(t.Context(), row.NumberID)
		if err != nil {
			return err
		}
		n.AgentFiles = false
		return tx.SaveNumber(t.Context(), &n)
	}))
	d.must(d.service.Reload(t.Context()))
	ida.get(at).want(http.StatusOK).without(`type="file"`, "multipart", "a.pdf")
	ida.sends(at+"/messages", "client_key", "k1", "body", "Hei", "upload", "a.pdf|"+somePDF).want(http.StatusUnprocessableEntity, "Agents cannot send files from this number", "Hei</textarea>")
	ida.sends(at+"/messages", "client_key", "k1", "body", "Hei", "file", number(f.ID)).want(http.StatusForbidden, "Agents cannot send files from this number", "Hei</textarea>")
	ida.htmx("partial").sends(at+"/files", "upload", "a.pdf|"+somePDF).want(http.StatusForbidden, "Agents cannot send files from this number")
	if ms := d.sent(d.ida, id, "k1"); len(ms) != 0 {
		t.Errorf("%d messages", len(ms))
	}
}

// Who has the conversation is asked with the files too, and they go with the answer.
func TestFilesOfWhoHelps(t *testing.T) {
	t.Parallel()
	d := newTeam(t, store.SQLite)
	id := d.has(d.mads, d.says("Kari Nordli", "Hei"))
	ida, at := d.signedIn(d.ida), thread(id)
	ida.sends(at+"/messages", "client_key", "k1", "body", "", "upload", "a.pdf|"+somePDF).want(http.StatusConflict, "Mads has the conversation. Reply anyway?", `<bdi>a.pdf</bdi>`).without("<blockquote")
	f := d.uploads(d.ida, id)[0]
	ida.get(at).want(http.StatusOK, `data-name="a.pdf"`) // Cancel leads here
	ida.post(at+"/messages", "client_key", "k1", "body", "", "file", number(f.ID), "as", "help", "owner", number(d.mads.ID)).to(at)
	if ms := d.sent(d.ida, id, "k1"); len(ms) != 1 || ms[0].Kind != models.KindDocument {
		t.Errorf("%+v", ms)
	}
}

// uploadedKey gives where the file of the newest message lies.
func (d *team) uploadedKey(id models.ConversationID) string {
	d.t.Helper()
	ms := d.sent(d.ida, id, "k1")
	of, err := d.store.FilesOfMessages(d.t.Context(), d.account.ID, []models.MessageID{ms[0].ID})
	d.must(err)
	return of[ms[0].ID][0].StorageKey
}

// mediaPath gives the address of the newest file that was sent, without the server's.
func (d *team) mediaPath() string {
	d.t.Helper()
	path := ""
	for _, e := range d.sim.Ledger(d.sid) {
		if u := e.Params.Get("MediaUrl"); e.What == "create" && u != "" {
			path = strings.TrimPrefix(u, d.url)
		}
	}
	return path
}

// Twilio fetches a file by an address that nobody can make up: no login session, no cookie, no redirect.
func TestMediaForTwilio(t *testing.T) {
	t.Parallel()
	d := newTeam(t, store.SQLite)
	id := d.has(d.ida, d.says("Kari Nordli", "Hei"))
	at := thread(id)
	d.signedIn(d.ida).sends(at+"/messages", "client_key", "k1", "body", "", "upload", "blå.pdf|"+somePDF).to(at)
	for end := time.Now().Add(patience); d.mediaPath() == ""; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the file is not sent")
		}
	}
	path := d.mediaPath()
	twilio := d.anonymous()
	for _, method := range []string{http.MethodHead, http.MethodGet} {
		a := twilio.do(method, path, "", nil).want(http.StatusOK)
		protected(t, method, a.Header)
		for name, want := range map[string]string{
			"Content-Type": "application/pdf", "Content-Length": fmt.Sprint(len(somePDF)), "Accept-Ranges": "bytes", "Set-Cookie": "", "Location": "", "Content-Encoding": "",
		} {
			if got := a.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", method, name, got, want)
			}
		}
		if got := a.Header.Get("Content-Disposition"); !strings.HasPrefix(got, "inline; filename*=utf-8''bl%C3%A5") {
			t.Errorf("named %q", got)
		}
		if want := map[string]string{http.MethodGet: somePDF}[method]; a.Body != want {
			t.Errorf("%s: %q", method, a.Body)
		}
	}
	part := *twilio
	part.Headers = http.Header{"Range": {"bytes=0-3"}}
	if a := part.get(path).want(http.StatusPartialContent); a.Body != "%PDF" || a.Header.Get("Content-Range") != fmt.Sprintf("bytes 0-3/%d", len(somePDF)) {
		t.Errorf("a part: %q, %q", a.Body, a.Header.Get("Content-Range"))
	}
	token := path[len("/media/"):]
	raw, err := base64.RawURLEncoding.DecodeString(token)
	d.must(err)
	claim := func(file, ends int64) string {
		b := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, uint64(file)), uint64(ends))
		return "/media/" + base64.RawURLEncoding.EncodeToString(append(b, d.store.Sign("media", b)...))
	}
	theirs := []models.File{{AccountID: d.account.ID, ConversationID: id, Direction: models.In, State: models.FileStored, StorageKey: d.uploadedKey(id), CreatedAt: time.Now()}}
	d.must(d.store.InTx(t.Context(), func(tx *store.Tx) error { return tx.InsertFiles(t.Context(), theirs) }))
	flipped := bytes.Clone(raw)
	flipped[7]++
	for name, tt := range map[string]struct {
		path   string
		status int
	}{
		"none": {"/media/", 404}, "short": {"/media/x", 404}, "no base64": {"/media/" + strings.Repeat("!", 64), 404}, "another file": {"/media/" + base64.RawURLEncoding.EncodeToString(flipped), 403},
		"zeros": {"/media/" + strings.Repeat("A", 64), 403}, "longer": {path + "A", 404}, "a path": {path + "/..", 404}, "dots": {"/media/..%2f" + token, 404},
		"expired": {claim(1, time.Now().Add(-time.Second).Unix()), 410}, "no such file": {claim(4711, time.Now().Add(time.Hour).Unix()), 404}, "file zero": {claim(0, time.Now().Add(time.Hour).Unix()), 404},
		"a customer's file": {claim(int64(theirs[0].ID), time.Now().Add(time.Hour).Unix()), 404}, "a negative file": {claim(-1, time.Now().Add(time.Hour).Unix()), 404}, "another purpose": {"/media/" + base64.RawURLEncoding.EncodeToString(append(bytes.Clone(raw[:16]), d.store.Sign("other", raw[:16])...)), 403},
	} {
		a := twilio.get(tt.path)
		if a.Status != tt.status || a.Header.Get("Set-Cookie") != "" || strings.Contains(a.Body, somePDF) {
			t.Errorf("%s: %d, want %d", name, a.Status, tt.status)
		}
	}
	twilio.do(http.MethodPost, path, form, strings.NewReader("a=b")).want(http.StatusMethodNotAllowed)
}

package service_test

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"kanal/models"
	"kanal/service"
	"kanal/store"
	"kanal/store/blob"
	"kanal/store/storetest"
	"kanal/twilio"
	"kanal/twilio/simulator"
)

// media is what the web floor does with the address of a file.
func (c *center) media(w http.ResponseWriter, r *http.Request, token string) {
	content, err := c.service.Media(r.Context(), token)
	if err != nil {
		c.t.Log("media:", err)
		http.NotFound(w, r)
		return
	}
	defer func() { _ = content.Close() }()
	w.Header().Set("Content-Type", content.ContentType)
	http.ServeContent(w, r, "", time.Time{}, content)
}

// filesOn lets agents send files from the number.
func (c *center) files(on, agents bool) {
	c.t.Helper()
	c.must(c.store.InTx(ctx, func(tx *store.Tx) error {
		n, err := tx.Number(ctx, c.number)
		if err != nil {
			return err
		}
		n.Files, n.AgentFiles = on, agents
		return tx.SaveNumber(ctx, &n)
	}))
	c.must(c.service.Reload(ctx))
}

var (
	samplePDF = []byte("%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\n%%EOF\n")
	sampleJPG = func() []byte {
		var b bytes.Buffer
		_ = jpeg.Encode(&b, image.NewRGBA(image.Rect(0, 0, 800, 600)), nil)
		return b.Bytes()
	}()
)

func (c *center) upload(in models.ConversationID, name string, content []byte) models.FileID {
	c.t.Helper()
	f, err := c.service.Upload(ctx, c.agent, service.Upload{Conversation: in, Name: name, Content: bytes.NewReader(content)})
	c.must(err)
	return f.ID
}

func (c *center) answer(r service.Reply) error {
	_, err := c.service.Reply(ctx, c.agent, r)
	return err
}

// keyed gives the messages of a reply, once they are read.
func (c *center) keyed(row models.ConversationRow, key string, n int) []models.Message {
	c.t.Helper()
	var ms []models.Message
	c.until(fmt.Sprint(n, " messages are read"), func() bool {
		var err error
		ms, err = c.store.MessagesByKeys(ctx, row.Conversation, c.agent.User, service.ReplyKeys(key))
		c.must(err)
		for _, m := range ms {
			if m.State != models.Read {
				return false
			}
		}
		return len(ms) == n
	})
	return ms
}

func (c *center) phone() []simulator.Message {
	var out []simulator.Message
	for _, m := range c.sim.Thread(c.sid, c.customer(0), number) {
		if m.Direction != "inbound" {
			out = append(out, m)
		}
	}
	return out
}

func TestFilesToACustomer(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		c.files(true, true)
		c.startJobs()
		c.write(0, "Hei")
		row := c.only()
		jpg, pdf := c.upload(row.ID, "Bilde.JPG", sampleJPG), c.upload(row.ID, "kontrakt.pdf", samplePDF)
		if fs, err := c.store.Uploads(ctx, row.Conversation, c.agent.User); err != nil || len(fs) != 2 || fs[0].ThumbKey == "" || fs[0].Width != 800 || fs[1].ThumbKey != "" {
			t.Errorf("uploads: %+v, %v", fs, err)
		}
		r := service.Reply{Conversation: row.ID, Key: "k1", Body: "Se her", Files: []models.FileID{jpg, pdf}}
		c.must(c.answer(r))
		ms := c.keyed(row, "k1", 2)
		if ms[0].Kind != models.KindImage || ms[0].Body != "Se her" || ms[1].Kind != models.KindDocument || ms[1].Body != "" || ms[1].Seq != ms[0].Seq+1 {
			t.Errorf("messages %+v", ms)
		}
		phone := c.phone()
		if len(phone) != 2 || phone[0].File == nil || phone[0].File.Size != int64(len(sampleJPG)) || phone[0].Text() != "Se her" || phone[1].File.ContentType != "application/pdf" {
			t.Errorf("phone %+v", phone)
		}
		if fs, _ := c.store.Uploads(ctx, row.Conversation, c.agent.User); len(fs) != 0 {
			t.Errorf("still loose: %+v", fs)
		}
		c.must(c.answer(r)) // a double post
		for what, other := range map[string]service.Reply{
			"other text": {Conversation: row.ID, Key: "k1", Body: "Noe annet", Files: r.Files}, "without files": {Conversation: row.ID, Key: "k1", Body: "Se her"},
			"other order": {Conversation: row.ID, Key: "k1", Body: "Se her", Files: []models.FileID{pdf, jpg}}, "one file": {Conversation: row.ID, Key: "k1", Body: "Se her", Files: r.Files[:1]},
		} {
			if err := c.answer(other); !errors.Is(err, service.ErrKeyReused) {
				t.Errorf("%s: %v", what, err)
			}
		}
		if err := c.answer(service.Reply{Conversation: row.ID, Key: "k2", Files: []models.FileID{jpg}}); !errors.Is(err, service.ErrFileSent) {
			t.Errorf("a file twice: %v", err)
		}
		testTextOfDocuments(t, c, row)
		if n := c.creates(); n != 8 {
			t.Errorf("%d creates", n)
		}
	})
}

// A document has no text of its own on WhatsApp, and a picture's is short: it goes first, as a message.
func testTextOfDocuments(t *testing.T, c *center, row models.ConversationRow) {
	t.Helper()
	c.must(c.answer(service.Reply{Conversation: row.ID, Key: "k3", Body: "Her er den", Files: []models.FileID{c.upload(row.ID, "a.pdf", samplePDF)}}))
	ms := c.keyed(row, "k3", 2)
	if ms[0].Kind != models.KindText || ms[0].Body != "Her er den" || ms[1].Kind != models.KindDocument || ms[1].Body != "" {
		t.Errorf("text and document: %+v", ms)
	}
	long := strings.Repeat("x", models.MaxCaption+1)
	c.must(c.answer(service.Reply{Conversation: row.ID, Key: "k4", Body: long, Files: []models.FileID{c.upload(row.ID, "a.jpg", sampleJPG)}}))
	if ms := c.keyed(row, "k4", 2); ms[0].Body != long || ms[1].Kind != models.KindImage {
		t.Errorf("a long text: %+v", ms)
	}
	c.must(c.answer(service.Reply{Conversation: row.ID, Key: "k5", Files: []models.FileID{c.upload(row.ID, "b.jpg", sampleJPG), c.upload(row.ID, "c.jpg", sampleJPG)}}))
	c.keyed(row, "k5", 2)
	// Without script a second post brings the same files once more.
	again := []models.FileID{c.upload(row.ID, "b.jpg", sampleJPG), c.upload(row.ID, "c.jpg", sampleJPG)}
	c.must(c.answer(service.Reply{Conversation: row.ID, Key: "k5", Files: again}))
}

func TestWhoseFile(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		c.files(true, true)
		c.write(0, "Hei")
		row := c.only()
		mine := c.upload(row.ID, "a.pdf", samplePDF)
		c.write(1, "Hei")
		other := c.conversationOf(c.customer(1))
		there := c.upload(other, "b.pdf", samplePDF)
		bob := models.User{Name: "Bo", Email: "b@example.com", Role: models.Administrator, Version: 1, CreatedAt: time.Now(), UpdatedAt: time.Now()}
		c.must(c.store.InTx(ctx, func(tx *store.Tx) error { return tx.Insert(ctx, &bob) }))
		theirs, err := c.service.Upload(ctx, models.Viewer{User: bob.ID, Role: bob.Role}, service.Upload{Conversation: row.ID, Name: "c.pdf", Content: bytes.NewReader(samplePDF)})
		c.must(err)
		for what, files := range map[string][]models.FileID{
			"another conversation's": {there}, "another agent's": {theirs.ID}, "none": {4711}, "twice the same": {mine, mine}, "zero": {0},
		} {
			var f models.FieldErrors
			if err := c.answer(service.Reply{Conversation: row.ID, Key: "k", Files: files}); !errors.As(err, &f) || f[0].Key != "file.unknown" {
				t.Errorf("%s: %v", what, err)
			}
		}
		for what, at := range map[string][2]int64{"another conversation": {int64(other), int64(mine)}, "another agent's": {int64(row.ID), int64(theirs.ID)}, "none": {int64(row.ID), 4711}} {
			if err := c.service.RemoveUpload(ctx, c.agent, models.ConversationID(at[0]), models.FileID(at[1])); !errors.Is(err, models.ErrNotFound) {
				t.Errorf("remove, %s: %v", what, err)
			}
		}
		if err := c.answer(service.Reply{Conversation: row.ID, Key: "k.2", Body: "x"}); err == nil {
			t.Error("a key that is another message's")
		}
		c.must(c.service.RemoveUpload(ctx, c.agent, row.ID, mine))
		if err := c.answer(service.Reply{Conversation: row.ID, Key: "k", Files: []models.FileID{mine}}); err == nil {
			t.Error("a file that was taken back is sent")
		}
		for i := range models.MaxFilesPerReply {
			c.upload(row.ID, fmt.Sprint(i, ".pdf"), samplePDF)
		}
		if _, err := c.service.Upload(ctx, c.agent, service.Upload{Conversation: row.ID, Name: "x.pdf", Content: bytes.NewReader(samplePDF)}); !errors.Is(err, service.ErrManyFiles) {
			t.Errorf("one too many: %v", err)
		}
	})
}

// broken gives some bytes and then the end of the line.
type broken struct{ io.Reader }

func (b broken) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

func TestUploadRefused(t *testing.T) {
	s := storetest.Open(t, store.SQLite, nil)
	c := newCenter(t, s, nil)
	c.files(true, true)
	c.write(0, "Hei")
	row := c.only()
	pad := func(head string, n int) []byte { return append([]byte(head), make([]byte, n)...) }
	png := "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
	for what, tt := range map[string]struct {
		name    string
		content []byte
		key     string
	}{
		"empty":              {"a.pdf", nil, "file.empty"},
		"page named picture": {"a.jpg", []byte("<!DOCTYPE html><script>alert(1)</script>"), "file.type"},
		"svg":                {"a.svg", []byte(`<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`), "file.type"},
		"svg named picture":  {"a.png", []byte(`<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>`), "file.type"},
		"program":            {"a.pdf", pad("MZ\x90\x00", 5000), "file.type"},
		"text":               {"a.pdf", []byte("hello"), "file.type"},
		"archive":            {"a.docx", pad("PK\x03\x04", 100), "file.type"},
		"sticker":            {"a.webp", []byte("RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00\x2f\x00\x00\x00"), "file.type"},
		"vorbis":             {"a.ogg", pad("OggS\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x1e\x01vorbis", 100), "file.type"},
		"large picture":      {"a.png", pad(png, models.MaxImageSize), "file.image_size"},
		"large document":     {"a.pdf", pad("%PDF-1.4\n", models.MaxFileSize), "file.size"},
	} {
		_, err := c.service.Upload(ctx, c.agent, service.Upload{Conversation: row.ID, Name: tt.name, Content: bytes.NewReader(tt.content)})
		var e *models.Error
		if !errors.As(err, &e) || e.Key != tt.key || e.Kind != models.KindInvalid {
			t.Errorf("%s: %v, want %s", what, err, tt.key)
		}
	}
	if _, err := c.service.Upload(ctx, c.agent, service.Upload{Conversation: row.ID, Name: "a.pdf", Content: broken{bytes.NewReader(pad("%PDF-1.4\n", 10000))}}); err == nil {
		t.Error("half a file is kept")
	}
	if _, err := c.service.Upload(ctx, models.Viewer{User: 4711, Role: models.Agent}, service.Upload{Conversation: row.ID, Content: bytes.NewReader(samplePDF)}); !errors.Is(err, models.ErrNotFound) {
		t.Errorf("a stranger: %v", err)
	}
	for name, want := range map[string]string{"../../x\r\n.pdf": "x.pdf", "": "file.pdf", "a.html": "a.html.pdf"} {
		f, err := c.service.Upload(ctx, c.agent, service.Upload{Conversation: row.ID, Name: name, Content: bytes.NewReader(samplePDF)})
		if err != nil || f.Name != want || f.ContentType != "application/pdf" || strings.Contains(f.StorageKey, "x") && strings.Contains(f.StorageKey, "pdf") {
			t.Errorf("%q: %+v, %v", name, f, err)
		}
	}
	c.files(true, false)
	if _, err := c.service.Upload(ctx, c.agent, service.Upload{Conversation: row.ID, Name: "a.pdf", Content: bytes.NewReader(samplePDF)}); !errors.Is(err, service.ErrFilesOff) {
		t.Errorf("switched off: %v", err)
	}
	fs, err := c.store.Uploads(ctx, row.Conversation, c.agent.User)
	if err != nil || len(fs) != 3 {
		t.Fatalf("%d uploads: %v", len(fs), err)
	}
	if err := c.answer(service.Reply{Conversation: row.ID, Key: "k", Files: []models.FileID{fs[0].ID}}); !errors.Is(err, service.ErrFilesOff) {
		t.Errorf("switched off since: %v", err)
	}
}

// Nothing that a browser says reaches the folder: refused files leave nothing behind.
func TestRefusedUploadsLeaveNothing(t *testing.T) {
	dir := t.TempDir()
	c := newCenter(t, storetest.Open(t, store.SQLite, nil), nil)
	files, err := blob.Open(blob.Config{Folder: dir})
	c.must(err)
	t.Cleanup(func() { _ = files.Close() })
	c.service.Close()
	public, err := url.Parse(c.hooks.URL)
	c.must(err)
	c.service, err = service.New(ctx, service.Options{
		Store: c.store, Files: files, Twilio: twilio.New(twilio.Options{SimulatorBase: c.sim.URL(), IsSimulated: c.sim.Has}), PublicURL: public, IsSimulated: c.sim.Has,
	})
	c.must(err)
	c.files(true, true)
	c.write(0, "Hei")
	row := c.only()
	for _, content := range [][]byte{append([]byte("%PDF-1.4\n"), make([]byte, models.MaxFileSize)...), []byte("<html>"), nil} {
		if _, err := c.service.Upload(ctx, c.agent, service.Upload{Conversation: row.ID, Name: "a.pdf", Content: bytes.NewReader(content)}); err == nil {
			t.Error("taken")
		}
	}
	id := c.upload(row.ID, "a.jpg", sampleJPG)
	c.must(c.service.RemoveUpload(ctx, c.agent, row.ID, id))
	if left, err := os.ReadDir(dir + "/arriving"); err != nil || len(left) != 0 {
		t.Errorf("on its way: %v, %v", left, err)
	}
	dirs, err := os.ReadDir(dir)
	c.must(err)
	for _, d := range dirs {
		if left, _ := os.ReadDir(dir + "/" + d.Name()); len(left) != 0 {
			t.Errorf("left in %s: %v", d.Name(), left)
		}
	}
}

func TestFilesNeedAPublicAddress(t *testing.T) {
	for address, public := range map[string]bool{
		"https://kanal.example": true, "https://kanal.example:8443/x": true, "https://[2606:4700::1111]": true, "http://kanal.example": false,
		"https://localhost": false, "https://a.localhost": false, "https://127.0.0.1": false, "https://[::1]": false, "https://10.0.0.8": false,
		"https://[::ffff:192.168.0.8]": false, "https://169.254.1.1": false, "https://0.0.0.0": false,
	} {
		c := newCenter(t, storetest.Open(t, store.SQLite, nil), nil)
		c.files(true, true)
		c.write(0, "Hei")
		u, _ := url.Parse(address)
		center, err := service.New(ctx, service.Options{Store: c.store, Twilio: twilio.New(twilio.Options{}), PublicURL: u})
		c.must(err)
		t.Cleanup(center.Close)
		err = center.MayAttach(c.only().Conversation)
		if public && err != nil || !public && !errors.Is(err, service.ErrFilesUnreachable) {
			t.Errorf("%s: %v", address, err)
		}
		if err := c.service.MayAttach(c.only().Conversation); err != nil {
			t.Errorf("the simulator reaches us everywhere: %v", err)
		}
	}
}

func (c *center) mediaURLs() (all []string) {
	for _, e := range c.sim.Ledger(c.sid) {
		if e.What == "create" && e.Params.Get("MediaUrl") != "" {
			all = append(all, e.Params.Get("MediaUrl"))
		}
	}
	return all
}

func TestAddressOfAFile(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		c.files(true, true)
		c.write(0, "Hei")
		row := c.only()
		c.sim.SetOutcome(c.sid, simulator.Outcome{Final: "failed", Code: 63019, Step: time.Millisecond})
		c.must(c.answer(service.Reply{Conversation: row.ID, Key: "k1", Files: []models.FileID{c.upload(row.ID, "a.pdf", samplePDF)}}))
		c.must(c.service.SendConversation(ctx, row.ID))
		c.until("failed", func() bool { ms := c.messagesOf(row); return ms[len(ms)-1].State == models.Failed })
		clock.Advance(29 * time.Minute)
		old := c.mediaURLs()[0]
		token := old[strings.LastIndex(old, "/")+1:]
		content, err := c.service.Media(ctx, token)
		if err != nil || content.File.Name != "a.pdf" {
			t.Fatalf("%+v, %v", content.File, err)
		}
		b, _ := io.ReadAll(content)
		_ = content.Close()
		if !bytes.Equal(b, samplePDF) {
			t.Errorf("%d bytes", len(b))
		}
		for what, forged := range map[string]string{"a letter": "A" + token[1:], "an end": token[:len(token)-2] + "AA"} {
			if _, err := c.service.Media(ctx, forged); forged != token && !errors.Is(err, service.ErrMediaForged) {
				t.Errorf("%s: %v", what, err)
			}
		}
		for _, none := range []string{"", "x", "../" + token, token + "AA", token[4:], strings.Repeat("ø", 32), token[:63] + "="} {
			if _, err := c.service.Media(ctx, none); !errors.Is(err, models.ErrNotFound) {
				t.Errorf("%q: %v", none, err)
			}
		}
		clock.Advance(time.Minute)
		if _, err := c.service.Media(ctx, token); !errors.Is(err, service.ErrMediaExpired) {
			t.Errorf("half an hour later: %v", err)
		}
		// By hand, once more: with an address of its own.
		ms := c.messagesOf(row)
		_, err = c.service.Retry(ctx, c.agent, ms[len(ms)-1].ID)
		c.must(err)
		c.sim.SetOutcome(c.sid, simulator.Outcome{Final: "read", Step: time.Millisecond})
		c.must(c.service.SendConversation(ctx, row.ID))
		if urls := c.mediaURLs(); len(urls) != 2 || urls[0] == urls[1] {
			t.Errorf("addresses %v", urls)
		}
		c.keyed(row, "k1", 1)
	})
}

func (c *center) messagesOf(row models.ConversationRow) []models.Message {
	c.t.Helper()
	ms, err := c.store.Messages(ctx, row.Conversation, 0)
	c.must(err)
	return ms
}

// The answer to the create of a file is lost: the list at Twilio shows it, and it is not sent again. A text of the same
// words beside it is not taken for it.
func TestUncertainFile(t *testing.T) {
	each(t, func(t *testing.T, c *center, _ *storetest.Clock) {
		c.files(true, true)
		c.sim.SetOutcome(c.sid, simulator.Outcome{Final: "none"})
		c.write(0, "Hei")
		row := c.only()
		c.reply(row.ID, "k0", "Se her")
		c.must(c.service.SendConversation(ctx, row.ID))
		c.sim.Fail(c.sid, simulator.FaultCommitDrop)
		c.must(c.answer(service.Reply{Conversation: row.ID, Key: "k1", Body: "Se her", Files: []models.FileID{c.upload(row.ID, "a.jpg", sampleJPG)}}))
		c.must(c.service.SendConversation(ctx, row.ID))
		ms := c.messagesOf(row)
		m := ms[len(ms)-1]
		if m.State != models.Uncertain {
			t.Fatalf("the message is %s", m.State)
		}
		c.must(c.service.SettleMessage(ctx, m.ID))
		m = c.message(m.ID)
		if m.State != models.Accepted || !strings.HasPrefix(*m.ProviderSID, "MM") || c.creates() != 2 {
			t.Errorf("%s as %s, %d creates", m.State, *m.ProviderSID, c.creates())
		}

		// One that never came, and a text of the same words that somebody else has sent.
		c.sim.Fail(c.sid, simulator.FaultHTML)
		c.must(c.answer(service.Reply{Conversation: row.ID, Key: "k2", Body: "Igjen", Files: []models.FileID{c.upload(row.ID, "b.jpg", sampleJPG)}}))
		c.must(c.service.SendConversation(ctx, row.ID))
		client := twilio.New(twilio.Options{Base: c.sim.URL()})
		_, err := client.CreateMessage(ctx, twilio.Credentials{AccountSID: c.sid, AuthToken: c.sim.Accounts()[0].Token}, twilio.NewMessage{
			From: "whatsapp:" + number, To: string(c.customer(0)), Body: "Igjen",
		})
		c.must(err)
		ms = c.messagesOf(row)
		c.must(c.service.SettleMessage(ctx, ms[len(ms)-1].ID))
		if m := c.message(ms[len(ms)-1].ID); m.State != models.Uncertain {
			t.Errorf("a text was taken for the file: %s", m.State)
		}
	})
}

// The 24-hour rule holds for files, and a file that is gone does not stop those after it.
func TestFilesAndTheWindow(t *testing.T) {
	each(t, func(t *testing.T, c *center, clock *storetest.Clock) {
		c.files(true, true)
		c.write(0, "Hei")
		row := c.only()
		first, second := c.upload(row.ID, "a.pdf", samplePDF), c.upload(row.ID, "b.pdf", samplePDF)
		c.must(c.answer(service.Reply{Conversation: row.ID, Key: "k1", Files: []models.FileID{first}}))
		c.must(c.store.InTx(ctx, func(tx *store.Tx) error {
			f, err := tx.File(ctx, first)
			if err != nil {
				return err
			}
			f.State = models.FileFailed
			return tx.SaveFile(ctx, f, models.FileStored)
		}))
		c.reply(row.ID, "k2", "Hei")
		c.must(c.service.SendConversation(ctx, row.ID))
		ms := c.messagesOf(row)
		if last := ms[len(ms)-2:]; last[0].State != models.Failed || last[0].ErrorCode != twilio.CodeNoFile || last[1].ProviderSID == nil {
			t.Errorf("%s with %d, then %s", last[0].State, last[0].ErrorCode, last[1].State)
		}
		clock.Advance(25 * time.Hour)
		if err := c.answer(service.Reply{Conversation: row.ID, Key: "k3", Files: []models.FileID{second}}); !errors.Is(err, service.ErrWindowClosed) {
			t.Errorf("a day later: %v", err)
		}
	})
}

// What WhatsApp takes in the simulator is what can be sent here.
func TestTheSimulatorTakesOurFiles(t *testing.T) {
	for _, x := range models.FileTypes() {
		kind, limit, ok := simulator.Takes(x.ContentType)
		if !ok || kind != string(x.Kind) || limit != x.Max {
			t.Errorf("%s: %s, %d, %v", x.ContentType, kind, limit, ok)
		}
	}
}

package web

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	dom "golang.org/x/net/html"

	"kanal/models"
	"kanal/service"
	"kanal/store"
	"kanal/store/storetest"
	"kanal/twilio"
	"kanal/views/i18n"
)

var updateSeen = flag.Bool("update", false, "write what agents see into testdata")

// twilioExample is one of the forms and answers of Twilio that are kept.
type twilioExample struct {
	Kind   string
	Params map[string]any
}

func twilioExamples(t *testing.T) []twilioExample {
	t.Helper()
	b, err := os.ReadFile("../twilio/testdata/payloads.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []twilioExample
	if err := json.Unmarshal(b, &all); err != nil || len(all) != 47 {
		t.Fatalf("%d examples, %v", len(all), err)
	}
	return all
}

func (e twilioExample) form() url.Values {
	form := url.Values{}
	for k, v := range e.Params {
		form.Set(k, fmt.Sprint(v))
	}
	return form
}

// answering is a Twilio that answers every message that it is given alike.
type answering struct {
	status int
	body   any
}

func (a *answering) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(a.status)
	_ = json.NewEncoder(w).Encode(a.body)
}

// seeing is a center whose pages are read after each example.
type seeing struct {
	*site
	agent   *browser
	twilio  *answering
	sender  *service.Service
	lang    i18n.Lang
	seen    strings.Builder
	customs int // customers so far, beside the one of the examples
}

// What an agent sees of each of Twilio's examples: in the thread, and in the list. go test -update writes it anew.
func TestWhatAgentsSee(t *testing.T) {
	for _, lang := range i18n.Langs() {
		t.Run(string(lang), func(t *testing.T) {
			s := newSeeing(t, lang)
			for _, e := range twilioExamples(t) {
				s.show(e)
				s.resume()
			}
			path := "testdata/seen." + string(lang) + ".txt"
			if *updateSeen {
				if err := os.WriteFile(path, []byte(s.seen.String()), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if got := s.seen.String(); got != string(want) {
				t.Errorf("agents see something else than %s says; got:\n%s", path, got)
			}
		})
	}
}

const shopNumber = "+4721000041"

func newSeeing(t *testing.T, lang i18n.Lang) *seeing {
	s := &seeing{site: newSite(t), twilio: &answering{}, lang: lang}
	a := s.connect()
	err := s.store.InTx(t.Context(), func(tx *store.Tx) error { // one that may send without a pause
		return tx.InsertNumber(t.Context(), &models.Number{AccountID: a.ID, Name: "Shop", Address: shopNumber, Version: 1})
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.service.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.agent = s.as(models.Agent)
	s.agent.Headers.Set("Accept-Language", string(lang))
	fake := httptest.NewServer(s.twilio)
	t.Cleanup(fake.Close)
	public, _ := url.Parse(s.url)
	at, _ := url.Parse(fake.URL)
	s.sender, err = service.New(t.Context(), service.Options{
		Store: s.store, Files: storetest.Files(t), Twilio: twilio.New(twilio.Options{Base: at}), PublicURL: public, Log: storetest.Log(t),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.sender.Close)
	return s
}

// show lets an example happen and notes what the agent sees of it.
func (s *seeing) show(e twilioExample) {
	s.t.Helper()
	fmt.Fprintln(&s.seen, e.Kind)
	switch kind, _, _ := strings.Cut(e.Kind, "_"); kind {
	case "inbound":
		if e.Kind == "inbound_reply_quote" || e.Kind == "inbound_template_button" { // of the others the quoted message is not known
			s.sentBefore(e.form().Get("OriginalRepliedMessageSid"))
		}
		before := s.row(e.form().Get("From")).Seq
		s.hook(hookPath, e.form()).emptyTwiML(http.StatusOK)
		if s.row(e.form().Get("From")).Seq == before {
			fmt.Fprint(&s.seen, "  -\n\n")
			return
		}
		s.note(e.form().Get("From"), before)
	case "http": // the headers of each call
		s.twilio.status = http.StatusCreated
		from := s.customer(e)
		s.note(from, 0)
	case "status":
		from := s.customer(e)
		s.twilio.status = http.StatusCreated
		sid := fmt.Sprintf("SM%032x", 0xabc000+s.customs)
		s.twilio.body = map[string]any{"sid": sid, "status": "queued"}
		s.reply(from)
		form := e.form()
		form.Set("MessageSid", sid)
		s.hook(strings.Replace(hookPath, "inbound", "status", 1), form).want(http.StatusOK)
		s.note(from, 1) // not what the customer wrote first
	case "rest":
		from := s.customer(e)
		s.twilio.body = e.Params
		s.twilio.status = int(e.Params["status"].(float64))
		s.reply(from)
		s.note(from, 1) // not what the customer wrote first
	default:
		s.t.Fatal("unknown", e.Kind)
	}
}

// sentBefore puts a message of the agent's into the examples' conversation, which Twilio knows by the sid.
func (s *seeing) sentBefore(sid string) {
	s.t.Helper()
	id := s.row("whatsapp:+5215512345678").ID
	err := s.store.InTx(s.t.Context(), func(tx *store.Tx) error {
		c, err := tx.LockConversation(s.t.Context(), id)
		if err != nil {
			return err
		}
		c.Seq, c.Rev = c.Seq+1, c.Rev+1
		err = tx.InsertMessages(s.t.Context(), []models.Message{{
			AccountID: c.AccountID, ConversationID: c.ID, Seq: float64(c.Seq), Rev: c.Rev, Direction: models.Out, Kind: models.KindText, Body: "Shall we *book* it?",
			UserID: &s.agent.User.ID, ProviderSID: &sid, State: models.Read, CreatedAt: tx.Now(), UpdatedAt: tx.Now(),
		}})
		if err != nil {
			return err
		}
		return tx.SaveConversations(s.t.Context(), c)
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// customer lets a new customer write.
func (s *seeing) customer(e twilioExample) (from string) {
	s.t.Helper()
	s.customs++
	from = fmt.Sprintf("whatsapp:+47400%05d", s.customs)
	form := url.Values{
		"MessageSid": {fmt.Sprintf("SM%032x", 0xdef000+s.customs)}, "From": {from}, "To": {"whatsapp:" + shopNumber}, "Body": {"Hi"}, "NumMedia": {"0"},
	}
	b := s.anonymous()
	if e.Kind == "http_request_headers" {
		for k, v := range e.Params {
			b.Headers.Set(k, v.(string))
		}
	}
	b.Headers.Set(twilio.SignatureHeader, twilio.Sign(hookToken, s.url+hookPath, form))
	b.do(http.MethodPost, hookPath, "application/x-www-form-urlencoded", strings.NewReader(form.Encode())).emptyTwiML(http.StatusOK)
	return from
}

// reply answers a customer and hands the message to Twilio.
func (s *seeing) reply(to string) {
	s.t.Helper()
	row := s.row(to)
	path := fmt.Sprintf("/inbox/%d", row.ID)
	s.agent.post(path + "/assign").want(http.StatusSeeOther)
	s.agent.post(path+"/messages", "client_key", fmt.Sprintf("key%09d", s.customs), "body", "Hello").want(http.StatusSeeOther)
	_ = s.sender.SendConversation(s.t.Context(), row.ID) // the error says when to try again
	s.reload()
}

// reload lets both services know what the other has changed.
func (s *seeing) reload() {
	s.t.Helper()
	for _, x := range []*service.Service{s.service, s.sender} {
		if err := x.Reload(s.t.Context()); err != nil {
			s.t.Fatal(err)
		}
	}
}

// resume lets an account that the last answer has stopped send again.
func (s *seeing) resume() {
	s.t.Helper()
	for _, a := range s.service.Stopped() {
		err := s.store.InTx(s.t.Context(), func(tx *store.Tx) error {
			_, err := tx.ResumeAccount(s.t.Context(), a.ID)
			return err
		})
		if err != nil {
			s.t.Fatal(err)
		}
		s.reload()
	}
}

func (s *seeing) row(from string) models.ConversationRow {
	s.t.Helper()
	rows, err := s.store.Conversations(s.t.Context(), models.Viewer{Role: models.Supervisor}, store.InboxFilter{View: models.ViewAll})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, r := range rows {
		if r.Address == from {
			return r
		}
	}
	return models.ConversationRow{}
}

// clockTime is when a message is sent again, which is another time in each run.
var clockTime = regexp.MustCompile(`\b[0-2]\d:[0-5]\d\b`)

// note adds the messages of a customer's thread after a seq, and its row in the list, as they read.
func (s *seeing) note(from string, after int64) {
	s.t.Helper()
	row := s.row(from)
	page := s.agent.get(fmt.Sprintf("/inbox/%d", row.ID)).want(http.StatusOK).Body
	for _, n := range elements(s.t, page, "alerted__b") {
		fmt.Fprintf(&s.seen, "  page:   %s\n", reading(n))
	}
	thread := elements(s.t, page, "msg")
	list := elements(s.t, s.agent.htmx("partial").get("/inbox/list?view=all").want(http.StatusOK).Body, "conv")
	for _, n := range thread {
		if seq, err := strconv.ParseInt(attr(n, "data-seq"), 10, 64); err == nil && seq > after {
			fmt.Fprintf(&s.seen, "  thread: %s\n", clockTime.ReplaceAllString(reading(n), "hh:mm"))
		}
	}
	for _, n := range list {
		if attr(n, "id") == fmt.Sprintf("row-%d", row.ID) {
			fmt.Fprintf(&s.seen, "  list:   %s\n\n", reading(n))
		}
	}
}

// elements gives the elements of a class.
func elements(t *testing.T, page, class string) (out []*dom.Node) {
	t.Helper()
	doc, err := dom.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	for n := range doc.Descendants() {
		if n.Type == dom.ElementNode && strings.Contains(" "+attr(n, "class")+" ", " "+class+" ") && !strings.Contains(attr(n, "class"), "is-pending") {
			out = append(out, n)
		}
	}
	return out
}

func attr(n *dom.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// reading gives the text of an element in the order in which it is read, with its pictures and where its links lead.
// The time, and the way to the details behind it, are left out.
func reading(n *dom.Node) string {
	var words []string
	for child := range n.ChildNodes() {
		switch {
		case child.Type == dom.TextNode:
			words = append(words, strings.Fields(child.Data)...)
		case child.Data == "svg":
			if use := attr(child.FirstChild, "href"); use != "" {
				_, icon, _ := strings.Cut(use, "#")
				words = append(words, "<"+icon+">")
			}
		case child.Data == "time", child.Data == "a" && attr(n, "class") == "meta":
		default:
			if to := attr(child, "href"); child.Data == "a" && strings.HasPrefix(to, "http") {
				words = append(words, "["+to+"]")
			}
			words = append(words, reading(child))
		}
	}
	return strings.Join(strings.Fields(strings.Join(words, " ")), " ")
}

package simulator

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"kanal/twilio"
)

func (s *Simulator) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2010-04-01/Accounts/{account}", s.auth(s.fetchAccount))
	mux.HandleFunc("POST /2010-04-01/Accounts/{account}/Messages.json", s.auth(s.createMessage))
	mux.HandleFunc("GET /2010-04-01/Accounts/{account}/Messages.json", s.auth(s.listMessages))
	mux.HandleFunc("GET /2010-04-01/Accounts/{account}/Messages/{message}", s.auth(s.fetchMessage))
	mux.HandleFunc("GET /2010-04-01/Accounts/{account}/Messages/{message}/Media/{media}", s.auth(s.fetchMedia))
	mux.HandleFunc("DELETE /2010-04-01/Accounts/{account}/Messages/{message}/Media/{media}", s.auth(s.deleteMedia))
	mux.HandleFunc("GET /v2/Channels/Senders", s.auth(s.listSenders))
	mux.HandleFunc("POST /v2/Indicators/Typing.json", s.auth(s.typing))
	mux.HandleFunc("POST /v3/Indicators/Typing.json", s.auth(s.typingJSON))
	s.contentRoutes(mux)
	s.tokenRoutes(mux)
	mux.HandleFunc("/", notFound)
	return headers(mux)
}

func headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Twilio-Request-Id", id("RQ"))
		w.Header().Set("Twilio-Concurrent-Requests", "1")
		w.Header().Set("Twilio-Request-Duration", "0.001")
		w.Header().Set("X-Home-Region", "us1")
		r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
		next.ServeHTTP(w, r)
	})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// fail answers with Twilio's error body.
func fail(w http.ResponseWriter, status, code int, message string) {
	answer(w, status, errorBody(status, code, message))
}

func errorBody(status, code int, message string) map[string]any {
	return map[string]any{
		"code": code, "message": message, "more_info": "https://www.twilio.com/docs/errors/" + strconv.Itoa(code), "status": status,
	}
}

// text gives a body as the ledger keeps it.
func text(body any) string {
	b, err := json.MarshalIndent(body, "", "  ")
	if err != nil {
		return ""
	}
	return string(b[:min(len(b), maxAnswer)])
}

func notFound(w http.ResponseWriter, r *http.Request) {
	fail(w, http.StatusNotFound, 20404, "The requested resource "+r.URL.Path+" was not found")
}

// auth checks Basic authentication. The account in the path must be the one that signs in.
func (s *Simulator) auth(next func(http.ResponseWriter, *http.Request, string)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		user, pass, _ := r.BasicAuth()
		s.mu.Lock()
		a := s.account(user)
		ok := a != nil && a.accepts(pass)
		s.mu.Unlock()
		in := strings.TrimSuffix(r.PathValue("account"), ".json")
		switch {
		case !ok:
			fail(w, http.StatusUnauthorized, twilio.CodeUnauthorized, "Authenticate")
		case in != "" && in != user:
			notFound(w, r)
		default:
			next(w, r, user)
		}
	}
}

func (s *Simulator) fetchAccount(w http.ResponseWriter, r *http.Request, sid string) {
	s.mu.Lock()
	a := s.account(sid)
	status := "active"
	if a.Suspended {
		status = "suspended"
	}
	// The real answer holds the token too: whoever logs it is caught here.
	body := map[string]any{
		"sid": a.SID, "friendly_name": a.Name, "status": status, "type": "Full", "owner_account_sid": a.SID,
		"auth_token": a.Token, "date_created": a.now(s.o.Now()).Format(time.RFC1123Z), "uri": r.URL.Path,
	}
	s.mu.Unlock()
	answer(w, http.StatusOK, body)
}

// refuse checks a create in Twilio's order and gives its code and message; 0 when nothing is wrong.
func (a *account) refuse(form url.Values, now time.Time) (int, string) {
	from, to := form.Get("From"), form.Get("To")
	switch {
	case a.Suspended:
		return twilio.CodeSuspended, "Account suspended"
	case to == "":
		return 21604, "A 'To' phone number is required."
	case from == "":
		return 21603, "A 'From' phone number is required."
	case form.Get("Body") == "" && form.Get("MediaUrl") == "" && form.Get("ContentSid") == "":
		return 21602, "Message body is required."
	case form.Get("MediaUrl") != "" && badMediaURL(form.Get("MediaUrl")):
		return twilio.CodeBadMediaURL, "Invalid media URL(s)"
	case twilio.TextLength(form.Get("Body")) > twilio.MaxBody:
		return 21617, "The concatenated message body exceeds the 1600 character limit"
	case strings.HasPrefix(from, "whatsapp:") != strings.HasPrefix(to, "whatsapp:"):
		return 21910, "Invalid From and To pair. From and To should be of the same channel"
	case a.sender(twilio.Address(from).Phone()) == nil:
		return 63007, "Twilio could not find a Channel with the specified From address"
	case twilio.Address(to).Phone() == "" && twilio.Address(to).BSUID() == "":
		return 21211, "The 'To' number is not a valid phone number."
	}
	if c := a.customer(twilio.Address(to)); c != nil && c.OptedOut {
		return twilio.CodeOptedOut, "Attempt to send to unsubscribed recipient"
	}
	return a.refuseContent(form, now)
}

func (s *Simulator) createMessage(w http.ResponseWriter, r *http.Request, sid string) {
	if err := r.ParseForm(); err != nil {
		fail(w, http.StatusBadRequest, 21602, "Message body is required.")
		return
	}
	s.mu.Lock()
	a := s.account(sid)
	fault := a.takeFault()
	code, message := a.refuse(r.PostForm, s.o.Now())
	entry := Entry{At: a.now(s.o.Now()), What: "create", Params: r.PostForm, Fault: fault}
	if done := before(w, fault, &entry); done {
		a.note(entry)
		s.changed()
		s.mu.Unlock()
		if fault == FaultDown {
			drop(w)
		}
		return
	}
	if code != 0 {
		entry.Status = http.StatusBadRequest
		if code == twilio.CodeSuspended {
			entry.Status = http.StatusForbidden
		}
		entry.Code = code
		entry.Answer = text(errorBody(entry.Status, code, message))
		a.note(entry)
		s.changed()
		s.mu.Unlock()
		fail(w, entry.Status, code, message)
		return
	}
	m := a.create(r.PostForm, s.o.Now())
	body, outcome := m.json(), a.Outcome
	entry.SID, entry.Status, entry.Answer = m.SID, http.StatusCreated, text(body)
	a.note(entry)
	s.changed()
	s.mu.Unlock()
	s.after(w, r, fault, func() { s.deliver(sid, m.SID, outcome) }, body)
}

func (a *account) takeFault() Fault {
	if len(a.faults) == 0 {
		return ""
	}
	f := a.faults[0]
	a.faults = a.faults[1:]
	return f
}

// before answers for the faults that happen before anything is processed.
func before(w http.ResponseWriter, fault Fault, e *Entry) bool {
	switch fault {
	case FaultTooMany:
		e.Status = http.StatusTooManyRequests
		fail(w, e.Status, twilio.CodeTooMany, "Too Many Requests")
	case FaultUnauth:
		e.Status = http.StatusUnauthorized
		fail(w, e.Status, twilio.CodeUnauthorized, "Authenticate")
	case FaultRejected:
		e.Status = http.StatusBadRequest
		fail(w, e.Status, 21211, "The 'To' number is not a valid phone number.")
	case FaultHTML:
		e.Status = http.StatusInternalServerError
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(e.Status)
		_, _ = w.Write([]byte("<html><body>An error occurred</body></html>"))
	case FaultDown:
	default:
		return false
	}
	return true
}

// after answers a create that was processed, or not, as the fault says.
func (s *Simulator) after(w http.ResponseWriter, r *http.Request, fault Fault, deliver func(), body any) {
	switch fault {
	case FaultCommitHang:
		s.run(deliver)
		select {
		case <-r.Context().Done():
		case <-s.ctx.Done():
		}
		drop(w)
	case FaultCommitDrop:
		s.run(deliver)
		drop(w)
	case FaultCommitSlow:
		deliver()
		answer(w, http.StatusCreated, body)
	default:
		answer(w, http.StatusCreated, body)
		s.run(deliver)
	}
}

// drop cuts the connection.
func drop(w http.ResponseWriter) {
	if h, ok := w.(http.Hijacker); ok {
		if c, _, err := h.Hijack(); err == nil {
			_ = c.Close()
		}
	}
}

func (a *account) create(form url.Values, now time.Time) *Message {
	m := &Message{
		SID: id("SM"), AccountSID: a.SID, From: form.Get("From"), To: form.Get("To"), Body: form.Get("Body"),
		ContentSID: form.Get("ContentSid"), Direction: "outbound-api", Status: "queued", Kind: "text", Created: a.now(now), Updated: a.now(now),
		Callback: form.Get("StatusCallback"),
	}
	if m.MediaURL = form.Get("MediaUrl"); m.MediaURL != "" {
		m.SID, m.MediaSID = id("MM"), id("ME")
	}
	if m.Shown = a.filled(form, now); m.Shown != nil {
		m.Body = m.Shown.Body
	}
	a.add(m)
	delete(a.typing, line{m.To, m.From}) // until a message comes
	a.meet(twilio.Address(m.To))
	return m
}

// json is the message resource.
func (m *Message) json() map[string]any {
	path := "/2010-04-01/Accounts/" + m.AccountSID + "/Messages/" + m.SID
	out := map[string]any{
		"sid": m.SID, "account_sid": m.AccountSID, "messaging_service_sid": nil, "from": m.From, "to": m.To, "body": m.Body,
		"status": m.Status, "direction": m.Direction, "num_segments": "1", "num_media": "0", "price": nil, "price_unit": nil,
		"error_code": nil, "error_message": nil, "date_created": m.Created.Format(time.RFC1123Z),
		"date_updated": m.Updated.Format(time.RFC1123Z), "date_sent": nil, "api_version": "2010-04-01", "uri": path + ".json",
		"subresource_uris": map[string]string{"media": path + "/Media.json"},
	}
	if m.MediaSID != "" {
		out["num_media"] = "1"
	}
	if m.ErrorCode != 0 {
		out["error_code"] = m.ErrorCode
	}
	if m.Status != "queued" {
		out["date_sent"] = m.Created.Format(time.RFC1123Z)
	}
	return out
}

func (s *Simulator) fetchMessage(w http.ResponseWriter, r *http.Request, sid string) {
	want := strings.TrimSuffix(r.PathValue("message"), ".json")
	s.mu.Lock()
	var body map[string]any
	if m := s.account(sid).message(want); m != nil {
		body = m.json()
	}
	s.mu.Unlock()
	if body == nil {
		notFound(w, r)
		return
	}
	answer(w, http.StatusOK, body)
}

func (s *Simulator) listMessages(w http.ResponseWriter, r *http.Request, sid string) {
	q := r.URL.Query()
	s.mu.Lock()
	found := []map[string]any{}
	for _, m := range slices.Backward(s.account(sid).Messages) {
		if m.matches(q) {
			found = append(found, m.json())
		}
	}
	s.mu.Unlock()
	size, page := pageOf(q)
	from := min(page*size, len(found))
	to := min(from+size, len(found))
	body := map[string]any{
		"messages": found[from:to], "page": page, "page_size": size, "start": from, "end": max(to-1, 0), "uri": r.URL.RequestURI(),
		"first_page_uri": r.URL.RequestURI(), "next_page_uri": nil, "previous_page_uri": nil,
	}
	if to < len(found) {
		// The dot in the token is on purpose: clients have been seen to lose it.
		q.Set("Page", strconv.Itoa(page+1))
		q.Set("PageToken", fmt.Sprintf("PASM%d.%d", page+1, size))
		body["next_page_uri"] = r.URL.Path + "?" + q.Encode()
	}
	answer(w, http.StatusOK, body)
}

// matches tells whether a message is in a listing. Days are given as such or as moments.
func (m *Message) matches(q url.Values) bool {
	if to := q.Get("To"); to != "" && m.To != to {
		return false
	}
	if from := q.Get("From"); from != "" && m.From != from {
		return false
	}
	after, before := moment(q.Get("DateSent>")), moment(q.Get("DateSent<"))
	if on := moment(q.Get("DateSent")); !on.IsZero() {
		after, before = on.Truncate(24*time.Hour), on.Truncate(24*time.Hour).Add(24*time.Hour)
	}
	return !m.Created.Before(after) && (before.IsZero() || m.Created.Before(before))
}

func moment(s string) time.Time {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t
		}
	}
	return time.Time{}
}

func pageOf(q url.Values) (size, page int) {
	size, _ = strconv.Atoi(q.Get("PageSize"))
	page, _ = strconv.Atoi(q.Get("Page"))
	if token := q.Get("PageToken"); len(token) > 4 && strings.HasPrefix(token, "PA") {
		number, _, dotted := strings.Cut(token[4:], ".")
		if n, err := strconv.Atoi(number); err == nil && dotted {
			page = n
		}
	}
	return min(max(cmp.Or(size, 50), 1), 1000), max(page, 0)
}

func (s *Simulator) listSenders(w http.ResponseWriter, r *http.Request, sid string) {
	q := r.URL.Query()
	if q.Get("Channel") != "whatsapp" {
		fail(w, http.StatusBadRequest, 20001, "Channel is required")
		return
	}
	s.mu.Lock()
	found := []map[string]any{}
	for _, x := range s.account(sid).Senders {
		if sandbox(x.Number) {
			continue // it is nobody's own
		}
		found = append(found, map[string]any{
			"sid": x.SID, "status": "ONLINE", "sender_id": "whatsapp:" + x.Number, "profile": map[string]any{"name": x.Name},
			"webhook": map[string]any{"callback_url": x.InboundURL, "callback_method": "POST"},
		})
	}
	s.mu.Unlock()
	size, page := pageOf(q)
	from := min(page*size, len(found))
	to := min(from+size, len(found))
	meta := map[string]any{"page": page, "page_size": size, "key": "senders", "url": "https://messaging.twilio.com" + r.URL.RequestURI()}
	if to < len(found) {
		q.Set("Page", strconv.Itoa(page+1))
		meta["next_page_url"] = "https://messaging.twilio.com" + r.URL.Path + "?" + q.Encode()
	}
	answer(w, http.StatusOK, map[string]any{"senders": found[from:to], "meta": meta})
}

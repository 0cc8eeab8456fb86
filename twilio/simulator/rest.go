package simulator

import (
	"encoding/json"
	"net/http"
	"net/url"
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
	mux.HandleFunc("GET /2010-04-01/Accounts/{account}/Messages/{message}/Media.json", s.auth(s.listMedia))
	mux.HandleFunc("GET /2010-04-01/Accounts/{account}/Messages/{message}/Media/{media}", s.auth(s.fetchMedia))
	mux.HandleFunc("DELETE /2010-04-01/Accounts/{account}/Messages/{message}/Media/{media}", s.auth(s.deleteMedia))
	mux.HandleFunc("POST /v2/Indicators/Typing.json", s.auth(s.typing))
	mux.HandleFunc("POST /v3/Indicators/Typing.json", s.auth(s.typingJSON))
	s.contentRoutes(mux)
	s.tokenRoutes(mux)
	s.senderRoutes(mux)
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

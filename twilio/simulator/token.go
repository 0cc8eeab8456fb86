package simulator

import (
	"net/http"
	"time"
)

// tokenRoutes are those of rotating the auth token.
func (s *Simulator) tokenRoutes(mux *http.ServeMux) {
	mux.HandleFunc("POST /v1/AuthTokens/Secondary", s.auth(s.createSecondary))
	mux.HandleFunc("DELETE /v1/AuthTokens/Secondary", s.auth(s.deleteSecondary))
	mux.HandleFunc("POST /v1/AuthTokens/Promote", s.auth(s.promoteSecondary))
}

// accepts tells whether a token authenticates requests. Only the primary one signs.
func (a *account) accepts(token string) bool {
	return token != "" && (token == a.Token || token == a.Secondary)
}

func (s *Simulator) createSecondary(w http.ResponseWriter, _ *http.Request, sid string) {
	var body map[string]any
	s.with(sid, func(a *account) {
		a.Secondary = id("")
		body = a.tokenBody("secondary_auth_token", a.Secondary, s.o.Now())
	})
	answer(w, http.StatusCreated, body)
}

func (s *Simulator) deleteSecondary(w http.ResponseWriter, r *http.Request, sid string) {
	had := false
	s.with(sid, func(a *account) { had, a.Secondary = a.Secondary != "", "" })
	if !had {
		notFound(w, r)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Simulator) promoteSecondary(w http.ResponseWriter, _ *http.Request, sid string) {
	var body map[string]any
	s.with(sid, func(a *account) {
		if a.promote() {
			body = a.tokenBody("auth_token", a.Token, s.o.Now())
		}
	})
	if body == nil {
		fail(w, http.StatusBadRequest, 20001, "There is no secondary auth token")
		return
	}
	answer(w, http.StatusOK, body)
}

func (a *account) tokenBody(name, token string, now time.Time) map[string]any {
	at := a.now(now).Format(time.RFC3339)
	return map[string]any{"account_sid": a.SID, name: token, "date_created": at, "date_updated": at}
}

// AddSecondaryToken makes an account's secondary token, as somebody does in Twilio's console.
func (s *Simulator) AddSecondaryToken(sid string) string {
	token := id("")
	s.with(sid, func(a *account) { a.Secondary = token })
	return token
}

// PromoteToken makes the secondary token the primary one, as somebody does in Twilio's console.
func (s *Simulator) PromoteToken(sid string) {
	s.with(sid, func(a *account) { a.promote() })
}

// promote makes the secondary token the primary one and remembers the one that goes; false when there is no secondary.
func (a *account) promote() bool {
	if a.Secondary == "" {
		return false
	}
	a.Rotated, a.Token, a.Secondary = a.Token, a.Secondary, ""
	return true
}

package simulator

import (
	"net"
	"net/http"
	"net/url"
	"time"

	"kanal/twilio"
)

func (s *Simulator) createMessage(w http.ResponseWriter, r *http.Request, sid string) {
	if err := r.ParseForm(); err != nil {
		fail(w, http.StatusBadRequest, 21602, "Message body is required.")
		return
	}
	s.mu.Lock()
	a, now := s.account(sid), s.o.Now()
	key := a.key(onCreate, line{r.PostForm.Get("To"), r.PostForm.Get("From")})
	fault := Fault("")
	entry := Entry{At: a.now(now), What: "create", Params: r.PostForm, Faults: a.faultsOf(onCreate, key)}
	if len(entry.Faults) > 0 {
		fault = entry.Faults[0]
	}
	code, message := a.refuse(r.PostForm, now)
	var m *Message
	var body any
	switch refused, ok := refusals[fault]; {
	case ok:
		entry.Status, entry.Code, body = refused.status, refused.code, errorBody(refused.status, refused.code, refused.text)
		if refused.code == 0 {
			body = nil
		}
	case fault == FaultDown:
	case code != 0:
		entry.Status, entry.Code = http.StatusBadRequest, code
		if code == twilio.CodeSuspended {
			entry.Status = http.StatusForbidden
		}
		body = errorBody(entry.Status, code, message)
	default:
		m = a.create(r.PostForm, key, now)
		body = m.json()
		entry.SID, entry.Status = m.SID, http.StatusCreated
	}
	if body != nil {
		entry.Answer = text(body)
	}
	outcome, late := a.Outcome, a.Chaos.late()
	s.note(a, entry)
	s.changed()
	s.mu.Unlock()
	if m == nil {
		refuse(w, fault, entry.Status, body)
		return
	}
	s.after(w, r, made{fault: fault, late: late, body: body, deliver: func() { s.deliver(sid, m.SID, outcome) }})
}

// refusal is how a create that is not processed is answered; without a code it is a page.
type refusal struct {
	status, code int
	text         string
}

var refusals = map[Fault]refusal{
	FaultTooMany:     {http.StatusTooManyRequests, twilio.CodeTooMany, "Too Many Requests"},
	FaultTooManyWait: {http.StatusTooManyRequests, twilio.CodeTooMany, "Too Many Requests"},
	FaultUnauth:      {http.StatusUnauthorized, twilio.CodeUnauthorized, "Authenticate"},
	FaultRejected:    {http.StatusBadRequest, 21211, "The 'To' number is not a valid phone number."},
	FaultHTML:        {status: http.StatusInternalServerError},
}

// refuse answers a create that was not processed.
func refuse(w http.ResponseWriter, fault Fault, status int, body any) {
	switch {
	case fault == FaultDown:
		drop(w, true)
	case body == nil:
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(status)
		_, _ = w.Write([]byte("<html><body>An error occurred</body></html>"))
	default:
		if fault == FaultTooManyWait {
			w.Header().Set("Retry-After", "1")
		}
		answer(w, status, body)
	}
}

// made is a create that was processed.
type made struct {
	fault   Fault
	late    time.Duration
	body    any
	deliver func()
}

// after answers a create that was processed, or not, as the fault says.
func (s *Simulator) after(w http.ResponseWriter, r *http.Request, m made) {
	if m.fault == FaultCommitSlow {
		m.deliver()
		answer(w, http.StatusCreated, m.body)
		return
	}
	if m.fault == "" {
		answer(w, http.StatusCreated, m.body)
	}
	s.run(m.deliver)
	switch m.fault {
	case FaultCommitHang:
		select {
		case <-r.Context().Done():
		case <-s.ctx.Done():
		}
		drop(w, false)
	case FaultCommitDrop:
		drop(w, false)
	case FaultSlow:
		select {
		case <-time.After(m.late):
			answer(w, http.StatusCreated, m.body)
		case <-r.Context().Done():
		case <-s.ctx.Done():
		}
	}
}

// drop cuts the connection, with a reset when asked for.
func drop(w http.ResponseWriter, reset bool) {
	h, ok := w.(http.Hijacker)
	if !ok {
		return
	}
	c, _, err := h.Hijack()
	if err != nil {
		return
	}
	if t, ok := c.(*net.TCPConn); ok && reset {
		_ = t.SetLinger(0)
	}
	_ = c.Close()
}

func (a *account) create(form url.Values, key string, now time.Time) *Message {
	m := &Message{
		SID: id("SM"), AccountSID: a.SID, From: form.Get("From"), To: form.Get("To"), Body: form.Get("Body"),
		ContentSID: form.Get("ContentSid"), Direction: "outbound-api", Status: "queued", Kind: "text", Created: a.now(now), Updated: a.now(now),
		Callback: form.Get("StatusCallback"), Key: key,
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

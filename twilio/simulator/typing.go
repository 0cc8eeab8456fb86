package simulator

import (
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"kanal/twilio"
)

// line is a customer's chat with a sender.
type line struct{ customer, sender string }

// typing answers the form of the resource's second version.
func (s *Simulator) typing(w http.ResponseWriter, r *http.Request, sid string) {
	if err := r.ParseForm(); err != nil {
		fail(w, http.StatusBadRequest, 20001, "Invalid parameter")
		return
	}
	s.showTyping(w, r, sid, r.PostForm)
}

// typingJSON answers the third version: the same in JSON, with nothing else in it.
func (s *Simulator) typingJSON(w http.ResponseWriter, r *http.Request, sid string) {
	var in struct {
		Channel   string `json:"channel"`
		MessageID string `json:"messageId"`
	}
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil || in.Channel != "WHATSAPP" {
		fail(w, http.StatusBadRequest, 20001, "Invalid parameter")
		return
	}
	s.showTyping(w, r, sid, url.Values{"channel": {"whatsapp"}, "messageId": {in.MessageID}})
}

// showTyping marks the customer's message, and those before it, as read, and shows the indicator.
func (s *Simulator) showTyping(w http.ResponseWriter, r *http.Request, sid string, form url.Values) {
	s.mu.Lock()
	a := s.account(sid)
	entry := Entry{At: a.now(s.o.Now()), What: "typing", Params: form, Status: http.StatusOK, URL: "https://messaging.twilio.com" + r.URL.Path}
	var body any = map[string]any{"success": true}
	m := a.message(form.Get("messageId"))
	switch {
	case a.Suspended:
		entry.Status, entry.Code = http.StatusForbidden, twilio.CodeSuspended
	case form.Get("channel") != "whatsapp" || m == nil || m.Direction != "inbound":
		entry.Status, entry.Code = http.StatusBadRequest, 20001
	}
	if entry.Code != 0 {
		body = errorBody(entry.Status, entry.Code, "The indicator was not shown")
	} else {
		entry.SID = m.SID
		a.read(m)
		a.types(line{m.From, m.To}, s.o.Now())
	}
	entry.Answer = text(body)
	s.note(a, entry)
	s.changed()
	s.mu.Unlock()
	answer(w, entry.Status, body)
	if entry.Code == 0 {
		s.run(s.typingEnds)
	}
}

// typingEnds tells the phones when an indicator that began now is over.
func (s *Simulator) typingEnds() {
	select {
	case <-time.After(twilio.TypingShows):
	case <-s.ctx.Done():
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changed()
}

// read gives a message of the customer's, and those before it, their blue ticks.
func (a *account) read(m *Message) {
	for _, b := range a.indexed().lines[m.line()] {
		b.Seen = b.Direction == "inbound"
		if b == m {
			return
		}
	}
}

func (a *account) types(l line, now time.Time) {
	if a.typing == nil {
		a.typing = map[line]time.Time{}
	}
	a.typing[l] = now.Add(twilio.TypingShows)
}

// Typing tells whether a customer's phone shows that the sender is writing.
func (s *Simulator) Typing(sid string, customer twilio.Address, number string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.account(sid)
	return a != nil && s.o.Now().Before(a.typing[line{string(customer), "whatsapp:" + number}])
}

package simulator

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"kanal/twilio"
)

const messagingHost = "https://messaging.twilio.com"

// Service is a Messaging Service of a simulated account. As long as it does not defer to the addresses of its senders,
// its own are called for their incoming messages; without one there are none at all.
type Service struct {
	SID         string   `json:"sid"`
	Name        string   `json:"name"`
	InboundURL  string   `json:"inbound_url,omitempty"`
	FallbackURL string   `json:"fallback_url,omitempty"`
	Defers      bool     `json:"defers,omitempty"`
	Senders     []string `json:"senders"` // numbers
}

// update is a change of a sender's addresses that Twilio has accepted and does not show yet.
type update struct {
	fetches int // until it is in place
	hooks   hooks
}

// hooks is the webhook object of a sender.
type hooks struct {
	CallbackURL    string `json:"callback_url"`
	CallbackMethod string `json:"callback_method"`
	FallbackURL    string `json:"fallback_url"`
	FallbackMethod string `json:"fallback_method"`
	StatusURL      string `json:"status_callback_url"`
	StatusMethod   string `json:"status_callback_method"`
}

func (s *Simulator) senderRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /v2/Channels/Senders", s.auth(s.listSenders))
	mux.HandleFunc("GET /v2/Channels/Senders/{sender}", s.auth(s.fetchSender))
	mux.HandleFunc("POST /v2/Channels/Senders/{sender}", s.auth(s.updateSender))
	mux.HandleFunc("GET /v1/Services", s.auth(s.listServices))
	mux.HandleFunc("GET /v1/Services/{service}/ChannelSenders", s.auth(s.listChannelSenders))
}

// SetService adds a Messaging Service, or changes the one with its SID. A sender is in one of them at most. It gives the
// SID, "" when there is no such account.
func (s *Simulator) SetService(sid string, v Service) string {
	s.with(sid, func(a *account) {
		if v.SID == "" {
			v.SID = id("MG")
		}
		a.Services = slices.DeleteFunc(a.Services, func(x *Service) bool { return x.SID == v.SID })
		for _, x := range a.Services {
			x.Senders = slices.DeleteFunc(x.Senders, func(n string) bool { return slices.Contains(v.Senders, n) })
		}
		a.Services = append(a.Services, &v)
	})
	return v.SID
}

// SetOffline takes a sender off line, or brings it back.
func (s *Simulator) SetOffline(sid, number string, on bool) bool {
	return s.onSender(sid, number, func(x *Sender) { x.Offline = on })
}

// SetLag says how often a sender can be fetched before it shows an update; until then the old addresses are called.
func (s *Simulator) SetLag(sid string, fetches int) bool {
	return s.look(sid, func(a *account) { a.lag = fetches })
}

// FailUpdates makes the next updates of the account's senders answer with these statuses, one each.
func (s *Simulator) FailUpdates(sid string, statuses ...int) bool {
	return s.look(sid, func(a *account) { a.failUpdates = append(a.failUpdates, statuses...) })
}

// hooksFor gives the addresses that are called for a sender's incoming messages, and the service that takes them; the
// service is nil when they are the sender's own.
func (a *account) hooksFor(x *Sender) (inbound, fallback string, by *Service) {
	for _, v := range a.Services {
		if !v.Defers && slices.Contains(v.Senders, x.Number) {
			return v.InboundURL, v.FallbackURL, v
		}
	}
	return x.InboundURL, x.FallbackURL, nil
}

// json is the sender resource.
func (x *Sender) json(updating bool) map[string]any {
	status, reasons := "ONLINE", any(nil)
	switch {
	case x.Offline:
		status = "OFFLINE"
		reasons = []map[string]string{{"code": "63020", "message": "Twilio encountered a Business Manager account error", "more_info": "https://www.twilio.com/docs/errors/63020"}}
	case updating:
		status = "ONLINE:UPDATING"
	}
	return map[string]any{
		"sid": x.SID, "status": status, "sender_id": "whatsapp:" + x.Number, "profile": map[string]any{"name": x.Name},
		"webhook": hooks{
			CallbackURL: x.InboundURL, CallbackMethod: http.MethodPost, FallbackURL: x.FallbackURL, FallbackMethod: http.MethodPost,
			StatusURL: x.StatusURL, StatusMethod: http.MethodPost,
		},
		"properties": map[string]any{"quality_rating": "HIGH", "messaging_limit": "10K Customers/24hr"}, "offline_reasons": reasons,
		"configuration": map[string]any{"waba_id": "100000000000001"}, "compliance": nil, "url": messagingHost + "/v2/Channels/Senders/" + x.SID,
	}
}

func (s *Simulator) listSenders(w http.ResponseWriter, r *http.Request, sid string) {
	if r.URL.Query().Get("Channel") != "whatsapp" {
		fail(w, http.StatusBadRequest, 20001, "Channel is required")
		return
	}
	s.mu.Lock()
	a, found := s.account(sid), []map[string]any{}
	for _, x := range a.Senders {
		if !sandbox(x.Number) { // that one is nobody's own
			found = append(found, x.json(a.updates[x.SID] != nil))
		}
	}
	s.mu.Unlock()
	listed(w, r, "senders", found)
}

// listed answers with a page of a listing of the messaging host.
func listed(w http.ResponseWriter, r *http.Request, key string, found []map[string]any) {
	q := r.URL.Query()
	size, page := pageOf(q)
	from := min(page*size, len(found))
	to := min(from+size, len(found))
	meta := map[string]any{"page": page, "page_size": size, "key": key, "url": messagingHost + r.URL.RequestURI(), "next_page_url": nil}
	if to < len(found) {
		q.Set("Page", strconv.Itoa(page+1))
		meta["next_page_url"] = messagingHost + r.URL.Path + "?" + q.Encode()
	}
	answer(w, http.StatusOK, map[string]any{key: found[from:to], "meta": meta})
}

// onOwnSender runs f on the sender that the path names, with the lock held, and answers with its sender resource.
func (s *Simulator) onOwnSender(w http.ResponseWriter, r *http.Request, sid string, f func(*account, *Sender) (int, int)) {
	s.mu.Lock()
	a := s.account(sid)
	i := slices.IndexFunc(a.Senders, func(x *Sender) bool { return x.SID == r.PathValue("sender") && !sandbox(x.Number) })
	status, code := http.StatusNotFound, 20404
	var body map[string]any
	if i >= 0 {
		status, code = f(a, a.Senders[i])
		body = a.Senders[i].json(a.updates[a.Senders[i].SID] != nil)
	}
	s.mu.Unlock()
	switch {
	case code == 20404:
		notFound(w, r)
	case code != 0:
		fail(w, status, code, "The sender was not changed")
	default:
		answer(w, status, body)
	}
}

func (s *Simulator) fetchSender(w http.ResponseWriter, r *http.Request, sid string) {
	s.onOwnSender(w, r, sid, func(a *account, x *Sender) (int, int) {
		if u := a.updates[x.SID]; u != nil {
			if u.fetches--; u.fetches < 0 {
				a.hook(x, u.hooks)
				s.changed()
			}
		}
		return http.StatusOK, 0
	})
}

// hook puts the addresses of a sender in place.
func (a *account) hook(x *Sender, h hooks) {
	x.InboundURL, x.FallbackURL, x.StatusURL = h.CallbackURL, h.FallbackURL, h.StatusURL
	delete(a.updates, x.SID)
}

// updateSender takes the addresses; what else an update may change is not simulated.
func (s *Simulator) updateSender(w http.ResponseWriter, r *http.Request, sid string) {
	var in struct{ Webhook *hooks }
	err := json.NewDecoder(r.Body).Decode(&in)
	s.onOwnSender(w, r, sid, func(a *account, x *Sender) (int, int) {
		switch {
		case a.Suspended:
			return http.StatusForbidden, twilio.CodeSuspended
		case len(a.failUpdates) > 0:
			status := a.failUpdates[0]
			a.failUpdates = a.failUpdates[1:]
			return status, 20001
		case err != nil || in.Webhook == nil || !in.Webhook.valid():
			return http.StatusBadRequest, 20001
		case a.lag > 0:
			if a.updates == nil {
				a.updates = map[string]*update{}
			}
			a.updates[x.SID] = &update{a.lag, *in.Webhook}
		default:
			a.hook(x, *in.Webhook)
		}
		s.changed()
		return http.StatusAccepted, 0
	})
}

// valid tells whether every address is one, and has a method that a sender can have.
func (h hooks) valid() bool {
	for _, x := range [][2]string{{h.CallbackURL, h.CallbackMethod}, {h.FallbackURL, h.FallbackMethod}, {h.StatusURL, h.StatusMethod}} {
		if x[0] == "" {
			continue
		}
		u, err := url.Parse(x[0])
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || x[1] != http.MethodPost && x[1] != http.MethodPut {
			return false
		}
	}
	return true
}

func (s *Simulator) listServices(w http.ResponseWriter, r *http.Request, sid string) {
	s.mu.Lock()
	found := []map[string]any{}
	for _, v := range s.account(sid).Services {
		x := map[string]any{
			"sid": v.SID, "account_sid": sid, "friendly_name": v.Name, "inbound_request_url": nil, "inbound_method": http.MethodPost,
			"fallback_url": nil, "fallback_method": http.MethodPost, "status_callback": nil, "use_inbound_webhook_on_number": v.Defers,
			"url": messagingHost + "/v1/Services/" + v.SID,
		}
		if v.InboundURL != "" {
			x["inbound_request_url"] = v.InboundURL
		}
		if v.FallbackURL != "" {
			x["fallback_url"] = v.FallbackURL
		}
		found = append(found, x)
	}
	s.mu.Unlock()
	listed(w, r, "services", found)
}

func (s *Simulator) listChannelSenders(w http.ResponseWriter, r *http.Request, sid string) {
	s.mu.Lock()
	a, found := s.account(sid), []map[string]any{}
	i := slices.IndexFunc(a.Services, func(v *Service) bool { return v.SID == r.PathValue("service") })
	if i >= 0 {
		for _, x := range a.Senders {
			if slices.Contains(a.Services[i].Senders, x.Number) {
				found = append(found, map[string]any{
					"sid": x.SID, "account_sid": sid, "messaging_service_sid": a.Services[i].SID, "sender": "whatsapp:" + x.Number,
					"sender_type": "WhatsApp", "country_code": "NO", "url": messagingHost + r.URL.Path + "/" + x.SID,
				})
			}
		}
	}
	s.mu.Unlock()
	if i < 0 {
		notFound(w, r)
		return
	}
	listed(w, r, "senders", found)
}

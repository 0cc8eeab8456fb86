package simulator

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// listMessages gives the messages that match, the newest first, page by page. A page begins after the message that its
// token names, or ends before it: messages that come meanwhile move nothing.
func (s *Simulator) listMessages(w http.ResponseWriter, r *http.Request, sid string) {
	q := r.URL.Query()
	size, page := pageOf(q)
	s.mu.Lock()
	found := s.account(sid).matching(q)
	from := min(page*size, len(found))
	token, _, _ := strings.Cut(q.Get("PageToken"), ".")
	at := func(m *Message) bool { return len(token) > 2 && m.SID == token[2:] }
	if i := slices.IndexFunc(found, at); i >= 0 && strings.HasPrefix(token, "PA") {
		from = i + 1
	} else if i >= 0 {
		from = max(i-size, 0)
	}
	shown := found[from:min(from+size, len(found))]
	messages := make([]map[string]any, 0, len(shown))
	for _, m := range shown {
		messages = append(messages, m.json())
	}
	s.mu.Unlock()
	body := map[string]any{
		"messages": messages, "page": page, "page_size": size, "start": from, "end": max(from+len(shown)-1, 0), "uri": r.URL.RequestURI(),
		"first_page_uri": pageAt(r, 0, size, ""), "next_page_uri": nil, "previous_page_uri": nil,
	}
	if from+len(shown) < len(found) {
		body["next_page_uri"] = pageAt(r, page+1, size, "PA"+shown[len(shown)-1].SID)
	}
	if from > 0 && len(shown) > 0 {
		body["previous_page_uri"] = pageAt(r, max(page-1, 0), size, "PB"+shown[0].SID)
	}
	answer(w, http.StatusOK, body)
}

// pageAt gives the address of a page of a listing. The dot in the token is on purpose: clients have been seen to lose it.
func pageAt(r *http.Request, page, size int, token string) string {
	q := r.URL.Query()
	q.Set("PageSize", strconv.Itoa(size))
	q.Set("Page", strconv.Itoa(page))
	q.Del("PageToken")
	if token != "" {
		q.Set("PageToken", token+"."+strconv.Itoa(size))
	}
	return r.URL.Path + "?" + q.Encode()
}

// matching gives the messages of a listing, the newest first. One that names both sides looks at their chats only.
func (a *account) matching(q url.Values) []*Message {
	all := a.Messages
	if from, to := q.Get("From"), q.Get("To"); from != "" && to != "" {
		all = slices.Clone(a.indexed().lines[line{from, to}])
		if from != to {
			all = append(all, a.indexed().lines[line{to, from}]...)
		}
	}
	var found []*Message
	for _, m := range slices.Backward(all) {
		if !m.Unlisted && m.matches(q) {
			found = append(found, m)
		}
	}
	return found
}

// matches tells whether a message is in a listing. Days are given as such or as moments, and their bounds are in it; Twilio
// knows moments to the second.
func (m *Message) matches(q url.Values) bool {
	if to := q.Get("To"); to != "" && m.To != to {
		return false
	}
	if from := q.Get("From"); from != "" && m.From != from {
		return false
	}
	at, after, before := m.Created.Truncate(time.Second), moment(q.Get("DateSent>")), moment(q.Get("DateSent<"))
	if on := moment(q.Get("DateSent")); !on.IsZero() {
		after = on.Truncate(24 * time.Hour)
		before = after.Add(24*time.Hour - time.Second)
	}
	return !at.Before(after) && (before.IsZero() || !at.After(before))
}

func moment(s string) time.Time {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t
		}
	}
	return time.Time{}
}

// pageOf reads which page of a listing is asked for: a token with a dot counts more than a number.
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

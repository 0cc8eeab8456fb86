package simulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// contentHost is the name that the real Content API has in the addresses that it gives.
const contentHost = "https://content.twilio.com"

// json is the Content resource. The one of a listing with approvals has no links.
func (c *Content) json(account string, withApproval bool) map[string]any {
	out := map[string]any{
		"sid": c.SID, "account_sid": account, "friendly_name": c.Name, "language": c.Language, "variables": c.Variables, "types": c.Types,
		"date_created": c.Created.Format(time.RFC3339), "date_updated": c.Created.Format(time.RFC3339),
	}
	if c.Variables == nil {
		out["variables"] = map[string]string{}
	}
	if withApproval {
		out["approval_requests"] = c.Approval.json(c)
		return out
	}
	at := contentHost + "/v1/Content/" + c.SID
	out["url"] = at
	out["links"] = map[string]string{"approval_create": at + "/ApprovalRequests/whatsapp", "approval_fetch": at + "/ApprovalRequests"}
	return out
}

func (p Approval) json(c *Content) map[string]any {
	if p.Status == "unsubmitted" {
		return map[string]any{"status": "unsubmitted"}
	}
	kind := c.shown(nil).Kind
	return map[string]any{
		"type": "whatsapp", "name": p.Name, "category": p.Category, "content_type": kind, "status": p.Status, "rejection_reason": p.Reason,
		"allow_category_change": true, "quality_score": p.Quality,
	}
}

// contentRoutes are those of the Content API.
func (s *Simulator) contentRoutes(mux *http.ServeMux) {
	mux.HandleFunc("POST /v1/Content", s.auth(s.createContent))
	mux.HandleFunc("GET /v1/Content", s.auth(s.listContents(false)))
	mux.HandleFunc("GET /v1/ContentAndApprovals", s.auth(s.listContents(true)))
	mux.HandleFunc("GET /v1/Content/{content}", s.auth(s.fetchContent))
	mux.HandleFunc("DELETE /v1/Content/{content}", s.auth(s.deleteContent))
	mux.HandleFunc("POST /v1/Content/{content}/ApprovalRequests/whatsapp", s.auth(s.submitContent))
	mux.HandleFunc("GET /v1/Content/{content}/ApprovalRequests", s.auth(s.fetchApproval))
}

func (s *Simulator) createContent(w http.ResponseWriter, r *http.Request, sid string) {
	var in struct {
		Name      string                     `json:"friendly_name"`
		Language  string                     `json:"language"`
		Variables map[string]string          `json:"variables"`
		Types     map[string]json.RawMessage `json:"types"`
	}
	err := json.NewDecoder(r.Body).Decode(&in)
	switch {
	case err != nil || len(in.Types) == 0:
		fail(w, http.StatusBadRequest, 20001, "types is required")
		return
	case in.Language == "":
		fail(w, http.StatusBadRequest, 20001, "language is required")
		return
	}
	c := Content{Name: in.Name, Language: in.Language, Variables: in.Variables, Types: in.Types}
	var body map[string]any
	s.with(sid, func(a *account) {
		if c.SID = a.addContent(c, s.o.Now()); c.SID != "" {
			body = a.contentBySID(c.SID).json(sid, false)
		}
	})
	if body == nil {
		fail(w, http.StatusBadRequest, 20001, "The account has too many templates")
		return
	}
	answer(w, http.StatusCreated, body)
}

func (s *Simulator) listContents(approvals bool) func(http.ResponseWriter, *http.Request, string) {
	return func(w http.ResponseWriter, r *http.Request, sid string) {
		q := r.URL.Query()
		size, page := pageOf(q)
		s.mu.Lock()
		a := s.account(sid)
		status := a.takeListing()
		all := slices.Clone(a.Contents)
		slices.Reverse(all)
		from := min(page*size, len(all))
		to := min(from+size, len(all))
		found := make([]map[string]any, 0, to-from)
		for _, c := range all[from:to] {
			a.settle(c, s.o.Now())
			found = append(found, c.json(sid, approvals))
		}
		s.mu.Unlock()
		if status != 0 {
			fail(w, status, 20500, "An internal error has occurred")
			return
		}
		at := contentHost + r.URL.Path
		meta := map[string]any{
			"page": page, "page_size": size, "first_page_url": at + "?PageSize=" + strconv.Itoa(size) + "&Page=0", "previous_page_url": nil,
			"url": at + "?" + r.URL.RawQuery, "next_page_url": nil, "key": "contents",
		}
		if to < len(all) {
			next := url.Values{"PageSize": {strconv.Itoa(size)}, "Page": {strconv.Itoa(page + 1)}, "PageToken": {fmt.Sprintf("PAHX%d.%d", page+1, size)}}
			meta["next_page_url"] = at + "?" + next.Encode()
		}
		answer(w, http.StatusOK, map[string]any{"contents": found, "meta": meta})
	}
}

// takeListing gives the status with which the next listing fails, 0 for none.
func (a *account) takeListing() int {
	if len(a.listings) == 0 {
		return 0
	}
	status := a.listings[0]
	a.listings = a.listings[1:]
	return status
}

// onContent runs f on the template that a request names, with the lock held, and answers what it gives.
func (s *Simulator) onContent(w http.ResponseWriter, r *http.Request, sid string, f func(*account, *Content) (int, any)) {
	status, body := 0, any(nil)
	s.mu.Lock()
	a := s.account(sid)
	if c := a.contentBySID(r.PathValue("content")); c != nil {
		a.settle(c, s.o.Now())
		status, body = f(a, c)
	}
	s.mu.Unlock()
	switch status {
	case 0:
		notFound(w, r)
	case http.StatusNoContent:
		w.WriteHeader(status)
	default:
		answer(w, status, body)
	}
}

func (s *Simulator) fetchContent(w http.ResponseWriter, r *http.Request, sid string) {
	s.onContent(w, r, sid, func(_ *account, c *Content) (int, any) { return http.StatusOK, c.json(sid, false) })
}

func (s *Simulator) deleteContent(w http.ResponseWriter, r *http.Request, sid string) {
	s.onContent(w, r, sid, func(a *account, c *Content) (int, any) {
		a.Contents = slices.DeleteFunc(a.Contents, func(x *Content) bool { return x == c })
		s.changed()
		return http.StatusNoContent, nil
	})
}

func (s *Simulator) fetchApproval(w http.ResponseWriter, r *http.Request, sid string) {
	s.onContent(w, r, sid, func(_ *account, c *Content) (int, any) {
		return http.StatusOK, map[string]any{
			"sid": c.SID, "account_sid": sid, "url": contentHost + r.URL.Path, "whatsapp": c.Approval.json(c),
		}
	})
}

func (s *Simulator) submitContent(w http.ResponseWriter, r *http.Request, sid string) {
	var in struct{ Name, Category string }
	_ = json.NewDecoder(r.Body).Decode(&in) // what is not readable is missing
	s.onContent(w, r, sid, func(a *account, c *Content) (int, any) {
		if code, message := c.refuse(in.Name, in.Category); code != 0 {
			return http.StatusBadRequest, errorBody(http.StatusBadRequest, code, message)
		}
		c.Approval = Approval{Name: in.Name, Category: in.Category, Status: "received", Submitted: a.now(s.o.Now())}
		s.changed()
		return http.StatusCreated, c.Approval.json(c)
	})
}

// refuse gives the code with which an approval is not asked for; 0 when it is.
func (c *Content) refuse(name, category string) (int, string) {
	_, list := c.Types["twilio/list-picker"]
	switch {
	case name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_") != "":
		return 20001, "Template name can only contain lowercase alphanumeric characters and underscores"
	case !slices.Contains([]string{"UTILITY", "MARKETING", "AUTHENTICATION"}, category):
		return 20001, "Invalid category"
	case list:
		return 20001, "This content type cannot be submitted for approval"
	case c.Approval.Status != "unsubmitted":
		return 20001, "Template has already been submitted"
	}
	return 0, ""
}

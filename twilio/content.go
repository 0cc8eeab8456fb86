package twilio

import (
	"cmp"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// contentHost is where the Content API is; a base of Options stands for it too.
const contentHost = "https://content.twilio.com"

// ContentSIDPattern is the form of a Content SID.
var ContentSIDPattern = regexp.MustCompile(`^HX[0-9a-fA-F]{32}$`)

// Content is a template as Twilio keeps it.
type Content struct {
	SID       string
	Name      string
	Language  string
	Variables string // sample values, a JSON object
	Types     string // what it shows, by type, a JSON object
	Approval  Approval
}

// Approval is what WhatsApp says of a template. Status is "unsubmitted" for one that it has not been asked about.
type Approval struct {
	Status   string
	Category string
	Reason   string // of a rejection
	Quality  string // green, yellow, red or unknown; "" when it is not told
}

// ContentPage is a place in a listing; the zero value is its beginning.
type ContentPage struct{ Token, Page string }

// End tells whether there is nothing more to list.
func (p ContentPage) End() bool { return p == ContentPage{} }

type contentJSON struct {
	SID       string          `json:"sid"`
	Name      string          `json:"friendly_name"`
	Language  string          `json:"language"`
	Variables json.RawMessage `json:"variables"`
	Types     json.RawMessage `json:"types"`
	Approval  json.RawMessage `json:"approval_requests"`
}

type approvalJSON struct {
	Status   string        `json:"status"`
	Category string        `json:"category"`
	Reason   string        `json:"rejection_reason"`
	WhatsApp *approvalJSON `json:"whatsapp"`

	Score   quality `json:"quality_score"`
	Rating  quality `json:"quality_rating"`
	Quality quality `json:"quality"`
}

// quality is WhatsApp's rating of a template. Twilio's description of an approval has no field for it: of ApprovalFetch
// it says only "fields such as approval status, rejection reason, and category, amongst others", and it names name,
// category, content_type, status, rejection_reason and allow_category_change (twilio-oai, twilio_content_v1.yaml). Meta
// calls it quality_score and gives GREEN, YELLOW, RED or UNKNOWN, alone or as {"score": …} (Template quality rating,
// message_template_quality_update). So each name that it may have is read, in both forms; what is none of them is no
// rating and spoils nothing else.
type quality string

// UnmarshalJSON reads a word, or an object that holds it as score. It never fails.
func (q *quality) UnmarshalJSON(raw []byte) error {
	var word string
	var rated struct {
		Score string `json:"score"`
	}
	if json.Unmarshal(raw, &word) != nil && json.Unmarshal(raw, &rated) == nil {
		word = rated.Score
	}
	switch word = strings.ToLower(word); word {
	case "green", "yellow", "red", "unknown":
		*q = quality(word)
	case "high":
		*q = "green"
	case "medium":
		*q = "yellow"
	case "low":
		*q = "red"
	}
	return nil
}

func (c contentJSON) content() Content {
	return Content{
		SID: c.SID, Name: c.Name, Language: c.Language, Variables: object(c.Variables), Types: object(c.Types), Approval: approvalOf(c.Approval),
	}
}

// object gives a JSON object as it came, "" for anything else.
func object(raw json.RawMessage) string {
	s := strings.TrimSpace(string(raw))
	if !strings.HasPrefix(s, "{") {
		return ""
	}
	return s
}

// approvalOf reads an approval: what a listing gives flat, the approval resource gives under "whatsapp".
func approvalOf(raw json.RawMessage) Approval {
	var a approvalJSON
	_ = json.Unmarshal(raw, &a) // nothing readable is nothing asked
	if a.WhatsApp != nil {
		a = *a.WhatsApp
	}
	reason := a.Reason
	if strings.EqualFold(reason, "none") {
		reason = ""
	}
	return Approval{
		Status: cmp.Or(strings.ToLower(a.Status), "unsubmitted"), Category: strings.ToUpper(a.Category), Reason: reason,
		Quality: string(cmp.Or(a.Score, a.Rating, a.Quality)),
	}
}

// ListContents gives one page of at most size Contents with their approvals, and the place of the next page.
func (c *Client) ListContents(ctx context.Context, cred Credentials, at ContentPage, size int) ([]Content, ContentPage, error) {
	q := url.Values{"PageSize": {strconv.Itoa(size)}}
	if at.Token != "" {
		q.Set("PageToken", at.Token)
	}
	if at.Page != "" {
		q.Set("Page", at.Page)
	}
	var said struct {
		Contents []contentJSON `json:"contents"`
		Meta     *struct {
			Next *string `json:"next_page_url"`
		} `json:"meta"`
	}
	if err := c.content(ctx, cred, contentCall{method: http.MethodGet, path: "/v1/ContentAndApprovals", query: q}, &said); err != nil {
		return nil, ContentPage{}, err
	}
	if said.Contents == nil || said.Meta == nil { // not Twilio's answer
		return nil, ContentPage{}, &Error{Outcome: Unknown, Status: http.StatusOK, Cause: ErrUnreadable}
	}
	out := make([]Content, 0, len(said.Contents))
	for _, x := range said.Contents {
		if ContentSIDPattern.MatchString(x.SID) {
			out = append(out, x.content())
		}
	}
	var next ContentPage
	next.Token, next.Page = nextPage(said.Meta.Next)
	return out, next, nil
}

// FetchContent asks for one Content, without its approval.
func (c *Client) FetchContent(ctx context.Context, cred Credentials, sid string) (Content, error) {
	return c.oneContent(ctx, cred, contentCall{method: http.MethodGet, path: "/v1/Content/" + url.PathEscape(sid)})
}

// NewContent is a Content to create. Types is a JSON object.
type NewContent struct {
	Name      string            `json:"friendly_name"`
	Language  string            `json:"language"`
	Variables map[string]string `json:"variables,omitempty"`
	Types     json.RawMessage   `json:"types"`
}

// CreateContent makes a Content. There is no idempotency key: after an Error with Outcome Unknown it may exist.
func (c *Client) CreateContent(ctx context.Context, cred Credentials, n NewContent) (Content, error) {
	return c.oneContent(ctx, cred, contentCall{method: http.MethodPost, path: "/v1/Content", body: n})
}

func (c *Client) oneContent(ctx context.Context, cred Credentials, call contentCall) (Content, error) {
	var said contentJSON
	if err := c.content(ctx, cred, call, &said); err != nil {
		return Content{}, err
	}
	if !ContentSIDPattern.MatchString(said.SID) {
		return Content{}, &Error{Outcome: Unknown, Status: http.StatusOK, Cause: ErrUnreadable}
	}
	return said.content(), nil
}

// DeleteContent deletes a Content. One that is gone is deleted.
func (c *Client) DeleteContent(ctx context.Context, cred Credentials, sid string) error {
	err := c.content(ctx, cred, contentCall{method: http.MethodDelete, path: "/v1/Content/" + url.PathEscape(sid)}, nil)
	if err != nil && AsError(err).Status == http.StatusNotFound {
		return nil
	}
	return err
}

// SubmitApproval asks WhatsApp to approve a Content under a name, in a category.
func (c *Client) SubmitApproval(ctx context.Context, cred Credentials, sid, name, category string) (Approval, error) {
	call := contentCall{
		method: http.MethodPost, path: "/v1/Content/" + url.PathEscape(sid) + "/ApprovalRequests/whatsapp",
		body: map[string]string{"name": name, "category": category},
	}
	return c.approval(ctx, cred, call)
}

// FetchApproval asks what WhatsApp says of a Content.
func (c *Client) FetchApproval(ctx context.Context, cred Credentials, sid string) (Approval, error) {
	return c.approval(ctx, cred, contentCall{method: http.MethodGet, path: "/v1/Content/" + url.PathEscape(sid) + "/ApprovalRequests"})
}

func (c *Client) approval(ctx context.Context, cred Credentials, call contentCall) (Approval, error) {
	var raw json.RawMessage
	if err := c.content(ctx, cred, call, &raw); err != nil {
		return Approval{}, err
	}
	return approvalOf(raw), nil
}

// contentCall is one request of the Content API. What it sends is JSON.
type contentCall struct {
	method, path string
	query        url.Values
	body         any
}

// content makes a request of the Content API and reads the answer into said. The SDK's own functions would change dots
// in the tokens of pages.
func (c *Client) content(ctx context.Context, cred Credentials, call contentCall, said any) error {
	var body []byte
	headers := map[string]any{}
	if call.body != nil {
		var err error
		if body, err = json.Marshal(call.body); err != nil {
			return &Error{Outcome: NotProcessed, Cause: err}
		}
		headers["Content-Type"] = "application/json"
	}
	s := &session{ctx: ctx, c: c, cred: cred, base: c.base(cred.AccountSID)}
	res, err := s.SendRequest(call.method, contentHost+call.path, call.query, headers, body...)
	if err != nil {
		return err
	}
	if said == nil {
		return nil
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil || json.Unmarshal(b, said) != nil {
		return &Error{Outcome: Unknown, Status: res.StatusCode, Cause: ErrUnreadable}
	}
	return nil
}

package twilio

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

const hx = "HX00000000000000000000000000000001"

// said is what a request of the Content API was.
type said struct{ method, path, query, contentType, body string }

// contents answers everything with one body and notes what was asked.
func contents(t *testing.T, status int, body string) (*Client, *said) {
	t.Helper()
	var got said
	return answering(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		user, pass, _ := r.BasicAuth()
		if user != cred.AccountSID || pass != cred.AuthToken {
			t.Error("who asks is not said")
		}
		got = said{r.Method, r.URL.Path, r.URL.RawQuery, r.Header.Get("Content-Type"), string(b)}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}), &got
}

func TestListContents(t *testing.T) {
	c, got := contents(t, 200, `{"contents":[
		{"sid":"`+hx+`","friendly_name":"a","language":"nb","variables":{"1":"Ana"},"types":{"twilio/text":{"body":"b"}},
		 "approval_requests":{"status":"approved","category":"UTILITY","rejection_reason":"","quality_score":"GREEN"}},
		{"sid":"HX00000000000000000000000000000002","approval_requests":{"status":"unsubmitted"}},
		{"sid":"HX00000000000000000000000000000003","variables":[],"types":null,"approval_requests":{"whatsapp":{"status":"rejected","rejection_reason":"INVALID_FORMAT"}}},
		{"sid":"nothing"}
	],"meta":{"next_page_url":"https://content.twilio.com/v1/ContentAndApprovals?PageSize=2&Page=1&PageToken=PAHX1.25.500"}}`)
	list, next, err := c.ListContents(context.Background(), cred, ContentPage{Token: "PAHX0.1", Page: "3"}, 2)
	if err != nil || len(list) != 3 {
		t.Fatal(list, err)
	}
	if got.method != "GET" || got.path != "/stand-in/v1/ContentAndApprovals" || got.query != "Page=3&PageSize=2&PageToken=PAHX0.1" {
		t.Errorf("%+v", got)
	}
	if next.Token != "PAHX1.25.500" || next.Page != "1" || next.End() {
		t.Errorf("the next page is %+v", next)
	}
	if x := list[0]; x.Name != "a" || x.Language != "nb" || x.Variables != `{"1":"Ana"}` || x.Types != `{"twilio/text":{"body":"b"}}` ||
		x.Approval != (Approval{Status: "approved", Category: "UTILITY", Quality: "green"}) {
		t.Errorf("%+v", x)
	}
	if list[1].Approval.Status != "unsubmitted" || list[2].Approval.Reason != "INVALID_FORMAT" || list[2].Types != "" || list[2].Variables != "" {
		t.Errorf("%+v %+v", list[1], list[2])
	}
	last, _ := contents(t, 200, `{"contents":[],"meta":{"next_page_url":null}}`)
	if _, next, err := last.ListContents(context.Background(), cred, ContentPage{}, 50); err != nil || !next.End() {
		t.Error(next, err)
	}
}

// What is no list is not an empty one: the templates would be taken for deleted.
func TestListContentsRefusesWhatIsNoList(t *testing.T) {
	for _, body := range []string{`{}`, `{"contents":[]}`, `{"meta":{}}`, `[]`, `<html>`, ``, `{"contents":[` + strings.Repeat(`{"sid":"x"},`, 400000)} {
		c, _ := contents(t, 200, body)
		if _, _, err := c.ListContents(context.Background(), cred, ContentPage{}, 50); !errors.Is(err, ErrUnreadable) {
			t.Errorf("%.20q: %v", body, err)
		}
	}
}

func TestCreateContent(t *testing.T) {
	c, got := contents(t, 201, `{"sid":"`+hx+`","friendly_name":"a"}`)
	n := NewContent{Name: "a", Language: "nb", Variables: map[string]string{"1": "Ana"}, Types: json.RawMessage(`{"twilio/text":{"body":"Hei {{1}}."}}`)}
	if x, err := c.CreateContent(context.Background(), cred, n); err != nil || x.SID != hx || x.Approval.Status != "unsubmitted" {
		t.Fatal(x, err)
	}
	want := said{"POST", "/stand-in/v1/Content", "", "application/json", `{"friendly_name":"a","language":"nb","variables":{"1":"Ana"},"types":{"twilio/text":{"body":"Hei {{1}}."}}}`}
	if *got != want {
		t.Errorf("%+v", got)
	}
	for status, body := range map[int]string{201: `{}`, 400: `{"code":20001}`, 500: `x`} {
		c, _ := contents(t, status, body)
		_, err := c.CreateContent(context.Background(), cred, n)
		if e := AsError(err); err == nil || (e.Outcome == Rejected) != (status == 400) {
			t.Errorf("%d: %v", status, err)
		}
	}
}

func TestContentBySID(t *testing.T) {
	ctx := context.Background()
	c, got := contents(t, 200, `{"sid":"`+hx+`","whatsapp":{"status":"Pending","category":"marketing","rejection_reason":"NONE"}}`)
	if _, err := c.FetchContent(ctx, cred, hx); err != nil || got.path != "/stand-in/v1/Content/"+hx || got.method != "GET" {
		t.Errorf("%+v, %v", got, err)
	}
	a, err := c.FetchApproval(ctx, cred, hx)
	if err != nil || got.path != "/stand-in/v1/Content/"+hx+"/ApprovalRequests" || a != (Approval{Status: "pending", Category: "MARKETING"}) {
		t.Errorf("%+v, %v, %v", got, a, err)
	}
	c, got = contents(t, 201, `{"name":"a","status":"received"}`)
	a, err = c.SubmitApproval(ctx, cred, hx, "a", "UTILITY")
	if err != nil || got.path != "/stand-in/v1/Content/"+hx+"/ApprovalRequests/whatsapp" || got.body != `{"category":"UTILITY","name":"a"}` || a.Status != "received" {
		t.Errorf("%+v, %v, %v", got, a, err)
	}
	for status, ok := range map[int]bool{204: true, 404: true, 409: false} {
		c, got = contents(t, status, "")
		if err := c.DeleteContent(ctx, cred, hx); (err == nil) != ok || got.method != "DELETE" || got.path != "/stand-in/v1/Content/"+hx {
			t.Errorf("%d: %+v, %v", status, got, err)
		}
	}
	c, _ = contents(t, 404, `{"code":20404}`)
	if _, err := c.FetchContent(ctx, cred, hx); AsError(err).Status != 404 {
		t.Error(err)
	}
}

func TestContentEndsWithItsContext(t *testing.T) {
	c := answering(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if _, _, err := c.ListContents(ctx, cred, ContentPage{}, 50); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

// Nobody has said what Twilio calls a template's quality, so every likely name and form is read.
func TestQuality(t *testing.T) {
	for raw, want := range map[string]string{
		`{"quality_score":"GREEN"}`:                       "green",
		`{"quality_score":{"score":"YELLOW","date":1}}`:   "yellow",
		`{"quality_rating":"red"}`:                        "red",
		`{"quality":"High"}`:                              "green",
		`{"quality":"medium"}`:                            "yellow",
		`{"whatsapp":{"quality":"LOW"}}`:                  "red",
		`{"quality_score":null,"quality_rating":"GREEN"}`: "green",
		`{"quality_score":"UNKNOWN"}`:                     "unknown",
		`{"quality_score":7,"quality":["GREEN"]}`:         "",
		`{"quality_score":"<b>"}`:                         "",
		`{}`:                                              "",
	} {
		raw = `{"status":"approved",` + strings.TrimPrefix(raw, "{")
		raw = strings.Replace(raw, ",}", "}", 1)
		raw = strings.Replace(raw, `"whatsapp":{`, `"whatsapp":{"status":"approved",`, 1)
		if got := approvalOf([]byte(raw)); got.Quality != want || got.Status != "approved" {
			t.Errorf("%s: %+v", raw, got)
		}
	}
}

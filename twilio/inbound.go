package twilio

import (
	"bytes"
	"encoding/json"
	"math"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Place is a location pin. Label and Address are absent for a raw pin.
type Place struct {
	Latitude, Longitude float64
	Label, Address      string
}

// Choice is what the customer tapped: a button or a row of a list.
type Choice struct{ ID, Title, Description string }

// Answer is one field of a completed flow.
type Answer struct{ Name, Value string }

// Referral is the ad or post from which the customer came.
type Referral struct{ Headline, Body, URL, Kind, ID string }

// How often a message was forwarded before it came to us.
const (
	ForwardedOnce  = "once"
	ForwardedOften = "often"
)

// CallPermission is the title of a button that answers whether the customer may be called; its id is the answer.
const CallPermission = "VOICE_CALL_REQUEST"

// Bounds of what is read from a form; the form itself is kept whole.
const (
	maxText    = 1000 // characters of one value
	maxAnswers = 50   // fields of a flow
	maxDepth   = 4    // of fields in fields
)

func forwarded(form url.Values) string {
	switch {
	case form.Get("FrequentlyForwarded") == "true":
		return ForwardedOften
	case form.Get("Forwarded") == "true":
		return ForwardedOnce
	}
	return ""
}

// placeOf reads a location pin; nil when the coordinates are none.
func placeOf(form url.Values) *Place {
	lat, ok := coordinate(form.Get("Latitude"), 90)
	lng, alsoOK := coordinate(form.Get("Longitude"), 180)
	if !ok || !alsoOK {
		return nil
	}
	return &Place{Latitude: lat, Longitude: lng, Label: cut(form.Get("Label")), Address: cut(form.Get("Address"))}
}

func coordinate(s string, limit float64) (float64, bool) {
	v, err := strconv.ParseFloat(s, 64)
	return v, err == nil && math.Abs(v) <= limit
}

// choiceOf reads what was tapped. A list names its row; a button has text and payload; the body repeats the text.
func choiceOf(form url.Values) *Choice {
	return &Choice{
		ID:          cut(first(form, "ListId", "ButtonPayload")),
		Title:       cut(first(form, "ListTitle", "ButtonText", "Body")),
		Description: cut(form.Get("ListDescription")),
	}
}

func referralOf(form url.Values) *Referral {
	r := Referral{
		Headline: cut(form.Get("ReferralHeadline")), Body: cut(form.Get("ReferralBody")), URL: form.Get("ReferralSourceUrl"),
		Kind: cut(form.Get("ReferralSourceType")), ID: cut(form.Get("ReferralSourceId")),
	}
	if len(r.URL) > 2*maxText {
		r.URL = ""
	}
	if r == (Referral{}) {
		return nil
	}
	return &r
}

// hasFlow tells whether the form is a completed flow.
func hasFlow(form url.Values) bool {
	return form.Get("FlowData") != "" || strings.Contains(form.Get("InteractiveData"), `"flowResponse"`)
}

// flowOf reads the fields of a completed flow in the order in which they came. The token, which is ours and not an
// answer, is left out.
func flowOf(form url.Values) []Answer {
	data := []byte(form.Get("FlowData"))
	if len(data) == 0 {
		var outer struct {
			FlowResponse json.RawMessage `json:"flowResponse"`
		}
		if json.Unmarshal([]byte(form.Get("InteractiveData")), &outer) != nil {
			return nil
		}
		data = outer.FlowResponse
	}
	var all []Answer
	addAnswers(&all, "", data, maxDepth)
	return all
}

// addAnswers adds the fields of an object; one inside another is named by both.
func addAnswers(all *[]Answer, name string, data []byte, depth int) {
	d := json.NewDecoder(bytes.NewReader(data))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return
	}
	for d.More() && len(*all) < maxAnswers {
		key, err := d.Token()
		if err != nil {
			return
		}
		var value json.RawMessage
		if d.Decode(&value) != nil {
			return
		}
		field, _ := key.(string)
		if field == "flow_token" && name == "" {
			continue
		}
		if name != "" {
			field = name + "." + field
		}
		if bytes.HasPrefix(value, []byte("{")) && depth > 1 {
			addAnswers(all, field, value, depth-1)
		} else if v := answerText(value); v != "" {
			*all = append(*all, Answer{Name: cut(cleaned(field)), Value: cut(cleaned(v))})
		}
	}
}

// answerText gives a value as text: a list as its parts with commas, anything that is not text as it was written.
func answerText(value json.RawMessage) string {
	var list []json.RawMessage
	if json.Unmarshal(value, &list) == nil && bytes.HasPrefix(value, []byte("[")) {
		var parts []string
		for _, v := range list {
			var s string
			if json.Unmarshal(v, &s) != nil {
				s = string(v)
			}
			parts = append(parts, s)
		}
		return strings.Join(parts, ", ")
	}
	var s string
	if json.Unmarshal(value, &s) == nil {
		return s // null is ""
	}
	return string(value)
}

// cleaned drops what JSON can hold and no database keeps.
func cleaned(s string) string { return strings.ReplaceAll(s, "\x00", "") }

func cut(s string) string {
	if len(s) <= maxText || utf8.RuneCountInString(s) <= maxText {
		return s
	}
	return string([]rune(s)[:maxText])
}

package models

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
)

// Details is what a message is beside its text. It is kept as JSON; the zero value is kept as "".
type Details struct {
	Place     *Place    `json:"place,omitempty"`
	Choice    *Choice   `json:"choice,omitempty"`
	Cards     []Card    `json:"cards,omitempty"`
	Referral  *Referral `json:"referral,omitempty"`
	Flow      []Answer  `json:"flow,omitempty"`
	Forwarded string    `json:"forwarded,omitempty"` // "once" or "often"
	QuotedSID string    `json:"quoted_sid,omitempty"`
	QuotedBy  string    `json:"quoted_by,omitempty"` // whose message was quoted, as Twilio wrote the address
	Actions   []Action  `json:"actions,omitempty"`   // the buttons of a template as they were sent
	Media     []string  `json:"media,omitempty"`     // the addresses of a template's files as they were sent
	Header    string    `json:"header,omitempty"`    // the line over a template's text
	Footer    string    `json:"footer,omitempty"`    // the line under a template's text
	Template  string    `json:"template,omitempty"`  // its name when it was sent
}

// Place is a location pin.
type Place struct {
	Latitude  float64 `json:"lat"`
	Longitude float64 `json:"lng"`
	Label     string  `json:"label,omitempty"`
	Address   string  `json:"address,omitempty"`
}

// Choice is what the customer tapped: a button or a row of a list.
type Choice struct {
	ID          string `json:"id,omitempty"`
	Title       string `json:"title,omitempty"`
	Description string `json:"description,omitempty"`
}

// Card is a contact card.
type Card struct {
	Name   string   `json:"name,omitempty"`
	Org    string   `json:"org,omitempty"`
	Phones []string `json:"phones,omitempty"`
	Emails []string `json:"emails,omitempty"`
}

// Referral is the ad or post from which the customer came.
type Referral struct {
	Headline string `json:"headline,omitempty"`
	Body     string `json:"body,omitempty"`
	URL      string `json:"url,omitempty"`
	Kind     string `json:"kind,omitempty"` // ad or post
	ID       string `json:"id,omitempty"`
}

// Answer is one field of a completed flow.
type Answer struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Action is a button of a template.
type Action struct {
	Kind  string `json:"kind"` // QUICK_REPLY, URL, PHONE_NUMBER and the like, as Twilio names them
	Title string `json:"title"`
	Value string `json:"value,omitempty"` // the address, number, code or id
}

// words are the words of the details that a person may look for.
func (d Details) words() []string {
	out := []string{d.Header, d.Footer}
	if d.Choice != nil {
		out = append(out, d.Choice.Title, d.Choice.Description)
	}
	if d.Place != nil {
		out = append(out, d.Place.Label, d.Place.Address)
	}
	if d.Referral != nil {
		out = append(out, d.Referral.Headline, d.Referral.Body)
	}
	for _, a := range d.Flow {
		out = append(out, a.Value)
	}
	for _, c := range d.Cards {
		out = append(append(append(out, c.Name, c.Org), c.Phones...), c.Emails...)
	}
	for _, a := range d.Actions {
		out = append(out, a.Title)
	}
	return out
}

// Value gives the JSON that the database keeps.
func (d Details) Value() (driver.Value, error) {
	b, err := json.Marshal(d)
	if err != nil || string(b) == "{}" {
		return "", err
	}
	return string(b), nil
}

// Scan reads what the database keeps.
func (d *Details) Scan(src any) error {
	*d = Details{}
	var b []byte
	switch v := src.(type) {
	case nil:
	case string:
		b = []byte(v)
	case []byte:
		b = v
	default:
		return fmt.Errorf("details: cannot read %T", src)
	}
	if len(b) == 0 {
		return nil
	}
	return json.Unmarshal(b, d)
}

package models

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// Twilio's content types that Kanal makes or treats in a way of its own.
const (
	KindOfText         = "twilio/text"
	KindOfMedia        = "twilio/media"
	KindOfQuickReply   = "twilio/quick-reply"
	KindOfCallToAction = "twilio/call-to-action"
	KindOfCard         = "whatsapp/card"
	KindOfListPicker   = "twilio/list-picker"
	kindOfLocation     = "twilio/location"
	kindOfTwilioCard   = "twilio/card"
	kindOfAuth         = "whatsapp/authentication"
)

// Kinds of actions, as Twilio names them.
const (
	ActionQuickReply  = "QUICK_REPLY"
	ActionURL         = "URL"
	ActionPhoneNumber = "PHONE_NUMBER"
	ActionCopyCode    = "COPY_CODE"
)

// contentKinds are the types that reach WhatsApp, the richest first: of several in one Content, Twilio sends that one.
var contentKinds = []string{
	"whatsapp/flows", KindOfCard, kindOfAuth, "twilio/carousel", "twilio/flows", "twilio/catalog", kindOfTwilioCard, KindOfListPicker,
	KindOfCallToAction, KindOfQuickReply, KindOfMedia, kindOfLocation, KindOfText,
}

// Content is what a template shows. All texts may hold variables.
type Content struct {
	Kind    string
	Header  string
	Body    string
	Footer  string
	Media   []string // addresses of files
	Actions []Action
	Button  string   // opens the list of a list picker, or the form of a flow
	Items   []Choice // of a list picker
	Cards   []Content
	Place   *Place
}

// ReadContent reads the types of a Content as Twilio gives them. What is not understood is left out; a Content of
// unknown type has the first text that is called body.
func ReadContent(types []byte) Content {
	var loose map[string]any
	if json.Unmarshal(types, &loose) != nil {
		return Content{}
	}
	all := make(map[string]map[string]any, len(loose))
	for kind, v := range loose {
		if fields, ok := v.(map[string]any); ok {
			all[kind] = fields
		}
	}
	for _, kind := range contentKinds {
		if fields, ok := all[kind]; ok {
			return contentOf(kind, fields, all)
		}
	}
	return unknownContent(all)
}

// unknownContent reads a Content none of whose types is known: the one with the first name in the alphabet.
func unknownContent(all map[string]map[string]any) Content {
	first := ""
	for kind := range all {
		if first == "" || kind < first {
			first = kind
		}
	}
	if first == "" {
		return Content{}
	}
	return contentOf(first, all[first], all)
}

func contentOf(kind string, f map[string]any, all map[string]map[string]any) Content {
	c := Content{
		Kind: kind, Header: text(f, "header_text"), Body: text(f, "body"), Footer: text(f, "footer"), Media: list(f["media"]),
		Actions: actionsOf(f["actions"]), Button: text(f, "button"),
	}
	switch kind {
	case kindOfTwilioCard:
		c.Body, c.Footer = text(f, "title"), text(f, "subtitle")
		if body := text(f, "body"); body != "" {
			c.Header, c.Body = c.Body, body
		}
	case kindOfAuth:
		authentication(&c, f)
	case kindOfLocation:
		c.Place = &Place{Latitude: decimal(f["latitude"]), Longitude: decimal(f["longitude"]), Label: text(f, "label"), Address: text(f, "address")}
	case "twilio/flows", "whatsapp/flows", "twilio/catalog":
		c.Button, c.Footer = text(f, "button_text"), text(f, "subtitle")
		if media := text(f, "media_url"); media != "" {
			c.Media = []string{media}
		}
	}
	c.Items = itemsOf(f["items"])
	for _, card := range objects(f["cards"]) {
		c.Cards = append(c.Cards, Content{Kind: kind, Header: text(card, "title"), Body: text(card, "body"), Media: list(card["media"]), Actions: actionsOf(card["actions"])})
	}
	if c.Body == "" { // a second type of the same Content often holds the text
		c.Body = text(all[KindOfText], "body")
	}
	return c
}

// authentication writes what WhatsApp says in every template with a code.
func authentication(c *Content, f map[string]any) {
	if c.Body == "" {
		c.Body = "{{1}} is your verification code."
	}
	if on, _ := f["add_security_recommendation"].(bool); on {
		c.Body += " For your security, do not share this code."
	}
	if n := decimal(f["code_expiration_minutes"]); n > 0 {
		c.Footer = "This code expires in " + strconv.Itoa(int(n)) + " minutes."
	}
}

func text(f map[string]any, name string) string {
	s, _ := f[name].(string)
	return strings.ToValidUTF8(s, "")
}

func decimal(v any) float64 {
	switch v := v.(type) {
	case float64:
		return v
	case string:
		n, _ := strconv.ParseFloat(v, 64)
		if math.IsNaN(n) || n > 1e6 || n < -1e6 { // not a number, or no place on earth
			return 0
		}
		return n
	}
	return 0
}

func list(v any) []string {
	switch v := v.(type) {
	case string:
		if v != "" {
			return []string{v}
		}
	case []any:
		var out []string
		for _, x := range v {
			if s, ok := x.(string); ok && s != "" {
				out = append(out, strings.ToValidUTF8(s, ""))
			}
		}
		return out
	}
	return nil
}

func objects(v any) []map[string]any {
	var out []map[string]any
	all, _ := v.([]any)
	for _, x := range all {
		if f, ok := x.(map[string]any); ok {
			out = append(out, f)
		}
	}
	return out
}

// actionsOf reads buttons. A quick reply may leave its type out.
func actionsOf(v any) []Action {
	var out []Action
	for _, f := range objects(v) {
		a := Action{Kind: strings.ToUpper(text(f, "type")), Title: text(f, "title")}
		switch a.Kind {
		case ActionURL:
			a.Value = text(f, "url")
		case ActionPhoneNumber, "PHONE":
			a.Kind, a.Value = ActionPhoneNumber, text(f, "phone")
		case ActionCopyCode:
			a.Value = text(f, "code")
			if a.Title == "" {
				a.Title = text(f, "copy_code_text")
			}
		case "", ActionQuickReply:
			a.Kind, a.Value = ActionQuickReply, text(f, "id")
		}
		out = append(out, a)
	}
	return out
}

func itemsOf(v any) []Choice {
	var out []Choice
	for _, f := range objects(v) {
		out = append(out, Choice{ID: text(f, "id"), Title: text(f, "item"), Description: text(f, "description")})
	}
	return out
}

// texts are all texts that may hold variables.
func (c Content) texts() []string {
	out := append([]string{c.Header, c.Body, c.Footer, c.Button}, c.Media...)
	for _, a := range c.Actions {
		out = append(out, a.Title, a.Value)
	}
	for _, i := range c.Items {
		out = append(out, i.ID, i.Title, i.Description)
	}
	for _, card := range c.Cards {
		out = append(out, card.texts()...)
	}
	if c.Place != nil {
		out = append(out, c.Place.Label, c.Place.Address)
	}
	return out
}

// Variables names the variables of all texts.
func (c Content) Variables() []string { return TemplateVariables(c.texts()...) }

// Render gives the content with the values of its variables. A variable without value stays as it is.
func (c Content) Render(values map[string]string) Content {
	fill := func(s string) string { return RenderTemplate(s, values) }
	out := Content{Kind: c.Kind, Header: fill(c.Header), Body: fill(c.Body), Footer: fill(c.Footer), Button: fill(c.Button)}
	for _, m := range c.Media {
		out.Media = append(out.Media, fill(m))
	}
	for _, a := range c.Actions {
		out.Actions = append(out.Actions, Action{Kind: a.Kind, Title: fill(a.Title), Value: fill(a.Value)})
	}
	for _, i := range c.Items {
		out.Items = append(out.Items, Choice{ID: fill(i.ID), Title: fill(i.Title), Description: fill(i.Description)})
	}
	for _, card := range c.Cards {
		out.Cards = append(out.Cards, card.Render(values))
	}
	if c.Place != nil {
		p := *c.Place
		p.Label, p.Address = fill(p.Label), fill(p.Address)
		out.Place = &p
	}
	return out
}

// maxSessionButtons is how many buttons WhatsApp takes without approval (Twilio, quick reply and WhatsApp card).
const maxSessionButtons = 3

// InWindow tells whether WhatsApp takes the content in an open window without having approved it.
func (c Content) InWindow() bool {
	switch c.Kind {
	case KindOfText, KindOfMedia, kindOfLocation, KindOfListPicker:
		return true
	case KindOfQuickReply:
		return len(c.Actions) <= maxSessionButtons
	case KindOfCard, kindOfTwilioCard:
		return c.cardInWindow()
	}
	return false
}

// cardInWindow holds the bounds of a card that is not approved: three buttons of one type, one of them at most a link,
// none a number to call.
func (c Content) cardInWindow() bool {
	kinds := map[string]int{}
	for _, a := range c.Actions {
		kinds[a.Kind]++
	}
	return len(kinds) <= 1 && len(c.Actions) <= maxSessionButtons && kinds[ActionURL] <= 1 && kinds[ActionPhoneNumber] == 0
}

package models

import (
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of templates that are made here, each with its source.
const (
	MaxTemplateName      = 512  // Meta, message templates
	MaxTemplateHeader    = 60   // Twilio, WhatsApp card
	MaxTemplateFooter    = 60   // Twilio, WhatsApp card
	MaxCallToActionBody  = 640  // Twilio, call to action
	MaxTemplateButtons   = 10   // Twilio, quick reply
	MaxLinkButtons       = 2    // Twilio, call to action
	MaxButtonTitle       = 20   // Twilio, quick reply and call to action
	MaxCardButtonTitle   = 25   // Twilio, WhatsApp card
	MaxCopyCode          = 15   // Meta, copy code button
	MaxTemplateURL       = 2000 // Meta, URL button
	MaxListItems         = 10   // Twilio, list picker
	MaxListTitle         = 24   // Twilio, list picker
	MaxListDescription   = 72   // Twilio, list picker
	MaxTemplateEmojis    = 10   // Twilio, template approvals
	wordsForEachVariable = 2    // and one more (Twilio, using variables)
)

// TemplateKinds are the kinds of templates that can be made here, in the order of the choice.
func TemplateKinds() []string {
	return []string{KindOfText, KindOfMedia, KindOfQuickReply, KindOfCallToAction, KindOfCard, KindOfListPicker}
}

// TemplateCategories are those that a template made here can have.
func TemplateCategories() []string { return []string{"UTILITY", CategoryMarketing} }

// TemplateDraft is a template that somebody is making.
type TemplateDraft struct {
	Name       string
	Language   string
	Category   string
	Kind       string
	Header     string
	Body       string
	Footer     string
	Media      string
	Buttons    []Action
	ListButton string
	Items      []Choice
	Samples    map[string]string
}

// Submittable tells whether WhatsApp approves templates of this kind; the others are for open windows.
func (d TemplateDraft) Submittable() bool { return d.Kind != KindOfListPicker }

// HasButtons tells whether the kind has buttons.
func (d TemplateDraft) HasButtons() bool {
	return d.Kind == KindOfQuickReply || d.Kind == KindOfCallToAction || d.Kind == KindOfCard
}

// Content gives what the customer would get.
func (d TemplateDraft) Content() Content {
	c := Content{Kind: d.Kind, Body: d.Body}
	if d.Kind == KindOfCard {
		c.Header, c.Footer = d.Header, d.Footer
	}
	if (d.Kind == KindOfMedia || d.Kind == KindOfCard) && d.Media != "" {
		c.Media = []string{d.Media}
	}
	if d.HasButtons() {
		c.Actions = d.Buttons
	}
	if d.Kind == KindOfListPicker {
		c.Button, c.Items = d.ListButton, d.Items
	}
	return c
}

// Types gives the types as Twilio takes them.
func (d TemplateDraft) Types() []byte {
	f := map[string]any{}
	set := func(name, value string) {
		if value != "" {
			f[name] = value
		}
	}
	c := d.Content()
	set("body", c.Body)
	set("header_text", c.Header)
	set("footer", c.Footer)
	set("button", c.Button)
	if len(c.Media) > 0 {
		f["media"] = c.Media
	}
	if d.HasButtons() {
		actions := []map[string]string{}
		for _, a := range c.Actions {
			actions = append(actions, a.twilio())
		}
		f["actions"] = actions
	}
	if d.Kind == KindOfListPicker {
		items := []map[string]string{}
		for i, x := range c.Items {
			items = append(items, map[string]string{"item": x.Title, "id": "row_" + strconv.Itoa(i+1), "description": x.Description})
		}
		f["items"] = items
	}
	b, _ := json.Marshal(map[string]any{d.Kind: f}) // texts only
	return b
}

// twilio gives a button as Twilio takes it.
func (a Action) twilio() map[string]string {
	value := map[string]string{ActionURL: "url", ActionPhoneNumber: "phone", ActionCopyCode: "code", ActionQuickReply: "id"}[a.Kind]
	out := map[string]string{"type": a.Kind, "title": a.Title, value: a.Value}
	if a.Kind == ActionQuickReply {
		out["id"] = a.Title
	}
	return out
}

var templateName = regexp.MustCompile(`^[a-z0-9_]+$`)

// Check holds every rule of WhatsApp and Twilio on a template before it is made there. The fields of the problems are
// those of the form: name, language, category, header, body, footer, media, button-1-title, button-1-value, list_button,
// item-1-title, item-1-description, sample-1.
func (d TemplateDraft) Check() FieldErrors {
	var f FieldErrors
	switch {
	case d.Name == "":
		f.Add("name", "template.name_empty")
	case len(d.Name) > MaxTemplateName:
		f.Add("name", "template.name_long", "max", MaxTemplateName)
	case !templateName.MatchString(d.Name):
		f.Add("name", "template.name_signs")
	}
	if !slices.Contains(TemplateLanguages(), d.Language) {
		f.Add("language", "template.language_none")
	}
	if d.Submittable() && !slices.Contains(TemplateCategories(), d.Category) {
		f.Add("category", "template.category_none")
	}
	if d.Kind == KindOfCard {
		d.checkCard(&f)
	}
	if d.Kind == KindOfMedia || d.Kind == KindOfCard && d.Media != "" {
		d.checkMedia(&f)
	}
	d.checkBody(&f)
	if d.HasButtons() {
		d.checkButtons(&f)
	}
	if d.Kind == KindOfListPicker {
		d.checkList(&f)
	}
	d.checkSamples(&f)
	return f
}

func (d TemplateDraft) checkCard(f *FieldErrors) {
	checkLine(f, "header", d.Header, MaxTemplateHeader)
	checkLine(f, "footer", d.Footer, MaxTemplateFooter)
	if len(TemplateVariables(d.Footer)) > 0 {
		f.Add("footer", "template.footer_variable")
	}
	if d.Header != "" && d.Media != "" {
		f.Add("media", "template.header_or_media")
	}
}

// checkLine bounds a text of one line; an empty one is right.
func checkLine(f *FieldErrors, field, s string, most int) {
	switch {
	case utf8.RuneCountInString(s) > most:
		f.Add(field, "template.text_long", "max", most)
	case strings.ContainsAny(s, "\n\r\t"):
		f.Add(field, "template.one_line")
	}
}

// maxBody is how long the text of a kind may be.
func (d TemplateDraft) maxBody() int {
	if d.Kind == KindOfCallToAction {
		return MaxCallToActionBody
	}
	return MaxTemplateBody
}

// MaxBody is how long the text may be.
func (d TemplateDraft) MaxBody() int { return d.maxBody() }

func (d TemplateDraft) checkBody(f *FieldErrors) {
	body := strings.TrimSpace(d.Body)
	switch {
	case body == "" && d.Kind != KindOfMedia:
		f.Add("body", "template.body_empty")
	case utf8.RuneCountInString(d.Body) > d.maxBody():
		f.Add("body", "template.text_long", "max", d.maxBody())
	case emojis(d.Body) > MaxTemplateEmojis:
		f.Add("body", "template.emojis", "max", MaxTemplateEmojis)
	case strings.Contains(strings.ToLower(d.Body), "wa.me"):
		f.Add("body", "template.wa_me")
	default:
		d.checkVariables(f)
	}
}

// checkVariables holds what WhatsApp asks of variables before it approves a text.
func (d TemplateDraft) checkVariables(f *FieldErrors) {
	names := d.Content().Variables()
	parts := ParseTemplate(strings.TrimSpace(d.Body))
	switch {
	case len(names) > MaxTemplateVariables:
		f.Add("body", "template.variables_many", "max", MaxTemplateVariables)
	case !sequential(names) || slices.ContainsFunc(names, func(n string) bool { return VariableNumber(n) == 0 }):
		f.Add("body", "template.gap")
	case !d.Submittable() || len(TemplateVariables(d.Body)) == 0:
	case parts[0].Variable != "":
		f.Add("body", "template.starts_with_variable")
	case endsWithVariable(parts):
		f.Add("body", "template.ends_with_variable")
	case adjacent(parts):
		f.Add("body", "template.adjacent")
	default:
		have, need := fixedWords(parts), wordsForEachVariable*len(TemplateVariables(d.Body))+1
		if have < need {
			f.Add("body", "template.few_words", "need", need, "have", have)
		}
	}
}

// sequential tells whether the variables that are numbers are 1, 2 and so on.
func sequential(names []string) bool {
	for i, n := range names {
		if no := VariableNumber(n); no != 0 && no != i+1 || no == 0 && n[0] >= '0' && n[0] <= '9' {
			return false
		}
	}
	return true
}

func endsWithVariable(parts []TemplatePart) bool {
	last := parts[len(parts)-1]
	if last.Variable == "" && strings.TrimFunc(last.Text, notWord) == "" && len(parts) > 1 {
		last = parts[len(parts)-2]
	}
	return last.Variable != ""
}

func notWord(r rune) bool { return unicode.IsSpace(r) || unicode.IsPunct(r) }

func adjacent(parts []TemplatePart) bool {
	for i, p := range parts {
		switch {
		case i == 0 || p.Variable == "":
		case parts[i-1].Variable != "":
			return true
		case i > 1 && parts[i-2].Variable != "" && strings.TrimSpace(parts[i-1].Text) == "":
			return true
		}
	}
	return false
}

// fixedWords counts the words that are not variables.
func fixedWords(parts []TemplatePart) int {
	var b strings.Builder
	for _, p := range parts {
		if b.WriteByte(' '); p.Variable == "" {
			b.WriteString(p.Text)
		}
	}
	n := 0
	for _, w := range strings.Fields(b.String()) {
		if strings.ContainsFunc(w, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }) {
			n++
		}
	}
	return n
}

// emojis counts pictures; one that is made of several counts once.
func emojis(s string) int {
	const joiner = 0x200d
	n, flag := 0, false
	var before rune
	for _, r := range s {
		isFlag := r >= 0x1f1e6 && r <= 0x1f1ff
		tone := r >= 0x1f3fb && r <= 0x1f3ff
		if (r >= 0x1f000 && r <= 0x1faff || r >= 0x2600 && r <= 0x27bf) && before != joiner && !tone && (!isFlag || !flag) {
			n++
		}
		flag = isFlag && !flag
		before = r
	}
	return n
}

func (d TemplateDraft) checkMedia(f *FieldErrors) {
	u, err := url.Parse(RenderTemplate(d.Media, sampled(d.Media)))
	host := d.Media
	if i := strings.Index(host, "://"); i >= 0 {
		host = host[i+3:]
	}
	domain, _, found := strings.Cut(host, "/")
	switch {
	case d.Media == "":
		f.Add("media", "template.media_empty")
	case len(d.Media) > MaxTemplateURL:
		f.Add("media", "template.text_long", "max", MaxTemplateURL)
	case err != nil || u.Scheme != "https" || u.Host == "" || strings.ContainsFunc(d.Media, unicode.IsSpace):
		f.Add("media", "template.media_address")
	case strings.Contains(domain, "{{") || len(TemplateVariables(d.Media)) > 0 && !found:
		f.Add("media", "template.media_domain")
	}
}

// sampled gives each variable of a text a plain value.
func sampled(s string) map[string]string {
	out := map[string]string{}
	for _, n := range TemplateVariables(s) {
		out[n] = "x"
	}
	return out
}

func (d TemplateDraft) checkButtons(f *FieldErrors) {
	kinds, titles := map[string]int{}, map[string]bool{}
	if len(d.Buttons) == 0 && d.Kind != KindOfCard {
		f.Add("button-1-title", "template.button_none")
	}
	if len(d.Buttons) > MaxTemplateButtons {
		f.Add("button-1-title", "template.buttons_many", "max", MaxTemplateButtons)
	}
	for i, a := range d.Buttons {
		field := "button-" + strconv.Itoa(i+1)
		kinds[a.Kind]++
		most := MaxButtonTitle
		if d.Kind == KindOfCard {
			most = MaxCardButtonTitle
		}
		switch {
		case strings.TrimSpace(a.Title) == "":
			f.Add(field+"-title", "template.button_title_empty")
		case utf8.RuneCountInString(a.Title) > most:
			f.Add(field+"-title", "template.text_long", "max", most)
		case strings.Contains(a.Title, "{{") || strings.ContainsAny(a.Title, "\n\r\t"):
			f.Add(field+"-title", "template.button_title_plain")
		case titles[strings.ToLower(a.Title)]:
			f.Add(field+"-title", "template.button_twice")
		}
		titles[strings.ToLower(a.Title)] = true
		d.checkButton(f, field, a, kinds)
	}
}

var e164 = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)

// checkButton holds what belongs to the kind of a button; kinds counts those until now.
func (d TemplateDraft) checkButton(f *FieldErrors, field string, a Action, kinds map[string]int) {
	quick := d.Kind == KindOfQuickReply
	switch {
	case quick != (a.Kind == ActionQuickReply) && d.Kind != KindOfCard:
		f.Add(field+"-kind", "template.button_kind")
	case a.Kind == ActionQuickReply:
	case a.Kind == ActionURL && kinds[ActionURL] > MaxLinkButtons:
		f.Add(field+"-title", "template.links_many", "max", MaxLinkButtons)
	case a.Kind == ActionURL:
		checkLink(f, field+"-value", a.Value)
	case a.Kind == ActionPhoneNumber && kinds[ActionPhoneNumber] > 1:
		f.Add(field+"-title", "template.phones_many")
	case a.Kind == ActionPhoneNumber && !e164.MatchString(a.Value):
		f.Add(field+"-value", "template.phone_bad")
	case a.Kind == ActionPhoneNumber:
	case a.Kind == ActionCopyCode && kinds[ActionCopyCode] > 1:
		f.Add(field+"-title", "template.codes_many")
	case a.Kind == ActionCopyCode && (a.Value == "" || utf8.RuneCountInString(a.Value) > MaxCopyCode || strings.Contains(a.Value, "{{")):
		f.Add(field+"-value", "template.code_bad", "max", MaxCopyCode)
	case a.Kind == ActionCopyCode:
	default:
		f.Add(field+"-kind", "template.button_kind")
	}
}

// checkLink holds the rules on the address of a button: a variable only at its end, after a slash.
func checkLink(f *FieldErrors, field, link string) {
	names := TemplateVariables(link)
	u, err := url.Parse(RenderTemplate(link, sampled(link)))
	switch {
	case link == "":
		f.Add(field, "template.link_empty")
	case len(link) > MaxTemplateURL:
		f.Add(field, "template.text_long", "max", MaxTemplateURL)
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || strings.ContainsFunc(link, unicode.IsSpace):
		f.Add(field, "template.link_address")
	case strings.EqualFold(u.Hostname(), "wa.me"):
		f.Add(field, "template.wa_me")
	case len(names) > 1, len(names) == 1 && !strings.HasSuffix(link, "/{{"+names[0]+"}}"), strings.Count(link, "{{") > 1:
		f.Add(field, "template.link_variable")
	case len(names) == 1 && strings.Count(link[:len(link)-len(names[0])-4], "/") < 3: // only the slashes of the scheme
		f.Add(field, "template.link_variable")
	}
}

func (d TemplateDraft) checkList(f *FieldErrors) {
	if strings.TrimSpace(d.ListButton) == "" {
		f.Add("list_button", "template.list_button_empty")
	}
	checkLine(f, "list_button", d.ListButton, MaxButtonTitle)
	switch {
	case len(d.Items) == 0:
		f.Add("item-1-title", "template.item_none")
	case len(d.Items) > MaxListItems:
		f.Add("item-1-title", "template.items_many", "max", MaxListItems)
	}
	titles := map[string]bool{}
	for i, x := range d.Items {
		field := "item-" + strconv.Itoa(i+1)
		switch {
		case strings.TrimSpace(x.Title) == "":
			f.Add(field+"-title", "template.item_title_empty")
		case titles[strings.ToLower(x.Title)]:
			f.Add(field+"-title", "template.item_twice")
		default:
			checkLine(f, field+"-title", x.Title, MaxListTitle)
		}
		titles[strings.ToLower(x.Title)] = true
		checkLine(f, field+"-description", x.Description, MaxListDescription)
	}
}

// checkSamples asks for a sample of each variable, of which WhatsApp takes no line breaks and no wide gaps.
func (d TemplateDraft) checkSamples(f *FieldErrors) {
	for _, n := range d.Content().Variables() {
		v, field := d.Samples[n], "sample-"+n
		switch {
		case strings.TrimSpace(v) == "":
			f.Add(field, "template.sample_empty", "n", n)
		case strings.ContainsAny(v, "\n\r\t") || strings.Contains(v, "    "):
			f.Add(field, "template.sample_signs")
		case utf8.RuneCountInString(v) > MaxTemplateBody:
			f.Add(field, "template.text_long", "max", MaxTemplateBody)
		}
	}
}

// CheckTypedTemplate holds the rules on a template whose approved text was pasted.
func CheckTypedTemplate(t Template) FieldErrors {
	var f FieldErrors
	switch n := utf8.RuneCountInString(t.Name); {
	case n == 0:
		f.Add("name", "template.name_empty")
	case n > maxTypedName:
		f.Add("name", "template.name_long", "max", maxTypedName)
	}
	if !slices.Contains(TemplateLanguages(), t.Language) {
		f.Add("language", "template.language_none")
	}
	switch names := TemplateVariables(t.Body); {
	case strings.TrimSpace(t.Body) == "":
		f.Add("body", "template.body_paste")
	case utf8.RuneCountInString(t.Body) > MaxTemplateBody:
		f.Add("body", "template.text_long", "max", MaxTemplateBody)
	case len(names) > MaxTemplateVariables:
		f.Add("body", "template.variables_many", "max", MaxTemplateVariables)
	case !sequential(names):
		f.Add("body", "template.gap")
	}
	names := t.NamesOfFields()
	for _, v := range t.Variables() {
		if utf8.RuneCountInString(names[v]) > maxFieldName {
			f.Add(NameField(v), "template.text_long", "max", maxFieldName)
		}
	}
	if t.ContentSID != "" && !contentSID.MatchString(t.ContentSID) {
		f.Add("content_sid", "template.sid_format")
	}
	return f
}

// maxTypedName bounds the name by which agents find a template.
const maxTypedName = 100

// maxFieldName bounds what people call a variable: it stands beside the field in which it is filled in.
const maxFieldName = 40

var contentSID = regexp.MustCompile(`^HX[0-9a-fA-F]{32}$`)

// TemplateLanguages are the languages that WhatsApp approves templates in, by its codes (Meta, supported languages).
func TemplateLanguages() []string {
	return strings.Fields(`nb en en_GB en_US da sv fi de fr es
		af ar az bg bn ca cs el es_AR es_ES es_MX et fa fil ga gu ha he hi hr hu id it ja ka kk kn ko ky_KG lo lt lv mk ml mr ms
		nl pa pl pt_BR pt_PT ro ru rw_RW sk sl sq sr sw ta te th tr uk ur uz vi zh_CN zh_HK zh_TW zu`)
}

// Submittable tells whether WhatsApp can be asked to approve the template: it is at Twilio, of a kind that is approved,
// and nobody has asked yet.
func (t Template) Submittable() bool {
	return t.ContentSID != "" && t.Status == TemplateUnsubmitted && TemplateDraft{Kind: t.Kind}.Submittable() && t.Kind != kindOfLocation
}

// CheckSubmission holds the rules on what a template is submitted with.
func CheckSubmission(name, category string) FieldErrors {
	var f FieldErrors
	if !templateName.MatchString(name) {
		f.Add("name", "template.name_signs")
	}
	if !slices.Contains(TemplateCategories(), category) {
		f.Add("category", "template.category_none")
	}
	return f
}

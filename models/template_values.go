package models

import (
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// MaxTemplateValue is the longest value of a variable in UTF-16 units (Twilio, using variables).
const MaxTemplateValue = 1600

// Meaning says what a variable of a template stands for when its name or the text before it tells.
type Meaning string

// Meanings of variables. The others are known to the writer of the template only.
const (
	MeansNothing   Meaning = ""
	MeansFirstName Meaning = "first_name" // of the customer
	MeansName      Meaning = "name"
	MeansPhone     Meaning = "phone"
	MeansAgent     Meaning = "agent" // who writes
)

// TemplateField is a variable of a template as the sender fills it in.
type TemplateField struct {
	Name    string
	Label   string // what people call it; "" when nobody has said
	Meaning Meaning
	Sample  string
}

// meanings are the names that templates give to what is known of every customer.
var meanings = map[string]Meaning{
	"first_name": MeansFirstName, "firstname": MeansFirstName, "given_name": MeansFirstName, "fornavn": MeansFirstName,
	"name": MeansName, "full_name": MeansName, "fullname": MeansName, "customer": MeansName, "customer_name": MeansName,
	"navn": MeansName, "kunde": MeansName, "kundenavn": MeansName,
	"phone": MeansPhone, "phone_number": MeansPhone, "mobile": MeansPhone, "telefon": MeansPhone, "mobil": MeansPhone,
	"agent": MeansAgent, "agent_name": MeansAgent, "saksbehandler": MeansAgent,
}

// greetings are the words after which a name follows.
var greetings = []string{
	"hei", "hallo", "kjære", "hej", "hi", "hello", "dear", "hey", "hola", "bonjour", "ciao", "olá", "moi", "tere", "cześć", "liebe", "lieber",
}

// Fields gives the variables of the template in the order in which they are asked for.
func (t Template) Fields() []TemplateField {
	c, samples, names := t.Content(), t.SampleValues(), t.NamesOfFields()
	fields := make([]TemplateField, 0, 4)
	for _, name := range c.Variables() {
		f := TemplateField{Name: name, Label: names[name], Meaning: meanings[strings.ToLower(name)], Sample: samples[name]}
		if f.Label != "" {
			f.Meaning = meanings[strings.ReplaceAll(strings.ToLower(f.Label), " ", "_")]
		} else if f.Meaning == MeansNothing && greets(c.Body, name) {
			f.Meaning = MeansFirstName
		}
		fields = append(fields, f)
	}
	return fields
}

// greets tells whether a text greets with the variable: a greeting is the word before it.
func greets(body, variable string) bool {
	before, _, found := strings.Cut(body, "{{"+variable+"}}")
	if !found {
		return false
	}
	line := before[strings.LastIndexByte(before, '\n')+1:]
	words := strings.FieldsFunc(line, func(r rune) bool { return !unicode.IsLetter(r) })
	return !strings.Contains(line, "{{") && len(words) > 0 && len(words) <= 2 && slices.Contains(greetings, strings.ToLower(words[len(words)-1]))
}

// CheckValues holds every rule of WhatsApp and Twilio on the values of a template's variables before it is sent
// (twilio.md §5; 21656, 63021 and 63028 say the same later, or not at all). The fields of the errors are those of
// ValueField.
func (t Template) CheckValues(values map[string]string) error {
	c, names := t.Content(), t.NamesOfFields()
	var errs FieldErrors
	for _, name := range c.Variables() {
		checkValue(&errs, name, names[name], values[name])
	}
	if len(errs) > 0 {
		return errs
	}
	c.checkAddresses(&errs, values)
	if n, most := utf16Length(RenderTemplate(c.Body, values)), t.maxBody(); n > most && len(errs) == 0 {
		errs.Add("", "pick.body_long", "n", n, "max", most)
	}
	if n := utf16Length(RenderTemplate(c.Header, values)); n > maxHeader && len(errs) == 0 {
		errs.Add("", "pick.header_long", "n", n, "max", maxHeader)
	}
	return errs.Err()
}

// NameField is the name of the form's field in which a variable gets its name.
func NameField(variable string) string { return "field-" + variable }

// ValueField is the name of a variable's field in a form.
func ValueField(variable string) string { return "v-" + variable }

func checkValue(errs *FieldErrors, name, label, v string) {
	field := ValueField(name)
	switch {
	case strings.TrimSpace(v) == "" && label != "":
		errs.Add(field, "pick.value_empty_named", "field", label)
	case strings.TrimSpace(v) == "" && VariableNumber(name) > 0:
		errs.Add(field, "pick.value_empty", "n", name)
	case strings.TrimSpace(v) == "":
		errs.Add(field, "pick.value_empty_named", "field", FieldWords(name))
	case !utf8.ValidString(v) || strings.ContainsFunc(v, func(r rune) bool { return unicode.IsControl(r) && !strings.ContainsRune("\n\r\t", r) }):
		errs.Add(field, "pick.value_unreadable")
	case strings.ContainsAny(v, "\n\r\t\u2028\u2029"):
		errs.Add(field, "pick.value_lines")
	case strings.Contains(v, "    "):
		errs.Add(field, "pick.value_spaces")
	case utf16Length(v) > MaxTemplateValue:
		errs.Add(field, "pick.value_long", "n", utf16Length(v), "max", MaxTemplateValue)
	}
}

// FieldWords writes the name of a variable as people read it.
func FieldWords(name string) string { return strings.TrimSpace(strings.ReplaceAll(name, "_", " ")) }

// checkAddresses looks at the variables that stand in addresses: a value may not leave the place that was approved for it.
func (c Content) checkAddresses(errs *FieldErrors, values map[string]string) {
	for _, address := range c.addresses() {
		names := TemplateVariables(address)
		if len(names) == 0 {
			continue
		}
		none := map[string]string{}
		for _, n := range names {
			none[n] = ""
		}
		was, err := url.Parse(RenderTemplate(address, none))
		is, err2 := url.Parse(RenderTemplate(address, values))
		spoiled := slices.ContainsFunc(names, func(n string) bool { return strings.ContainsFunc(values[n], unicode.IsSpace) })
		if err != nil || err2 != nil || spoiled || was.Host != "" && (was.Scheme != is.Scheme || was.Host != is.Host) {
			errs.Add(ValueField(names[len(names)-1]), "pick.value_address")
		}
	}
}

// addresses are the texts that become addresses: of buttons and of files.
func (c Content) addresses() []string {
	out := slices.Clone(c.Media)
	for _, a := range c.Actions {
		if a.Kind == ActionURL {
			out = append(out, a.Value)
		}
	}
	for _, card := range c.Cards {
		out = append(out, card.addresses()...)
	}
	return out
}

// Limits of a filled template in UTF-16 units (twilio.md §5; 63021 above them).
const (
	maxHeader           = 60
	maxCallToActionBody = 640
)

// maxBody bounds the filled text. What goes as plain text has the room of a message; WhatsApp bounds what it approves.
func (t Template) maxBody() int {
	switch {
	case t.ContentSID == "":
		return MaxMessageLength
	case t.Kind == KindOfCallToAction:
		return maxCallToActionBody
	case t.Kind == KindOfText && t.Status != TemplateApproved:
		return MaxMessageLength
	}
	return MaxTemplateBody
}

func utf16Length(s string) int {
	n := 0
	for _, r := range s {
		n += max(utf16.RuneLen(r), 1)
	}
	return n
}

package models

import (
	"strings"
	"unicode"
)

// OptOutWord is what a whole message of a customer asks for.
type OptOutWord string

// What a message may ask for.
const (
	NoWord    OptOutWord = ""
	StopWord  OptOutWord = "STOP"
	StartWord OptOutWord = "START"
)

// stopWords are messages that opt out, by language. The English ones are those that carriers and Twilio act on for
// SMS (https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out); Twilio does not act on them for WhatsApp.
// The others are the words that senders in these languages ask for, STOP in all of them.
var stopWords = words(map[string]string{
	"en": "stop, stop all, stopall, unsubscribe, cancel, end, quit, revoke, optout, opt out",
	"nb": "stopp, stop, avmeld, avmelding, meld av, meld meg av",
	"sv": "stopp, stop, stoppa, avregistrera, avsluta",
	"da": "stop, afmeld, frameld",
	"de": "stopp, stop, abmelden, abbestellen",
	"nl": "stop, afmelden, uitschrijven",
	"fr": "stop, arrêt, arret, désabonner, me désabonner, désinscrire",
	"es": "stop, baja, darme de baja, cancelar suscripción",
	"pt": "stop, parar, sair, descadastrar",
	"it": "stop, cancellami, disiscrivimi",
	"fi": "stop, lopeta",
	"pl": "stop, wypisz",
})

// startWords are messages that undo an opt-out.
var startWords = words(map[string]string{
	"en": "start, unstop, subscribe, opt in, optin",
	"nb": "start, påmeld, meld på, meld meg på",
	"sv": "start, starta",
	"da": "start, tilmeld",
	"de": "start, anmelden",
	"nl": "start, aanmelden",
	"fr": "start, m'abonner, abonner",
	"es": "start, alta, suscribir",
	"pt": "start, inscrever",
	"it": "start, iscrivimi",
	"fi": "start, aloita",
	"pl": "start, zapisz",
})

// buttonWords are those that a button can mean nothing else by: CANCEL on a button is about an appointment.
var buttonWords = words(map[string]string{"en": "stop, unsubscribe, start", "nb": "stopp, avmeld"})

func words(byLanguage map[string]string) map[string]bool {
	all := map[string]bool{}
	for _, list := range byLanguage {
		for _, w := range strings.Split(list, ",") {
			all[fold(w)] = true
		}
	}
	return all
}

// longestWord bounds what is looked at, in bytes: longer texts are no word of either list.
const longestWord = 60

// ParseOptOut tells whether a whole message is a stop or a start word in any language: the customer's language is not
// known. Case and punctuation do not count; a word inside of a sentence is no request.
func ParseOptOut(kind MessageKind, body string) OptOutWord {
	if len(body) > longestWord || kind != KindText && kind != KindButton {
		return NoWord
	}
	w := fold(body)
	switch {
	case kind == KindButton && !buttonWords[w]:
		return NoWord
	case stopWords[w]:
		return StopWord
	case startWords[w]:
		return StartWord
	}
	return NoWord
}

// fold gives the words of a text in lower case, without punctuation and signs, one space between them.
func fold(s string) string {
	letters := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r), unicode.IsMark(r) && r != '\ufe0f':
			return unicode.ToLower(r)
		case r == '\'', r == '\u2019':
			return '\''
		}
		return ' '
	}, s)
	return strings.Trim(strings.Join(strings.Fields(letters), " "), "'")
}

// TriggerOptedOut and TriggerOptedIn confirm, once, what a customer has asked for by a word.
const (
	TriggerOptedOut Trigger = "opted_out"
	TriggerOptedIn  Trigger = "opted_in"
)

// OptOutConfirmation gives the built-in text that confirms an opt-out, or its end, in a language of CustomerLanguages,
// English for others.
func OptOutConfirmation(language string, word OptOutWord) string {
	switch {
	case language == "nb" && word == StopWord:
		return "Du får ikke flere meldinger fra oss. Svar START hvis du vil ha dem igjen."
	case language == "nb":
		return "Du får meldinger fra oss igjen. Svar STOPP hvis du ikke vil ha dem."
	case word == StopWord:
		return "You will get no more messages from us. Reply START to get them again."
	}
	return "You will get messages from us again. Reply STOP to opt out."
}

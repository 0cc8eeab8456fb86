package inbox

import (
	"context"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"kanal/models"
	"kanal/views/i18n"
)

// perPage is less than a page of the thread holds: a message this close to the newest is on the newest page.
const perPage = 40

// quotes tells whether the message answers another one, whether that one is known or not.
func quotes(m models.Message) bool { return m.QuotedID != nil || m.Details.QuotedSID != "" }

// quoteURL gives the place of a quoted message: on this page, or on the page of the thread that shows it.
func (t Thread) quoteURL(q models.Message) string {
	at := "#" + domID(q)
	if q.ConversationID == t.Row.ID {
		for _, m := range t.Messages {
			if m.ID == q.ID {
				return at
			}
		}
		if !t.Past && q.Seq > float64(t.Row.Seq-perPage) {
			return conversationURL(t.Row.ID, t.View, "") + at
		}
	}
	return conversationURL(q.ConversationID, "", "?before="+seqText(q.Seq+perPage/2)) + at
}

// quoteText is the first of what the quoted message says, or what it is.
func quoteText(ctx context.Context, q models.Message) string {
	words := []rune(plain(q.Words()))
	switch {
	case len(words) > 160:
		return string(words[:160]) + "…"
	case len(words) > 0:
		return string(words)
	case q.Kind == models.KindText:
		return i18n.T(ctx, "kind.empty")
	}
	return kindName(ctx, q.Kind)
}

// kindIcon is the picture of a kind; "" for text.
func kindIcon(kind models.MessageKind) string {
	switch kind {
	case models.KindText:
		return ""
	case models.KindImage, models.KindSticker:
		return "image"
	case models.KindAudio:
		return "mic"
	case models.KindVideo:
		return "video"
	case models.KindDocument:
		return "clip"
	case models.KindContacts:
		return "users"
	case models.KindLocation:
		return "pin"
	case models.KindButton, models.KindListReply:
		return "tap"
	case models.KindFlowReply:
		return "note"
	case models.KindTemplate:
		return "template"
	}
	return "info"
}

func kindName(ctx context.Context, kind models.MessageKind) string {
	key := "kind." + string(kind)
	if !i18n.Has(key) {
		key = "kind.unsupported"
	}
	return i18n.T(ctx, key)
}

// isFile tells whether the message is a file. Contact cards are one until they have been read.
func isFile(m models.Message) bool {
	switch m.Kind {
	case models.KindImage, models.KindAudio, models.KindVideo, models.KindDocument, models.KindSticker:
		return true
	case models.KindContacts:
		return len(m.Details.Cards) == 0
	}
	return false
}

// text is what the message says beside what its kind shows of it.
func text(m models.Message) string {
	if m.Details.Choice != nil && (m.Body == m.Details.Choice.Title || m.Body == callPermission) {
		return ""
	}
	return m.Body
}

// empty tells whether the message says nothing at all: its bubble would be.
func empty(m models.Message, files []models.File) bool {
	switch m.Kind {
	case models.KindText, models.KindButton, models.KindListReply:
		return m.Details.Choice == nil && m.Details.Referral == nil && len(files) == 0 && strings.TrimSpace(m.Body) == ""
	}
	return false
}

// callPermission is the title of a button by which a customer answers whether we may call.
const callPermission = "VOICE_CALL_REQUEST"

// choiceTitle is what was tapped.
func choiceTitle(ctx context.Context, c models.Choice) string {
	switch {
	case c.Title == callPermission && c.ID == "ACCEPTED":
		return i18n.T(ctx, "choice.call_accepted")
	case c.Title == callPermission && c.ID == "REJECTED":
		return i18n.T(ctx, "choice.call_rejected")
	case c.Title == callPermission:
		return i18n.T(ctx, "choice.call_answered")
	case c.Title != "":
		return c.Title
	}
	return c.ID
}

// coordinates gives a place as a person reads and copies it.
func coordinates(p models.Place) string { return degrees(p.Latitude) + ", " + degrees(p.Longitude) }

func degrees(v float64) string {
	s := strings.TrimRight(strconv.FormatFloat(v, 'f', 6, 64), "0")
	return strings.TrimSuffix(s, ".")
}

// mapURL gives the place on a map.
func mapURL(p models.Place) string {
	lat, lng := degrees(p.Latitude), degrees(p.Longitude)
	return "https://www.openstreetmap.org/?mlat=" + lat + "&mlon=" + lng + "#map=16/" + lat + "/" + lng
}

// web gives an address if it is one of the web, else "".
func web(address string) string {
	if u, err := url.Parse(address); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return ""
	}
	return address
}

// Names and values of a flow as WhatsApp's own builder makes them: screen_0_Choose_one_1 and 2_Tomorrow.
var (
	builtName  = regexp.MustCompile(`^screen_[0-9]+_(.+)_[0-9]+$`)
	builtValue = regexp.MustCompile(`^[0-9]+_(.+)$`)
)

// answer gives a field of a flow as a person reads it.
func answer(a models.Answer) (name, value string) {
	name, value = a.Name, a.Value
	if m := builtName.FindStringSubmatch(name); m != nil {
		name = m[1]
		if m := builtValue.FindStringSubmatch(value); m != nil {
			value = strings.ReplaceAll(m[1], "_", " ")
		}
	}
	return strings.ReplaceAll(name, "_", " "), value
}

// referralKind is how the place is called from which the customer came.
func referralKind(kind string) string {
	if kind == "post" {
		return "post"
	}
	return "ad"
}

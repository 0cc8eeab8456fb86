package inbox

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strconv"
	"strings"

	"kanal/models"
	"kanal/views/i18n"
)

// newDay tells whether a day begins with the message.
func newDay(ctx context.Context, ms []models.Message, i int) bool {
	return i == 0 || i18n.Date(ctx, ms[i].CreatedAt) != i18n.Date(ctx, ms[i-1].CreatedAt)
}

// day is the mark of a day in the thread.
func day(ctx context.Context, m models.Message) string {
	return "day-" + m.CreatedAt.In(i18n.From(ctx).Zone).Format("2006-01-02")
}

// firstUnread gives the seq of the first message that nobody responsible has seen, and how many there are: those of the
// customer that were kept last, though they may stand between others.
func (t Thread) firstUnread() (seq float64, n int) {
	if t.Past || t.Grows {
		return 0, 0
	}
	var in []models.Message
	for _, m := range t.Messages {
		if m.Direction == models.In {
			in = append(in, m)
		}
	}
	slices.SortFunc(in, func(a, b models.Message) int { return cmp.Compare(b.ID, a.ID) })
	for _, m := range in[:min(t.Row.Unread, len(in))] {
		if n == 0 || m.Seq < seq {
			seq = m.Seq
		}
		n++
	}
	return seq, n
}

// seqText writes a seq as addresses and scripts have it.
func seqText(seq float64) string { return strconv.FormatFloat(seq, 'f', -1, 64) }

// ParseSeq reads a seq from an address; 0 for what is none.
func ParseSeq(s string) float64 {
	seq, err := strconv.ParseFloat(s, 64)
	if err != nil || !(seq > 0) || math.IsInf(seq, 0) {
		return 0
	}
	return seq
}

// domID is the one id of a message from the first moment: its client key when a person here wrote it, else its seq.
func domID(m models.Message) string {
	if m.ClientKey != nil {
		return "m-" + *m.ClientKey
	}
	return "m-" + strings.ReplaceAll(seqText(m.Seq), ".", "-")
}

// author names who wrote a message, for those who cannot see on which side it stands.
func author(ctx context.Context, t Thread, m models.Message) string {
	switch {
	case m.Direction == models.In:
		return name(t.Row)
	case m.Trigger != "":
		return i18n.T(ctx, "thread.automated")
	case m.UserID != nil && *m.UserID == t.Viewer.User:
		return i18n.T(ctx, "thread.you")
	}
	return m.UserName
}

// named tells whether the name of who wrote a message stands over it: several agents write, and it is the first of some by
// another one than the reader.
func (t Thread) named(m models.Message) bool {
	if m.Direction != models.Out || m.UserID == nil || *m.UserID == t.Viewer.User {
		return false
	}
	return m.UserBefore == nil || *m.UserBefore != *m.UserID
}

// failure gives the sentence under a message that failed; without a code of Twilio's it says how it ended.
func (t Thread) failure(ctx context.Context, m models.Message) string {
	if m.ErrorCode == 0 {
		return i18n.T(ctx, "msg."+string(m.State))
	}
	if _, known := t.Advice(m.ErrorCode); known {
		return i18n.T(ctx, "twilio.code."+strconv.Itoa(m.ErrorCode), "name", firstName(t.Row))
	}
	return i18n.T(ctx, "twilio.code.other", "code", m.ErrorCode)
}

// code is Twilio's own, beside a sentence that says the same in words; "" when there is none.
func (t Thread) code(m models.Message) string {
	if _, known := t.Advice(m.ErrorCode); !known || m.ErrorCode <= maxOwnCode || m.State == models.Canceled {
		return ""
	}
	return strconv.Itoa(m.ErrorCode)
}

func (t Thread) advice(m models.Message) string {
	if m.State == models.Canceled {
		return "none"
	}
	what, _ := t.Advice(m.ErrorCode)
	return what
}

func tick(s models.MessageState) string {
	switch s {
	case models.Delivered, models.Read:
		return "ticks"
	case models.Accepted, models.Sent:
		return "tick"
	case models.Failed, models.Undelivered, models.Canceled:
		return "alert"
	}
	return "clock"
}

func tickClass(s models.MessageState) string {
	if s == models.Read {
		return "is-read"
	}
	return ""
}

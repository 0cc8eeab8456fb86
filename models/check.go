package models

import "time"

// CheckGroup is a part of the connection check.
type CheckGroup string

// The parts of the connection check, in the order in which they are shown.
const (
	CheckOfAccount   CheckGroup = "account"
	CheckOfInbound   CheckGroup = "inbound"
	CheckOfOperation CheckGroup = "operation"
)

// CheckGroups lists the parts in order.
func CheckGroups() []CheckGroup {
	return []CheckGroup{CheckOfAccount, CheckOfInbound, CheckOfOperation}
}

// Verdict is how one check of the connection check ended.
type Verdict string

// How a check ends.
const (
	VerdictOK      Verdict = "ok"
	VerdictWarning Verdict = "warning"
	VerdictFailed  Verdict = "failed"
	VerdictNotRun  Verdict = "not_run" // another one must succeed first, or this process cannot look
	VerdictRunning Verdict = "running" // it has not ended yet
)

// Phrase names a sentence in the catalogs with its name, value pairs. Times and durations among the values are written in
// the reader's language.
type Phrase struct {
	Key  string
	Args []any
}

// Say gives a phrase.
func Say(key string, args ...any) Phrase { return Phrase{Key: key, Args: args} }

// Finding is the result of one check.
type Finding struct {
	Part    string // of the run, whose findings come together: "token-3"
	Check   string // "token", "sender" and so on: its name in the catalogs
	Group   CheckGroup
	Account string // whose name it is about, "" for the whole center
	Number  string // in E.164, "" when it is not about a number
	Verdict Verdict
	Fact    Phrase
	Remedy  Phrase // what to do; no key when there is nothing to do
	At      time.Time
	Took    time.Duration
}

// Bytes is an amount of data, which pages write in the reader's language.
type Bytes int64

// Masked shortens a secret, an identifier or a phone number to what still tells it apart.
func Masked(s string) string {
	if len(s) < 8 {
		return "…"
	}
	return s[:3] + "…" + s[len(s)-2:]
}

// Room on a disk: less than roomFull is none, less than roomLow and a twentieth of the disk is little.
const (
	roomFull = 500 << 20
	roomLow  = 5 << 30
)

// RoomVerdict says whether the free bytes of a disk are enough.
func RoomVerdict(free, total int64) Verdict {
	switch {
	case free < roomFull:
		return VerdictFailed
	case free < roomLow && free < total/20:
		return VerdictWarning
	}
	return VerdictOK
}

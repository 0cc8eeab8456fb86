package simulator

import (
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"
)

// Chaos is Twilio at its worst: how often each fault happens by chance, from 0 to 1.
//
// One seed gives one sequence of decisions. A decision is drawn from the seed, the fault, and a key of the event: the
// customer, the sender, and how manyeth create or message of the two it is since the chaos was set (for a status, its
// word too). It is not drawn from a stream that events share, and SIDs, which are new each time, play no part. So what
// other conversations do at the same time, and how fast anybody is, changes nothing: the third create to Kari meets the
// same fault in every run. When what one create meets makes the center send again, that is the fourth create. Two creates
// of one conversation at the same moment may change places: the sequence of decisions stays, which of the two meets which
// does not.
type Chaos struct {
	Seed  uint64            `json:"seed"`
	Rates map[Fault]float64 `json:"rates,omitempty"`
	Late  time.Duration     `json:"late,omitempty"` // how late is late; 0 is DefaultLate
}

// DefaultLate is how late a late file, callback or first byte is.
const DefaultLate = 2 * time.Second

// Faults are those that can happen by chance, in the order of a menu.
func Faults() []Fault {
	return []Fault{
		FaultTooMany, FaultTooManyWait, FaultHTML, FaultDown, FaultCommitDrop, FaultCommitHang, FaultCommitSlow, FaultSlow,
		FaultStatusLost, FaultStatusLate, FaultStatusTwice, FaultStatusSwap, FaultReadFirst, FaultFailsLate,
		FaultInboundLost, FaultInboundTwice, FaultForged, FaultOldToken, FaultFields, FaultWord, FaultLateFile,
	}
}

// BadDay is a day on which some things go wrong.
func BadDay(seed uint64) Chaos {
	c := Chaos{Seed: seed, Rates: map[Fault]float64{}}
	for _, f := range Faults() {
		c.Rates[f] = 0.03
	}
	c.Rates[FaultCommitHang], c.Rates[FaultFailsLate] = 0.01, 0.01
	return c
}

// Worst is Twilio at its worst: half of the creates, and most messages, meet something.
func Worst(seed uint64) Chaos {
	return Chaos{Seed: seed, Rates: map[Fault]float64{
		FaultTooMany: 0.1, FaultTooManyWait: 0.05, FaultHTML: 0.08, FaultDown: 0.08, FaultCommitDrop: 0.08, FaultCommitHang: 0.02,
		FaultCommitSlow: 0.05, FaultSlow: 0.05, FaultStatusLost: 0.15, FaultStatusLate: 0.2, FaultStatusTwice: 0.2, FaultStatusSwap: 0.2,
		FaultReadFirst: 0.1, FaultFailsLate: 0.03, FaultInboundLost: 0.1, FaultInboundTwice: 0.2, FaultForged: 0.1, FaultOldToken: 0.05,
		FaultFields: 0.2, FaultWord: 0.1, FaultLateFile: 0.3,
	}}
}

// On tells whether anything can go wrong.
func (c Chaos) On() bool {
	for _, rate := range c.Rates {
		if rate > 0 {
			return true
		}
	}
	return false
}

// Same tells whether two chaoses decide alike.
func (c Chaos) Same(d Chaos) bool {
	return c.Seed == d.Seed && c.late() == d.late() && !slices.ContainsFunc(Faults(), func(f Fault) bool { return c.Rates[f] != d.Rates[f] })
}

func (c Chaos) late() time.Duration {
	if c.Late == 0 {
		return DefaultLate
	}
	return c.Late
}

// SetChaos sets what goes wrong by chance from now on; the zero Chaos ends it. It counts anew: the same chaos set again
// decides again as it did.
func (s *Simulator) SetChaos(sid string, c Chaos) bool {
	c.Rates = maps.Clone(c.Rates)
	return s.with(sid, func(a *account) { a.Chaos, a.counts = c, nil })
}

// decide gives what goes wrong with one event. A create meets one fault at most, so the rates of its faults add up; anything
// else may meet several.
func (c Chaos) decide(event, key string) []Fault {
	var out []Fault
	sum := 0.0
	for _, f := range Faults() {
		rate := c.Rates[f]
		if rate <= 0 || !slices.Contains(suits[f], event) {
			continue
		}
		if event == onCreate {
			if sum += rate; c.draw(event, key) < sum {
				return []Fault{f}
			}
		} else if c.draw(string(f), key) < rate {
			out = append(out, f)
		}
	}
	return out
}

// draw gives a number of [0, 1) that only the seed and the two words decide.
func (c Chaos) draw(what, key string) float64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(what + "\n" + key))
	return rand.New(rand.NewPCG(c.Seed, h.Sum64())).Float64() //nolint:gosec // chance that can be repeated is what is wanted
}

// key names an event of a conversation by how manyeth it is.
func (a *account) key(event string, l line) string {
	if a.counts == nil {
		a.counts = map[string]int{}
	}
	k := event + " " + l.customer + " " + l.sender
	a.counts[k]++
	return k + " " + strconv.Itoa(a.counts[k])
}

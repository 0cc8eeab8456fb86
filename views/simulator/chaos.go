package simulator

// Chaos is what goes wrong by chance.
type Chaos struct {
	Preset  string // of Presets, or own
	Presets []string
	Seed    Rate
	Late    Rate
	Groups  []Rates
}

// Rates are the faults of one sort of event.
type Rates struct {
	Name  string
	Rates []Rate
}

// Rate is how often a fault happens, of a hundred times; or another number of the form.
type Rate struct{ Fault, Value, Problem string }

// problem tells whether something typed cannot be taken.
func (c Chaos) problem() bool {
	if c.Seed.Problem != "" || c.Late.Problem != "" {
		return true
	}
	for _, g := range c.Groups {
		for _, r := range g.Rates {
			if r.Problem != "" {
				return true
			}
		}
	}
	return false
}

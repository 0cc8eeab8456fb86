package web

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"kanal/twilio/simulator"
	"kanal/views/i18n"
	simview "kanal/views/simulator"
)

// maxLate bounds how late is late.
const maxLate = 60 * time.Second

// presets are how bad Twilio can be without a choice of single rates.
var presets = []string{"off", "bad_day", "worst"}

// preset gives a chaos by its name.
func preset(name string, seed uint64) simulator.Chaos {
	switch name {
	case "bad_day":
		return simulator.BadDay(seed)
	case "worst":
		return simulator.Worst(seed)
	}
	return simulator.Chaos{Seed: seed}
}

// chaosGroups are the faults as the page shows them.
var chaosGroups = []struct {
	name   string
	faults []simulator.Fault
}{
	{"create", []simulator.Fault{
		simulator.FaultTooMany, simulator.FaultTooManyWait, simulator.FaultHTML, simulator.FaultDown, simulator.FaultCommitDrop,
		simulator.FaultCommitHang, simulator.FaultCommitSlow, simulator.FaultSlow,
	}},
	{"status", []simulator.Fault{
		simulator.FaultStatusLost, simulator.FaultStatusLate, simulator.FaultStatusTwice, simulator.FaultStatusSwap, simulator.FaultReadFirst,
		simulator.FaultFailsLate,
	}},
	{"inbound", []simulator.Fault{simulator.FaultInboundLost, simulator.FaultInboundTwice, simulator.FaultLateFile}},
	{"hook", []simulator.Fault{simulator.FaultForged, simulator.FaultOldToken, simulator.FaultFields, simulator.FaultWord}},
}

func chaosView(c simulator.Chaos) simview.Chaos {
	late := c.Late
	if late == 0 {
		late = simulator.DefaultLate
	}
	v := simview.Chaos{
		Preset: "own", Presets: presets, Seed: simview.Rate{Value: strconv.FormatUint(c.Seed, 10)},
		Late: simview.Rate{Value: strconv.FormatInt(late.Milliseconds(), 10)},
	}
	for _, name := range presets {
		if p := preset(name, c.Seed); p.Same(simulator.Chaos{Seed: c.Seed, Rates: c.Rates}) {
			v.Preset = name
		}
	}
	for _, g := range chaosGroups {
		group := simview.Rates{Name: g.name}
		for _, f := range g.faults {
			group.Rates = append(group.Rates, simview.Rate{Fault: string(f), Value: strconv.FormatFloat(c.Rates[f]*100, 'g', 6, 64)})
		}
		v.Groups = append(v.Groups, group)
	}
	return v
}

// setChaos sets what goes wrong by chance: a preset with the seed that there is, or single rates.
func (s *Server) setChaos(c echo.Context) error {
	at, err := s.play(c)
	if err != nil {
		return err
	}
	chaos := at.account.Chaos
	if name := field(c, "preset"); name != "" {
		if !slices.Contains(presets, name) {
			return errUnreadable
		}
		late := chaos.Late
		chaos = preset(name, chaos.Seed)
		chaos.Late = late
	} else {
		var typed simview.Chaos
		var ok bool
		if chaos, typed, ok = ratesOf(c); !ok {
			return s.showSimulator(c, http.StatusUnprocessableEntity, func(p *simview.Page) { p.Chaos = typed })
		}
	}
	s.sim.SetChaos(at.account.SID, chaos)
	return s.done(c, at.place().URL(""), "done.simulator_chaos")
}

// ratesOf reads single rates; false with what was typed when one cannot be taken.
func ratesOf(c echo.Context) (simulator.Chaos, simview.Chaos, bool) {
	out := simulator.Chaos{Rates: map[simulator.Fault]float64{}}
	typed, ok := chaosView(out), true
	typed.Preset = "own"
	take := func(r *simview.Rate, name, problem string, set func(string) bool) {
		if r.Value = field(c, name); !set(r.Value) {
			r.Problem, ok = text(c, problem), false
		}
	}
	take(&typed.Seed, "seed", "simulator.chaos_seed_bad", func(v string) bool {
		n, err := strconv.ParseUint(v, 10, 64)
		out.Seed = n
		return err == nil
	})
	take(&typed.Late, "late", "simulator.chaos_late_bad", func(v string) bool {
		n, err := strconv.ParseInt(v, 10, 32)
		out.Late = time.Duration(n) * time.Millisecond
		return err == nil && out.Late > 0 && out.Late <= maxLate
	})
	for _, g := range typed.Groups {
		for i := range g.Rates {
			take(&g.Rates[i], "rate_"+g.Rates[i].Fault, "simulator.chaos_rate_bad", func(v string) bool {
				n, err := strconv.ParseFloat(strings.Replace("0"+v, ",", ".", 1), 64) // nothing typed is 0
				out.Rates[simulator.Fault(g.Rates[i].Fault)] = n / 100
				return err == nil && n >= 0 && n <= 100
			})
		}
	}
	return out, typed, ok
}

// senderView gives a number with the addresses that it calls.
func senderView(c echo.Context, x simulator.Sender) simview.Sender {
	name := x.Name + " " + i18n.Phone(x.Number)
	return simview.Sender{
		Name: x.Name, Number: x.Number,
		Inbound: simview.Address{Name: "url", Label: text(c, "simulator.inbound_url", "name", name), URL: x.InboundURL},
		More: []simview.Address{
			{Name: "fallback", Label: text(c, "simulator.fallback_url", "name", name), URL: x.FallbackURL},
			{Name: "status", Label: text(c, "simulator.status_url", "name", name), URL: x.StatusURL},
		},
	}
}

// setAddresses does what a person does in Twilio's console: it sets the addresses that the form has.
func (s *Server) setAddresses(c echo.Context) error {
	at, err := s.play(c)
	if err != nil {
		return err
	}
	form, _ := c.FormParams()
	typed, bad := map[string]string{}, map[string]string{}
	for _, name := range []string{"url", "fallback", "status", "debug"} {
		if form.Has(name) {
			typed[name] = field(c, name)
			if u, err := url.Parse(typed[name]); typed[name] != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
				bad[name] = text(c, "simulator.url_bad")
			}
		}
	}
	if len(bad) > 0 {
		return s.showSimulator(c, http.StatusUnprocessableEntity, func(p *simview.Page) { retype(p, at.sender.Number, typed, bad) })
	}
	for name, address := range typed {
		s.setAddress(at, name, address)
	}
	return s.done(c, at.place().URL(""), "done.simulator_url")
}

func (s *Server) setAddress(at playing, name, address string) {
	sid, number := at.account.SID, at.sender.Number
	switch name {
	case "url":
		s.sim.SetInboundURL(sid, number, address)
	case "fallback":
		s.sim.SetFallbackURL(sid, number, address)
	case "status":
		s.sim.SetStatusURL(sid, number, address)
	case "debug":
		s.sim.SetDebugURL(sid, address)
	}
}

// retype puts back what was typed, with what is wrong with it.
func retype(p *simview.Page, number string, typed, bad map[string]string) {
	put := func(a *simview.Address) {
		if v, ok := typed[a.Name]; ok {
			a.URL, a.Problem = v, bad[a.Name]
		}
	}
	put(&p.Debug)
	for i := range p.Senders {
		if p.Senders[i].Number != number {
			continue
		}
		put(&p.Senders[i].Inbound)
		for j := range p.Senders[i].More {
			put(&p.Senders[i].More[j])
		}
	}
}

package static

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// pairs are the foregrounds that stand on each ground, with the contrast that WCAG 2.2 AA asks for: 4.5 for text, 3
// for what is not text.
var pairs = []struct {
	grounds, fronts string
	need            float64
}{
	{"canvas surface surface-2", "text text-2 text-3 primary-text danger success warning info", 4.5},
	{"surface-3", "text text-2 text-3", 4.5},
	{"canvas surface surface-2", "border-strong focus", 3},
	{"primary primary-hover", "on-primary", 4.5},
	{"surface", "primary c1 c2 c3 c4 c5", 3},
	{"primary-soft", "on-primary-soft text text-2 primary-text", 4.5},
	{"success-soft", "on-success-soft text success text-2", 4.5},
	{"warning-soft", "on-warning-soft text warning text-2", 4.5},
	{"danger-soft", "on-danger-soft text danger text-2", 4.5},
	{"info-soft", "on-info-soft text info text-2", 4.5},
	{"danger-solid", "on-danger-solid", 4.5},
	{"bubble-in bubble-out bubble-note", "on-bubble bubble-meta primary-text", 4.5},
	{"bubble-out", "tick-read", 3},
	{"bubble-out", "danger", 4.5},
	{"thread-bg", "text-2 text-3", 4.5},
	{"rail", "on-rail on-rail-2", 4.5},
	{"rail-2", "on-rail", 4.5},
	{"badge", "on-badge", 4.5},
	{"seg-on", "text text-2", 4.5},
	{"thread-bg", "primary-text danger", 4.5},
	{"av1", "on-av1", 4.5}, {"av2", "on-av2", 4.5}, {"av3", "on-av3", 4.5}, {"av4", "on-av4", 4.5}, {"av5", "on-av5", 4.5},
}

func TestContrast(t *testing.T) {
	tokens := colours(t)
	n := 0
	for _, p := range pairs {
		for _, ground := range strings.Fields(p.grounds) {
			for _, front := range strings.Fields(p.fronts) {
				for theme, name := range []string{"light", "dark"} {
					n++
					got := contrast(tokens.get(t, front)[theme], tokens.get(t, ground)[theme])
					if got < p.need {
						t.Errorf("%s: %s on %s is %.2f:1, needs %.1f", name, front, ground, got, p.need)
					}
				}
			}
		}
	}
	if n < 2*79 {
		t.Errorf("only %d pairs", n)
	}
}

// The table of pairs gives known numbers, so that the arithmetic is not checked by itself alone.
func TestContrastOfKnownPairs(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want float64
	}{{"#000000", "#ffffff", 21}, {"#ffffff", "#ffffff", 1}, {"#5d696d", "#e6eaeb", 4.68}, {"#828e92", "#f1f3f4", 3.03}} {
		if got := contrast(c.a, c.b); math.Abs(got-c.want) > 0.006 {
			t.Errorf("%s on %s: %.3f, want %.2f", c.a, c.b, got, c.want)
		}
	}
}

// palette maps a token to its light and its dark colour.
type palette map[string][2]string

func (p palette) get(t *testing.T, name string) [2]string {
	t.Helper()
	c, ok := p[name]
	if !ok {
		t.Fatalf("no token --%s", name)
	}
	return c
}

var (
	both = regexp.MustCompile(`--([a-z0-9-]+):\s*light-dark\((#[0-9a-f]{6}),\s*(#[0-9a-f]{6})\)`)
	one  = regexp.MustCompile(`--([a-z0-9-]+):\s*(#[0-9a-f]{6});`)
)

func colours(t *testing.T) palette {
	css := read(t, "app.css")
	p := palette{}
	for _, m := range one.FindAllStringSubmatch(css, -1) {
		p[m[1]] = [2]string{m[2], m[2]}
	}
	for _, m := range both.FindAllStringSubmatch(css, -1) {
		p[m[1]] = [2]string{m[2], m[3]}
	}
	return p
}

func contrast(a, b string) float64 {
	x, y := luminance(a), luminance(b)
	return (math.Max(x, y) + 0.05) / (math.Min(x, y) + 0.05)
}

// luminance is the relative luminance of WCAG 2.
func luminance(hex string) float64 {
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(hex[1+2*i:3+2*i], 16, 8)
		if err != nil {
			panic(fmt.Sprintf("%q is no colour", hex))
		}
		v := float64(n) / 255
		if v <= 0.04045 {
			v /= 12.92
		} else {
			v = math.Pow((v+0.055)/1.055, 2.4)
		}
		sum += weight * v
	}
	return sum
}

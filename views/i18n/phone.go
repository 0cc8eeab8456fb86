package i18n

import (
	"slices"
	"strings"
)

// groups are the countries whose numbers are read in their own groups; a number of another length falls back to threes.
var groups = map[string][]int{
	"1": {3, 3, 4}, "31": {1, 4, 4}, "33": {1, 2, 2, 2, 2}, "44": {4, 6}, "45": {2, 2, 2, 2}, "46": {2, 3, 2, 2},
	"47": {3, 2, 3}, "48": {3, 3, 3}, "49": {3, 4, 4}, "52": {3, 3, 4}, "55": {2, 5, 4}, "91": {5, 5}, "358": {2, 3, 4},
}

// shortCodes are the country codes of two digits. +1 and +7 have one, all others three.
var shortCodes = strings.Fields("20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 81 82 84 86 90 91 92 93 94 95 98")

// Phone gives a number in groups: +47 400 00 142. What is not a number in E.164 stays as it is.
func Phone(e164 string) string {
	digits, ok := strings.CutPrefix(e164, "+")
	if !ok || len(digits) < 7 || strings.Trim(digits, "0123456789") != "" {
		return e164
	}
	code := digits[:codeLength(digits)]
	return "+" + code + " " + strings.Join(split(digits[len(code):], sizes(code, digits[len(code):])), " ")
}

func codeLength(digits string) int {
	switch {
	case digits[0] == '1' || digits[0] == '7':
		return 1
	case slices.Contains(shortCodes, digits[:2]):
		return 2
	}
	return 3
}

// sizes gives the lengths of the groups of a national number.
func sizes(code, rest string) []int {
	g := groups[code]
	if code == "47" && strings.ContainsAny(rest[:1], "23567") {
		g = []int{2, 2, 2, 2} // lines that are neither mobile nor free are read two by two
	}
	total := 0
	for _, n := range g {
		total += n
	}
	if total != len(rest) {
		return nil
	}
	return g
}

// split cuts digits into groups; without sizes into threes, the last group taking what would be left alone.
func split(digits string, sizes []int) []string {
	var out []string
	for len(digits) > 0 {
		n := 3
		if len(sizes) > 0 {
			n, sizes = sizes[0], sizes[1:]
		} else if len(digits) == 4 || len(digits) < n {
			n = len(digits)
		}
		out = append(out, digits[:n])
		digits = digits[n:]
	}
	return out
}

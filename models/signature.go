package models

import (
	"net/url"
	"strings"
)

// The parts in which two addresses may differ.
const (
	PartScheme = "scheme"
	PartHost   = "host"
	PartPort   = "port"
	PartPath   = "path"
)

// AddressDiffers tells in which parts the address at which a call came differs from the one that was expected. A scheme
// that is not known differs from none; a port that the scheme implies may be missing.
func AddressDiffers(expected, seen string) []string {
	e, err := url.Parse(expected)
	s, err2 := url.Parse(seen)
	if err != nil || err2 != nil || s.Host == "" {
		return nil
	}
	var parts []string
	if s.Scheme != "" && s.Scheme != e.Scheme {
		parts = append(parts, PartScheme)
	}
	if !strings.EqualFold(e.Hostname(), s.Hostname()) {
		parts = append(parts, PartHost)
	}
	scheme := s.Scheme
	if scheme == "" {
		scheme = e.Scheme
	}
	if port(e, e.Scheme) != port(s, scheme) && (e.Port() != "" || s.Port() != "") {
		parts = append(parts, PartPort)
	}
	if e.Path != s.Path {
		parts = append(parts, PartPath)
	}
	return parts
}

func port(u *url.URL, scheme string) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case scheme == "https":
		return "443"
	}
	return "80"
}

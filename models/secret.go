package models

import "log/slog"

// Secret is a text that must not be seen: every way of printing it gives dots.
type Secret string

const dots = "••••"

// Reveal gives the text itself; call it only where it leaves for its one use.
func (s Secret) Reveal() string { return string(s) }

// String gives dots.
func (Secret) String() string { return dots }

// GoString gives dots.
func (Secret) GoString() string { return dots }

// MarshalText gives dots.
func (Secret) MarshalText() ([]byte, error) { return []byte(dots), nil }

// LogValue gives dots.
func (Secret) LogValue() slog.Value { return slog.StringValue(dots) }

// Last4 gives the last four characters, by which a person recognises it.
func (s Secret) Last4() string {
	if len(s) < 8 {
		return ""
	}
	return string(s[len(s)-4:])
}

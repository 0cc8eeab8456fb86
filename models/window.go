package models

import "time"

// ServiceWindowLength is WhatsApp's rule: free text may be sent for 24 hours after the customer's last message.
// Our own messages do not extend it.
const ServiceWindowLength = 24 * time.Hour

// ServiceWindow is the time in which a contact may get free text from a number. The zero value is a customer who has
// never written.
type ServiceWindow struct {
	AccountID     AccountID
	NumberID      NumberID
	ContactID     ContactID
	LastInboundAt time.Time
	ClosesAt      time.Time
}

// WindowState is what the agent sees of the service window.
type WindowState string

// The states of the reply window.
const (
	WindowNever  WindowState = "never"
	WindowOpen   WindowState = "open"
	WindowSoon   WindowState = "soon" // less than four hours
	WindowLast   WindowState = "last" // less than one hour
	WindowClosed WindowState = "closed"
)

// Limits at which the reply window is shown as closing.
const (
	WindowSoonAt = 4 * time.Hour
	WindowLastAt = time.Hour
)

// IsOpen tells whether free text may be sent at now. The moment of closing is closed.
func (w ServiceWindow) IsOpen(now time.Time) bool { return now.Before(w.ClosesAt) }

// State gives what the agent sees at now.
func (w ServiceWindow) State(now time.Time) WindowState {
	left := w.ClosesAt.Sub(now)
	switch {
	case w.LastInboundAt.IsZero():
		return WindowNever
	case left <= 0:
		return WindowClosed
	case left < WindowLastAt:
		return WindowLast
	case left < WindowSoonAt:
		return WindowSoon
	}
	return WindowOpen
}

// CustomerWrote gives the window after a message received at. An older message never shortens it.
func (w ServiceWindow) CustomerWrote(at time.Time) ServiceWindow {
	if at.After(w.LastInboundAt) {
		w.LastInboundAt = at
	}
	if c := at.Add(ServiceWindowLength); c.After(w.ClosesAt) {
		w.ClosesAt = c
	}
	return w
}

// Refused gives the window after WhatsApp refused a message sent at sentAt because the window was closed (63016).
// It closes only when nothing came in after that message was sent.
func (w ServiceWindow) Refused(sentAt, now time.Time) ServiceWindow {
	if w.LastInboundAt.After(sentAt) || !w.IsOpen(now) {
		return w
	}
	w.ClosesAt = now
	return w
}

package models_test

import (
	"testing"
	"time"

	"kanal/models"
)

func TestWindowState(t *testing.T) {
	w := models.ServiceWindow{}.CustomerWrote(noon)
	for _, tt := range []struct {
		after time.Duration
		state models.WindowState
		open  bool
	}{
		{0, models.WindowOpen, true},
		{20 * time.Hour, models.WindowOpen, true},
		{20*time.Hour + 1, models.WindowSoon, true},
		{23 * time.Hour, models.WindowSoon, true},
		{23*time.Hour + 1, models.WindowLast, true},
		{24*time.Hour - 1, models.WindowLast, true},
		{24 * time.Hour, models.WindowClosed, false},
		{48 * time.Hour, models.WindowClosed, false},
	} {
		now := noon.Add(tt.after)
		if got := w.State(now); got != tt.state {
			t.Errorf("after %v: %s, want %s", tt.after, got, tt.state)
		}
		if got := w.IsOpen(now); got != tt.open {
			t.Errorf("after %v: open %v, want %v", tt.after, got, tt.open)
		}
	}
}

func TestWindowOfNobody(t *testing.T) {
	var w models.ServiceWindow
	if w.IsOpen(noon) || w.State(noon) != models.WindowNever {
		t.Errorf("open %v, state %s", w.IsOpen(noon), w.State(noon))
	}
}

func TestOlderMessageNeverShortensTheWindow(t *testing.T) {
	w := models.ServiceWindow{}.CustomerWrote(noon)
	if got := w.CustomerWrote(noon.Add(-time.Hour)); got != w {
		t.Errorf("%+v, want %+v", got, w)
	}
	later := w.CustomerWrote(noon.Add(time.Hour))
	if !later.ClosesAt.Equal(noon.Add(25*time.Hour)) || !later.LastInboundAt.Equal(noon.Add(time.Hour)) {
		t.Errorf("%+v", later)
	}
}

func TestRefusedClosesTheWindow(t *testing.T) {
	w := models.ServiceWindow{}.CustomerWrote(noon)
	for _, tt := range []struct {
		name      string
		sent, now time.Duration
		open      bool
	}{
		{"sent after the customer wrote", time.Minute, 2 * time.Minute, false},
		{"sent at the same moment", 0, time.Minute, false},
		{"the customer wrote after it was sent", -time.Minute, time.Minute, true},
	} {
		now := noon.Add(tt.now)
		got := w.Refused(noon.Add(tt.sent), now)
		if got.IsOpen(now) != tt.open {
			t.Errorf("%s: open %v, want %v", tt.name, got.IsOpen(now), tt.open)
		}
	}
	late := noon.Add(30 * time.Hour)
	if got := w.Refused(noon.Add(25*time.Hour), late); got != w {
		t.Errorf("a window that has closed by itself keeps its time: %+v", got)
	}
	if got := w.Refused(noon.Add(time.Minute), noon.Add(2*time.Minute)).CustomerWrote(noon.Add(time.Hour)); !got.IsOpen(noon.Add(2 * time.Hour)) {
		t.Error("the next message of the customer opens it again")
	}
}

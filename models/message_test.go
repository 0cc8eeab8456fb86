package models_test

import (
	"testing"

	"kanal/models"
)

var messageStates = []models.MessageState{
	models.Queued, models.Sending, models.Uncertain, models.Accepted, models.Sent, models.Delivered, models.Read,
	models.Failed, models.Undelivered, models.Canceled,
}

// TestReportsAsDocumented holds MessageState.Moves and its table to each other, cell by cell.
func TestReportsAsDocumented(t *testing.T) {
	table := documented(t, "message", 0)
	from := append([]models.MessageState{models.Received}, messageStates...)
	if len(table) != len(from) {
		t.Fatalf("%d states are documented, want %d", len(table), len(from))
	}
	for _, state := range from {
		for _, report := range messageStates {
			cell := table[string(state)][string(report)]
			if cell != "✓" && cell != "–" {
				t.Errorf("%s, report %s: the cell is %q", state, report, cell)
			}
			if got := state.Moves(report); got != (cell == "✓") {
				t.Errorf("%s, report %s: moves %v, documented is %q", state, report, got, cell)
			}
		}
	}
}

// TestReportsInAnyOrder holds that the last word does not depend on the order in which reports come, without failures.
func TestReportsInAnyOrder(t *testing.T) {
	reports := []models.MessageState{models.Accepted, models.Sent, models.Delivered, models.Read, models.Sent}
	permute(reports, func(order []models.MessageState) {
		state := models.Sending
		for _, r := range order {
			if state.Moves(r) {
				state = r
			}
		}
		if state != models.Read {
			t.Errorf("%v ends as %s", order, state)
		}
	})
}

func permute(a []models.MessageState, f func([]models.MessageState)) {
	if len(a) == 0 {
		f(nil)
		return
	}
	for i := range a {
		rest := append(append([]models.MessageState{}, a[:i]...), a[i+1:]...)
		permute(rest, func(tail []models.MessageState) { f(append([]models.MessageState{a[i]}, tail...)) })
	}
}

func TestFailureAfterDelivery(t *testing.T) {
	if models.Delivered.Moves(models.Failed) {
		t.Error("a message that has arrived cannot fail any more")
	}
	if models.Failed.Moves(models.Delivered) {
		t.Error("nothing moves a message that has failed: a retry is an attempt of its own")
	}
	if models.Sent.Moves("unheard of") {
		t.Error("an unknown report moves nothing")
	}
}

func TestInFlight(t *testing.T) {
	for _, s := range messageStates {
		if got, want := s.InFlight(), s == models.Sending || s == models.Uncertain; got != want {
			t.Errorf("%s: %v, want %v", s, got, want)
		}
	}
}

// TestTimesOfSending holds what the comments of the constants promise.
func TestTimesOfSending(t *testing.T) {
	if models.SendLease <= models.SendTimeout {
		t.Error("a lease that ends before its request lets a second attempt start beside it")
	}
	if models.UncertainHold < models.SendTimeout {
		t.Error("the next message must not overtake one whose request still runs")
	}
	if models.UncertainHold <= models.SendTimeout+2*models.ClockSlack {
		t.Error("a message at Twilio can be of two attempts of a conversation")
	}
	if models.ListingsNeeded < 2 {
		t.Error("one listing may be stale")
	}
}

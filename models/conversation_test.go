package models_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"kanal/models"
)

var (
	noon  = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	kari  = models.UserID(7)
	other = models.UserID(8)
)

// events are what may happen to a conversation, by the names of docs/conversation-states.md.
var events = map[string]func(models.Conversation) (models.Conversation, error){
	"CustomerWrote": func(c models.Conversation) (models.Conversation, error) { return c.CustomerWrote(noon), nil },
	"Assign":        func(c models.Conversation) (models.Conversation, error) { return c.Assign(other, noon) },
	"Release":       func(c models.Conversation) (models.Conversation, error) { return c.Release(), nil },
	"Resolve":       func(c models.Conversation) (models.Conversation, error) { return c.Resolve(noon) },
	"Reopen":        func(c models.Conversation) (models.Conversation, error) { return c.Reopen() },
	"Close":         func(c models.Conversation) (models.Conversation, error) { return c.Close(noon) },
}

var states = []models.ConversationState{models.Open, models.Active, models.Waiting, models.WrapUp, models.Closed}

// in gives a conversation in a state, with an agent where the state has one.
func in(state models.ConversationState) models.Conversation {
	c := models.Conversation{ID: 1, State: state, QueueID: 3}
	if state != models.Open {
		c.UserID = &kari
	}
	if state == models.WrapUp || state == models.Closed {
		c.ResolvedAt = &noon
	}
	return c
}

// TestTransitionsAsDocumented holds code and table to each other, cell by cell.
func TestTransitionsAsDocumented(t *testing.T) {
	table := documented(t, "conversation", 1)
	if len(table) != 8 {
		t.Fatalf("%d events are documented, want 8", len(table))
	}
	for name, cells := range table {
		method, agentless, _ := strings.Cut(name, ", ")
		event := events[method]
		if event == nil {
			t.Errorf("%s is documented and not known here", method)
			continue
		}
		for _, state := range states {
			want := cells[string(state)]
			c := in(state)
			if agentless != "" {
				if want == "–" && (state == models.Active || state == models.Waiting) {
					continue // these always have an agent
				}
				c.UserID = nil
			}
			after, err := event(c)
			switch {
			case want == "–" && models.KindOf(err) != models.KindConflict:
				t.Errorf("%s in %s: error %v, want a conflict", name, state, err)
			case want == "–" && after.State != state:
				t.Errorf("%s in %s is refused and changes the state to %s", name, state, after.State)
			case want != "–" && (err != nil || string(after.State) != want):
				t.Errorf("%s in %s: %s, %v; documented is %q", name, state, after.State, err, want)
			}
		}
	}
}

func TestCustomerWrote(t *testing.T) {
	before := noon.Add(-time.Hour)
	c := in(models.WrapUp)
	c.Unread, c.UnansweredAt = 2, &before
	c = c.CustomerWrote(noon)
	if c.UserID == nil || *c.UserID != kari {
		t.Error("the agent has changed")
	}
	if c.ResolvedAt != nil {
		t.Error("it is still resolved: the timer of the wrap-up would close it")
	}
	if c.Unread != 3 || !c.LastInboundAt.Equal(noon) {
		t.Errorf("unread %d, last inbound %v", c.Unread, c.LastInboundAt)
	}
	if !c.UnansweredAt.Equal(before) {
		t.Error("the customer waits since the first message that was not answered")
	}
	if c := in(models.Active).CustomerWrote(noon); c.UnansweredAt == nil || !c.UnansweredAt.Equal(noon) {
		t.Errorf("unanswered since %v", c.UnansweredAt)
	}
}

func TestAssign(t *testing.T) {
	c, err := in(models.WrapUp).Assign(other, noon)
	if err != nil || *c.UserID != other || !c.AssignedAt.Equal(noon) || c.ResolvedAt != nil {
		t.Errorf("%+v, %v", c, err)
	}
	was := in(models.Active)
	if _, err := was.Assign(other, noon); err != nil || *was.UserID != kari {
		t.Error("a rule changes a copy, never what it was given")
	}
	if _, err := in(models.Closed).Assign(other, noon); !errors.Is(err, models.E(models.KindConflict, "conversation.closed")) {
		t.Error(err)
	}
}

func TestReleaseTakesTheAgentAway(t *testing.T) {
	for _, state := range states {
		if c := in(state).Release(); c.UserID != nil || c.AssignedAt != nil || c.QueueID != 3 {
			t.Errorf("%s: %+v", state, c)
		}
	}
}

func TestClose(t *testing.T) {
	c := in(models.WrapUp)
	c.Unread = 4
	c, err := c.Close(noon)
	if err != nil || !c.ClosedAt.Equal(noon) || c.Unread != 0 {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestRowShowsItsAccountsTime(t *testing.T) {
	closes := noon.Add(24 * time.Hour)
	r := models.ConversationRow{ClockAhead: 20 * time.Hour, WindowClosesAt: &closes, WindowInbound: &noon}
	if got := r.Window().State(r.Now(noon)); got != models.WindowOpen && got != models.WindowSoon {
		t.Errorf("20 hours later: %s", got)
	}
	if got := r.Window().State(r.Now(noon.Add(4 * time.Hour))); got != models.WindowClosed {
		t.Errorf("24 hours later: %s", got)
	}
	if got := (models.ConversationRow{}).Window().State(noon); got != models.WindowNever {
		t.Errorf("without a message of the customer: %s", got)
	}
}

func TestParseInboxView(t *testing.T) {
	for text, want := range map[string]models.InboxView{
		"mine": models.ViewMine, "queue": models.ViewQueue, "all": models.ViewAll, "": models.ViewMine, "ALL": models.ViewMine, "' OR 1": models.ViewMine,
	} {
		if got := models.ParseInboxView(text); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

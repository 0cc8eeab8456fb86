package inbox

import (
	"fmt"
	"testing"

	"kanal/models"
)

// What is new is what was kept last, wherever it stands in the thread.
func TestFirstUnread(t *testing.T) {
	in := func(id models.MessageID, seq float64) models.Message {
		return models.Message{ID: id, Seq: seq, Direction: models.In}
	}
	late := []models.Message{in(1, 1), in(5, 1.25), {ID: 2, Seq: 2, Direction: models.Out}, in(3, 3), in(4, 4)}
	for _, c := range []struct {
		unread int
		want   string
	}{{0, "0 0"}, {1, "1.25 1"}, {2, "1.25 2"}, {3, "1.25 3"}, {4, "1 4"}, {9, "1 4"}} {
		seq, n := Thread{Row: models.ConversationRow{Conversation: models.Conversation{Unread: c.unread}}, Messages: late}.firstUnread()
		if got := fmt.Sprint(seq, n); got != c.want {
			t.Errorf("%d unread: %s, not %s", c.unread, got, c.want)
		}
	}
	inOrder := Thread{Row: models.ConversationRow{Conversation: models.Conversation{Unread: 2}}, Messages: []models.Message{in(1, 1), in(2, 2), in(3, 3)}}
	if seq, n := inOrder.firstUnread(); seq != 2 || n != 2 {
		t.Error(seq, n)
	}
}

// A seq in an address is a positive number; its id in the page is one that needs no escaping.
func TestSeqInAddresses(t *testing.T) {
	for s, want := range map[string]float64{"7": 7, "2.00390625": 2.00390625, "": 0, "x": 0, "-1": 0, "0": 0, "NaN": 0, "Inf": 0, "1e999": 0} {
		if got := ParseSeq(s); got != want {
			t.Errorf("%q: %g", s, got)
		}
	}
	if id := domID(models.Message{Seq: 2.00390625}); id != "m-2-00390625" {
		t.Error(id)
	}
	if s := seqText(1e9 + 0.5); ParseSeq(s) != 1e9+0.5 {
		t.Error(s)
	}
}

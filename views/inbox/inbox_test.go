package inbox

import (
	"testing"

	"kanal/models"
)

// The sign of our last message in the list: how far it has come, and that it has not.
func TestTicks(t *testing.T) {
	for state, want := range map[models.MessageState][2]string{
		models.Queued: {"clock", "ic--s"}, models.Sending: {"clock", "ic--s"}, models.Uncertain: {"clock", "ic--s"},
		models.Accepted: {"tick", "ic--s"}, models.Sent: {"tick", "ic--s"}, models.Delivered: {"ticks", "ic--s"}, models.Read: {"ticks", "ic--s is-read"},
		models.Failed: {"alert", "ic--s c-e"}, models.Undelivered: {"alert", "ic--s c-e"}, models.Canceled: {"alert", "ic--s c-e"},
	} {
		if got := [2]string{tick(state), rowTick(state)}; got != want {
			t.Errorf("%s: %v, want %v", state, got, want)
		}
	}
}

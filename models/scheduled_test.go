package models

import "testing"

func TestWhoChangesAScheduledMessage(t *testing.T) {
	writer, keeper := UserID(1), UserID(2)
	m := ScheduledMessage{UserID: writer}
	taken, free := Conversation{UserID: &keeper}, Conversation{}
	for _, tt := range []struct {
		name string
		who  Viewer
		c    Conversation
		may  bool
	}{
		{"its writer", Viewer{User: writer, Role: Agent}, taken, true},
		{"who has the conversation", Viewer{User: keeper, Role: Agent}, taken, true},
		{"another agent", Viewer{User: 3, Role: Agent}, taken, false},
		{"an agent while nobody has it", Viewer{User: keeper, Role: Agent}, free, false},
		{"a supervisor", Viewer{User: 3, Role: Supervisor}, taken, true},
		{"an administrator", Viewer{User: 3, Role: Administrator}, free, true},
	} {
		if got := m.ChangedBy(tt.who, tt.c); got != tt.may {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

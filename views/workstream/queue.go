package workstream

import (
	"context"
	"strconv"

	"kanal/models"
	"kanal/views/components"
	"kanal/views/i18n"
)

const queuesURL = "/admin/queues"

func queueURL(id models.QueueID) string { return queuesURL + "/" + number(id) }

// QueueForm is the name of a queue. ID is empty for a new one.
type QueueForm struct {
	ID, Version, Name string
	Errors            components.Errors
	Stale             bool // somebody else has saved it meanwhile
	Conflict          []components.ConflictRow
}

// QueueFormOf fills the form with what is saved.
func QueueFormOf(q models.Queue) QueueForm {
	return QueueForm{ID: number(q.ID), Version: strconv.Itoa(q.Version), Name: q.Name}
}

// Against compares what was typed with what somebody else has saved, and takes over the version that is saved now.
func (f QueueForm) Against(ctx context.Context, q models.Queue) QueueForm {
	f.Stale, f.Version = true, strconv.Itoa(q.Version)
	f.Conflict = components.Differing(components.ConflictRow{Label: i18n.T(ctx, "queue.name"), Theirs: q.Name, Yours: f.Name})
	return f
}

func (f QueueForm) action() string {
	if f.ID == "" {
		return queuesURL
	}
	return queuesURL + "/" + f.ID
}

// waitingText writes the number of conversations in a queue, which is counted up to a thousand.
func waitingText(n int) string {
	if n > 999 {
		return "999+"
	}
	return strconv.Itoa(n)
}

func queueCrumbs(ctx context.Context, here string) []components.Crumb {
	return []components.Crumb{{Label: i18n.T(ctx, "queue.list_title"), URL: queuesURL}, {Label: here}}
}

func queueLead(ctx context.Context, q models.Queue) string {
	if !q.IsDefault {
		return ""
	}
	return i18n.T(ctx, "queue.default_text")
}

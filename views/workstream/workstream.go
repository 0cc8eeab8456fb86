// Package workstream holds the pages about workstreams, the wizard Set up WhatsApp, the settings of a WhatsApp number,
// and queues.
package workstream

import (
	"context"
	"strconv"

	"kanal/models"
	"kanal/views/components"
	"kanal/views/i18n"
)

// Form is what an administrator sets of a workstream. ID is empty for a new one.
type Form struct {
	ID, Version, Name, Distribution, Queue string
	Queues                                 []models.Queue
	Errors                                 components.Errors
	Stale                                  bool // somebody else has saved it meanwhile
	Conflict                               []components.ConflictRow
}

// FormOf fills the form with what is saved.
func FormOf(w models.Workstream) Form {
	return Form{ID: number(w.ID), Version: strconv.Itoa(w.Version), Name: w.Name, Distribution: string(w.Distribution), Queue: number(w.QueueID)}
}

// Against compares what was typed with what somebody else has saved, and takes over the version that is saved now.
func (f Form) Against(ctx context.Context, w models.Workstream) Form {
	saved := FormOf(w)
	f.Stale, f.Version = true, saved.Version
	f.Conflict = components.Differing(
		components.ConflictRow{Label: i18n.T(ctx, "workstream.name"), Theirs: saved.Name, Yours: f.Name},
		components.ConflictRow{Label: i18n.T(ctx, "workstream.queue"), Theirs: f.queueName(saved.Queue), Yours: f.queueName(f.Queue)},
	)
	return f
}

func (f Form) queueName(id string) string {
	for _, q := range f.Queues {
		if number(q.ID) == id {
			return q.Name
		}
	}
	return ""
}

func (f Form) action() string {
	if f.ID == "" {
		return listURL
	}
	return listURL + "/" + f.ID
}

func (f Form) queueOptions() []components.Option {
	list := make([]components.Option, len(f.Queues))
	for i, q := range f.Queues {
		list[i] = components.Option{Value: number(q.ID), Label: q.Name}
	}
	return list
}

func distributionOptions(ctx context.Context) []components.Option {
	return []components.Option{{Value: string(models.Pick), Label: i18n.T(ctx, "workstream.pick"), Hint: i18n.T(ctx, "workstream.pick_hint")}}
}

// Page is what the page of one workstream shows.
type Page struct {
	Workstream models.WorkstreamRow
	Numbers    []models.NumberRow
	Draft      models.ChannelDraft
	Members    int // of the fallback queue
}

const listURL = "/admin/workstreams"

func number[T ~int64](id T) string { return strconv.FormatInt(int64(id), 10) }

// URL gives the page of a workstream.
func URL(id models.WorkstreamID) string { return listURL + "/" + number(id) }

// numbersOf gives the numbers that the workstream has claimed.
func numbersOf(id models.WorkstreamID, all []models.NumberRow) []models.NumberRow {
	var list []models.NumberRow
	for _, n := range all {
		if n.WorkstreamID != nil && *n.WorkstreamID == id {
			list = append(list, n)
		}
	}
	return list
}

func crumbs(ctx context.Context, more ...components.Crumb) []components.Crumb {
	return append([]components.Crumb{{Label: i18n.T(ctx, "workstream.list_title"), URL: listURL}}, more...)
}

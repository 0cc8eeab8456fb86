package service

import (
	"context"
	"errors"
	"fmt"
	"unicode/utf8"

	"kanal/models"
	"kanal/store"
)

// WorkstreamDetails are what a person enters of a workstream. Queue is the fallback queue.
type WorkstreamDetails struct {
	Name         string
	Distribution models.Distribution
	Queue        models.QueueID
}

func workstreamRow(id models.WorkstreamID) string { return fmt.Sprintf("workstreams/%d", id) }

// NewWorkstream makes a workstream. FieldErrors.
func (s *Service) NewWorkstream(ctx context.Context, v models.Viewer, in WorkstreamDetails) (models.WorkstreamID, error) {
	in.Name = cleanName(in.Name)
	if err := checkWorkstream(in); err != nil {
		return 0, err
	}
	var w models.Workstream
	err := s.store.InTx(ctx, func(tx *store.Tx) error {
		if err := checkQueue(ctx, tx, in.Queue); err != nil {
			return err
		}
		w = models.Workstream{Name: in.Name, Distribution: in.Distribution, QueueID: in.Queue, Version: 1, CreatedAt: tx.Now(), UpdatedAt: tx.Now()}
		if err := tx.InsertWorkstream(ctx, &w); err != nil {
			return workstreamField(err, in.Name)
		}
		tx.Publish(models.Event{Name: models.EventAccount})
		return tx.Audit(ctx, v, "workstream.created", workstreamRow(w.ID), map[string]any{"name": w.Name})
	})
	if err != nil {
		return 0, err
	}
	s.directory.changed(ctx)
	return w.ID, nil
}

func checkWorkstream(in WorkstreamDetails) error {
	var f models.FieldErrors
	switch n := utf8.RuneCountInString(in.Name); {
	case n == 0:
		f.Add("name", "workstream.name_empty")
	case n > maxName:
		f.Add("name", "workstream.name_long")
	}
	if in.Distribution != models.Pick {
		f.Add("distribution", "workstream.distribution_none")
	}
	if in.Queue == 0 {
		f.Add("queue", "workstream.queue_none")
	}
	return f.Err()
}

func workstreamField(err error, name string) error {
	if errors.Is(err, store.ErrWorkstreamName) {
		return models.FieldErrors{{Field: "name", Key: "workstream.name_taken", Args: []any{"name", name}}}
	}
	return err
}

// SaveWorkstream changes a workstream; queue and distribution hold for new conversations. FieldErrors, ErrNotFound, store.ErrStale.
func (s *Service) SaveWorkstream(ctx context.Context, v models.Viewer, id models.WorkstreamID, in WorkstreamDetails, e Edit) error {
	in.Name = cleanName(in.Name)
	if err := checkWorkstream(in); err != nil {
		return err
	}
	err := s.store.InTx(ctx, func(tx *store.Tx) error {
		w, err := tx.Workstream(ctx, id)
		if err != nil {
			return err
		}
		if err := checkQueue(ctx, tx, in.Queue); err != nil {
			return err
		}
		details := map[string]any{"name": []string{w.Name, in.Name}, "queue": []models.QueueID{w.QueueID, in.Queue}}
		w.Version, w.Name, w.Distribution, w.QueueID = e.Version, in.Name, in.Distribution, in.Queue
		if err := tx.SaveWorkstream(ctx, &w); err != nil {
			return workstreamField(err, in.Name)
		}
		tx.Publish(models.Event{Name: models.EventAccount})
		return tx.Audit(ctx, v, "workstream.changed", workstreamRow(id), details)
	})
	if err == nil {
		s.directory.changed(ctx)
	}
	return err
}

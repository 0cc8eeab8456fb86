package service

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"kanal/models"
	"kanal/store"
)

func queueRow(id models.QueueID) string { return fmt.Sprintf("queues/%d", id) }

// checkQueue gives FieldErrors for a queue that does not exist.
func checkQueue(ctx context.Context, tx *store.Tx, chosen models.QueueID) error {
	qs, err := tx.Queues(ctx)
	if err != nil || slices.ContainsFunc(qs, func(q models.Queue) bool { return q.ID == chosen }) {
		return err
	}
	return models.FieldErrors{{Field: "queue", Key: "workstream.queue_none"}}
}

func checkQueueName(name string) error {
	var f models.FieldErrors
	switch n := utf8.RuneCountInString(name); {
	case n == 0:
		f.Add("name", "queue.name_empty")
	case n > maxName:
		f.Add("name", "queue.name_long")
	}
	return f.Err()
}

func queueField(err error, name string) error {
	if errors.Is(err, store.ErrQueueName) {
		return models.FieldErrors{{Field: "name", Key: "queue.name_taken", Args: []any{"name", name}}}
	}
	return err
}

// NewQueue makes a queue without members. FieldErrors.
func (s *Service) NewQueue(ctx context.Context, v models.Viewer, name string) (models.QueueID, error) {
	name = cleanName(name)
	if err := checkQueueName(name); err != nil {
		return 0, err
	}
	var q models.Queue
	err := s.store.InTx(ctx, func(tx *store.Tx) error {
		q = models.Queue{Name: name, Version: 1, CreatedAt: tx.Now()}
		if err := tx.InsertQueue(ctx, &q); err != nil {
			return queueField(err, name)
		}
		return tx.Audit(ctx, v, "queue.created", queueRow(q.ID), map[string]any{"name": name})
	})
	return q.ID, err
}

// RenameQueue gives a queue another name. FieldErrors, ErrNotFound, store.ErrStale.
func (s *Service) RenameQueue(ctx context.Context, v models.Viewer, id models.QueueID, name string, e Edit) error {
	name = cleanName(name)
	if err := checkQueueName(name); err != nil {
		return err
	}
	return s.store.InTx(ctx, func(tx *store.Tx) error {
		q, err := tx.Queue(ctx, id)
		if err != nil {
			return err
		}
		details := map[string]any{"name": []string{q.Name, name}}
		q.Version, q.Name = e.Version, name
		if err := tx.SaveQueue(ctx, &q); err != nil {
			return queueField(err, name)
		}
		tx.Publish(models.Event{Name: models.EventResync}) // the inbox shows the queue's name
		return tx.Audit(ctx, v, "queue.changed", queueRow(id), details)
	})
}

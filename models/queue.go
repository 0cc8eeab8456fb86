package models

import "time"

// Queue is where conversations wait.
type Queue struct {
	ID        QueueID
	Name      string
	IsDefault bool
	Version   int
	CreatedAt time.Time
}

// QueueRow is a queue as the list shows it. Waiting is counted up to a bound.
type QueueRow struct {
	Queue
	Members     int // who can sign in
	Waiting     int
	Workstreams int // that have it as their fallback queue
}

package models

import "time"

// Distribution says how work reaches an agent.
type Distribution string

// Pick leaves a conversation in its queue until somebody takes it.
const Pick Distribution = "pick"

// Workstream gathers numbers that are handled alike.
type Workstream struct {
	ID           WorkstreamID
	Name         string
	Distribution Distribution
	QueueID      QueueID // the fallback queue
	Version      int
	CreatedAt    time.Time
	UpdatedAt    time.Time
}

// WorkstreamRow is a workstream as the list shows it.
type WorkstreamRow struct {
	Workstream
	QueueName string
	Numbers   int
	HasDraft  bool
}

-- A conversation in the queue in which nobody waits for an answer stands after all others, on both engines.

-- +goose Up
DROP INDEX conversations_queue;
DROP INDEX conversations_waiting;
CREATE INDEX conversations_queue ON conversations (queue_id, coalesce(unanswered_at, '9999-12-31 00:00:00+00:00'), id) WHERE state = 'open';
CREATE INDEX conversations_waiting ON conversations (coalesce(unanswered_at, '9999-12-31 00:00:00+00:00'), id) WHERE state = 'open';

-- +goose Down
DROP INDEX conversations_queue;
DROP INDEX conversations_waiting;
CREATE INDEX conversations_queue ON conversations (queue_id, unanswered_at, id) WHERE state = 'open';
CREATE INDEX conversations_waiting ON conversations (unanswered_at, id) WHERE state = 'open';

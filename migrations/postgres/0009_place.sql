-- A message that comes late stands between two others: its seq is a fraction.

-- +goose Up
ALTER TABLE messages ALTER COLUMN seq TYPE double precision;

-- +goose Down
DROP INDEX messages_seq;
UPDATE messages SET seq = n.seq
FROM (SELECT account_id, id, row_number() OVER (PARTITION BY account_id, conversation_id ORDER BY seq) AS seq FROM messages) n
WHERE n.account_id = messages.account_id AND n.id = messages.id;
ALTER TABLE messages ALTER COLUMN seq TYPE bigint;
CREATE UNIQUE INDEX messages_seq ON messages (account_id, conversation_id, seq);

-- A message that comes late stands between two others: its seq is a fraction. SQLite keeps one in the column as it is.

-- +goose Up
SELECT 1;

-- +goose Down
DROP INDEX messages_seq;
UPDATE messages SET seq = n.seq
FROM (SELECT id, row_number() OVER (PARTITION BY account_id, conversation_id ORDER BY seq) AS seq FROM messages) AS n
WHERE n.id = messages.id;
CREATE UNIQUE INDEX messages_seq ON messages (account_id, conversation_id, seq);

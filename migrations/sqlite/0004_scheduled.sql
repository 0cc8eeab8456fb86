-- +goose Up

-- A template that waits for its time: what was chosen, and its name then. The sandbox's own are no rows.
ALTER TABLE scheduled_messages ADD COLUMN content_sid TEXT NOT NULL DEFAULT '';
ALTER TABLE scheduled_messages ADD COLUMN template_name TEXT NOT NULL DEFAULT '';

-- The scheduled message that holds an uploaded file.
ALTER TABLE files ADD COLUMN scheduled_id INTEGER;
CREATE INDEX files_scheduled ON files (account_id, scheduled_id) WHERE scheduled_id IS NOT NULL;

-- +goose Down

DROP INDEX files_scheduled;
ALTER TABLE files DROP COLUMN scheduled_id;
ALTER TABLE scheduled_messages DROP COLUMN template_name;
ALTER TABLE scheduled_messages DROP COLUMN content_sid;

-- When a message that a temporary problem of WhatsApp's has stopped is sent again by itself.

-- +goose Up
ALTER TABLE messages ADD COLUMN retry_at DATETIME;

-- +goose Down
ALTER TABLE messages DROP COLUMN retry_at;

-- +goose Up

-- Twilio did not accept SID and token (401, or the account is suspended): nothing is sent until an administrator has
-- mended it. stopped_code is Twilio's.
ALTER TABLE accounts ADD COLUMN stopped_at DATETIME;
ALTER TABLE accounts ADD COLUMN stopped_code INTEGER NOT NULL DEFAULT 0;
-- The rotation of the auth token: the next one stands beside the current one from next_token_at on; after the promotion
-- the old one still checks signatures until old_token_until, for calls that were on their way.
ALTER TABLE accounts ADD COLUMN next_token_last4 TEXT NOT NULL DEFAULT '';
ALTER TABLE accounts ADD COLUMN next_token_at DATETIME;
ALTER TABLE accounts ADD COLUMN old_token_sealed TEXT NOT NULL DEFAULT '';
ALTER TABLE accounts ADD COLUMN old_token_until DATETIME;
-- What Twilio took in for us up to this time is here: the next listing begins a little before it.
ALTER TABLE accounts ADD COLUMN caught_up_at DATETIME;
-- Calls whose signature was wrong: how many since the last right one, over which address we checked the last of them,
-- and to which it came.
ALTER TABLE accounts ADD COLUMN signature_fails INTEGER NOT NULL DEFAULT 0;
ALTER TABLE accounts ADD COLUMN signature_expected TEXT NOT NULL DEFAULT '';
ALTER TABLE accounts ADD COLUMN signature_seen TEXT NOT NULL DEFAULT '';

-- How many messages a minute the sender takes; 0 is what WhatsApp gives every sender.
ALTER TABLE numbers ADD COLUMN pace INTEGER NOT NULL DEFAULT 0;
-- The sender at Twilio, XE…; '' when it is not known.
ALTER TABLE numbers ADD COLUMN sender_sid TEXT NOT NULL DEFAULT '';

-- When Twilio is asked next what became of a message that has no final state, and how often it was asked.
ALTER TABLE messages ADD COLUMN poll_at DATETIME;
ALTER TABLE messages ADD COLUMN polls INTEGER NOT NULL DEFAULT 0;
CREATE INDEX messages_poll ON messages (poll_at) WHERE poll_at IS NOT NULL;

-- The query of the call's address, as it came: of a report it names our message.
ALTER TABLE quarantines ADD COLUMN query TEXT NOT NULL DEFAULT '';
-- The newest replay: when, by whom, and why it failed ('' when it did not).
ALTER TABLE quarantines ADD COLUMN tried_at DATETIME;
ALTER TABLE quarantines ADD COLUMN tried_by INTEGER REFERENCES users (id);
ALTER TABLE quarantines ADD COLUMN problem TEXT NOT NULL DEFAULT '';
ALTER TABLE quarantines ADD COLUMN discarded_at DATETIME;

-- What Twilio says went wrong: calls of the fallback address, and of its debugger.
CREATE TABLE alerts (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id   INTEGER NOT NULL,
    source       TEXT NOT NULL CHECK (source IN ('fallback', 'debugger')),
    sid          TEXT NOT NULL,
    level        TEXT NOT NULL,
    error_code   INTEGER NOT NULL,
    resource_sid TEXT NOT NULL,
    text         TEXT NOT NULL,
    form         TEXT NOT NULL,
    happened_at  DATETIME NOT NULL,
    received_at  DATETIME NOT NULL
);
CREATE UNIQUE INDEX alerts_account ON alerts (account_id, id);
CREATE UNIQUE INDEX alerts_sid ON alerts (account_id, sid) WHERE sid <> '';
CREATE INDEX alerts_received ON alerts (received_at);

-- +goose Down

DROP TABLE alerts;
ALTER TABLE quarantines DROP COLUMN discarded_at;
ALTER TABLE quarantines DROP COLUMN problem;
ALTER TABLE quarantines DROP COLUMN tried_by;
ALTER TABLE quarantines DROP COLUMN tried_at;
ALTER TABLE quarantines DROP COLUMN query;
DROP INDEX messages_poll;
ALTER TABLE messages DROP COLUMN polls;
ALTER TABLE messages DROP COLUMN poll_at;
ALTER TABLE numbers DROP COLUMN sender_sid;
ALTER TABLE numbers DROP COLUMN pace;
ALTER TABLE accounts DROP COLUMN signature_seen;
ALTER TABLE accounts DROP COLUMN signature_expected;
ALTER TABLE accounts DROP COLUMN signature_fails;
ALTER TABLE accounts DROP COLUMN caught_up_at;
ALTER TABLE accounts DROP COLUMN old_token_until;
ALTER TABLE accounts DROP COLUMN old_token_sealed;
ALTER TABLE accounts DROP COLUMN next_token_at;
ALTER TABLE accounts DROP COLUMN next_token_last4;
ALTER TABLE accounts DROP COLUMN stopped_code;
ALTER TABLE accounts DROP COLUMN stopped_at;

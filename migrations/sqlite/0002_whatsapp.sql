-- +goose Up

-- What a message is beside its text, as JSON of models.Details; '' when there is nothing more.
ALTER TABLE messages ADD COLUMN details TEXT NOT NULL DEFAULT '';
-- What can be searched: the text and the words of buttons, places, files and cards.
ALTER TABLE messages ADD COLUMN search_text TEXT NOT NULL DEFAULT '';
-- The message of this account that this one answers.
ALTER TABLE messages ADD COLUMN quoted_id INTEGER;
-- A template as it is sent: content_sid and content_variables (JSON) go to Twilio, body is what the customer reads.
ALTER TABLE messages ADD COLUMN template_id INTEGER;
ALTER TABLE messages ADD COLUMN content_sid TEXT NOT NULL DEFAULT '';
ALTER TABLE messages ADD COLUMN content_variables TEXT NOT NULL DEFAULT '';

ALTER TABLE contacts ADD COLUMN language TEXT NOT NULL DEFAULT '';
ALTER TABLE contacts ADD COLUMN blocked_at DATETIME;
ALTER TABLE contacts ADD COLUMN blocked_by INTEGER REFERENCES users (id);

-- When the sandbox takes the next message from this number.
ALTER TABLE numbers ADD COLUMN next_send_at DATETIME;

-- The plain form of a number that can be written in two ways: it finds the customer, nobody has written from it.
ALTER TABLE contact_identities ADD COLUMN derived BOOLEAN NOT NULL DEFAULT 0;

-- Files are removed at Twilio once they are safe here.
ALTER TABLE accounts ADD COLUMN remove_files BOOLEAN NOT NULL DEFAULT 0;

-- Customers do not see that somebody is answering.
ALTER TABLE accounts ADD COLUMN hide_typing BOOLEAN NOT NULL DEFAULT 0;
-- When a customer was last shown that somebody is answering.
ALTER TABLE conversations ADD COLUMN typing_shown_at DATETIME;

CREATE TABLE templates (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id       INTEGER NOT NULL REFERENCES accounts (id),
    name             TEXT NOT NULL,
    language         TEXT NOT NULL,
    category         TEXT NOT NULL,
    kind             TEXT NOT NULL,
    body             TEXT NOT NULL,
    content_sid      TEXT NOT NULL,
    content          TEXT NOT NULL,
    variables        TEXT NOT NULL,
    in_window        BOOLEAN NOT NULL,
    search_text      TEXT NOT NULL,
    status           TEXT NOT NULL,
    rejection_reason TEXT NOT NULL,
    quality          TEXT NOT NULL,
    source           TEXT NOT NULL CHECK (source IN ('typed', 'twilio')),
    created_by       INTEGER REFERENCES users (id),
    version          INTEGER NOT NULL,
    created_at       DATETIME NOT NULL,
    updated_at       DATETIME NOT NULL,
    synced_at        DATETIME,
    removed_at       DATETIME
);
CREATE UNIQUE INDEX templates_content_sid ON templates (account_id, content_sid) WHERE content_sid <> '' AND removed_at IS NULL;
CREATE UNIQUE INDEX templates_name ON templates (account_id, lower(name), language) WHERE content_sid = '' AND removed_at IS NULL;
CREATE INDEX templates_list ON templates (account_id, name, id);

CREATE TABLE template_syncs (
    account_id  INTEGER PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    started_at  DATETIME NOT NULL,
    updated_at  DATETIME NOT NULL,
    finished_at DATETIME,
    next_token  TEXT NOT NULL,
    next_page   TEXT NOT NULL,
    tries       INTEGER NOT NULL,
    pages       INTEGER NOT NULL,
    templates   INTEGER NOT NULL,
    problem     TEXT NOT NULL
);

-- What a customer has agreed to, as it happened: the newest row of a scope holds.
CREATE TABLE consents (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    contact_id INTEGER NOT NULL REFERENCES contacts (id),
    scope      TEXT NOT NULL CHECK (scope IN ('all', 'marketing')),
    given      BOOLEAN NOT NULL,
    source     TEXT NOT NULL,
    note       TEXT NOT NULL,
    user_id    INTEGER REFERENCES users (id),
    message_id INTEGER,
    at         DATETIME NOT NULL
);
CREATE INDEX consents_contact ON consents (account_id, contact_id, scope, id);

CREATE TABLE files (
    id                INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id        INTEGER NOT NULL,
    conversation_id   INTEGER NOT NULL,
    message_id        INTEGER,
    user_id           INTEGER REFERENCES users (id),
    position          INTEGER NOT NULL,
    direction         TEXT NOT NULL CHECK (direction IN ('in', 'out')),
    state             TEXT NOT NULL CHECK (state IN ('pending', 'stored', 'skipped', 'failed')),
    problem           TEXT NOT NULL,
    name              TEXT NOT NULL,
    content_type      TEXT NOT NULL,
    size              INTEGER NOT NULL,
    width             INTEGER NOT NULL,
    height            INTEGER NOT NULL,
    description       TEXT NOT NULL,
    storage_key       TEXT NOT NULL,
    thumb_key         TEXT NOT NULL,
    provider_url      TEXT NOT NULL,
    tries             INTEGER NOT NULL,
    due_at            DATETIME,
    created_at        DATETIME NOT NULL,
    stored_at         DATETIME,
    removed_at        DATETIME,
    FOREIGN KEY (account_id, conversation_id) REFERENCES conversations (account_id, id)
);
CREATE UNIQUE INDEX files_account ON files (account_id, id);
CREATE INDEX files_message ON files (account_id, message_id, position);
CREATE INDEX files_conversation ON files (account_id, conversation_id, id);
CREATE INDEX files_pending ON files (due_at) WHERE state = 'pending';
CREATE INDEX files_loose ON files (created_at) WHERE message_id IS NULL;

CREATE TABLE scheduled_messages (
    id                INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id        INTEGER NOT NULL,
    conversation_id   INTEGER NOT NULL,
    user_id           INTEGER NOT NULL REFERENCES users (id),
    client_key        TEXT NOT NULL,
    state             TEXT NOT NULL CHECK (state IN ('waiting', 'sent', 'canceled', 'failed')),
    problem           TEXT NOT NULL,
    body              TEXT NOT NULL,
    template_id       INTEGER,
    content_variables TEXT NOT NULL,
    due_at            DATETIME NOT NULL,
    message_id        INTEGER,
    created_at        DATETIME NOT NULL,
    finished_at       DATETIME,
    FOREIGN KEY (account_id, conversation_id) REFERENCES conversations (account_id, id)
);
CREATE UNIQUE INDEX scheduled_messages_account ON scheduled_messages (account_id, id);
CREATE UNIQUE INDEX scheduled_messages_client_key ON scheduled_messages (account_id, conversation_id, user_id, client_key);
CREATE INDEX scheduled_messages_due ON scheduled_messages (due_at) WHERE state = 'waiting';
CREATE INDEX scheduled_messages_conversation ON scheduled_messages (account_id, conversation_id, id);

-- Who has a conversation before them, and who is writing in it. A row that is not renewed says nothing any more.
CREATE TABLE viewings (
    account_id      INTEGER NOT NULL,
    conversation_id INTEGER NOT NULL,
    user_id         INTEGER NOT NULL REFERENCES users (id),
    seen_at         DATETIME NOT NULL,
    typed_at        DATETIME,
    PRIMARY KEY (account_id, conversation_id, user_id)
);
CREATE INDEX viewings_seen ON viewings (seen_at);

-- +goose Down

DROP TABLE viewings;
DROP TABLE scheduled_messages;
DROP TABLE files;
DROP TABLE consents;
DROP TABLE template_syncs;
DROP TABLE templates;
ALTER TABLE conversations DROP COLUMN typing_shown_at;
ALTER TABLE accounts DROP COLUMN hide_typing;
ALTER TABLE accounts DROP COLUMN remove_files;
ALTER TABLE numbers DROP COLUMN next_send_at;
ALTER TABLE contact_identities DROP COLUMN derived;
ALTER TABLE contacts DROP COLUMN blocked_by;
ALTER TABLE contacts DROP COLUMN blocked_at;
ALTER TABLE contacts DROP COLUMN language;
ALTER TABLE messages DROP COLUMN content_variables;
ALTER TABLE messages DROP COLUMN content_sid;
ALTER TABLE messages DROP COLUMN template_id;
ALTER TABLE messages DROP COLUMN quoted_id;
ALTER TABLE messages DROP COLUMN search_text;
ALTER TABLE messages DROP COLUMN details;

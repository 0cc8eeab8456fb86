-- +goose Up

CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE users (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    email          TEXT NOT NULL,
    name           TEXT NOT NULL,
    role           TEXT NOT NULL CHECK (role IN ('administrator', 'supervisor', 'agent')),
    password_hash  TEXT NOT NULL,
    language       TEXT NOT NULL,
    theme          TEXT NOT NULL,
    time_zone      TEXT NOT NULL,
    enter_sends    BOOLEAN NOT NULL,
    shortcuts      BOOLEAN NOT NULL,
    failed_logins  INTEGER NOT NULL,
    locked_until   DATETIME,
    deactivated_at DATETIME,
    version        INTEGER NOT NULL,
    created_at     DATETIME NOT NULL,
    updated_at     DATETIME NOT NULL
);
CREATE UNIQUE INDEX users_email ON users (email);

CREATE TABLE user_links (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id    INTEGER NOT NULL REFERENCES users (id),
    token_hash TEXT NOT NULL,
    purpose    TEXT NOT NULL CHECK (purpose IN ('invite', 'reset')),
    created_by INTEGER NOT NULL,
    created_at DATETIME NOT NULL,
    expires_at DATETIME NOT NULL,
    used_at    DATETIME
);
CREATE UNIQUE INDEX user_links_token ON user_links (token_hash);
CREATE INDEX user_links_user ON user_links (user_id);

CREATE TABLE login_sessions (
    token_hash TEXT PRIMARY KEY,
    user_id    INTEGER REFERENCES users (id),
    data       BLOB NOT NULL,
    expires_at DATETIME NOT NULL,
    created_at DATETIME NOT NULL,
    ip         TEXT NOT NULL,
    user_agent TEXT NOT NULL
);
CREATE INDEX login_sessions_user ON login_sessions (user_id);
CREATE INDEX login_sessions_expiry ON login_sessions (expires_at);

CREATE TABLE audits (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    at         DATETIME NOT NULL,
    user_id    INTEGER REFERENCES users (id),
    action     TEXT NOT NULL,
    subject    TEXT NOT NULL,
    details    TEXT NOT NULL,
    remote_ip  TEXT NOT NULL,
    request_id TEXT NOT NULL
);
CREATE INDEX audits_at ON audits (at);

CREATE TABLE queues (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT NOT NULL,
    is_default BOOLEAN NOT NULL,
    version    INTEGER NOT NULL,
    created_at DATETIME NOT NULL
);
CREATE UNIQUE INDEX queues_name ON queues (lower(name));
CREATE UNIQUE INDEX queues_one_default ON queues (is_default) WHERE is_default = 1;

CREATE TABLE queue_members (
    queue_id INTEGER NOT NULL REFERENCES queues (id),
    user_id  INTEGER NOT NULL REFERENCES users (id),
    PRIMARY KEY (queue_id, user_id)
);
CREATE INDEX queue_members_user ON queue_members (user_id);

CREATE TABLE workstreams (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    name         TEXT NOT NULL,
    distribution TEXT NOT NULL CHECK (distribution IN ('pick')),
    queue_id     INTEGER NOT NULL REFERENCES queues (id),
    version      INTEGER NOT NULL,
    created_at   DATETIME NOT NULL,
    updated_at   DATETIME NOT NULL
);
CREATE UNIQUE INDEX workstreams_name ON workstreams (lower(name));

CREATE TABLE accounts (
    id                  INTEGER PRIMARY KEY AUTOINCREMENT,
    name                TEXT NOT NULL,
    channel             TEXT NOT NULL,
    sid                 TEXT NOT NULL,
    token_sealed        TEXT NOT NULL,
    token_last4         TEXT NOT NULL,
    next_token_sealed   TEXT NOT NULL,
    hook_key            TEXT NOT NULL,
    state               TEXT NOT NULL CHECK (state IN ('draft', 'active')),
    step                INTEGER NOT NULL,
    check_state         TEXT NOT NULL,
    checked_at          DATETIME,
    first_message_at    DATETIME,
    last_signature_fail DATETIME,
    simulated           BOOLEAN NOT NULL,
    clock_ahead         INTEGER NOT NULL,
    created_by          INTEGER NOT NULL,
    version             INTEGER NOT NULL,
    created_at          DATETIME NOT NULL,
    updated_at          DATETIME NOT NULL,
    finished_at         DATETIME
);
CREATE UNIQUE INDEX accounts_hook_key ON accounts (hook_key);
-- Drafts do not count: somebody may begin twice.
CREATE UNIQUE INDEX accounts_name ON accounts (lower(name)) WHERE state <> 'draft';
CREATE UNIQUE INDEX accounts_sid ON accounts (sid) WHERE state <> 'draft';

CREATE TABLE numbers (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id     INTEGER NOT NULL REFERENCES accounts (id),
    name           TEXT NOT NULL,
    address        TEXT NOT NULL,
    workstream_id  INTEGER REFERENCES workstreams (id),
    language       TEXT NOT NULL,
    files          BOOLEAN NOT NULL,
    customer_files BOOLEAN NOT NULL,
    agent_files    BOOLEAN NOT NULL,
    known_sender   BOOLEAN,
    version        INTEGER NOT NULL,
    created_at     DATETIME NOT NULL,
    updated_at     DATETIME NOT NULL,
    claimed_at     DATETIME
);
CREATE UNIQUE INDEX numbers_address ON numbers (account_id, address);
CREATE INDEX numbers_workstream ON numbers (workstream_id);

CREATE TABLE automated_messages (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    number_id  INTEGER NOT NULL REFERENCES numbers (id) ON DELETE CASCADE,
    "trigger"  TEXT NOT NULL,
    active     BOOLEAN NOT NULL,
    text       TEXT NOT NULL,
    updated_at DATETIME NOT NULL
);
CREATE UNIQUE INDEX automated_messages_trigger ON automated_messages (number_id, "trigger");

CREATE TABLE channel_drafts (
    workstream_id   INTEGER PRIMARY KEY REFERENCES workstreams (id) ON DELETE CASCADE,
    number_id       INTEGER REFERENCES numbers (id) ON DELETE SET NULL,
    language        TEXT NOT NULL,
    greeting_active BOOLEAN NOT NULL,
    greeting_text   TEXT NOT NULL,
    files           BOOLEAN NOT NULL,
    customer_files  BOOLEAN NOT NULL,
    agent_files     BOOLEAN NOT NULL,
    step            INTEGER NOT NULL,
    version         INTEGER NOT NULL,
    updated_by      INTEGER NOT NULL,
    updated_at      DATETIME NOT NULL
);

CREATE TABLE contacts (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    name         TEXT NOT NULL,
    profile_name TEXT NOT NULL,
    version      INTEGER NOT NULL,
    created_at   DATETIME NOT NULL,
    updated_at   DATETIME NOT NULL
);

CREATE TABLE contact_identities (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    contact_id INTEGER NOT NULL REFERENCES contacts (id),
    kind       TEXT NOT NULL CHECK (kind IN ('phone', 'bsuid')),
    value      TEXT NOT NULL,
    created_at DATETIME NOT NULL
);
CREATE UNIQUE INDEX contact_identities_value ON contact_identities (kind, value);
CREATE INDEX contact_identities_contact ON contact_identities (contact_id);

-- From here on tables grow with traffic. Each carries account_id and its unique keys begin with it, so that
-- PostgreSQL can partition them later.

CREATE TABLE service_windows (
    account_id      INTEGER NOT NULL,
    number_id       INTEGER NOT NULL,
    contact_id      INTEGER NOT NULL,
    last_inbound_at DATETIME NOT NULL,
    closes_at       DATETIME NOT NULL,
    PRIMARY KEY (account_id, number_id, contact_id)
);

CREATE TABLE conversations (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id      INTEGER NOT NULL REFERENCES accounts (id),
    number_id       INTEGER NOT NULL REFERENCES numbers (id),
    contact_id      INTEGER NOT NULL REFERENCES contacts (id),
    workstream_id   INTEGER REFERENCES workstreams (id),
    queue_id        INTEGER NOT NULL REFERENCES queues (id),
    state           TEXT NOT NULL CHECK (state IN ('open', 'active', 'waiting', 'wrap_up', 'closed')),
    user_id         INTEGER REFERENCES users (id),
    address         TEXT NOT NULL,
    seq             INTEGER NOT NULL,
    rev             INTEGER NOT NULL,
    unread          INTEGER NOT NULL,
    last_message_at DATETIME NOT NULL,
    last_inbound_at DATETIME,
    last_direction  TEXT NOT NULL,
    last_preview    TEXT NOT NULL,
    last_state      TEXT NOT NULL,
    unanswered_at   DATETIME,
    opened_at       DATETIME NOT NULL,
    assigned_at     DATETIME,
    resolved_at     DATETIME,
    closed_at       DATETIME,
    version         INTEGER NOT NULL,
    updated_at      DATETIME NOT NULL
);
CREATE UNIQUE INDEX conversations_account ON conversations (account_id, id);
CREATE UNIQUE INDEX conversations_one_open ON conversations (account_id, number_id, contact_id) WHERE state <> 'closed';
CREATE INDEX conversations_mine ON conversations (user_id, last_message_at, id) WHERE state <> 'closed';
CREATE INDEX conversations_queue ON conversations (queue_id, unanswered_at, id) WHERE state = 'open';
CREATE INDEX conversations_waiting ON conversations (unanswered_at, id) WHERE state = 'open';
CREATE INDEX conversations_all ON conversations (last_message_at, id) WHERE state <> 'closed';
CREATE INDEX conversations_contact ON conversations (contact_id, id);
CREATE INDEX conversations_wrap_up ON conversations (resolved_at) WHERE state = 'wrap_up';

CREATE TABLE messages (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id      INTEGER NOT NULL,
    conversation_id INTEGER NOT NULL,
    seq             INTEGER NOT NULL,
    rev             INTEGER NOT NULL,
    direction       TEXT NOT NULL CHECK (direction IN ('in', 'out', 'system')),
    kind            TEXT NOT NULL,
    raw_kind        TEXT NOT NULL,
    body            TEXT NOT NULL,
    user_id         INTEGER REFERENCES users (id),
    "trigger"       TEXT NOT NULL,
    client_key      TEXT,
    provider_sid    TEXT,
    state           TEXT NOT NULL CHECK (state IN ('received', 'queued', 'sending', 'uncertain', 'accepted', 'sent', 'delivered', 'read', 'failed', 'undelivered', 'canceled')),
    error_code      INTEGER NOT NULL,
    attempt         INTEGER NOT NULL,
    form            TEXT NOT NULL,
    created_at      DATETIME NOT NULL,
    sent_at         DATETIME,
    delivered_at    DATETIME,
    read_at         DATETIME,
    updated_at      DATETIME NOT NULL,
    FOREIGN KEY (account_id, conversation_id) REFERENCES conversations (account_id, id)
);
CREATE UNIQUE INDEX messages_account ON messages (account_id, id);
CREATE UNIQUE INDEX messages_provider_sid ON messages (account_id, provider_sid) WHERE provider_sid IS NOT NULL;
CREATE UNIQUE INDEX messages_client_key ON messages (account_id, conversation_id, user_id, client_key) WHERE client_key IS NOT NULL;
CREATE UNIQUE INDEX messages_seq ON messages (account_id, conversation_id, seq);
CREATE INDEX messages_rev ON messages (account_id, conversation_id, rev);
CREATE INDEX messages_unsent ON messages (account_id, conversation_id, seq) WHERE state IN ('queued', 'sending', 'uncertain');
CREATE INDEX messages_created ON messages (created_at);

CREATE TABLE send_attempts (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id      INTEGER NOT NULL,
    message_id      INTEGER NOT NULL,
    n               INTEGER NOT NULL,
    address         TEXT NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('sending', 'uncertain', 'accepted', 'not_processed', 'rejected', 'lost')),
    sid             TEXT,
    lease_until     DATETIME NOT NULL,
    started_at      DATETIME NOT NULL,
    deadline_at     DATETIME NOT NULL,
    finished_at     DATETIME,
    not_before      DATETIME,
    http_status     INTEGER NOT NULL,
    error_code      INTEGER NOT NULL,
    listings        INTEGER NOT NULL,
    last_listing_at DATETIME,
    FOREIGN KEY (account_id, message_id) REFERENCES messages (account_id, id)
);
CREATE UNIQUE INDEX send_attempts_account ON send_attempts (account_id, id);
CREATE UNIQUE INDEX send_attempts_n ON send_attempts (account_id, message_id, n);
CREATE UNIQUE INDEX send_attempts_sid ON send_attempts (account_id, sid) WHERE sid IS NOT NULL;
CREATE INDEX send_attempts_open ON send_attempts (lease_until) WHERE state IN ('sending', 'uncertain');

CREATE TABLE provider_events (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id  INTEGER NOT NULL,
    message_id  INTEGER,
    kind        TEXT NOT NULL,
    sid         TEXT NOT NULL,
    status      TEXT NOT NULL,
    error_code  INTEGER NOT NULL,
    form        TEXT NOT NULL,
    received_at DATETIME NOT NULL
);
CREATE UNIQUE INDEX provider_events_account ON provider_events (account_id, id);
CREATE INDEX provider_events_sid ON provider_events (account_id, sid);
CREATE INDEX provider_events_message ON provider_events (account_id, message_id);
CREATE INDEX provider_events_received ON provider_events (received_at);

CREATE TABLE quarantines (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id  INTEGER NOT NULL,
    kind        TEXT NOT NULL,
    reason      TEXT NOT NULL,
    form        TEXT NOT NULL,
    received_at DATETIME NOT NULL,
    replayed_at DATETIME
);
CREATE UNIQUE INDEX quarantines_account ON quarantines (account_id, id);
CREATE INDEX quarantines_received ON quarantines (received_at);

CREATE TABLE drafts (
    account_id      INTEGER NOT NULL,
    conversation_id INTEGER NOT NULL,
    user_id         INTEGER NOT NULL REFERENCES users (id),
    body            TEXT NOT NULL,
    version         INTEGER NOT NULL,
    updated_at      DATETIME NOT NULL,
    PRIMARY KEY (account_id, conversation_id, user_id)
);

CREATE TABLE agent_sessions (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id      INTEGER NOT NULL,
    conversation_id INTEGER NOT NULL,
    user_id         INTEGER NOT NULL REFERENCES users (id),
    started_at      DATETIME NOT NULL,
    ended_at        DATETIME,
    reason          TEXT NOT NULL
);
CREATE UNIQUE INDEX agent_sessions_account ON agent_sessions (account_id, id);
CREATE INDEX agent_sessions_conversation ON agent_sessions (account_id, conversation_id);

-- +goose Down

DROP TABLE agent_sessions;
DROP TABLE drafts;
DROP TABLE quarantines;
DROP TABLE provider_events;
DROP TABLE send_attempts;
DROP TABLE messages;
DROP TABLE conversations;
DROP TABLE service_windows;
DROP TABLE contact_identities;
DROP TABLE contacts;
DROP TABLE channel_drafts;
DROP TABLE automated_messages;
DROP TABLE numbers;
DROP TABLE accounts;
DROP TABLE workstreams;
DROP TABLE queue_members;
DROP TABLE queues;
DROP TABLE audits;
DROP TABLE login_sessions;
DROP TABLE user_links;
DROP TABLE users;
DROP TABLE settings;

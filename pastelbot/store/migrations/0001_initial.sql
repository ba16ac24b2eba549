-- From version 0 (an empty file). 2026-11-22. Jobs, quotas, pictures and what the program remembers.

CREATE TABLE jobs (
    id          TEXT PRIMARY KEY,
    user_id     INTEGER NOT NULL,
    request     TEXT    NOT NULL,            -- GenerationRequest as JSON
    status      TEXT    NOT NULL CHECK (status IN
                ('queued', 'leased', 'rendered', 'posted', 'done', 'failed', 'cancelled')),
    attempts    INTEGER NOT NULL DEFAULT 0,  -- how often a worker died while it painted this
    created_at  REAL    NOT NULL,            -- seconds since 1970, UTC
    leased_at   REAL,
    ended_at    REAL,
    guild_id    INTEGER,
    channel_id  INTEGER,
    message_id  INTEGER,                     -- the bot's own message that shows the job
    reason      TEXT,                        -- why it failed, as the person reads it
    seconds     REAL,                        -- time in the worker
    cost        INTEGER NOT NULL,            -- pictures reserved
    day         TEXT    NOT NULL             -- the UTC day whose quota holds the reservation
) STRICT;

CREATE INDEX jobs_by_status ON jobs (status, created_at);
CREATE INDEX jobs_by_user ON jobs (user_id, leased_at);

CREATE TABLE quotas (
    user_id     INTEGER NOT NULL,
    day         TEXT    NOT NULL,
    used        INTEGER NOT NULL CHECK (used >= 0),
    PRIMARY KEY (user_id, day)
) STRICT, WITHOUT ROWID;

CREATE TABLE pictures (
    job_id      TEXT    NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    number      INTEGER NOT NULL,            -- 0, 1, ... in the order of their seeds
    file        TEXT    NOT NULL,            -- relative to the pictures folder
    seed        INTEGER NOT NULL,
    width       INTEGER NOT NULL,
    height      INTEGER NOT NULL,
    infotext    TEXT    NOT NULL,
    PRIMARY KEY (job_id, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE memory (
    name        TEXT PRIMARY KEY,
    value       TEXT NOT NULL
) STRICT, WITHOUT ROWID;

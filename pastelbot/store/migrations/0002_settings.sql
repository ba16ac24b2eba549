-- From version 1. 2026-11-23. What servers, channels and people have set, and what a job is besides its pixels.

CREATE TABLE settings (
    scope       TEXT    NOT NULL CHECK (scope IN ('guild', 'channel', 'role', 'user')),
    id          INTEGER NOT NULL,            -- Discord's id of the server, channel, role or person
    name        TEXT    NOT NULL,
    value       TEXT    NOT NULL,            -- JSON
    PRIMARY KEY (scope, id, name)
) STRICT, WITHOUT ROWID;

ALTER TABLE jobs ADD COLUMN spoiler INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN private INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN origin TEXT;     -- the job that this one was made from

CREATE INDEX jobs_by_origin ON jobs (origin) WHERE origin IS NOT NULL;

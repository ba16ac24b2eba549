-- From version 10. 2026-11-28. What a restart must know of messages: who asked, which ends were shown, which were begun.

ALTER TABLE jobs ADD COLUMN interaction_id INTEGER;           -- Discord's number of what asked for it; NULL: none did
ALTER TABLE jobs ADD COLUMN part INTEGER NOT NULL DEFAULT 0;  -- 0, 1, ... among the jobs of one interaction
ALTER TABLE jobs ADD COLUMN end_shown INTEGER NOT NULL DEFAULT 0;  -- whether its message says that it failed or was cancelled

UPDATE jobs SET end_shown = 1 WHERE status IN ('failed', 'cancelled');

CREATE UNIQUE INDEX jobs_by_interaction ON jobs (interaction_id, part) WHERE interaction_id IS NOT NULL;
CREATE INDEX jobs_not_shown_ended ON jobs (ended_at) WHERE status IN ('failed', 'cancelled') AND NOT end_shown;

CREATE TABLE begun_messages (                -- direct messages of jobs that are not queued yet
    id             INTEGER PRIMARY KEY,
    channel_id     INTEGER NOT NULL,
    message_id     INTEGER,                  -- NULL: Discord has not answered
    interaction_id INTEGER NOT NULL,         -- what asked for it; messages have greater numbers than what was before them
    begun_at       REAL    NOT NULL          -- seconds since 1970, UTC
) STRICT;

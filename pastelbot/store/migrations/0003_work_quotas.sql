-- From version 2. 2026-11-23. Quotas of work (pixel-steps) for each person and server, grants, and a line of 10,000 jobs.

DROP TABLE quotas;

CREATE TABLE balances (
    user_id     INTEGER NOT NULL,
    guild_id    INTEGER NOT NULL,            -- 0: direct messages
    day         INTEGER NOT NULL,            -- days since 1970, UTC: refilled up to here
    given       INTEGER NOT NULL,            -- what this day's refill was
    saved       INTEGER NOT NULL,            -- what unused allowance may add up to
    rest        INTEGER NOT NULL,            -- left of the allowance; below 0 where a role was lost after spending
    extra       INTEGER NOT NULL,            -- left of what admins granted
    PRIMARY KEY (user_id, guild_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE grants (
    number      INTEGER PRIMARY KEY,
    user_id     INTEGER NOT NULL,
    guild_id    INTEGER NOT NULL,
    work        INTEGER NOT NULL,
    granted_by  INTEGER NOT NULL,
    granted_at  REAL    NOT NULL,
    reason      TEXT
) STRICT;

CREATE INDEX grants_by_person ON grants (user_id, guild_id, granted_at);

-- `cost` was in pictures; it is in pixel-steps now. What is in line was paid from the old quotas: nothing is given back.
ALTER TABLE jobs DROP COLUMN day;
ALTER TABLE jobs ADD COLUMN count INTEGER NOT NULL DEFAULT 1;      -- pictures
ALTER TABLE jobs ADD COLUMN from_rest INTEGER NOT NULL DEFAULT 0;  -- reserved of the allowance
ALTER TABLE jobs ADD COLUMN from_extra INTEGER NOT NULL DEFAULT 0; -- reserved of what was granted
ALTER TABLE jobs ADD COLUMN refunded INTEGER NOT NULL DEFAULT 0;

UPDATE jobs SET
    count = cost,
    cost = cost * (json_extract(request, '$.steps') * json_extract(request, '$.width') * json_extract(request, '$.height')
        + coalesce(json_extract(request, '$.hires.steps') * json_extract(request, '$.hires.width')
            * json_extract(request, '$.hires.height'), 0)),
    refunded = status IN ('failed', 'cancelled');

DROP INDEX jobs_by_user;
CREATE INDEX jobs_by_person ON jobs (user_id, status, created_at);
CREATE INDEX jobs_by_lease ON jobs (leased_at, user_id, cost, count) WHERE leased_at IS NOT NULL;
CREATE INDEX jobs_in_line ON jobs (created_at, id, user_id, guild_id, cost, count, attempts) WHERE status = 'queued';

-- From version 4. 2026-11-23. Order in the house: blocks, the log of who did what, and pictures a moderator must see.

CREATE TABLE blocks (
    guild_id    INTEGER NOT NULL,
    user_id     INTEGER NOT NULL,
    until       REAL,                        -- NULL: until somebody unblocks the person
    reason      TEXT,
    PRIMARY KEY (guild_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
    id          INTEGER PRIMARY KEY,
    at          REAL    NOT NULL,
    guild_id    INTEGER,                     -- NULL: in a direct message
    user_id     INTEGER NOT NULL,            -- who did it
    action      TEXT    NOT NULL,
    target_id   INTEGER,                     -- to whom, where it was done to somebody
    job_id      TEXT,                        -- its prompt is in the job alone, for as long as that is kept
    detail      TEXT    NOT NULL DEFAULT ''
) STRICT;

CREATE INDEX audit_by_guild ON audit (guild_id, id);
CREATE INDEX audit_by_time ON audit (at);

CREATE TRIGGER jobs_are_logged AFTER INSERT ON jobs BEGIN
    INSERT INTO audit (at, guild_id, user_id, action, job_id)
    VALUES (NEW.created_at, NEW.guild_id, NEW.user_id, 'paint', NEW.id);
END;

ALTER TABLE jobs ADD COLUMN adult_allowed INTEGER NOT NULL DEFAULT 0;  -- whether adult pictures may be shown there
ALTER TABLE jobs ADD COLUMN review TEXT CHECK (review IN ('open', 'approved', 'rejected'));  -- NULL: none was needed
ALTER TABLE jobs ADD COLUMN review_at REAL;
ALTER TABLE jobs ADD COLUMN review_channel_id INTEGER;
ALTER TABLE jobs ADD COLUMN review_message_id INTEGER;  -- where moderators are asked

CREATE INDEX jobs_by_review ON jobs (review, review_at) WHERE review IS NOT NULL;

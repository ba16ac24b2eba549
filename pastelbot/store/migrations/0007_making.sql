-- From version 6. 2026-11-23. Presets, requests that wait to be confirmed, and where a job in a direct message was asked for.

CREATE TABLE presets (
    owner_id    INTEGER NOT NULL,            -- who saved it
    guild_id    INTEGER NOT NULL,            -- the server that may use it; 0: its owner alone
    key         TEXT    NOT NULL,            -- the name as it is compared
    name        TEXT    NOT NULL,            -- the name as it was written
    wish        TEXT    NOT NULL,            -- JSON, the values by name
    saved_at    REAL    NOT NULL
) STRICT;

CREATE UNIQUE INDEX presets_of_people ON presets (owner_id, key) WHERE guild_id = 0;
CREATE UNIQUE INDEX presets_of_servers ON presets (guild_id, key) WHERE guild_id <> 0;

CREATE TABLE confirmations (
    id          TEXT    PRIMARY KEY,
    user_id     INTEGER NOT NULL,
    plan        TEXT    NOT NULL,            -- JSON: what is queued when it is confirmed
    asked_at    REAL    NOT NULL
) STRICT, WITHOUT ROWID;

ALTER TABLE jobs ADD COLUMN home_channel_id INTEGER;  -- where a private job was asked for; it is shown elsewhere

-- From version 3. 2026-11-23. Pictures by their content, the gallery with its votes and its search, messages to delete.

CREATE TABLE new_pictures (
    job_id      TEXT    NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    number      INTEGER NOT NULL,            -- 0, 1, ... in the order of their seeds
    file        TEXT,                        -- relative to the pictures folder, ab/cd/<sha256>.png; NULL: swept away
    size        INTEGER NOT NULL,            -- bytes of the file
    seed        INTEGER NOT NULL,
    width       INTEGER NOT NULL,
    height      INTEGER NOT NULL,
    infotext    TEXT    NOT NULL,
    PRIMARY KEY (job_id, number)
) STRICT, WITHOUT ROWID;

INSERT INTO new_pictures SELECT job_id, number, file, 0, seed, width, height, infotext FROM pictures;
DROP TABLE pictures;
ALTER TABLE new_pictures RENAME TO pictures;

CREATE INDEX pictures_by_file ON pictures (file) WHERE file IS NOT NULL;  -- the same bytes are one file
CREATE INDEX jobs_by_message ON jobs (message_id) WHERE message_id IS NOT NULL;

CREATE TABLE gallery (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,  -- never given twice: buttons carry it
    guild_id    INTEGER NOT NULL,
    user_id     INTEGER NOT NULL,            -- its author
    job_id      TEXT    NOT NULL,
    number      INTEGER NOT NULL,
    adult       INTEGER NOT NULL,            -- shown in age-restricted channels alone
    spoiler     INTEGER NOT NULL,
    prompt      TEXT    NOT NULL,
    shared_at   REAL    NOT NULL,            -- seconds since 1970, UTC
    channel_id  INTEGER,                     -- where the gallery's channel shows it
    message_id  INTEGER,
    UNIQUE (job_id, number),
    FOREIGN KEY (job_id, number) REFERENCES pictures (job_id, number) ON DELETE CASCADE
) STRICT;

CREATE INDEX gallery_by_guild ON gallery (guild_id, shared_at);
CREATE INDEX gallery_by_user ON gallery (user_id);
CREATE INDEX gallery_by_message ON gallery (message_id) WHERE message_id IS NOT NULL;

CREATE TABLE votes (
    entry_id    INTEGER NOT NULL REFERENCES gallery (id) ON DELETE CASCADE,
    user_id     INTEGER NOT NULL,
    voted_at    REAL    NOT NULL,
    PRIMARY KEY (entry_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX votes_by_user ON votes (user_id);

CREATE TABLE gallery_tags (
    tag         TEXT    NOT NULL,            -- as tags are compared
    entry_id    INTEGER NOT NULL REFERENCES gallery (id) ON DELETE CASCADE,
    PRIMARY KEY (tag, entry_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX gallery_tags_by_entry ON gallery_tags (entry_id);

CREATE VIRTUAL TABLE gallery_search USING fts5 (prompt, content = 'gallery', content_rowid = 'id');

CREATE TABLE erasures (                      -- the bot's own messages that are to be deleted in Discord
    message_id  INTEGER PRIMARY KEY,
    channel_id  INTEGER NOT NULL,
    guild_id    INTEGER
) STRICT;

CREATE TRIGGER gallery_in AFTER INSERT ON gallery BEGIN
    INSERT INTO gallery_search (rowid, prompt) VALUES (new.id, new.prompt);
END;

CREATE TRIGGER gallery_out AFTER DELETE ON gallery BEGIN
    INSERT INTO gallery_search (gallery_search, rowid, prompt) VALUES ('delete', old.id, old.prompt);
    INSERT OR IGNORE INTO erasures (message_id, channel_id, guild_id)
        SELECT old.message_id, old.channel_id, old.guild_id WHERE old.message_id IS NOT NULL;
END;

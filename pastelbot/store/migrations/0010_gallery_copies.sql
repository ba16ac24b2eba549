-- From version 9. 2026-11-23. Messages that show several shared pictures: they go when one of those is taken out.

CREATE TABLE gallery_copies (
    entry_id    INTEGER NOT NULL REFERENCES gallery (id) ON DELETE CASCADE,
    message_id  INTEGER NOT NULL,            -- a page for everybody, or a week's best
    channel_id  INTEGER NOT NULL,
    guild_id    INTEGER NOT NULL,
    PRIMARY KEY (entry_id, message_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX gallery_copies_by_message ON gallery_copies (message_id);
CREATE INDEX gallery_copies_by_channel ON gallery_copies (channel_id);

CREATE TRIGGER gallery_copies_out BEFORE DELETE ON gallery BEGIN
    INSERT OR IGNORE INTO erasures (message_id, channel_id, guild_id)
        SELECT message_id, channel_id, guild_id FROM gallery_copies WHERE entry_id = old.id;
END;

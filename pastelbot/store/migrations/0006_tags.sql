-- From version 5. 2026-11-23. The tag vocabulary: whole sets of tags, of which one is current, and an index of their words.

CREATE TABLE tag_sets (
    id          INTEGER PRIMARY KEY,         -- its rows in the other tables have ids from id << 24 on
    state       TEXT    NOT NULL CHECK (state IN ('filling', 'current', 'old')),
    touched_at  REAL    NOT NULL,            -- seconds since 1970, UTC; a filling set that nobody touches was abandoned
    shipped     TEXT    NOT NULL,            -- digest of the shipped vocabulary inside
    source      TEXT    NOT NULL             -- the file or address last imported; empty: none
) STRICT;

CREATE UNIQUE INDEX tag_sets_current ON tag_sets (state) WHERE state = 'current';

CREATE TABLE tags (
    id          INTEGER PRIMARY KEY,         -- ascending from the most to the least used; also the id of its name's spelling
    name        TEXT    NOT NULL,            -- as in the file: long_hair
    category    INTEGER NOT NULL,
    count       INTEGER NOT NULL,
    aliases     TEXT    NOT NULL,            -- with commas between them
    origin      INTEGER NOT NULL             -- 1 shipped, 2 imported, 3 both
) STRICT;

CREATE TABLE tag_spellings (
    id          INTEGER PRIMARY KEY,         -- a tag's name, and then its aliases
    tag_id      INTEGER NOT NULL,
    key         TEXT    NOT NULL,            -- as it is compared: long hair
    backwards   TEXT    NOT NULL,            -- riah gnol: finds what ends alike
    length      INTEGER NOT NULL
) STRICT;

CREATE INDEX tag_spellings_key ON tag_spellings (length, key);
CREATE INDEX tag_spellings_backwards ON tag_spellings (length, backwards, key);

CREATE VIRTUAL TABLE tag_words USING fts5 (
    key, content = 'tag_spellings', content_rowid = 'id', prefix = '1 2 3',
    tokenize = "unicode61 remove_diacritics 0 categories 'L* M* N* P* S* Co'"  -- words are what has spaces around it
);

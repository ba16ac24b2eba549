-- From version 12. 2026-11-29. Who may use the web page: local accounts, and links and browsers that are signed in.

CREATE TABLE web_accounts (
    user_id    INTEGER PRIMARY KEY,   -- negative, as Discord's are positive; -1 is the user of a page without sign-in
    name       TEXT NOT NULL COLLATE NOCASE UNIQUE,
    password   TEXT NOT NULL,         -- scrypt's parameters, salt and hash
    created_at REAL NOT NULL          -- seconds since 1970, UTC
) STRICT;

CREATE TABLE web_tickets (
    digest     TEXT PRIMARY KEY,      -- SHA-256 of the token, which only the browser has
    kind       TEXT NOT NULL,         -- link: signs in once; session: a browser that is signed in
    user_id    INTEGER NOT NULL,
    name       TEXT NOT NULL,
    actor      TEXT NOT NULL,         -- JSON: where the user paints, and with which rights
    expires_at REAL NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX web_tickets_by_expiry ON web_tickets (expires_at);
CREATE INDEX web_tickets_by_user ON web_tickets (user_id);

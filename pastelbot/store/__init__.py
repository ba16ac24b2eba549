"""Everything that is kept: the only SQL, and the only user of aiosqlite and sqlite3."""

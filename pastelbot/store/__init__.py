"""Stores: all SQL, and the only user of aiosqlite and sqlite3."""

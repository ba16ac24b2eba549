"""Moderation in the database: the log of a server, blocks, pauses and withheld pictures."""

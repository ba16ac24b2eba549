"""Checks and copies of the whole store, database and pictures, beside the bot."""

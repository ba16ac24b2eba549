"""Slash commands, one cog a feature."""

"""Discord: commands, buttons and messages. The only user of discord.py."""

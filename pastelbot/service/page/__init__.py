"""What the web page needs besides the use cases of the bot: who signs in, and what becomes of its jobs."""

"""The web page: the bot's services in a browser, for users of Discord and for local accounts."""

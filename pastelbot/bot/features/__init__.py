"""One module or folder for each feature: its commands, views and texts."""

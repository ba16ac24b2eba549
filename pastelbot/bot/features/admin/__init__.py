"""`/admin`: commands for moderators."""

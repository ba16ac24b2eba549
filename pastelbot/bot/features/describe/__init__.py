"""`/describe`: tags from a picture."""

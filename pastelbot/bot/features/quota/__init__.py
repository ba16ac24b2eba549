"""`/quota`."""

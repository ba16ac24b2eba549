"""Masks of pictures to start from: what is painted, what it is filled with first, and what is laid over the result."""

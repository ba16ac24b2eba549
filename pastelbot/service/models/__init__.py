"""The checkpoints and VAEs that requests may name."""

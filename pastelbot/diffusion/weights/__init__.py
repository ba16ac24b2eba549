"""Weights in files: names, layouts, safe reading, and tensors from several sources."""

"""Stable Diffusion 1.x: from a request to pixels. One of the two users of torch."""

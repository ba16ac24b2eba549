"""Pastelbot: a self-hosted Discord bot that paints anime pictures with Stable Diffusion 1.x."""

__version__ = "0.1.0"

"""Prompt language: pure text, no torch."""

from pastelbot.prompt.checking import check

__all__ = ["check"]

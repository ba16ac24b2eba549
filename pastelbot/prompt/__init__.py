"""Prompt language: pure text, no torch."""

from pastelbot.prompt.checking import check, check_not_blank

__all__ = ["check", "check_not_blank"]
